package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// cheapest is the cheapest hash, because these tests are not about the cost of hashing.
var cheapest = config.Argon2{MemoryKiB: 8, Passes: 1, Lanes: 1}

// bundle holds a program's services on a separate database.
type bundle struct {
	url, kek     string
	db           *gorm.DB // bypasses the program
	store        *repository.Store
	care         *repository.CareRepository
	patients     *service.PatientService
	appointments *service.AppointmentService
	records      *service.MedicalRecordService
	charts       *service.ChartService
	consents     *service.ConsentService
	log          *service.AuditLogService
	auth         *service.AuthService
	imports      *service.ImportService

	accounts    *service.AccountService
	apiKeys     *service.APIKeyService
	carers      *service.CareService
	emergencies *service.BreakGlassService
	told        *bytes.Buffer // the log's lines
	weeks       int           // that were signed off so far
	nobodysCare bool          // inCareOf leaves patients without care
	byEmergency bool          // inCareOf opens emergency access instead
}

var discard = slog.New(slog.DiscardHandler)

func newBundle(t *testing.T, url string) *bundle {
	t.Helper()
	return newServer(t, url, filepath.Join(t.TempDir(), "kek"), time.Hour)
}

// newServer returns the services of one of several servers on a database.
func newServer(t *testing.T, url, kek string, session time.Duration) *bundle {
	t.Helper()
	return newServerWith(t, url, kek, config.Auth{
		SessionLifetime: session, SessionIdle: time.Hour, LoginFailures: 100000, LoginLockout: time.Hour, Argon2: cheapest,
	})
}

func newServerWith(t *testing.T, url, kek string, logins config.Auth) *bundle {
	t.Helper()
	cfg := config.Default().Database
	cfg.URL = config.DSN(url)
	store, err := repository.Open(t.Context(), cfg, discard)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Unlock(t.Context(), "file:"+kek, "US"))
	auth, err := service.NewAuthService(store, logins)
	require.NoError(t, err)
	care := service.NewCare(store, config.Default().Access)
	records := service.NewMedicalRecordService(store, care)
	told := &bytes.Buffer{}
	emergencies, err := service.NewBreakGlassService(store, config.Default().Access, slog.New(slog.NewTextHandler(told, nil)))
	require.NoError(t, err)
	return &bundle{
		records: records, charts: service.NewChartService(store, records), consents: service.NewConsentService(store, care),
		apiKeys:  service.NewAPIKeyService(store, config.Default().Auth),
		accounts: service.NewAccountService(store, auth, config.Default().Access),
		carers:   service.NewCareService(store, care), emergencies: emergencies, told: told,
		url: url, kek: kek, db: dbtest.Open(t, url), store: store, auth: auth,
		care:         repository.NewCareRepository(store),
		patients:     service.NewPatientService(store, care, "US"),
		appointments: service.NewAppointmentService(store, care, config.Default().Clinic),
		log:          service.NewAuditLogService(store),
		imports:      service.NewImportService(store, config.Default().Clinic),
	}
}

// registerOnce registers a patient with an idempotency key.
func (b *bundle) registerOnce(ctx context.Context, in service.Registration, once service.Idempotency) (*service.Registered, error) {
	return service.Once(ctx, service.NewRepeatService(b.store), once, uuid.Nil, func(ctx context.Context) (*service.Registered, error) {
		return b.patients.Register(ctx, in)
	}, b.patients.Registered)
}

// createOnce adds an account with an idempotency key.
func (b *bundle) createOnce(
	ctx context.Context, in service.AccountInput, password *string, once service.Idempotency,
) (*models.Account, *service.Link, error) {
	return parts(service.Once(ctx, service.NewRepeatService(b.store), once, uuid.Nil,
		func(ctx context.Context) (*service.AccountWithLink, error) {
			return b.accounts.Create(ctx, in, password)
		},
		func(ctx context.Context, id uuid.UUID) (*service.AccountWithLink, error) {
			return b.accounts.Repeated(ctx, id, password)
		}))
}

// parts returns an account and its link separately.
func parts(a *service.AccountWithLink, err error) (*models.Account, *service.Link, error) {
	if err != nil {
		return nil, nil, err
	}
	return a.Account, a.Link, nil
}

