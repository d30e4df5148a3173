//go:build clients

package tools_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// node is a part of a JSON document.
type node = map[string]any

// at returns the object at a path of member names.
func at(t *testing.T, n node, path ...string) node {
	t.Helper()
	for _, name := range path {
		next, ok := n[name].(node)
		require.True(t, ok, name)
		n = next
	}
	return n
}

// A change that breaks clients of the last release is refused; an addition is not.
func TestBreakingChanges(t *testing.T) {
	t.Parallel()
	schema := func(d node, name string) node { return at(t, d, "components", "schemas", name) }
	for name, test := range map[string]struct {
		change func(document node)
		rule   string // the rule that refuses the change; empty: no rule does
	}{
		"an operation removed": {rule: "api-removed-without-deprecation", change: func(d node) {
			delete(at(t, d, "paths", "/api/v1/patients/{id}"), "delete")
		}},
		"another status": {rule: "response-success-status-removed", change: func(d node) {
			responses := at(t, d, "paths", "/api/v1/patients", "post", "responses")
			responses["200"] = responses["201"]
			delete(responses, "201")
		}},
		"a member of an answer removed": {rule: "response-required-property-removed", change: func(d node) {
			delete(at(t, schema(d, "Patient"), "properties"), "last_name")
		}},
		"a member of an answer that may be null now": {rule: "response-property-became-nullable", change: func(d node) {
			at(t, schema(d, "Patient"), "properties", "last_name")["type"] = []string{"string", "null"}
		}},
		"a member of another type": {rule: "response-property-type-changed", change: func(d node) {
			at(t, schema(d, "Patient"), "properties", "version")["type"] = "string"
		}},
		"a member of a request that is refused now": {rule: "request-property-removed", change: func(d node) {
			delete(at(t, schema(d, "RegistrationInput"), "properties"), "insurance")
		}},
		"a member of a request that is required now": {rule: "request-property-became-required", change: func(d node) {
			input := schema(d, "RegistrationInput")
			required, ok := input["required"].([]any)
			require.True(t, ok)
			input["required"] = append(required, "insurance")
		}},
		"a word of a request that is refused now": {rule: "request-property-enum-value-removed", change: func(d node) {
			word := at(t, schema(d, "AppointmentInput"), "properties", "modality")
			words, ok := word["enum"].([]any)
			require.True(t, ok)
			word["enum"] = words[1:]
		}},
		"additions": {change: func(d node) {
			text := node{"type": "string"}
			at(t, schema(d, "RegistrationInput"), "properties")["added"] = text
			at(t, schema(d, "Patient"), "properties")["added"] = text
			at(t, d, "paths")["/added"] = at(t, d, "paths", "/healthz")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile("../docs/openapi.released.json")
			require.NoError(t, err)
			var document node
			require.NoError(t, json.Unmarshal(text, &document))
			test.change(document)
			changed, err := json.Marshal(document)
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "changed.json")
			require.NoError(t, os.WriteFile(file, changed, 0o600))
			out, err := exec.CommandContext(t.Context(), "./check-openapi", "../docs/openapi.released.json", file).CombinedOutput()
			if test.rule == "" {
				require.NoError(t, err, "%s", out)
				return
			}
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", out)
			require.Contains(t, string(out), "["+test.rule+"]")
		})
	}
}
