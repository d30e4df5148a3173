package repository

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
)

// AuditLogRepository reads the audit log. The store writes it.
type AuditLogRepository struct{ Base[models.AuditLog] }

// NewAuditLogRepository returns the log of a store.
func NewAuditLogRepository(s *Store) *AuditLogRepository {
	return &AuditLogRepository{Base[models.AuditLog]{s}}
}

// AuditLogQuery narrows a list of audit events. A zero member adds no condition. An event matches a list if it has
// one of its values.
type AuditLogQuery struct {
	UserID     []uuid.UUID
	EntityID   []uuid.UUID
	Subject    []uuid.UUID // rows that were shown or changed
	Action     []string
	EntityType []string
	Outcome    []string
	Origin     []string
	RequestID  string
	From, To   time.Time // From <= occurred_at < To
}

// Shape returns the names of the criteria that q sets, without their values, or "all" if there are none.
func (q AuditLogQuery) Shape() string {
	var shape []string
	for _, c := range []struct {
		name  string
		asked bool
	}{
		{"actor", len(q.UserID) > 0},
		{"entity", len(q.EntityID) > 0},
		{"subject", len(q.Subject) > 0},
		{"action", len(q.Action) > 0},
		{"entity_type", len(q.EntityType) > 0},
		{"outcome", len(q.Outcome) > 0},
		{"origin", len(q.Origin) > 0},
		{"request", q.RequestID != ""},
		{"from", !q.From.IsZero()},
		{"to", !q.To.IsZero()},
	} {
		if c.asked {
			shape = append(shape, c.name)
		}
	}
	if len(shape) == 0 {
		return "all"
	}
	return strings.Join(shape, ",")
}

// idSlack is the largest difference between the time in an event's id and the time at which the event occurred.
const idSlack = time.Second

// where returns the conditions that q puts on rows of auditlog, called a. The column id also holds the id of the
// event.
func (q AuditLogQuery) where(id string) (conditions []string, values []any) {
	for _, c := range []struct {
		column string
		among  []string
	}{
		{"a.user_id", texts(q.UserID)},
		{"a.entity_id", texts(q.EntityID)},
		{"a.action", q.Action},
		{"a.entity_type", q.EntityType},
		{"a.outcome", q.Outcome},
		{"a.origin", q.Origin},
	} {
		if len(c.among) > 0 {
			conditions = append(conditions, c.column+oneOf(len(c.among)))
			values = appendAll(values, c.among)
		}
	}
	for _, c := range []struct {
		asked     bool
		condition string
		value     any
	}{
		{q.RequestID != "", "a.request_id = ?", q.RequestID},
		// SQLite compares times as text, which orders them correctly in one zone only.
		{!q.From.IsZero(), "a.occurred_at >= ?", q.From.UTC()},
		{!q.To.IsZero(), "a.occurred_at < ?", q.To.UTC()},
		// Ids are in the order of time, and the rows are found by id.
		{!q.From.IsZero(), id + " >= ?", audit.FirstID(q.From.Add(-idSlack)).String()},
		{!q.To.IsZero(), id + " < ?", audit.FirstID(q.To.Add(idSlack)).String()},
	} {
		if c.asked {
			conditions, values = append(conditions, c.condition), append(values, c.value)
		}
	}
	return append(conditions, q.indexed()...), values
}

// indexed returns the conditions of the partial indexes that hold all values that q asks for. A condition repeats
// the exact words of its index, because SQLite uses a partial index only then.
func (q AuditLogQuery) indexed() (conditions []string) {
	for _, index := range []struct {
		asked, without []string
		condition      string
	}{
		{q.Outcome, []string{audit.Success}, "a.outcome <> 'success'"},
		{q.Origin, []string{audit.API}, "a.origin <> 'api'"},
		{q.Action, frequentActions, "a.action NOT IN ('read', 'list', 'search', 'create', 'update')"},
	} {
		left := func(value string) bool { return slices.Contains(index.without, value) }
		if len(index.asked) > 0 && !slices.ContainsFunc(index.asked, left) {
			conditions = append(conditions, index.condition)
		}
	}
	return conditions
}

// frequentActions are not in the index of actions.
var frequentActions = []string{audit.Read, audit.List, audit.Search, audit.Create, audit.Update}

// oneOf returns the end of a condition that compares a column with n values.
func oneOf(n int) string { return " IN (?" + strings.Repeat(", ?", n-1) + ")" }

// texts returns ids in the form that raw queries take.
func texts(ids []uuid.UUID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return out
}

