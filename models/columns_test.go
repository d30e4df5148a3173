package models_test

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm/schema"

	"novamind/internal/phi"
	"novamind/models"
)

// inTheClear are the columns that look like PHI but are not sealed, each with its reason.
var inTheClear = map[string]string{
	"account.email":           "staff, not a patient; logging in looks it up",
	"account.name":            "staff, not a patient",
	"auditlog.action":         "a constant of ours",
	"auditlog.entity_type":    "a table's name",
	"auditlog.changes":        "names of columns, never their content",
	"auditlog.details":        "stable text of ours: an error code, the shape of a search",
	"auditlog.outcome":        "a constant of ours",
	"auditlog.origin":         "a constant of ours, or a job's name",
	"auditlog.request_id":     "random, or the client's own: at most 128 of A-Z a-z 0-9 . _ -",
	"auditlog.actor_roles":    "constants of ours",
	"auditlog.on_behalf_of":   "staff: a user of the operating system",
	"auditlog.address":        "staff's, or an anonymous caller's",
	"auditlog.route":          "a route's pattern, never its path",
	"auditlog.purpose":        "one of HL7's codes",
	"auditlog.data_category":  "a constant of ours",
	"auditlog.nonce":          "random",
	"auditcheckpoint.note":    "a size and a hash, signed",
	"auditwitness.table_name": "a table's name",
	"auditwitness.address":    "of who changed a row past the program",
	"auditlog.mac":            "a MAC",
	"apikey.name":             "of a machine",
	"session.address":         "staff's",
	"recoverycode.code_hash":  "a hash of what we made up",

	"medicalrecord.kind":        "which records a note stands among; the database keeps psychotherapy notes apart by it",
	"medicalrecord.sensitivity": "who sees a record is a condition of every query",
	"medicalrecord.status":      "a constant of ours",
	"consent.kind":              "a constant of ours",
	"appointment.time_zone":     "a name of the IANA database",
	"appointment.status":        "one of FHIR's codes",
	"appointment.type":          "a constant of ours",
	"appointment.modality":      "a constant of ours",
}

// phiWords are words for PHI in the names of columns.
var phiWords = []string{
	"name", "birth", "contact", "address", "street", "city", "zip", "insurance", "policy", "phone", "email", "relation", "gender",
	"reason", "note", "content", "title", "comment", "description", "details", "message", "diagnos", "medic", "code", "url",
}

// suspects returns the columns of models that can hold text and are not sealed. In a table with sealed columns, it
// returns all of them. In other tables, it returns the columns whose names are words for PHI.
func suspects(t *testing.T, tables []any) []string {
	t.Helper()
	var out []string
	for _, m := range tables {
		s, err := schema.Parse(m, &sync.Map{}, models.Naming{})
		require.NoError(t, err)
		concernsPatients := slices.ContainsFunc(s.Fields, isSealed)
		for _, name := range s.DBNames {
			field := s.FieldsByDBName[name]
			called := slices.ContainsFunc(phiWords, func(word string) bool { return strings.Contains(name, word) })
			if holdsText(field) && !isSealed(field) && (concernsPatients || called) {
				out = append(out, s.Table+"."+name)
			}
		}
	}
	return out
}

func isSealed(field *schema.Field) bool {
	_, sealed := reflect.TypeAssert[interface {
		Seal(s *phi.Sealer, b phi.Binding) error
	}](reflect.New(field.IndirectFieldType))
	return sealed
}

// holdsText decides by the type of the column. It therefore covers a datatypes.JSON, a []byte and a string of a
// named type too.
func holdsText(field *schema.Field) bool {
	switch field.DataType {
	case schema.Bool, schema.Int, schema.Uint, schema.Float, schema.Time, "uuid":
		return false
	default:
		return true
	}
}

// A column that looks like PHI is sealed, or is listed above with its reason.
func TestWhatLooksLikePHIIsSealed(t *testing.T) {
	t.Parallel()
	found := suspects(t, models.All())
	for _, column := range found {
		require.Contains(t, inTheClear, column, "it looks like PHI and is not sealed")
	}
	for column := range inTheClear {
		require.Contains(t, found, column, "it is sealed, or gone: the exception is not needed any more")
	}
}

// The test above would find every kind of forgotten column.
func TestForgottenColumnsAreSeen(t *testing.T) {
	t.Parallel()
	type Kind string
	type Visit struct {
		models.Base
		Reason   phi.Text
		Nickname string
		Kind     *Kind
		Scan     []byte
		Extra    map[string]string `gorm:"serializer:json"`
		Paid     bool
	}
	type Room struct {
		models.Base
		Colour  string
		Comment *string
	}
	require.ElementsMatch(t, []string{"visit.nickname", "visit.kind", "visit.scan", "visit.extra", "room.comment"},
		suspects(t, []any{&Visit{}, &Room{}}))
}

func TestToMapShowsNoSealedValue(t *testing.T) {
	t.Parallel()
	p := invented()
	shown := models.ToMap(p)
	for _, column := range models.SealedColumns() {
		if column.Table == "patient" {
			require.Equal(t, phi.Redacted, shown[column.Column], column.Column)
		}
	}
	require.Equal(t, true, shown["active"])
}
