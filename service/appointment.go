package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/models"
	"novamind/repository"
)

// AppointmentService keeps the clinic's appointments. Two appointments of one practitioner or one patient never
// overlap, unless an actor with the permission allowed it and gave a reason.
//
// Every method is one unit of work and records its event. It returns a Forbidden error if no role of the actor
// permits it, a NotFound error if the patient is out of the actor's scope, and an audit.unavailable error if the
// event can't be stored.
type AppointmentService struct {
	store          namingStore
	care           *Care
	patients       *repository.PatientRepository
	accounts       *repository.AccountRepository
	appointments   *repository.AppointmentRepository
	series         *repository.AppointmentSeriesRepository
	availabilities *repository.AvailabilityRepository
	zone           string
	hold           time.Duration
}

// NewAppointmentService returns the service on a store.
func NewAppointmentService(store *repository.Store, care *Care, clinic config.Clinic) *AppointmentService {
	return &AppointmentService{
		store: withNames(store, care), care: care, zone: clinic.TimeZone, hold: clinic.HoldTime,
		patients:       repository.NewPatientRepository(store),
		accounts:       repository.NewAccountRepository(store),
		appointments:   repository.NewAppointmentRepository(store),
		series:         repository.NewAppointmentSeriesRepository(store),
		availabilities: repository.NewAvailabilityRepository(store),
	}
}

// AppointmentQuery narrows a list of appointments.
type AppointmentQuery = repository.AppointmentQuery

// Book makes an appointment, or a hold that expires. It returns an Invalid error, a Taken error that names the taken
// interval, or an OutsideHours error.
func (s *AppointmentService) Book(ctx context.Context, in AppointmentInput) (*models.Appointment, error) {
	in = in.withDefaults(s.zone)
	intent := audit.Intent{Action: audit.Create, EntityType: "appointment"}
	return guarded(ctx, s.store, AppointmentCreate, intent, s.store.Retried,
		func(ctx context.Context) (*models.Appointment, error) {
			now, a := time.Now(), &models.Appointment{}
			if err := in.begin(a, now.Add(s.hold)); err != nil {
				return nil, err
			}
			if err := s.care.inCareFor(ctx, a.PatientID); err != nil {
				return nil, err
			}
			if err := s.place(ctx, now, a); err != nil {
				return nil, err
			}
			return a, s.appointments.Create(ctx, a)
		})
}

// place returns an error unless appointments of one patient can be at their times. Rows with an id are stored
// already, and are being moved.
func (s *AppointmentService) place(ctx context.Context, now time.Time, rows ...*models.Appointment) error {
	patientID, isNew := rows[0].PatientID, rows[0].ID == uuid.Nil
	for _, practitioner := range practitionersOf(rows) {
		patient, err := s.claim(ctx, repository.Parties{PatientID: patientID, PractitionerID: practitioner}, now)
		if apperr.Is(err, apperr.NotFound) {
			err = outOfScope()
		}
		if err != nil {
			return err
		}
		if err := s.bookable(ctx, practitioner, patient, isNew); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(rows, func(a *models.Appointment) bool { return a.AllowOverlap }) {
		if err := s.mayOverlap(ctx); err != nil {
			return err
		}
	}
	if err := s.free(ctx, rows, now); err != nil {
		return err
	}
	entries := make([]uuid.UUID, len(rows))
	for i, a := range rows {
		if a.ID == uuid.Nil {
			a.ID = uuid.Must(uuid.NewV7())
		}
		entries[i] = a.ID
	}
	return s.care.entering(ctx, patientID, entries...)
}

// mayOverlap returns a Forbidden error unless the actor may book over other appointments.
func (s *AppointmentService) mayOverlap(ctx context.Context) error {
	actor, err := audit.ActorFrom(ctx)
	if err == nil && reachOf(actor, AppointmentOverlap) == None {
		err = apperr.New(apperr.Forbidden, "None of your roles permits overlaps.")
	}
	return err
}

// Get returns an appointment. It returns a NotFound error, or an Unreadable one.
func (s *AppointmentService) Get(ctx context.Context, id uuid.UUID) (*models.Appointment, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "appointment", EntityID: id}
	return guarded(ctx, s.store, AppointmentRead, intent, s.store.Read,
		func(ctx context.Context) (*models.Appointment, error) {
			if _, err := s.parties(ctx, id); err != nil {
				return nil, err
			}
			return s.appointments.ByID(ctx, id)
		})
}

// parties returns the patient and the practitioner of an appointment, or a NotFound error if the patient is out of
// the actor's scope.
func (s *AppointmentService) parties(ctx context.Context, id uuid.UUID) (repository.Parties, error) {
	p, err := s.appointments.PartiesOf(ctx, id)
	return p, s.care.inCareOf(ctx, p.PatientID, err)
}

// Search returns one page of the appointments in the actor's scope that match q, ordered by their starts, and whether
// there are more. It returns a NotFound error if the patient or a series of q is out of the actor's scope.
func (s *AppointmentService) Search(ctx context.Context, q AppointmentQuery, page Page) ([]*models.Appointment, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "appointment"}
	return guardedPage(ctx, s.store, AppointmentRead, intent,
		func(ctx context.Context) ([]*models.Appointment, bool, error) {
			if err := s.asked(ctx, q); err != nil {
				return nil, false, err
			}
			scope, err := s.care.scope(ctx)
			if err != nil {
				return nil, false, err
			}
			return s.appointments.Search(ctx, q, page, scope.Narrow("patient_id"))
		})
}

// asked returns a NotFound error if a query names a patient out of the actor's scope. Its event names the patient.
func (s *AppointmentService) asked(ctx context.Context, q AppointmentQuery) error {
	for _, id := range q.SeriesID {
		if _, err := s.seriesInScope(ctx, id); err != nil {
			return unseen(err)
		}
	}
	if q.PatientID != uuid.Nil {
		return s.care.inCareFor(ctx, q.PatientID)
	}
	return nil
}

// OfPatient is Search for one patient. It returns a NotFound error if the patient is out of the actor's scope.
func (s *AppointmentService) OfPatient(ctx context.Context, patientID uuid.UUID, q AppointmentQuery, page Page) ([]*models.Appointment, bool, error) {
	q.PatientID = patientID
	intent := audit.Intent{Action: audit.List, EntityType: "appointment", Details: "of one patient"}
	return guardedPage(ctx, s.store, AppointmentRead, intent,
		func(ctx context.Context) ([]*models.Appointment, bool, error) {
			if err := s.care.inCareFor(ctx, patientID); err != nil {
				return nil, false, err
			}
			known, err := s.patients.Known(ctx, []uuid.UUID{patientID})
			if err == nil && !known[patientID] {
				err = outOfScope()
			}
			if err != nil {
				return nil, false, err
			}
			return s.appointments.Search(ctx, q, page)
		})
}
