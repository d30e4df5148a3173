package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/models"
	"novamind/service"
)

type patientAnswer struct {
	ID               uuid.UUID                `json:"id"`
	Version          int64                    `json:"version"`
	CreatedAt        time.Time                `json:"created_at"`
	UpdatedAt        time.Time                `json:"updated_at"`
	Active           bool                     `json:"active"`
	FirstName        string                   `json:"first_name"`
	LastName         string                   `json:"last_name"`
	DateOfBirth      string                   `json:"date_of_birth"`
	ContactInfo      models.ContactInfo       `json:"contact_info"`
	Address          *models.Address          `json:"address"`
	Insurance        *models.Insurance        `json:"insurance"`
	EmergencyContact *models.EmergencyContact `json:"emergency_contact"`
	MergedIntoID     *uuid.UUID               `json:"merged_into_id"`

	Warnings []problemField `json:"warnings,omitzero"` // of a registration
}

func newPatientAnswer(p *models.Patient) patientAnswer {
	return patientAnswer{
		ID: p.ID, Version: p.Version, CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(), Active: p.Active,
		FirstName: p.FirstName.Plain(), LastName: p.LastName.Plain(), DateOfBirth: p.DateOfBirth.Plain().String(),
		ContactInfo: p.ContactInfo.Plain(), Address: p.Address.Optional(), Insurance: p.Insurance.Optional(),
		EmergencyContact: p.EmergencyContact.Optional(), MergedIntoID: p.MergedIntoID,
	}
}

// unreadableAnswer stands in a list for a row that can't be opened.
type unreadableAnswer struct {
	ID         uuid.UUID `json:"id"`
	Unreadable bool      `json:"unreadable"`
}

// patientReplacement is the whole of a patient as a client sends it back. Members that the server sets may be there, unchanged.
type patientReplacement struct {
	ID        *uuid.UUID `json:"id"`
	Version   *int64     `json:"version"`
	CreatedAt *time.Time `json:"created_at"`
	UpdatedAt *time.Time `json:"updated_at"`

	MergedIntoID *uuid.UUID `json:"merged_into_id"`
	service.PatientInput
}

func newPatientReplacement(p *models.Patient) patientReplacement {
	a := newPatientAnswer(p)
	return patientReplacement{
		&a.ID, &a.Version, &a.CreatedAt, &a.UpdatedAt, a.MergedIntoID,
		service.PatientInput{
			Active: &a.Active, FirstName: a.FirstName, LastName: a.LastName, DateOfBirth: a.DateOfBirth, ContactInfo: &a.ContactInfo,
			Address: a.Address, Insurance: a.Insurance, EmergencyContact: a.EmergencyContact,
		},
	}
}

// against returns the input, or an Invalid error where it would change what the server sets.
func (r patientReplacement) against(p *models.Patient) (service.PatientInput, error) {
	// Times compare as moments, in whatever zone they are written.
	created, updated := inUTC(r.CreatedAt), inUTC(r.UpdatedAt)
	return r.PatientInput, readOnly(
		unchanged("/id", r.ID, p.ID), unchanged("/version", r.Version, p.Version),
		unchanged("/created_at", created, p.CreatedAt.UTC()), unchanged("/updated_at", updated, p.UpdatedAt.UTC()),
		unchanged("/merged_into_id", r.MergedIntoID, valueOr(p.MergedIntoID, uuid.Nil)),
	)
}

func inUTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	utc := t.UTC()
	return &utc
}

func (a *API) createPatient(c *gin.Context) error {
	var input service.Registration
	if err := decodeBody(c, &input); err != nil {
		return err
	}
	once, err := idempotencyOf(c, input)
	if err != nil {
		return err
	}
	p, warnings, err := a.Patients.Register(c.Request.Context(), input, once)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/patients/"+p.ID.String())
	setETag(c, p.Version)
	answer := newPatientAnswer(p)
	answer.Warnings = make([]problemField, len(warnings))
	for i, w := range warnings {
		answer.Warnings[i] = problemField(w)
	}
	return writeJSON(c, http.StatusCreated, answer)
}

func (a *API) getPatient(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	p, err := a.Patients.Get(c.Request.Context(), id)
	if err != nil || notModified(c, p.Version) {
		return err
	}
	return writePatient(c, p)
}

func (a *API) replacePatient(c *gin.Context) error {
	var body patientReplacement
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	return a.changePatient(c, body.against)
}

func (a *API) patchPatient(c *gin.Context) error {
	patch, err := readMergePatch[patientReplacement](c)
	if err != nil {
		return err
	}
	return a.changePatient(c, func(p *models.Patient) (service.PatientInput, error) {
		patched, err := patch.Apply(newPatientReplacement(p))
		if err != nil {
			return service.PatientInput{}, err
		}
		return patched.against(p)
	})
}

func (a *API) changePatient(c *gin.Context, edit func(*models.Patient) (service.PatientInput, error)) error {
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	p, err := a.Patients.Change(c.Request.Context(), id, condition.Matches, edit)
	if err != nil {
		return err
	}
	return writePatient(c, p)
}

// deletePatient deactivates; with purge=true and a reason it removes for good.
func (a *API) deletePatient(c *gin.Context) error {
	q, err := readQuery(c, "purge", "reason")
	if err != nil {
		return err
	}
	purge, reason := q.Bool("purge"), q.Text("reason", 200)
	if err := q.Err(); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	switch {
	case purge != nil && *purge:
		err = a.Patients.Purge(c.Request.Context(), id, condition.Matches, valueOr(reason, ""))
	case reason != nil:
		err = apperr.InvalidFields(apperr.Field{Pointer: "reason", Code: "unexpected", Detail: "Goes with purge=true only."})
	default:
		var p *models.Patient
		if p, err = a.Patients.Deactivate(c.Request.Context(), id, condition.Matches); err == nil {
			setETag(c, p.Version)
		}
	}
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// target returns what a change is aimed at: the row of the path, and the version that If-Match allows.
func target(c *gin.Context) (uuid.UUID, ifMatch, error) {
	id, err := pathID(c, "id")
	if err != nil {
		return uuid.Nil, ifMatch{}, err
	}
	condition, err := requireIfMatch(c)
	return id, condition, err
}

func writePatient(c *gin.Context, p *models.Patient) error {
	setETag(c, p.Version)
	return writeJSON(c, http.StatusOK, newPatientAnswer(p))
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
