package handler

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

type disclosureAnswer struct {
	ID              uuid.UUID    `json:"id"`
	Version         int64        `json:"version"`
	PatientID       uuid.UUID    `json:"patient_id"`
	PatientName     *models.Name `json:"patient_name" example:"Ada Sample"`
	RecordID        *uuid.UUID   `json:"record_id"`
	ConsentID       *uuid.UUID   `json:"consent_id"`
	DisclosedBy     *uuid.UUID   `json:"disclosed_by" doc:"The account that made the disclosure. Null if a job of the program made it."`
	DisclosedByName *models.Name `json:"disclosed_by_name" example:"Grace Example"`
	RecipientID     *uuid.UUID   `json:"recipient_id" doc:"The account of a recipient within the clinic. Null if the recipient is outside of it."`
	RecipientName   *models.Name `json:"recipient_name" doc:"Of the account." example:"Alan Example"`
	Recipient       *string      `json:"recipient" doc:"A recipient outside of the clinic. Null if recipient_id is set." example:"Example Hospital"`
	Purpose         string       `json:"purpose" example:"Referral"`
	DisclosedAt     time.Time    `json:"disclosed_at"`
	Notice          *string      `json:"notice" doc:"The notice of 42 CFR Part 2 that was sent with the disclosure."`
}

func newDisclosureAnswer(m *models.Disclosure) disclosureAnswer {
	answer := disclosureAnswer{
		ID: m.ID, Version: m.Version, PatientID: m.PatientID, RecordID: m.RecordID, ConsentID: m.ConsentID, DisclosedBy: m.DisclosedBy,
		RecipientID: m.RecipientID, Recipient: m.Recipient.Optional(), Purpose: m.Purpose.Plain(), DisclosedAt: m.DisclosedAt.UTC(),
		PatientName: m.PatientName(m.PatientID), DisclosedByName: m.AccountName(m.DisclosedBy), RecipientName: m.AccountName(m.RecipientID),
	}
	if m.Notice {
		answer.Notice = new(service.Part2Notice)
	}
	return answer
}

type disclosureRequest struct {
	rest.ByID
	service.DisclosureInput
}

func (a *API) disclose(ctx context.Context, in disclosureRequest) (*models.Disclosure, error) {
	return a.Consents.Disclose(ctx, in.ID, in.DisclosureInput)
}
