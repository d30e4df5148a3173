package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/models"
	"novamind/service"
)

type medicalRecordAnswer struct {
	ID              uuid.UUID             `json:"id"`
	Version         int64                 `json:"version"`
	CreatedAt       time.Time             `json:"created_at"`
	UpdatedAt       time.Time             `json:"updated_at"`
	PatientID       uuid.UUID             `json:"patient_id"`
	AppointmentID   *uuid.UUID            `json:"appointment_id"`
	AuthorID        uuid.UUID             `json:"author_id"`
	Kind            string                `json:"kind"`
	Sensitivity     string                `json:"sensitivity"`
	Status          string                `json:"status"`
	OccurredAt      time.Time             `json:"occurred_at"`
	Title           string                `json:"title"`
	Content         string                `json:"content"`
	ContentHTML     *string               `json:"content_html,omitempty"` // where asked for
	Codes           []models.Coding       `json:"codes"`
	Questionnaire   *models.Questionnaire `json:"questionnaire"`
	SignedAt        *time.Time            `json:"signed_at"`
	SignedBy        *uuid.UUID            `json:"signed_by"`
	SupersedesID    *uuid.UUID            `json:"supersedes_id"`
	AmendmentReason *string               `json:"amendment_reason"`
	ErrorReason     *string               `json:"error_reason"`
	Notice          *string               `json:"notice,omitempty"` // 42 CFR 2.32
}

func newMedicalRecordAnswer(m *models.MedicalRecord) medicalRecordAnswer {
	answer := medicalRecordAnswer{
		ID: m.ID, Version: m.Version, CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), PatientID: m.PatientID,
		AppointmentID: m.AppointmentID, AuthorID: m.AuthorID, Kind: m.Kind, Sensitivity: m.Sensitivity, Status: m.Status,
		OccurredAt: m.OccurredAt.UTC(), Title: m.Title.Plain(), Content: m.Content.Plain(), Codes: codesOf(m),
		Questionnaire: m.Questionnaire.Optional(), SignedAt: inUTC(m.SignedAt), SignedBy: m.SignedBy, SupersedesID: m.SupersedesID,
		AmendmentReason: m.AmendmentReason.Optional(), ErrorReason: m.ErrorReason.Optional(),
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

// medicalRecordReplacement is the whole of a draft as a client sends it back. Members that the server sets may be there, unchanged.
type medicalRecordReplacement struct {
	ID              *uuid.UUID `json:"id"`
	Version         *int64     `json:"version"`
	CreatedAt       *time.Time `json:"created_at"`
	UpdatedAt       *time.Time `json:"updated_at"`
	PatientID       *uuid.UUID `json:"patient_id"`
	AuthorID        *uuid.UUID `json:"author_id"`
	Status          *string    `json:"status"`
	SignedAt        *time.Time `json:"signed_at"`
	SignedBy        *uuid.UUID `json:"signed_by"`
	SupersedesID    *uuid.UUID `json:"supersedes_id"`
	AmendmentReason *string    `json:"amendment_reason"`
	ErrorReason     *string    `json:"error_reason"`
	Notice          *string    `json:"notice"`
	service.RecordInput
}

func newMedicalRecordReplacement(m *models.MedicalRecord) medicalRecordReplacement {
	in := service.RecordInput{
		AppointmentID: m.AppointmentID, Kind: m.Kind, Sensitivity: &m.Sensitivity, OccurredAt: &m.OccurredAt,
		Title: m.Title.Plain(), Content: m.Content.Plain(), Codes: codesOf(m),
	}
	if q := m.Questionnaire.Optional(); q != nil {
		in.Questionnaire = &service.QuestionnaireInput{Instrument: q.Instrument, Answers: q.Answers}
	}
	return medicalRecordReplacement{RecordInput: in}
}

// against returns the input, or an Invalid error where it would change what the server sets.
func (r medicalRecordReplacement) against(m *models.MedicalRecord) (service.RecordInput, error) {
	return r.RecordInput, readOnly(
		unchanged("/id", r.ID, m.ID), unchanged("/version", r.Version, m.Version),
		unchanged("/created_at", inUTC(r.CreatedAt), m.CreatedAt.UTC()), unchanged("/updated_at", inUTC(r.UpdatedAt), m.UpdatedAt.UTC()),
		unchanged("/patient_id", r.PatientID, m.PatientID), unchanged("/author_id", r.AuthorID, m.AuthorID), unchanged("/status", r.Status, m.Status),
		unchanged("/signed_at", inUTC(r.SignedAt), valueOr(inUTC(m.SignedAt), time.Time{})), unchanged("/signed_by", r.SignedBy, valueOr(m.SignedBy, uuid.Nil)),
		unchanged("/supersedes_id", r.SupersedesID, valueOr(m.SupersedesID, uuid.Nil)),
		unchanged("/amendment_reason", r.AmendmentReason, m.AmendmentReason.Plain()), unchanged("/error_reason", r.ErrorReason, m.ErrorReason.Plain()), unchanged("/notice", r.Notice, service.Part2Notice),
	)
}

func (a *API) createMedicalRecord(c *gin.Context) error {
	var body medicalRecordRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	if body.PatientID == uuid.Nil {
		return apperr.InvalidFields(apperr.Field{Pointer: "/patient_id", Code: "required", Detail: "Must not be missing."})
	}
	once, err := idempotencyOf(c, body)
	if err != nil {
		return err
	}
	m, err := a.MedicalRecords.Write(c.Request.Context(), body.PatientID, body.RecordInput, once)
	if err != nil {
		return err
	}
	return writeNewMedicalRecord(c, m)
}

func writeNewMedicalRecord(c *gin.Context, m *models.MedicalRecord) error {
	c.Header("Location", "/api/v1/medical-records/"+m.ID.String())
	return writeMedicalRecord(c, http.StatusCreated, m)
}

func writeMedicalRecord(c *gin.Context, status int, m *models.MedicalRecord) error {
	setETag(c, m.Version)
	return writeJSON(c, status, newMedicalRecordAnswer(m))
}

// getMedicalRecord shows a record; with render=html its content also as HTML that is safe to put into a page.
func (a *API) getMedicalRecord(c *gin.Context) error {
	q, err := readQuery(c, "render")
	if err != nil {
		return err
	}
	render := q.Text("render", 10)
	if render != nil && *render != "html" {
		q.add("render", "unknown_value", "Must be html.")
	}
	if err := q.Err(); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	m, err := a.MedicalRecords.Get(c.Request.Context(), id)
	if err != nil || render == nil && notModified(c, m.Version) {
		return err
	}
	answer := newMedicalRecordAnswer(m)
	if render != nil {
		html, err := safeHTML(answer.Content)
		if err != nil {
			return err
		}
		answer.ContentHTML = &html
	}
	setETag(c, m.Version)
	return writeJSON(c, http.StatusOK, answer)
}

func (a *API) replaceMedicalRecord(c *gin.Context) error {
	var body medicalRecordReplacement
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	return a.changeMedicalRecord(c, body.against)
}

func (a *API) patchMedicalRecord(c *gin.Context) error {
	patch, err := readMergePatch[medicalRecordReplacement](c)
	if err != nil {
		return err
	}
	return a.changeMedicalRecord(c, func(m *models.MedicalRecord) (service.RecordInput, error) {
		patched, err := patch.Apply(newMedicalRecordReplacement(m))
		if err != nil {
			return service.RecordInput{}, err
		}
		return patched.against(m)
	})
}

func (a *API) changeMedicalRecord(c *gin.Context, edit func(*models.MedicalRecord) (service.RecordInput, error)) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	m, err := a.MedicalRecords.Change(c.Request.Context(), id, condition.Matches, edit)
	if err != nil {
		return err
	}
	return writeMedicalRecord(c, http.StatusOK, m)
}

