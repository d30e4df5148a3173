package faults

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const password = "a long passphrase"

// build builds the program once, in the same way as a release.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "novamind-faults-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "novamind")
	cmd := exec.Command("go", "build", "-o", path, "novamind")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// installation is a folder with a separate database. The program's output goes to files in the folder named output.1,
// output.2, ….
type installation struct {
	t       *testing.T
	dir     string
	env     []string
	prefix  []string // a command in front of the program's, such as strace
	started int
}

func newInstallation(t *testing.T, databaseURL string) *installation {
	t.Helper()
	return &installation{t: t, dir: t.TempDir(), env: append(os.Environ(),
		"DATABASE_URL="+databaseURL, "NOVAMIND_SERVER__ADDR=127.0.0.1:0", "NOVAMIND_ADMIN_PASSWORD="+password,
		"NOVAMIND_LOG__LEVEL=debug", "DB_ECHO=true")}
}

// command returns a command that is not started yet, and the file for its output.
func (i *installation) command(args ...string) (*exec.Cmd, string) {
	i.t.Helper()
	path, err := build()
	require.NoError(i.t, err)
	words := append(append([]string{}, i.prefix...), path)
	words = append(words, args...)
	cmd := exec.CommandContext(i.t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = i.dir, i.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	i.started++
	file, err := os.OpenFile(filepath.Join(i.dir, "output."+strconv.Itoa(i.started)), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(i.t, err)
	i.t.Cleanup(func() { _ = file.Close() })
	cmd.Stdout, cmd.Stderr = file, file
	return cmd, file.Name()
}

// run runs a command to its end and returns its output.
func (i *installation) run(args ...string) string {
	i.t.Helper()
	cmd, output := i.command(args...)
	err := cmd.Run()
	printed := read(i.t, output)
	require.NoError(i.t, err, printed)
	return printed
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

// server is a running serve.
type server struct {
	*installation
	cmd    *exec.Cmd
	output string // the file for its output
	base   string
	token  string
}

var answersAt = regexp.MustCompile(`(?m)^NovaMind answers at (http://\S+)\n`)

// serve starts the server and logs in.
func (i *installation) serve() *server {
	i.t.Helper()
	cmd, output := i.command("serve")
	s := &server{installation: i, cmd: cmd, output: output}
	require.NoError(i.t, s.cmd.Start())
	require.Eventually(i.t, func() bool {
		content, err := os.ReadFile(output)
		if found := answersAt.FindSubmatch(content); err == nil && found != nil {
			s.base = string(found[1])
		}
		return s.base != ""
	}, time.Minute, 10*time.Millisecond, "the server does not come up")
	var login struct{ Token string }
	require.Equal(i.t, http.StatusOK, s.do("POST", "/api/v1/auth/login", `{"email":"admin@localhost","password":"`+password+`"}`, &login))
	s.token = login.Token
	return s
}

// stop ends the server by a signal and waits for it.
func (s *server) stop(signal os.Signal) {
	s.t.Helper()
	require.NoError(s.t, s.cmd.Process.Signal(signal))
	err := s.cmd.Wait()
	if signal == syscall.SIGTERM {
		require.NoError(s.t, err, "a server that is asked to stop ends well")
	}
}

// client keeps one connection for each of the concurrent clients.
var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: clients}}

// do returns the status of a request, or 0 if no complete answer arrived. It decodes the answer's body unless into is
// nil.
func (s *server) do(method, path, body string, into any) int {
	status, _, content := s.exchange(method, path, body)
	if into != nil && json.Unmarshal(content, into) != nil {
		return 0
	}
	return status
}

// exchange returns the status, header and body of the answer to a request. The status is 0 if no complete answer
// arrived.
func (s *server) exchange(method, path, body string) (int, http.Header, []byte) {
	request, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, nil
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", "*")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, nil, nil
	}
	defer func() { _ = answer.Body.Close() }()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, nil, nil
	}
	return answer.StatusCode, answer.Header, content
}
