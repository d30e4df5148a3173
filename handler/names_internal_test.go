package handler

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
)

// notOfPeople are members with ids of neither patients nor accounts.
var notOfPeople = []string{
	"id", "appointment_id", "series_id", "record_id", "supersedes_id", "consent_id", "event_id", "session_id", "api_key_id",
}

// withoutNames are members with ids of people that have no name beside them, and the reasons.
var withoutNames = map[string]string{
	"auditLogAnswer.user_id":       "an event is shown as the log has it, and a name can change later",
	"auditLogAnswer.entity_id":     "an event is shown as the log has it, and shows no patients",
	"auditLogAnswer.subjects":      "an event is shown as the log has it, and shows no patients",
	"breakGlassAnswer.patient_ids": "opening shows nothing of a patient yet; the list of emergency accesses has the names",
	"clinicianAnswer.account_id":   "its name is the member name",
	"patientAnswer.merged_into_id": "it is the same person",
}

// An answer has a name beside each id of a patient or an account. An exception that is no longer needed fails too.
func TestAnswersHaveNamesBesideIDs(t *testing.T) {
	t.Parallel()
	named, missing := 0, map[string]bool{}
	for answer := range answerTypes(t) {
		members := web.MembersOf(answer).ByName
		for name, m := range members {
			if slices.Contains(notOfPeople, name) || !isID(m.Typ) {
				continue
			}
			if members[nameBeside(name)].Typ == reflect.TypeFor[*models.Name]() {
				named++
				continue
			}
			missing[answer.Name()+"."+name] = true
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(withoutNames)), slices.Sorted(maps.Keys(missing)), "put the name beside the id")
	require.Positive(t, named)
}

// nameBeside returns the member with the name for the id in a member.
func nameBeside(member string) string { return strings.TrimSuffix(member, "_id") + "_name" }

func isID(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t == web.UUIDType
}

// answerTypes returns the struct types that answers of the API consist of.
func answerTypes(t *testing.T) map[reflect.Type]bool {
	t.Helper()
	seen := map[reflect.Type]bool{}
	for _, op := range (&API{}).Operations() {
		if op.Action.Answer != nil {
			consistsOf(op.Action.Answer, seen)
		}
	}
	for _, part := range []any{appointmentAnswer{}, medicalRecordAnswer{}, signOffAnswer{}, auditLogAnswer{}} {
		require.True(t, seen[reflect.TypeOf(part)], "%T is found wherever it stands", part)
	}
	return seen
}

func consistsOf(t reflect.Type, seen map[reflect.Type]bool) {
	switch several, ok := reflect.TypeAssert[interface{ Alternatives() []reflect.Type }](reflect.Zero(t)); {
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		consistsOf(t.Elem(), seen)
	case ok:
		for _, one := range several.Alternatives() {
			consistsOf(one, seen)
		}
	case web.Shape(t) == reflect.Struct && !seen[t]:
		seen[t] = true
		for _, m := range web.MembersOf(t).ByName {
			consistsOf(m.Typ, seen)
		}
	}
}

// Every answer of the API to a GET has an ETag, except a page that is printed while it is read.
func TestAnswersToGetHaveAnETag(t *testing.T) {
	t.Parallel()
	for _, op := range (&API{}).Operations() {
		if op.Method == http.MethodGet && strings.HasPrefix(op.Pattern, "/api/") && op.Action.Media != "text/html" {
			require.True(t, op.Action.Tagged || op.Revalidates(), op.Pattern)
			require.Contains(t, rest.HeadersOf(op), "ETag", op.Pattern)
		}
	}
}

// Every free text of a request has a limit in the document, or its format implies one.
func TestTextsOfRequestsHaveALimit(t *testing.T) {
	t.Parallel()
	unlimited := map[string]bool{}
	listed := []string{"fields"} // each is the name of a member
	for _, op := range (&API{}).Operations() {
		for _, body := range []reflect.Type{op.Action.Body, op.Action.Request} {
			if body == nil || body.Kind() != reflect.Struct || op.Method == http.MethodGet {
				continue
			}
			seen := map[reflect.Type]bool{}
			consistsOf(body, seen)
			for part := range seen {
				for name, m := range web.MembersOf(part).ByName {
					if isText(m.Typ) && !slices.Contains(listed, name) && m.Tag.Get("max")+m.Tag.Get("values")+m.Tag.Get("format")+m.Tag.Get("set") == "" {
						unlimited[part.Name()+"."+name] = true
					}
				}
			}
		}
	}
	require.Empty(t, slices.Sorted(maps.Keys(unlimited)), `give the member the tag max:"…"`)
}

func isText(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.String
}
