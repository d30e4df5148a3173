package web

import (
	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
)

// MergePatchType is the media type of a JSON Merge Patch.
const MergePatchType = "application/merge-patch+json"

// MergePatch is a JSON Merge Patch (RFC 7396) of a T, in which readFaults found no fault. readFaults refuses a null
// that would silently become a zero value, or would remove a member that T does not have.
type MergePatch[T any] struct{ Raw []byte }

// Apply returns current with the patch applied. Numbers and strings that the patch does not name keep their exact
// value. Errors: apperr.Invalid if the result does not fit T.
//
// json-patch drops null members of objects inside arrays, which RFC 7396 keeps. For the members of a struct, the
// result is the same, because null and absent both mean nil. But T must not have a map or a raw value inside an
// array.
func (p MergePatch[T]) Apply(current T, words Vocabularies) (T, error) {
	var patched T
	before, err := json.Marshal(current)
	if err != nil {
		return patched, apperr.Wrap(apperr.Internal, InternalDetail, err)
	}
	after, err := jsonpatch.MergePatch(before, p.Raw)
	if err != nil {
		return patched, apperr.Wrap(apperr.Internal, InternalDetail, err)
	}
	err = decodeChecked(after, &patched, words)
	return patched, err
}
