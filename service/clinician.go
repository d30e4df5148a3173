package service

import (
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
	repository.CareReason

	Name string
}

// CareService shows and changes the care team of a patient. Every method is one unit of work and records its event.
// It returns a Forbidden error if no role of the actor permits it, and a NotFound error if the patient is out of the
// actor's scope.
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

// Clinicians returns the present and former care team of a patient, with one entry for each reason. A record as the
// reason is shown only to its author.
func (s *CareService) Clinicians(ctx context.Context, patientID uuid.UUID) ([]Clinician, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "carerelationship", EntityID: patientID}
	return guarded(ctx, s.store, PatientRead, intent, s.store.Read, func(ctx context.Context) ([]Clinician, error) {
		if err := s.care.inCare(ctx, patientID); err != nil {
			return nil, err
		}
		known, err := s.patients.Known(ctx, []uuid.UUID{patientID})
		if err != nil {
			return nil, err
		}
		if !known[patientID] {
			return nil, outOfScope()
		}
		rows, err := s.care.relationships.Of(ctx, patientID)
		if err != nil {
			return nil, err
		}
		return s.named(ctx, withoutOthersRecords(ctx, rows))
	})
}

// withoutOthersRecords leaves out records by other authors, because not every actor may know that such records exist.
func withoutOthersRecords(ctx context.Context, rows []repository.CareReason) []repository.CareReason {
	actor, err := audit.ActorFrom(ctx)
	return slices.DeleteFunc(rows, func(row repository.CareReason) bool {
		return row.Kind == models.CareRecord && (err != nil || row.AccountID != actor.ID)
	})
}

func (s *CareService) named(ctx context.Context, rows []repository.CareReason) ([]Clinician, error) {
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

// Assign brings a patient into a clinician's care until Unassign. Actors that see all patients may assign any
// clinician. Actors that registered the patient or are assigned may assign others. All other actors get a Forbidden
// error, and so do actors that assign themselves. Assign returns an Invalid error if the account is not a
// clinician's.
func (s *CareService) Assign(ctx context.Context, patientID, accountID uuid.UUID) (Clinician, error) {
	intent := audit.Intent{Action: audit.Assign, EntityType: "patient", EntityID: patientID}
	return guarded(ctx, s.store, PatientAssign, intent, s.store.InTx, func(ctx context.Context) (assigned Clinician, err error) {
		// Lock the account before the patient, as bookings do; otherwise the two could wait for each other.
		account, missing := s.accounts.Hold(ctx, accountID)
		if missing != nil && !apperr.Is(missing, apperr.NotFound) {
			return assigned, missing
		}
		c, err := s.carers(ctx, patientID)
		if err != nil {
			return assigned, err
		}
		if err := c.mayAssign(accountID); err != nil {
			return assigned, err
		}
		if missing != nil || account.Disabled || !slices.Contains(account.Roles, RoleClinician) {
			return assigned, apperr.InvalidFields(apperr.Field{
				Pointer: "/account_id", Code: "not_clinician", Detail: "Must be an enabled account of a clinician: see GET /api/v1/practitioners.",
			})
		}
		if err := s.care.relationships.Note(ctx, patientID, accountID, models.CareAssigned, time.Now()); err != nil {
			return assigned, err
		}
		reasons, err := s.care.relationships.Of(ctx, patientID)
		if err != nil {
			return assigned, err
		}
		i := slices.IndexFunc(reasons, func(r repository.CareReason) bool { return r.AccountID == accountID && r.Kind == models.CareAssigned })
		assigned = Clinician{reasons[i], account.Name} // the relationship as it is now, which may be older
		return assigned, recordCare(ctx, audit.Assign, patientID, accountID)
	})
}

// Unassign ends an assignment or a registration. Appointments and records still keep the patient in care as long as
// they count. Actors that see all patients may end both, and all actors may end their own. Actors that registered the
// patient or are assigned may end the assignments of others. All other actors get a Forbidden error. current checks
// the patient's version. Unassign returns a Stale error, or a Conflict one if there is nothing to end or nobody would
// be left in lasting care.
func (s *CareService) Unassign(ctx context.Context, patientID, accountID uuid.UUID, current Precondition) error {
	intent := audit.Intent{Action: audit.Unassign, EntityType: "patient", EntityID: patientID}
	return guard(ctx, s.store, PatientAssign, intent, s.store.InTx, func(ctx context.Context) error {
		c, err := s.carers(ctx, patientID)
		if err != nil {
			return err
		}
		if err := current.check(c.patient.Version); err != nil {
			return err
		}
		kinds, err := c.mayEnd(accountID)
		if err != nil {
			return err
		}
		if _, err := s.care.relationships.Remove(ctx, patientID, accountID, kinds...); err != nil {
			return err
		}
		return recordCare(ctx, audit.Unassign, patientID, accountID)
	})
}

// carers are the accounts with a patient in lasting care, and the actor that wants to change them.
type carers struct {
	patient *models.Patient
	all     bool // the actor sees all patients
	actor   uuid.UUID
	kinds   map[uuid.UUID][]string // by account: registered, assigned
}

// carers returns the carers of a patient in the actor's scope. It locks the patient until the transaction ends.
func (s *CareService) carers(ctx context.Context, patientID uuid.UUID) (*carers, error) {
	if err := s.care.inCare(ctx, patientID); err != nil {
		return nil, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	c := &carers{all: grantFrom(ctx) == All, actor: actor.ID, kinds: map[uuid.UUID][]string{}}
	if c.patient, err = s.patients.Locked(ctx, patientID); err != nil { // the caller may see this patient
		return nil, err
	}
	reasons, err := s.care.relationships.Of(ctx, patientID)
	for _, r := range reasons {
		if r.Kind == models.CareRegistered || r.Kind == models.CareAssigned {
			c.kinds[r.AccountID] = append(c.kinds[r.AccountID], r.Kind)
		}
	}
	return c, err
}

var errNotTheirs = apperr.New(apperr.Forbidden, "Ask the front desk, the registering clinician or an assigned clinician to do this.")

func (c *carers) mayAssign(accountID uuid.UUID) error {
	switch {
	case c.all:
		return nil
	case accountID == c.actor:
		return apperr.New(apperr.Forbidden, "You cannot assign yourself. Ask the front desk, the registering clinician or an assigned clinician.")
	case len(c.kinds[c.actor]) == 0:
		return errNotTheirs
	default:
		return nil
	}
}

// mayEnd returns the kinds of an account's care that the actor may end.
func (c *carers) mayEnd(accountID uuid.UUID) ([]string, error) {
	theirs := c.kinds[accountID]
	switch {
	case !c.all && accountID != c.actor && len(c.kinds[c.actor]) == 0:
		return nil, errNotTheirs
	case len(theirs) == 0: // the same answer if they have records: not every actor may know the authors
		return nil, conflict("The clinician neither registered the patient nor is assigned, so there is nothing to end. Appointments and records can keep a patient in care: see docs/access.md.")
	case c.all:
		return theirs, nil
	case len(c.kinds) == 1:
		return nil, conflict("This is the only clinician with the patient in lasting care. Assign another clinician first.")
	case accountID == c.actor:
		return theirs, nil
	case !slices.Contains(theirs, models.CareAssigned):
		return nil, apperr.New(apperr.Forbidden, "Only the front desk or the registering clinician can end a registration.")
	default:
		return []string{models.CareAssigned}, nil
	}
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
