package rest

import (
	"cmp"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// judged is a request, or a replacement, whose rules can be judged without stored data.
type judged interface {
	Faults(service.Rules) []apperr.Field
}

// readFaults reads a body for a T, or a merge patch of a T. It returns the members that do not fit or are missing,
// and then also the rules that the other members break. Its other errors are the errors of web.ReadBody and
// web.CheckSyntax.
func readFaults(c *gin.Context, t reflect.Type, patch bool, b *Binding) (body []byte, faults []apperr.Field, err error) {
	media := []string{"application/json"}
	if patch {
		media = append(media, web.MergePatchType)
	}
	if body, err = web.ReadBody(c, media...); err != nil {
		return nil, nil, err
	}
	if err := web.CheckSyntax(body); err != nil {
		return nil, nil, err
	}
	faults, absent := web.Inspect(body, t, b.words)
	if patch {
		absent = nil
	}
	if len(faults)+len(absent) > 0 {
		broken := rulesBroken(body, faults, t, b.rules)
		if patch {
			broken = slices.DeleteFunc(broken, func(f apperr.Field) bool { return !holds(body, f.Pointer) })
		}
		faults = append(faults, absent...)
		faults = append(faults, besides(faults, broken)...)
	}
	return body, faults, nil
}

// holds reports whether a body has the member that a JSON pointer leads to.
func holds(body []byte, pointer string) bool {
	for _, name := range strings.Split(pointer, "/")[1:] {
		var members map[string]jsontext.Value
		if json.Unmarshal(body, &members) != nil || members[name] == nil {
			return false
		}
		body = members[name]
	}
	return true
}

// together returns the first error. If the first error is Invalid, the result has the fields of all Invalid errors.
func together(errs ...error) error {
	first := cmp.Or(errs...)
	if !apperr.Is(first, apperr.Invalid) {
		return first
	}
	var fields []apperr.Field
	for _, err := range errs {
		var e *apperr.Error
		if errors.As(err, &e) && e.Code == apperr.Invalid {
			fields = append(fields, besides(fields, e.Fields)...)
		}
	}
	return apperr.InvalidFields(fields...)
}

// rulesBroken returns the rules that a body breaks, judged without the members in faults.
func rulesBroken(body []byte, faults []apperr.Field, t reflect.Type, rules service.Rules) []apperr.Field {
	request := reflect.New(t)
	if _, ok := reflect.TypeAssert[judged](request.Elem()); !ok {
		return nil
	}
	var members any
	if json.Unmarshal(body, &members) != nil {
		return nil
	}
	for _, fault := range faults {
		if path := strings.Split(fault.Pointer, "/")[1:]; len(path) > 0 && fault.Code != "unknown_member" {
			without(members, path)
		}
	}
	rest, err := json.Marshal(members)
	if err != nil || json.Unmarshal(rest, request.Interface()) != nil {
		return nil
	}
	sound, _ := reflect.TypeAssert[judged](request.Elem())
	broken := slices.DeleteFunc(sound.Faults(rules), func(f apperr.Field) bool {
		return f.Code == "unexpected" // unexpected only because a member was left out here
	})
	return besides(faults, broken)
}

// without removes a member. If an item of an array is faulty as a whole, it removes the array, so that no item
// changes its place.
func without(members any, path []string) bool {
	switch within := members.(type) {
	case map[string]any:
		if len(path) == 1 || !without(within[path[0]], path[1:]) {
			delete(within, path[0])
		}
		return true
	case []any:
		i, err := strconv.Atoi(path[0])
		return err == nil && i < len(within) && len(path) > 1 && without(within[i], path[1:])
	default:
		return false
	}
}

// besides returns the fields of more that are about other places than faults. It leaves out fields about a place that
// contains a fault.
func besides(faults, more []apperr.Field) (others []apperr.Field) {
	for _, field := range more {
		said := false
		for _, fault := range faults {
			said = said || fault.Code != "unknown_member" &&
				(fault.Pointer == field.Pointer || strings.HasPrefix(fault.Pointer, field.Pointer+"/"))
		}
		if !said {
			others = append(others, field)
		}
	}
	return others
}
