package pgtree

import (
	"strings"

	"novamind/migrations/script"
)

// deepest is the deepest nesting of a statement, as depth counts. The parser has a small stack and no guard under it.
// Beyond about twice this (measured) it writes over its own memory, and then loops or answers anything.
const deepest = 300

// depth returns an upper bound for the depth of a statement's tree, in operators. A parenthesis counts for three:
// with SELECT or CASE in it, the grammar takes many steps for each.
func depth(tokens []script.Token) int {
	most, total := 0, 0
	levels := []int{0} // the depth within each open parenthesis since its last comma
	add := func(n int) {
		levels[len(levels)-1] += n
		total += n
		most = max(most, total)
	}
	for _, token := range tokens {
		switch {
		case token.Is("(", "["):
			levels = append(levels, 0)
			add(3)
		case token.Is(")", "]") && len(levels) > 1:
			total -= levels[len(levels)-1]
			levels = levels[:len(levels)-1]
		case token.Is(","):
			total -= levels[len(levels)-1]
			levels[len(levels)-1] = 0
		case token.Is("CASE"):
			add(2)
		case token.Is("SELECT", "NOT", "JOIN", "UNION", "INTERSECT", "EXCEPT", "IS", "LIKE", "IN", "COLLATE"):
			add(1)
		case token.Kind == script.Symbol && !token.Is(".", ";"):
			add(1)
		}
	}
	return most
}

// tooDeep reports whether a statement nests more than the parser takes. The body of a DO block counts too.
func tooDeep(s script.Statement) bool {
	if depth(s.Tokens) > deepest {
		return true
	}
	if !s.Begins("DO") {
		return false
	}
	for _, token := range s.Tokens {
		if token.Kind == script.Text && bodyTooDeep(script.Split(script.Postgres, strings.Trim(token.Text, "$'"))) {
			return true
		}
	}
	return false
}

// bodyTooDeep judges PL/pgSQL, whose parser takes a lot of stack for each block. A semicolon ends a statement, but
// not the block around it.
func bodyTooDeep(body []script.Statement) bool {
	const block = 8
	open := 0
	for _, s := range body {
		for i, word := range s.Tokens {
			ended := i > 0 && s.Tokens[i-1].Is("END")
			switch {
			case word.Is("END"):
				open = max(0, open-1)
			case word.Is("BEGIN", "IF", "LOOP", "CASE") && !ended:
				open++
			}
			if open*block > deepest {
				return true
			}
		}
		if depth(s.Tokens)+open*block > deepest {
			return true
		}
	}
	return false
}
