package main

import (
	"regexp"
	"strings"

	"novamind/handler"
	"novamind/service"
)

// accessTable shows the scope of each permission for each role.
func accessTable() string {
	roles := append(service.Roles(), service.RoleIntegration, service.RoleSystem)
	words := map[service.Scope]string{service.Own: "own", service.InCare: "in care", service.All: "all"}
	var rows [][]string
	for _, p := range service.Permissions() {
		row := []string{code(p)}
		for _, role := range roles {
			scope := service.Reach([]string{role}, p)
			cell := words[scope]
			if scope == service.InCare && service.ByEmergency(p) {
				cell += ", emergency"
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	return tableOf(append([]string{"permission"}, roles...), rows)
}

// operationsTable shows the operations that need each permission, and when. A permission used only by commands has
// none.
func operationsTable() string {
	operations := map[service.Permission][]string{}
	for _, op := range (&handler.API{}).Operations() {
		for _, need := range op.Needs {
			line := code(op.Method + " " + short(placeholder.ReplaceAllString(op.Pattern, "{$1}")))
			if need.When != "" {
				line += " (" + need.When + ")"
			}
			operations[need.Permission] = append(operations[need.Permission], line)
		}
	}
	var rows [][]string
	for _, p := range service.Permissions() {
		if lines := operations[p]; len(lines) > 0 {
			rows = append(rows, []string{code(p), strings.Join(lines, ", ")})
		}
	}
	return tableOf([]string{"permission", "operations"}, rows)
}

// placeholder is a path parameter as Gin writes it.
var placeholder = regexp.MustCompile(`:(\w+)`)

// short removes the common beginning of almost all paths.
func short(path string) string { return strings.TrimPrefix(path, "/api/v1") }
