package repository

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
)

// Misformed is an audit event whose rows still read as before, but are stored in another form. Queries that compare
// text miss such rows.
type Misformed struct {
	EventID uuid.UUID // Nil if the stored text is no longer an id
	Index   *int64    // of its leaf; nil if the event is no leaf
}

// Misformed returns the events whose rows SQLite holds in another form than the program writes, at most limit, in
// the order of their leaves. Such forms are ids not in lower case, times in another layout or zone, and text stored
// as bytes. SQLite accepts any form in any column. PostgreSQL's types have one form, so the result is empty there.
func (r *AuditTreeRepository) Misformed(ctx context.Context, limit int) ([]Misformed, error) {
	if r.store.engine != SQLite {
		return nil, nil
	}
	events, err := r.otherForms(ctx, "auditlog")
	if err != nil {
		return nil, err
	}
	subjects, err := r.otherForms(ctx, "auditsubject")
	if err != nil {
		return nil, err
	}
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, fmt.Sprintf(`SELECT found.id, min(leaf_index) FROM
		(SELECT lower(CAST(id AS TEXT)) AS id FROM auditlog WHERE %s UNION SELECT lower(CAST(event_id AS TEXT)) FROM auditsubject WHERE %s) AS found
		LEFT JOIN auditleaf ON event_id = found.id GROUP BY found.id ORDER BY 2 LIMIT ?`, events, subjects), limit)
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	var out []Misformed
	for rows.Next() {
		var id string
		var found Misformed
		if err := rows.Scan(&id, &found.Index); err != nil {
			return nil, translate(err)
		}
		found.EventID, _ = uuid.Parse(id)
		out = append(out, found)
	}
	return out, translate(rows.Err())
}

// utc is the pattern of the program's times: how a time in UTC begins and ends.
const utc = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] [0-9][0-9]:[0-9][0-9]:[0-9][0-9]*+00:00"

// otherForms returns the condition that a row of a table has a column stored in another form.
func (r *AuditTreeRepository) otherForms(ctx context.Context, table string) (string, error) {
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, "SELECT name, lower(type) FROM pragma_table_info(?)", table)
	if err != nil {
		return "", translate(err)
	}
	defer func() { _ = rows.Close() }()
	var forms []string
	for rows.Next() {
		var name, kind string
		if err := rows.Scan(&name, &kind); err != nil {
			return "", translate(err)
		}
		storage := "text"
		if kind == "integer" {
			storage = kind
		}
		forms = append(forms, fmt.Sprintf("typeof(%s) NOT IN ('%s', 'null')", name, storage))
		switch {
		case kind == "datetime":
			forms = append(forms, fmt.Sprintf("%s NOT GLOB '%s'", name, utc))
		case name == "id" || strings.HasSuffix(name, "_id") && kind == "text" && name != "request_id":
			forms = append(forms, fmt.Sprintf("%[1]s <> lower(%[1]s)", name))
		}
	}
	return strings.Join(forms, " OR "), translate(rows.Err())
}
