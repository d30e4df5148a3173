package main

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"novamind/internal/apperr"
)

// document is the part of the OpenAPI document that the pages show.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]schema `json:"schemas"`
	} `json:"components"`
}

type operation struct {
	Summary     string                `json:"summary"`
	Description string                `json:"description"`
	Tags        []string              `json:"tags"`
	Security    []map[string][]string `json:"security"`
	Permissions []string              `json:"x-permission"`
	Parameters  []parameter           `json:"parameters"`
	RequestBody *message              `json:"requestBody"`
	Responses   map[string]message    `json:"responses"`

	method, path string
}

type parameter struct {
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Schema      schema `json:"schema"`
}

// message is the body of a request or of an answer.
type message struct {
	Headers map[string]any `json:"headers"`
	Content map[string]struct {
		Schema schema `json:"schema"`
	} `json:"content"` // by media type
}

type schema struct {
	Ref         string            `json:"$ref"`
	Type        any               `json:"type"` // a word, or several
	Format      string            `json:"format"`
	Description string            `json:"description"`
	MaxLength   int               `json:"maxLength"`
	Enum        []any             `json:"enum"`
	Items       *schema           `json:"items"`
	AllOf       []schema          `json:"allOf"`
	AnyOf       []schema          `json:"anyOf"`
	Properties  map[string]schema `json:"properties"`
	Required    []string          `json:"required"`
}

// methods are in the order in which a page lists the methods of a path.
var methods = []string{"get", "post", "put", "patch", "delete"}

// operations lists the operations by path and method.
func (d document) operations() []operation {
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method, op := range d.Paths[path] {
			op.method, op.path = method, path
			all = append(all, op)
		}
	}
	slices.SortStableFunc(all, func(a, b operation) int {
		return cmp.Or(strings.Compare(a.path, b.path),
			cmp.Compare(slices.Index(methods, a.method), slices.Index(methods, b.method)))
	})
	return all
}

// name is an operation's method and path.
func (op operation) name() string { return strings.ToUpper(op.method) + " " + short(op.path) }

// takes reports whether an operation has a parameter with this name, or in this place.
func (op operation) takes(what string) bool {
	return slices.ContainsFunc(op.Parameters, func(p parameter) bool { return p.Name == what || p.In == what })
}

// statuses lists the statuses of an operation's answers except errors, and its error codes with their statuses.
func (op operation) statuses() (answers []string, codes map[apperr.Code]string) {
	codes = map[apperr.Code]string{}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		response := op.Responses[status]
		if n, _ := strconv.Atoi(status); n < 400 {
			answers = append(answers, status)
			continue
		}
		for _, part := range response.Content["application/problem+json"].Schema.AllOf {
			for _, word := range part.Properties["code"].Enum {
				text, _ := word.(string)
				codes[apperr.Code(text)] = status
			}
		}
	}
	return answers, codes
}
