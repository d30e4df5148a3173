package repository

import (
	"context"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/models"
)

// AppointmentRepository finds and keeps appointments.
type AppointmentRepository struct{ Base[models.Appointment] }

// NewAppointmentRepository returns the appointments of a store.
func NewAppointmentRepository(s *Store) *AppointmentRepository {
	return &AppointmentRepository{Base[models.Appointment]{s}}
}

// AppointmentQuery narrows a list of appointments. A zero member is not asked for.
type AppointmentQuery struct {
	PractitionerID uuid.UUID
	PatientID      uuid.UUID
	SeriesID       uuid.UUID
	Status         string
	From, To       time.Time // those that have a moment in From <= t < To
}

// Search returns one page of the appointments that match q, in the order of their starts, and whether there are more.
func (r *AppointmentRepository) Search(ctx context.Context, q AppointmentQuery, page Page, where ...func(*gorm.DB) *gorm.DB) ([]*models.Appointment, bool, error) {
	where = append(where, func(db *gorm.DB) *gorm.DB {
		if q.PatientID != uuid.Nil {
			db = db.Scopes(ofPatient(q.PatientID))
		}
		for _, c := range []struct {
			asked     bool
			condition string
			value     any
		}{
			{q.PractitionerID != uuid.Nil, "practitioner_id = ?", q.PractitionerID},
			{q.SeriesID != uuid.Nil, "series_id = ?", q.SeriesID},
			{q.Status != "", "status = ?", q.Status},
			{!q.From.IsZero(), "ends_at > ?", q.From.UTC()},
			{!q.To.IsZero(), "starts_at < ?", q.To.UTC()},
		} {
			if c.asked {
				db = db.Where(c.condition, c.value)
			}
		}
		return db
	})
	page.ByTime = "starts_at"
	return r.List(ctx, page, where...)
}

// Upcoming returns one page of a patient's appointments that are yet to come, or are under way, in the order of their starts, and whether there are more.
func (r *AppointmentRepository) Upcoming(ctx context.Context, patientID uuid.UUID, now time.Time, page Page) ([]*models.Appointment, bool, error) {
	return r.Search(ctx, AppointmentQuery{PatientID: patientID, From: now}, page, func(db *gorm.DB) *gorm.DB { return db.Where(taking(), now.UTC()) })
}

// Known returns those of ids that are appointments already. It shows nothing of them, and is not an access.
func (r *AppointmentRepository) Known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	return r.known(ctx, ids)
}

// Belongs reports whether there is such an appointment of a patient, or of a row of the same person. It shows nothing of it.
func (r *AppointmentRepository) Belongs(ctx context.Context, id, patientID uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Appointment{}).Where("id = ?", id).Scopes(ofPatient(patientID)).Count(&n).Error
	return n > 0, translate(err)
}

// Parties says whose an appointment is.
type Parties struct {
	PatientID, PractitionerID uuid.UUID
	SeriesID                  *uuid.UUID
}

// PartiesOf returns whose an appointment is. It shows nothing else of it, and is no access. It returns a NotFound error.
func (r *AppointmentRepository) PartiesOf(ctx context.Context, id uuid.UUID) (Parties, error) {
	var p Parties
	// Past the guard, which can't know that this shows no content.
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		r.store.rebind("SELECT patient_id, practitioner_id, series_id FROM appointment WHERE id = ?"), id.String())
	return p, translate(row.Scan(&p.PatientID, &p.PractitionerID, &p.SeriesID))
}

// Claim keeps everybody else from giving the practitioner or the patient time until the transaction of ctx ends; the order keeps two claims from waiting for
// each other. It returns a NotFound error where there is no such patient.
func (r *AppointmentRepository) Claim(ctx context.Context, p Parties) (patientActive bool, err error) {
	db, forUpdate := r.store.handle(ctx).Statement.ConnPool, ""
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		forUpdate = " FOR NO KEY UPDATE"
		if _, err := db.ExecContext(ctx, "SELECT 1 FROM account WHERE id = $1"+forUpdate, p.PractitionerID.String()); err != nil {
			return false, translate(err)
		}
	}
	row := db.QueryRowContext(ctx, r.store.rebind("SELECT active FROM patient WHERE id = ?")+forUpdate, p.PatientID.String())
	return patientActive, translate(row.Scan(&patientActive))
}

