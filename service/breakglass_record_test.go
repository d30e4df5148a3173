package service_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// entry returns the input for a record.
func entry(sensitivity string) service.RecordInput {
	return service.RecordInput{Kind: models.KindProgressNote, Sensitivity: &sensitivity, Title: "Title", Content: "Text"}
}

// All access that needed the emergency is flagged, even if the patient is in care anyway. No other access is flagged.
func TestWhatAnEmergencyWasNeededForIsFlagged(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, me, colleague := b.register(t), b.practitioner(t), b.practitioner(t)
		ctx := b.on(t, me)
		require.NoError(t, b.care.Note(t.Context(), p.ID, colleague.ID, models.CareAssigned, time.Now()))
		b.book(t, soon(visit(p, me, 0)))
		written := map[string]uuid.UUID{}
		for _, sensitivity := range []string{models.SensitivityNormal, models.SensitivityRestricted} {
			m, err := b.records.Write(b.on(t, colleague), p.ID, entry(sensitivity))
			require.NoError(t, err)
			_, err = b.records.Sign(b.on(t, colleague), m.ID, anyVersion)
			require.NoError(t, err)
			written[sensitivity] = m.ID
		}
		_, err := b.records.Get(ctx, written[models.SensitivityRestricted])
		requireCode(t, apperr.NotFound, err)
		_, _, err = b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
		require.NoError(t, err)
		_, err = b.records.Get(ctx, written[models.SensitivityNormal])
		require.NoError(t, err)
		require.Equal(t, []string{audit.BreakGlass}, b.flagged(t), "in care without it")
		for action, read := range map[string]func() error{
			"read":    func() error { _, err := b.records.Get(ctx, written[models.SensitivityRestricted]); return err },
			"history": func() error { _, err := b.records.History(ctx, written[models.SensitivityRestricted]); return err },
			"list": func() error {
				_, _, err := b.records.Search(ctx, service.RecordQuery{PatientID: p.ID}, onePage)
				return err
			},
			"chart": func() error { _, err := b.charts.Of(ctx, p.ID); return err },
		} {
			before := len(b.flagged(t))
			require.NoError(t, read())
			require.Greater(t, len(b.flagged(t)), before, action)
		}
		_, err = b.records.Amend(ctx, written[models.SensitivityRestricted], service.AmendmentInput{AmendmentReason: "Better"})
		requireCode(t, apperr.NotFound, err, "an emergency amends nothing")
	})
}

// Emergency access shows no draft of a colleague, which clinicians in care can see. An author that writes by
// emergency access can finish their own draft.
func TestEmergenciesAndDrafts(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p, me, seeing, colleague := b.register(t), b.practitioner(t), b.practitioner(t), b.practitioner(t)
		require.NoError(t, b.care.Note(t.Context(), p.ID, colleague.ID, models.CareAssigned, time.Now()))
		b.book(t, soon(visit(p, seeing, 0)))
		draft, err := b.records.Write(b.on(t, colleague), p.ID, entry(models.SensitivityNormal))
		require.NoError(t, err)
		seen := func(ctx context.Context) []uuid.UUID {
			found, _, err := b.records.Search(ctx, service.RecordQuery{PatientID: p.ID}, onePage)
			require.NoError(t, err)
			ids := []uuid.UUID{}
			for _, m := range found {
				ids = append(ids, m.ID)
			}
			return ids
		}
		for _, who := range []*models.Account{me, seeing} {
			_, _, err = b.emergencies.Open(b.on(t, who), service.BreakGlassInput{PatientID: &p.ID, Reason: emergency})
			require.NoError(t, err)
		}
		require.Empty(t, seen(b.on(t, me)))
		_, err = b.records.Get(b.on(t, me), draft.ID)
		requireCode(t, apperr.NotFound, err)
		require.Equal(t, []uuid.UUID{draft.ID}, seen(b.on(t, seeing)), "in care")

		mine, err := b.records.Write(b.on(t, me), p.ID, entry(models.SensitivityNormal))
		require.NoError(t, err)
		require.Equal(t, []uuid.UUID{mine.ID}, seen(b.on(t, me)))
		_, err = b.records.Change(b.on(t, me), mine.ID, anyVersion, func(*models.MedicalRecord) (service.RecordInput, error) { return entry(models.SensitivityNormal), nil })
		require.NoError(t, err)
		_, err = b.records.Sign(b.on(t, me), mine.ID, anyVersion)
		require.NoError(t, err)
		_, err = b.records.Sign(b.on(t, colleague), draft.ID, anyVersion)
		require.NoError(t, err)
		require.ElementsMatch(t, []uuid.UUID{mine.ID, draft.ID}, seen(b.on(t, me)))
		_, err = b.records.MarkError(b.on(t, me), mine.ID, anyVersion, "Wrong")
		requireCode(t, apperr.NotFound, err, "an emergency takes nothing back")
	})
}
