package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Options are how a throwaway server differs from the fast one that tests share.
type Options struct {
	Fsync bool // sync to disk before acknowledging a commit, as in production
}

// Server is a throwaway PostgreSQL. It listens on a socket in a folder of its own, which only its user and root can
// enter, and it ends with the test process, however that ends.
type Server struct {
	dir     string // holds data, log and socket
	bin     string
	options Options
	keeper  io.WriteCloser // the standard input of the shell that keeps it
	ended   chan struct{}  // closed when that shell has ended
}

// NewServer starts a server for one test, for those that kill it. The database has no schema.
func NewServer(tb testing.TB, options Options) *Server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("-short runs SQLite alone")
	}
	s, err := startServer(options)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		_ = s.keeper.Close()
		<-s.ended
		require.NoError(tb, os.RemoveAll(s.dir)) // of one that was killed
	})
	return s
}

// URL returns the URL of the server's own database, as its superuser.
func (s *Server) URL() string {
	query := url.Values{"host": {s.dir}, "user": {superuser}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: query.Encode()}).String()
}

// Dir returns the server's folder: its data is in data, its log in log. It goes when the server ends other than by Kill.
func (s *Server) Dir() string { return s.dir }

// Kill ends the server with SIGKILL and returns once it is gone. Start brings it back.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	_, err := io.WriteString(s.keeper, "kill\n")
	require.NoError(tb, err)
	<-s.ended
}

// Start starts a killed server on the data that it left.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, s.start())
}

const superuser = "postgres"

func startServer(options Options) (*Server, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "novamind-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, options: options}
	if err := s.initialise(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, s.start()
}

// initialise makes the data folder.
func (s *Server) initialise() error {
	account, err := unprivileged()
	if err != nil {
		return err
	}
	if err := account.own(s.dir); err != nil {
		return err
	}
	initdb := exec.Command(filepath.Join(s.bin, "initdb"), "--pgdata", filepath.Join(s.dir, "data"), "--username", superuser,
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.dir, account.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// keep runs the server as its child until standard input says "kill", or ends as that of a dead process does; then it
// removes the folder. No process id of ours can go stale: the shell signals only a child it has not waited for.
const keep = `
"$@" 2>>log </dev/null &
read -r word
if [ "$word" = kill ]; then
	kill -KILL $!
	wait
else
	kill -INT $!
	wait
	rm -rf "$PWD"
fi`

func (s *Server) start() error {
	account, err := unprivileged()
	if err != nil {
		return err
	}
	fsync := "off"
	if s.options.Fsync {
		fsync = "on"
	}
	shell := exec.Command("/bin/sh", "-c", keep, "sh", filepath.Join(s.bin, "postgres"), "-D", "data",
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.dir, "-c", "unix_socket_permissions=0700",
		"-c", "max_connections=300", "-c", "fsync="+fsync, "-c", "full_page_writes="+fsync)
	shell.Dir, shell.SysProcAttr = s.dir, account.attributes()
	shell.Stdout = io.Discard // a pipe that every backend inherits: Wait returns when the last one is gone
	if s.keeper, err = shell.StdinPipe(); err != nil {
		return err
	}
	if err := shell.Start(); err != nil {
		return err
	}
	s.ended = make(chan struct{})
	go func() {
		_ = shell.Wait()
		close(s.ended)
	}()
	return s.awaitReady()
}

// awaitReady returns when the server takes connections.
func (s *Server) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the PostgreSQL server does not start: %w\n%s", err, log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
