package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
	"novamind/repository"
)

// The numbers of rows that a chart shows at first. The lists have the rest.
const (
	chartAppointments = 10
	chartRecords      = 20
	chartFlags        = 20
)

// Chart is the overview of a patient.
type Chart struct {
	Patient      *models.Patient
	Merged       []*models.Patient // patients merged into this one; their rows are in the chart too
	Appointments []*models.Appointment
	Records      []*models.MedicalRecord
	Flags        []*models.RiskFlag
}

// rows returns the rows that get names beside their ids.
func (c *Chart) rows() []any { return []any{c.Appointments, c.Records, c.Flags} }

// ChartService shows charts.
type ChartService struct {
	records      *MedicalRecordService
	patients     *repository.PatientRepository
	appointments *repository.AppointmentRepository
	store        Store
}

// NewChartService returns the service on a store.
func NewChartService(store *repository.Store, records *MedicalRecordService) *ChartService {
	return &ChartService{
		records:      records,
		patients:     repository.NewPatientRepository(store),
		appointments: repository.NewAppointmentRepository(store),
		store:        withNames(store, records.care),
	}
}

// Of returns the chart of a patient in the actor's care: the patient, the next appointments, the latest records that
// the actor may see, and open flags. The number of queries does not depend on the number of rows. Psychotherapy notes
// are never in a chart. Of returns a Forbidden, a NotFound or an Unreadable error.
func (s *ChartService) Of(ctx context.Context, patientID uuid.UUID) (*Chart, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "patient", EntityID: patientID, Details: "chart"}
	return guarded(ctx, s.store, MedicalRecordRead, intent, s.store.Read, func(ctx context.Context) (*Chart, error) {
		if err := s.records.care.inCare(ctx, patientID); err != nil {
			return nil, err
		}
		scope, err := s.records.listScope(ctx, false)
		if err != nil {
			return nil, err
		}
		c := &Chart{}
		return c, s.fill(ctx, c, patientID, scope)
	})
}

func (s *ChartService) fill(ctx context.Context, c *Chart, patientID uuid.UUID, scope repository.RecordScope) (err error) {
	if c.Patient, err = s.patients.ByID(ctx, patientID); err != nil {
		return err
	}
	if c.Merged, err = s.patients.MergedInto(ctx, patientID); err != nil {
		return err
	}
	if c.Appointments, _, err = s.appointments.Upcoming(ctx, patientID, time.Now(), Page{Limit: chartAppointments}); err != nil {
		return err
	}
	if c.Records, _, err = s.records.records.Search(ctx, RecordQuery{PatientID: patientID}, scope, Page{Limit: chartRecords}); err != nil {
		return err
	}
	if c.Flags, _, err = s.records.flags.Of(ctx, patientID, true, scope, Page{Limit: chartFlags}); err != nil {
		return err
	}
	return s.records.disclose(ctx, c.Records, c.Flags...)
}
