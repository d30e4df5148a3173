package rest

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// SinceParams select the rows that changed since a time; embed them beside PageParams. The request also has a
// member Sort, with the tag values: a vocabulary that begins with the list's own order and ends with ByUpdate.
type SinceParams struct {
	UpdatedSince *time.Time `json:"updated_since" query:"updated_since" doc:"Only items that changed at this time or later, in the order of the changes. Next time, send the watermark of the answer."`
}

// ByUpdate is the order of the last change.
const ByUpdate = "updated_at"

// changeable is a row that tells when it was last changed.
type changeable interface{ ChangedAt() time.Time }

// listOrder lists the orders in which a list can be read. The zero listOrder has only one order.
type listOrder struct{ accepted []string }

// orderOf reads the orders of a list from its request type. It returns an error for a request type without everything
// that SinceParams needs.
func orderOf[Row any](t reflect.Type, words web.Vocabularies) (listOrder, error) {
	sort, sorts := t.FieldByName("Sort")
	_, since := t.FieldByName("UpdatedSince")
	if !sorts && !since {
		return listOrder{}, nil
	}
	order := listOrder{words[sort.Tag.Get("values")]}
	if _, ok := any(*new(Row)).(changeable); !ok || !sorts || !since || !slices.Contains(order.accepted, ByUpdate) {
		return order, fmt.Errorf("%s: a list of changes has UpdatedSince, Sort, and rows that tell when they changed", t)
	}
	return order, nil
}

// place returns the part of a list to read, and its order.
func (o listOrder) place(c *gin.Context, in any, span web.PageSpan) (service.Page, error) {
	page := pageOf(span)
	if o.accepted == nil {
		return page, nil
	}
	request := reflect.ValueOf(in)
	sort, _ := reflect.TypeAssert[*string](request.FieldByName("Sort"))
	since, _ := reflect.TypeAssert[*time.Time](request.FieldByName("UpdatedSince"))
	var fault *apperr.Field
	switch {
	case sort != nil && !slices.Contains(o.accepted, *sort):
		fault = &apperr.Field{Code: "unknown_value", Detail: web.OneOf(o.accepted)}
	case sort != nil && since != nil && *sort != ByUpdate:
		fault = &apperr.Field{Code: "unexpected", Detail: "With updated_since, sort must be updated_at or left out."}
	}
	if fault != nil {
		fault.Pointer = web.PlaceOf(c, "sort")
		return page, apperr.InvalidFields(*fault)
	}
	page.ByUpdate = since != nil || web.ValueOr(sort, "") == ByUpdate
	if since != nil {
		page.Since = &service.Since{From: *since, Watermark: web.ValueOr(span.After, web.Position{}).Watermark}
	}
	return page, nil
}

// watermarkOf returns the watermark of a list of changes, or nil for any other list.
func watermarkOf(page service.Page) *time.Time {
	if page.Since == nil {
		return nil
	}
	return &page.Since.Watermark
}
