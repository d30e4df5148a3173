// Package cli is the program's commands. It wires the other packages together; they don't import it.
//
// Each command is a file with a constructor that takes the app, such as newVersionCommand, and a line in
// newRootCommand. Results go to standard output through app.report, which also serves --json. Everything else goes to
// standard error.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit statuses.
const (
	exitDone   = 0
	exitNo     = 1 // the command did its work, and the answer is "no": tampered, drift, unhealthy
	exitFailed = 2 // the command could not do its work
)

// errNo is returned by a command that did its work, if the answer is "no". The reason is one line for people. The
// findings themselves are results, and have been reported before.
type errNo struct{ reason string }

func (e errNo) Error() string { return e.reason }

// Main runs the program on the process's own arguments and streams, and returns its exit status. SIGINT and SIGTERM
// cancel the command's context; a second signal kills the process.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// Run runs one command and returns its exit status: 0 done, 1 the answer is "no", 2 it could not be carried out. With
// 1 and 2 it writes one line with the reason to stderr.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(&app{stdin: stdin, stdout: stdout, stderr: stderr})
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "novamind: %s\n", diagnosis(ctx, err))
	}
	return exitStatus(err)
}

func exitStatus(err error) int {
	var no errNo
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &no):
		return exitNo
	default:
		return exitFailed
	}
}

// diagnosis returns err as one line.
func diagnosis(ctx context.Context, err error) string {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
