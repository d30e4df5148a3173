package models

import "novamind/internal/phi"

// ContactInfo is how to reach a patient: an e-mail or a phone at least.
type ContactInfo struct {
	phi.Private `json:"-"`

	Email            string `json:"email,omitempty" example:"ada@example.org"`
	Phone            string `json:"phone,omitempty" example:"+12125550123"`
	AlternativePhone string `json:"alternative_phone,omitempty" example:"+12125550124"`
}

// Address is a postal address; every part is required.
type Address struct {
	phi.Private `json:"-"`

	Street  string `json:"street" example:"1 Example Street"`
	City    string `json:"city" example:"Exampleton"`
	State   string `json:"state" example:"NY"`
	ZipCode string `json:"zip_code" example:"10001"`
}

// Insurance is a patient's cover; the group number is optional.
type Insurance struct {
	phi.Private `json:"-"`

	Provider     string `json:"provider" example:"Example Health"`
	PolicyNumber string `json:"policy_number" example:"EX-1234"`
	GroupNumber  string `json:"group_number,omitempty" example:"G-1"`
}

// EmergencyContact is whom to call; the phone is required.
type EmergencyContact struct {
	phi.Private `json:"-"`

	Name             string `json:"name,omitempty" example:"Grace Sample"`
	Relationship     string `json:"relationship,omitempty" example:"sister"`
	Phone            string `json:"phone" example:"+12125550125"`
	Email            string `json:"email,omitempty"`
	AlternativePhone string `json:"alternative_phone,omitempty"`
}
