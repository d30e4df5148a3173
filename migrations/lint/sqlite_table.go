package lint

import (
	"slices"

	"novamind/migrations/script"
)

// definition is one column or constraint in the parentheses of a CREATE TABLE.
type definition struct {
	column string // "" for a constraint of the table
	tokens []script.Token
}

// definitions returns the definitions of a CREATE TABLE; none for other statements.
func definitions(tokens []script.Token) []definition {
	if len(tokens) < 3 || !tokens[0].Is("CREATE") || !slices.ContainsFunc(tokens[1:3], func(t script.Token) bool { return t.Is("TABLE") }) {
		return nil
	}
	var all []definition
	var open []script.Token
	closeOne := func() {
		if len(open) == 0 {
			return
		}
		d := definition{tokens: open}
		if !open[0].Is("CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN") {
			d.column = open[0].Name()
		}
		all, open = append(all, d), nil
	}
	depth := 0
	for _, token := range tokens {
		switch {
		case token.Is("("):
			depth++
			if depth == 1 {
				continue
			}
		case token.Is(")"):
			depth--
			if depth == 0 {
				closeOne()
				return all
			}
		case depth == 1 && token.Is(","):
			closeOne()
			continue
		}
		if depth > 0 {
			open = append(open, token)
		}
	}
	closeOne()
	return all
}

// text returns the part of the definition from one of its constraints to the next, as it stands in the statement.
func (d definition) text(statement string, all []tableConstraint, i int) string {
	end := d.tokens[len(d.tokens)-1].End()
	if i+1 < len(all) {
		end = all[i+1].at
	}
	return statement[all[i].at:end]
}

// tableConstraint is a constraint in the form of its definition.
type tableConstraint struct {
	name string // "" without one
	kind string // "CHECK"
	at   int
}

// constraints returns the constraints of a definition that can have names, NOT NULL and DEFAULT aside.
func (d definition) constraints() []tableConstraint {
	var found []tableConstraint
	name := ""
	depth := 0
	for i, token := range d.tokens {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth > 0:
		case token.Is("CONSTRAINT") && i+1 < len(d.tokens):
			name = d.tokens[i+1].Name()
		case i > 0 && d.tokens[i-1].Is("CONSTRAINT"):
		case i == 0 && d.column != "":
		case token.Is("PRIMARY", "UNIQUE", "CHECK", "FOREIGN"), token.Is("REFERENCES") && !d.foreign(found):
			found = append(found, tableConstraint{name: name, kind: token.Text, at: token.Start})
			name = ""
		case token.Is("NOT", "DEFAULT", "COLLATE", "GENERATED", "AS"):
			name = ""
		}
	}
	return found
}

// foreign reports whether REFERENCES belongs to the FOREIGN KEY before it.
func (d definition) foreign(found []tableConstraint) bool { return d.column == "" && len(found) > 0 }

// collation returns the collation that a column's definition names, or "".
func (d definition) collation() string {
	depth := 0
	for i, token := range d.tokens {
		switch {
		case token.Is("("):
			depth++
		case token.Is(")"):
			depth--
		case depth == 0 && i > 0 && d.tokens[i-1].Is("COLLATE"):
			return token.Name()
		}
	}
	return ""
}
