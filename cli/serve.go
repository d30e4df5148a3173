package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"github.com/spf13/cobra"

	"novamind/handler"
	"novamind/internal/web"
	"novamind/migrations/runner"
	"novamind/repository"
	"novamind/service"
)

func newServeCommand(app *app) *cobra.Command {
	var demo bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Open the database, apply pending migrations and answer the REST API",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.serve(cmd.Context(), demo)
		},
	}
	cmd.Flags().BoolVar(&demo, "demo", false, "fill an empty database with an invented clinic: staff, patients, appointments and records")
	return cmd
}

func (a *app) serve(ctx context.Context, demo bool) error {
	in, err := a.open(ctx, bringUp)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	if path := in.config.Audit.AnchorFile; path != "" {
		if err := service.NewAuditTreeService(in.store).CheckAnchor(ctx, path); err != nil {
			return rolledBack(err)
		}
	}
	auth, err := in.authentication()
	if err != nil {
		return err
	}
	if err := a.ensureFirstAccount(ctx, auth, in.log); err != nil {
		return err
	}
	if demo {
		if err := a.fillWithDemo(ctx, in, auth); err != nil {
			return err
		}
	}
	// Sequence the events that commands left; readyz reports any that remain.
	if err := repository.NewSequencer(in.store).Drain(ctx); err != nil {
		in.log.ErrorContext(ctx, "the audit log can't be sequenced", "error", err)
	}
	ready, closeReady, err := in.readiness(ctx)
	if err != nil {
		return err
	}
	defer closeReady()
	services, err := in.services(auth)
	if err != nil {
		return err
	}
	services.Ready = ready
	engine, err := handler.NewAPI(services, in.config, in.store.CursorKey(), in.log)
	if err != nil {
		return err
	}
	server, err := in.server(engine)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", in.config.Server.Addr)
	if err != nil {
		return fmt.Errorf("can't listen at server.addr: %w", err)
	}
	address := server.Scheme() + "://" + hostOf(listener.Addr())
	if _, err := fmt.Fprintf(a.stdout, "NovaMind answers at %s\n", address); err != nil {
		return err
	}
	stop := in.inBackground(ctx, services)
	defer stop()
	return server.Serve(ctx, listener)
}

// hostOf returns host and port of an address for a browser on this machine. It returns localhost if that name reaches
// the address, because passkeys and secure cookies refuse a bare IP address.
func hostOf(address net.Addr) string {
	tcp, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return address.String()
	}
	ip := tcp.Addr().Unmap()
	if ip.IsUnspecified() || ip == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || ip == netip.IPv6Loopback() {
		return fmt.Sprintf("localhost:%d", tcp.Port())
	}
	return address.String()
}

// authentication returns the service that identifies people and machines.
func (in *installation) authentication() (*service.AuthService, error) {
	auth, err := service.NewAuthService(in.store, in.config.Auth)
	if err != nil {
		return nil, err
	}
	return auth, auth.RequireTOTP(in.config.TOTPRoles())
}

// server returns the HTTP server, with TLS if there is a certificate.
func (in *installation) server(engine http.Handler) (*web.Server, error) {
	cfg := in.config.Server
	options := web.Options{
		Timeouts: web.Timeouts{
			ReadHeader: cfg.ReadHeaderTimeout, Read: cfg.ReadTimeout, Write: cfg.WriteTimeout, Idle: cfg.IdleTimeout, Shutdown: cfg.ShutdownTimeout,
		},
		MaxHeaderBytes: cfg.MaxHeaderBytes,
	}
	if cfg.TLSCert != "" {
		var err error
		if options.Certificate, err = web.LoadCertificate(cfg.TLSCert, cfg.TLSKey, in.log); err != nil {
			return nil, err
		}
	}
	return web.NewServer(engine, options, in.log), nil
}

// services returns the services that the API needs.
func (in *installation) services(auth *service.AuthService) (handler.Services, error) {
	care := service.NewCare(in.store, in.config.Access)
	records := service.NewMedicalRecordService(in.store, care)
	hours, hoursErr := in.config.Clinic.OpeningHours()
	emergencies, err := service.NewBreakGlassService(in.store, in.config.Access, in.log)
	return handler.Services{
		Auth:           auth,
		APIKeys:        service.NewAPIKeyService(in.store, in.config.Auth),
		Accounts:       service.NewAccountService(in.store, auth, in.config.Access),
		Patients:       service.NewPatientService(in.store, care, in.config.Clinic.PhoneRegion),
		Appointments:   service.NewAppointmentService(in.store, care, in.config.Clinic),
		MedicalRecords: records,
		Charts:         service.NewChartService(in.store, records),
		Consents:       service.NewConsentService(in.store, care),
		Care:           service.NewCareService(in.store, care),
		BreakGlass:     emergencies,
		AuditLogs:      service.NewAuditLogService(in.store),
		AuditTree:      service.NewAuditTreeService(in.store),
		Reviews:        service.NewAuditReviewService(in.store, hours),
		Refusals:       service.NewRefusalService(in.store),
		Repeats:        service.NewRepeatService(in.store),
	}, errors.Join(hoursErr, err)
}

// inBackground starts the background work of a server, and returns a function that stops it. The log is sequenced,
// and then anchored, after all other work ended.
func (in *installation) inBackground(ctx context.Context, services handler.Services) (stop func()) {
	ctx = context.WithoutCancel(ctx)
	var stops []func()
	start := func(do func(context.Context)) {
		ctx, cancel := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() { defer close(done); do(ctx) }()
		stops = append(stops, func() { cancel(); <-done })
	}
	if perSecond := in.config.PHI.ResealRate; perSecond > 0 {
		keys := service.NewKeyService(in.store, in.config.PHI.KEK)
		start(func(ctx context.Context) { keys.ResealInBackground(ctx, perSecond, in.log) })
	}
	start(func(ctx context.Context) { watchFirstLogin(ctx, services.Auth, in.log) })
	start(services.BreakGlass.TellInBackground)
	start(func(ctx context.Context) { services.Refusals.FlushInBackground(ctx, in.log) })
	start(func(ctx context.Context) { services.Appointments.ExpireHoldsInBackground(ctx, in.log) })
	start(func(ctx context.Context) { repository.NewSequencer(in.store).Run(ctx, in.log) })
	if path := in.config.Audit.AnchorFile; path != "" {
		tree := service.NewAuditTreeService(in.store)
		start(func(ctx context.Context) { tree.AnchorInBackground(ctx, path, in.log) })
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// readiness returns the checks of readyz, and a function that releases their connection.
func (in *installation) readiness(ctx context.Context) ([]handler.Check, func(), error) {
	cfg := in.config.Database
	cfg.MaxOpenConns, cfg.MaxIdleConns = 1, 1
	db, err := repository.Connect(ctx, cfg, string(cfg.URL), in.log)
	if err != nil {
		return nil, nil, err
	}
	r, err := newRunner(db, runner.KeepRows, in.log)
	if err != nil {
		return nil, nil, err
	}
	return []handler.Check{
		{Name: "database", Run: in.store.Ping},
		{Name: "migrations", Run: func(ctx context.Context) error { return upToDate(ctx, r) }},
		{Name: "keys", Run: in.store.CheckKeys},
		{Name: "audit", Run: in.store.CheckAudit},
	}, func() { closeDB(db) }, nil
}

func upToDate(ctx context.Context, r *runner.Runner) error {
	pending, err := r.Pending(ctx)
	if err == nil && pending > 0 {
		err = errors.New(pendingOf(pending))
	}
	return err
}