func (a *API) signMedicalRecord(c *gin.Context) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	m, err := changeOnce(a, c, id, nil, func(ctx context.Context) (*models.MedicalRecord, error) {
		return a.MedicalRecords.Sign(ctx, id, condition.Matches)
	}, a.MedicalRecords.Get)
	if err != nil {
		return err
	}
	return writeMedicalRecord(c, http.StatusOK, m)
}

func (a *API) amendMedicalRecord(c *gin.Context) error {
	var body service.AmendmentInput
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	once, err := idempotencyOf(c, body)
	if err != nil {
		return err
	}
	m, err := a.MedicalRecords.Amend(c.Request.Context(), id, body, once)
	if err != nil {
		return err
	}
	return writeNewMedicalRecord(c, m)
}

type errorMarkRequest struct {
	Reason string `json:"reason"`
}

func (a *API) markMedicalRecordInError(c *gin.Context) error {
	var body errorMarkRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	m, err := changeOnce(a, c, id, body, func(ctx context.Context) (*models.MedicalRecord, error) {
		return a.MedicalRecords.MarkError(ctx, id, condition.Matches, body.Reason)
	}, a.MedicalRecords.Get)
	if err != nil {
		return err
	}
	return writeMedicalRecord(c, http.StatusOK, m)
}

// medicalRecordHistory is every version of a record, the first one first.
func (a *API) medicalRecordHistory(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	found, err := a.MedicalRecords.History(c.Request.Context(), id)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, page[any]{Items: medicalRecordItems(found)})
}

func (a *API) listMedicalRecords(c *gin.Context) error {
	return a.answerMedicalRecords(c, nil, "patient_id")
}

func (a *API) listPatientMedicalRecords(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	return a.answerMedicalRecords(c, &id)
}

// answerMedicalRecords lists records, the latest first; of one patient, where patient is given.
func (a *API) answerMedicalRecords(c *gin.Context, patient *uuid.UUID, more ...string) error {
	q, err := readQuery(c, append(more, "appointment_id", "author_id", "kind", "status", "from", "to", "limit", "cursor")...)
	if err != nil {
		return err
	}
	if patient == nil {
		patient = q.UUID("patient_id")
	}
	query := service.RecordQuery{
		PatientID: valueOr(patient, uuid.Nil), AppointmentID: valueOr(q.UUID("appointment_id"), uuid.Nil), AuthorID: valueOr(q.UUID("author_id"), uuid.Nil),
		Kind: valueOr(q.Text("kind", 50), ""), Status: valueOr(q.Text("status", 50), ""),
		From: valueOr(q.Time("from"), time.Time{}), To: valueOr(q.Time("to"), time.Time{}),
	}
	params := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	span, err := a.cursors.span(c, params, query)
	if err != nil {
		return err
	}
	found, hasMore, err := a.MedicalRecords.Search(c.Request.Context(), query, pageOf(span))
	if err != nil {
		return err
	}
	last := lastID(found, hasMore, func(m *models.MedicalRecord) uuid.UUID { return m.ID })
	if last != nil {
		last.Time = found[len(found)-1].OccurredAt
	}
	return writePage(c, span, medicalRecordItems(found), last)
}

func medicalRecordItems(found []*models.MedicalRecord) []any {
	items := make([]any, len(found))
	for i, m := range found {
		if m.Unreadable() {
			items[i] = unreadableAnswer{m.ID, true}
		} else {
			items[i] = newMedicalRecordAnswer(m)
		}
	}
	return items
}
