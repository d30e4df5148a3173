package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type disclosureAnswer struct {
	ID          uuid.UUID  `json:"id"`
	Version     int64      `json:"version"`
	PatientID   uuid.UUID  `json:"patient_id"`
	RecordID    *uuid.UUID `json:"record_id"`
	ConsentID   *uuid.UUID `json:"consent_id"`
	DisclosedBy *uuid.UUID `json:"disclosed_by"` // null: a job of the program
	RecipientID *uuid.UUID `json:"recipient_id"` // an account
	Recipient   *string    `json:"recipient"`    // somebody outside
	Purpose     string     `json:"purpose"`
	DisclosedAt time.Time  `json:"disclosed_at"`
	Notice      *string    `json:"notice"` // that went with it
}

func newDisclosureAnswer(m *models.Disclosure) disclosureAnswer {
	answer := disclosureAnswer{
		ID: m.ID, Version: m.Version, PatientID: m.PatientID, RecordID: m.RecordID, ConsentID: m.ConsentID, DisclosedBy: m.DisclosedBy,
		RecipientID: m.RecipientID, Recipient: m.Recipient.Optional(), Purpose: m.Purpose.Plain(), DisclosedAt: m.DisclosedAt.UTC(),
	}
	if m.Notice {
		answer.Notice = new(service.Part2Notice)
	}
	return answer
}

func (a *API) createDisclosure(c *gin.Context) error {
	var body service.DisclosureInput
	patient, once, err := newOfPatient(c, &body)
	if err != nil {
		return err
	}
	m, err := a.Consents.Disclose(c.Request.Context(), patient, body, once)
	if err != nil {
		return err
	}
	setETag(c, m.Version)
	return writeJSON(c, http.StatusCreated, newDisclosureAnswer(m))
}

func (a *API) listDisclosures(c *gin.Context) error {
	id, span, err := a.listOfPatient(c)
	if err != nil {
		return err
	}
	found, more, err := a.Consents.Disclosures(c.Request.Context(), id, pageOf(span))
	if err != nil {
		return err
	}
	items := make([]any, len(found))
	for i, m := range found {
		if m.Unreadable() {
			items[i] = unreadableAnswer{m.ID, true}
		} else {
			items[i] = newDisclosureAnswer(m)
		}
	}
	return writePage(c, span, items, lastID(found, more, func(m *models.Disclosure) uuid.UUID { return m.ID }))
}
