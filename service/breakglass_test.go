package service_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

const emergency = "found unconscious"

// byName names the patient of input by names and date of birth.
func byName() service.BreakGlassInput {
	return service.BreakGlassInput{FirstName: new("ZOË  ann"), LastName: new("García-lópez"), DateOfBirth: new("1980-02-03"), Reason: emergency}
}

// flagged returns the actions of the events that are marked as done by emergency access.
func (b *bundle) flagged(t *testing.T) []string {
	t.Helper()
	var actions []string
	require.NoError(t, b.db.Raw("SELECT action FROM auditlog WHERE purpose = 'BTG' ORDER BY id").Scan(&actions).Error)
	return actions
}

// Emergency access shows one patient to one clinician for a limited time, and the log records every step.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, unrelated := b.register(t), b.register(t)
		require.NoError(t, b.db.Exec("DELETE FROM blindindex WHERE patient_id = ?", unrelated.ID).Error)
		ctx := as(t, service.RoleClinician)
		_, err := b.patients.Get(ctx, p.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)

		opened, expires, err := b.emergencies.Open(ctx, byName())
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{p.ID}, opened)
		require.WithinDuration(t, time.Now().Add(time.Hour), expires, 10*time.Minute)
		active, err := b.emergencies.Active(ctx)
		require.NoError(t, err)
		require.Len(t, active, 1)
		_, err = b.patients.Get(ctx, p.ID)
		require.NoError(t, err)
		_, err = b.patients.Change(ctx, p.ID, anyVersion, func(*models.Patient) (service.PatientInput, error) {
			in := input()
			in.LastName = "Lopez"
			return in, nil
		})
		requireCode(t, apperr.NotFound, err, "it reads")
		require.Equal(t, []uuid.UUID{p.ID}, b.ids(ctx, t))
		require.Equal(t, []string{audit.BreakGlass, audit.List, audit.Read, audit.Search}, b.flagged(t), "the list has the name")
		events := b.events(t, audit.BreakGlass)
		require.Len(t, events, 1)
		require.Equal(t, p.ID, *events[0].EntityID)

		stranger := as(t, service.RoleClinician)
		_, err = b.patients.Get(stranger, p.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "it is one clinician's")
		_, err = b.patients.Get(ctx, unrelated.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "it is one patient")
		require.Empty(t, b.ids(stranger, t))

		require.NoError(t, b.db.Exec("UPDATE breakglass SET expires_at = created_at").Error)
		_, err = b.patients.Get(ctx, p.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "it ends")
		require.Empty(t, b.ids(ctx, t))
		active, err = b.emergencies.Active(ctx)
		require.NoError(t, err)
		require.Empty(t, active)
		require.Len(t, b.flagged(t), 4, "nothing else is flagged")
	})
}

// Emergency access cannot be made permanent, because it brings no patient into anybody's care.
func TestEmergenciesDoNotLast(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		account := b.account(t, service.RoleClinician)
		ctx := audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: account.Roles, Origin: "test"})
		_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
		_, err = b.carers.Assign(ctx, p.ID, account.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "%v", err)
		require.True(t, apperr.Is(b.carers.Unassign(ctx, p.ID, account.ID, anyVersion), apperr.NotFound))
		_, err = b.carers.Clinicians(ctx, p.ID)
		require.NoError(t, err)
		colleague := b.practitioner(t)
		_, err = b.appointments.Book(ctx, visit(p, colleague, 0))
		require.NoError(t, err)
		_, err = b.patients.Get(audit.WithActor(t.Context(), audit.Actor{ID: colleague.ID, Roles: colleague.Roles, Origin: "test"}), p.ID)
		require.True(t, apperr.Is(err, apperr.NotFound), "nobody else is brought into care either")
		_, err = b.consents.Grant(ctx, p.ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
		require.True(t, apperr.Is(err, apperr.NotFound), "a consent would open what an emergency must not")
		_, err = b.carers.Assign(as(t, service.RoleFrontDesk), p.ID, account.ID)
		require.NoError(t, err)
		flagged := len(b.flagged(t))
		_, err = b.patients.Get(ctx, p.ID)
		require.NoError(t, err)
		require.Len(t, b.flagged(t), flagged, "in care now: no emergency")
		_, err = b.carers.Assign(ctx, p.ID, b.account(t, service.RoleClinician).ID)
		require.NoError(t, err)
	})
}

