package config

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Hours is the opening hours of the clinic.
type Hours struct {
	zone  *time.Location
	spans []span
}

// span is an opening on some days of the week, in minutes from midnight.
type span struct {
	days     [7]bool // from Sunday
	from, to int
}

// Zone returns the clinic's time zone.
func (h Hours) Zone() *time.Location { return h.zone }

// Open reports whether the clinic is open at t.
func (h Hours) Open(t time.Time) bool {
	t = t.In(h.zone)
	minute := t.Hour()*60 + t.Minute()
	return slices.ContainsFunc(h.spans, func(s span) bool { return s.days[t.Weekday()] && s.from <= minute && minute < s.to })
}

// OpeningHours returns the clinic's hours. It does not fail for a loaded configuration, because Load has checked
// them.
func (c Clinic) OpeningHours() (Hours, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil || c.TimeZone == "" {
		return Hours{}, errors.New("must be a time zone as America/New_York")
	}
	h := Hours{zone: zone}
	for part := range strings.SplitSeq(c.Hours, ",") {
		s, ok := parseSpan(strings.TrimSpace(part))
		if !ok {
			return Hours{}, errors.New("must be hours as mon-fri 07:00-19:00, several of them separated by commas")
		}
		h.spans = append(h.spans, s)
	}
	return h, nil
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseSpan reads "mon-fri 07:00-19:00" or "sat 08:00-12:00". The days may go past Saturday. The hours end at
// midnight, 24:00, at the latest.
func parseSpan(text string) (span, bool) {
	days, hours, ok := strings.Cut(text, " ")
	first, last, several := strings.Cut(days, "-")
	if !several {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	opens, closes, isRange := strings.Cut(hours, "-")
	s := span{}
	var opensOK, closesOK bool
	s.from, opensOK = parseMinute(opens)
	s.to, closesOK = parseMinute(closes)
	if !ok || !isRange || from < 0 || to < 0 || !opensOK || !closesOK || s.from >= s.to {
		return span{}, false
	}
	for day := from; ; day = (day + 1) % len(weekdays) {
		s.days[day] = true
		if day == to {
			return s, true
		}
	}
}

func parseMinute(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}
