package models

import (
	"database/sql/driver"
	"reflect"
	"slices"

	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// SealedColumn is a column that holds sealed values, for those who count or renew them.
type SealedColumn struct {
	Table  string
	Column string
	JSON   bool // the envelope is the member "phi" of a JSON object
	Log    bool // sealed under the log's keyset, which is never renewed
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

// Renew seals an opened row again under the key of today, for the version that it has: the row stays what it is. It returns the
// sealed columns' new database values in the order of SealedColumns.
func (p *Patient) Renew(tx *gorm.DB) ([]driver.Value, error) {
	if err := sealRow(tx, p, p.Version); err != nil {
		return nil, err
	}
	l := layoutOf(p)
	row := reflect.ValueOf(p).Elem()
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

// Subject returns the row as an event names it that sealed or indexed it anew.
func (p *Patient) Subject() (audit.Subject, error) {
	digest, err := RowDigest(p)
	return audit.Subject{ID: p.ID, EntityType: TableOf(p), RowVersion: versionOf(p), RowDigest: digest}, err
}

// IndexedBy reports whether tokens, sorted, are those of p, under any one key.
func (p *Patient) IndexedBy(tokens []string, x *phi.Indexer) (bool, error) {
	for _, under := range x.PerKey() {
		own, err := p.tokens(under)
		if err != nil || slices.Equal(own, tokens) {
			return err == nil, err
		}
	}
	return false, nil
}

// Tokens returns the tokens under which p is found, under the index key of today.
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
