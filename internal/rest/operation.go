// Package rest makes routes and the OpenAPI document from operations, which are rows of a table that describe a route
// completely. Its adapters bind requests, call services, and apply the conventions of the API.
package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// Operation is one row of the table of operations. It describes a route completely; the Gin routes and the OpenAPI
// document are made from it.
type Operation struct {
	Method  string
	Pattern string // as Gin writes it: /api/v1/patients/:id
	Summary string // such as "Show a patient"; the operation's id is made from it
	Access  web.Access
	Needs   []Need // the permissions, if Access is Session
	Action  Action
	Errors  []apperr.Code // without the codes that follow from the other columns
}

// Need is a permission that an operation needs: always, or when a request asks for something special.
type Need struct {
	Permission service.Permission
	When       string // "with purge=true"; empty: always
}

// May returns the need of one permission, always.
func May(p service.Permission) []Need { return []Need{{Permission: p}} }

// OnRepeat marks a permission that is needed only to read again the row that an earlier request with the same
// Idempotency-Key made or changed.
const OnRepeat = "to repeat the request"

// MayAgain returns the needs of a change: p, and again for reading the row when a request is repeated with the same
// Idempotency-Key.
func MayAgain(p, again service.Permission) []Need {
	return []Need{{Permission: p}, {again, OnRepeat}}
}

// Row returns a row of the table. codes are the error codes besides those that follow from the rest of the row.
func Row(method, pattern, summary string, access web.Access, needs []Need, action Action, codes ...apperr.Code) Operation {
	return Operation{method, pattern, summary, access, needs, action, codes}
}

// When is the need of a permission if the request asks for asked.
func When(p service.Permission, asked string) Need { return Need{p, asked} }

// Action describes the request and the answer of an operation, and carries it out. The adapters (Get, List, Create,
// …) make actions.
type Action struct {
	Request   reflect.Type // the type that the request is bound to
	Body      reflect.Type // of a change: the type of the replacement or patch under If-Match; else nil
	Answer    reflect.Type
	Media     string // of the answer
	status    int
	Versioned bool         // the answer is a version of a row: a GET with a known version is answered 304
	Tagged    bool         // the answer has an ETag
	located   bool         // the answer has a Location
	repeats   bool         // takes an Idempotency-Key
	pages     bool         // a list of many pages
	Item      reflect.Type // of a list: the type of an item
	Handler   func(*Conventions, Operation) (web.HandlerFunc, error)
}

// binding returns how the request of an action is read. Every list takes the parameter fields.
func (a Action) binding(method string, words web.Vocabularies) (*Binding, error) {
	b, err := newBinding(a.Request, method, words)
	if err == nil && a.listed(method) {
		b.take(fieldsParameter(a.Item))
	}
	return b, err
}

// listed reports whether an action is a list whose parameters are in its address.
func (a Action) listed(method string) bool { return a.Item != nil && method == http.MethodGet }

// Route returns the Gin route of an operation. It returns an error for a row that is not complete.
func (op Operation) Route(env *Conventions) (web.Route, error) {
	if err := op.check(); err != nil {
		return web.Route{}, fmt.Errorf("operation %s %s: %w", op.Method, op.Pattern, err)
	}
	handler, err := op.Action.Handler(env, op)
	if err != nil {
		return web.Route{}, fmt.Errorf("operation %s %s: %w", op.Method, op.Pattern, err)
	}
	return web.Route{Method: op.Method, Pattern: op.Pattern, Access: op.Access, Handler: op.confined(env, handler)}, nil
}

func (op Operation) check() error {
	switch {
	case op.Action.Handler == nil:
		return errors.New("it has no action")
	case op.Summary == "":
		return errors.New("it has no summary")
	case (op.Access == web.Session) != (len(op.Needs) > 0):
		return errors.New("permissions belong to access Session, and to no other")
	}
	return nil
}

// permissions lists the permissions of a row.
func (op Operation) permissions() []service.Permission {
	permissions := make([]service.Permission, len(op.Needs))
	for i, need := range op.Needs {
		permissions[i] = need.Permission
	}
	return permissions
}

// confined lets handler use only the permissions of the row, so a row that leaves out a checked permission fails. A
// caller without the permissions gets a refusal before any fault of the request.
func (op Operation) confined(env *Conventions, handler web.HandlerFunc) web.HandlerFunc {
	permissions := slices.Clip(op.permissions())
	return func(c *gin.Context) error {
		c.Request = c.Request.WithContext(service.Confine(c.Request.Context(), permissions))
		err := handler(c)
		if err == nil || web.StatusOf(err) >= http.StatusInternalServerError || apperr.Is(err, apperr.Forbidden) {
			return err
		}
		if p, lacking := op.lacking(c.Request.Context()); lacking {
			return env.Refusals.Deny(c.Request.Context(), p)
		}
		return err
	}
}

// lacking returns a permission without which a caller may not use an operation at all, and whether the caller lacks
// it.
func (op Operation) lacking(ctx context.Context) (p service.Permission, lacking bool) {
	for _, need := range op.Needs {
		has := service.May(ctx, need.Permission)
		switch {
		case !has && need.When == "":
			return need.Permission, true
		case has:
			return "", false
		}
		p, lacking = need.Permission, true
	}
	return p, lacking
}
