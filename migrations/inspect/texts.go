package inspect

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"novamind/migrations"
	"novamind/migrations/script"
)

// Texts are the CREATE statements of a SQLite database, without comments, because an exception from the lint is for
// the file where it stands. A table that is rebuilt from them keeps the parts that atlas does not know, such as
// collations.
type Texts struct {
	Tables  map[string]string
	Indexes map[string][]Text // by table
	Checks  map[string]string // by name: the expression
}

// Text is the statement that makes an index.
type Text struct{ Name, SQL string }

func readTexts(ctx context.Context, db *gorm.DB) (Texts, error) {
	var rows []struct{ Type, Name, TblName, SQL string }
	err := db.WithContext(ctx).Raw(`SELECT type, name, tbl_name, sql FROM sqlite_master
		WHERE type IN ('table', 'index') AND sql IS NOT NULL ORDER BY name`).Scan(&rows).Error
	t := Texts{Tables: map[string]string{}, Indexes: map[string][]Text{}}
	for _, row := range rows {
		row.SQL = script.WithoutComments(migrations.SQLite, row.SQL)
		if row.Type == "table" {
			t.Tables[row.Name] = layOut(row.SQL)
		} else {
			t.Indexes[row.TblName] = append(t.Indexes[row.TblName], Text{row.Name, row.SQL})
		}
	}
	return t, err
}

// layOut puts each definition of a CREATE TABLE that GORM wrote on a line of its own.
func layOut(statement string) string {
	if strings.Contains(statement, "\n") {
		return statement
	}
	var out strings.Builder
	depth := 0
	quoted := false
	for _, c := range statement {
		switch {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
			if depth == 1 {
				out.WriteString("(\n    ")
				continue
			}
		case c == ')':
			depth--
			if depth == 0 {
				out.WriteString("\n)")
				continue
			}
		case c == ',' && depth == 1:
			out.WriteString(",\n    ")
			continue
		}
		out.WriteRune(c)
	}
	return out.String()
}
