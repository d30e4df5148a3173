package service

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// Clinician is an account with a relationship to a patient.
type Clinician struct {
	models.CareRelationship
	Name string
}

// CareService shows and decides who cares for a patient. Every method is one unit of work and leaves its event; every method returns a Forbidden
// error where no role of the actor permits it, and a NotFound one where the patient is out of the actor's sight.
type CareService struct {
	store    Store
	care     *Care
	accounts *repository.AccountRepository
	patients *repository.PatientRepository
}

// NewCareService returns the service on a store.
func NewCareService(store *repository.Store, care *Care) *CareService {
	return &CareService{
		store: store, care: care,
		accounts: repository.NewAccountRepository(store),
		patients: repository.NewPatientRepository(store),
	}
}

// Clinicians returns who cares for a patient, or did, and why: one entry for each reason. That somebody wrote a record is shown to them alone.
func (s *CareService) Clinicians(ctx context.Context, patientID uuid.UUID) ([]Clinician, error) {
	var found []Clinician
	intent := audit.Intent{Action: audit.List, EntityType: "carerelationship", EntityID: patientID}
	err := guarded(ctx, s.store, PatientRead, intent, s.store.Read, func(ctx context.Context) error {
		if err := s.care.inCare(ctx, patientID); err != nil {
			return err
		}
		known, err := s.patients.Known(ctx, []uuid.UUID{patientID})
		if err != nil {
			return err
		}
		if !known[patientID] {
			return outOfSight()
		}
		rows, err := s.care.relationships.Of(ctx, patientID)
		if err != nil {
			return err
		}
		found, err = s.named(ctx, withoutOthersRecords(ctx, rows))
		return err
	})
	return found, err
}

// withoutOthersRecords leaves out that others wrote records: not everybody may know that there are any.
func withoutOthersRecords(ctx context.Context, rows []models.CareRelationship) []models.CareRelationship {
	actor, err := audit.ActorFrom(ctx)
	return slices.DeleteFunc(rows, func(row models.CareRelationship) bool {
		return row.Kind == models.CareRecord && (err != nil || row.AccountID != actor.ID)
	})
}

func (s *CareService) named(ctx context.Context, rows []models.CareRelationship) ([]Clinician, error) {
	ids := make([]uuid.UUID, len(rows))
	for i, row := range rows {
		ids[i] = row.AccountID
	}
	names, err := s.accounts.Names(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]Clinician, len(rows))
	for i, row := range rows {
		out[i] = Clinician{row, names[row.AccountID]}
	}
	return out, nil
}

// Assign brings a patient into a clinician's care, for good. It returns an Invalid error for an account that is no clinician's, and a Forbidden one for
// the actor's own where they see no more patients than those in their care: an assignment opens restricted records.
func (s *CareService) Assign(ctx context.Context, patientID, accountID uuid.UUID) (Clinician, error) {
	var assigned Clinician
	intent := audit.Intent{Action: audit.Assign, EntityType: "patient", EntityID: patientID}
	err := guarded(ctx, s.store, PatientAssign, intent, s.store.InTx, func(ctx context.Context) error {
		if err := s.care.inLastingCare(ctx, patientID); err != nil {
			return err
		}
		if actor, err := audit.ActorFrom(ctx); err != nil || actor.ID == accountID && grantFrom(ctx) != All {
			return cmp.Or(err, error(apperr.New(apperr.Forbidden, "Nobody assigns themselves: ask the front desk or a colleague.")))
		}
		if _, err := s.patients.ByID(ctx, patientID); err != nil { // whom the caller may see
			return err
		}
		account, err := s.accounts.Hold(ctx, accountID)
		if err != nil && !apperr.Is(err, apperr.NotFound) {
			return err
		}
		if err != nil || account.Disabled || !slices.Contains(account.Roles, RoleClinician) {
			return apperr.InvalidFields(apperr.Field{
				Pointer: "/account_id", Code: "not_clinician", Detail: "Is not the account of a clinician: see GET /api/v1/practitioners.",
			})
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		if err := s.care.relationships.Note(ctx, patientID, accountID, models.CareAssigned, now); err != nil {
			return err
		}
		rows, err := s.care.relationships.Of(ctx, patientID)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(rows, func(row models.CareRelationship) bool { return row.AccountID == accountID && row.Kind == models.CareAssigned })
		assigned = Clinician{rows[i], account.Name} // as it is now: it may have been there before
		return recordCare(ctx, audit.Assign, patientID, accountID)
	})
	return assigned, err
}

// Unassign ends what an assignment or a registration began: appointments and records keep the patient in care until the window closes. current is
// asked about the patient's version. It returns a NotFound error where there is nothing to end, or a Stale one.
func (s *CareService) Unassign(ctx context.Context, patientID, accountID uuid.UUID, current Precondition) error {
	intent := audit.Intent{Action: audit.Unassign, EntityType: "patient", EntityID: patientID}
	return guarded(ctx, s.store, PatientAssign, intent, s.store.InTx, func(ctx context.Context) error {
		if err := s.care.inLastingCare(ctx, patientID); err != nil {
			return err
		}
		p, err := s.patients.ByID(ctx, patientID)
		if err != nil {
			return err
		}
		if !current(p.Version) {
			return apperr.New(apperr.Stale, "The patient has changed since you read it: read it again.")
		}
		removed, err := s.care.relationships.Remove(ctx, patientID, accountID, models.CareAssigned, models.CareRegistered)
		if err != nil {
			return err
		}
		if !removed {
			return apperr.New(apperr.NotFound, "There is no such resource.")
		}
		return recordCare(ctx, audit.Unassign, patientID, accountID)
	})
}

func recordCare(ctx context.Context, action string, patientID, accountID uuid.UUID) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	unit.Record(audit.Event{
		Action: action, EntityType: "patient", EntityID: patientID, Outcome: audit.Success,
		Subjects: []audit.Subject{{ID: patientID, EntityType: "patient"}, {ID: accountID, EntityType: "account"}},
	})
	return nil
}
