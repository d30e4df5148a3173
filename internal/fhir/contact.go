package fhir

import (
	"cmp"
	"slices"
	"strings"
)

// contactRoles is the code system of Patient.contact.relationship (R4,
// https://terminology.hl7.org/CodeSystem-v2-0131).
const contactRoles = "http://terminology.hl7.org/CodeSystem/v2-0131"

// emergency are the codes of contactRoles for an emergency contact.
var emergency = []string{"C", "EP"}

// contactRole names the codes of contactRoles, which are usually sent without a display.
var contactRole = map[string]string{
	"BP": "Billing contact person",
	"C":  "Emergency Contact",
	"CP": "Contact person",
	"E":  "Employer",
	"EP": "Emergency contact person",
	"F":  "Federal Agency",
	"I":  "Insurance Company",
	"N":  "Next-of-Kin",
	"O":  "Other",
	"PR": "Person preparing referral",
	"S":  "State Agency",
	"U":  "Unknown",
}

// emergencyContact chooses from Patient.contact: the first emergency contact with a phone, else the first contact
// with a name and a phone. It returns nil if there is none.
func emergencyContact(contacts []contact) *Contact {
	var named *Contact
	for _, c := range contacts {
		person := c.person()
		switch {
		case len(c.ModifierExtension) > 0 || person.Phone == "":
		case slices.ContainsFunc(c.Relationship, codeableConcept.isEmergency):
			return person
		case named == nil && person.Name != "":
			named = person
		}
	}
	return named
}

func (c contact) person() *Contact {
	phone, alternative := phones(c.Telecom)
	return &Contact{
		Name:             c.Name.full(),
		Relationship:     relationship(c.Relationship),
		Phone:            phone,
		Email:            email(c.Telecom),
		AlternativePhone: alternative,
	}
}

// relationship returns the first text that is not just "emergency contact", which every Contact is anyway. If there
// is no other text, it returns that one.
func relationship(concepts []codeableConcept) string {
	fallback := ""
	for _, concept := range concepts {
		text := concept.words()
		if text != "" && !concept.isEmergency() {
			return text
		}
		fallback = cmp.Or(fallback, text)
	}
	return fallback
}

func (c codeableConcept) isEmergency() bool {
	return slices.ContainsFunc(c.Coding, func(c coding) bool {
		return c.System == contactRoles && slices.Contains(emergency, c.Code)
	})
}

// words returns CodeableConcept.text, else the first coding with a text.
func (c codeableConcept) words() string {
	words := strings.TrimSpace(c.Text)
	for _, coding := range c.Coding {
		words = cmp.Or(words, coding.words())
	}
	return words
}

func (c coding) words() string {
	role := ""
	if c.System == contactRoles {
		role = contactRole[c.Code]
	}
	return cmp.Or(strings.TrimSpace(c.Display), role, strings.TrimSpace(c.Code))
}