// Taken is a time that a practitioner, or a patient, has no more to give.
type Taken struct {
	Start, End                time.Time
	ByPractitioner, ByPatient bool // whose it is; both where they have it with each other
}

// taking is the condition that an appointment takes its time: an expired hold does not. Its parameter is the time now.
func taking() string {
	var states []string
	for _, state := range models.AppointmentStates() {
		if models.Occupies(state) {
			states = append(states, "'"+state+"'")
		}
	}
	return "status IN (" + strings.Join(states, ", ") + ") AND (expires_at IS NULL OR expires_at > ?)"
}

// Taken returns what is taken of the time from start to end of the practitioner and, unless Nil, of the patient, in order; the appointments of except don't
// count. It shows nothing but times, and is no access.
func (r *AppointmentRepository) Taken(ctx context.Context, p Parties, start, end, now time.Time, except []uuid.UUID) ([]Taken, error) {
	args := []any{
		p.PractitionerID.String(), p.PatientID.String(), p.PractitionerID.String(), p.PatientID.String(),
		start.UTC(), end.UTC(), now.UTC(),
	}
	statement := "SELECT starts_at, ends_at, practitioner_id = ?, patient_id = ? FROM appointment " +
		"WHERE (practitioner_id = ? OR patient_id = ?) AND ends_at > ? AND starts_at < ? AND " + taking()
	if len(except) > 0 {
		among := r.store.among("id", except)
		statement += " AND NOT (" + among.SQL + ")"
		args = append(args, among.Vars...)
	}
	// Past the guard, which can't know that this shows no content.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(statement+" ORDER BY starts_at"), args...)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	var taken []Taken
	for rows.Next() {
		var t Taken
		if err := rows.Scan(&t.Start, &t.End, &t.ByPractitioner, &t.ByPatient); err != nil {
			return nil, translate(err)
		}
		t.Start, t.End = t.Start.UTC(), t.End.UTC()
		taken = append(taken, t)
	}
	return taken, translate(rows.Err())
}

// Expired returns the holds of the practitioner or the patient that have expired, locked until the transaction of ctx ends. Those that can't be opened are
// marked Unreadable.
func (r *AppointmentRepository) Expired(ctx context.Context, p Parties, now time.Time) ([]*models.Appointment, error) {
	return r.locked(models.TolerateUnreadable(ctx), func(db *gorm.DB) *gorm.DB {
		return db.Where("expires_at <= ? AND (practitioner_id = ? OR patient_id = ?)", now.UTC(), p.PractitionerID, p.PatientID)
	})
}

// AllExpired returns the ids of holds that have expired, at most limit. It shows nobody, and is no access.
func (r *AppointmentRepository) AllExpired(ctx context.Context, now time.Time, limit int) ([]uuid.UUID, error) {
	// Past the guard, which would have an event for each look.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx,
		r.store.rebind("SELECT id FROM appointment WHERE expires_at <= ? ORDER BY expires_at LIMIT ?"), now.UTC(), limit)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	var ids []uuid.UUID
	for rows.Next() {
		var id uuid.UUID
		if err := rows.Scan(&id); err != nil {
			return nil, translate(err)
		}
		ids = append(ids, id)
	}
	return ids, translate(rows.Err())
}

// Hold returns an appointment, locked until the transaction of ctx ends. It returns a NotFound error, or an Unreadable one.
func (r *AppointmentRepository) Hold(ctx context.Context, id uuid.UUID) (*models.Appointment, error) {
	rows, err := r.locked(ctx, withIDs([]uuid.UUID{id}))
	if err == nil && len(rows) == 0 {
		err = translate(gorm.ErrRecordNotFound)
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// Following returns the appointments of a series from a time on that may still change, in order, locked until the transaction of ctx ends.
func (r *AppointmentRepository) Following(ctx context.Context, series uuid.UUID, from time.Time) ([]*models.Appointment, error) {
	rows, err := r.locked(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Where("series_id = ? AND starts_at >= ? AND status IN ?", series, from.UTC(), []string{models.Pending, models.Booked})
	})
	return rows, err
}

func (r *AppointmentRepository) locked(ctx context.Context, where func(*gorm.DB) *gorm.DB) ([]*models.Appointment, error) {
	var rows []*models.Appointment
	// One order for all, so that two that lock several don't wait for each other.
	db := r.store.handle(ctx).Scopes(where).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Order("starts_at, id")
	return rows, translate(db.Find(&rows).Error)
}
