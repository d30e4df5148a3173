package service

import (
	"errors"
	"strconv"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/models"
)

// PatientInput is all the data of a patient as a client sends it, with the member names of the API.
type PatientInput struct {
	phi.Private `json:"-"`

	// Nil: true for a new patient, unchanged for an existing one.
	Active           *bool                    `json:"active,omitempty"`
	FirstName        string                   `json:"first_name" max:"50" example:"Ada"`
	LastName         string                   `json:"last_name" max:"50" example:"Sample"`
	DateOfBirth      string                   `json:"date_of_birth" format:"date" example:"1980-02-03"`
	ContactInfo      *models.ContactInfo      `json:"contact_info" required:"true" doc:"At least an e-mail address or a phone number is required."`
	Address          *models.Address          `json:"address,omitempty"`
	Insurance        *models.Insurance        `json:"insurance,omitempty"`
	EmergencyContact *models.EmergencyContact `json:"emergency_contact,omitempty"`
}

// applyTo checks the input and writes it into p. It returns an Invalid error that names every offending member; p
// then stays unchanged.
func (in PatientInput) applyTo(p *models.Patient, region string, now time.Time) error {
	var v validation
	v.required("/first_name", &in.FirstName, maxName)
	v.required("/last_name", &in.LastName, maxName)
	day := v.dateOfBirth("/date_of_birth", in.DateOfBirth, now)
	contact := v.contactInfo(in.ContactInfo, region)
	address := v.address(in.Address)
	insurance := v.insurance(in.Insurance)
	emergency := v.emergencyContact(in.EmergencyContact, region)
	if err := v.err(); err != nil {
		return err
	}
	p.FirstName, p.LastName, p.DateOfBirth = phi.Of(in.FirstName), phi.Of(in.LastName), phi.Of(day)
	p.ContactInfo = phi.JSONOf(contact)
	p.Address, p.Insurance = phi.JSONOfOptional(address), phi.JSONOfOptional(insurance)
	p.EmergencyContact = phi.JSONOfOptional(emergency)
	if in.Active != nil {
		p.Active = *in.Active
	}
	return nil
}

// Rules are the settings that the rules of inputs depend on.
type Rules struct {
	PhoneRegion    string        // the region of phone numbers without a country code
	TimeZone       string        // of an appointment that names no time zone
	APIKeyLifetime time.Duration // the longest lifetime of an API key
}

// Faults returns the rules that the input breaks.
func (in PatientInput) Faults(rules Rules) []apperr.Field {
	return fieldsOf(in.applyTo(&models.Patient{}, rules.PhoneRegion, time.Now()))
}

// fieldsOf returns the fields that an Invalid error names.
func fieldsOf(err error) []apperr.Field {
	var e *apperr.Error
	if !errors.As(err, &e) || e.Code != apperr.Invalid {
		return nil
	}
	return e.Fields
}

func (v *validation) contactInfo(in *models.ContactInfo, region string) models.ContactInfo {
	if in == nil {
		v.add("/contact_info", "required", "Must not be missing.")
		return models.ContactInfo{}
	}
	c := *in
	v.email("/contact_info/email", &c.Email)
	v.phone("/contact_info/phone", &c.Phone, region)
	v.phone("/contact_info/alternative_phone", &c.AlternativePhone, region)
	if c.Email == "" && c.Phone == "" {
		v.add("/contact_info", "required", "Must have an e-mail address or a phone number.")
	}
	return c
}

func (v *validation) address(in *models.Address) *models.Address {
	if in == nil {
		return nil
	}
	a := *in
	v.required("/address/street", &a.Street, maxOther)
	v.required("/address/city", &a.City, maxOther)
	v.required("/address/state", &a.State, maxOther)
	v.required("/address/zip_code", &a.ZipCode, maxOther)
	return &a
}

func (v *validation) insurance(in *models.Insurance) *models.Insurance {
	if in == nil {
		return nil
	}
	i := *in
	v.required("/insurance/provider", &i.Provider, maxOther)
	v.required("/insurance/policy_number", &i.PolicyNumber, maxOther)
	v.optional("/insurance/group_number", &i.GroupNumber, maxOther)
	return &i
}

func (v *validation) emergencyContact(in *models.EmergencyContact, region string) *models.EmergencyContact {
	if in == nil {
		return nil
	}
	e := *in
	v.optional("/emergency_contact/name", &e.Name, maxOther)
	v.optional("/emergency_contact/relationship", &e.Relationship, maxOther)
	if v.required("/emergency_contact/phone", &e.Phone, maxPhone) {
		v.phone("/emergency_contact/phone", &e.Phone, region)
	}
	v.email("/emergency_contact/email", &e.Email)
	v.phone("/emergency_contact/alternative_phone", &e.AlternativePhone, region)
	return &e
}

func itoa(n int) string { return strconv.Itoa(n) }
