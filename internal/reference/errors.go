package main

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"novamind/internal/apperr"
	"novamind/internal/web"
)

// errorsTable shows each error code with its status, its meaning, and the operations that answer it.
func errorsTable(doc document) string {
	answered := map[apperr.Code][]operation{}
	operations := doc.operations()
	for _, op := range operations {
		_, codes := op.statuses()
		for c := range codes {
			answered[c] = append(answered[c], op)
		}
	}
	var rows [][]string
	for _, c := range slices.Sorted(maps.Keys(web.ProblemKinds)) {
		kind := web.ProblemKinds[c]
		rows = append(rows, []string{code(c), strconv.Itoa(kind.Status), kind.Meaning, inGroups(answered[c], operations)})
	}
	return tableOf([]string{"code", "status", "meaning", "operations"}, rows)
}

// groups are the kinds of operations that share error codes, the widest first.
var groups = []struct {
	name string
	has  func(operation) bool
}{
	{"all", func(operation) bool { return true }},
	{"all that need a login", func(op operation) bool { return len(op.Security) > 0 }},
	{"all that need a permission", func(op operation) bool { return len(op.Permissions) > 0 }},
	{"all with a parameter in the path", func(op operation) bool { return op.takes("path") }},
	{"all with a body", func(op operation) bool { return op.RequestBody != nil }},
	{"all with `If-Match`", func(op operation) bool { return op.takes("If-Match") }},
	{"all with `Idempotency-Key`", func(op operation) bool { return op.takes("Idempotency-Key") }},
}

// inGroups names operations: by group if a whole group is among them, and the others one by one.
func inGroups(these, all []operation) string {
	among := func(op operation) bool {
		return slices.ContainsFunc(these, func(o operation) bool { return o.name() == op.name() })
	}
	var parts []string
	rest := these
	for _, group := range groups {
		whole := !slices.ContainsFunc(all, func(op operation) bool { return group.has(op) && !among(op) })
		if whole && slices.ContainsFunc(rest, group.has) {
			parts = append(parts, group.name)
			rest = slices.DeleteFunc(slices.Clone(rest), group.has)
		}
	}
	for _, op := range rest {
		parts = append(parts, code(op.name()))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
