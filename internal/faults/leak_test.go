package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
)

// The program leaves no plain PHI behind. The tests search the database's files with the write-ahead log, dumps, the
// database server's log at its most detailed level, the program's own output and keys, and its refusals.

func TestNothingLeaksFromSQLite(t *testing.T) {
	t.Parallel()
	address := dbtest.EmptySQLite(t)
	folder := filepath.Dir(strings.TrimPrefix(address, "sqlite://"))
	requireNoLeak(t, address, func(t *testing.T) map[string]string { t.Helper(); return contents(t, folder) },
		`CREATE TRIGGER refuses BEFORE INSERT ON patient BEGIN SELECT RAISE(ABORT, 'refused'); END`)
}

func TestNothingLeaksFromPostgreSQL(t *testing.T) {
	t.Parallel()
	server := dbtest.NewServer(t, dbtest.Options{})
	admin := dbtest.Open(t, server.URL())
	for _, setting := range []string{
		"log_statement = 'all'", "log_min_duration_statement = 0", "log_error_verbosity = 'verbose'",
		"log_parameter_max_length = -1", "log_parameter_max_length_on_error = -1",
	} {
		require.NoError(t, admin.Exec("ALTER DATABASE postgres SET "+setting).Error)
	}
	requireNoLeak(t, server.URL(), func(t *testing.T) map[string]string {
		t.Helper()
		dump, err := exec.CommandContext(t.Context(), "pg_dump", "--inserts", server.URL()).Output()
		require.NoError(t, err)
		log := read(t, filepath.Join(server.Dir(), "log"))
		require.Contains(t, log, "parameters: $1 =", "the log holds what statements were given")
		files := contents(t, filepath.Join(server.Dir(), "data"))
		files["dump"], files["log"] = string(dump), log
		return files
	}, `ALTER TABLE patient ADD CONSTRAINT refuses CHECK (false) NOT VALID`)
}

// requireNoLeak sends valid and invalid requests to an installation. It continues after it has run refusal, a
// statement that makes the database refuse further patients. It searches all files and outputs, while the installation
// runs and afterwards.
func requireNoLeak(t *testing.T, address string, stored func(*testing.T) map[string]string, refusal string) {
	t.Helper()
	in := newInstallation(t, address)
	export := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(export, "Patient.ndjson"), []byte(canaryLine+"{broken Zandromëda\n"), 0o600))
	require.Contains(t, in.run("import", "fhir", export), "1 created, 0 there already, 1 rejected")
	require.Contains(t, in.run("import", "fhir", export), "0 created, 1 there already, 1 rejected")
	s := in.serve()
	files := use(t, s)
	execute(t, address, refusal)
	status, header, content := s.exchange("POST", "/api/v1/patients", newcomer)
	require.Equal(t, http.StatusInternalServerError, status)
	files["answer of a failure"] = fmt.Sprint(header, string(content))
	requireClean(t, files)
	files = stored(t)
	requireClean(t, files)
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		require.NotEmpty(t, files[path+"-wal"], "the write-ahead log was searched")
	}
	s.stop(syscall.SIGTERM)
	requireClean(t, stored(t))
	printed := contents(t, in.dir)
	requireClean(t, printed)
	require.Contains(t, printed[s.output], "INSERT INTO", "DB_ECHO is on")
	requirePlantedIsFound(t, address, stored)
}

// requirePlantedIsFound is the positive control: the same search finds plain text in the database.
func requirePlantedIsFound(t *testing.T, address string, stored func(*testing.T) map[string]string) {
	t.Helper()
	execute(t, address, "CREATE TABLE planted AS SELECT '"+canaries[0]+"' AS value")
	finds := 0
	for _, content := range stored(t) {
		if len(found(content)) > 0 {
			finds++
		}
	}
	require.Positive(t, finds)
}

// execute runs a statement on a connection that it closes again. This process must not read a SQLite file that it has
// open, because that would release the locks that keep others out (https://sqlite.org/howtocorrupt.html, 2.2).
func execute(t *testing.T, address, statement string) {
	t.Helper()
	db := dbtest.Open(t, address)
	require.NoError(t, db.Exec(statement).Error)
	pool, err := db.DB()
	require.NoError(t, err)
	require.NoError(t, pool.Close())
}

