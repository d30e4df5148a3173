package accounting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/accounting"
)

func TestPage(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at := time.Date(2026, 7, 1, 12, 30, 0, 0, time.UTC)
	var out strings.Builder
	page, err := accounting.Begin(&out, accounting.Heading{Patient: "<b>Ada</b> Example", ID: uuid.UUID{1}, From: at, Made: at, Zone: zone})
	require.NoError(t, err)
	require.NoError(t, page.Write([]accounting.Line{
		{When: at, Who: "Kay <script>", Roles: []string{"clinician"}, Action: "update", Data: "patient", Fields: []string{"first_name"}, Purpose: "TREAT", Reason: "asked"},
	}))
	require.NoError(t, page.End())
	text := out.String()
	for _, want := range []string{
		"&lt;b&gt;Ada&lt;/b&gt; Example", "01000000-0000-0000-0000-000000000000", "From 2026-07-01 08:30", "America/New_York", "2026-07-01 08:30:00",
		"Kay &lt;script&gt;", "clinician", "patient: changed", "first_name", "TREAT: asked", "1 access.", "</html>",
	} {
		require.Contains(t, text, want)
	}
	require.NotContains(t, text, "<script")
	require.NotContains(t, text, "http", "the page needs nothing besides itself")
}
