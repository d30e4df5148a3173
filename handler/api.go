package handler

import (
	"log/slog"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/config"
	"novamind/service"
)

// Services is what the API stands on.
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
	Ready          []Check
	MedicalRecords *service.MedicalRecordService
	Consents       *service.ConsentService
}

// API answers the contract's routes.
type API struct {
	Services
	cursors *cursorSealer
	zone    *time.Location // of what is printed for people
}

// NewAPI returns an engine that serves the contract's routes. cursorKey signs list cursors: at least 32 bytes, the same on every
// server of one database.
func NewAPI(services Services, cfg *config.Config, cursorKey []byte, logger *slog.Logger) (*gin.Engine, error) {
	cursors, err := newCursorSealer(cursorKey)
	if err != nil {
		return nil, err
	}
	hours, err := cfg.Clinic.OpeningHours()
	if err != nil {
		return nil, err
	}
	a := &API{Services: services, cursors: cursors, zone: hours.Zone()}
	return NewRouter(RouterConfig{
		Authenticate:      withPurpose(a.authenticate),
		Logger:            logger,
		TrustedProxies:    cfg.Server.TrustedProxies,
		CORSOrigins:       cfg.Server.CORSOrigins,
		BodyLimit:         cfg.Server.MaxBodyBytes,
		RequestTimeout:    cfg.Server.RequestTimeout,
		FailuresPerMinute: cfg.Limits.FailedPerMinute,
		FailureBurst:      cfg.Limits.FailedBurst,
		RequestsPerMinute: cfg.Limits.RequestsPerMinute,
		Refused:           services.Refusals.Note,
	}, a.Routes())
}

