package service_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/service"
)

var update = flag.Bool("update", false, "write the access table into docs/access.md")

const (
	accessDoc  = "../docs/access.md"
	tableBegin = "<!-- the access table -->\n"
	tableEnd   = "<!-- end of the access table -->\n"
)

// accessTable writes the access table as Markdown.
func accessTable() string {
	roles := append(service.Roles(), service.RoleIntegration, service.RoleSystem)
	words := map[service.Scope]string{service.None: "", service.Own: "own", service.InCare: "in care", service.All: "all"}
	var table strings.Builder
	table.WriteString("| permission | " + strings.Join(roles, " | ") + " |\n|---" + strings.Repeat("|---", len(roles)) + "|\n")
	for _, p := range service.Permissions() {
		table.WriteString("| `" + string(p) + "` |")
		for _, role := range roles {
			reach := service.Reach([]string{role}, p)
			table.WriteString(" " + words[reach])
			if reach == service.InCare && service.ByEmergency(p) {
				table.WriteString(", emergency")
			}
			table.WriteString(" |")
		}
		table.WriteString("\n")
	}
	return table.String()
}

// docs/access.md shows the table that the code asks. -update writes it anew.
func TestAccessDocument(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(accessDoc)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(text), tableBegin)
	require.True(t, found)
	_, after, found := strings.Cut(rest, tableEnd)
	require.True(t, found)
	want := before + tableBegin + accessTable() + tableEnd + after
	if *update {
		require.NoError(t, os.WriteFile(accessDoc, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, string(text), "run go test ./service -run TestAccessDocument -update")
}
