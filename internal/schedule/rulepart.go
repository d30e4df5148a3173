package schedule

import (
	"regexp"
	"strings"
)

// rulePart is the form of a part of a rule (RFC 5545, 3.3.10), and the values of FREQ that it goes with. Empty
// freqs mean all accepted values.
type rulePart struct {
	form  *regexp.Regexp
	freqs string
}

// list returns the form of a list of one or more elements of the form one.
func list(one string) *regexp.Regexp { return regexp.MustCompile("^" + one + "(," + one + ")*$") }

const (
	weekday = "(SU|MO|TU|WE|TH|FR|SA)"
	signed  = "[+-]?[0-9]{1,3}"
)

var ruleParts = map[string]rulePart{
	"FREQ":       {form: regexp.MustCompile("^(DAILY|WEEKLY|MONTHLY|YEARLY)$")},
	"UNTIL":      {form: regexp.MustCompile("^[0-9]{8}(T[0-9]{6}Z?)?$")},
	"COUNT":      {form: regexp.MustCompile("^[0-9]{1,9}$")},
	"INTERVAL":   {form: regexp.MustCompile("^0*[1-9][0-9]{0,8}$")},
	"BYDAY":      {form: list("([+-]?[0-9]{1,2})?" + weekday)},
	"BYMONTHDAY": {form: list(signed), freqs: "DAILY MONTHLY YEARLY"},
	"BYYEARDAY":  {form: list(signed), freqs: "YEARLY"},
	"BYWEEKNO":   {form: list(signed), freqs: "YEARLY"},
	"BYMONTH":    {form: list("[0-9]{1,2}")},
	"BYSETPOS":   {form: list(signed)},
	"WKST":       {form: regexp.MustCompile("^" + weekday + "$")},
}

// partsOf returns the parts of a rule by name. It returns ErrRule unless each part is there once, has the right
// form, and fits the others.
func partsOf(rule string) (map[string]string, error) {
	parts := map[string]string{}
	for text := range strings.SplitSeq(rule, ";") {
		name, value, _ := strings.Cut(text, "=")
		part, known := ruleParts[name]
		if _, repeated := parts[name]; repeated || !known || !part.form.MatchString(value) {
			return nil, ErrRule
		}
		parts[name] = value
	}
	for name := range parts {
		if freqs := ruleParts[name].freqs; freqs != "" && !strings.Contains(freqs, parts["FREQ"]) {
			return nil, ErrRule
		}
	}
	if !fitting(parts) {
		return nil, ErrRule
	}
	return parts, nil
}

// fitting reports whether the parts of a rule don't contradict each other.
func fitting(parts map[string]string) bool {
	has := func(name string) bool { return parts[name] != "" }
	numbered := strings.ContainsAny(parts["BYDAY"], "0123456789")
	switch {
	case !has("FREQ"), has("COUNT") && has("UNTIL"):
		return false
	case numbered && (parts["FREQ"] == "DAILY" || parts["FREQ"] == "WEEKLY" || has("BYWEEKNO")):
		return false
	case has("BYSETPOS"):
		return has("BYDAY") || has("BYMONTHDAY") || has("BYYEARDAY") || has("BYWEEKNO") || has("BYMONTH")
	default:
		return true
	}
}
