package web

import (
	"bytes"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
)

// canary stands for PHI. It may be in requests and in causes, and nowhere in answers or logs.
const canary = "Zanzibar-Quuxley"

// syncBuffer is a log that several requests write.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// testBundle is a router with sample routes, and its log.
type testBundle struct {
	engine *gin.Engine
	log    *syncBuffer
}

// authenticateSample is an Authenticate that accepts one token.
func authenticateSample(c *gin.Context) error {
	if c.GetHeader("Authorization") != "Bearer good" {
		return apperr.New(apperr.Unauthenticated, "Log in first.")
	}
	return nil
}

func sampleConfig(log *syncBuffer) RouterConfig {
	return RouterConfig{
		Authenticate:      authenticateSample,
		Admit:             func(*gin.Context, Access) error { return nil },
		Logger:            slog.New(slog.NewJSONHandler(log, nil)),
		BodyLimit:         4096,
		RequestTimeout:    time.Minute,
		FailuresPerMinute: math.MaxInt32, // never reached, not even by the fuzzer
		FailureBurst:      math.MaxInt32,
	}
}

func newBundle(t testing.TB, configure func(*RouterConfig), routes ...Route) *testBundle {
	t.Helper()
	log := &syncBuffer{}
	config := sampleConfig(log)
	if configure != nil {
		configure(&config)
	}
	engine, err := NewRouter(config, routes)
	require.NoError(t, err)
	return &testBundle{engine: engine, log: log}
}

// one returns a bundle with one public route at /api/v1/samples/:id.
func one(t testing.TB, method string, h HandlerFunc) *testBundle {
	t.Helper()
	return newBundle(t, nil, Route{Method: method, Pattern: "/api/v1/samples/:id", Access: Public, Handler: h})
}

func (b *testBundle) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	b.engine.ServeHTTP(w, r)
	return w
}

func request(method, target, body string, headers ...string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// problemIn reads an answer that must be a problem and must not hold the canary.
func problemIn(t testing.TB, w *httptest.ResponseRecorder) Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.NotContains(t, w.Body.String(), canary)
	require.NotContains(t, headerText(w.Header()), canary)
	var p Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p, json.RejectUnknownMembers(true)))
	require.Equal(t, w.Code, p.Status)
	require.Equal(t, "urn:novamind:problem:"+string(p.Code), p.Type)
	require.NotEmpty(t, p.Title)
	require.NotEmpty(t, p.Detail)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	require.NotNil(t, p.Errors)
	return p
}

func headerText(h http.Header) string {
	var text strings.Builder
	_ = h.Write(&text)
	return text.String()
}

// complaints lists a problem's errors as "pointer code".
func complaints(p Problem) []string {
	list := []string{}
	for _, e := range p.Errors {
		list = append(list, strings.TrimSpace(e.Pointer+" "+e.Code))
	}
	return list
}
