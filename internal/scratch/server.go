// Package scratch makes temporary databases, and starts a temporary PostgreSQL from the programs on this machine.
package scratch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options are the differences of a server from the fast one.
type Options struct {
	Fsync bool // sync to disk before acknowledging a commit, as in production
}

// Server is a temporary PostgreSQL. It listens on a socket in a folder of its own, which only its user and root can
// enter. It ends with the process that started it, however that process ends.
type Server struct {
	dir     string // holds data, log and socket
	bin     string
	options Options
	keeper  io.WriteCloser // the standard input of the shell that runs the server
	ended   chan struct{}  // closed when that shell has ended
}

// Start makes a cluster and starts a server on it. It returns ErrNoPostgres if the machine has no PostgreSQL
// programs.
func Start(ctx context.Context, options Options) (*Server, error) {
	bin, err := findBinaries(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "novamind-pg-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bin: bin, options: options}
	if err := s.initialise(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, s.Restart(ctx)
}

// URL returns the URL of the server's own database, as its superuser.
func (s *Server) URL() string {
	query := url.Values{"host": {s.dir}, "user": {superuser}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", Path: "/postgres", RawQuery: query.Encode()}).String()
}

// Dir returns the server's folder: its data is in data, its log in log. The folder is removed when the server ends,
// except by Kill.
func (s *Server) Dir() string { return s.dir }

// Close ends the server and removes its folder.
func (s *Server) Close() error {
	_ = s.keeper.Close() // already closed, if the server was killed
	<-s.ended
	return os.RemoveAll(s.dir)
}

// Kill ends the server with SIGKILL, and returns once the server is gone. Restart starts it again.
func (s *Server) Kill() error {
	_, err := io.WriteString(s.keeper, "kill\n")
	<-s.ended
	return err
}

const superuser = "postgres"

// initialise makes the data folder.
func (s *Server) initialise(ctx context.Context) error {
	account, err := unprivileged()
	if err != nil {
		return err
	}
	if err := account.own(s.dir); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", filepath.Join(s.dir, "data"), "--username", superuser, //nolint:gosec // initdb of this machine
		"--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = s.dir, account.attributes()
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// keep is a shell script that runs the server as its child. It waits until standard input says "kill", or ends, as
// it does when the process dies. In the latter case it also removes the folder. No process id can go stale: the
// shell signals only a child it has not waited for.
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

// Restart starts a killed server on its existing data, and returns when the server accepts connections.
func (s *Server) Restart(ctx context.Context) error {
	account, err := unprivileged()
	if err != nil {
		return err
	}
	settings := []string{"max_connections=300", "listen_addresses=", "unix_socket_directories=" + s.dir, "unix_socket_permissions=0700"}
	if !s.options.Fsync { // no data has to survive, so the server does as little work as possible
		settings = append(settings, "fsync=off", "full_page_writes=off", "autovacuum=off", "jit=off", "wal_level=minimal", "max_wal_senders=0")
	}
	arguments := []string{"-c", keep, "sh", filepath.Join(s.bin, "postgres"), "-D", "data"}
	for _, setting := range settings {
		arguments = append(arguments, "-c", setting)
	}
	// Not CommandContext: the shell outlives ctx, and removes the folder when its standard input ends.
	shell := exec.Command("/bin/sh", arguments...) //nolint:noctx,gosec // see above; the postgres of this machine
	shell.Dir, shell.SysProcAttr = s.dir, account.attributes()
	shell.Stdout = io.Discard // a pipe that every backend inherits: Wait returns when the last backend is gone
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
	return s.awaitReady(ctx)
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL())
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return errors.Join(fmt.Errorf("the PostgreSQL server does not start: %w\n%s", err, log), s.Close())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
