package handler_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/handler"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

const (
	canary   = "Zcanary"
	password = "a long passphrase"
)

// syncBuffer is a log that the server writes while the test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// stack is the whole program behind HTTP, on a separate database.
type stack struct {
	t     testing.TB
	store *repository.Store
	auth  *service.AuthService

	refusals *service.RefusalService
	engine   *gin.Engine

	db     *gorm.DB // plain SQL, bypassing the program
	server *httptest.Server
	log    *syncBuffer
	token  string // of an account with every role
}

func onEachEngine(t *testing.T, test func(t *testing.T, s *stack)) {
	t.Helper()
	dbtest.Run(t, func(t *testing.T, url string) { test(t, newStack(t, url)) })
}

func newStack(t testing.TB, url string) *stack {
	t.Helper()
	return newStackWith(t, url, func(*config.Config) {})
}

// newStackWith is newStack with another configuration.
func newStackWith(t testing.TB, url string, configure func(*config.Config)) *stack {
	t.Helper()
	s := &stack{t: t, db: dbtest.Open(t, url), log: &syncBuffer{}}
	cfg := config.Default()
	cfg.Database.URL = config.DSN(url)
	cfg.Auth.Argon2 = config.Argon2{MemoryKiB: 8, Passes: 1, Lanes: 1} // the cost of hashing does not matter here
	cfg.Auth.LoginFailures = 100000
	cfg.Limits.FailedPerMinute, cfg.Limits.FailedBurst = 100000, 100000
	configure(cfg)
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	s.store, err = repository.Open(t.Context(), cfg.Database, log)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	require.NoError(t, s.store.Unlock(t.Context(), "file:"+filepath.Join(t.TempDir(), "kek"), "US"))
	s.refusals = service.NewRefusalService(s.store)
	s.auth, err = service.NewAuthService(s.store, cfg.Auth)
	require.NoError(t, err)
	hours, err := cfg.Clinic.OpeningHours()
	require.NoError(t, err)
	require.NoError(t, s.auth.RequireTOTP(cfg.TOTPRoles()))
	care := service.NewCare(s.store, cfg.Access)
	emergencies, err := service.NewBreakGlassService(s.store, cfg.Access, log)
	require.NoError(t, err)
	engine, err := handler.NewAPI(handler.Services{
		Auth: s.auth, APIKeys: service.NewAPIKeyService(s.store, cfg.Auth), Accounts: service.NewAccountService(s.store, s.auth, cfg.Access),
		Patients: service.NewPatientService(s.store, care, "US"), Care: service.NewCareService(s.store, care), BreakGlass: emergencies,
		AuditLogs: service.NewAuditLogService(s.store), AuditTree: service.NewAuditTreeService(s.store),
		Reviews: service.NewAuditReviewService(s.store, hours), Refusals: s.refusals, Repeats: service.NewRepeatService(s.store),
		Appointments:   service.NewAppointmentService(s.store, care, cfg.Clinic),
		MedicalRecords: service.NewMedicalRecordService(s.store, care), Charts: service.NewChartService(s.store, service.NewMedicalRecordService(s.store, care)), Consents: service.NewConsentService(s.store, care),
		Ready: []handler.Check{{Name: "audit", Run: s.store.CheckAudit}},
	}, cfg, s.store.CursorKey(), log)
	require.NoError(t, err)
	s.engine = engine
	s.server = httptest.NewServer(engine)
	t.Cleanup(s.server.Close)
	made, err := s.auth.EnsureAccount(audit.System(t.Context(), "test"), "all@example.org", password, nil)
	require.NoError(t, err)
	require.True(t, made)
	s.token = s.login("all@example.org")
	return s
}

// account makes an account with these roles, and logs it in.
func (s *stack) account(email string, change func(*models.Account), roles ...string) string {
	s.t.Helper()
	accounts := repository.NewAccountRepository(s.store)
	all, err := accounts.ByEmail(s.t.Context(), "all@example.org")
	require.NoError(s.t, err)
	a := &models.Account{Email: email, Name: "Test", Roles: roles, PasswordHash: all.PasswordHash}
	if change != nil {
		change(a)
	}
	require.NoError(s.t, s.store.InTx(audit.System(s.t.Context(), "test"), func(ctx context.Context) error { return accounts.Create(ctx, a) }))
	return s.login(email)
}

// caller is a logged-in person.
type caller struct {
	id    uuid.UUID
	token string
}

