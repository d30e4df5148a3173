package web

import (
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

type sampleQuery struct {
	Active *bool      `json:"active"`
	ID     *uuid.UUID `json:"id"`
	Born   *time.Time `json:"born"`
	Name   *string    `json:"name"`
	Count  *int       `json:"count"`
}

func queries(t testing.TB) *testBundle {
	return one(t, "GET", func(c *gin.Context) error {
		q, err := ReadQuery(c, "active", "id", "born", "name", "count")
		if err != nil {
			return err
		}
		answer := sampleQuery{q.Bool("active"), q.UUID("id"), q.Date("born"), q.Text("name", 5), q.Int("count")}
		if err := q.Err(); err != nil {
			return err
		}
		return WriteJSON(c, 200, answer)
	})
}

func TestQueryReads(t *testing.T) {
	t.Parallel()
	b := queries(t)
	for query, want := range map[string]string{
		"":             `{"active":null,"id":null,"born":null,"name":null,"count":null}`,
		"active=false": `{"active":false,"id":null,"born":null,"name":null,"count":null}`,
		"active=true&count=7&born=1980-02-29&name=%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9&id=0190B5F4-0000-7000-8000-000000000001": `{"active":true,
			"id":"0190b5f4-0000-7000-8000-000000000001","born":"1980-02-29T00:00:00Z","name":"ééééé","count":7}`,
	} {
		w := b.serve(request("GET", "/api/v1/samples/1?"+query, ""))
		require.Equal(t, 200, w.Code, query)
		require.JSONEq(t, want, w.Body.String())
	}
}

func TestQueryRefuses(t *testing.T) {
	t.Parallel()
	b := queries(t)
	for query, want := range map[string][]string{
		canary + "=1":                   {"? unknown_parameter"},
		canary + "=1&x" + canary + "=2": {"? unknown_parameter"},
		"Active=true":                   {"? unknown_parameter"},
		"=1":                            {"? unknown_parameter"},
		"active=true&active=true":       {"?active repeated"},
		"active=1":                      {"?active wrong_type"},
		"active=":                       {"?active empty"},
		"name=":                         {"?name empty"},
		"name":                          {"?name empty"},
		"name=%00" + canary:             {"?name control_character"},
		"name=a%0Ab":                    {"?name control_character"},
		"name=" + canary:                {"?name too_long"},
		"id=" + canary:                  {"?id wrong_type"},
		"id={0190b5f4-0000-7000-8000-000000000001}": {"?id wrong_type"},
		"id=0190b5f4000070008000000000000001":       {"?id wrong_type"},
		"born=1980-02-30":                           {"?born wrong_type"},
		"born=1980-2-3":                             {"?born wrong_type"},
		"count=" + canary:                           {"?count wrong_type"},
		"active=x&born=x&" + canary + "=1":          {"? unknown_parameter", "?active wrong_type", "?born wrong_type"},
	} {
		p := problemIn(t, b.serve(request("GET", "/api/v1/samples/1?"+query, "")))
		require.Equal(t, 422, p.Status, query)
		require.Equal(t, apperr.Invalid, p.Code)
		require.Equal(t, want, complaints(p), query)
	}
}

func TestUnknownParameterSaysWhatIsTaken(t *testing.T) {
	t.Parallel()
	p := problemIn(t, queries(t).serve(request("GET", "/api/v1/samples/1?"+canary, "")))
	require.Contains(t, p.Errors[0].Detail, "Allowed are: active, id, born, name, count.")
}

func TestUnreadableQuery(t *testing.T) {
	t.Parallel()
	b := queries(t)
	for _, query := range []string{"name=%zz" + canary, "name=%", "name=%ff" + canary, "%c3" + canary + "=1", "name=" + canary + ";active=1"} {
		p := problemIn(t, b.serve(request("GET", "/api/v1/samples/1?"+query, "")))
		require.Equal(t, 400, p.Status, query)
		require.Equal(t, apperr.Malformed, p.Code)
	}
}

func TestPathID(t *testing.T) {
	t.Parallel()
	b := one(t, "GET", func(c *gin.Context) error {
		id, err := PathID(c, "id")
		if err != nil {
			return err
		}
		return WriteJSON(c, 200, id)
	})
	require.Equal(t, 200, b.serve(request("GET", "/api/v1/samples/0190b5f4-0000-7000-8000-000000000001", "")).Code)
	for _, id := range []string{canary, "urn:uuid:0190b5f4-0000-7000-8000-000000000001", "0190b5f4000070008000000000000001"} {
		require.Equal(t, apperr.NotFound, problemIn(t, b.serve(request("GET", "/api/v1/samples/"+id, ""))).Code)
	}
}
