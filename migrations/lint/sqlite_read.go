package lint

import (
	"context"
	"database/sql"
	"strings"

	"novamind/migrations/script"
)

// readSQLite reads the schema of a database. Names are in lower case, as SQLite compares them.
func readSQLite(ctx context.Context, conn *sql.Conn) (schema, error) {
	s := schema{}
	for _, read := range []func(context.Context, *sql.Conn, schema) error{readObjects, readColumns, readForeignKeys} {
		if err := read(ctx, conn, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// each calls scan for every row of a query.
func each(ctx context.Context, conn *sql.Conn, query string, scan func(*sql.Rows) error) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

const userTables = `sqlite_schema AS t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`

func readObjects(ctx context.Context, conn *sql.Conn, s schema) error {
	return each(ctx, conn, `SELECT type, lower(name), lower(tbl_name), sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' AND sql IS NOT NULL`,
		func(rows *sql.Rows) error {
			var what, name, table, text string
			if err := rows.Scan(&what, &name, &table, &text); err != nil {
				return err
			}
			switch what {
			case "table":
				readTable(s, table, text)
			case "index":
				s[object{indexes, table, name}] = detail{}
			case "trigger":
				s[object{triggers, table, name}] = detail{Function: action(text)}
			}
			return nil
		})
}

// readTable reads the parts of a CREATE TABLE that the catalogue tells nowhere else: named constraints, collations,
// and the words after the parentheses.
func readTable(s schema, table, text string) {
	for _, statement := range script.Split("", text) {
		s[object{Kind: tables, Table: table}] = detail{Type: tableOptions(statement)}
		readDefinitions(s, table, statement, text)
	}
}

func readDefinitions(s schema, table string, statement script.Statement, text string) {
	for _, d := range definitions(statement.Tokens) {
		all := d.constraints()
		for i, c := range all {
			if c.name != "" {
				s[object{constraints, table, c.name}] = detail{Check: d.text(text, all, i)}
			}
		}
		if d.column != "" {
			s[object{columns, table, d.column}] = detail{Collation: d.collation()}
		}
	}
}

// tableOptions returns the words after the parentheses: WITHOUT ROWID, STRICT.
func tableOptions(s script.Statement) string {
	var words []string
	for _, token := range s.Tokens {
		words = append(words, strings.ToUpper(token.Text))
		if token.Is(")") {
			words = nil
		}
	}
	return strings.Join(words, " ")
}

// action returns the action and the time of a trigger, without its name.
func action(text string) string {
	var words []string
	for i, token := range script.Tokens("", text) {
		if i > 2 && token.Kind != script.Comment {
			words = append(words, token.Text)
		}
	}
	return strings.Join(words, " ")
}

func readColumns(ctx context.Context, conn *sql.Conn, s schema) error {
	return each(ctx, conn, `SELECT lower(t.name), lower(c.name), lower(c.type), c."notnull" AND c.dflt_value IS NULL AND c.hidden = 0,
		coalesce(upper(c.dflt_value), 'NULL') <> 'NULL' OR c.hidden > 0 FROM `+
		strings.Replace(userTables, " WHERE", " JOIN pragma_table_xinfo(t.name) AS c WHERE", 1),
		func(rows *sql.Rows) error {
			var table, name, of string
			var required, filled bool
			if err := rows.Scan(&table, &name, &of, &required, &filled); err != nil {
				return err
			}
			o := object{columns, table, name}
			d := s[o]
			d.Type, d.Required, d.Filled = of, required, filled
			s[o] = d
			return nil
		})
}

func readForeignKeys(ctx context.Context, conn *sql.Conn, s schema) error {
	return each(ctx, conn, `SELECT lower(t.name), group_concat(lower(k."from"), ', ' ORDER BY k.seq) FROM `+
		strings.Replace(userTables, " WHERE", " JOIN pragma_foreign_key_list(t.name) AS k WHERE", 1)+` GROUP BY t.name, k.id`,
		func(rows *sql.Rows) error {
			var table, from string
			if err := rows.Scan(&table, &from); err != nil {
				return err
			}
			s[object{foreignKeys, table, from}] = detail{}
			return nil
		})
}
