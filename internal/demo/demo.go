// Package demo fills an empty database with an invented clinic, for looking around without anyone's data: staff,
// patients, appointments and records. No one in it exists. The phone numbers are of the range reserved for fiction
// (555-0100 to 555-0199), the e-mail domains are reserved for examples (RFC 2606), and towns, streets and insurers are
// made up.
package demo

import (
	"novamind/models"
	"novamind/service"
)

// Patient is one invented patient. The empty string means that a value is not known.
type Patient struct {
	FirstName        string
	LastName         string
	DateOfBirth      string // YYYY-MM-DD
	Active           bool
	Phone            string
	AlternativePhone string
	Email            string
	Address          *Address
	Insurance        *Insurance
	EmergencyContact *Contact
}

// Address is a postal address, every member filled.
type Address struct {
	Street  string
	City    string
	State   string
	ZipCode string
}

// Insurance is a policy; GroupNumber may be empty.
type Insurance struct {
	Provider     string
	PolicyNumber string
	GroupNumber  string
}

// Contact is the person to call in an emergency; Email and AlternativePhone may be empty.
type Contact struct {
	Name             string
	Relationship     string
	Phone            string
	Email            string
	AlternativePhone string
}

// input returns the patient as the services take one.
func (p Patient) input() service.PatientInput {
	in := service.PatientInput{
		Active: &p.Active, FirstName: p.FirstName, LastName: p.LastName, DateOfBirth: p.DateOfBirth,
		ContactInfo: &models.ContactInfo{Email: p.Email, Phone: p.Phone, AlternativePhone: p.AlternativePhone},
	}
	if p.Address != nil {
		in.Address = &models.Address{
			Street: p.Address.Street, City: p.Address.City, State: p.Address.State, ZipCode: p.Address.ZipCode,
		}
	}
	if p.Insurance != nil {
		in.Insurance = &models.Insurance{
			Provider: p.Insurance.Provider, PolicyNumber: p.Insurance.PolicyNumber, GroupNumber: p.Insurance.GroupNumber,
		}
	}
	if c := p.EmergencyContact; c != nil {
		in.EmergencyContact = &models.EmergencyContact{
			Name: c.Name, Relationship: c.Relationship, Phone: c.Phone, Email: c.Email, AlternativePhone: c.AlternativePhone,
		}
	}
	return in
}
