package rest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// paged is the request of a list: it embeds PageParams.
type paged interface{ Paging() web.PageParams }

// identified is a row of a list.
type identified interface{ Identity() uuid.UUID }

// List answers with a page of rows ordered by id.
func List[In paged, Row identified, Out any](
	do func(context.Context, In, service.Page) ([]Row, bool, error), show func(Row) Out,
) Action {
	return ListBy(func(Row) time.Time { return time.Time{} }, do, show)
}

// Unfiltered returns the function of a list without parameters besides its page.
func Unfiltered[Row any](
	do func(context.Context, service.Page) ([]Row, bool, error),
) func(context.Context, web.PageParams, service.Page) ([]Row, bool, error) {
	return func(ctx context.Context, _ web.PageParams, page service.Page) ([]Row, bool, error) {
		return do(ctx, page)
	}
}

// ListBy answers with a page of rows ordered by a time.
func ListBy[In paged, Row identified, Out any](
	moment func(Row) time.Time, do func(context.Context, In, service.Page) ([]Row, bool, error), show func(Row) Out,
) Action {
	action := listOf[In, Row, Out]()
	action.pages = true
	action.Handler = func(env *Conventions, op Operation) (web.HandlerFunc, error) {
		b, err := env.binding(op)
		order, fault := orderOf[Row](action.Request, env.Words)
		return func(c *gin.Context) error {
			in, unbound := bind[In](c, b)
			params := in.Paging()
			if unbound != nil {
				params.Cursor = nil // it belongs to filters that could not be read
			}
			fields, unknown := fieldsOf(c, params, action.Item)
			span, outside := env.Cursors.Span(c, params, filtersOf(in))
			at, unordered := order.place(c, in, span)
			if err := together(unbound, unknown, outside, unordered, broken(in, unbound, env.Rules)); err != nil {
				return placed(c, err)
			}
			rows, more, err := do(c.Request.Context(), in, at)
			if err != nil {
				return placed(c, err)
			}
			answer := web.Page[Item[Out]]{Items: partsOf(rows, show, fields), Watermark: watermarkOf(at)}
			return web.WritePage(c, span, answer, lastOf(rows, more, at, moment))
		}, cmp.Or(err, selecting(action.Request), fault)
	}
	return action
}

// broken returns the rules that a readable request breaks.
func broken(in any, unread error, rules service.Rules) error {
	if judged, ok := in.(judged); ok && unread == nil {
		if faults := judged.Faults(rules); len(faults) > 0 {
			return apperr.InvalidFields(faults...)
		}
	}
	return nil
}

// placed returns an error of a list with pointers to the places of its parameters. do names the places in the
// address; placed changes them for parameters in the body.
func placed(c *gin.Context, err error) error {
	var e *apperr.Error
	if c.Request.Method == http.MethodGet || !errors.As(err, &e) {
		return err
	}
	for i, field := range e.Fields {
		if name, ok := strings.CutPrefix(field.Pointer, "?"); ok {
			e.Fields[i].Pointer = web.InBody(name)
		}
	}
	return err
}

// All answers with all rows as one page, for lists of few rows.
func All[In, Row, Out any](do func(context.Context, In) ([]Row, error), show func(Row) Out) Action {
	action := listOf[In, Row, Out]()
	action.Handler = func(env *Conventions, op Operation) (web.HandlerFunc, error) {
		b, err := env.binding(op)
		return func(c *gin.Context) error {
			in, err := bind[In](c, b)
			if err != nil {
				return err
			}
			fields, err := fieldsOf(c, web.PageParams{}, action.Item)
			if err != nil {
				return err
			}
			rows, err := do(c.Request.Context(), in)
			if err != nil {
				return err
			}
			return web.WriteList(c, env.Cursors.Key, web.Page[Item[Out]]{Items: partsOf(rows, show, fields)})
		}, err
	}
	return action
}

// listOf returns the action of a list, without its handler.
func listOf[In, Row, Out any]() Action {
	action, _ := ActionOf[In, web.Page[Item[Out]]](http.StatusOK, "")
	action.Answer, action.Item = pageType[Row, Out](), reflect.TypeFor[Out]()
	return action
}

// fieldsParameter is the parameter that names the members of a list's items to answer.
func fieldsParameter(t reflect.Type) parameter {
	return parameter{name: "fields", values: web.MembersOf(t).Names, field: reflect.StructField{
		Type: reflect.TypeFor[[]string](),
		Tag:  `doc:"The members to return of each item. id is always returned."`,
	}}
}

