package service_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/service"
)

// Older databases stored care relationships as rows for appointments and records. Migrating them, and migrating back,
// keeps which accounts see which patients, and which are kept out.
func TestCareIsCarriedOver(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		kek := filepath.Join(t.TempDir(), "kek")
		b := newServer(t, url, kek, time.Hour)
		me := b.practitioner(t)
		met, written, p := b.meeting(t, me, time.Hour), b.written(t, me, 0), b.register(t)
		_, _, err := b.emergencies.Open(b.on(t, me), service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
		_, err = b.appointments.Book(b.on(t, me), soon(visit(p, me, 0)))
		require.NoError(t, err)
		_, err = b.records.Write(b.on(t, me), p.ID, entry("normal"))
		require.NoError(t, err)
		require.NoError(t, b.db.Exec("UPDATE breakglass SET expires_at = created_at").Error)

		set, err := migrations.Embedded(b.db.Name())
		require.NoError(t, err)
		r, err := runner.New(b.db, set, runner.Program{Version: "1.2.3", Actor: "somebody", Rows: runner.DiscardRows}, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		_, err = r.Down(t.Context(), "0045")
		require.NoError(t, err)
		var kinds []string
		require.NoError(t, b.db.Raw("SELECT kind FROM carerelationship WHERE account_id = ? ORDER BY kind", me.ID.String()).Scan(&kinds).Error)
		require.Equal(t, []string{"appointment", "record"}, kinds)
		require.NoError(t, b.db.Exec("DELETE FROM breakglassentry").Error)
		_, err = r.Up(t.Context(), "")
		require.NoError(t, err)

		after := newServer(t, url, kek, time.Hour)
		_, err = after.patients.Get(after.on(t, me), met.PatientID)
		require.NoError(t, err)
		_, err = after.patients.Get(after.on(t, me), written.PatientID)
		require.NoError(t, err)
		_, err = after.patients.Get(after.on(t, me), p.ID)
		requireCode(t, apperr.NotFound, err)
		require.Equal(t, 2, after.count(t, "breakglassentry"))
	})
}
