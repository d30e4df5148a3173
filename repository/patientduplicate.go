package repository

import (
	"context"

	"github.com/google/uuid"

	"novamind/models"
)

// Namesakes returns the patients with the names and the date of birth of p, which is not stored yet. Until the
// transaction of ctx ends, it keeps others from registering a patient of the same last name.
func (r *PatientRepository) Namesakes(ctx context.Context, p *models.Patient) ([]*models.Patient, error) {
	if err := r.holdName(ctx, p); err != nil {
		return nil, err
	}
	first, last, born := p.FirstName.Plain(), p.LastName.Plain(), p.DateOfBirth.Plain()
	found, _, err := r.Search(ctx, models.PatientQuery{FirstName: &first, LastName: &last, DateOfBirth: &born}, everyone, Scope{All: true})
	if err != nil {
		return nil, err
	}
	var same []*models.Patient
	for _, other := range found {
		if !other.Unreadable() && models.SameName(p, other) {
			same = append(same, other)
		} else {
			withhold(ctx, []*models.Patient{other})
		}
	}
	return same, nil
}

// holdName takes a lock by the token of the last name. SQLite needs no lock: it has one writer at a time.
func (r *PatientRepository) holdName(ctx context.Context, p *models.Patient) error {
	if r.store.engine == SQLite {
		return nil
	}
	last := p.LastName.Plain()
	candidates, err := models.PatientQuery{LastName: &last}.Candidates(r.store.keyring.Indexer())
	if err != nil || len(candidates) == 0 || len(candidates[0]) == 0 {
		return translate(err)
	}
	_, err = r.store.handle(ctx).Statement.ConnPool.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", candidates[0][0])
	return translate(err)
}

// Shared reports whether another patient in scope has the e-mail address, or one of the phone numbers, of p. It
// shows no patient.
func (r *PatientRepository) Shared(ctx context.Context, p *models.Patient, scope Scope) (email, phone bool, err error) {
	contact := p.ContactInfo.Plain()
	if contact.Email != "" {
		if email, err = r.sharesAny(ctx, p.ID, scope, models.PatientQuery{Email: &contact.Email}); err != nil {
			return false, false, err
		}
	}
	for _, number := range []string{contact.Phone, contact.AlternativePhone} {
		if number == "" || phone {
			continue
		}
		if phone, err = r.sharesAny(ctx, p.ID, scope, models.PatientQuery{Phone: &number}); err != nil {
			return false, false, err
		}
	}
	return email, phone, nil
}

// sharesAny queries the index alone: a token of an e-mail address or a phone number never stands for two values.
func (r *PatientRepository) sharesAny(ctx context.Context, id uuid.UUID, scope Scope, q models.PatientQuery) (bool, error) {
	where, err := r.narrow(q)
	if err != nil {
		return false, err
	}
	var n int64
	err = r.store.handle(ctx).Model(&models.Patient{}).Scopes(where, scope.Narrow("id")).Where("id <> ?", id).Count(&n).Error
	return n > 0, translate(err)
}
