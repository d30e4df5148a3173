package rest

import (
	"context"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/web"
	"novamind/repository"
	"novamind/service"
)

// words are the vocabularies of the requests below.
var words = web.Vocabularies{"care": {"assigned", "registered"}}

// bench returns a server for one operation.
func bench(t *testing.T, op Operation) http.Handler {
	t.Helper()
	cursors, err := web.NewCursorSealer([]byte(strings.Repeat("k", 32)))
	require.NoError(t, err)
	op.Summary, op.Access = "Try it", web.Public
	route, err := op.Route(&Conventions{Cursors: cursors, Words: words})
	require.NoError(t, err)
	return alone(t, route)
}

// alone returns a server for one route without login.
func alone(t *testing.T, route web.Route) http.Handler {
	t.Helper()
	engine, err := web.NewRouter(web.RouterConfig{
		Authenticate: func(*gin.Context) error { return nil },
		Admit:        func(*gin.Context, web.Access) error { return nil }, Logger: slog.New(slog.DiscardHandler),
		BodyLimit: 4096, RequestTimeout: time.Minute, FailuresPerMinute: math.MaxInt32, FailureBurst: math.MaxInt32,
	}, []web.Route{route})
	require.NoError(t, err)
	return engine
}

// status returns the status of the answer to a request with a body, or without one.
func status(h http.Handler, method, target, body string, headers ...string) int {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

type everyParameter struct {
	OfVersion

	Week   string     `path:"week" json:"-"`
	Text   string     `query:"text" max:"3" json:"-"`
	Word   *string    `query:"word" values:"care" json:"-"`
	Flag   bool       `query:"flag" json:"-"`
	Number *int       `query:"number" json:"-"`
	Other  *uuid.UUID `query:"other" json:"-"`
	Day    time.Time  `query:"day" format:"date" json:"-"`
	Moment *time.Time `query:"moment" json:"-"`
	Reason string     `json:"reason"`
	Both   string     `json:"both,omitempty" query:"both"`
}

func TestARequestIsBoundFromAllItsPlaces(t *testing.T) {
	t.Parallel()
	id, got := uuid.MustParse("0190b5f4-0000-7000-8000-000000000001"), everyParameter{}
	b := bench(t, Operation{
		Method: "POST", Pattern: "/x/:id/:week",
		Action: Answer(200, func(_ context.Context, in everyParameter) (string, error) { got = in; return "done", nil }, Same),
	})
	target := "/x/" + id.String() + "/2035-W01?text=abc&word=assigned&flag=true&number=7&day=2035-03-05&moment=2035-03-05T09:00:00%2B01:00&other=" + id.String()
	send := func(target, body string, headers ...string) int {
		return status(b, "POST", target, body, append(headers, "Content-Type", "application/json")...)
	}
	require.Equal(t, 200, send(target, `{"reason":"why"}`, "If-Match", `"3"`))
	day := time.Date(2035, 3, 5, 0, 0, 0, 0, time.UTC)
	moment := day.Add(8 * time.Hour)
	require.True(t, got.Current(3))
	require.False(t, got.Current(4))
	got.Current = nil
	require.Equal(t, everyParameter{
		OfVersion: OfVersion{ByID: ByID{id}}, Week: "2035-W01", Text: "abc", Word: new("assigned"), Flag: true, Number: new(7), Other: &id,
		Day: day, Moment: &moment, Reason: "why",
	}, got)

	require.Equal(t, 200, send("/x/"+id.String()+"/w", `{"reason":"why"}`, "If-Match", "*"))
	got.Current = nil
	require.Equal(t, everyParameter{OfVersion: OfVersion{ByID: ByID{id}}, Week: "w", Reason: "why"}, got, "absent")

	for refused, want := range map[string]int{"?text=abcd": 422, "?word=loved": 422, "?reason=x": 422, "?both=x": 422, "?flag=1": 422, "?text=%zz": 400} {
		require.Equal(t, want, send("/x/"+id.String()+"/w"+refused, `{"reason":"why"}`, "If-Match", "*"), refused)
	}
	require.Equal(t, 422, send("/x/"+id.String()+"/w", `{"reason":"why","id":"`+id.String()+`"}`, "If-Match", "*"), "the path's alone")
	require.Equal(t, 200, send("/x/"+id.String()+"/w", `{"reason":"why","both":"body"}`, "If-Match", "*"))
	require.Equal(t, "body", got.Both)
	require.Equal(t, 404, send("/x/7/w", `{"reason":"why"}`, "If-Match", "*"))
	require.Equal(t, 428, send("/x/"+id.String()+"/w", `{"reason":"why"}`))
}

func TestRowsThatAreNotComplete(t *testing.T) {
	t.Parallel()
	type wrongVocabulary struct {
		Word string `query:"word" values:"nonsense"`
	}
	type wrongType struct {
		Words []string `query:"words"`
	}
	type hiddenFilter struct {
		web.PageParams

		Secret string `query:"secret" json:"-"`
	}
	type wrongReplacement struct {
		ID *string `json:"id" set:"server"`
		sampleInput
	}
	none := func(context.Context, hiddenFilter, service.Page) ([]sampleRow, bool, error) { return nil, false, nil }
	for name, op := range map[string]Operation{
		"no action":                    {Access: web.Public},
		"no permission":                {Access: web.Session, Action: Get(tryNothing[Nothing], Same)},
		"a permission without a login": {Access: web.Public, Needs: May(service.PatientRead), Action: Get(tryNothing[Nothing], Same)},
		"an unknown vocabulary":        {Access: web.Public, Action: Get(tryNothing[wrongVocabulary], Same)},
		"an unreadable type":           {Access: web.Public, Action: Get(tryNothing[wrongType], Same)},
		"a filter that no cursor sees": {Access: web.Public, Action: List(none, Same)},
		"a Location without an id": {Access: web.Public, Action: Create("/x", tryNothing[Nothing],
			func(context.Context, uuid.UUID) (string, error) { return "", nil }, func(string) Gone { return Gone{} })},
		"a member that is not shown": {Access: web.Public, Action: Change[wrongReplacement](neverChange, Same)},
	} {
		op.Method, op.Pattern, op.Summary = "GET", "/x", "Try it"
		_, err := op.Route(&Conventions{Words: words})
		require.Error(t, err, name)
	}
}

func tryNothing[In any](context.Context, In) (string, error) { return "", nil }

type sampleInput struct{}

func (s sampleInput) Input() sampleInput { return s }

func neverChange(context.Context, uuid.UUID, service.Precondition, func(sampleRow) (sampleInput, error)) (row sampleRow, err error) {
	return row, err
}

type sampleRow struct {
	ID uuid.UUID `json:"id"`
}

func (r sampleRow) Identity() uuid.UUID { return r.ID }

// An operation fails for every caller if its row leaves out a permission that its service checks.
func TestARowIsConfinedToItsPermissions(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Database.URL = config.DSN(dbtest.SQLite(t))
	store, err := repository.Open(t.Context(), cfg.Database, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	patients := service.NewPatientService(store, service.NewCare(store, cfg.Access), "US")
	var confined error
	op := Operation{Method: "GET", Pattern: "/x", Summary: "Try it", Access: web.Session, Needs: May(service.PatientCreate), Action: Get(
		func(ctx context.Context, _ Nothing) (string, error) {
			_, confined = patients.Get(ctx, uuid.Nil)
			return "", confined
		}, Same)}
	route, err := op.Route(&Conventions{Words: words})
	require.NoError(t, err)
	require.Equal(t, 500, status(alone(t, route), "GET", "/x", ""))
	require.ErrorContains(t, confined, "patient.read")
	require.True(t, apperr.Is(confined, apperr.Internal))
}
