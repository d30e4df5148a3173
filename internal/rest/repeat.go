package rest

import (
	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"novamind/internal/apperr"
	"novamind/internal/web"
	"novamind/service"
)

// Secret is a text of a request, such as a password, that is stored only as a slow hash. In the keyed hash that
// distinguishes requests, only its presence counts.
type Secret string

// MarshalJSONTo implements json.MarshalerTo.
func (Secret) MarshalJSONTo(enc *jsontext.Encoder) error { return enc.WriteToken(jsontext.True) }

// idempotencyOf reads the Idempotency-Key header. Two requests are the same if their paths and decoded bodies are the
// same. Every POST that makes or changes something takes the header, except for credentials and sessions, whose
// answers are shown once.
func idempotencyOf(c *gin.Context, body any) (service.Idempotency, error) {
	values := c.Request.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return service.Idempotency{}, nil
	}
	if len(values) > 1 || values[0] == "" || len(values[0]) > 255 {
		return service.Idempotency{}, web.Malformed("invalid_format", "Idempotency-Key must be given once, with 1 to 255 characters.")
	}
	request, err := json.Marshal(body, json.Deterministic(true))
	if err != nil {
		return service.Idempotency{}, apperr.Wrap(apperr.Internal, web.InternalDetail, err)
	}
	return service.Idempotency{Key: values[0], Request: c.Request.URL.Path + " " + string(request)}, nil
}
