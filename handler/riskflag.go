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

func (a *API) riskFlagOperations() []rest.Operation {
	return []rest.Operation{
		rest.Row(
			"GET", "/api/v1/patients/:id/risk-flags", "List the risk flags of a patient", web.Session,
			rest.May(service.MedicalRecordRead), rest.List(a.riskFlags, newRiskFlagAnswer),
		),
		rest.Row(
			"POST", "/api/v1/risk-flags/:id/reviews", "Review a risk flag", web.Session,
			rest.MayAgain(service.MedicalRecordAmend, service.MedicalRecordRead),
			rest.Act(a.reviewRiskFlag, a.MedicalRecords.Flag, newRiskFlagAnswer), apperr.Conflict,
		),
	}
}

type riskFlagAnswer struct {
	ID             uuid.UUID    `json:"id"`
	Version        int64        `json:"version"`
	PatientID      uuid.UUID    `json:"patient_id"`
	PatientName    *models.Name `json:"patient_name" example:"Ada Sample"`
	RecordID       *uuid.UUID   `json:"record_id" doc:"The record that raised the flag."`
	Reason         string       `json:"reason" example:"PHQ-9, item 9: thoughts of self-harm"`
	RaisedBy       uuid.UUID    `json:"raised_by"`
	RaisedByName   *models.Name `json:"raised_by_name" example:"Grace Example"`
	RaisedAt       time.Time    `json:"raised_at"`
	ReviewAt       time.Time    `json:"review_at" doc:"The time by which the flag must be reviewed."`
	ResolvedAt     *time.Time   `json:"resolved_at"`
	ResolvedBy     *uuid.UUID   `json:"resolved_by"`
	ResolvedByName *models.Name `json:"resolved_by_name" example:"Alan Example"`
	Finding        *string      `json:"finding" doc:"The finding of the last review."`
	Notice         *string      `json:"notice,omitempty" doc:"The notice of 42 CFR Part 2. Present only if Part 2 protects the record."`
}

func newRiskFlagAnswer(f *models.RiskFlag) riskFlagAnswer {
	answer := riskFlagAnswer{
		ID: f.ID, Version: f.Version, PatientID: f.PatientID, RecordID: f.RecordID, Reason: f.Reason.Plain(), RaisedBy: f.RaisedBy,
		RaisedAt: f.RaisedAt.UTC(), ReviewAt: f.ReviewAt.UTC(), ResolvedAt: web.InUTC(f.ResolvedAt), ResolvedBy: f.ResolvedBy,
		Finding: f.Resolution.Optional(), PatientName: f.PatientName(f.PatientID),
		RaisedByName: f.AccountName(&f.RaisedBy), ResolvedByName: f.AccountName(f.ResolvedBy),
	}
	if f.Part2 {
		answer.Notice = new(service.Part2Notice)
	}
	return answer
}

type riskFlagList struct {
	rest.ByID

	Open bool `query:"open" doc:"If true, only flags that are not resolved."`
	web.PageParams
}

func (a *API) riskFlags(ctx context.Context, in riskFlagList, page service.Page) ([]*models.RiskFlag, bool, error) {
	return a.MedicalRecords.Flags(ctx, in.ID, in.Open, page)
}

type riskFlagReviewRequest struct {
	rest.OfVersion
	service.ReviewInput
}

func (a *API) reviewRiskFlag(ctx context.Context, in riskFlagReviewRequest) (*models.RiskFlag, error) {
	return a.MedicalRecords.Review(ctx, in.ID, in.Current, in.ReviewInput)
}
