package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// echoing returns another server's store on the same database, and the log of its statements.
func (b *bundle) echoing(t *testing.T) (*repository.Store, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	cfg := config.Default().Database
	cfg.URL, cfg.Echo = config.DSN(b.url), true
	debug := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	store, err := repository.Open(t.Context(), cfg, debug)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Unlock(t.Context(), "file:"+b.kek, "US"))
	return store, out
}

// told returns the lines of echoing's log, one for each statement. It leaves out statements about keysets, because
// the lease of the keys may end at any time.
func told(out *bytes.Buffer) (lines []string) {
	for line := range strings.Lines(out.String()) {
		if !strings.Contains(line, "keyset") {
			lines = append(lines, line)
		}
	}
	return lines
}

// statements counts the statements in echoing's log.
func statements(out *bytes.Buffer) int { return len(told(out)) }

// selects counts the SELECTs among the statements.
func selects(out *bytes.Buffer) int { return strings.Count(strings.Join(told(out), ""), "SELECT") }

// fillChart gives a patient n signed records with a flag each, and n future appointments with the author. 42 CFR Part
// 2 protects every other record; a consent covers these.
func (b *bundle) fillChart(t *testing.T, patient *models.Patient, n int) {
	t.Helper()
	actor, err := audit.ActorFrom(b.clinician(t))
	require.NoError(t, err)
	now := time.Now().UTC().Truncate(time.Microsecond)
	require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
		records, appointments := repository.NewMedicalRecordRepository(b.store), repository.NewAppointmentRepository(b.store)
		consents, flags := repository.NewConsentRepository(b.store), repository.NewRiskFlagRepository(b.store)
		if err := consents.Create(ctx, &models.Consent{
			PatientID: patient.ID, Kind: models.ConsentPart2, Purpose: phi.Of("Treatment"), GrantedAt: now, RecordedBy: actor.ID,
		}); err != nil {
			return err
		}
		for i := range n {
			m := &models.MedicalRecord{
				PatientID: patient.ID, AuthorID: actor.ID, Kind: models.KindProgressNote, Status: models.RecordFinal,
				Sensitivity: []string{models.SensitivityNormal, models.SensitivityPart2}[i%2],
				OccurredAt:  now.Add(-time.Duration(i) * time.Hour), Title: phi.Of("Visit"), Content: phi.Of("Text"), SignedAt: &now, SignedBy: &actor.ID,
			}
			if err := records.Create(ctx, m); err != nil {
				return err
			}
			if err := flags.Create(ctx, &models.RiskFlag{
				PatientID: patient.ID, RecordID: &m.ID, Reason: phi.Of("Risk"), RaisedBy: actor.ID, RaisedAt: now, ReviewAt: now,
			}); err != nil {
				return err
			}
			if err := appointments.Create(ctx, &models.Appointment{
				PatientID: patient.ID, PractitionerID: actor.ID, StartsAt: now.AddDate(0, 0, i+1), EndsAt: now.AddDate(0, 0, i+1).Add(time.Hour),
				TimeZone: "UTC", Status: models.Booked, Type: models.TypeIndividual, Modality: "video",
			}); err != nil {
				return err
			}
		}
		return nil
	}))
}

// A chart with hundreds of records takes as many queries as a chart with a few.
func TestChartsTakeConstantQueries(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		small, large := b.inCareOf(t, ctx), b.inCareOf(t, ctx)
		b.fillChart(t, small, 2)
		b.fillChart(t, large, 400)
		store, out := b.echoing(t)
		charts := service.NewChartService(store, service.NewMedicalRecordService(store, service.NewCare(store, config.Default().Access)))
		counted := map[string]int{}
		for name, p := range map[string]*models.Patient{"small": small, "large": large} {
			_, err := charts.Of(ctx, p.ID) // the first call on a store reads the keys too
			require.NoError(t, err)
			out.Reset()
			c, err := charts.Of(ctx, p.ID)
			require.NoError(t, err)
			counted[name] = statements(out)
			require.Len(t, c.Records, map[string]int{"small": 2, "large": 20}[name])
			require.Len(t, c.Flags, map[string]int{"small": 2, "large": 20}[name])
			require.Len(t, c.Appointments, map[string]int{"small": 2, "large": 10}[name])
			for i := range c.Records[1:] {
				require.False(t, c.Records[i].OccurredAt.Before(c.Records[i+1].OccurredAt), "the latest first")
			}
		}
		require.Equal(t, counted["small"], counted["large"])
		t.Logf("%d statements", counted["large"])
	})
}
