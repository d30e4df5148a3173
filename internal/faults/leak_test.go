package faults

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

// The canaries stand in every field that can hold one.
var canaries = []string{
	"Quibblefern", "Zandromeda", "1931-07-23", "417 Moonquake Alley", "Snarkville", "212-555-0147", "+12125550147", "2125550147",
	"quibble.fern@example.org", "Changedwick", "POL-88123-X", "Wobbleton Mutual",
}

const canaryLine = `{"resourceType":"Patient","id":"129c6ac7-8d06-89de-ad63-0204a93e76c3","name":[{"use":"official","family":"Zandromeda","given":["Quibblefern"]}],` +
	`"telecom":[{"system":"phone","value":"212-555-0147"},{"system":"email","value":"quibble.fern@example.org"}],"birthDate":"1931-07-23",` +
	`"address":[{"line":["417 Moonquake Alley"],"city":"Snarkville","state":"NY","postalCode":"10001"}]}` + "\n"

// Nothing that the program leaves behind holds plain PHI: database files with the write-ahead log, dumps, its output, its keys.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		in := newInstallation(t, url)
		export := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(export, "Patient.ndjson"), []byte(canaryLine+"{broken Zandromeda\n"), 0o600))
		require.Contains(t, in.run("import", "fhir", export), "1 created, 0 there already, 1 rejected")
		require.Contains(t, in.run("import", "fhir", export), "0 created, 1 there already, 1 rejected")
		s := in.serve()
		use(t, s)
		files := artefacts(t, in, url) // while the server runs
		s.stop(syscall.SIGTERM)
		output, err := os.ReadFile(filepath.Join(in.dir, "output"))
		require.NoError(t, err)
		files["output"] = string(output)
		require.Contains(t, files["output"], "INSERT INTO", "DB_ECHO is on")
		for name, content := range files {
			require.NotEmpty(t, content, name)
			require.Empty(t, found(content), name)
		}
	})
}

// The search above finds what it looks for.
func TestLeakSearchFindsAPlantedCanary(t *testing.T) {
	t.Parallel()
	for _, canary := range canaries {
		for _, form := range forms(canary) {
			require.Contains(t, found("x"+form+"y"), canary)
		}
	}
	require.Empty(t, found("nothing to see"))
}

// use reads, changes and searches, well and badly.
func use(t *testing.T, s *server) {
	t.Helper()
	const path = "/api/v1/patients/129c6ac7-8d06-89de-ad63-0204a93e76c3"
	for _, request := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", path, "", http.StatusOK},
		{"GET", "/api/v1/patients?phone=212-555-0147", "", http.StatusOK},
		{"GET", "/api/v1/patients?q=zandro+quibble", "", http.StatusOK},
		{"POST", "/api/v1/patients/search", `{"last_name":"Zandromeda","date_of_birth":"1931-07-23"}`, http.StatusOK},
		{"PATCH", path, `{"first_name":"Changedwick","insurance":{"provider":"Wobbleton Mutual","policy_number":"POL-88123-X"}}`, http.StatusOK},
		{"PATCH", path, `{"Zandromeda":1}`, http.StatusUnprocessableEntity},
		{"POST", "/api/v1/patients", `{"first_name":"Quibblefern`, http.StatusBadRequest},
		{"GET", "/api/v1/patients/Zandromeda", "", http.StatusNotFound},
		{"GET", "/api/v1/patients?Zandromeda=1", "", http.StatusUnprocessableEntity},
	} {
		require.Equal(t, request.want, s.do(request.method, request.path, request.body, nil), request.path)
	}
}

// artefacts returns what a thief could carry away.
func artefacts(t *testing.T, in *installation, url string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(in.dir, "keys", "*"))
	require.NoError(t, err)
	if path, ok := strings.CutPrefix(url, "sqlite://"); ok {
		database, err := filepath.Glob(path + "*")
		require.NoError(t, err)
		require.Greater(t, len(database), 1, "the write-ahead log is there")
		paths = append(paths, database...)
	} else {
		dump, err := exec.CommandContext(t.Context(), "pg_dump", url).Output()
		require.NoError(t, err)
		files["pg_dump"] = string(dump)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		if !strings.HasSuffix(path, "-shm") {
			files[path] = string(content)
		}
	}
	return files
}

// found returns the canaries that content holds in any form.
func found(content string) []string {
	lower := strings.ToLower(content)
	var out []string
	for _, canary := range canaries {
		for _, form := range forms(canary) {
			if strings.Contains(content, form) || strings.Contains(lower, strings.ToLower(form)) {
				out = append(out, canary)
				break
			}
		}
	}
	return out
}

// forms are the spellings in which a value could lie about: plain, hex, UTF-16, and base64 at each of its three alignments.
func forms(canary string) []string {
	out := []string{canary, hex.EncodeToString([]byte(canary))}
	var wide strings.Builder
	for _, unit := range utf16.Encode([]rune(canary)) {
		wide.WriteByte(byte(unit))
		wide.WriteByte(byte(unit >> 8))
	}
	out = append(out, wide.String())
	for shift := range 3 {
		text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", shift) + canary))
		out = append(out, text[(shift*8+5)/6:len(text)-1])
	}
	return out
}
