package handler

import (
	"context"
	"errors"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/internal/rest"
	"novamind/internal/web"
	"novamind/models"
	"novamind/service"
)

// patientSearch are the filters of patients: parameters of a GET, or members of a POST.
type patientSearch struct {
	Active      *bool   `json:"active" query:"active"`
	Email       *string `json:"email" query:"email" max:"254"`
	Phone       *string `json:"phone" query:"phone" max:"32"`
	FirstName   *string `json:"first_name" query:"first_name" max:"50"`
	LastName    *string `json:"last_name" query:"last_name" max:"50"`
	DateOfBirth *string `json:"date_of_birth" query:"date_of_birth" max:"10"`
	Q           *string `json:"q" query:"q" max:"200"`
	Sort        *string `json:"sort" query:"sort" values:"order of patients" doc:"id: approximately the order of registration. updated_at: the order of the last change."`

	rest.SinceParams
	web.PageParams
}

func (a *API) searchPatients(ctx context.Context, in patientSearch, page service.Page) ([]*models.Patient, bool, error) {
	q, err := in.query()
	if err != nil {
		return nil, false, err
	}
	return a.Patients.Search(ctx, q, page)
}

// Faults returns the rules that the search breaks, without looking at stored data.
func (s patientSearch) Faults(service.Rules) []apperr.Field {
	_, err := s.query()
	var e *apperr.Error
	if errors.As(err, &e) {
		return e.Fields
	}
	return nil
}

func (s patientSearch) query() (models.PatientQuery, error) {
	q := models.PatientQuery{Active: s.Active, Email: s.Email, Phone: s.Phone, FirstName: s.FirstName, LastName: s.LastName}
	if s.DateOfBirth != nil {
		day, err := phi.ParseCalendarDate(*s.DateOfBirth)
		if err != nil {
			return q, apperr.InvalidFields(apperr.Field{
				Pointer: web.InQuery("date_of_birth"), Code: "date", Detail: "Must be a date as YYYY-MM-DD.",
			})
		}
		q.DateOfBirth = &day
	}
	if s.Q == nil {
		return q, nil
	}
	words, err := service.ParsePatientWords(web.InQuery("q"), *s.Q)
	q.And = &words
	return q, err
}
