package handler

import "novamind/internal/apperr"

// unchanged returns what is wrong where a request would change a member that the server sets; it may be left out.
func unchanged[T comparable](pointer string, given *T, is T) *apperr.Field {
	if given == nil || *given == is {
		return nil
	}
	return &apperr.Field{Pointer: pointer, Code: "read_only", Detail: setByServer}
}

// readOnly returns an Invalid error with what unchanged found, or nil.
func readOnly(found ...*apperr.Field) error {
	var fields []apperr.Field
	for _, f := range found {
		if f != nil {
			fields = append(fields, *f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return apperr.InvalidFields(fields...)
}