// Routes is the route table: what this server answers, and who may ask.
func (a *API) Routes() []Route {
	return []Route{
		{"GET", "/healthz", Open, a.healthz},
		{"GET", "/readyz", Open, a.readyz},

		{"POST", "/api/v1/auth/login", Public, noQuery(a.login)},
		{"POST", "/api/v1/auth/logout", FirstLogin, noQuery(a.logout)},
		{"GET", "/api/v1/auth/me", FirstLogin, noQuery(a.me)},
		{"POST", "/api/v1/auth/password", FirstLogin, noQuery(a.setPassword)},
		{"POST", "/api/v1/auth/redeem", Public, noQuery(a.redeem)},

		{"GET", "/api/v1/accounts", Session, a.listAccounts},
		{"POST", "/api/v1/accounts", Session, noQuery(a.createAccount)},
		{"GET", "/api/v1/accounts/:id", Session, noQuery(a.getAccount)},
		{"PATCH", "/api/v1/accounts/:id", Session, noQuery(a.patchAccount)},
		{"POST", "/api/v1/accounts/:id/reset", Session, noQuery(a.resetAccount)},
		{"GET", "/api/v1/practitioners", Session, a.listPractitioners},
		{"POST", "/api/v1/auth/totp", FirstLogin, noQuery(a.enrolTOTP)},
		{"POST", "/api/v1/auth/totp/confirm", FirstLogin, noQuery(a.confirmTOTP)},
		{"POST", "/api/v1/auth/totp/disable", FirstLogin, noQuery(a.disableTOTP)},
		{"POST", "/api/v1/auth/recovery-codes", FirstLogin, noQuery(a.renewRecoveryCodes)},
		{"GET", "/api/v1/auth/sessions", FirstLogin, a.listSessions},
		{"DELETE", "/api/v1/auth/sessions/:id", FirstLogin, noQuery(a.endSession)},

		{"GET", "/api/v1/api-keys", Session, a.listAPIKeys},
		{"POST", "/api/v1/api-keys", Session, noQuery(a.createAPIKey)},
		{"GET", "/api/v1/api-keys/:id", Session, noQuery(a.getAPIKey)},
		{"DELETE", "/api/v1/api-keys/:id", Session, noQuery(a.revokeAPIKey)},

		{"GET", "/api/v1/patients", Session, a.listPatients},
		{"POST", "/api/v1/patients", Session, noQuery(a.createPatient)},
		{"POST", "/api/v1/patients/search", Session, noQuery(a.searchPatients)},
		{"GET", "/api/v1/patients/:id", Session, noQuery(a.getPatient)},
		{"PUT", "/api/v1/patients/:id", Session, noQuery(a.replacePatient)},
		{"PATCH", "/api/v1/patients/:id", Session, noQuery(a.patchPatient)},
		{"DELETE", "/api/v1/patients/:id", Session, a.deletePatient},
		{"GET", "/api/v1/patients/:id/audit-logs", Session, a.listPatientAuditLogs},
		{"GET", "/api/v1/patients/:id/accounting", Session, a.printAccounting},
		{"GET", "/api/v1/patients/:id/clinicians", Session, noQuery(a.listClinicians)},
		{"POST", "/api/v1/patients/:id/clinicians", Session, noQuery(a.assignClinician)},
		{"DELETE", "/api/v1/patients/:id/clinicians/:account_id", Session, noQuery(a.unassignClinician)},

		{"GET", "/api/v1/break-glass", Session, noQuery(a.listBreakGlass)},
		{"POST", "/api/v1/break-glass", Session, noQuery(a.breakGlass)},

		{"POST", "/api/v1/patients/:id/merge", Session, noQuery(a.mergePatient)},
		{"POST", "/api/v1/patients/:id/unmerge", Session, noQuery(a.unmergePatient)},
		{"GET", "/api/v1/patients/:id/medical-records", Session, a.listPatientMedicalRecords},
		{"GET", "/api/v1/patients/:id/consents", Session, a.listConsents},
		{"POST", "/api/v1/patients/:id/consents", Session, noQuery(a.createConsent)},
		{"GET", "/api/v1/patients/:id/disclosures", Session, a.listDisclosures},
		{"POST", "/api/v1/patients/:id/disclosures", Session, noQuery(a.createDisclosure)},
		{"GET", "/api/v1/patients/:id/risk-flags", Session, a.listRiskFlags},

		{"GET", "/api/v1/medical-records", Session, a.listMedicalRecords},
		{"POST", "/api/v1/medical-records", Session, noQuery(a.createMedicalRecord)},
		{"GET", "/api/v1/medical-records/:id", Session, a.getMedicalRecord},
		{"PUT", "/api/v1/medical-records/:id", Session, noQuery(a.replaceMedicalRecord)},
		{"PATCH", "/api/v1/medical-records/:id", Session, noQuery(a.patchMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/sign", Session, noQuery(a.signMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/amendments", Session, noQuery(a.amendMedicalRecord)},
		{"POST", "/api/v1/medical-records/:id/entered-in-error", Session, noQuery(a.markMedicalRecordInError)},
		{"GET", "/api/v1/medical-records/:id/history", Session, noQuery(a.medicalRecordHistory)},
		{"GET", "/api/v1/consents/:id", Session, noQuery(a.getConsent)},
		{"POST", "/api/v1/consents/:id/revocation", Session, noQuery(a.revokeConsent)},
		{"POST", "/api/v1/risk-flags/:id/reviews", Session, noQuery(a.reviewRiskFlag)},

		{"GET", "/api/v1/patients/:id/appointments", Session, a.listAppointmentsOfPatient},

		{"GET", "/api/v1/appointments", Session, a.listAppointments},
		{"POST", "/api/v1/appointments", Session, noQuery(a.createAppointment)},
		{"GET", "/api/v1/appointments/:id", Session, noQuery(a.getAppointment)},
		{"PUT", "/api/v1/appointments/:id", Session, a.replaceAppointment},
		{"PATCH", "/api/v1/appointments/:id", Session, a.patchAppointment},
		{"POST", "/api/v1/appointments/:id/transitions", Session, noQuery(a.transitionAppointment)},
		{"POST", "/api/v1/appointment-series", Session, noQuery(a.createSeries)},
		{"POST", "/api/v1/appointment-series/preview", Session, noQuery(a.previewSeries)},
		{"GET", "/api/v1/appointment-series/:id", Session, noQuery(a.getSeries)},
		{"GET", "/api/v1/practitioners/:id/availability", Session, noQuery(a.getAvailability)},
		{"PUT", "/api/v1/practitioners/:id/availability", Session, noQuery(a.replaceAvailability)},
		{"GET", "/api/v1/practitioners/:id/slots", Session, a.listSlots},

		{"GET", "/api/v1/audit-logs", Session, a.listAuditLogs},
		{"GET", "/api/v1/audit-logs/checkpoint", FirstLogin, noQuery(a.getCheckpoint)},
		{"GET", "/api/v1/audit-logs/:id", Session, noQuery(a.getAuditLog)},
		{"GET", "/api/v1/audit-logs/:id/diff", Session, noQuery(a.getAuditLogDiff)},
		{"GET", "/api/v1/audit-logs/:id/proof", Session, noQuery(a.getAuditLogProof)},
		{"GET", "/api/v1/audit-reviews/:week", Session, noQuery(a.getReview)},
		{"POST", "/api/v1/audit-reviews/:week/sign-off", Session, noQuery(a.signOffReview)},
	}
}

// noQuery refuses query parameters on a route that takes none: one that is silently ignored looks like a filter that worked.
func noQuery(next HandlerFunc) HandlerFunc {
	return func(c *gin.Context) error {
		q, err := readQuery(c)
		if err != nil {
			return err
		}
		if err := q.Err(); err != nil {
			return err
		}
		return next(c)
	}
}
