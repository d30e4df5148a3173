package main

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"novamind/internal/apperr"
)

const apiHead = `# The API

<!-- make docs writes this page from the table of operations in handler. -->

This page lists every operation with its permissions, parameters, answers and errors. The OpenAPI document
(` + "`GET /openapi.json`" + `, or ` + "`novamind openapi`" + `) also has the members of every body. [access.md](access.md)
shows the roles and the scope of each permission; [errors.md](errors.md) explains the error codes.

Paths begin with ` + "`/api/v1`" + ` unless they are marked as *at the root*. Send
` + "`Authorization: Bearer TOKEN`" + ` with the token of ` + "`POST /auth/login`" + `, or with an API key.

Every request may have the header ` + "`X-Request-Id`" + ` with an id of its own, which the answer and the log repeat. A request
with a login may have ` + "`X-Purpose-Of-Use`" + ` with the purpose of the access, a code of HL7 v3 PurposeOfUse such as
` + "`TREAT`" + `, for the audit log.

`

// apiPage writes docs/api.md.
func apiPage(doc document) string {
	var out strings.Builder
	out.WriteString(apiHead)
	operations := doc.operations()
	common := commonCodes(operations)
	out.WriteString(paragraph("Every operation that needs a permission can also answer " + withStatuses(common) +
		". The lists below leave these out."))
	byNoun := map[string][]operation{}
	for _, op := range operations {
		byNoun[op.Tags[0]] = append(byNoun[op.Tags[0]], op)
	}
	for _, noun := range slices.Sorted(maps.Keys(byNoun)) {
		out.WriteString("\n## " + noun + "\n")
		for _, op := range byNoun[noun] {
			out.WriteString("\n" + doc.section(op, common))
		}
	}
	return out.String()
}

// commonCodes are the error codes of every operation that needs a permission.
func commonCodes(operations []operation) map[apperr.Code]string {
	var common map[apperr.Code]string
	for _, op := range operations {
		if _, codes := op.statuses(); len(op.Permissions) == 0 {
			continue
		} else if common == nil {
			common = codes
		} else {
			maps.DeleteFunc(common, func(c apperr.Code, _ string) bool { return codes[c] == "" })
		}
	}
	return common
}

// section describes one operation.
func (d document) section(op operation, common map[apperr.Code]string) string {
	var out strings.Builder
	root := ""
	if op.path == short(op.path) {
		root = ", at the root"
	}
	fmt.Fprintf(&out, "### %s\n\n%s%s\n\n%s", op.Summary, code(op.name()), root, paragraph(op.Description))
	if rows := d.parameters(op); len(rows) > 0 {
		out.WriteString("\n" + tableOf([]string{"parameter", "in", "", "type and meaning"}, rows))
	}
	out.WriteString("\n" + paragraph("Answers "+d.answers(op)+"."))
	_, codes := op.statuses()
	if len(op.Permissions) > 0 {
		maps.DeleteFunc(codes, func(c apperr.Code, _ string) bool { return common[c] != "" })
	}
	if len(codes) > 0 {
		out.WriteString(paragraph("Errors: " + withStatuses(codes) + "."))
	}
	return out.String()
}

// withStatuses lists error codes grouped by status.
func withStatuses(codes map[apperr.Code]string) string {
	byStatus := map[string][]apperr.Code{}
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		byStatus[codes[c]] = append(byStatus[codes[c]], c)
	}
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(byStatus)) {
		parts = append(parts, status+" "+code(byStatus[status]...))
	}
	return strings.Join(parts, "; ")
}

// answers describes the answers of an operation, except errors.
func (d document) answers(op operation) string {
	answers, _ := op.statuses()
	var parts []string
	for _, status := range answers {
		part := status
		for _, media := range slices.Sorted(maps.Keys(op.Responses[status].Content)) {
			if name := nameOf(op.Responses[status].Content[media].Schema); name != "" {
				part += " with `" + name + "`"
			} else {
				part += " with " + media
			}
		}
		headers := slices.Sorted(maps.Keys(op.Responses[status].Headers))
		headers = slices.DeleteFunc(headers, func(name string) bool { return name == "X-Request-Id" })
		if len(headers) > 0 && status != strconv.Itoa(http.StatusNotModified) {
			part += " and " + code(headers...)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// parameters lists the input of an operation: parameters, headers and members of the body.
func (d document) parameters(op operation) [][]string {
	var rows [][]string
	add := func(name, in string, required bool, s schema, description string) {
		need := ""
		if required {
			need = "required"
		}
		about := slices.DeleteFunc([]string{typeOf(s), description}, func(s string) bool { return s == "" })
		rows = append(rows, []string{code(name), in, need, strings.Join(about, ". ")})
	}
	for _, p := range op.Parameters {
		add(p.Name, p.In, p.Required, p.Schema, p.Description)
	}
	if op.RequestBody == nil {
		return rows
	}
	for _, media := range slices.Sorted(maps.Keys(op.RequestBody.Content))[:1] {
		body := op.RequestBody.Content[media].Schema
		if body.Ref != "" {
			body = d.Components.Schemas[nameOf(body)]
		}
		for _, name := range slices.Sorted(maps.Keys(body.Properties)) {
			member := body.Properties[name]
			add(name, "body", slices.Contains(body.Required, name), member, member.Description)
		}
	}
	return rows
}

// nameOf returns the name of a schema's component. The schema may also allow null.
func nameOf(s schema) string {
	for _, either := range s.AnyOf {
		if either.Ref != "" {
			s = either
		}
	}
	return s.Ref[strings.LastIndex(s.Ref, "/")+1:]
}

// typeOf describes the values that a schema allows.
func typeOf(s schema) string {
	if name := nameOf(s); name != "" {
		return code(name)
	}
	var words []string
	for _, word := range s.Enum {
		if text, ok := word.(string); ok {
			words = append(words, text)
		}
	}
	types, _ := s.Type.([]any)
	kind := fmt.Sprint(append(types, s.Type)[0])
	switch {
	case len(words) > 0:
		return "One of " + code(words...)
	case s.Items != nil:
		return "List: " + strings.ToLower(typeOf(*s.Items)[:1]) + typeOf(*s.Items)[1:]
	case s.Format != "" && kind == "string":
		return s.Format
	case s.MaxLength > 0:
		return fmt.Sprintf("%s of at most %d characters", kind, s.MaxLength)
	case s.Type == nil:
		return ""
	}
	return kind
}
