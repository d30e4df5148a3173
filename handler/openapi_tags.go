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
	{system, "Web pages, this document, and the health of the server."},
	{"auth", "Login, logout, and the caller's own account."},
	{"accounts", "The accounts of staff."},
	{"practitioners", "The accounts of clinicians, with their hours and free slots."},
	{"api-keys", "The API keys of other programs."},
	{"patients", "Patients, and lists of the data of one patient."},
	{"break-glass", "Emergency access to patients outside of the caller's care."},
	{"appointments", "Appointments: booking, changes and transitions."},
	{"appointment-series", "Series of appointments, booked by a recurrence rule."},
	{"medical-records", "Medical records: drafts, signed records and amendments."},
	{"consents", "The consents of patients to the disclosure of their records."},
	{"risk-flags", "Flags on patients in need of attention."},
	{"audit-logs", "The audit log: events, their proofs, and the signed checkpoint."},
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
