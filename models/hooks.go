package models

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// ErrNotLoaded is returned for a change of a row that was not read first, so that the change could not be
// described.
var ErrNotLoaded = errors.New("models: only a row that was read can be changed")

// bookkeeping columns are not content: a change of them alone is not a change.
var bookkeeping = map[string]bool{"id": true, "version": true, "created_at": true, "updated_at": true}

type entity interface {
	base() *Base
}

type tolerantKey struct{}

// TolerateUnreadable returns a context in which a row that can't be opened comes back empty and marked Unreadable,
// instead of failing the whole query. It is for lists, and for the removal of such a row: the row can be deleted,
// but not changed.
func TolerateUnreadable(ctx context.Context) context.Context {
	return context.WithValue(ctx, tolerantKey{}, true)
}

// sealerOf returns the sealer for a model's columns: the log has a keyset of its own.
func sealerOf(tx *gorm.DB, m entity) (*phi.Sealer, error) {
	ring, err := keyringOf(tx)
	if err != nil {
		return nil, err
	}
	if _, isLog := m.(*AuditLog); isLog {
		return ring.Sealer(phi.Log), nil
	}
	return ring.Sealer(phi.Data), nil
}

// seal implements BeforeSave. It assigns the id, the times and the next version, and seals the whole row for them.
func seal(tx *gorm.DB, m entity) error {
	m.base().begin()
	version := int64(0)
	if v, ok := m.(interface{ rowVersion() *int64 }); ok {
		*v.rowVersion()++
		m.base().counted = true
		version = *v.rowVersion()
		if m.base().unreadable || version > 1 && m.base().before == nil {
			return ErrNotLoaded
		}
	}
	return sealRow(tx, m, version)
}

func sealRow(tx *gorm.DB, m entity, version int64) error {
	l := layoutOf(m)
	if len(l.sealed) == 0 {
		return nil
	}
	sealer, err := sealerOf(tx, m)
	if err != nil {
		return err
	}
	row := reflect.ValueOf(m).Elem()
	for _, c := range l.sealed {
		if err := c.field(row).Seal(sealer, bindingOf(m, l, c, version)); err != nil {
			return fmt.Errorf("seal %s.%s: %w", l.table, c.name, err)
		}
	}
	return nil
}

// open implements AfterFind. It notes the access first, then opens the sealed values. After a failure, no value
// stays opened.
func open(tx *gorm.DB, m entity) error {
	l := layoutOf(m)
	row := reflect.ValueOf(m).Elem()
	ctx := tx.Statement.Context
	m.base().before, m.base().unreadable = nil, false // clear the state of the struct's earlier row
	unit, err := audit.Current(ctx)
	if err != nil {
		clearSealed(l, row)
		return err
	}
	if _, isLog := m.(*AuditLog); !isLog {
		unit.Accessed(l.table, m.base().ID)
		if patient := PatientOf(m); patient != uuid.Nil {
			unit.Accessed(patientTable, patient)
		}
	}
	if err := openRow(tx, m, l, row); err != nil {
		clearSealed(l, row)
		m.base().unreadable = true
		unit.Unreadable(l.table, m.base().ID)
		if ctx.Value(tolerantKey{}) == nil {
			return err
		}
	}
	remember(m)
	return nil
}

// openRow opens every sealed column. Another process may have added a key that the keyring lacks: then openRow
// reloads the keysets and tries again, once.
func openRow(tx *gorm.DB, m entity, l *layout, row reflect.Value) error {
	err := tryOpenRow(tx, m, l, row)
	if !errors.Is(err, phi.ErrUnknownKey) {
		return err
	}
	g, ok := tx.Plugins[guardName].(*Guard)
	if !ok || g.Reload == nil {
		return err
	}
	if reloadErr := g.Reload(tx); reloadErr != nil {
		return errors.Join(err, reloadErr)
	}
	return tryOpenRow(tx, m, l, row)
}

func tryOpenRow(tx *gorm.DB, m entity, l *layout, row reflect.Value) error {
	sealer, err := sealerOf(tx, m)
	if err != nil {
		return err
	}
	version := int64(0)
	if v, ok := m.(interface{ rowVersion() *int64 }); ok {
		version = *v.rowVersion()
	}
	for _, c := range l.sealed {
		if c.closed {
			continue
		}
		if err := c.field(row).Open(sealer, bindingOf(m, l, c, version)); err != nil {
			return err
		}
	}
	return nil
}

// bindingOf uses the current names. A column that is ever renamed must keep its old name here.
func bindingOf(m entity, l *layout, c column, version int64) phi.Binding {
	return phi.Binding{Table: l.table, Column: c.name, Row: m.base().ID, Version: version}
}

func clearSealed(l *layout, row reflect.Value) {
	for _, c := range l.sealed {
		c.field(row).Clear()
	}
}

