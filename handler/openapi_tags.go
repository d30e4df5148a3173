package handler

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// system is the tag of operations that are not below /api/v1.
const system = "system"

// nouns are the tags of the document. A tag is the first part of an operation's path below /api/v1.
var nouns = []struct{ name, description string }{
	{system, "The pages for browsers, this document, and the state of the server."},
	{"auth", "Logging in and out, and the caller's own account."},
	{"accounts", "The people who may log in."},
	{"practitioners", "The accounts that have appointments, their hours and their free times."},
	{"api-keys", "The machines that may log in."},
	{"patients", "Patients, and lists of what belongs to one patient."},
	{"break-glass", "Emergency access to patients who are not in the caller's care."},
	{"appointments", "Appointments, from booking to the end."},
	{"appointment-series", "Appointments by a recurrence rule."},
	{"medical-records", "Medical records: drafts, signed records and amendments."},
	{"consents", "The consents of patients."},
	{"risk-flags", "Flags on patients who need attention."},
	{"audit-logs", "The audit log: events, their proofs, and the signed head."},
	{"audit-reviews", "The weekly reviews of the audit log."},
}

func tags() []*huma.Tag {
	tags := make([]*huma.Tag, len(nouns))
	for i, noun := range nouns {
		tags[i] = &huma.Tag{Name: noun.name, Description: noun.description}
	}
	return tags
}

// nounOf returns the tag of a pattern. It returns an error for a noun that nouns does not describe.
func nounOf(pattern string) (string, error) {
	rest, ok := strings.CutPrefix(pattern, "/api/v1/")
	if !ok {
		return system, nil
	}
	name, _, _ := strings.Cut(rest, "/")
	for _, noun := range nouns {
		if noun.name == name {
			return name, nil
		}
	}
	return "", fmt.Errorf("nouns in openapi_tags.go do not describe %q", name)
}
