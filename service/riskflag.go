package service

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// riskReview is the time within which a raised flag must be reviewed.
const riskReview = 7 * 24 * time.Hour

// raise flags a patient whose answers mention thoughts of self-harm, once for each record. An unresolved flag of
// another version of the record is enough. Answers that no longer mention such thoughts do not resolve a flag; a
// clinician reviews it.
func raise(ctx context.Context, flags *repository.RiskFlagRepository, m *models.MedicalRecord) error {
	q := m.Questionnaire.Optional()
	if q == nil || !q.AtRisk() {
		return nil
	}
	if raised, err := flags.Raised(ctx, m.ID); err != nil || raised {
		return err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	return flags.Create(ctx, &models.RiskFlag{
		PatientID: m.PatientID, RecordID: &m.ID, Reason: phi.Of("PHQ-9, item 9: thoughts of self-harm"),
		RaisedBy: m.AuthorID, RaisedAt: now, ReviewAt: now.Add(riskReview),
	})
}

// keepFlag returns a Conflict error if a record that has raised a flag is about to become a psychotherapy note. The
// note would hide the flag from everybody.
func (s *MedicalRecordService) keepFlag(ctx context.Context, m *models.MedicalRecord) error {
	if m.Kind != models.KindPsychotherapyNote {
		return nil
	}
	raised, err := s.flags.Raised(ctx, m.ID)
	if err == nil && raised {
		err = conflict("The record raised a risk flag, which would be hidden. Write the psychotherapy note as a separate record.")
	}
	return err
}

// retract resolves the flags of a record that an account marks as entered in error. It does not if another version,
// not entered in error, reports the same risk.
func (s *MedicalRecordService) retract(ctx context.Context, m *models.MedicalRecord, by uuid.UUID) error {
	flags, err := s.flags.Awaiting(ctx, m.ID)
	if err != nil || len(flags) == 0 {
		return err
	}
	stands, err := s.stands(ctx, m)
	if err != nil || stands {
		return err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	for _, f := range flags {
		f.ResolvedAt, f.ResolvedBy, f.Resolution = &now, &by, phi.Of("The record was entered in error.")
		if err := s.flags.Update(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// stands reports whether another version of a record, not entered in error, reports a risk or can't be opened.
// Nothing of these versions is shown.
func (s *MedicalRecordService) stands(ctx context.Context, m *models.MedicalRecord) (bool, error) {
	unit, err := audit.Current(ctx)
	if err != nil {
		return false, err
	}
	versions, err := s.records.Versions(ctx, m.ID)
	stands := false
	for _, v := range versions {
		if v.ID == m.ID {
			continue
		}
		unit.Withhold(v.ID)
		q := v.Questionnaire.Optional()
		stands = stands || v.Status != models.RecordInError && (v.Unreadable() || q != nil && q.AtRisk())
	}
	return stands, err
}

// Flags returns one page of a patient's flags, and whether there are more. With open, it returns only unresolved
// flags. It returns a NotFound error.
func (s *MedicalRecordService) Flags(
	ctx context.Context, patientID uuid.UUID, open bool, page Page,
) ([]*models.RiskFlag, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "riskflag"}
	return guardedPage(ctx, s.store, MedicalRecordRead, intent,
		func(ctx context.Context) ([]*models.RiskFlag, bool, error) {
			if err := s.care.inCareFor(ctx, patientID); err != nil {
				return nil, false, err
			}
			scope, err := s.listScope(ctx, false)
			if err != nil {
				return nil, false, err
			}
			found, more, err := s.flags.Of(ctx, patientID, open, scope, page)
			if err != nil {
				return nil, false, err
			}
			return found, more, s.disclose(ctx, nil, found...)
		})
}

// ReviewInput is the result of a review of a flag.
type ReviewInput struct {
	phi.Private `json:"-"`

	Finding  string     `json:"finding" max:"200" example:"Safe at home, with a plan"`
	ReviewAt *time.Time `json:"review_at,omitempty" doc:"The time by which the flag must be reviewed again. If absent, the flag is resolved."`
}

// Faults returns the rules that the input breaks.
func (in ReviewInput) Faults(Rules) []apperr.Field { return in.check(time.Now()) }

func (in *ReviewInput) check(now time.Time) []apperr.Field {
	var v validation
	v.required("/finding", &in.Finding, maxOther)
	if in.ReviewAt != nil && in.ReviewAt.Before(now) {
		v.add("/review_at", "past_date", "Must not be in the past.")
	}
	return v.fields
}

// Flag returns a flag. It returns a NotFound error, or an Unreadable one.
func (s *MedicalRecordService) Flag(ctx context.Context, id uuid.UUID) (*models.RiskFlag, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "riskflag", EntityID: id}
	return guarded(ctx, s.store, MedicalRecordRead, intent, s.store.Read,
		func(ctx context.Context) (*models.RiskFlag, error) { return s.flagInScope(ctx, id) })
}

// flagInScope returns a flag that the actor may see, and records that it is shown to them.
func (s *MedicalRecordService) flagInScope(ctx context.Context, id uuid.UUID) (*models.RiskFlag, error) {
	scope, err := s.listScope(ctx, false)
	if err != nil {
		return nil, err
	}
	f, err := s.flags.InScope(ctx, id, scope)
	if err != nil {
		return nil, unseen(err)
	}
	return f, s.disclose(ctx, nil, f)
}

// Review sets a flag's next review, or resolves it. It returns a NotFound, a Stale, a Conflict or an Invalid error.
func (s *MedicalRecordService) Review(
	ctx context.Context, id uuid.UUID, current Precondition, in ReviewInput,
) (*models.RiskFlag, error) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	v := validation{in.check(now)}
	intent := audit.Intent{Action: audit.Update, EntityType: "riskflag", EntityID: id}
	return guarded(ctx, s.store, MedicalRecordAmend, intent, s.store.InTx,
		func(ctx context.Context) (*models.RiskFlag, error) {
			f, err := s.flagInScope(ctx, id)
			if err != nil {
				return nil, err
			}
			if err := cmp.Or(v.err(), current.check(f.Version)); err != nil {
				return nil, err
			}
			if f.ResolvedAt != nil {
				return nil, conflict("The flag is already resolved.")
			}
			actor, err := audit.ActorFrom(ctx)
			if err != nil {
				return nil, err
			}
			f.Resolution = phi.Of(in.Finding)
			if in.ReviewAt != nil {
				f.ReviewAt = in.ReviewAt.UTC().Truncate(time.Microsecond)
			} else {
				f.ResolvedAt, f.ResolvedBy = &now, &actor.ID
			}
			return f, s.flags.Update(ctx, f)
		})
}
