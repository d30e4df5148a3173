package repository

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"novamind/models"
)

// Misindexed looks at the next patients after the given id, at most limit. It returns the ids of patients whose
// stored tokens do not match their data, and the id to continue after (Nil when there are no more). Call it inside
// InTx. It shows no patient to anyone. Patients that can't be opened are left out: reading them reports it.
func (r *PatientRepository) Misindexed(ctx context.Context, after uuid.UUID, limit int) ([]uuid.UUID, uuid.UUID, error) {
	rows, more, err := r.List(ctx, Page{Limit: limit, After: after})
	if err != nil || len(rows) == 0 {
		return nil, uuid.Nil, err
	}
	withhold(ctx, rows)
	stored, err := r.storedTokens(ctx, rows)
	if err != nil {
		return nil, uuid.Nil, err
	}
	var wrong []uuid.UUID
	for _, p := range rows {
		if p.Unreadable() {
			continue
		}
		sound, err := p.IndexedBy(stored[p.ID], r.store.keyring.Indexer())
		if err != nil {
			return nil, uuid.Nil, translate(err)
		}
		if !sound {
			wrong = append(wrong, p.ID)
		}
	}
	if !more {
		return wrong, uuid.Nil, nil
	}
	return wrong, rows[len(rows)-1].ID, nil
}

// storedTokens returns the tokens of patients, sorted.
func (r *PatientRepository) storedTokens(ctx context.Context, patients []*models.Patient) (map[uuid.UUID][]string, error) {
	ids := make([]uuid.UUID, len(patients))
	for i, p := range patients {
		ids[i] = p.ID
	}
	var rows []models.BlindIndex
	if err := r.store.handle(ctx).Where(r.store.among("patient_id", ids)).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	tokens := make(map[uuid.UUID][]string, len(patients))
	for _, row := range rows {
		tokens[row.PatientID] = append(tokens[row.PatientID], row.Token)
	}
	for _, own := range tokens {
		slices.Sort(own)
	}
	return tokens, nil
}
