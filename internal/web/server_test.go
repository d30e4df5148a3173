package web

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func timeouts(shutdown time.Duration) Timeouts {
	return Timeouts{ReadHeader: time.Minute, Read: time.Minute, Write: time.Minute, Idle: time.Minute, Shutdown: shutdown}
}

// running serves a handler that reports when a request enters it, and answers when it is released.
type running struct {
	url              string
	entered, release chan struct{}
	stop             context.CancelFunc
	stopped          chan error
}

func start(t *testing.T, shutdown time.Duration) *running {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &running{
		url:     "http://" + listener.Addr().String(),
		entered: make(chan struct{}), release: make(chan struct{}), stopped: make(chan error, 1),
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.entered <- struct{}{}
		<-s.release
		_, _ = io.WriteString(w, "finished")
	})
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() {
		s.stopped <- NewServer(h, Options{Timeouts: timeouts(shutdown)}, slog.New(slog.DiscardHandler)).Serve(ctx, listener)
	}()
	return s
}

type reply struct {
	body string
	err  error
}

func (s *running) get() <-chan reply {
	replies := make(chan reply, 1)
	go func() {
		response, err := http.Get(s.url)
		if err != nil {
			replies <- reply{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		replies <- reply{string(body), err}
	}()
	return replies
}

// awaitRefusal waits until the listener is closed, which is the first step of a stop.
func (s *running) awaitRefusal(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", s.url[len("http://"):])
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, time.Minute, time.Millisecond)
}

func TestStopLetsRunningRequestsFinish(t *testing.T) {
	t.Parallel()
	s := start(t, time.Minute)
	running := s.get()
	<-s.entered
	s.stop()
	s.awaitRefusal(t)
	select {
	case err := <-s.stopped:
		require.Fail(t, "stopped before the request had finished", "%v", err)
	default:
	}
	close(s.release)
	require.Equal(t, reply{body: "finished"}, <-running)
	require.NoError(t, <-s.stopped)
}

func TestStopCutsWhatRunsTooLong(t *testing.T) {
	t.Parallel()
	s := start(t, time.Millisecond)
	running := s.get()
	<-s.entered
	s.stop()
	require.ErrorIs(t, <-s.stopped, context.DeadlineExceeded)
	require.Error(t, (<-running).err)
	close(s.release)
}

func TestServeReportsAFailedListener(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	server := NewServer(http.NotFoundHandler(), Options{Timeouts: timeouts(time.Minute)}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, server.Serve(t.Context(), listener), net.ErrClosed)
}

func TestServerHasEveryTimeout(t *testing.T) {
	t.Parallel()
	server := NewServer(http.NotFoundHandler(), Options{Timeouts: Timeouts{1, 2, 3, 4, 5}, MaxHeaderBytes: 6}, slog.New(slog.DiscardHandler))
	require.Equal(t, []time.Duration{1, 2, 3, 4, 5}, []time.Duration{
		server.http.ReadHeaderTimeout, server.http.ReadTimeout, server.http.WriteTimeout, server.http.IdleTimeout, server.shutdown,
	})
	require.Equal(t, 6, server.http.MaxHeaderBytes)
}
