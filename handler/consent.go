package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

func (a *API) consentOperations() []rest.Operation {
	const consents, disclosures = "/api/v1/patients/:id/consents", "/api/v1/patients/:id/disclosures"
	const consent = "/api/v1/consents"
	recording := rest.MayAgain(service.ConsentCreate, service.ConsentRead)
	return []rest.Operation{
		rest.Row(
			"GET", consents, "List the consents of a patient", web.Session, rest.May(service.ConsentRead),
			rest.List(ofPatient(a.Consents.Of), newConsentAnswer),
		),
		rest.Row(
			"POST", consents, "Record a consent", web.Session, recording,
			rest.Create(consent, a.grantConsent, a.Consents.Get, newConsentAnswer),
		),
		rest.Row(
			"DELETE", consents, "Revoke all consents of a patient", web.Session, rest.May(service.ConsentCreate),
			rest.Remove(a.Consents.RevokeAll), apperr.Stale,
		),
		rest.Row(
			"GET", consent+"/:id", "Show a consent", web.Session, rest.May(service.ConsentRead),
			rest.Get(a.Consents.Get, newConsentAnswer),
		),
		rest.Row(
			"POST", consent+"/:id/revocation", "Revoke a consent", web.Session, recording,
			rest.Act(a.revokeConsent, a.Consents.Get, newConsentAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", disclosures, "List the disclosures of a patient", web.Session, rest.May(service.DisclosureRead),
			rest.List(ofPatient(a.Consents.Disclosures), newDisclosureAnswer),
		),
		rest.Row(
			"POST", disclosures, "Record a disclosure", web.Session,
			rest.MayAgain(service.DisclosureCreate, service.DisclosureRead),
			rest.Create("", a.disclose, a.Consents.Disclosure, newDisclosureAnswer), apperr.Conflict,
		),
	}
}

type consentAnswer struct {
	rest.Settled `json:"-"`

	ID             uuid.UUID    `json:"id"`
	Version        int64        `json:"version"`
	CreatedAt      time.Time    `json:"created_at"`
	UpdatedAt      time.Time    `json:"updated_at"`
	PatientID      uuid.UUID    `json:"patient_id"`
	PatientName    *models.Name `json:"patient_name" example:"Ada Sample"`
	Kind           string       `json:"kind" values:"consent kind"`
	RecipientID    *uuid.UUID   `json:"recipient_id" doc:"The account that may see the protected records. Null: every clinician with the patient in care, except the account that recorded the consent."`
	RecipientName  *models.Name `json:"recipient_name" example:"Grace Example"`
	Purpose        string       `json:"purpose" example:"Treatment"`
	GrantedAt      time.Time    `json:"granted_at" doc:"When the patient signed the consent. The consent takes effect at created_at."`
	ExpiresAt      *time.Time   `json:"expires_at"`
	RevokedAt      *time.Time   `json:"revoked_at"`
	RecordedBy     uuid.UUID    `json:"recorded_by"`
	RecordedByName *models.Name `json:"recorded_by_name" example:"Alan Example"`
}

func newConsentAnswer(m *models.Consent) consentAnswer {
	return consentAnswer{
		Settled: rest.Settled(m.NamedBefore(m.UpdatedAt)),
		ID:      m.ID, Version: m.Version, CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), PatientID: m.PatientID, Kind: m.Kind,
		RecipientID: m.RecipientID, Purpose: m.Purpose.Plain(), GrantedAt: m.GrantedAt.UTC(), ExpiresAt: web.InUTC(m.ExpiresAt),
		RevokedAt: web.InUTC(m.RevokedAt), RecordedBy: m.RecordedBy,
		PatientName: m.PatientName(m.PatientID), RecipientName: m.AccountName(m.RecipientID), RecordedByName: m.AccountName(&m.RecordedBy),
	}
}

type consentRequest struct {
	rest.ByID
	service.ConsentInput
}

func (a *API) grantConsent(ctx context.Context, in consentRequest) (*models.Consent, error) {
	return a.Consents.Grant(ctx, in.ID, in.ConsentInput)
}

func (a *API) revokeConsent(ctx context.Context, in rest.OfVersion) (*models.Consent, error) {
	return a.Consents.Revoke(ctx, in.ID, in.Current)
}

// patientList is the request of a list of the rows of a patient, without filters.
type patientList struct {
	rest.ByID
	web.PageParams
}

// ofPatient returns the function of such a list, from the service's method.
func ofPatient[Row any](
	do func(context.Context, uuid.UUID, service.Page) ([]Row, bool, error),
) func(context.Context, patientList, service.Page) ([]Row, bool, error) {
	return func(ctx context.Context, in patientList, page service.Page) ([]Row, bool, error) {
		return do(ctx, in.ID, page)
	}
}