func requireClean(t *testing.T, files map[string]string) {
	t.Helper()
	require.NotEmpty(t, files)
	for name, content := range files {
		require.Empty(t, found(content), name)
	}
}

const newcomer = `{"allow_duplicate":true,"duplicate_reason":"not the same","first_name":"Grimblesnatch","last_name":"Zandromëda","date_of_birth":"1931-07-23","contact_info":{"phone":"212-555-0147"}}`

// use sends valid and invalid reads, changes and searches, and returns the texts of the refusals.
func use(t *testing.T, s *server) map[string]string {
	t.Helper()
	const path = "/api/v1/patients/" + canaryID
	refusals := map[string]string{}
	for _, request := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", path, "", http.StatusOK},
		{"POST", "/api/v1/patients", newcomer, http.StatusCreated},
		{"GET", "/api/v1/patients?phone=212-555-0147", "", http.StatusOK},
		{"GET", "/api/v1/patients?q=zandro+quibble", "", http.StatusOK},
		{"GET", "/api/v1/patients?q=quibble.fern%40example.org&limit=1", "", http.StatusOK},
		{"POST", "/api/v1/patients/search", `{"last_name":"Zandromëda","date_of_birth":"1931-07-23"}`, http.StatusOK},
		{"PATCH", path, `{"first_name":"Changedwick","insurance":{"provider":"Wobbleton Mutual","policy_number":"POL-88123-X",` +
			`"group_number":"GRP-77-QX"}}`, http.StatusOK},
		{"GET", "/api/v1/audit-logs?entity_id=" + canaryID, "", http.StatusOK},
		{"PATCH", path, `{"Zandromëda":1}`, http.StatusUnprocessableEntity},
		{"PATCH", path, `{"first_name":"` + strings.Repeat("Grimblesnatch", 5) + `"}`, http.StatusUnprocessableEntity},
		{"PATCH", path, `{"date_of_birth":"1931-07-23 Grimblesnatch"}`, http.StatusUnprocessableEntity},
		{"PATCH", path, `{"contact_info":{"phone":"212-555-0147 Grimblesnatch"}}`, http.StatusUnprocessableEntity},
		{"PATCH", path, `{"contact_info":{"email":"Grimblesnatch"}}`, http.StatusUnprocessableEntity},
		{"POST", "/api/v1/patients", `{"first_name":"Quïbblefern`, http.StatusBadRequest},
		{"POST", "/api/v1/auth/login", `{"email":"nobody@example.org","password":"Grimblesnatch"}`, http.StatusUnauthorized},
		{"GET", "/api/v1/patients/Zandromeda", "", http.StatusNotFound},
		{"GET", "/Zandromeda", "", http.StatusNotFound},
		{"GET", "/api/v1/patients?Zandromeda=1", "", http.StatusUnprocessableEntity},
		{"GET", "/api/v1/patients?cursor=Zandromeda", "", http.StatusUnprocessableEntity},
		{"GET", "/api/v1/patients?date_of_birth=1931-07-23", "", http.StatusUnprocessableEntity},
		{"DELETE", path + "?purge=Zandromeda", "", http.StatusUnprocessableEntity},
		{"DELETE", path, "", http.StatusNoContent},
	} {
		status, header, content := s.exchange(request.method, request.path, request.body)
		require.Equal(t, request.want, status, "%s %s %s", request.method, request.path, request.body)
		if status >= http.StatusBadRequest {
			refusals["answer to "+request.method+" "+request.path+" "+request.body] = fmt.Sprint(header, string(content))
		}
	}
	return refusals
}

// contents returns every file below a folder.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			var content []byte
			content, err = os.ReadFile(path)
			// Most of a segment of PostgreSQL's log is not written yet.
			files[path] = strings.TrimRight(string(content), "\x00")
		}
		if errors.Is(err, fs.ErrNotExist) { // a database server may remove its own files at any time
			return nil
		}
		return err
	}))
	return files
}