// remember keeps a copy of the row as it is in the database now.
func remember(m entity) {
	m.base().before = nil
	row := reflect.ValueOf(m).Elem()
	snapshot := reflect.New(row.Type())
	snapshot.Elem().Set(row)
	m.base().before = snapshot.Interface()
}

// noteChange implements AfterSave. It notes in the unit of work which columns were created or changed.
func noteChange(tx *gorm.DB, m entity) error { return noteChangeAs(tx, m, "", "") }

// noteChangeAs is noteChange for a change that has a name of its own.
func noteChangeAs(tx *gorm.DB, m entity, action, details string) error {
	unit, err := audit.Current(tx.Statement.Context)
	if err != nil {
		return err
	}
	l := layoutOf(m)
	row := reflect.ValueOf(m).Elem()
	operation := audit.Create
	unchanged := func(c column) bool { return c.empty(row) }
	if m.base().before != nil {
		operation = audit.Update
		old := reflect.ValueOf(m.base().before).Elem()
		unchanged = func(c column) bool { return c.same(old, row) }
	}
	change := audit.Change{Action: action, Details: details, Diff: audit.Diff{}, Others: ofPatient(m)}
	for _, c := range l.columns {
		if bookkeeping[c.name] || unchanged(c) {
			continue
		}
		change.Fields = append(change.Fields, c.name)
		field := audit.FieldChange{New: c.plain(row)}
		if operation == audit.Update {
			field.Old = c.plain(reflect.ValueOf(m.base().before).Elem())
		}
		change.Diff[c.name] = field
	}
	if change.RowDigest, err = RowDigest(m); err != nil {
		return err
	}
	change.RowVersion = versionOf(m)
	unit.Changed(operation, l.table, m.base().ID, change)
	old := m.base().before
	remember(m)
	unit.OnRollback(forget(m, old))
	return nil
}

// patientTable is the table that the column patient_id of other rows refers to.
const patientTable = "patient"

// PatientOf returns the id of the patient that a row belongs to, or Nil.
func PatientOf(m any) uuid.UUID {
	for _, c := range layoutOf(m).columns {
		if c.name == "patient_id" {
			id, _ := reflect.TypeAssert[uuid.UUID](reflect.Indirect(reflect.ValueOf(m)).FieldByIndex(c.index))
			return id
		}
	}
	return uuid.Nil
}

// ofPatient returns the patient that a row belongs to, as a subject of an event: one query then finds every access
// to data of a patient.
func ofPatient(m any) []audit.Subject {
	if id := PatientOf(m); id != uuid.Nil {
		return []audit.Subject{{ID: id, EntityType: patientTable}}
	}
	return nil
}

// forget returns a function that resets a row's struct to its state before a write that was rolled back, so that it
// can be written again. The plain values stay. A struct that was read again in the meantime stays as it is.
func forget(m entity, old any) func() {
	written := m.base().before
	return func() {
		if m.base().before != written {
			return
		}
		m.base().before = old
		if v, ok := m.(interface{ rowVersion() *int64 }); ok {
			*v.rowVersion() = 0
			if read, was := old.(interface{ rowVersion() *int64 }); was {
				*v.rowVersion() = *read.rowVersion()
			}
		}
	}
}

// noteRemoval implements AfterDelete. The same event names the rows that were removed along with the row.
func noteRemoval(tx *gorm.DB, m entity, goesAlong ...audit.Subject) error {
	unit, err := audit.Current(tx.Statement.Context)
	if err != nil {
		return err
	}
	change := audit.Change{RowVersion: versionOf(m), RowDigest: audit.Removed, Others: append(ofPatient(m), goesAlong...)}
	if m.base().unreadable {
		change.Details = "phi.unreadable" // the removed content is unknown
	}
	unit.Changed(audit.Purge, layoutOf(m).table, m.base().ID, change)
	return nil
}

// storeChanges stores the events of the changes so far before the end of the transaction, where the database
// requires them.
func storeChanges(tx *gorm.DB) error {
	unit, err := audit.Current(tx.Statement.Context)
	if err != nil {
		return err
	}
	var rows []*AuditLog
	for _, e := range unit.TakeChanges() {
		rows = append(rows, NewAuditLog(e))
	}
	return tx.Session(&gorm.Session{NewDB: true}).Create(&rows).Error
}

// versionOf returns a copy of a row's version, or nil if its rows have no version.
func versionOf(m entity) *int64 {
	v, ok := m.(interface{ rowVersion() *int64 })
	if !ok {
		return nil
	}
	version := *v.rowVersion()
	return &version
}

// Refuse takes back an opened row, because something outside the row proved to be tampered with. The row is marked
// Unreadable, and the finding becomes an event.
func (p *Patient) Refuse(unit *audit.Unit) {
	l := layoutOf(p)
	clearSealed(l, reflect.ValueOf(p).Elem())
	p.before, p.unreadable = nil, true
	unit.Unreadable(l.table, p.ID)
}
