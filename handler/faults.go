package handler

import (
	"cmp"
	"errors"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
	"novamind/service"
)

// judged is a request, or a replacement, whose rules can be judged by itself.
type judged interface {
	Faults(service.Rules) []apperr.Field
}

// whole marks a request that is refused where a member that it needs is absent; embed it. It is for requests whose
// service would take an absent member for a wrong one, as a login does.
type whole struct{}

// refusesAbsent makes a type that embeds whole a strict one.
func (whole) refusesAbsent() {}

type strict interface{ refusesAbsent() }

// absentKey is where a request's absent members are kept until it is known whether it is refused.
const absentKey = "absent members"

// readFaults reads a body for a T. It returns the members that do not fit, and then also the rules that the other members
// break. It keeps the required members that are absent for completed. Errors are those of readMembers, but Invalid.
func readFaults(c *gin.Context, t reflect.Type, rules service.Rules) (body []byte, faults []apperr.Field, err error) {
	if body, err = readBody(c, "application/json"); err != nil {
		return nil, nil, err
	}
	if err := checkSyntax(body); err != nil {
		return nil, nil, err
	}
	faults, absent := inspect(body, t)
	c.Set(absentKey, absent)
	incomplete := len(absent) > 0 && t.Implements(reflect.TypeFor[strict]())
	if len(faults) > 0 || incomplete {
		faults = append(faults, rulesBroken(body, faults, t, rules)...)
	}
	if incomplete {
		faults = append(faults, besides(faults, absent)...)
	}
	return body, faults, nil
}

// completed adds to an Invalid error of a request which of its required members are absent, where it does not say so.
func completed(c *gin.Context, err error) error {
	var e *apperr.Error
	absent, _ := c.Value(absentKey).([]apperr.Field)
	if !errors.As(err, &e) || e.Code != apperr.Invalid {
		return err
	}
	e.Fields = append(e.Fields, besides(e.Fields, absent)...)
	return err
}

// together returns the first error. If both are Invalid, it adds the fields of the second.
func together(err, other error) error {
	var one, more *apperr.Error
	if errors.As(err, &one) && errors.As(other, &more) && one.Code == apperr.Invalid && more.Code == apperr.Invalid {
		return apperr.InvalidFields(append(one.Fields, more.Fields...)...)
	}
	return cmp.Or(err, other)
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
		if fault.Code != "unknown_member" {
			without(members, strings.Split(fault.Pointer, "/")[1:])
		}
	}
	rest, err := json.Marshal(members)
	if err != nil || json.Unmarshal(rest, request.Interface()) != nil {
		return nil
	}
	sound, _ := reflect.TypeAssert[judged](request.Elem())
	return besides(faults, sound.Faults(rules))
}

// without removes a member; of an array, all of it.
func without(members any, path []string) {
	object, ok := members.(map[string]any)
	if !ok || len(path) == 0 {
		return
	}
	if inner, ok := object[path[0]].(map[string]any); ok && len(path) > 1 {
		without(inner, path[1:])
		return
	}
	delete(object, path[0])
}

// besides returns those of more that are about other places than faults, and about none that one of faults is in.
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
