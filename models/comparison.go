package models

import (
	"regexp"
	"strings"
)

// comparison finds the sealed columns of a table in a query's text. Comparing sealed columns or sorting by them is
// a mistake. It also gives the engine the searched value in the clear.
type comparison struct {
	columns  *regexp.Regexp
	harmless *regexp.Regexp // a query for the key id, or for whether there is a value
}

func comparisonOf(table string) comparison {
	var names, harmless []string
	for _, c := range SealedColumns() {
		if c.Table == table {
			names = append(names, c.Column)
			harmless = append(harmless, regexp.QuoteMeta(c.KeyID()), "[\"`]?"+c.Column+"[\"`]? IS (NOT )?NULL")
		}
	}
	return comparison{
		columns:  regexp.MustCompile(`(?i)\b(` + strings.Join(names, "|") + `)\b`),
		harmless: regexp.MustCompile(`(?i)` + strings.Join(harmless, "|")),
	}
}

func (c comparison) in(text string) bool {
	return c.columns.MatchString(text) && c.columns.MatchString(c.harmless.ReplaceAllString(text, ""))
}
