package repository_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"novamind/internal/dbtest"
)

const (
	goodBody     = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // as long as a sealed empty value
	goodEnvelope = "phi1:deadbeef:" + goodBody
	goodJSON     = `{"phi":"` + goodEnvelope + `"}`
	goodToken    = "bi1:deadbeef:last_name:0011"
)

var textForgeries = []string{
	"", "Smith", "null", "phi1:", "phi1::", "phi1:x", "phi1:deadbeef:", "phi1:deadbeef:Smith", "phi1:deadbeef" + goodBody,
	"phi1:DEADBEEF:" + goodBody, "phi1:deadbee:" + goodBody, "phi1:deadbeef0:" + goodBody, "phi1:deadbeeg:" + goodBody,
	"PHI1:deadbeef:" + goodBody, "phi2:deadbeef:" + goodBody, "phi1;deadbeef:" + goodBody, "Smith" + goodEnvelope, "Smith\n" + goodEnvelope,
	" " + goodEnvelope, "\t" + goodEnvelope, "\n" + goodEnvelope, goodEnvelope + " ", goodEnvelope + "\n", goodEnvelope + "\r\n",
	goodEnvelope + "\nSmith", goodEnvelope + " Smith", goodEnvelope + "=", goodEnvelope + "\x7f", goodEnvelope[:len(goodEnvelope)-1],
	goodEnvelope + "\n" + goodEnvelope, "phi1:deadbeef:" + strings.Repeat("é", 60), "phi1:deadbeef:" + strings.Repeat("+", 60),
	"phi1:deadbeef:" + strings.Repeat("/", 60), goodJSON,
}

var jsonForgeries = []string{
	`{}`, `null`, `"plain"`, `[]`, `1`, `true`, `"` + goodEnvelope + `"`, `["` + goodEnvelope + `"]`, `[` + goodJSON + `]`,
	`{"phi":"phi1:x","street":"1 Example Street"}`, `{"phi":"` + goodEnvelope + `","street":"1 Example Street"}`,
	`{"street":"1 Example Street","phi":"` + goodEnvelope + `"}`, `{"phi":"` + goodEnvelope + `","":""}`,
	`{"phi":"plain"}`, `{"phi":""}`, `{"phi":1}`, `{"phi":null}`, `{"phi":["` + goodEnvelope + `"]}`, `{"phi":` + goodJSON + `}`,
	`{"PHI":"` + goodEnvelope + `"}`, `{"phi ":"` + goodEnvelope + `"}`, `{"phi":"` + goodEnvelope + ` "}`, `{"phi":"\n` + goodEnvelope + `"}`,
	`{"phi":"` + goodEnvelope + `\nSmith"}`, `{"phi":"` + goodEnvelope + `\"Smith"}`, `{"phi":"phi1:DEADBEEF:` + goodBody + `"}`,
	`{"phi":"` + goodEnvelope[:len(goodEnvelope)-1] + `"}`, `{"phi":"plain","phi":"phi1:x"}`, `{"phi":"` + goodEnvelope + `","phi":"plain"}`,
	``, `plain`, goodEnvelope, goodJSON + ` Smith`, goodJSON + `}`, goodJSON + goodJSON, `{"phi":"` + goodEnvelope + `"`,
}

var tokenForgeries = []string{
	"", "smith", "bi1:", "bi1:smith", goodEnvelope, "bi1:deadbeef:last_name:", "bi1:deadbeef:last_name:smith", "bi1:deadbeef:last_name:001",
	"bi1:deadbeef::0011", "bi1:deadbeef:0011", "bi1:deadbeef:Smith:0011", "bi1:deadbeef:last name:0011", "bi1:deadbeef:a:b:0011",
	"bi1:DEADBEEF:last_name:0011", "bi1:deadbee:last_name:0011", "BI1:deadbeef:last_name:0011", "bi1:deadbeef:last_name:00FF",
	"bi1:deadbeef:smith1:0011", "bi1:deadbeef:" + strings.Repeat("a", 33) + ":0011", "bi1:deadbeef:last_name:" + strings.Repeat("0", 65),
	goodToken + " ", goodToken + "\n", " " + goodToken, goodToken + ":smith", goodToken + "\nsmith", "bi1:deadbeef:é:0011",
}

var errUndo = errors.New("undo")

// column is a column that the database guards, with values that it must refuse and one value of the right form.
type column struct {
	table, name string
	json        bool
	good        string
	forgeries   []string
}

func guardedColumns() []column {
	var out []column
	for _, name := range []string{"first_name", "last_name", "date_of_birth"} {
		out = append(out, column{"patient", name, false, goodEnvelope, textForgeries})
	}
	for _, name := range []string{"contact_info", "address", "insurance", "emergency_contact"} {
		out = append(out, column{"patient", name, true, goodJSON, jsonForgeries})
	}
	return append(out,
		column{"auditlog", "reason", false, goodEnvelope, textForgeries},
		column{"blindindex", "token", false, goodToken, tokenForgeries})
}

// update puts value, an SQL expression over one parameter, into the column of one row.
func (c column) update(db *gorm.DB, value, parameter string) error {
	return db.Exec("UPDATE "+c.table+" SET "+c.name+" = "+c.cast(db, value)+" WHERE "+c.oneRow(), parameter).Error
}

