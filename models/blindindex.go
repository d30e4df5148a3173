package models

import (
	"slices"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/phi"
)

// BlindIndex is one token under which a patient can be found without opening anything.
type BlindIndex struct {
	Token     string    `gorm:"primaryKey"`
	PatientID uuid.UUID `gorm:"type:uuid;primaryKey;index:blindindex_patient_id_idx"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}

// The indexes. E-mail and phone keep 128 bits: two different values never meet. Names keep 16, so that a token stands for
// many names; who searches filters after opening.
var (
	emailTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "email", Bits: 128}
	phoneTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "phone", Bits: 128}
	firstNameTerm = phi.Term{Table: "patient", Column: "first_name", Purpose: "first_name", Bits: 16}
	lastNameTerm  = phi.Term{Table: "patient", Column: "last_name", Purpose: "last_name", Bits: 16}
)

// tokens returns the tokens of a patient, sorted, each once.
func (p *Patient) tokens(x *phi.Indexer) ([]string, error) {
	contact := p.ContactInfo.Plain()
	var out []string
	var failed error
	add := func(t phi.Term, normalised string) {
		if normalised == "" || failed != nil {
			return
		}
		token, err := x.Token(t, normalised)
		failed = err
		out = append(out, token)
	}
	add(emailTerm, phi.NormalizeText(contact.Email))
	add(phoneTerm, x.NormalizePhone(contact.Phone))
	add(phoneTerm, x.NormalizePhone(contact.AlternativePhone))
	for _, name := range nameForms(p.FirstName.Plain()) {
		add(firstNameTerm, name)
	}
	for _, name := range nameForms(p.LastName.Plain()) {
		add(lastNameTerm, name)
	}
	slices.Sort(out)
	return slices.Compact(out), failed
}

// nameForms returns what a name is found by: the whole of it, and each part of a compound.
func nameForms(name string) []string {
	parts := phi.NameParts(name)
	if len(parts) == 0 {
		return nil
	}
	return append(parts, strings.Join(parts, " "))
}

// index replaces a patient's tokens where a change of the row changed them.
func (p *Patient) index(tx *gorm.DB) error {
	rows, err := p.Tokens(tx)
	if err != nil {
		return err
	}
	if old, ok := p.before.(*Patient); ok {
		oldRows, err := old.Tokens(tx)
		if err != nil || slices.Equal(oldRows, rows) {
			return err
		}
		if err := tx.Where("patient_id = ?", p.ID).Delete(&BlindIndex{}).Error; err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return tx.Create(&rows).Error
}

// PatientQuery is an exact search, after normalisation. A nil member is not asked for.
type PatientQuery struct {
	Active      *bool
	Email       *string
	Phone       *string
	FirstName   *string
	LastName    *string
	DateOfBirth *phi.CalendarDate
}

// Candidates returns, for each indexed member that is asked for, the tokens one of which a matching patient has.
func (q PatientQuery) Candidates(x *phi.Indexer) ([][]string, error) {
	var out [][]string
	for _, asked := range []struct {
		term  phi.Term
		value *string
		norm  func(string) string
	}{
		{emailTerm, q.Email, phi.NormalizeText},
		{phoneTerm, q.Phone, x.NormalizePhone},
		{firstNameTerm, q.FirstName, joinedParts},
		{lastNameTerm, q.LastName, joinedParts},
	} {
		if asked.value == nil {
			continue
		}
		tokens, err := x.Candidates(asked.term, asked.norm(*asked.value))
		if err != nil {
			return nil, err
		}
		out = append(out, tokens)
	}
	return out, nil
}

func joinedParts(name string) string { return strings.Join(phi.NameParts(name), " ") }

// Matches reports whether an opened patient is what q asks for. It decides; the index only narrows down.
func (q PatientQuery) Matches(p *Patient, x *phi.Indexer) bool {
	return q.matchesContact(p, x) &&
		(q.FirstName == nil || slices.Contains(nameForms(p.FirstName.Plain()), joinedParts(*q.FirstName))) &&
		(q.LastName == nil || slices.Contains(nameForms(p.LastName.Plain()), joinedParts(*q.LastName))) &&
		(q.DateOfBirth == nil || p.DateOfBirth.Plain() == *q.DateOfBirth)
}

// Redirected reports whether an index row must have been tampered with to bring up p: an untruncated token can't stand for
// another value.
func (q PatientQuery) Redirected(p *Patient, x *phi.Indexer) bool { return !q.matchesContact(p, x) }

func (q PatientQuery) matchesContact(p *Patient, x *phi.Indexer) bool {
	contact := p.ContactInfo.Plain()
	if q.Email != nil && phi.NormalizeText(contact.Email) != phi.NormalizeText(*q.Email) {
		return false
	}
	if q.Phone == nil {
		return true
	}
	want := x.NormalizePhone(*q.Phone)
	return want == x.NormalizePhone(contact.Phone) || want == x.NormalizePhone(contact.AlternativePhone)
}

// ByPerson reports whether q asks for particular people, rather than for a list.
func (q PatientQuery) ByPerson() bool {
	return q.Email != nil || q.Phone != nil || q.FirstName != nil || q.LastName != nil || q.DateOfBirth != nil
}

// Shape names what q asks by, without the terms: the log may say how somebody searched, not for whom.
func (q PatientQuery) Shape() string {
	var by []string
	for _, asked := range []struct {
		name string
		is   bool
	}{
		{"active", q.Active != nil}, {"email", q.Email != nil}, {"phone", q.Phone != nil}, {"first_name", q.FirstName != nil},
		{"last_name", q.LastName != nil}, {"date_of_birth", q.DateOfBirth != nil},
	} {
		if asked.is {
			by = append(by, asked.name)
		}
	}
	if len(by) == 0 {
		return ""
	}
	return "by " + strings.Join(by, ", ")
}