// fieldsOf returns the requested members, or nil for all members. If the request has a body, they are in the body.
func fieldsOf(c *gin.Context, params web.PageParams, t reflect.Type) ([]string, error) {
	if c.Request.Method != http.MethodGet {
		known := web.MembersOf(t).Names
		if len(params.Fields) > web.MaxValues || !web.AllOf(params.Fields, known) {
			return nil, apperr.InvalidFields(apperr.Field{
				Pointer: web.InBody("fields"), Code: "unknown_value", Detail: web.SeveralOf(known),
			})
		}
		return params.Fields, nil
	}
	text, given := c.GetQuery("fields") // checked by the binding
	if !given {
		return nil, nil
	}
	return strings.Split(text, ","), nil
}

// pageType returns the type of a page as its JSON shows it. Rows without sealed columns can always be opened.
func pageType[Row, Out any]() reflect.Type {
	if _, ok := any(*new(Row)).(sealed); ok {
		return reflect.TypeFor[web.Page[sealedItem[Out]]]()
	}
	return reflect.TypeFor[web.Page[openItem[Out]]]()
}

func pageOf(span web.PageSpan) service.Page {
	after := web.ValueOr(span.After, web.Position{})
	return service.Page{Limit: span.Limit, After: after.ID, AfterTime: after.Time}
}

// lastOf returns the position of the last row for the next page's cursor if more rows follow, else nil.
func lastOf[Row identified](rows []Row, more bool, at service.Page, moment func(Row) time.Time) *web.Position {
	if !more || len(rows) == 0 {
		return nil
	}
	row := rows[len(rows)-1]
	last := &web.Position{ID: row.Identity(), Time: moment(row), Watermark: web.ValueOr(watermarkOf(at), time.Time{})}
	if changed, ok := any(row).(changeable); ok && at.ByUpdate {
		last.Time = changed.ChangedAt()
	}
	return last
}

// filtersOf returns the filters of a list: its request without limit, cursor and fields.
func filtersOf[In any](in In) any {
	v := reflect.ValueOf(&in).Elem()
	for _, name := range []string{"Limit", "Cursor", "Fields"} {
		v.FieldByName(name).SetZero()
	}
	return in
}

// selecting returns an error if a list's request has a parameter that would not be part of its cursors.
func selecting(t reflect.Type) error {
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("query") != "" && field.Tag.Get("json") == "-" {
			return fmt.Errorf("%s: a list's cursor is bound to what JSON shows of the request", field.Name)
		}
	}
	return nil
}

// Item is a row as a list shows it, or a placeholder for a row that cannot be decrypted.
type Item[T any] struct {
	row        T
	fields     []string // nil: all of them
	unreadable *unreadableAnswer
}

// unreadableAnswer replaces a row that can't be opened in a list.
type unreadableAnswer struct {
	ID         uuid.UUID `json:"id"`
	Unreadable bool      `json:"unreadable"`
}

// MarshalJSONTo implements json.MarshalerTo.
func (i Item[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	switch {
	case i.unreadable != nil:
		return json.MarshalEncode(enc, i.unreadable)
	case i.fields == nil:
		return json.MarshalEncode(enc, i.row)
	}
	text, err := json.Marshal(i.row)
	if err != nil {
		return err
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members); err != nil {
		return err
	}
	maps.DeleteFunc(members, func(name string, _ jsontext.Value) bool {
		return name != "id" && !slices.Contains(i.fields, name)
	})
	return json.MarshalEncode(enc, members)
}

// MarshalJSON implements the Marshaler of encoding/json, which commands use for their reports.
func (i Item[T]) MarshalJSON() ([]byte, error) { return json.Marshal(i) }

// Alternatives are the types that an item is one of.
func (Item[T]) Alternatives() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[unreadableAnswer]()}
}

// sealedItem describes an item of a list in the document. openItem describes an item of a list whose rows can all be
// opened.
type (
	sealedItem[T any] struct{}
	openItem[T any]   struct{}
)

func (sealedItem[T]) Alternatives() []reflect.Type {
	return append(Item[T]{}.Alternatives(), reflect.TypeFor[part[T]]())
}

func (openItem[T]) Alternatives() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[part[T]]()}
}

// part describes in the document a T with selected members.
type part[T any] struct{}

func (part[T]) Whole() reflect.Type { return reflect.TypeFor[T]() }

// sealed is a row that may be impossible to open.
type sealed interface {
	identified
	Unreadable() bool
}

// ItemsOf shows rows in a list.
func ItemsOf[Row, Out any](rows []Row, show func(Row) Out) []Item[Out] {
	return partsOf(rows, show, nil)
}

// partsOf shows the members named in fields of each row; nil names all.
func partsOf[Row, Out any](rows []Row, show func(Row) Out, fields []string) []Item[Out] {
	items := make([]Item[Out], len(rows))
	for i, row := range rows {
		if m, ok := any(row).(sealed); ok && m.Unreadable() {
			items[i].unreadable = &unreadableAnswer{m.Identity(), true}
		} else {
			items[i].row, items[i].fields = show(row), fields
		}
	}
	return items
}
