package repository

import (
	"context"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/models"
)

// MedicalRecordRepository finds and keeps medical records.
type MedicalRecordRepository struct{ Base[models.MedicalRecord] }

// NewMedicalRecordRepository returns the medical records of a store.
func NewMedicalRecordRepository(s *Store) *MedicalRecordRepository {
	return &MedicalRecordRepository{Base[models.MedicalRecord]{s}}
}

// RecordQuery narrows a list of records. A zero member adds no condition.
type RecordQuery struct {
	PatientID     uuid.UUID
	AppointmentID []uuid.UUID // one of these
	AuthorID      []uuid.UUID // one of these
	Kind          []string    // one of these
	Status        []string    // one of these
	From, To      time.Time   // From <= occurred_at < To
}

func (q RecordQuery) narrow(db *gorm.DB) *gorm.DB {
	if q.PatientID != uuid.Nil {
		db = db.Scopes(ofPatient(q.PatientID))
	}
	for _, c := range []struct {
		asked     bool
		condition string
		value     any
	}{
		{q.AppointmentID != nil, "appointment_id IN ?", q.AppointmentID},
		{q.AuthorID != nil, "author_id IN ?", q.AuthorID},
		{q.Kind != nil, "kind IN ?", q.Kind},
		{q.Status != nil, "status IN ?", q.Status},
		{!q.From.IsZero(), "occurred_at >= ?", q.From.UTC()},
		{!q.To.IsZero(), "occurred_at < ?", q.To.UTC()},
	} {
		if c.asked {
			db = db.Where(c.condition, c.value)
		}
	}
	return db
}

// Search returns one page of the records in scope that match q, the latest first, and whether there are more.
// Records that can't be opened are marked Unreadable.
func (r *MedicalRecordRepository) Search(ctx context.Context, q RecordQuery, scope RecordScope, page Page) ([]*models.MedicalRecord, bool, error) {
	page.ByTime, page.Descending = "occurred_at", true
	return r.List(ctx, page, scope.narrow, q.narrow)
}

// InScope returns a record in scope. It returns a NotFound error if there is none in scope, or an Unreadable error.
func (r *MedicalRecordRepository) InScope(ctx context.Context, id uuid.UUID, scope RecordScope) (*models.MedicalRecord, error) {
	var m models.MedicalRecord
	if err := r.store.handle(ctx).Scopes(scope.narrow).Where("id = ?", id).Take(&m).Error; err != nil {
		return nil, translate(err)
	}
	return &m, nil
}

// InScopeOf is InScope for a record of a patient, or of a patient merged into that one.
func (r *MedicalRecordRepository) InScopeOf(ctx context.Context, patientID, id uuid.UUID, scope RecordScope) (*models.MedicalRecord, error) {
	var m models.MedicalRecord
	if err := r.store.handle(ctx).Scopes(scope.narrow, ofPatient(patientID)).Where("id = ?", id).Take(&m).Error; err != nil {
		return nil, translate(err)
	}
	return &m, nil
}

// BegunBy returns the subset of ids that an account began: records that it wrote, and amendments of such records.
// Records of normal sensitivity are left out. It shows nothing of the records, and is not an access.
func (r *MedicalRecordRepository) BegunBy(ctx context.Context, accountID uuid.UUID, ids []uuid.UUID) ([]uuid.UUID, error) {
	var found []uuid.UUID
	err := r.store.handle(ctx).Model(&models.MedicalRecord{}).
		Where("id IN @ids AND id IN ("+begun+")", map[string]any{"ids": ids, "account": accountID}).Pluck("id", &found).Error
	return found, translate(err)
}

// Protected returns the subset of ids that are records protected by 42 CFR Part 2. It shows nothing of them, and is
// not an access.
func (r *MedicalRecordRepository) Protected(ctx context.Context, ids []uuid.UUID) ([]uuid.UUID, error) {
	var found []uuid.UUID
	err := r.store.handle(ctx).Model(&models.MedicalRecord{}).Where("id IN ? AND sensitivity = ?", ids, models.SensitivityPart2).Pluck("id", &found).Error
	return found, translate(err)
}

