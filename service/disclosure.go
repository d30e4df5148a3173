package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// Part2Notice goes with every record that 42 CFR Part 2 protects, in the words of 2.32.
const Part2Notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."

// disclose keeps, of the records that the actor is about to be shown, a disclosure of each that 42 CFR Part 2 protects and somebody else wrote.
// They are in sight only where a consent holds.
func (s *MedicalRecordService) disclose(ctx context.Context, records ...*models.MedicalRecord) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	var protected []*models.MedicalRecord
	var patients []uuid.UUID
	for _, m := range records {
		if m.Sensitivity == models.SensitivityPart2 && m.AuthorID != actor.ID && !m.Unreadable() {
			protected, patients = append(protected, m), append(patients, m.PatientID)
		}
	}
	if len(protected) == 0 {
		return nil
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		now := time.Now().UTC().Truncate(time.Microsecond)
		consents, err := s.consents.Holding(ctx, patients, actor.ID, now)
		if err != nil {
			return err
		}
		rows := make([]*models.Disclosure, len(protected))
		for i, m := range protected {
			consent := consents[m.PatientID]
			if consent == nil { // it was revoked this very moment
				return outOfSight()
			}
			rows[i] = &models.Disclosure{
				PatientID: m.PatientID, RecordID: &m.ID, ConsentID: &consent.ID, DisclosedBy: &actor.ID, RecipientID: &actor.ID,
				Purpose: phi.Of(consent.Purpose.Plain()), Notice: true, DisclosedAt: now,
			}
		}
		return s.disclosures.CreateAll(ctx, rows)
	})
}
