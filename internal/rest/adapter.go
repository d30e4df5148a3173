package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/web"
	"novamind/service"
)

// Conventions holds the dependencies of the adapters.
type Conventions struct {
	Cursors  *web.CursorSealer
	Repeats  *service.RepeatService
	Refusals *service.RefusalService
	Rules    service.Rules
	Words    web.Vocabularies
}

// binding returns the Binding of an operation, with the rules for judging requests.
func (env *Conventions) binding(op Operation) (*Binding, error) {
	b, err := op.Action.binding(op.Method, env.Words)
	if err == nil {
		b.rules = env.Rules
	}
	return b, err
}

// Get answers with a resource and its ETag, or with 304.
func Get[In, Row, Out any](do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return Answer(http.StatusOK, do, show)
}

// Answer answers with the result of do and this status. A repeated request runs do again, so use Answer only for
// requests that change nothing, and for credentials and sessions.
func Answer[In, Row, Out any](status int, do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return answerAt(status, "", do, show)
}

// Issue makes a resource with a secret that is shown once. The address of the resource is the one that Create would
// give it. A repeated request makes another resource.
func Issue[In, Row, Out any](at string, do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return answerAt(http.StatusCreated, at, do, show)
}

func answerAt[In, Row, Out any](status int, at string, do func(context.Context, In) (Row, error),
	show func(Row) Out,
) Action {
	action, write := ActionOf[In, Out](status, at)
	action.Handler = Bound(func(c *gin.Context, env *Conventions, in In) error {
		row, err := do(c.Request.Context(), in)
		if err != nil {
			return err
		}
		return write(c, env, show(row))
	})
	return action
}

// Remove answers with 204.
func Remove[In any](do func(context.Context, In) error) Action {
	return Answer(http.StatusNoContent, func(ctx context.Context, in In) (Gone, error) {
		return Gone{}, do(ctx, in)
	}, Same)
}

// Gone is an answer without a body. It has the version for the ETag, if any.
type Gone struct{ Version int64 }

// Same returns a row unchanged.
func Same[T any](v T) T { return v }

