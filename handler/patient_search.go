package handler

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/service"
)

// patientSearch is what patients can be searched by: query parameters of a GET, or members of a POST.
type patientSearch struct {
	Active      *bool   `json:"active"`
	Email       *string `json:"email"`
	Phone       *string `json:"phone"`
	FirstName   *string `json:"first_name"`
	LastName    *string `json:"last_name"`
	DateOfBirth *string `json:"date_of_birth"`
	Q           *string `json:"q"`
}

type patientSearchRequest struct {
	patientSearch
	pageParams
}

func (a *API) listPatients(c *gin.Context) error {
	q, err := readQuery(c, "active", "email", "phone", "first_name", "last_name", "date_of_birth", "q", "limit", "cursor")
	if err != nil {
		return err
	}
	search := patientSearch{
		Active: q.Bool("active"), Email: q.Text("email", 254), Phone: q.Text("phone", 32),
		FirstName: q.Text("first_name", 50), LastName: q.Text("last_name", 50), DateOfBirth: q.Text("date_of_birth", 10), Q: q.Text("q", 200),
	}
	page := q.Page()
	if err := q.Err(); err != nil {
		return err
	}
	return a.answerSearch(c, search, page)
}

func (a *API) searchPatients(c *gin.Context) error {
	var body patientSearchRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	return a.answerSearch(c, body.patientSearch, body.pageParams)
}

func (a *API) answerSearch(c *gin.Context, search patientSearch, params pageParams) error {
	span, err := a.cursors.span(c, params, search)
	if err != nil {
		return err
	}
	query, err := search.query(c)
	if err != nil {
		return err
	}
	found, more, err := a.Patients.Search(c.Request.Context(), query, pageOf(span))
	if err != nil {
		return err
	}
	items := make([]any, len(found))
	for i, p := range found {
		if p.Unreadable() {
			items[i] = unreadableAnswer{p.ID, true}
		} else {
			items[i] = newPatientAnswer(p)
		}
	}
	return writePage(c, span, items, lastID(found, more, func(p *models.Patient) uuid.UUID { return p.ID }))
}

func (s patientSearch) query(c *gin.Context) (models.PatientQuery, error) {
	q := models.PatientQuery{Active: s.Active, Email: s.Email, Phone: s.Phone, FirstName: s.FirstName, LastName: s.LastName}
	if s.DateOfBirth != nil {
		day, err := phi.ParseCalendarDate(*s.DateOfBirth)
		if err != nil {
			return q, apperr.InvalidFields(apperr.Field{
				Pointer: placeOf(c, "date_of_birth"), Code: "date", Detail: "Is not a day of the form YYYY-MM-DD.",
			})
		}
		q.DateOfBirth = &day
	}
	if s.Q == nil {
		return q, nil
	}
	words, err := service.ParsePatientWords(placeOf(c, "q"), *s.Q)
	q.And = &words
	return q, err
}

func pageOf(span pageSpan) service.Page {
	after := valueOr(span.After, position{})
	return service.Page{Limit: span.Limit, After: after.ID, AfterTime: after.Time}
}

// lastID returns the position of the last row where more follow it, for the next page's cursor.
func lastID[T any](rows []T, more bool, id func(T) uuid.UUID) *position {
	if !more || len(rows) == 0 {
		return nil
	}
	return &position{ID: id(rows[len(rows)-1])}
}
