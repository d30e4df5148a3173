package service

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"

	"novamind/internal/apperr"
	"novamind/internal/phi"
)

// Length limits, in characters.
const (
	maxName  = 50 // specification 3.1
	maxEmail = 254
	maxPhone = 32
	maxOther = 200
)

// earliestBirth is before the birth of anyone alive.
const earliestBirth = 1850

// validation collects the faults of a request. It names places, never values.
type validation struct {
	fields []apperr.Field
}

func (v *validation) add(pointer, code, detail string) {
	v.fields = append(v.fields, apperr.Field{Pointer: pointer, Code: code, Detail: detail})
}

// err returns an Invalid error with all faults, or nil.
func (v *validation) err() error {
	if len(v.fields) == 0 {
		return nil
	}
	return apperr.InvalidFields(v.fields...)
}

// optional checks a text that may be empty, and trims it in place. It reports whether there is a text to check
// further.
func (v *validation) optional(pointer string, text *string, limit int) bool {
	*text = strings.TrimSpace(*text)
	switch {
	case *text == "":
		return false
	case !utf8.ValidString(*text) || strings.ContainsFunc(*text, invisible):
		v.add(pointer, "control_character", "Must not contain control characters or invisible characters.")
	case utf8.RuneCountInString(*text) > limit:
		v.add(pointer, "too_long", "Must have at most "+itoa(limit)+" characters.")
	default:
		return true
	}
	return false
}

// required checks a text that must not be blank.
func (v *validation) required(pointer string, text *string, limit int) bool {
	*text = strings.TrimSpace(*text) // trims control characters that count as white space too
	if !strings.ContainsFunc(*text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || invisible(r) }) {
		v.add(pointer, "required", "Must not be missing or blank.")
		return false
	}
	return v.optional(pointer, text, limit)
}

// ReasonFaults returns the rules that a reason breaks. It must not be blank.
func ReasonFaults(pointer, reason string) []apperr.Field {
	var v validation
	v.required(pointer, &reason, maxOther)
	return v.fields
}

// invisible reports whether a character hides the text or changes its direction. The two joiners are allowed, because
// some scripts need them.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d'
}

func (v *validation) email(pointer string, text *string) {
	if !v.optional(pointer, text, maxEmail) {
		return
	}
	if parsed, err := mail.ParseAddress(*text); err != nil || parsed.Address != *text {
		v.add(pointer, "email", "Must be an e-mail address.")
	}
}

func (v *validation) phone(pointer string, text *string, region string) {
	if !v.optional(pointer, text, maxPhone) {
		return
	}
	if _, err := phonenumbers.Parse(*text, region); err != nil {
		v.add(pointer, "phone", "Must be a phone number.")
	}
}

// dateOfBirth parses a date of birth. now decides which dates are in the future.
func (v *validation) dateOfBirth(pointer, text string, now time.Time) phi.CalendarDate {
	if text == "" {
		v.add(pointer, "required", "Must not be missing.")
		return phi.CalendarDate{}
	}
	day, err := phi.ParseCalendarDate(text)
	switch {
	case err != nil:
		v.add(pointer, "date", "Must be a date as YYYY-MM-DD.")
	case day.String() > now.Format(time.DateOnly):
		v.add(pointer, "future_date", "Must not be in the future.")
	case day.Time().Year() < earliestBirth:
		v.add(pointer, "date", "Must not be before "+itoa(earliestBirth)+".")
	}
	return day
}
