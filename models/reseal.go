package models

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// SealedColumn describes a column that holds sealed values, for code that counts or renews them.
type SealedColumn struct {
	Table  string
	Column string
	JSON   bool // the envelope is the member "phi" of a JSON object
	Log    bool // sealed under the log's keyset, which is never renewed
}

// KeyID returns the SQL expression for the key id in the column, the same on both engines. The guard allows it in a
// condition.
func (c SealedColumn) KeyID() string {
	if c.JSON {
		return fmt.Sprintf("substr(%s ->> 'phi', 6, 8)", c.Column)
	}
	return fmt.Sprintf("substr(%s, 6, 8)", c.Column)
}

// SealedColumns lists the sealed columns of all models.
func SealedColumns() []SealedColumn {
	var out []SealedColumn
	for _, m := range All() {
		_, log := m.(*AuditLog)
		l := layoutOf(m)
		row := reflect.ValueOf(m).Elem()
		for _, c := range l.sealed {
			typed, ok := c.field(row).(interface{ GormDataType() string })
			out = append(out, SealedColumn{Table: l.table, Column: c.name, JSON: ok && typed.GormDataType() == "json", Log: log})
		}
	}
	return out
}

// SealedRow is a row of patient data: a pointer to a model that has sealed columns and counts its versions.
type SealedRow interface {
	Identity() uuid.UUID
	Unreadable() bool

	entity
	rowVersion() *int64
}

// SealedRows returns a zero row of each model of patient data. The values of these models move to new keys, the
// database witnesses their changes, and every event of a change has the row's digest. The log is not among them.
func SealedRows() []SealedRow {
	var out []SealedRow
	for _, m := range All() {
		if row, ok := m.(SealedRow); ok && len(layoutOf(m).sealed) > 0 {
			out = append(out, row)
		}
	}
	return out
}

// DigestedRows returns a zero row of each model whose rows have digests in events: the models of SealedRows, and
// some more.
func DigestedRows() []any {
	out := []any{&Account{}, &APIKey{}, &Availability{}}
	for _, row := range SealedRows() {
		out = append(out, row)
	}
	return out
}

// Renew seals an opened row again under the current key, for its current version: the content stays the same. It
// returns the new database values of the sealed columns in the order of SealedColumns.
func Renew(tx *gorm.DB, m SealedRow) ([]driver.Value, error) {
	if err := sealRow(tx, m, *m.rowVersion()); err != nil {
		return nil, err
	}
	l := layoutOf(m)
	row := reflect.ValueOf(m).Elem()
	values := make([]driver.Value, len(l.sealed))
	for i, c := range l.sealed {
		valuer, _ := reflect.TypeAssert[driver.Valuer](row.FieldByIndex(c.index))
		value, err := valuer.Value()
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

// SubjectOf returns a row as a subject of the event that sealed or indexed it anew.
func SubjectOf(m SealedRow) (audit.Subject, error) {
	digest, err := RowDigest(m)
	return audit.Subject{ID: m.Identity(), EntityType: TableOf(m), RowVersion: versionOf(m), RowDigest: digest}, err
}

// IndexedBy reports whether tokens, sorted, are the tokens of p under any one key.
func (p *Patient) IndexedBy(tokens []string, x *phi.Indexer) (bool, error) {
	for _, under := range x.PerKey() {
		own, err := p.tokens(under)
		if err != nil || slices.Equal(own, tokens) {
			return err == nil, err
		}
	}
	return false, nil
}

// Tokens returns the tokens under which p is found, under the current index key.
func (p *Patient) Tokens(tx *gorm.DB) ([]BlindIndex, error) {
	ring, err := keyringOf(tx)
	if err != nil {
		return nil, err
	}
	tokens, err := p.tokens(ring.Indexer())
	rows := make([]BlindIndex, len(tokens))
	for i, token := range tokens {
		rows[i] = BlindIndex{Token: token, PatientID: p.ID}
	}
	return rows, err
}