// versions is the query of the ids of all versions of a record: the record, its predecessors, and its successors.
const versions = "WITH RECURSIVE chain (id, supersedes_id) AS (SELECT id, supersedes_id FROM medicalrecord WHERE id = ? UNION " +
	"SELECT r.id, r.supersedes_id FROM medicalrecord AS r JOIN chain AS c ON r.id = c.supersedes_id OR r.supersedes_id = c.id) SELECT id FROM chain"

// History returns the versions of a record that are in scope: the record, its predecessors, and its successors. The
// first version comes first. Versions that can't be opened are marked Unreadable.
func (r *MedicalRecordRepository) History(ctx context.Context, id uuid.UUID, scope RecordScope) ([]*models.MedicalRecord, error) {
	var rows []*models.MedicalRecord
	db := r.store.handle(models.TolerateUnreadable(ctx)).Scopes(scope.narrow).Where("id IN ("+versions+")", id)
	err := db.Order("created_at, id").Find(&rows).Error
	return rows, translate(err)
}

// Versions returns all versions of a record, regardless of the caller's scope. The caller must not show them.
func (r *MedicalRecordRepository) Versions(ctx context.Context, id uuid.UUID) ([]*models.MedicalRecord, error) {
	rows, _, err := r.List(ctx, everyone, func(db *gorm.DB) *gorm.DB { return db.Where("id IN ("+versions+")", id) })
	return rows, err
}

// FirstAuthor returns the id of the account that wrote the first version of a record. It shows nothing of the
// record, and is not an access. It returns a NotFound error.
func (r *MedicalRecordRepository) FirstAuthor(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return r.one(ctx, "author_id", "supersedes_id IS NULL AND id IN ("+versions+")", id)
}

// successors is the query of the ids of a record and of all records that supersede it, directly or not.
const successors = "WITH RECURSIVE later (id) AS (SELECT id FROM medicalrecord WHERE id = @id UNION ALL " +
	"SELECT r.id FROM medicalrecord AS r JOIN later AS l ON r.supersedes_id = l.id) SELECT id FROM later"

// LastVersion returns the id of the last version of a record, if all versions after the record were entered in
// error. It shows nothing of the record, and is not an access. It returns a NotFound error if a later version is
// valid.
func (r *MedicalRecordRepository) LastVersion(ctx context.Context, id uuid.UUID) (uuid.UUID, error) {
	return r.one(ctx, "id", "id IN ("+successors+") AND NOT EXISTS (SELECT 1 FROM medicalrecord AS next WHERE next.supersedes_id = medicalrecord.id)"+
		" AND NOT EXISTS (SELECT 1 FROM medicalrecord AS other WHERE other.id <> @id AND other.status <> '"+models.RecordInError+"' AND other.id IN ("+successors+"))",
		map[string]any{"id": id})
}

// one returns the id in a column of the record that satisfies a condition.
func (r *MedicalRecordRepository) one(ctx context.Context, column, condition string, of any) (uuid.UUID, error) {
	var found []uuid.UUID
	err := r.store.handle(ctx).Model(&models.MedicalRecord{}).Where(condition, of).Pluck(column, &found).Error
	if err == nil && len(found) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return uuid.Nil, translate(err)
	}
	return found[0], nil
}

// CanFollow reports whether a patient has this record, the record is no draft, and nothing supersedes it. It shows
// nothing of the record.
func (r *MedicalRecordRepository) CanFollow(ctx context.Context, id, patientID uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.MedicalRecord{}).
		Where("id = ? AND patient_id = ? AND status <> '"+models.RecordDraft+"' AND NOT EXISTS (SELECT 1 FROM medicalrecord AS later WHERE later.supersedes_id = ?)", id, patientID, id).Count(&n).Error
	return n > 0, translate(err)
}

// Known returns the subset of ids that are records already. It shows nothing of them, and is not an access.
func (r *MedicalRecordRepository) Known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	return r.known(ctx, ids)
}
