package models

import "novamind/internal/phi"

// ContactInfo is the ways to reach a patient: at least an e-mail address or a phone number.
type ContactInfo struct {
	phi.Private `json:"-"`

	Email            string `json:"email,omitempty" max:"254" example:"ada@example.org"`
	Phone            string `json:"phone,omitempty" max:"32" example:"+12125550123"`
	AlternativePhone string `json:"alternative_phone,omitempty" max:"32" example:"+12125550124"`
}

// Address is a postal address; every part is required.
type Address struct {
	phi.Private `json:"-"`

	Street  string `json:"street" max:"200" example:"1 Example Street"`
	City    string `json:"city" max:"200" example:"Exampleton"`
	State   string `json:"state" max:"200" example:"NY"`
	ZipCode string `json:"zip_code" max:"200" example:"10001"`
}

// Insurance is a patient's cover; the group number is optional.
type Insurance struct {
	phi.Private `json:"-"`

	Provider     string `json:"provider" max:"200" example:"Example Health"`
	PolicyNumber string `json:"policy_number" max:"200" example:"EX-1234"`
	GroupNumber  string `json:"group_number,omitempty" max:"200" example:"G-1"`
}

// EmergencyContact is the person to call in an emergency; the phone is required.
type EmergencyContact struct {
	phi.Private `json:"-"`

	Name             string `json:"name,omitempty" max:"200" example:"Grace Sample"`
	Relationship     string `json:"relationship,omitempty" max:"200" example:"sister"`
	Phone            string `json:"phone" max:"32" example:"+12125550125"`
	Email            string `json:"email,omitempty" max:"254"`
	AlternativePhone string `json:"alternative_phone,omitempty" max:"32"`
}