// Create makes a resource. Its address is at, a slash and the ID of its answer. again reads the resource that an
// earlier request with the same Idempotency-Key made.
func Create[In, Row, Out any](at string, do func(context.Context, In) (Row, error),
	again func(context.Context, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	return Post(http.StatusCreated, at, do, ignoring[In](again), show)
}

// Act changes the resource of the path by a POST. If an earlier request with the same Idempotency-Key changed the
// resource, again reads it.
func Act[In, Row, Out any](do func(context.Context, In) (Row, error),
	again func(context.Context, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	return Post(http.StatusOK, "", do, ignoring[In](again), show)
}

func ignoring[In, Row any](
	again func(context.Context, uuid.UUID) (Row, error),
) func(context.Context, In, uuid.UUID) (Row, error) {
	return func(ctx context.Context, _ In, id uuid.UUID) (Row, error) { return again(ctx, id) }
}

// Post makes or changes something once, even if several requests with the same Idempotency-Key ask for it.
func Post[In, Row, Out any](status int, at string, do func(context.Context, In) (Row, error),
	again func(context.Context, In, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	action, write := ActionOf[In, Out](status, at)
	action.repeats = true
	action.Handler = func(env *Conventions, op Operation) (web.HandlerFunc, error) {
		b, err := env.binding(op)
		if action.located && !hasMember(action.Answer, "ID", web.UUIDType) {
			err = errors.New("the answer has no ID for Location")
		}
		return func(c *gin.Context) error {
			in, err := bind[In](c, b)
			if err != nil {
				return err
			}
			once, err := idempotencyOf(c, b.hashed(in))
			if err != nil {
				return err
			}
			id, _ := web.ParseUUID(c.Param("id"))
			row, err := service.Once(c.Request.Context(), env.Repeats, once, id,
				func(ctx context.Context) (Row, error) { return do(ctx, in) },
				func(ctx context.Context, id uuid.UUID) (Row, error) { return again(ctx, in, id) })
			if err != nil {
				return err
			}
			return write(c, env, show(row))
		}, err
	}
	return action
}

// Raw is for rare cases that no other adapter fits: do itself writes the answer, in the given media type.
func Raw[In any](media string, do func(*gin.Context, In) error) Action {
	return Action{
		Request: reflect.TypeFor[In](), Media: media, status: http.StatusOK,
		Handler: Bound(func(c *gin.Context, _ *Conventions, in In) error { return do(c, in) }),
	}
}

// Bound returns a handler that calls do with the bound request.
func Bound[In any](do func(*gin.Context, *Conventions, In) error) func(*Conventions, Operation) (web.HandlerFunc, error) {
	return func(env *Conventions, op Operation) (web.HandlerFunc, error) {
		b, err := env.binding(op)
		return func(c *gin.Context) error {
			in, err := bind[In](c, b)
			if err != nil {
				return err
			}
			return do(c, env, in)
		}, err
	}
}

// tagged is an answer whose ETag is not the version of one row. A change expects the tag in If-Match; a GET never
// answers 304.
type tagged interface{ Tag() int64 }

// ActionOf returns an action without its handler, and the function that writes its answers. The ETag of an answer is
// its member Version. For a GET of an answer without Version, it is a digest of the answer. Location is at followed
// by the answer's member ID.
func ActionOf[In, Out any](status int, at string) (Action, func(*gin.Context, *Conventions, Out) error) {
	t := reflect.TypeFor[Out]()
	version := t.Kind() == reflect.Struct && hasMember(t, "Version", reflect.TypeFor[int64]())
	_, counted := any(*new(Out)).(tagged)
	located := at != ""
	apart := shows(t, reflect.TypeFor[derived]())
	action := Action{
		Request: reflect.TypeFor[In](), Answer: t, Media: "application/json", status: status,
		Versioned: version && (!apart || t.Implements(reflect.TypeFor[settler]())), Tagged: version || counted, located: located,
	}
	return action, func(c *gin.Context, env *Conventions, out Out) error {
		v := reflect.ValueOf(out)
		if t, ok := any(out).(tagged); ok {
			web.SetETag(c, t.Tag())
		}
		settled := !apart
		if s, ok := any(out).(settler); ok {
			settled = s.settled()
		}
		if version && announced(c, settled, status, v.FieldByName("Version").Int()) {
			return nil
		}
		if located {
			c.Header("Location", at+"/"+fmt.Sprint(v.FieldByName("ID")))
		}
		if status == http.StatusNoContent {
			c.Status(status)
			return nil
		}
		if c.Request.Method == http.MethodGet && action.digested(c.FullPath()) {
			return web.WriteList(c, env.Cursors.Key, out)
		}
		return web.WriteJSON(c, status, out)
	}
}

// digested reports whether the ETag of a GET of the pattern is a digest of the answer.
func (a Action) digested(pattern string) bool {
	return a.Answer != nil && !a.Tagged && strings.HasPrefix(pattern, "/api/")
}

// derived is a member of an answer that can change while the answer's version stays, such as the name beside an id. A
// GET of an answer with such a member answers 304 only if the answer is Settled. Otherwise its ETag is for If-Match
// only.
type derived interface{ ChangesApart() }

// Settled is embedded in an answer with derived members, with the tag json:"-". It is true if they have not changed
// since the row got its version. A client that has the version then has the whole answer.
type Settled bool

func (s Settled) settled() bool { return bool(s) }

type settler interface{ settled() bool }

// shows reports whether a value of type t can hold one of a type that implements of.
func shows(t, of reflect.Type) bool {
	switch {
	case t.Implements(of):
		return true
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice:
		return shows(t.Elem(), of)
	case t.Kind() != reflect.Struct || web.Shape(t) != reflect.Struct:
		return false
	}
	for field := range t.Fields() {
		if shows(field.Type, of) {
			return true
		}
	}
	return false
}

// announced sets the ETag. It reports whether a GET has that version already; in that case it answered 304. An answer
// that is not settled is always sent, because a part of it has changed apart from the version. A resource that does not
// exist yet has version 0.
func announced(c *gin.Context, settled bool, status int, version int64) bool {
	switch {
	case version == 0 && status == http.StatusNoContent: // a removed resource has no version
		return false
	case c.Request.Method == http.MethodGet && settled:
		return web.NotModified(c, version)
	default:
		web.SetETag(c, version)
		return false
	}
}

func hasMember(t reflect.Type, name string, of reflect.Type) bool {
	field, ok := t.FieldByName(name)
	return ok && field.Type == of
}
