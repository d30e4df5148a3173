package models

import (
	"regexp"
	"strings"
)

// comparison finds the sealed columns of a table in a query's text. Comparing them or sorting by them is a mistake, and hands the engine what was
// to be found, in the clear.
type comparison struct {
	columns  *regexp.Regexp
	harmless *regexp.Regexp // asking for the key, or whether there is a value
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
