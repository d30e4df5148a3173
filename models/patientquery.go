package models

import (
	"slices"
	"strings"

	"novamind/internal/phi"
)

// PatientQuery is a search: a patient must satisfy all criteria. A nil member is no criterion. Values are compared
// after normalisation.
type PatientQuery struct {
	phi.Private `json:"-"`

	Active      *bool
	Email       *string
	Phone       *string
	FirstName   *string // the whole name, or consecutive parts of a compound name
	LastName    *string
	DateOfBirth *phi.CalendarDate
	Prefixes    []string // each must begin a part of the first or the last name, and has at least MinPrefix letters
	And         *PatientQuery
}

// MarshalJSON returns phi.Redacted.
func (PatientQuery) MarshalJSON() ([]byte, error) { return []byte(`"` + phi.Redacted + `"`), nil }

// MinPrefix is the shortest prefix that can be searched.
const MinPrefix = minPrefix

// Candidates returns a list of tokens for each indexed criterion. A matching patient has one token of each list.
func (q PatientQuery) Candidates(x *phi.Indexer) ([][]string, error) {
	var out [][]string
	ask := func(term phi.Term, normalised string) error {
		tokens, err := x.Candidates(term, normalised)
		out = append(out, tokens)
		return err
	}
	for _, asked := range []struct {
		term      phi.Term
		value     *string
		normalise func(string) []string
	}{
		{emailTerm, q.Email, one(phi.NormalizeText)},
		{phoneTerm, q.Phone, one(x.NormalizePhone)},
		{firstNameTerm, q.FirstName, nameTerms},
		{lastNameTerm, q.LastName, nameTerms},
	} {
		if asked.value == nil {
			continue
		}
		for _, normalised := range asked.normalise(*asked.value) {
			if err := ask(asked.term, normalised); err != nil {
				return nil, err
			}
		}
	}
	for _, prefix := range q.Prefixes {
		indexed, _ := prefixOf(prefix, maxPrefix)
		if err := ask(prefixTerm, indexed); err != nil {
			return nil, err
		}
	}
	if q.And == nil {
		return out, nil
	}
	more, err := q.And.Candidates(x)
	return append(out, more...), err
}

func one(normalise func(string) string) func(string) []string {
	return func(s string) []string { return []string{normalise(s)} }
}

// nameTerms returns the parts of a searched name. For a name without parts, it returns a term that no patient has.
func nameTerms(name string) []string {
	if parts := phi.NameParts(name); len(parts) > 0 {
		return parts
	}
	return []string{""}
}

// namedBy reports whether the parts of asked are consecutive parts of name.
func namedBy(name, asked string) bool {
	parts, want := phi.NameParts(name), phi.NameParts(asked)
	for i := 0; len(want) > 0 && i+len(want) <= len(parts); i++ {
		if slices.Equal(parts[i:i+len(want)], want) {
			return true
		}
	}
	return false
}

// SameName reports whether two opened patients have the same names, however written.
func SameName(a, b *Patient) bool {
	same := func(a, b phi.Text) bool { return slices.Equal(phi.NameParts(a.Plain()), phi.NameParts(b.Plain())) }
	return same(a.FirstName, b.FirstName) && same(a.LastName, b.LastName)
}

// Matches reports whether an opened patient satisfies q. Matches decides; the index only narrows the search.
func (q PatientQuery) Matches(p *Patient, x *phi.Indexer) bool {
	return q.matchesContact(p, x) && q.matchesName(p) &&
		(q.Active == nil || p.Active == *q.Active) &&
		(q.DateOfBirth == nil || p.DateOfBirth.Plain() == *q.DateOfBirth) &&
		(q.And == nil || q.And.Matches(p, x))
}

func (q PatientQuery) matchesName(p *Patient) bool {
	first, last := p.FirstName.Plain(), p.LastName.Plain()
	if q.FirstName != nil && !namedBy(first, *q.FirstName) || q.LastName != nil && !namedBy(last, *q.LastName) {
		return false
	}
	return !slices.ContainsFunc(q.Prefixes, func(prefix string) bool {
		return !phi.NamePartBegins(first, prefix) && !phi.NamePartBegins(last, prefix)
	})
}

// Redirected reports whether an index row must have been tampered with to find p. An untruncated token can't stand
// for another value.
func (q PatientQuery) Redirected(p *Patient, x *phi.Indexer) bool {
	return !q.matchesContact(p, x) || q.And != nil && q.And.Redirected(p, x)
}

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

// NamesPerson reports whether q has a name as a criterion.
func (q PatientQuery) NamesPerson() bool {
	return q.FirstName != nil || q.LastName != nil || len(q.Prefixes) > 0 || q.And != nil && q.And.NamesPerson()
}

// AsksDate reports whether q has a date of birth as a criterion.
func (q PatientQuery) AsksDate() bool {
	return q.DateOfBirth != nil || q.And != nil && q.And.AsksDate()
}

// ByPerson reports whether q searches for particular people, rather than for a list.
func (q PatientQuery) ByPerson() bool {
	return q.Email != nil || q.Phone != nil || q.AsksDate() || q.NamesPerson() || q.And != nil && q.And.ByPerson()
}

// Shape returns the names of q's criteria, without the values: the log may record the kind of a search, but not the
// searched person.
func (q PatientQuery) Shape() string {
	by := q.shape()
	if len(by) == 0 {
		return ""
	}
	return "by " + strings.Join(by, ", ")
}

func (q PatientQuery) shape() []string {
	var by []string
	for _, asked := range []struct {
		name string
		is   bool
	}{
		{"active", q.Active != nil},
		{"email", q.Email != nil},
		{"phone", q.Phone != nil},
		{"first_name", q.FirstName != nil},
		{"last_name", q.LastName != nil},
		{"date_of_birth", q.DateOfBirth != nil},
		{"name_prefix", len(q.Prefixes) > 0},
	} {
		if asked.is {
			by = append(by, asked.name)
		}
	}
	if q.And != nil {
		by = append(by, q.And.shape()...)
	}
	return by
}
