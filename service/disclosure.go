package service

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
)

// Part2Notice accompanies every record that 42 CFR Part 2 protects. The wording is from 42 CFR 2.32.
const Part2Notice = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."

// disclose stores a disclosure for each record that is about to be shown to the actor, and for each record of the
// flags, if 42 CFR Part 2 protects the record and the actor did not write its first version. Such records are visible
// only while a consent is in effect.
func (s *MedicalRecordService) disclose(ctx context.Context, records []*models.MedicalRecord, flags ...*models.RiskFlag) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	patients, err := s.protected(ctx, records, flags)
	if err != nil || len(patients) == 0 {
		return err
	}
	own, err := s.records.BegunBy(ctx, actor.ID, slices.Collect(maps.Keys(patients)))
	if err != nil {
		return err
	}
	for _, id := range own {
		delete(patients, id)
	}
	if len(patients) == 0 {
		return nil
	}
	return s.store.InTx(ctx, func(ctx context.Context) error {
		now := time.Now().UTC().Truncate(time.Microsecond)
		consents, err := s.consents.Holding(ctx, slices.Collect(maps.Values(patients)), actor.ID, now)
		if err != nil {
			return err
		}
		var rows []*models.Disclosure
		for record, patient := range patients {
			consent := consents[patient]
			if consent == nil { // the consent was revoked just now
				return outOfScope()
			}
			rows = append(rows, &models.Disclosure{
				PatientID: patient, RecordID: &record, ConsentID: &consent.ID, DisclosedBy: &actor.ID, RecipientID: &actor.ID,
				Purpose: phi.Of(consent.Purpose.Plain()), Notice: true, DisclosedAt: now,
			})
		}
		return s.disclosures.CreateAll(ctx, rows)
	})
}

// protected returns the ids of the records, and of the records of the flags, that 42 CFR Part 2 protects, with their
// patients. It marks the flags.
func (s *MedicalRecordService) protected(ctx context.Context, records []*models.MedicalRecord, flags []*models.RiskFlag) (map[uuid.UUID]uuid.UUID, error) {
	patients := map[uuid.UUID]uuid.UUID{}
	for _, m := range records {
		if m.Sensitivity == models.SensitivityPart2 && !m.Unreadable() {
			patients[m.ID] = m.PatientID
		}
	}
	flagged := map[uuid.UUID]uuid.UUID{}
	for _, f := range flags {
		if f.RecordID != nil && !f.Unreadable() {
			flagged[*f.RecordID] = f.PatientID
		}
	}
	if len(flagged) == 0 {
		return patients, nil
	}
	ids, err := s.records.Protected(ctx, slices.Collect(maps.Keys(flagged)))
	for _, id := range ids {
		patients[id] = flagged[id]
	}
	for _, f := range flags {
		f.Part2 = f.RecordID != nil && slices.Contains(ids, *f.RecordID)
	}
	return patients, err
}