// A hold made by emergency access brings no patient into care. When the front desk confirms it, the booking rests on
// the permission of the front desk.
func TestConfirmedHoldsOfEmergenciesAreCare(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, account, colleague := b.register(t), b.account(t, service.RoleClinician), b.practitioner(t)
		ctx := audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: account.Roles, Origin: "test"})
		_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
		in := soon(visit(p, colleague, 0))
		in.Status = models.Pending
		hold, err := b.appointments.Book(ctx, in)
		require.NoError(t, err)
		theirs := audit.WithActor(t.Context(), audit.Actor{ID: colleague.ID, Roles: colleague.Roles, Origin: "test"})
		_, err = b.patients.Get(theirs, p.ID)
		requireCode(t, apperr.NotFound, err)
		_, err = b.appointments.Transition(as(t, service.RoleFrontDesk), hold.ID, anyVersion, models.Booked, "", service.OnlyThis)
		require.NoError(t, err)
		_, err = b.patients.Get(theirs, p.ID)
		require.NoError(t, err)
	})
}

// A request opens nothing unless it names one person completely, with a reason. It is in the log without the names.
func TestBreakGlassRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		ctx := as(t, service.RoleClinician)
		with := func(change func(*service.BreakGlassInput)) service.BreakGlassInput {
			in := byName()
			change(&in)
			return in
		}
		for name, c := range map[string]struct {
			in   service.BreakGlassInput
			want apperr.Code
		}{
			"a part of the name":    {with(func(in *service.BreakGlassInput) { in.LastName = new("García") }), apperr.NotFound},
			"another date of birth": {with(func(in *service.BreakGlassInput) { in.DateOfBirth = new("1980-02-04") }), apperr.NotFound},
			"an unknown id":         {service.BreakGlassInput{PatientID: new(uuid.New()), Reason: emergency}, apperr.NotFound},
			"no date of birth":      {with(func(in *service.BreakGlassInput) { in.DateOfBirth = nil }), apperr.Invalid},
			"no first name":         {with(func(in *service.BreakGlassInput) { in.FirstName = nil }), apperr.Invalid},
			"a blank last name":     {with(func(in *service.BreakGlassInput) { in.LastName = new(" ") }), apperr.Invalid},
			"no reason":             {with(func(in *service.BreakGlassInput) { in.Reason = " \t" }), apperr.Invalid},
			"id and names":          {with(func(in *service.BreakGlassInput) { in.PatientID = &p.ID }), apperr.Invalid},
			"nothing":               {service.BreakGlassInput{Reason: emergency}, apperr.Invalid},
		} {
			_, _, err := b.emergencies.Open(ctx, c.in)
			require.True(t, apperr.Is(err, c.want), "%s: %v", name, err)
		}
		require.Zero(t, b.count(t, "breakglass"))
		require.Len(t, b.events(t, audit.BreakGlass), 3, "who looked for somebody is in the log")
		require.Empty(t, b.ids(ctx, t))
		var subjects int
		require.NoError(t, b.db.Raw(`SELECT count(*) FROM auditsubject WHERE event_id IN (SELECT id FROM auditlog WHERE action = 'break_glass')`).Scan(&subjects).Error)
		require.Zero(t, subjects, "nobody was shown")
	})
}

// The admins are told by a line in the log, and by the webhook, which is called again until it answers. Neither names
// the patient.
func TestAdminsAreToldOfEmergencies(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		told, broken := make(chan string, 8), make(chan bool, 1)
		broken <- true
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			select {
			case <-broken:
				w.WriteHeader(http.StatusInternalServerError)
			default:
				told <- string(body)
			}
		}))
		t.Cleanup(hook.Close)
		cfg := config.Default().Access
		cfg.Webhook, cfg.WebhookPrivate = config.Webhook(hook.URL+"/secret"), true
		emergencies, err := service.NewBreakGlassService(b.store, cfg, slog.New(slog.NewTextHandler(b.told, nil)))
		require.NoError(t, err)
		p, ctx := b.register(t), as(t, service.RoleClinician)
		background, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		_, _, err = emergencies.Open(ctx, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
		go func() { defer close(ended); emergencies.TellInBackground(background) }()
		require.Eventually(t, func() bool { return len(broken) == 0 }, time.Minute, time.Millisecond)
		_, _, err = emergencies.Open(ctx, byName()) // wakes the goroutine
		require.NoError(t, err)
		first, second := <-told, <-told
		stop()
		<-ended
		require.NotEqual(t, first, second)
		var notice map[string]any
		require.NoError(t, json.Unmarshal([]byte(first), &notice))
		actor, err := audit.ActorFrom(ctx)
		require.NoError(t, err)
		require.Equal(t, "break_glass", notice["event"])
		require.Equal(t, actor.ID.String(), notice["account_id"])
		for _, text := range []string{first, second, b.told.String()} {
			for _, secret := range []string{p.ID.String(), "unconscious", "Garc", "/secret"} {
				require.NotContains(t, strings.ToLower(text), strings.ToLower(secret))
			}
		}
		require.Equal(t, 2, strings.Count(b.told.String(), "emergency access opened"))
		require.Contains(t, b.told.String(), actor.ID.String())
	})
}
