package models

import (
	"database/sql"
	"database/sql/driver"
	"reflect"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
	_ "novamind/internal/sqlitedriver" // the driver named "sqlite"
)

// BenchmarkOpenPage opens a page of 50 patients, as they come from the database, and recomputes the terms of the
// search.
func BenchmarkOpenPage(b *testing.B) {
	tx := benchDB(b)
	var page []*Patient
	for i := range 50 {
		page = append(page, sealedPatient(b, tx, i))
	}
	ring, err := keyringOf(tx)
	require.NoError(b, err)
	email := "somebody@example.org"
	query := PatientQuery{Email: &email, Prefixes: []string{"exam"}}
	rows := make([]Patient, len(page)) // GORM has made the rows before it calls the hook
	for b.Loop() {
		for i, stored := range page {
			rows[i] = *stored
			if err := open(tx, &rows[i]); err != nil {
				b.Fatal(err)
			}
			if !query.Matches(&rows[i], ring.Indexer()) {
				b.Fatal("no match")
			}
		}
	}
}

func benchDB(b *testing.B) *gorm.DB {
	b.Helper()
	uri := "file:" + b.TempDir() + "/kek"
	require.NoError(b, phi.CreateKEK(uri))
	kek, err := phi.LoadKEK(uri)
	require.NoError(b, err)
	wrapped := map[phi.Purpose]string{}
	for _, p := range phi.Purposes() {
		wrapped[p], err = phi.NewKeyset(p, kek)
		require.NoError(b, err)
	}
	ring, err := phi.OpenKeyring(kek, wrapped, "US")
	require.NoError(b, err)
	db, err := gorm.Open(&sqlite.Dialector{DriverName: "sqlite", DSN: ":memory:"}, &gorm.Config{NamingStrategy: Naming{}})
	require.NoError(b, err)
	require.NoError(b, db.Use(&Guard{Keyring: ring}))
	ctx, _, err := audit.Begin(audit.System(b.Context(), "bench"))
	require.NoError(b, err)
	return db.WithContext(ctx)
}

// sealedPatient returns a patient as a query leaves it before AfterFind.
func sealedPatient(b *testing.B, tx *gorm.DB, i int) *Patient {
	b.Helper()
	day, err := phi.ParseCalendarDate("1980-02-03")
	require.NoError(b, err)
	p := &Patient{
		FirstName: phi.Of("Invented"), LastName: phi.Of("Example-Person" + strconv.Itoa(i)), DateOfBirth: phi.Of(day), Active: true,
		ContactInfo:      phi.JSONOf(ContactInfo{Email: "somebody@example.org", Phone: "212-555-0123"}),
		Address:          phi.JSONOf(Address{Street: "1 Example Street", City: "Exampleton", State: "NY", ZipCode: "10001"}),
		Insurance:        phi.JSONOf(Insurance{Provider: "Example Mutual", PolicyNumber: "EM-1"}),
		EmergencyContact: phi.JSONOf(EmergencyContact{Name: "Other Example", Phone: "212-555-0124"}),
	}
	require.NoError(b, seal(tx, p))
	row := reflect.ValueOf(p).Elem()
	for _, c := range layoutOf(p).sealed {
		field := row.FieldByIndex(c.index)
		value, err := field.Interface().(driver.Valuer).Value()
		require.NoError(b, err)
		require.NoError(b, field.Addr().Interface().(sql.Scanner).Scan(value))
	}
	return p
}
