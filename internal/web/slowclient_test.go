package web

import (
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serving returns the address of a server with these limits.
func serving(t *testing.T, limits Timeouts) string {
	t.Helper()
	b := newBundle(t, nil, Route{Method: "POST", Pattern: "/", Access: Public, Handler: ok})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		_ = NewServer(b.engine, Options{Timeouts: limits, MaxHeaderBytes: 4096}, slog.New(slog.DiscardHandler)).Serve(t.Context(), listener)
	}()
	return listener.Addr().String()
}

// A client that sends slowly, or nothing, is cut off, so no connection is held for long.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	short, long := 50*time.Millisecond, time.Hour
	for name, test := range map[string]struct {
		limits Timeouts
		sent   string
	}{
		"nothing":             {Timeouts{ReadHeader: short, Read: long, Write: long, Idle: long}, ""},
		"half of the headers": {Timeouts{ReadHeader: short, Read: long, Write: long, Idle: long}, "POST / HTTP/1.1\r\nHost: x\r\n"},
		"half of the body":    {Timeouts{ReadHeader: long, Read: short, Write: long, Idle: long}, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"},
		"no second request":   {Timeouts{ReadHeader: long, Read: long, Write: long, Idle: short}, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", serving(t, test.limits))
			require.NoError(t, err)
			defer conn.Close()
			// A server that closes a connection before it has read everything resets it. Then writing or reading
			// fails.
			_, _ = io.WriteString(conn, test.sent)
			require.NoError(t, conn.SetReadDeadline(time.Now().Add(time.Minute)))
			_, err = io.ReadAll(conn)
			require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server ends the connection")
		})
	}
}

func TestLargeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	conn, err := net.Dial("tcp", serving(t, timeouts(time.Minute)))
	require.NoError(t, err)
	defer conn.Close()
	_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nX-Large: "+strings.Repeat("x", 16<<10)+"\r\n\r\n")
	answer := make([]byte, 12)
	_, err = io.ReadFull(conn, answer)
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 431", string(answer))
}
