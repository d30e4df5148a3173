package service

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// PatientService keeps the clinic's patients (specification 6).
//
// Every method is one unit of work and records its event. It returns a Forbidden error if no role of the actor
// permits it, a NotFound error if the patient is out of the actor's scope, and an audit.unavailable error if the
// event can't be stored.
type PatientService struct {
	store    Store
	care     *Care
	patients *repository.PatientRepository
	region   string

	appointments *repository.AppointmentRepository
}

// NewPatientService returns the service on a store. phoneRegion is the region of phone numbers without a country
// code.
func NewPatientService(store *repository.Store, care *Care, phoneRegion string) *PatientService {
	return &PatientService{
		store: store, care: care, region: phoneRegion,
		patients: repository.NewPatientRepository(store), appointments: repository.NewAppointmentRepository(store),
	}
}

// Registration is a new patient. If the clinic already has a patient with the same names and date of birth, the
// registration must say that this is another person, and give a reason.
type Registration struct {
	PatientInput

	AllowDuplicate  bool   `json:"allow_duplicate,omitempty" doc:"Register the patient even if another patient has the same names and date of birth."`
	DuplicateReason string `json:"duplicate_reason,omitempty" max:"200" doc:"The reason why this is another patient. Required with allow_duplicate."`
}

// Faults returns the rules that the registration breaks.
func (in Registration) Faults(rules Rules) []apperr.Field {
	v := validation{in.PatientInput.Faults(rules)}
	if in.AllowDuplicate {
		v.required("/duplicate_reason", &in.DuplicateReason, maxOther)
	}
	return v.fields
}

// Registered is a patient with warnings. A warning is often correct input that may be a mistake; families, for
// example, share phones.
type Registered struct {
	*models.Patient

	Warnings []apperr.Field
}

// Register adds a patient. It returns an Invalid error, or a PossibleDuplicate error with the candidates that the
// actor may see.
func (s *PatientService) Register(ctx context.Context, in Registration) (*Registered, error) {
	intent := audit.Intent{Action: audit.Create, EntityType: "patient"}
	v := validation{in.Faults(Rules{PhoneRegion: s.region})}
	if in.AllowDuplicate && len(v.fields) == 0 {
		intent.Reason = strings.TrimSpace(in.DuplicateReason)
	}
	return guarded(ctx, s.store, PatientCreate, intent, s.store.InTx, func(ctx context.Context) (*Registered, error) {
		if err := v.err(); err != nil {
			return nil, err
		}
		return s.warned(ctx)(s.register(ctx, in))
	})
}

// Registered returns a patient in the form of the answer to a registration. It returns the errors of Get.
func (s *PatientService) Registered(ctx context.Context, id uuid.UUID) (*Registered, error) {
	return guarded(ctx, s.store, PatientRead, readPatient(id), s.store.Read, func(ctx context.Context) (*Registered, error) {
		return s.warned(ctx)(s.inScope(ctx, id))
	})
}

// warned returns a function that adds warnings to a patient.
func (s *PatientService) warned(ctx context.Context) func(*models.Patient, error) (*Registered, error) {
	return func(p *models.Patient, err error) (*Registered, error) {
		if err != nil {
			return nil, err
		}
		warnings, err := s.warnings(ctx, p)
		return &Registered{p, warnings}, err
	}
}

func (s *PatientService) register(ctx context.Context, in Registration) (*models.Patient, error) {
	p := &models.Patient{Active: true}
	now := time.Now()
	if err := in.applyTo(p, s.region, now); err != nil {
		return nil, err
	}
	if !in.AllowDuplicate {
		if err := s.refuseDuplicate(ctx, p); err != nil {
			return nil, err
		}
	}
	if err := s.patients.Create(ctx, p); err != nil {
		return nil, err
	}
	return p, s.care.noteRegistered(ctx, p.ID, now)
}

// Get returns a patient. It returns a NotFound error, or an Unreadable one.
func (s *PatientService) Get(ctx context.Context, id uuid.UUID) (*models.Patient, error) {
	return guarded(ctx, s.store, PatientRead, readPatient(id), s.store.Read, func(ctx context.Context) (*models.Patient, error) {
		return s.inScope(ctx, id)
	})
}

