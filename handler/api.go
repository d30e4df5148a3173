// Package handler is the REST API: the table of its operations, and the requests and answers of each noun.
package handler

import (
	"log/slog"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/config"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/service"
)

// Services are the services that the API calls.
type Services struct {
	Auth           *service.AuthService
	APIKeys        *service.APIKeyService
	Accounts       *service.AccountService
	Patients       *service.PatientService
	Appointments   *service.AppointmentService
	Care           *service.CareService
	BreakGlass     *service.BreakGlassService
	AuditLogs      *service.AuditLogService
	AuditTree      *service.AuditTreeService
	Reviews        *service.AuditReviewService
	Refusals       *service.RefusalService
	Repeats        *service.RepeatService
	Ready          []Check
	MedicalRecords *service.MedicalRecordService
	Charts         *service.ChartService
	Consents       *service.ConsentService
}

// API answers the contract's routes.
type API struct {
	Services

	conventions rest.Conventions
	described   func() ([]byte, error) // the OpenAPI document
	zone        *time.Location         // of times on printed pages
}

// NewAPI returns an engine that serves the contract's routes. cursorKey signs list cursors: at least 32 bytes, the
// same on every server of one database.
func NewAPI(services Services, cfg *config.Config, cursorKey []byte, logger *slog.Logger) (*gin.Engine, error) {
	cursors, err := web.NewCursorSealer(cursorKey)
	if err != nil {
		return nil, err
	}
	hours, err := cfg.Clinic.OpeningHours()
	if err != nil {
		return nil, err
	}
	rules := service.Rules{
		PhoneRegion: cfg.Clinic.PhoneRegion, TimeZone: cfg.Clinic.TimeZone, APIKeyLifetime: cfg.Auth.APIKeyLifetime,
	}
	a := &API{Services: services, conventions: rest.Conventions{
		Cursors: cursors, Repeats: services.Repeats, Refusals: services.Refusals, Rules: rules, Words: vocabularies,
	}, zone: hours.Zone()}
	a.described = sync.OnceValues(a.document)
	routes, err := a.routes()
	if err != nil {
		return nil, err
	}
	return web.NewRouter(web.RouterConfig{
		Authenticate:      withPurpose(a.authenticate),
		Admit:             admit,
		Anonymous:         anonymous,
		Logger:            logger,
		TrustedProxies:    cfg.Server.TrustedProxies,
		CORSOrigins:       cfg.Server.CORSOrigins,
		BodyLimit:         cfg.Server.MaxBodyBytes,
		RequestTimeout:    cfg.Server.RequestTimeout,
		FailuresPerMinute: cfg.Limits.FailedPerMinute,
		FailureBurst:      cfg.Limits.FailedBurst,
		RequestsPerMinute: cfg.Limits.RequestsPerMinute,
		Refused:           services.Refusals.Note,
	}, routes)
}

// routes returns the Gin routes of the table of operations.
func (a *API) routes() ([]web.Route, error) {
	operations := a.Operations()
	routes := make([]web.Route, len(operations))
	for i, op := range operations {
		route, err := op.Route(&a.conventions)
		if err != nil {
			return nil, err
		}
		routes[i] = route
	}
	return routes, nil
}
