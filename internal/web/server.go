package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Timeouts bounds the phases of a connection. Write must be longer than the router's RequestTimeout.
type Timeouts struct {
	ReadHeader time.Duration
	Read       time.Duration // header and body
	Write      time.Duration
	Idle       time.Duration // between requests of one connection
	Shutdown   time.Duration // for running requests to finish
}

// Server serves HTTP until it is told to stop.
type Server struct {
	http     *http.Server
	shutdown time.Duration
}

// Options are the settings of a Server besides its handler.
type Options struct {
	Timeouts

	MaxHeaderBytes int
	Certificate    *Certificate // nil: plain HTTP
}

// NewServer returns a server of h. Errors of net/http go to logger.
func NewServer(h http.Handler, options Options, logger *slog.Logger) *Server {
	timeouts := options.Timeouts
	s := &Server{
		http: &http.Server{
			Handler:           h,
			ReadHeaderTimeout: timeouts.ReadHeader,
			ReadTimeout:       timeouts.Read,
			WriteTimeout:      timeouts.Write,
			IdleTimeout:       timeouts.Idle,
			MaxHeaderBytes:    options.MaxHeaderBytes,
			ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
		},
		shutdown: timeouts.Shutdown,
	}
	if options.Certificate != nil {
		s.http.TLSConfig = options.Certificate.TLS()
	}
	return s
}

// Scheme returns the scheme of the server's addresses, http or https.
func (s *Server) Scheme() string {
	if s.http.TLSConfig == nil {
		return "http"
	}
	return "https"
}

// Serve accepts connections on listener, which it closes, until ctx is done. Then it accepts no more and lets running
// requests finish. It returns nil if all of them finished. It returns an error if some were cut off after
// Timeouts.Shutdown, or if the listener failed. A Server serves once.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	failed := make(chan error, 1)
	go func() { failed <- s.accept(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	if err := s.stop(); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func (s *Server) accept(listener net.Listener) error {
	if s.http.TLSConfig == nil {
		return s.http.Serve(listener)
	}
	return s.http.ServeTLS(listener, "", "") // the certificate is in TLSConfig
}

// stop shuts the server down. It needs a context of its own, because the context that ended the service is done.
func (s *Server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.shutdown)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return fmt.Errorf("requests were still running at shutdown: %w", errors.Join(err, s.http.Close()))
	}
	return nil
}