func readPatient(id uuid.UUID) audit.Intent {
	return audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: id}
}

// inScope returns a patient, or a NotFound error if the patient is out of the actor's scope.
func (s *PatientService) inScope(ctx context.Context, id uuid.UUID) (*models.Patient, error) {
	if err := s.care.inCare(ctx, id); err != nil {
		return nil, err
	}
	return s.patients.ByID(ctx, id)
}

// Search returns one page of the patients in the actor's scope that match q, and whether there are more. The zero q
// lists all. Search returns an Invalid error for a date of birth without a name, because it would list everybody with
// that birthday.
func (s *PatientService) Search(ctx context.Context, q models.PatientQuery, page Page) ([]*models.Patient, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "patient", Details: q.Shape()}
	if q.ByPerson() {
		intent.Action = audit.Search
	}
	return guardedPage(ctx, s.store, PatientRead, intent, func(ctx context.Context) ([]*models.Patient, bool, error) {
		if err := dateNeedsName(q); err != nil {
			return nil, false, err
		}
		scope, err := s.care.scope(ctx)
		if err != nil {
			return nil, false, err
		}
		return s.patients.Search(ctx, q, page, scope)
	})
}

// Change replaces the data of a patient by the result of edit. It returns a NotFound error, a Stale error if current
// refuses the version, an Invalid error, or the error of edit.
func (s *PatientService) Change(ctx context.Context, id uuid.UUID, current Precondition,
	edit func(*models.Patient) (PatientInput, error),
) (*models.Patient, error) {
	return s.change(ctx, PatientUpdate, audit.Intent{Action: audit.Update, EntityType: "patient", EntityID: id}, current,
		func(ctx context.Context, p *models.Patient) error {
			in, err := edit(p)
			if err != nil {
				return err
			}
			if err := in.applyTo(p, s.region, time.Now()); err != nil {
				return err
			}
			return s.patients.Update(ctx, p)
		})
}

// Deactivate ends a patient's care without removing anything. It returns a NotFound or a Stale error.
func (s *PatientService) Deactivate(ctx context.Context, id uuid.UUID, current Precondition) (*models.Patient, error) {
	return s.change(ctx, PatientDeactivate, audit.Intent{Action: audit.Deactivate, EntityType: "patient", EntityID: id}, current,
		func(ctx context.Context, p *models.Patient) error {
			p.Active = false
			return s.patients.Update(ctx, p)
		})
}

// Purge removes a patient and all their rows for good. It also removes a patient that can't be opened; the event says
// so. Purge returns a NotFound or a Stale error, or an Invalid error without a reason. It returns a Conflict error if
// others were merged into the patient, or have records about the patient's appointments.
func (s *PatientService) Purge(ctx context.Context, id uuid.UUID, current Precondition, reason string) error {
	var v validation
	intent := audit.Intent{Action: audit.Purge, EntityType: "patient", EntityID: id}
	if v.required("?reason", &reason, maxOther) {
		intent.Reason = reason
	}
	_, err := s.change(models.TolerateUnreadable(ctx), PatientPurge, intent, current, func(ctx context.Context, p *models.Patient) error {
		if err := v.err(); err != nil {
			return err
		}
		if kept, err := s.patients.IsKept(ctx, id); err != nil || kept {
			return cmp.Or(err, conflict("Other patients were merged into this one. Unmerge or purge them first."))
		}
		if referred, err := s.patients.IsReferredTo(ctx, id); err != nil || referred {
			return cmp.Or(err, conflict("Records in another chart of the same person refer to appointments of this patient. Purge the patient of that chart first."))
		}
		return s.patients.Delete(ctx, p)
	})
	return err
}

func (s *PatientService) change(ctx context.Context, permission Permission, intent audit.Intent, current Precondition,
	do func(context.Context, *models.Patient) error,
) (*models.Patient, error) {
	return guarded(ctx, s.store, permission, intent, s.store.InTx, func(ctx context.Context) (*models.Patient, error) {
		p, err := s.inScope(ctx, intent.EntityID)
		if err != nil {
			return nil, err
		}
		if err := current.check(p.Version); err != nil {
			return nil, err
		}
		return p, do(ctx, p)
	})
}
