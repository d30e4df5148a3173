package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

type riskFlagAnswer struct {
	ID         uuid.UUID  `json:"id"`
	Version    int64      `json:"version"`
	PatientID  uuid.UUID  `json:"patient_id"`
	RecordID   *uuid.UUID `json:"record_id"`
	Reason     string     `json:"reason"`
	RaisedBy   uuid.UUID  `json:"raised_by"`
	RaisedAt   time.Time  `json:"raised_at"`
	ReviewAt   time.Time  `json:"review_at"`
	ResolvedAt *time.Time `json:"resolved_at"`
	ResolvedBy *uuid.UUID `json:"resolved_by"`
	Finding    *string    `json:"finding"`          // of the last review
	Notice     *string    `json:"notice,omitempty"` // 42 CFR 2.32
}

func newRiskFlagAnswer(f *models.RiskFlag) riskFlagAnswer {
	answer := riskFlagAnswer{
		ID: f.ID, Version: f.Version, PatientID: f.PatientID, RecordID: f.RecordID, Reason: f.Reason.Plain(), RaisedBy: f.RaisedBy,
		RaisedAt: f.RaisedAt.UTC(), ReviewAt: f.ReviewAt.UTC(), ResolvedAt: inUTC(f.ResolvedAt), ResolvedBy: f.ResolvedBy,
		Finding: f.Resolution.Optional(),
	}
	if f.Part2 {
		answer.Notice = new(service.Part2Notice)
	}
	return answer
}

func riskFlagItems(found []*models.RiskFlag) []any {
	items := make([]any, len(found))
	for i, f := range found {
		if f.Unreadable() {
			items[i] = unreadableAnswer{f.ID, true}
		} else {
			items[i] = newRiskFlagAnswer(f)
		}
	}
	return items
}

// listRiskFlags lists a patient's flags; with open=true those that nobody has resolved.
func (a *API) listRiskFlags(c *gin.Context) error {
	q, err := readQuery(c, "open", "limit", "cursor")
	if err != nil {
		return err
	}
	open, params := valueOr(q.Bool("open"), false), q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, open)
	if err != nil {
		return err
	}
	found, more, err := a.MedicalRecords.Flags(c.Request.Context(), id, open, pageOf(span))
	if err != nil {
		return err
	}
	return writePage(c, span, riskFlagItems(found), lastID(found, more, func(f *models.RiskFlag) uuid.UUID { return f.ID }))
}

func (a *API) reviewRiskFlag(c *gin.Context) error {
	var body service.ReviewInput
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	f, err := changeOnce(a, c, id, body, func(ctx context.Context) (*models.RiskFlag, error) {
		return a.MedicalRecords.Review(ctx, id, condition.Matches, body)
	}, a.MedicalRecords.Flag)
	if err != nil {
		return err
	}
	setETag(c, f.Version)
	return writeJSON(c, http.StatusOK, newRiskFlagAnswer(f))
}
