package service

import (
	"slices"
	"strings"
	"unicode"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/models"
)

// ParsePatientWords parses the text of a search box. It may hold an e-mail, a phone number, a date of birth, and the
// beginnings of names, in any order; a patient must match all of them. pointer is the pointer of an Invalid error.
func ParsePatientWords(pointer, words string) (models.PatientQuery, error) {
	var q models.PatientQuery
	var v validation
	var phone []string
	for word := range strings.FieldsSeq(words) {
		date, err := phi.ParseCalendarDate(word)
		switch {
		case err == nil && q.DateOfBirth == nil:
			q.DateOfBirth = &date
		case strings.Contains(word, "@") && q.Email == nil:
			q.Email = &word
		case isPhonePart(word) || len(phone) > 0 && isExtension(word):
			phone = append(phone, word)
		default:
			q.Prefixes = append(q.Prefixes, phi.NameParts(word)...)
		}
	}
	if len(phone) > 0 {
		number := strings.Join(phone, " ")
		q.Phone = &number
	}
	for _, prefix := range q.Prefixes {
		if len([]rune(prefix)) < models.MinPrefix {
			v.add(pointer, "too_short", "Each part of a name needs at least "+itoa(models.MinPrefix)+" letters.")
			break
		}
	}
	if !q.ByPerson() {
		v.add(pointer, "required", "Must contain the beginning of a name, an e-mail address or a phone number.")
	}
	return q, v.err()
}

// isPhonePart reports whether a word has a digit and otherwise only the characters of phone numbers.
func isPhonePart(word string) bool {
	word = strings.TrimPrefix(strings.ToLower(word), "tel:")
	return strings.ContainsFunc(word, unicode.IsDigit) && !strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsDigit(r) && !unicode.Is(unicode.Dash, r) && !strings.ContainsRune("+().,;/", r)
	})
}

// isExtension reports whether a word introduces the extension of a phone number.
func isExtension(word string) bool {
	return slices.Contains([]string{"x", "ext", "extension"}, strings.TrimSuffix(strings.ToLower(word), "."))
}

// dateNeedsName returns an Invalid error for a date of birth without a name, because it would list everybody with
// that birthday.
func dateNeedsName(q models.PatientQuery) error {
	if !q.AsksDate() || q.NamesPerson() {
		return nil
	}
	return apperr.InvalidFields(apperr.Field{
		Pointer: "?date_of_birth", Code: "name_required", Detail: "Send date_of_birth only together with a name.",
	})
}
