package lint

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"novamind/migrations"
	"novamind/migrations/script"
)

var badException = Rule{
	"bad-exception", "An exception without a known rule, without a reason, or that excuses nothing",
	"an exception nobody can check outlives what it was for",
	"write `-- lint:allow RULE REASON` where the finding is, or take the exception away",
}

// exception excuses the findings of one rule in some lines of one file.
type exception struct {
	file        string
	first, last int // lines that it excuses
	rule        string
	column      string // TABLE.COLUMN that the finding begins with; "" for any
	reason      string
	line        int // its line, in its own file or in the list
	listed      bool
	used        bool
}

// settle returns the findings that no exception excuses, the excused findings, and the wrong exceptions.
func settle(files []*file, listed []*exception) Report {
	report := Report{Findings: []Finding{}, Allowed: []Allowed{}}
	all := listed
	for _, f := range files {
		all = append(all, f.exceptions()...)
	}
	for _, f := range files {
		for _, found := range f.findings {
			if e := excusing(all, found); e != nil {
				e.used = true
				report.Allowed = append(report.Allowed, Allowed{found, e.reason})
				continue
			}
			report.Findings = append(report.Findings, found)
		}
	}
	for _, e := range all {
		if problem := e.problem(); problem != "" {
			found := Finding{File: e.file, Line: e.line, Rule: badException.Code, Message: problem, Instead: badException.Instead}
			if e.listed {
				found.File = migrations.ExceptionsFile
			}
			report.Findings = append(report.Findings, found)
		}
	}
	slices.SortFunc(report.Findings, byPlace)
	slices.SortFunc(report.Allowed, func(a, b Allowed) int { return byPlace(a.Finding, b.Finding) })
	return report
}

func excusing(all []*exception, found Finding) *exception {
	for _, e := range all {
		if e.reasoned() && e.excuses(found) {
			return e
		}
	}
	return nil
}

func (e *exception) excuses(found Finding) bool {
	return e.file == found.File && e.rule == found.Rule && e.first <= found.Line && found.Line <= e.last &&
		(e.column == "" || strings.HasPrefix(found.Message, e.column+" "))
}

var columnName = regexp.MustCompile(`^[a-z0-9_]+\.[a-z0-9_]+$`)

// newException reads RULE [TABLE.COLUMN] REASON.
func newException(text string) *exception {
	e := &exception{}
	e.rule, e.reason, _ = strings.Cut(text, " ")
	e.reason = strings.TrimSpace(e.reason)
	if first, rest, _ := strings.Cut(e.reason, " "); columnName.MatchString(first) {
		e.column, e.reason = first, strings.TrimSpace(rest)
	}
	return e
}

// reasoned reports whether the reason has more than one word.
func (e *exception) reasoned() bool { return len(strings.Fields(e.reason)) > 1 }

func (e *exception) problem() string {
	switch {
	case !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Code == e.rule }):
		return fmt.Sprintf("no rule is called %q", e.rule)
	case !e.reasoned():
		return "the exception of " + e.rule + " has no reason"
	case !e.used:
		return "the exception of " + e.rule + " excuses nothing"
	default:
		return ""
	}
}

// exceptions returns the exceptions in the file itself. An exception at the end of a line is for that line. An
// exception on a line of its own is for the next line, and before a statement for the whole statement.
func (f *file) exceptions() []*exception {
	var found []*exception
	for _, d := range f.directives {
		if d.Name != "lint:allow" {
			continue
		}
		e := newException(d.Argument)
		e.file, e.line, e.first, e.last = f.name, d.Line, d.Line, d.Line
		if d.Alone {
			e.first, e.last = f.next(d)
		}
		found = append(found, e)
	}
	return found
}

// next returns the lines that a directive on a line of its own concerns.
func (f *file) next(d script.Directive) (first, last int) {
	for _, s := range script.Split(f.engine, f.text) {
		for i, token := range s.Tokens {
			if token.Start < d.Start {
				continue
			}
			line := script.Line(f.text, token.Start)
			if i == 0 {
				return line, script.Line(f.text, s.End())
			}
			return line, line
		}
	}
	return d.Line, d.Line
}

// readExceptions reads the list for frozen files. A line is FILE:LINE RULE [TABLE.COLUMN] REASON. Empty lines and
// lines with "#" first are skipped.
func readExceptions(fsys fs.FS) ([]*exception, error) {
	text, err := fs.ReadFile(fsys, migrations.ExceptionsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []*exception
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		place, rest, _ := strings.Cut(line, " ")
		name, at, _ := strings.Cut(place, ":")
		in, err := strconv.Atoi(at)
		if err != nil {
			return nil, fmt.Errorf("%s: line %d is not FILE:LINE RULE REASON", migrations.ExceptionsFile, number)
		}
		e := newException(strings.TrimSpace(rest))
		e.file, e.line, e.first, e.last, e.listed = name, number, in, in, true
		list = append(list, e)
	}
	return list, nil
}
