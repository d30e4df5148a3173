// Package demo holds invented patients, for looking around without anyone's data. No one in it exists: the phone
// numbers are of the range reserved for fiction (555-0100 to 555-0199), the e-mail domains are reserved for examples
// (RFC 2606), and towns, streets and insurers are made up.
package demo

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
