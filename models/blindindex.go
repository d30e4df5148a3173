package models

import (
	"slices"

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
// many names; who searches filters after opening. Prefixes are of 2 to 4 letters, of every part of both names together.
var (
	emailTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "email", Bits: 128}
	phoneTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "phone", Bits: 128}
	firstNameTerm = phi.Term{Table: "patient", Column: "first_name", Purpose: "first_name", Bits: 16}
	lastNameTerm  = phi.Term{Table: "patient", Column: "last_name", Purpose: "last_name", Bits: 16}
	prefixTerm    = phi.Term{Table: "patient", Column: "name", Purpose: "name_prefix", Bits: 16}
)

// The lengths of indexed prefixes, in letters. Longer ones would tell names apart; shorter ones find too many.
const (
	minPrefix = 2
	maxPrefix = 4
)

// prefixOf returns the first letters of a name part, and whether it has as many.
func prefixOf(part string, letters int) (string, bool) {
	runes := []rune(part)
	if len(runes) < letters {
		return part, false
	}
	return string(runes[:letters]), true
}

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
	first, last := phi.NameParts(p.FirstName.Plain()), phi.NameParts(p.LastName.Plain())
	for _, part := range first {
		add(firstNameTerm, part)
	}
	for _, part := range last {
		add(lastNameTerm, part)
	}
	for _, part := range slices.Concat(first, last) {
		for length := minPrefix; length <= maxPrefix; length++ {
			if prefix, whole := prefixOf(part, length); whole {
				add(prefixTerm, prefix)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), failed
}

// EmailTokens returns the tokens under which a patient with this e-mail can be found, one for each key.
func EmailTokens(x *phi.Indexer, email string) ([]string, error) {
	return x.Candidates(emailTerm, phi.NormalizeText(email))
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
