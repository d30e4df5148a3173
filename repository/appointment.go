package repository

import (
	"context"
	"slices"
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

// AppointmentQuery narrows a list of appointments. A zero member adds no condition.
type AppointmentQuery struct {
	PractitionerID []uuid.UUID // one of these
	PatientID      uuid.UUID
	SeriesID       []uuid.UUID // one of these
	Status         []string    // one of these
	From, To       time.Time   // appointments that have a moment in From <= t < To
}

// Search returns one page of the appointments that match q, in the order of their starts, and whether there are
// more.
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
			{q.PractitionerID != nil, "practitioner_id IN ?", q.PractitionerID},
			{q.SeriesID != nil, "series_id IN ?", q.SeriesID},
			{q.Status != nil, "status IN ?", q.Status},
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

// Upcoming returns one page of a patient's appointments that are yet to come or are under way, and whether there
// are more. They are in the order of their starts.
func (r *AppointmentRepository) Upcoming(ctx context.Context, patientID uuid.UUID, now time.Time, page Page) ([]*models.Appointment, bool, error) {
	return r.Search(ctx, AppointmentQuery{PatientID: patientID, From: now}, page, func(db *gorm.DB) *gorm.DB { return db.Where(taking(), now.UTC()) })
}

// Known returns the subset of ids that are appointments already. It shows nothing of them, and is not an access.
func (r *AppointmentRepository) Known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	return r.known(ctx, ids)
}

// Belongs reports whether an appointment belongs to a patient, or to a patient merged into that one. It shows
// nothing of the appointment.
func (r *AppointmentRepository) Belongs(ctx context.Context, id, patientID uuid.UUID) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Appointment{}).Where("id = ?", id).Scopes(ofPatient(patientID)).Count(&n).Error
	return n > 0, translate(err)
}

// Parties are the patient and the practitioner of an appointment, and its series.
type Parties struct {
	PatientID, PractitionerID uuid.UUID
	SeriesID                  *uuid.UUID
}

// PartiesOf returns the parties of an appointment. It shows nothing else of the appointment, and is not an access.
// It returns a NotFound error.
func (r *AppointmentRepository) PartiesOf(ctx context.Context, id uuid.UUID) (Parties, error) {
	var p Parties
	// Bypasses the guard, which can't know that this query shows no content.
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		r.store.rebind("SELECT patient_id, practitioner_id, series_id FROM appointment WHERE id = ?"), id.String())
	return p, translate(row.Scan(&p.PatientID, &p.PractitionerID, &p.SeriesID))
}

// Standing tells whether a patient can be booked.
type Standing struct {
	Active     bool
	MergedInto *uuid.UUID // the kept patient of the same person
}

// StandingOf returns the standing of a patient. It shows nothing else of the patient, and is not an access. It
// returns a NotFound error.
func (r *AppointmentRepository) StandingOf(ctx context.Context, patientID uuid.UUID) (Standing, error) {
	return r.standing(ctx, patientID, "")
}

func (r *AppointmentRepository) standing(ctx context.Context, patientID uuid.UUID, lock string) (s Standing, err error) {
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		r.store.rebind("SELECT active, merged_into_id FROM patient WHERE id = ?")+lock, patientID.String())
	return s, translate(row.Scan(&s.Active, &s.MergedInto))
}

// Claim keeps all other transactions from booking the practitioner or the patient until the transaction of ctx
// ends. The fixed order keeps two claims from waiting for each other. If the patient was merged into another, Claim
// locks that one too: no row of a person can then give away time that another row has. It returns the standing of
// the patient, or a NotFound error.
func (r *AppointmentRepository) Claim(ctx context.Context, p Parties) (Standing, error) {
	lock := ""
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		lock = " FOR NO KEY UPDATE"
		if _, err := r.store.handle(ctx).Statement.ConnPool.ExecContext(ctx, "SELECT 1 FROM account WHERE id = $1"+lock, p.PractitionerID.String()); err != nil {
			return Standing{}, translate(err)
		}
	}
	s, err := r.standing(ctx, p.PatientID, lock)
	if err == nil && s.MergedInto != nil {
		_, err = r.standing(ctx, *s.MergedInto, lock)
	}
	return s, err
}

// ofPerson returns the condition that an appointment belongs to a patient, or to another row of the same person.
func (r *AppointmentRepository) ofPerson(ctx context.Context, patientID uuid.UUID) (clause.Expr, error) {
	ids, err := r.person(ctx, patientID)
	return r.store.among("patient_id", ids), err
}

// person returns the ids of all rows of a patient's person.
func (r *AppointmentRepository) person(ctx context.Context, patientID uuid.UUID) ([]uuid.UUID, error) {
	return r.ids(ctx, "SELECT p.id FROM patient AS asked JOIN patient AS p ON p.id = COALESCE(asked.merged_into_id, asked.id) "+
		"OR p.merged_into_id = COALESCE(asked.merged_into_id, asked.id) WHERE asked.id = ?", patientID.String())
}

