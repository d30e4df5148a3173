package handler_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/handler"
	"novamind/internal/rest"
	"novamind/service"
)

// The permissions of a row let in exactly the roles that the matrix expects. Services already refuse a row that
// states less than they check; this test finds a row that states more. If the matrix expects several roles, no single
// role has all of the permissions.
func TestNeedsLetInTheRolesOfTheMatrix(t *testing.T) {
	t.Parallel()
	expected := map[string]map[string]bool{}
	for line, rule := range matrix {
		method, pattern := routeOf(line)
		route := method + " " + pattern
		if expected[route] == nil {
			expected[route] = map[string]bool{}
		}
		for role := range strings.FieldsSeq(rule.who) {
			expected[route][role] = true
		}
	}
	compared := 0
	for _, op := range (&handler.API{}).Operations() {
		if len(op.Needs) == 0 {
			continue
		}
		let := map[string]bool{}
		has := func(role string, p service.Permission) bool { return service.Reach([]string{role}, p) != service.None }
		for _, role := range append(service.Roles(), service.RoleIntegration) {
			for _, need := range op.Needs {
				if need.When != rest.OnRepeat && has(role, need.Permission) {
					let[role] = true
				}
			}
		}
		route := op.Method + " " + op.Pattern
		if expected[route][nobodyAlone] {
			for role := range let {
				lacks := slices.ContainsFunc(op.Needs, func(n rest.Need) bool { return !has(role, n.Permission) })
				require.True(t, lacks, "%s: %s alone has all that the row states", route, role)
			}
			continue
		}
		require.Equal(t, slices.Sorted(maps.Keys(expected[route])), slices.Sorted(maps.Keys(let)), route)
		compared++
	}
	require.NotZero(t, compared)
}

// document is the part of an OpenAPI document that the tests below need.
type document struct {
	OpenAPI string
	Paths   map[string]map[string]struct {
		OperationID string
		RequestBody map[string]any
		Responses   map[string]any
		Permissions []string `json:"x-permission"`
	}
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Additional any `json:"additionalProperties"`
			Properties map[string]map[string]any
		}
	}
}

func readDocument(t *testing.T, text string) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	require.Equal(t, "3.1.0", d.OpenAPI)
	return d
}

func TestTheServerServesTheDocumentOfItsRoutes(t *testing.T) {
	t.Parallel()
	s := newStack(t, anyDatabase(t))
	printed, err := handler.OpenAPI()
	require.NoError(t, err)
	r := s.as("").do("GET", "/openapi.json", "")
	require.Equal(t, string(printed), r.text)
	d := readDocument(t, r.text)
	described := 0
	for _, operations := range d.Paths {
		described += len(operations)
	}
	routes := s.engine.Routes()
	require.Len(t, routes, described)
	for _, route := range routes {
		require.Contains(t, d.Paths[documented(route.Path)], strings.ToLower(route.Method), "%s %s", route.Method, route.Path)
	}
}

func TestTheDocumentSaysWhatIsRequiredAndWhatMayBeNull(t *testing.T) {
	t.Parallel()
	text, err := handler.OpenAPI()
	require.NoError(t, err)
	d := readDocument(t, string(text))
	nullableRef := func(name string) map[string]any {
		return map[string]any{"anyOf": []any{map[string]any{"$ref": "#/components/schemas/" + name}, map[string]any{"type": "null"}}}
	}
	answer, request, patch := d.Components.Schemas["Patient"], d.Components.Schemas["RegistrationInput"], d.Components.Schemas["PatientPatch"]
	require.Equal(t, nullableRef("Address"), answer.Properties["address"])
	require.Contains(t, answer.Required, "address", "an answer has each member, null or not")
	require.NotContains(t, answer.Required, "warnings")
	require.Nil(t, answer.Additional, "answers may get more members")

	require.Equal(t, false, request.Additional)
	require.ElementsMatch(t, []string{"first_name", "last_name", "date_of_birth", "contact_info"}, request.Required)
	require.Equal(t, nullableRef("AddressInput"), request.Properties["address"])
	require.Equal(t, "date", request.Properties["date_of_birth"]["format"])
	require.NotContains(t, request.Properties, "id")

	require.Equal(t, false, patch.Additional)
	require.Empty(t, patch.Required)
	require.Equal(t, nullableRef("AddressPatch"), patch.Properties["address"])
	require.Equal(t, "string", patch.Properties["first_name"]["type"], "no null: a name cannot be taken away")

	draft, questionnaire := d.Components.Schemas["MedicalRecordRequest"], d.Components.Schemas["QuestionnaireInput"]
	require.ElementsMatch(t, []string{"patient_id", "kind"}, draft.Required, "a draft needs no title yet")
	require.Equal(t, "string", draft.Properties["title"]["type"], "no null")
	require.Equal(t, true, questionnaire.Properties["score"]["readOnly"], "it is computed")
	require.Contains(t, draft.Properties["kind"]["enum"], "progress_note")

	deleting := d.Paths["/api/v1/patients/{id}"]["delete"]
	require.Equal(t, []string{"patient.deactivate", "patient.purge"}, deleting.Permissions)
	for _, status := range []string{"204", "400", "401", "403", "404", "409", "412", "422", "428", "429", "503"} {
		require.Contains(t, deleting.Responses, status)
	}
	require.Equal(t, "deactivateOrPurgePatient", deleting.OperationID)
}
