package handler

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

// decodeBody reads the request's JSON body into *into, which is only changed on success. Nothing submitted gets into
// an error. Errors: apperr.MediaType unless the Content-Type is application/json; TooLarge over the limit that
// limitBody set; Malformed for a body that is not one well-formed JSON text (see checkSyntax); Invalid with every field that
// does not fit T (see checkMembers).
func decodeBody[T any](c *gin.Context, into *T, words Vocabularies) error {
	body, err := readMembers(c, reflect.TypeFor[T](), words, "application/json")
	if err != nil {
		return err
	}
	return unmarshal(body, into)
}

// readMembers returns a body that passed checkSyntax, and checkMembers of t.
func readMembers(c *gin.Context, t reflect.Type, words Vocabularies, mediaTypes ...string) ([]byte, error) {
	body, err := readBody(c, mediaTypes...)
	if err != nil {
		return nil, err
	}
	if err := checkSyntax(body); err != nil {
		return nil, err
	}
	if fields := checkMembers(body, t, words); len(fields) > 0 {
		return nil, apperr.InvalidFields(fields...)
	}
	return body, nil
}

// decodeChecked decodes a body that passed checkSyntax.
func decodeChecked[T any](body []byte, into *T, words Vocabularies) error {
	if fields := checkMembers(body, reflect.TypeFor[T](), words); len(fields) > 0 {
		return apperr.InvalidFields(fields...)
	}
	return unmarshal(body, into)
}

// unmarshal decodes a body that passed readMembers. Members of into that the body lacks keep their values.
func unmarshal[T any](body []byte, into *T) error {
	value := *into
	if err := json.Unmarshal(body, &value, json.RejectUnknownMembers(true)); err != nil {
		// Not wrapped: the error quotes the value.
		return apperr.InvalidFields(apperr.Field{Code: "wrong_type", Detail: "Must be of the documented type."})
	}
	*into = value
	return nil
}

// readBody returns the whole body of a request that declares one of mediaTypes.
func readBody(c *gin.Context, mediaTypes ...string) ([]byte, error) {
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
