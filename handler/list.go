package handler

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"novamind/service"
)

// paged is the request of a list: it embeds pageParams.
type paged interface{ paging() pageParams }

func (p pageParams) paging() pageParams { return p }

// identified is a row of a list.
type identified interface{ Identity() uuid.UUID }

// list answers a page of rows in the order of their ids.
func list[In paged, Row identified, Out any](
	do func(context.Context, In, service.Page) ([]Row, bool, error), show func(Row) Out,
) Action {
	return listBy(func(Row) time.Time { return time.Time{} }, do, show)
}

// unfiltered makes the function of a list that takes nothing but its page.
func unfiltered[Row any](
	do func(context.Context, service.Page) ([]Row, bool, error),
) func(context.Context, pageParams, service.Page) ([]Row, bool, error) {
	return func(ctx context.Context, _ pageParams, page service.Page) ([]Row, bool, error) { return do(ctx, page) }
}

// listBy answers a page of rows in the order of a time.
func listBy[In paged, Row identified, Out any](
	moment func(Row) time.Time, do func(context.Context, In, service.Page) ([]Row, bool, error), show func(Row) Out,
) Action {
	action, _ := actionOf[In, page[item[Out]]](http.StatusOK, "")
	action.answer, action.pages = pageType[Row, Out](), true
	action.handler = func(env *conventions, op Operation) (HandlerFunc, error) {
		b, err := newBinding(action.request, op.Method)
		if err == nil {
			err = selecting(action.request)
		}
		return func(c *gin.Context) error {
			in, err := bind[In](c, b)
			if err != nil {
				return err
			}
			span, err := env.cursors.span(c, in.paging(), filtersOf(in))
			if err != nil {
				return err
			}
			rows, more, err := do(c.Request.Context(), in, pageOf(span))
			if err != nil {
				return err
			}
			return writePage(c, span, itemsOf(rows, show), lastOf(rows, more, moment))
		}, err
	}
	return action
}

// all answers rows that are few: they are one page.
func all[In, Row, Out any](do func(context.Context, In) ([]Row, error), show func(Row) Out) Action {
	action := answer(http.StatusOK, do, func(rows []Row) page[item[Out]] {
		return page[item[Out]]{Items: itemsOf(rows, show)}
	})
	action.answer = pageType[Row, Out]()
	return action
}

// pageType returns the type of a page as its JSON shows it: rows without sealed columns can all be opened.
func pageType[Row, Out any]() reflect.Type {
	if _, ok := any(*new(Row)).(sealed); ok {
		return reflect.TypeFor[page[item[Out]]]()
	}
	return reflect.TypeFor[page[Out]]()
}

func pageOf(span pageSpan) service.Page {
	after := valueOr(span.After, position{})
	return service.Page{Limit: span.Limit, After: after.ID, AfterTime: after.Time}
}

// lastOf returns the position of the last row where more follow it, for the next page's cursor.
func lastOf[Row identified](rows []Row, more bool, moment func(Row) time.Time) *position {
	if !more || len(rows) == 0 {
		return nil
	}
	last := rows[len(rows)-1]
	return &position{ID: last.Identity(), Time: moment(last)}
}

// filtersOf returns what selects the rows of a list: its request without the place in it.
func filtersOf[In any](in In) any {
	v := reflect.ValueOf(&in).Elem()
	v.FieldByName("Limit").SetZero()
	v.FieldByName("Cursor").SetZero()
	return in
}

// selecting returns an error for a list's request with a parameter that a cursor would not be bound to.
func selecting(t reflect.Type) error {
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("query") != "" && field.Tag.Get("json") == "-" {
			return fmt.Errorf("%s: a list's cursor is bound to what JSON shows of the request", field.Name)
		}
	}
	return nil
}

// item is a row as a list shows it, or what stands there for a row that can't be opened.
type item[T any] struct {
	row        T
	unreadable *unreadableAnswer
}

// unreadableAnswer stands in a list for a row that can't be opened.
type unreadableAnswer struct {
	ID         uuid.UUID `json:"id"`
	Unreadable bool      `json:"unreadable"`
}

// MarshalJSONTo implements json.MarshalerTo.
func (i item[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if i.unreadable != nil {
		return json.MarshalEncode(enc, i.unreadable)
	}
	return json.MarshalEncode(enc, i.row)
}

// MarshalJSON implements the Marshaler of encoding/json, by which commands report.
func (i item[T]) MarshalJSON() ([]byte, error) { return json.Marshal(i) }

// alternatives are the types that an item is one of.
func (item[T]) alternatives() []reflect.Type {
	return []reflect.Type{reflect.TypeFor[T](), reflect.TypeFor[unreadableAnswer]()}
}

// sealed is a row that perhaps can't be opened.
type sealed interface {
	identified
	Unreadable() bool
}

// itemsOf shows rows in a list.
func itemsOf[Row, Out any](rows []Row, show func(Row) Out) []item[Out] {
	items := make([]item[Out], len(rows))
	for i, row := range rows {
		if m, ok := any(row).(sealed); ok && m.Unreadable() {
			items[i].unreadable = &unreadableAnswer{m.Identity(), true}
		} else {
			items[i].row = show(row)
		}
	}
	return items
}
