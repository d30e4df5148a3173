package service

import (
	"bytes"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
)

// Merge records that a patient is the same person as another, whose chart shows both from now on. No row moves: the
// merged patient points to the other, and Unmerge removes the pointer.
//
// Merge returns a NotFound or a Stale error, and an Invalid error if the reason is missing or the other patient does
// not exist. It returns a Conflict error if either is merged already, and a Taken error if the person would have two
// appointments at once.
func (s *PatientService) Merge(ctx context.Context, id, into uuid.UUID, current Precondition, reason string) (*models.Patient, error) {
	return s.link(ctx, audit.Merge, id, current, reason, func(ctx context.Context) (*models.Patient, error) {
		if id == into {
			return nil, apperr.InvalidFields(apperr.Field{Pointer: "/into_id", Code: "unexpected", Detail: "Must be another patient."})
		}
		p, kept, err := s.lockPair(ctx, id, into)
		if err != nil {
			return nil, err
		}
		hasOthers, err := s.patients.IsKept(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case p.MergedIntoID != nil || hasOthers:
			return nil, conflict("The patient is already part of a merge. Undo that merge first.")
		case kept.MergedIntoID != nil:
			return nil, conflict("The patient of into_id was merged into a third patient. Merge into that one.")
		}
		if err := s.apart(ctx, id, into); err != nil {
			return nil, err
		}
		p.MergedIntoID = &kept.ID
		return p, nil
	})
}

// apart returns a Taken error, with each time, if two patients have future appointments that one person could not
// keep.
func (s *PatientService) apart(ctx context.Context, id, into uuid.UUID) error {
	meeting, err := s.appointments.Meeting(ctx, id, into, time.Now())
	if err != nil || len(meeting) == 0 {
		return err
	}
	taken := apperr.New(apperr.Taken, "Both patients have appointments at the same time. Move or cancel one, or allow the overlap, and merge then.")
	for _, t := range meeting {
		taken.Fields = append(taken.Fields, Conflict{PatientTaken, t.Start, t.End}.field("/into_id", ""))
	}
	return taken
}

// lockPair locks two patients, always in the same order.
func (s *PatientService) lockPair(ctx context.Context, id, into uuid.UUID) (p, kept *models.Patient, err error) {
	order := []uuid.UUID{id, into}
	slices.SortFunc(order, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	for _, one := range order {
		locked, err := s.patients.Locked(ctx, one)
		switch {
		case err != nil && one == into:
			return nil, nil, unknownReference(err, "/into_id")
		case err != nil:
			return nil, nil, err
		case one == id:
			p = locked
		default:
			kept = locked
		}
	}
	return p, kept, nil
}

// Unmerge takes back a merge. It returns a NotFound error, a Stale error, an Invalid error without a reason, or a
// Conflict error if there is no merge.
func (s *PatientService) Unmerge(ctx context.Context, id uuid.UUID, current Precondition, reason string) (*models.Patient, error) {
	return s.link(ctx, audit.Unmerge, id, current, reason, func(ctx context.Context) (*models.Patient, error) {
		p, err := s.patients.Locked(ctx, id)
		if err != nil {
			return nil, err
		}
		if p.MergedIntoID == nil {
			return nil, conflict("The patient was not merged into another one.")
		}
		p.MergedIntoID = nil
		return p, nil
	})
}

// link changes the patient that a patient is merged into.
func (s *PatientService) link(ctx context.Context, action string, id uuid.UUID, current Precondition, reason string,
	edit func(context.Context) (*models.Patient, error),
) (*models.Patient, error) {
	var v validation
	intent := audit.Intent{Action: action, EntityType: "patient", EntityID: id}
	if v.required("/reason", &reason, maxOther) {
		intent.Reason = reason
	}
	return guarded(ctx, s.store, PatientMerge, intent, s.store.Retried, func(ctx context.Context) (*models.Patient, error) {
		if err := v.err(); err != nil {
			return nil, err
		}
		if err := s.care.inCare(ctx, id); err != nil {
			return nil, err
		}
		p, err := edit(ctx)
		if err != nil {
			return nil, err
		}
		if err := current.check(p.Version); err != nil {
			return nil, err
		}
		return p, s.patients.Update(ctx, p)
	})
}
