package schedule

import (
	"errors"
	"strings"
	"time"

	"github.com/teambition/rrule-go"
)

// The limits of a recurrence: enough for years of weekly sessions.
const (
	MaxOccurrences = 200
	MaxYears       = 5
)

// The reasons for refusing a recurrence rule.
var (
	ErrRule        = errors.New("schedule: not a recurrence rule (RFC 5545) with FREQ DAILY, WEEKLY, MONTHLY or YEARLY")
	ErrRuleEndless = errors.New("schedule: the rule has neither COUNT nor UNTIL")
	ErrRuleTooLong = errors.New("schedule: the rule makes more appointments than a series may have, or goes too far into the future")
)

// Rule is a recurrence rule (RFC 5545, RRULE) by the calendar and the wall clock of its start.
type Rule struct {
	text   string
	option rrule.ROption
	utc    bool // UNTIL is a moment, not a wall clock's time
}

// ParseRule reads a rule such as FREQ=WEEKLY;BYDAY=TU;COUNT=12. It returns ErrRule, or ErrRuleEndless. It refuses
// parts that set the time of day, because the start sets it.
func ParseRule(text string) (Rule, error) {
	text = strings.ToUpper(strings.TrimSpace(text))
	parts, err := partsOf(text)
	if err != nil {
		return Rule{}, err
	}
	option, err := rrule.StrToROption(text)
	if err != nil {
		return Rule{}, ErrRule // the cause quotes the rule
	}
	if option.Count == 0 && option.Until.IsZero() {
		return Rule{}, ErrRuleEndless
	}
	if _, err := rrule.NewRRule(*option); err != nil {
		return Rule{}, ErrRule
	}
	rule := Rule{text: text, option: *option}
	if until := parts["UNTIL"]; len(until) == len(rrule.DateFormat) {
		rule.option.Until = option.Until.Add(24*time.Hour - time.Second) // a date includes its whole day
	} else {
		rule.utc = strings.HasSuffix(until, "Z")
	}
	return rule, nil
}

// String returns the rule in capitals. It holds only names and numbers of RFC 5545.
func (r Rule) String() string { return r.text }

// Starts returns the times of the recurrence that begins at start. It keeps start's own clock and zone: 09:00 stays
// 09:00. A time that clocks skip does not occur (RFC 5545, 3.3.10). A time that clocks show twice occurs the first
// time, except for start itself. It returns ErrRuleTooLong, or ErrRule if the rule gives no times.
func (r Rule) Starts(start time.Time) ([]time.Time, error) {
	option, zone := r.option, start.Location()
	option.Dtstart = Wall(start)
	if r.utc {
		option.Until = Wall(option.Until.In(zone))
	}
	horizon := option.Dtstart.AddDate(MaxYears, 0, 0)
	if option.Until.After(horizon) {
		return nil, ErrRuleTooLong
	}
	endless := option.Until.IsZero()
	if endless {
		option.Until = horizon
	}
	recurrence, err := rrule.NewRRule(option)
	if err != nil {
		return nil, ErrRule
	}
	var out []time.Time
	next, n := recurrence.Iterator(), 0
	for wall, more := next(); more; wall, more = next() {
		if n++; n > MaxOccurrences {
			return nil, ErrRuleTooLong
		}
		switch moment, shown := Resolve(wall, zone); {
		case wall.Equal(Wall(start)):
			out = append(out, start)
		case shown:
			out = append(out, moment)
		}
	}
	switch {
	case len(out) == 0:
		return nil, ErrRule
	case endless && n < option.Count:
		return nil, ErrRuleTooLong
	}
	return out, nil
}
