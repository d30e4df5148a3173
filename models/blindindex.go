package models

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/phi"
)

// BlindIndex is one token under which a patient can be found without opening a row.
type BlindIndex struct {
	Token     string    `gorm:"primaryKey"`
	PatientID uuid.UUID `gorm:"type:uuid;primaryKey;index:blindindex_patient_id_idx"`
	Patient   *Patient  `gorm:"constraint:OnDelete:CASCADE"`
}

func (*BlindIndex) derived() {}

type derivingKey struct{}

// deriving returns a session for writing rows that are derived from others.
func deriving(tx *gorm.DB) *gorm.DB {
	return tx.Session(&gorm.Session{NewDB: true, Context: context.WithValue(tx.Statement.Context, derivingKey{}, true)})
}

// following reports whether ctx comes from deriving.
func following(ctx context.Context) bool { return ctx.Value(derivingKey{}) != nil }

// The indexes. E-mail and phone keep 128 bits: two different values never share a token. Names keep 16 bits, so
// that a token stands for many names; a search filters after opening. Prefixes have 2 to 4 letters, of every part
// of both names together.
var (
	emailTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "email", Bits: 128}
	phoneTerm     = phi.Term{Table: "patient", Column: "contact_info", Purpose: "phone", Bits: 128}
	firstNameTerm = phi.Term{Table: "patient", Column: "first_name", Purpose: "first_name", Bits: 16}
	lastNameTerm  = phi.Term{Table: "patient", Column: "last_name", Purpose: "last_name", Bits: 16}
	prefixTerm    = phi.Term{Table: "patient", Column: "name", Purpose: "name_prefix", Bits: 16}
)

// The lengths of indexed prefixes, in letters. Longer prefixes would tell names apart; shorter prefixes find too
// many.
const (
	minPrefix = 2
	maxPrefix = 4
)

// prefixOf returns the first letters of a part of a name, and whether the part has that many.
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

// index keeps a patient's tokens in step with the row: it writes missing tokens and removes surplus ones. If the
// stored tokens were not those of the row before the change, somebody else wrote them. That becomes an event.
func (p *Patient) index(tx *gorm.DB) error {
	tokens, err := p.Tokens(tx)
	if err != nil {
		return err
	}
	old, changed := p.before.(*Patient)
	if !changed {
		return insertTokens(deriving(tx), tokens)
	}
	var stored []BlindIndex
	if err := tx.Where("patient_id = ?", p.ID).Find(&stored).Error; err != nil {
		return err
	}
	if err := old.noteAlteredIndex(tx, stored); err != nil {
		return err
	}
	surplus := tokensOf(without(stored, tokens))
	if len(surplus) > 0 {
		if err := deriving(tx).Where("patient_id = ? AND token IN ?", p.ID, surplus).Delete(&BlindIndex{}).Error; err != nil {
			return err
		}
	}
	return insertTokens(deriving(tx), without(tokens, stored))
}

// without returns the rows that are not among others.
func without(rows, others []BlindIndex) []BlindIndex {
	return slices.DeleteFunc(slices.Clone(rows), func(row BlindIndex) bool { return slices.Contains(others, row) })
}

func tokensOf(rows []BlindIndex) []string {
	tokens := make([]string, len(rows))
	for i, row := range rows {
		tokens[i] = row.Token
	}
	slices.Sort(tokens)
	return tokens
}

// noteAlteredIndex compares the stored tokens with those of the row as it was read. Tokens under an older key may
// follow other rules, and are not checked.
func (p *Patient) noteAlteredIndex(tx *gorm.DB, stored []BlindIndex) error {
	ring, err := keyringOf(tx)
	if err != nil {
		return err
	}
	tokens, indexer := tokensOf(stored), ring.Indexer()
	if len(tokens) > 0 && !slices.ContainsFunc(tokens, func(token string) bool { return !indexer.Older(token) }) {
		return nil
	}
	sound, err := p.IndexedBy(tokens, indexer)
	if err != nil || sound {
		return err
	}
	unit, err := audit.Current(tx.Statement.Context)
	if err != nil {
		return err
	}
	table := layoutOf(p).table
	unit.Record(audit.Event{
		Action: audit.MendIndex, EntityType: table, EntityID: p.ID, Subjects: []audit.Subject{{ID: p.ID, EntityType: table}},
		Outcome: audit.Success, Details: "the stored tokens were not those of the record",
	})
	return nil
}

// Reindex replaces the tokens of opened patients by tokens under the current index key. Call it inside a
// transaction that keeps others from changing the patients; the caller makes the event. It returns
// phi.ErrUnreadable for a patient that could not be opened.
func Reindex(tx *gorm.DB, patients []*Patient) error {
	if len(patients) == 0 {
		return nil
	}
	var tokens []BlindIndex
	ids := make([]uuid.UUID, len(patients))
	for i, p := range patients {
		if p.Unreadable() {
			return fmt.Errorf("%w: patient %s", phi.ErrUnreadable, p.ID)
		}
		own, err := p.Tokens(tx)
		if err != nil {
			return err
		}
		tokens, ids[i] = append(tokens, own...), p.ID
	}
	if err := deriving(tx).Where("patient_id IN ?", ids).Delete(&BlindIndex{}).Error; err != nil {
		return err
	}
	return insertTokens(deriving(tx), tokens)
}

// insertTokens passes the rows to PostgreSQL as two arrays: thousands of parameters would cost both sides as much
// time as the rest.
func insertTokens(tx *gorm.DB, rows []BlindIndex) error {
	if len(rows) == 0 {
		return nil
	}
	if tx.Name() != "postgres" {
		return tx.CreateInBatches(&rows, 1000).Error
	}
	tokens, ids := make([]string, len(rows)), make([]uuid.UUID, len(rows))
	for i, row := range rows {
		tokens[i], ids[i] = row.Token, row.PatientID
	}
	_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context,
		"INSERT INTO blindindex (token, patient_id) SELECT * FROM unnest($1::text[], $2::uuid[])", tokens, ids)
	return err
}