// keyParts returns an API key and its secret separately.
func keyParts(k *service.APIKeyWithSecret, err error) (*models.APIKey, string, error) {
	if err != nil {
		return nil, "", err
	}
	return k.APIKey, k.Secret, nil
}

// as returns a context in which a new account with these roles acts.
func as(t *testing.T, roles ...string) context.Context {
	t.Helper()
	return audit.WithActor(t.Context(), audit.Actor{ID: uuid.Must(uuid.NewV7()), Roles: roles, Origin: "test"})
}

// anonymous returns a context before login.
func anonymous(t *testing.T) context.Context {
	t.Helper()
	return audit.WithActor(t.Context(), audit.Actor{Origin: "test"})
}

// event is one row of the log, as plain SQL shows it.
type event struct {
	Action, EntityType, Outcome string
	Details                     *string
	EntityID, UserID            *uuid.UUID
}

// events returns the log's rows with an action, oldest first; "" means every row.
func (b *bundle) events(t *testing.T, action string) []event {
	t.Helper()
	var out []event
	require.NoError(t, b.db.Raw("SELECT * FROM auditlog WHERE ? IN ('', action) ORDER BY id", action).Scan(&out).Error)
	return out
}

func (b *bundle) count(t *testing.T, table string) (n int) {
	t.Helper()
	require.NoError(t, b.db.Raw("SELECT count(*) FROM "+table).Scan(&n).Error)
	return n
}

// input returns the data of a new patient.
func input() service.PatientInput {
	return service.PatientInput{
		FirstName: "Zoë Ann", LastName: "García-López", DateOfBirth: "1980-02-03",
		ContactInfo: &models.ContactInfo{Email: "zoe@example.org", Phone: "(212) 555-0123"},
	}
}

// importing returns a service for a new export.
func (b *bundle) importing() *service.ImportService {
	return service.NewImportService(b.store, config.Default().Clinic)
}

// another returns a registration that says it is not the patient of the same name.
func another(in service.PatientInput) service.Registration {
	return service.Registration{PatientInput: in, AllowDuplicate: true, DuplicateReason: "not the same"}
}

// register adds a patient.
func (b *bundle) register(t *testing.T) *models.Patient {
	t.Helper()
	p, err := b.patients.Register(as(t, service.RoleClinician), another(input()))
	require.NoError(t, err)
	return p.Patient
}

// inCareOf adds a patient in the care of the actor of ctx.
func (b *bundle) inCareOf(t *testing.T, ctx context.Context) *models.Patient {
	t.Helper()
	p := b.register(t)
	actor, err := audit.ActorFrom(ctx)
	if err == nil && b.byEmergency {
		_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
	}
	if err == nil && !b.nobodysCare {
		require.NoError(t, b.care.Note(t.Context(), p.ID, actor.ID, models.CareAssigned, time.Now()))
	}
	return p
}

// eventOn returns the event of the creation of a row.
func (b *bundle) eventOn(t *testing.T, row uuid.UUID) uuid.UUID {
	t.Helper()
	var id string
	require.NoError(t, b.db.Raw("SELECT id FROM auditlog WHERE action = 'create' AND entity_id = ?", row).Scan(&id).Error)
	return uuid.MustParse(id)
}

// accountInput returns the input for a new account.
func accountInput(roles ...string) service.AccountInput {
	return service.AccountInput{Email: uuid.NewString() + "@example.org", Name: "Somebody", Roles: roles}
}

// account adds an account without a usable password.
func (b *bundle) account(t *testing.T, roles ...string) *models.Account {
	t.Helper()
	a, _, err := parts(b.accounts.Create(as(t, service.RoleAdmin), accountInput(roles...), nil))
	require.NoError(t, err)
	return a
}

// withPassword adds an account with the password chosen.
func (b *bundle) withPassword(t *testing.T, roles ...string) *models.Account {
	t.Helper()
	a, _, err := parts(b.accounts.Create(as(t, service.RoleAdmin), accountInput(roles...), new(chosen)))
	require.NoError(t, err)
	return a
}

func anyVersion(int64) bool { return true }