func appendAll(values []any, more []string) []any {
	for _, value := range more {
		values = append(values, value)
	}
	return values
}

// selection returns the tables that hold the events that match q, the column with the ids of the events, and the
// conditions on the tables.
func (q AuditLogQuery) selection() (tables, id string, conditions []string, values []any) {
	tables, id = "auditlog AS a", "a.id"
	if len(q.Subject) > 0 { // begin with the few events on a row: the planner must not scan all events
		tables, id = "auditsubject AS s CROSS JOIN auditlog AS a", "s.event_id"
	}
	conditions, values = q.where(id)
	if len(q.Subject) == 0 {
		return tables, id, conditions, values
	}
	conditions = append(conditions, "s.entity_id"+oneOf(len(q.Subject)), "a.id = s.event_id")
	return tables, id, conditions, appendAll(values, texts(q.Subject))
}

// whereAll joins conditions.
func whereAll(conditions []string) string {
	if len(conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(conditions, " AND ")
}

// Count returns the number of events that match q. It shows no personal data.
func (r *AuditLogRepository) Count(ctx context.Context, q AuditLogQuery) (int64, error) {
	tables, id, conditions, values := q.selection()
	var n int64
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		r.store.rebind("SELECT count(DISTINCT "+id+") FROM "+tables+whereAll(conditions)), values...)
	return n, translate(row.Scan(&n))
}

// IDs returns the ids of one page of the events that match q, and whether there are more. It shows no personal
// data.
func (r *AuditLogRepository) IDs(ctx context.Context, q AuditLogQuery, page Page) ([]uuid.UUID, bool, error) {
	tables, id, conditions, values := q.selection()
	past, direction := id+" > ?", ""
	if page.Descending {
		past, direction = id+" < ?", " DESC"
	}
	if page.After != uuid.Nil {
		conditions, values = append(conditions, past), append(values, page.After.String())
	}
	statement := "SELECT DISTINCT " + id + " FROM " + tables // an event may name several of the rows
	if len(q.Subject) <= 1 {
		statement = "SELECT " + id + " FROM " + tables
	}
	statement += whereAll(conditions) + " ORDER BY " + id + direction + " LIMIT ?"
	ids, err := r.store.ids(ctx, statement, append(values, page.Limit+1)...)
	if err != nil || len(ids) <= page.Limit {
		return ids, false, err
	}
	return ids[:page.Limit], true, nil
}

// ids runs a query that returns ids only. It bypasses the guard, which can't know that the query shows no row.
func (s *Store) ids(ctx context.Context, statement string, values ...any) ([]uuid.UUID, error) {
	rows, err := s.handle(ctx).Statement.ConnPool.QueryContext(ctx, s.rebind(statement), values...)
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

// Search returns one page of the events that match q, and whether there are more. Events that can't be opened are
// marked Unreadable.
func (r *AuditLogRepository) Search(ctx context.Context, q AuditLogQuery, page Page) ([]*models.AuditLog, bool, error) {
	ids, more, err := r.IDs(ctx, q, page)
	if err != nil {
		return nil, false, err
	}
	found, err := r.Of(ctx, ids)
	return found, more, err
}

// Of returns the events of ids, in their order. Events that can't be opened are marked Unreadable.
func (r *AuditLogRepository) Of(ctx context.Context, ids []uuid.UUID) ([]*models.AuditLog, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []*models.AuditLog
	db := r.store.handle(models.TolerateUnreadable(ctx)).Where(r.store.among("id", ids))
	if err := db.Preload("Subjects").Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	place := make(map[uuid.UUID]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(rows, func(a, b *models.AuditLog) int { return place[a.ID] - place[b.ID] })
	return rows, nil
}

// ByID returns an event with its subjects. It returns a NotFound or an Unreadable error.
func (r *AuditLogRepository) ByID(ctx context.Context, id uuid.UUID) (*models.AuditLog, error) {
	var e models.AuditLog
	if err := r.store.handle(ctx).Preload("Subjects").Where("id = ?", id).Take(&e).Error; err != nil {
		return nil, translate(err)
	}
	return &e, nil
}

// OpenDiff returns the changes that an event recorded. The event's rows count as shown. It returns an Unreadable
// error.
func (r *AuditLogRepository) OpenDiff(ctx context.Context, e *models.AuditLog) (audit.Diff, error) {
	diff, err := e.OpenDiff(r.store.handle(ctx))
	return diff, translate(err)
}
