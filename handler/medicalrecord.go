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

func (a *API) medicalRecordOperations() []rest.Operation {
	const record = medicalRecords + "/:id"
	reading := rest.May(service.MedicalRecordRead)
	amending := rest.MayAgain(service.MedicalRecordAmend, service.MedicalRecordRead)
	changing := rest.Change[medicalRecordReplacement](a.MedicalRecords.Change, newMedicalRecordAnswer)
	again := a.MedicalRecords.Get
	return []rest.Operation{
		rest.Row(
			"GET", "/api/v1/patients/:id/medical-records", "List the medical records of a patient", web.Session, reading,
			rest.ListBy(occurredAt, a.recordsOfPatient, newMedicalRecordAnswer),
		),
		rest.Row(
			"GET", medicalRecords, "List medical records", web.Session, reading,
			rest.ListBy(occurredAt, a.searchMedicalRecords, newMedicalRecordAnswer), apperr.NotFound,
		),
		rest.Row(
			"POST", medicalRecords, "Write a medical record", web.Session,
			rest.MayAgain(service.MedicalRecordCreate, service.MedicalRecordRead),
			rest.Create(medicalRecords, a.writeMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row("GET", record, "Show a medical record", web.Session, reading, rest.Get(a.medicalRecord, rest.Same)),
		rest.Row(
			"PUT", record, "Replace a medical record", web.Session, rest.May(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		rest.Row(
			"PATCH", record, "Change a medical record", web.Session, rest.May(service.MedicalRecordUpdate), changing,
			apperr.Conflict,
		),
		rest.Row(
			"POST", record+"/sign", "Sign a medical record", web.Session,
			rest.MayAgain(service.MedicalRecordSign, service.MedicalRecordRead),
			rest.Act(a.signMedicalRecord, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row(
			"POST", record+"/amendments", "Amend a medical record", web.Session, amending,
			rest.Create(medicalRecords, a.amendMedicalRecord, again, newMedicalRecordAnswer),
			apperr.Conflict, apperr.Duplicate, apperr.Stale,
		),
		rest.Row(
			"POST", record+"/entered-in-error", "Mark a medical record as entered in error", web.Session, amending,
			rest.Act(a.markMedicalRecordInError, again, newMedicalRecordAnswer), apperr.Conflict,
		),
		rest.Row(
			"GET", record+"/history", "List the versions of a medical record", web.Session, reading,
			rest.All(a.MedicalRecords.History, newMedicalRecordAnswer),
		),
	}
}

const medicalRecords = "/api/v1/medical-records"

type medicalRecordAnswer struct {
	rest.Settled `json:"-"`

	ID              uuid.UUID             `json:"id"`
	Version         int64                 `json:"version"`
	CreatedAt       time.Time             `json:"created_at"`
	UpdatedAt       time.Time             `json:"updated_at"`
	PatientID       uuid.UUID             `json:"patient_id"`
	PatientName     *models.Name          `json:"patient_name" example:"Ada Sample"`
	AppointmentID   *uuid.UUID            `json:"appointment_id"`
	AuthorID        uuid.UUID             `json:"author_id"`
	AuthorName      *models.Name          `json:"author_name" example:"Grace Example"`
	Kind            string                `json:"kind" values:"record kind"`
	Sensitivity     string                `json:"sensitivity" values:"sensitivity" doc:"The sensitivity level, which decides which clinicians see the record."`
	Status          string                `json:"status" values:"record status"`
	OccurredAt      time.Time             `json:"occurred_at" doc:"When the documented event took place."`
	Title           string                `json:"title" example:"First visit"`
	Content         string                `json:"content" doc:"The text of the record, in Markdown." example:"Sleeps well."`
	ContentHTML     *string               `json:"content_html,omitempty" doc:"The content as safe HTML. Present only with render=html."`
	Codes           []models.Coding       `json:"codes"`
	Questionnaire   *models.Questionnaire `json:"questionnaire" doc:"The answered questionnaire of an assessment, with its score."`
	SignedAt        *time.Time            `json:"signed_at"`
	SignedBy        *uuid.UUID            `json:"signed_by"`
	SignedByName    *models.Name          `json:"signed_by_name" example:"Grace Example"`
	SupersedesID    *uuid.UUID            `json:"supersedes_id" doc:"The earlier version of the record that this one amends."`
	AmendmentReason *string               `json:"amendment_reason"`
	ErrorReason     *string               `json:"error_reason" doc:"The reason why the record was marked as entered in error."`
	Notice          *string               `json:"notice,omitempty" doc:"The notice of 42 CFR Part 2. Present only on records that Part 2 protects."`
}

func newMedicalRecordAnswer(m *models.MedicalRecord) medicalRecordAnswer {
	answer := medicalRecordAnswer{
		Settled: rest.Settled(m.NamedBefore(m.UpdatedAt)),
		ID:      m.ID, Version: m.Version, CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), PatientID: m.PatientID,
		AppointmentID: m.AppointmentID, AuthorID: m.AuthorID, Kind: m.Kind, Sensitivity: m.Sensitivity, Status: m.Status,
		OccurredAt: m.OccurredAt.UTC(), Title: m.Title.Plain(), Content: m.Content.Plain(), Codes: codesOf(m),
		Questionnaire: m.Questionnaire.Optional(), SignedAt: web.InUTC(m.SignedAt), SignedBy: m.SignedBy, SupersedesID: m.SupersedesID,
		AmendmentReason: m.AmendmentReason.Optional(), ErrorReason: m.ErrorReason.Optional(),
		PatientName: m.PatientName(m.PatientID), AuthorName: m.AccountName(&m.AuthorID), SignedByName: m.AccountName(m.SignedBy),
	}
	if m.Sensitivity == models.SensitivityPart2 {
		answer.Notice = new(service.Part2Notice)
	}
	return answer
}

func codesOf(m *models.MedicalRecord) []models.Coding {
	if m.Codes.IsNull() {
		return []models.Coding{}
	}
	return m.Codes.Plain()
}

// medicalRecordRequest is a new record.
type medicalRecordRequest struct {
	PatientID uuid.UUID `json:"patient_id"`
	service.RecordInput
}

// medicalRecordReplacement is the whole draft as a client sends it back.
type medicalRecordReplacement struct {
	rest.ServerSet

	PatientID       *uuid.UUID   `json:"patient_id" set:"server"`
	PatientName     *models.Name `json:"patient_name" set:"server"`
	AuthorID        *uuid.UUID   `json:"author_id" set:"server"`
	AuthorName      *models.Name `json:"author_name" set:"server"`
	Status          *string      `json:"status" set:"server"`
	SignedAt        *time.Time   `json:"signed_at" set:"server"`
	SignedBy        *uuid.UUID   `json:"signed_by" set:"server"`
	SignedByName    *models.Name `json:"signed_by_name" set:"server"`
	SupersedesID    *uuid.UUID   `json:"supersedes_id" set:"server"`
	AmendmentReason *string      `json:"amendment_reason" set:"server"`
	ErrorReason     *string      `json:"error_reason" set:"server"`
	Notice          *string      `json:"notice" set:"server"`
	service.RecordInput
}

func (r medicalRecordReplacement) Input() service.RecordInput { return r.RecordInput }

// recordFilters are the filters of lists of records.
type recordFilters struct {
	AppointmentID []uuid.UUID `query:"appointment_id"`
	AuthorID      []uuid.UUID `query:"author_id"`
	Kind          []string    `query:"kind" values:"record kind" doc:"The kinds of records to return. Psychotherapy notes are returned only if this parameter names their kind."`
	Status        []string    `query:"status" values:"record status"`
	From          time.Time   `query:"from" doc:"Only records with occurred_at at this time or later."`
	To            time.Time   `query:"to" doc:"Only records with occurred_at before this time."`
	Sort          *string     `query:"sort" values:"order of records" doc:"occurred_at: the latest records first. updated_at: the order of the last change."`

	rest.SinceParams
	web.PageParams
}

func (f recordFilters) of(patientID uuid.UUID) service.RecordQuery {
	return service.RecordQuery{
		PatientID: patientID, AppointmentID: f.AppointmentID, AuthorID: f.AuthorID,
		Kind: f.Kind, Status: f.Status, From: f.From, To: f.To,
	}
}

type recordSearch struct {
	PatientID uuid.UUID `query:"patient_id"`
	recordFilters
}

type patientRecords struct {
	rest.ByID
	recordFilters
}

func (a *API) searchMedicalRecords(
	ctx context.Context, in recordSearch, page service.Page,
) ([]*models.MedicalRecord, bool, error) {
	return a.MedicalRecords.Search(ctx, in.of(in.PatientID), page)
}

func (a *API) recordsOfPatient(
	ctx context.Context, in patientRecords, page service.Page,
) ([]*models.MedicalRecord, bool, error) {
	return a.MedicalRecords.Search(ctx, in.of(in.ID), page)
}

func occurredAt(m *models.MedicalRecord) time.Time { return m.OccurredAt }

func (a *API) writeMedicalRecord(ctx context.Context, in medicalRecordRequest) (*models.MedicalRecord, error) {
	return a.MedicalRecords.Write(ctx, in.PatientID, in.RecordInput)
}

const renderHTML = "html"

type medicalRecordView struct {
	rest.ByID

	Render string `query:"render" values:"rendering" doc:"html: also return the content as HTML that is safe to embed in a page."`
}

func (a *API) medicalRecord(ctx context.Context, in medicalRecordView) (medicalRecordAnswer, error) {
	m, err := a.MedicalRecords.Get(ctx, in.ID)
	if err != nil {
		return medicalRecordAnswer{}, err
	}
	answer := newMedicalRecordAnswer(m)
	if in.Render == renderHTML {
		html, err := safeHTML(answer.Content)
		answer.ContentHTML = &html
		answer.Settled = false // the version doesn't tell a rendering from the plain record
		return answer, err
	}
	return answer, nil
}

func (a *API) signMedicalRecord(ctx context.Context, in rest.OfVersion) (*models.MedicalRecord, error) {
	return a.MedicalRecords.Sign(ctx, in.ID, in.Current)
}

type amendmentRequest struct {
	rest.ByID
	service.AmendmentInput
}

func (a *API) amendMedicalRecord(ctx context.Context, in amendmentRequest) (*models.MedicalRecord, error) {
	return a.MedicalRecords.Amend(ctx, in.ID, in.AmendmentInput)
}

type errorMarkRequest struct {
	rest.OfVersion

	Reason string `json:"reason" max:"200" example:"Of another patient"`
}

// Faults returns the rules that the mark breaks.
func (r errorMarkRequest) Faults(service.Rules) []apperr.Field {
	return service.ReasonFaults("/reason", r.Reason)
}

func (a *API) markMedicalRecordInError(ctx context.Context, in errorMarkRequest) (*models.MedicalRecord, error) {
	return a.MedicalRecords.MarkError(ctx, in.ID, in.Current, in.Reason)
}
