package phi

import (
	"errors"
	"time"
)

// CalendarDate is a day without time or zone, such as a date of birth.
type CalendarDate struct{ day time.Time }

// ParseCalendarDate reads YYYY-MM-DD (RFC 3339 full-date) and nothing else. A day that the calendar doesn't have is
// an error.
func ParseCalendarDate(s string) (CalendarDate, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || len(s) != len(time.DateOnly) {
		return CalendarDate{}, errors.New("not a date of the form YYYY-MM-DD") // the cause quotes the text
	}
	return CalendarDate{day}, nil
}

// String returns YYYY-MM-DD.
func (d CalendarDate) String() string { return d.day.Format(time.DateOnly) }

// Time returns midnight UTC of the day.
func (d CalendarDate) Time() time.Time { return d.day }

// MarshalText implements encoding.TextMarshaler.
func (d CalendarDate) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *CalendarDate) UnmarshalText(text []byte) error {
	parsed, err := ParseCalendarDate(string(text))
	*d = parsed
	return err
}