// Taken is a time that a practitioner or a patient is no longer free.
type Taken struct {
	Start, End                time.Time
	ByPractitioner, ByPatient bool // the owners of the time; both if they have an appointment with each other
}

// taking returns the condition that an appointment takes up its time. An expired hold does not. The parameter of
// the condition is the current time.
func taking() string {
	var states []string
	for _, state := range models.AppointmentStates() {
		if models.Occupies(state) {
			states = append(states, "'"+state+"'")
		}
	}
	return "status IN (" + strings.Join(states, ", ") + ") AND (expires_at IS NULL OR expires_at > ?)"
}

// Taken returns the taken times of the practitioner from start to end, in order. Unless the patient is Nil, it adds
// the taken times of the patient's person. The appointments of except don't count. It shows nothing but times, and
// is not an access.
func (r *AppointmentRepository) Taken(ctx context.Context, p Parties, start, end, now time.Time, except []uuid.UUID) ([]Taken, error) {
	person, err := r.ofPerson(ctx, p.PatientID)
	if err != nil {
		return nil, err
	}
	whose := append([]any{p.PractitionerID.String()}, person.Vars...)
	args := slices.Concat(whose, whose, []any{start.UTC(), end.UTC(), now.UTC()})
	statement := "SELECT starts_at, ends_at, practitioner_id = ?, " + person.SQL + " FROM appointment " +
		"WHERE (practitioner_id = ? OR " + person.SQL + ") AND ends_at > ? AND starts_at < ? AND " + taking()
	if len(except) > 0 {
		among := r.store.among("id", except)
		statement += " AND NOT (" + among.SQL + ")"
		args = append(args, among.Vars...)
	}
	return r.times(ctx, statement+" ORDER BY starts_at", args...)
}

func (r *AppointmentRepository) times(ctx context.Context, statement string, args ...any) ([]Taken, error) {
	// Bypasses the guard, which can't know that this query shows no content.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(statement), args...)
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

// Expired returns the expired holds of the practitioner or the patient, locked until the transaction of ctx ends.
// Holds that can't be opened are marked Unreadable.
func (r *AppointmentRepository) Expired(ctx context.Context, p Parties, now time.Time) ([]*models.Appointment, error) {
	person, err := r.ofPerson(ctx, p.PatientID)
	if err != nil {
		return nil, err
	}
	return r.locked(models.TolerateUnreadable(ctx), func(db *gorm.DB) *gorm.DB {
		return db.Where("expires_at <= ? AND (practitioner_id = ? OR ?)", now.UTC(), p.PractitionerID, person)
	})
}

// Meeting returns the times at which appointments of two patient rows overlap, in order. It counts appointments
// that are not over, take up their time, and may not overlap. It shows nothing but times, and is not an access.
func (r *AppointmentRepository) Meeting(ctx context.Context, one, other uuid.UUID, now time.Time) ([]Taken, error) {
	var from []string
	var args []any
	for _, id := range []uuid.UUID{one, other} {
		person, err := r.ofPerson(ctx, id)
		if err != nil {
			return nil, err
		}
		from = append(from, "(SELECT starts_at, ends_at FROM appointment WHERE NOT allow_overlap AND ends_at > ? AND "+taking()+" AND "+person.SQL+")")
		args = append(append(args, now.UTC(), now.UTC()), person.Vars...)
	}
	return r.times(ctx, "SELECT DISTINCT a.starts_at, a.ends_at, false, true FROM "+from[0]+" AS a JOIN "+from[1]+" AS b "+
		"ON a.starts_at < b.ends_at AND b.starts_at < a.ends_at ORDER BY a.starts_at", args...)
}

// AllExpired returns the ids of expired holds, at most limit. It shows no patient, and is not an access.
func (r *AppointmentRepository) AllExpired(ctx context.Context, now time.Time, limit int) ([]uuid.UUID, error) {
	return r.ids(ctx, "SELECT id FROM appointment WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", now.UTC(), limit)
}

func (r *AppointmentRepository) ids(ctx context.Context, statement string, args ...any) ([]uuid.UUID, error) {
	// Bypasses the guard, which would record an event for each query.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, r.store.rebind(statement), args...)
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

// Hold returns an appointment, locked until the transaction of ctx ends. It returns a NotFound or an Unreadable
// error.
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

// Following returns the appointments of a series that start at a time or later and may still change, in order. They
// are locked until the transaction of ctx ends.
func (r *AppointmentRepository) Following(ctx context.Context, series uuid.UUID, from time.Time) ([]*models.Appointment, error) {
	rows, err := r.locked(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Where("series_id = ? AND starts_at >= ? AND status IN ?", series, from.UTC(), []string{models.Pending, models.Booked})
	})
	return rows, err
}

func (r *AppointmentRepository) locked(ctx context.Context, where func(*gorm.DB) *gorm.DB) ([]*models.Appointment, error) {
	var rows []*models.Appointment
	// All callers lock in the same order, so that two callers that lock several rows don't wait for each other.
	db := r.store.handle(ctx).Scopes(where).Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate}).Order("starts_at, id")
	return rows, translate(db.Find(&rows).Error)
}
