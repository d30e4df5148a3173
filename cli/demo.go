package cli

import (
	"context"

	"novamind/internal/demo"
	"novamind/models"
	"novamind/service"
)

// fillWithDemo registers the invented patients in an empty database, and leaves any other database unchanged.
func (in *installation) fillWithDemo(ctx context.Context) error {
	imports := service.NewImportService(in.store, in.config.Clinic)
	inputs := make([]service.PatientInput, 0, len(demo.Patients()))
	for _, p := range demo.Patients() {
		inputs = append(inputs, demoInput(p))
	}
	added, err := imports.IntoEmpty(acting(ctx, "demo"), inputs)
	if err != nil {
		return err
	}
	in.log.Info("sample patients", "added", added)
	return nil
}

func demoInput(p demo.Patient) service.PatientInput {
	in := service.PatientInput{
		Active: &p.Active, FirstName: p.FirstName, LastName: p.LastName, DateOfBirth: p.DateOfBirth,
		ContactInfo: &models.ContactInfo{Email: p.Email, Phone: p.Phone, AlternativePhone: p.AlternativePhone},
	}
	if p.Address != nil {
		in.Address = &models.Address{Street: p.Address.Street, City: p.Address.City, State: p.Address.State, ZipCode: p.Address.ZipCode}
	}
	if p.Insurance != nil {
		in.Insurance = &models.Insurance{Provider: p.Insurance.Provider, PolicyNumber: p.Insurance.PolicyNumber, GroupNumber: p.Insurance.GroupNumber}
	}
	if c := p.EmergencyContact; c != nil {
		in.EmergencyContact = &models.EmergencyContact{
			Name: c.Name, Relationship: c.Relationship, Phone: c.Phone, Email: c.Email, AlternativePhone: c.AlternativePhone,
		}
	}
	return in
}
