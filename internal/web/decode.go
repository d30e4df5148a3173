package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"novamind/internal/apperr"
)

// decodeChecked decodes a body that passed CheckSyntax.
func decodeChecked[T any](body []byte, into *T, words Vocabularies) error {
	if fields := checkMembers(body, reflect.TypeFor[T](), words); len(fields) > 0 {
		return apperr.InvalidFields(fields...)
	}
	return Unmarshal(body, into)
}

// Unmarshal decodes a body in which Inspect found no fault. Members of into that the body lacks keep their values.
func Unmarshal[T any](body []byte, into *T) error {
	value := *into
	if err := json.Unmarshal(body, &value, json.RejectUnknownMembers(true)); err != nil {
		// Not wrapped: the error quotes the value.
		return apperr.InvalidFields(apperr.Field{Code: "wrong_type", Detail: "Must be of the documented type."})
	}
	*into = value
	return nil
}

// ReadBody returns the whole body of a request that declares one of mediaTypes.
func ReadBody(c *gin.Context, mediaTypes ...string) ([]byte, error) {
	if !declares(c.Request.Header, mediaTypes) {
		return nil, apperr.New(apperr.MediaType, "The Content-Type must be "+strings.Join(mediaTypes, " or ")+", with the charset UTF-8 and without a Content-Encoding.")
	}
	body, err := io.ReadAll(c.Request.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, apperr.New(apperr.TooLarge, "The body is larger than this server accepts: send a smaller one.")
	case err != nil:
		return nil, apperr.Wrap(apperr.Malformed, "The body could not be read to its end: send it again.", err)
	}
	return body, nil
}

// declares reports whether the headers announce one of mediaTypes, with no parameter but charset=utf-8.
func declares(h http.Header, mediaTypes []string) bool {
	values := h.Values("Content-Type")
	if len(values) != 1 || h.Get("Content-Encoding") != "" {
		return false
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil || !slices.Contains(mediaTypes, mediaType) {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}
