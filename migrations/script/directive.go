package script

import (
	"regexp"
	"strings"
)

// Directive is a comment that tells the runner or the lint something: "-- migrate:no-transaction".
type Directive struct {
	Name     string // "migrate:no-transaction"
	Argument string // the rest of the line, without blanks around
	Start    int    // in bytes
	Line     int    // from 1
	Alone    bool   // without anything else on its line
}

var directive = regexp.MustCompile(`^--[ \t]*((?:migrate|lint):[a-z-]+)(?:[ \t]+(.*))?$`)

// Directives returns the directives of text, in their order. A comment within a string is not a directive.
func Directives(engine, text string) []Directive {
	var found []Directive
	for _, token := range Tokens(engine, text) {
		part := directive.FindStringSubmatch(strings.TrimRight(token.Text, " \t\r"))
		if token.Kind != Comment || part == nil {
			continue
		}
		line := text[strings.LastIndexByte(text[:token.Start], '\n')+1 : token.Start]
		found = append(found, Directive{
			Name: part[1], Argument: strings.TrimSpace(part[2]), Start: token.Start,
			Line: Line(text, token.Start), Alone: strings.TrimSpace(line) == "",
		})
	}
	return found
}
