package models

// ContactInfo is how to reach a patient: an e-mail or a phone at least.
type ContactInfo struct {
	Email            string `json:"email,omitempty"`
	Phone            string `json:"phone,omitempty"`
	AlternativePhone string `json:"alternative_phone,omitempty"`
}

// Address is a postal address; every part is required.
type Address struct {
	Street  string `json:"street"`
	City    string `json:"city"`
	State   string `json:"state"`
	ZipCode string `json:"zip_code"`
}

// Insurance is a patient's cover; the group number is optional.
type Insurance struct {
	Provider     string `json:"provider"`
	PolicyNumber string `json:"policy_number"`
	GroupNumber  string `json:"group_number,omitempty"`
}

// EmergencyContact is whom to call; the phone is required.
type EmergencyContact struct {
	Name             string `json:"name,omitempty"`
	Relationship     string `json:"relationship,omitempty"`
	Phone            string `json:"phone"`
	Email            string `json:"email,omitempty"`
	AlternativePhone string `json:"alternative_phone,omitempty"`
}
