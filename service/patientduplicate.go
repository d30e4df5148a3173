package service

import (
	"context"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/models"
)

// refuseDuplicate returns a PossibleDuplicate error if there are patients with the names and the date of birth of p.
func (s *PatientService) refuseDuplicate(ctx context.Context, p *models.Patient) error {
	same, err := s.patients.Namesakes(ctx, p)
	if err != nil || len(same) == 0 {
		return err
	}
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	refused := apperr.New(apperr.PossibleDuplicate, "The clinic already has a patient with these names and this date of birth. "+
		"Use one of the candidates, or send allow_duplicate with duplicate_reason.")
	refused.Candidates = []string{}
	for _, other := range same {
		switch _, err := s.Get(ctx, other.ID); {
		case err == nil:
			refused.Candidates = append(refused.Candidates, other.ID.String())
		case apperr.Is(err, apperr.NotFound), apperr.Is(err, apperr.Forbidden):
			unit.Withhold(other.ID)
		default:
			return err
		}
	}
	return refused
}

// warnings returns the data that p shares with other patients that the actor may see. A warning about any other
// patient would reveal that this person is a patient here.
func (s *PatientService) warnings(ctx context.Context, p *models.Patient) ([]apperr.Field, error) {
	scope, err := s.care.readable(ctx)
	if err != nil {
		return nil, err
	}
	email, phone, err := s.patients.Shared(ctx, p, scope)
	if err != nil {
		return nil, err
	}
	var found []apperr.Field
	if email {
		found = append(found, apperr.Field{Pointer: "/contact_info/email", Code: "shared", Detail: "Another patient has the same e-mail address."})
	}
	if phone {
		found = append(found, apperr.Field{Pointer: "/contact_info/phone", Code: "shared", Detail: "Another patient has the same phone number."})
	}
	return found, nil
}
