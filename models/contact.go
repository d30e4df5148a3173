package models

import "novamind/internal/phi"

// ContactInfo is how to reach a patient: an e-mail or a phone at least.
type ContactInfo struct {
	phi.Private `json:"-"`

	Email            string `json:"email,omitempty"`
	Phone            string `json:"phone,omitempty"`
	AlternativePhone string `json:"alternative_phone,omitempty"`
}

// Address is a postal address; every part is required.
type Address struct {
	phi.Private `json:"-"`

	Street  string `json:"street"`
	City    string `json:"city"`
	State   string `json:"state"`
	ZipCode string `json:"zip_code"`
}

// Insurance is a patient's cover; the group number is optional.
type Insurance struct {
	phi.Private `json:"-"`

	Provider     string `json:"provider"`
	PolicyNumber string `json:"policy_number"`
	GroupNumber  string `json:"group_number,omitempty"`
}

// EmergencyContact is whom to call; the phone is required.
type EmergencyContact struct {
	phi.Private `json:"-"`

	Name             string `json:"name,omitempty"`
	Relationship     string `json:"relationship,omitempty"`
	Phone            string `json:"phone"`
	Email            string `json:"email,omitempty"`
	AlternativePhone string `json:"alternative_phone,omitempty"`
}
