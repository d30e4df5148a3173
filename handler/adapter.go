package handler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/service"
)

// conventions holds the dependencies of the adapters.
type conventions struct {
	cursors  *cursorSealer
	repeats  *service.RepeatService
	refusals *service.RefusalService
	rules    service.Rules
	words    Vocabularies
}

// binding returns how requests of an operation are read, and judged.
func (env *conventions) binding(op Operation) (*binding, error) {
	b, err := op.Action.binding(op.Method, env.words)
	if err == nil {
		b.rules = env.rules
	}
	return b, err
}

// get answers a resource, with its ETag, or 304.
func get[In, Row, Out any](do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return answer(http.StatusOK, do, show)
}

// answer answers the result of do with this status. A repeated request runs do again, so use answer only for requests
// that change nothing, and for credentials and sessions.
func answer[In, Row, Out any](status int, do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return answerAt(status, "", do, show)
}

// issue makes a resource with a secret that is shown once, at the address that create would give it. A repeat makes
// another one.
func issue[In, Row, Out any](at string, do func(context.Context, In) (Row, error), show func(Row) Out) Action {
	return answerAt(http.StatusCreated, at, do, show)
}

func answerAt[In, Row, Out any](status int, at string, do func(context.Context, In) (Row, error),
	show func(Row) Out,
) Action {
	action, write := actionOf[In, Out](status, at)
	action.handler = bound(func(c *gin.Context, env *conventions, in In) error {
		row, err := do(c.Request.Context(), in)
		if err != nil {
			return err
		}
		return write(c, env, show(row))
	})
	return action
}

// remove answers 204.
func remove[In any](do func(context.Context, In) error) Action {
	return answer(http.StatusNoContent, func(ctx context.Context, in In) (gone, error) {
		return gone{}, do(ctx, in)
	}, same)
}

// gone is an answer without a body, and the version that its ETag tells, if any.
type gone struct{ Version int64 }

func same[T any](v T) T { return v }

// create makes a resource. Its address is at, a slash and the ID of its answer. again reads the resource that an earlier
// request with the same Idempotency-Key made.
func create[In, Row, Out any](at string, do func(context.Context, In) (Row, error),
	again func(context.Context, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	return post(http.StatusCreated, at, do, ignoring[In](again), show)
}

// act changes the resource of the path by a POST. again reads it where an earlier request with the same
// Idempotency-Key changed it.
func act[In, Row, Out any](do func(context.Context, In) (Row, error),
	again func(context.Context, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	return post(http.StatusOK, "", do, ignoring[In](again), show)
}

func ignoring[In, Row any](
	again func(context.Context, uuid.UUID) (Row, error),
) func(context.Context, In, uuid.UUID) (Row, error) {
	return func(ctx context.Context, _ In, id uuid.UUID) (Row, error) { return again(ctx, id) }
}

// post makes or changes something once, however often it is asked for with the same Idempotency-Key.
func post[In, Row, Out any](status int, at string, do func(context.Context, In) (Row, error),
	again func(context.Context, In, uuid.UUID) (Row, error), show func(Row) Out,
) Action {
	action, write := actionOf[In, Out](status, at)
	action.repeats = true
	action.handler = func(env *conventions, op Operation) (HandlerFunc, error) {
		b, err := env.binding(op)
		if action.located && !hasMember(action.answer, "ID", uuidType) {
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
			id, _ := parseUUID(c.Param("id"))
			row, err := service.Once(c.Request.Context(), env.repeats, once, id,
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

// raw is for rare cases that no other adapter fits: do itself writes an answer of a media type.
func raw[In any](media string, do func(*gin.Context, In) error) Action {
	return Action{
		request: reflect.TypeFor[In](), media: media, status: http.StatusOK,
		handler: bound(func(c *gin.Context, _ *conventions, in In) error { return do(c, in) }),
	}
}

// bound makes a handler of do, which gets the bound request.
func bound[In any](do func(*gin.Context, *conventions, In) error) func(*conventions, Operation) (HandlerFunc, error) {
	return func(env *conventions, op Operation) (HandlerFunc, error) {
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

// tagged is an answer whose ETag is no version of one row. A change takes it in If-Match; a GET never answers 304.
type tagged interface{ tag() int64 }

// actionOf returns an action without its handler, and the function that writes its answers. The ETag of an answer is
// its member Version, or, of a GET of an answer without one, a digest of it. at is where it is found by its member ID,
// for Location.
func actionOf[In, Out any](status int, at string) (Action, func(*gin.Context, *conventions, Out) error) {
	t := reflect.TypeFor[Out]()
	version := t.Kind() == reflect.Struct && hasMember(t, "Version", reflect.TypeFor[int64]())
	_, counted := any(*new(Out)).(tagged)
	located := at != ""
	apart := shows(t, reflect.TypeFor[derived]())
	action := Action{
		request: reflect.TypeFor[In](), answer: t, media: "application/json", status: status,
		versioned: version && !apart, tagged: version || counted, located: located,
	}
	return action, func(c *gin.Context, env *conventions, out Out) error {
		v := reflect.ValueOf(out)
		if t, ok := any(out).(tagged); ok {
			setETag(c, t.tag())
		}
		if version && announced(c, apart, status, v.FieldByName("Version").Int()) {
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
			return writeList(c, env.cursors.key, out)
		}
		return writeJSON(c, status, out)
	}
}

// digested reports whether the ETag of an answer to a GET of a pattern is a digest of the answer.
func (a Action) digested(pattern string) bool {
	return a.answer != nil && !a.tagged && strings.HasPrefix(pattern, "/api/")
}

// derived is a member of an answer that can change while the answer's version stays, such as the name beside an id. A
// GET of an answer that shows one is never answered 304; the ETag goes into If-Match.
type derived interface{ ChangesApart() }

// shows reports whether a value of type t can hold one of a type that implements of.
func shows(t, of reflect.Type) bool {
	switch {
	case t.Implements(of):
		return true
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice:
		return shows(t.Elem(), of)
	case t.Kind() != reflect.Struct || shape(t) != reflect.Struct:
		return false
	}
	for i := range t.NumField() {
		if shows(t.Field(i).Type, of) {
			return true
		}
	}
	return false
}

// announced sets the ETag, and reports whether a GET has it already: then 304 was answered. An answer of which a part
// changes apart from the version is always sent. A resource that is not there yet has version 0.
func announced(c *gin.Context, apart bool, status int, version int64) bool {
	switch {
	case version == 0 && status == http.StatusNoContent: // a removed resource has no version
		return false
	case c.Request.Method == http.MethodGet && !apart:
		return notModified(c, version)
	default:
		setETag(c, version)
		return false
	}
}

func hasMember(t reflect.Type, name string, of reflect.Type) bool {
	field, ok := t.FieldByName(name)
	return ok && field.Type == of
}
