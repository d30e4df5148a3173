package faults

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const password = "a long passphrase"

// build builds the program once, as it is shipped.
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

// installation is a folder with a database of its own.
type installation struct {
	t      *testing.T
	dir    string
	env    []string
	prefix []string // a command in front of the program's, such as strace
}

func newInstallation(t *testing.T, databaseURL string) *installation {
	t.Helper()
	return &installation{t: t, dir: t.TempDir(), env: append(os.Environ(),
		"DATABASE_URL="+databaseURL, "NOVAMIND_SERVER__ADDR=127.0.0.1:0", "NOVAMIND_ADMIN_PASSWORD="+password,
		"NOVAMIND_LOG__LEVEL=debug", "DB_ECHO=true")}
}

func (i *installation) command(args ...string) *exec.Cmd {
	i.t.Helper()
	path, err := build()
	require.NoError(i.t, err)
	words := append(append([]string{}, i.prefix...), path)
	words = append(words, args...)
	cmd := exec.CommandContext(i.t.Context(), words[0], words[1:]...)
	cmd.Dir, cmd.Env = i.dir, i.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run runs a command to its end, and keeps what it prints.
func (i *installation) run(args ...string) string {
	i.t.Helper()
	out, err := i.command(args...).CombinedOutput()
	require.NoError(i.t, err, string(out))
	i.keep(out)
	return string(out)
}

func (i *installation) keep(out []byte) {
	i.t.Helper()
	file, err := os.OpenFile(filepath.Join(i.dir, "output"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	require.NoError(i.t, err)
	_, err = file.Write(out)
	require.NoError(i.t, errors.Join(err, file.Close()))
}

// server is a running serve.
type server struct {
	*installation
	cmd   *exec.Cmd
	base  string
	token string
	log   *bytes.Buffer
}

func (i *installation) serve() *server {
	i.t.Helper()
	s := &server{installation: i, cmd: i.command("serve"), log: &bytes.Buffer{}}
	s.cmd.Stderr = s.log
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(i.t, err)
	require.NoError(i.t, s.cmd.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(i.t, err)
	s.base = strings.TrimSpace(strings.TrimPrefix(line, "NovaMind answers at "))
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
	s.keep(s.log.Bytes())
}

var client = &http.Client{Timeout: 20 * time.Second}

// do returns the status of a request, 0 where none came.
func (s *server) do(method, path, body string, into any) int {
	request, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("If-Match", "*")
	if s.token != "" {
		request.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	if into != nil && json.NewDecoder(response.Body).Decode(into) != nil {
		return 0
	}
	return response.StatusCode
}