// person makes an account with these roles, and logs it in.
func (s *stack) person(email string, roles ...string) caller {
	s.t.Helper()
	token := s.account(email, nil, roles...)
	id, err := uuid.Parse(s.as(token).do("GET", "/api/v1/auth/me", "").at("id").(string))
	require.NoError(s.t, err)
	return caller{id, token}
}

// inCareOf registers a patient in the care of an account.
func (s *stack) inCareOf(account uuid.UUID, body string) string {
	s.t.Helper()
	id := s.register(body)
	require.NoError(s.t, repository.NewCareRepository(s.store).
		Note(s.t.Context(), uuid.MustParse(id), account, models.CareAssigned, time.Now()))
	return id
}

func (s *stack) login(email string) string {
	s.t.Helper()
	r := s.as("").do("POST", "/api/v1/auth/login", `{"email":"`+email+`","password":"`+password+`"}`)
	require.Equal(s.t, http.StatusOK, r.status, r.text)
	return r.at("token").(string)
}

// as returns the same stack for another caller.
func (s *stack) as(token string) *stack {
	other := *s
	other.token = token
	return &other
}

type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// at returns the value at a path of member names.
func (r reply) at(path ...string) any {
	var v any = r.body
	for _, name := range path {
		members, _ := v.(map[string]any)
		v = members[name]
	}
	return v
}

func (r reply) items() []any {
	items, _ := r.body["items"].([]any)
	return items
}

// do sends a request; headers are "Name: value". A body is JSON unless a header says otherwise. The answer must match
// the OpenAPI document.
func (s *stack) do(method, path, body string, headers ...string) reply {
	s.t.Helper()
	r, err := s.exchange(method, path, body, headers...)
	require.NoError(s.t, err, "%s %s: %d %s", method, path, r.status, r.text)
	return r
}

// exchange is do, but returns the error.
func (s *stack) exchange(method, path, body string, headers ...string) (r reply, err error) {
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		return r, err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return r, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	r = reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if err == nil && len(text) > 0 && !strings.HasPrefix(r.header.Get("Content-Type"), "text/") {
		err = json.Unmarshal(text, &r.body)
	}
	if err != nil {
		return r, err
	}
	described, err := served()
	if err != nil {
		return r, err
	}
	return r, described.check(request, response, text)
}

// page requests a page that people read.
func (s *stack) page(path string, headers ...string) string {
	s.t.Helper()
	r := s.do("GET", path, "", headers...)
	require.Equal(s.t, http.StatusOK, r.status, r.text)
	require.Equal(s.t, "text/html; charset=utf-8", r.header.Get("Content-Type"))
	return r.text
}

const ada = `{"first_name":"Zoë Ann","last_name":"García-López","date_of_birth":"1980-02-03",` +
	`"contact_info":{"email":"Zoe@Example.org","phone":"(212) 555-0123"},` +
	`"address":{"street":"1 Example Street","city":"Exampleton","state":"NY","zip_code":"10001"}}`

// another returns a registration that says it is not the patient of the same name.
func another(body string) string {
	return `{"allow_duplicate":true,"duplicate_reason":"not the same",` + strings.TrimPrefix(body, "{")
}

// register adds a patient and returns the id.
func (s *stack) register(body string) string {
	s.t.Helper()
	r := s.do("POST", "/api/v1/patients", another(body))
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.at("id").(string)
}

func (s *stack) patients() (n int64) {
	s.t.Helper()
	require.NoError(s.t, s.db.Raw("SELECT count(*) FROM patient").Scan(&n).Error)
	return n
}

// anyDatabase returns a migrated SQLite database, for tests that do not depend on the engine.
func anyDatabase(t testing.TB) string {
	t.Helper()
	return dbtest.SQLite(t)
}

// dump returns the content of the tables that requests change. It leaves out the log and rows that every request may
// touch.
func (s *stack) dump() map[string][]map[string]any {
	s.t.Helper()
	out := map[string][]map[string]any{}
	for _, model := range models.All() {
		table := models.TableOf(model)
		if strings.HasPrefix(table, "audit") || slices.Contains([]string{"session", "keyset"}, table) {
			continue
		}
		var rows []map[string]any
		require.NoError(s.t, s.db.Raw("SELECT * FROM "+table+" ORDER BY 1, 2").Scan(&rows).Error)
		out[table] = rows
	}
	return out
}
