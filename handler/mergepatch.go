package handler

import (
	"reflect"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
)

// mergePatch is a JSON Merge Patch (RFC 7396) that fits T. Only readMergePatch makes one, so none is applied unchecked:
// a null that would silently become a zero value, or remove a member T does not have, was refused there.
type mergePatch[T any] struct{ raw []byte }

// readMergePatch reads the body as a patch of T, a struct. It is as strict as decodeBody and returns the same errors;
// the Content-Type may be application/merge-patch+json or application/json.
func readMergePatch[T any](c *gin.Context) (mergePatch[T], error) {
	body, err := readMembers(c, reflect.TypeFor[T](), "application/merge-patch+json", "application/json")
	return mergePatch[T]{raw: body}, err
}

// Apply returns current with the patch applied. Numbers and strings the patch does not name keep their exact value.
// Errors: apperr.Invalid where the result does not fit T.
//
// json-patch drops null members of objects inside arrays, which RFC 7396 keeps: the same for the members of a struct,
// where null and absent both mean nil, but T must not have a map or a raw value inside an array.
func (p mergePatch[T]) Apply(current T) (T, error) {
	var patched T
	before, err := json.Marshal(current)
	if err != nil {
		return patched, apperr.Wrap(apperr.Internal, internalDetail, err)
	}
	after, err := jsonpatch.MergePatch(before, p.raw)
	if err != nil {
		return patched, apperr.Wrap(apperr.Internal, internalDetail, err)
	}
	err = decodeChecked(after, &patched)
	return patched, err
}