// insert adds a copy of a row with value in the column.
func (c column) insert(db *gorm.DB, value, parameter string) error {
	columns := map[string][]string{
		"patient": {
			"id", "first_name", "last_name", "date_of_birth", "contact_info", "address", "insurance", "emergency_contact",
		},
		"auditlog":   {"id", "occurred_at", "action", "entity_type", "outcome", "origin", "reason"},
		"blindindex": {"token", "patient_id"},
	}[c.table]
	from := make([]string, len(columns))
	for i, name := range columns {
		switch name {
		case c.name:
			from[i] = c.cast(db, value)
		case "id":
			from[i] = "CAST('" + uuid.NewString() + "' AS " + map[string]string{"sqlite": "text", "postgres": "uuid"}[db.Name()] + ")"
		default:
			from[i] = name
		}
	}
	return db.Exec("INSERT INTO "+c.table+" ("+strings.Join(columns, ", ")+") SELECT "+strings.Join(from, ", ")+
		" FROM "+c.table+" LIMIT 1", parameter).Error
}

// oneRow narrows to a single row: a statement on many rows could fail because of another row.
func (c column) oneRow() string {
	key := "id"
	if c.table == "blindindex" {
		key = "token"
	}
	return key + " = (SELECT " + key + " FROM " + c.table + " LIMIT 1)"
}

func (c column) cast(db *gorm.DB, value string) string {
	switch {
	case db.Name() == "sqlite":
		return value
	case c.json:
		return "CAST(" + value + " AS jsonb)"
	default:
		return "CAST(" + value + " AS text)"
	}
}

// Direct SQL can't put plain text in the place of sealed text: the database refuses every form of plain text.
func TestDatabaseRefusesPlainText(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		create(t, openStore(t, url), complete())
		db := dbtest.Open(t, url)
		dbtest.DropTriggers(t, db, "auditlog") // the CHECKs must refuse on their own
		for _, c := range guardedColumns() {
			for how, put := range map[string]func(*gorm.DB, string, string) error{"UPDATE": c.update, "INSERT": c.insert} {
				for _, forged := range c.forgeries {
					require.Error(t, put(db, "?", forged), "%s: %s.%s took %q", how, c.table, c.name, forged)
				}
				for _, hidden := range hiddenForgeries(db) {
					require.Error(t, put(db, hidden, c.good), "%s: %s.%s took %s", how, c.table, c.name, hidden)
				}
				// Otherwise, the refusals would prove nothing.
				undone(t, db, true, func(tx *gorm.DB) error { return put(tx, "?", c.good) })
			}
		}
	})
}

// hiddenForgeries returns SQL expressions that hide text behind a value of the right form.
func hiddenForgeries(db *gorm.DB) []string {
	if db.Name() != "sqlite" {
		return nil // PostgreSQL's text holds no NUL, and its columns no other type
	}
	return []string{"? || char(0) || 'Smith'", "'Smith' || char(0) || ?", "? || char(0)", "CAST(? AS BLOB)", "CAST(? || char(0) || 'Smith' AS BLOB)"}
}

// PostgreSQL keeps the last of several members with one name, and drops the others. SQLite keeps the text, so it
// must refuse it.
func TestDuplicateMembersLeaveNothingPlain(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		create(t, openStore(t, url), complete())
		db := dbtest.Open(t, url)
		err := column{table: "patient", name: "address", json: true}.update(db, "?", `{"phi":"Smith","phi":"`+goodEnvelope+`"}`)
		var stored string
		require.NoError(t, db.Raw("SELECT CAST(address AS text) FROM patient").Scan(&stored).Error)
		require.NotContains(t, stored, "Smith")
		if db.Name() == "sqlite" {
			require.Error(t, err)
		}
	})
}

// The database accepts exactly the envelopes. The check includes texts that nobody thought of.
func TestDatabaseTakesEnvelopesOnly(t *testing.T) {
	t.Parallel()
	envelope := regexp.MustCompile(`\Aphi1:[0-9a-f]{8}:[A-Za-z0-9_-]{38,}\z`)
	dbtest.Run(t, func(t *testing.T, url string) {
		create(t, openStore(t, url), complete())
		db := dbtest.Open(t, url)
		plain, wrapped := guardedColumns()[0], guardedColumns()[4]
		rapid.Check(t, func(t *rapid.T) {
			text := []rune(goodEnvelope + rapid.StringOfN(rapid.RuneFrom([]rune("aZ9_-")), 0, 4, -1).Draw(t, "more"))
			for range rapid.IntRange(0, 2).Draw(t, "changes") {
				at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
				text[at] = rapid.RuneFrom([]rune("aF0:_-=+/ \n\té٣ａ")).Draw(t, "rune")
			}
			want := envelope.MatchString(string(text))
			undone(t, db, want, func(tx *gorm.DB) error { return plain.update(tx, "?", string(text)) })
			escaped := strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(string(text))
			undone(t, db, want, func(tx *gorm.DB) error { return wrapped.update(tx, "?", `{"phi":"`+escaped+`"}`) })
		})
	})
}

// undone requires that put succeeds if want is true, and fails otherwise. It rolls the change back.
func undone(t require.TestingT, db *gorm.DB, want bool, put func(*gorm.DB) error) {
	var got error
	require.ErrorIs(t, db.Transaction(func(tx *gorm.DB) error {
		got = put(tx)
		return errUndo
	}), errUndo)
	require.Equal(t, want, got == nil)
}
