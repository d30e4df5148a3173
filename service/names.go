package service

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// names puts the names of people beside their ids, where the actor may see them: one query for all accounts of a page,
// and one for all patients. The event of the unit of work names the patients.
type names struct {
	care     *Care
	patients *repository.PatientRepository
	accounts *repository.AccountRepository
}

func newNames(store *repository.Store, care *Care) names {
	return names{care, repository.NewPatientRepository(store), repository.NewAccountRepository(store)}
}

// one returns a function that puts names beside an appointment.
func (n names) one(ctx context.Context) func(*models.Appointment, error) (*models.Appointment, error) {
	return func(a *models.Appointment, err error) (*models.Appointment, error) {
		if err != nil {
			return nil, err
		}
		return a, n.beside(ctx, a)
	}
}

// page returns a function that puts names beside a page of appointments.
func (n names) page(ctx context.Context,
) func([]*models.Appointment, bool, error) ([]*models.Appointment, bool, error) {
	return func(rows []*models.Appointment, more bool, err error) ([]*models.Appointment, bool, error) {
		if err != nil {
			return nil, false, err
		}
		return rows, more, n.beside(ctx, rows...)
	}
}

// beside puts the names of patients and practitioners into appointments that the actor is about to be shown.
func (n names) beside(ctx context.Context, rows ...*models.Appointment) error {
	var patients, practitioners []uuid.UUID
	for _, a := range rows {
		if !a.Unreadable() {
			patients, practitioners = append(patients, a.PatientID), append(practitioners, a.PractitionerID)
		}
	}
	ofPatients, err := n.ofPatients(ctx, patients)
	if err != nil {
		return err
	}
	ofAccounts, err := n.ofAccounts(ctx, practitioners)
	if err != nil {
		return err
	}
	for _, a := range rows {
		a.PatientName, a.PractitionerName = ofPatients[a.PatientID], nil
		if name, ok := ofAccounts[a.PractitionerID]; ok {
			a.PractitionerName = &name
		}
	}
	return nil
}

// ofAccounts returns the names of accounts by id, also of disabled ones: none where the actor may not see names.
func (n names) ofAccounts(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || len(ids) == 0 || reachOf(actor, PractitionerRead) == None {
		return nil, err
	}
	return n.accounts.Names(ctx, distinct(ids))
}

// ofPatients returns the names of patients by id: of those whom the actor may read, and who can be opened.
func (n names) ofPatients(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]phi.Text, error) {
	sight, err := n.care.besides(ctx)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	found, err := n.patients.Among(ctx, distinct(ids), sight)
	if err != nil {
		return nil, err
	}
	out := make(map[uuid.UUID]phi.Text, len(found))
	for _, p := range found {
		if !p.Unreadable() {
			out[p.ID] = phi.Of(p.FirstName.Plain() + " " + p.LastName.Plain())
		}
	}
	return out, nil
}

// distinct returns ids without repetitions.
func distinct(ids []uuid.UUID) []uuid.UUID {
	var out []uuid.UUID
	seen := map[uuid.UUID]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
