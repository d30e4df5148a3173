package models_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// chart is the patient and the account that invented rows belong to.
type chart struct {
	patient *models.Patient
	account *models.Account
}

// sample is an invented row of a table, and a change of it.
type sample struct {
	row    func(c chart) any
	change func(row any)
}

// samples has a sample for each table of patient data, and for other tables with sealed columns.
var samples = map[string]sample{
	"patient": {
		func(chart) any { return invented() },
		func(row any) { row.(*models.Patient).Active = false },
	},
	"medicalrecord": {
		func(c chart) any {
			return &models.MedicalRecord{
				PatientID: c.patient.ID, AuthorID: c.account.ID, Kind: models.KindProgressNote, Sensitivity: models.SensitivityNormal, Status: models.RecordDraft,
				OccurredAt: time.Now().UTC(), Title: phi.Of(canary), Content: phi.Of(canary),
			}
		},
		func(row any) { row.(*models.MedicalRecord).Title = phi.Of("Another") },
	},
	"consent": {
		func(c chart) any {
			return &models.Consent{PatientID: c.patient.ID, Kind: "part2", Purpose: phi.Of(canary), GrantedAt: time.Now().UTC(), RecordedBy: c.account.ID}
		},
		func(row any) { row.(*models.Consent).RevokedAt = new(time.Now().UTC()) },
	},
	"disclosure": {
		func(c chart) any {
			return &models.Disclosure{
				PatientID: c.patient.ID, DisclosedBy: &c.account.ID, Recipient: phi.Of(canary), Purpose: phi.Of(canary), DisclosedAt: time.Now().UTC(),
			}
		},
		func(row any) { row.(*models.Disclosure).Notice = true },
	},
	"riskflag": {
		func(c chart) any {
			return &models.RiskFlag{PatientID: c.patient.ID, Reason: phi.Of(canary), RaisedBy: c.account.ID, RaisedAt: time.Now().UTC(), ReviewAt: time.Now().UTC()}
		},
		func(row any) { row.(*models.RiskFlag).Resolution = phi.Of(canary) },
	},
	"appointment": {
		func(c chart) any {
			return &models.Appointment{
				PatientID: c.patient.ID, PractitionerID: c.account.ID, StartsAt: time.Now().UTC(), EndsAt: time.Now().UTC().Add(time.Hour), TimeZone: "UTC",
				Status: "booked", Type: models.TypeIntake, Modality: "video", Reason: phi.Of(canary),
			}
		},
		func(row any) { row.(*models.Appointment).VideoURL = phi.Of(canary) },
	},
	"secondfactor": {
		func(c chart) any { return &models.SecondFactor{AccountID: c.account.ID, Secret: phi.Of(canary)} },
		func(row any) { row.(*models.SecondFactor).ConfirmedAt = new(time.Now().UTC()) },
	},
}

// Every operation on a row with sealed columns leaves an event that names the row, or is refused.
func TestEveryOperationOnEveryModelLeavesAnEvent(t *testing.T) {
	t.Parallel()
	runGuarded(t, func(t *testing.T, g guarded) {
		for _, model := range models.SealedRows() {
			table := models.TableOf(model)
			s, known := samples[table]
			require.True(t, known, "%s: add a row to samples", table)
			c := chart{g.loaded(t), &models.Account{Email: table + "@example.org", Name: "Invented", Roles: []string{"clinician"}, PasswordHash: "x"}}
			_, err := g.unit(t, func(tx *gorm.DB) error { return tx.Create(c.account).Error })
			require.NoError(t, err)
			row := s.row(c)
			id := func() uuid.UUID { return row.(interface{ Identity() uuid.UUID }).Identity() }
			for _, operation := range []struct {
				action string
				do     func(tx *gorm.DB) error
			}{
				{audit.Create, func(tx *gorm.DB) error { return tx.Create(row).Error }},
				{audit.Read, func(tx *gorm.DB) error {
					read := reflect.New(reflect.TypeOf(row).Elem()).Interface()
					err := tx.Take(read, "id = ?", id()).Error
					row = read
					return err
				}},
				{audit.Update, func(tx *gorm.DB) error {
					s.change(row)
					return tx.Model(row).Select("*").Updates(row).Error
				}},
				{audit.Purge, func(tx *gorm.DB) error { return tx.Delete(row).Error }},
			} {
				events, err := g.unit(t, func(tx *gorm.DB) error { return operation.do(tx) })
				if err != nil && (errors.Is(err, models.ErrBypass) || errors.Is(err, models.ErrFrozen)) && operation.action != audit.Create {
					continue // refused
				}
				require.NoError(t, err, "%s %s", operation.action, table)
				require.Len(t, events, 1, "%s %s", operation.action, table)
				require.Equal(t, operation.action, events[0].Action, table)
				require.Equal(t, table, events[0].EntityType)
				require.Equal(t, id(), events[0].Subjects[0].ID, "%s %s", operation.action, table)
			}
		}
	})
}
