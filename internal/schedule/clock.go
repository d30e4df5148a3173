// Package schedule calculates with clinic hours: the time of a wall clock on a day in a time zone, open hours, free
// slots, and the times of a recurring appointment. It knows no database and no people.
package schedule

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // the same zones on every machine, those without a zone database too
)

// ErrZone is returned for a name that is not a time zone of the IANA database.
var ErrZone = errors.New("schedule: not an IANA time zone")

// Zone returns the time zone of an IANA name such as America/New_York. It returns ErrZone for any other name. That
// includes "Local" and the empty name, which mean a different zone on every machine.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, ErrZone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, ErrZone // the cause quotes the name
	}
	return zone, nil
}

// The range of years, in UTC, for a clinic's times. Databases and JSON accept a wider range, but not as wide as RFC
// 3339's offsets need.
const (
	FirstYear = 1900
	LastYear  = 2200
)

// Plausible reports whether a moment lies in the years from FirstYear to LastYear.
func Plausible(t time.Time) bool {
	year := t.UTC().Year()
	return FirstYear <= year && year <= LastYear
}

// Clock is the time on a wall clock, in minutes since midnight: up to 24:00, which ends a day.
type Clock int

const endOfDay Clock = 24 * 60

// ParseClock reads "09:00", up to "24:00".
func ParseClock(text string) (Clock, error) {
	if text == "24:00" {
		return endOfDay, nil
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, errors.New("schedule: not a time of day of the form HH:MM")
	}
	return Clock(t.Hour()*60 + t.Minute()), nil
}

// String returns the form that ParseClock reads.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

// Moment returns the moment at which clocks in a zone show c on a day; only the date of day counts. If clocks are
// set back and show c twice, it returns the first moment. If clocks are set forward past c, it returns the moment
// of the change, and false.
func Moment(day time.Time, c Clock, zone *time.Location) (time.Time, bool) {
	wall := time.Date(day.Year(), day.Month(), day.Day(), 0, int(c), 0, 0, time.UTC)
	return Resolve(wall, zone)
}

// Resolve is Moment for the wall clock's time that wall shows, in any zone, to the nanosecond.
func Resolve(wall time.Time, zone *time.Location) (time.Time, bool) {
	year, month, day := wall.Date()
	t := time.Date(year, month, day, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), zone)
	start, end := t.ZoneBounds()
	if shown := Wall(t); !shown.Equal(Wall(wall)) { // time.Date uses one of the offsets around the gap
		if shown.After(Wall(wall)) {
			return start, false
		}
		return end, false
	}
	if start.IsZero() {
		return t, true
	}
	_, offset := t.Zone()
	_, before := start.Add(-time.Nanosecond).Zone()
	if first := t.Add(time.Duration(offset-before) * time.Second); first.Before(start) {
		return first, true
	}
	return t, true
}

// Wall returns the time that clocks in t's zone show, as a time in UTC. It serves to count days and hours by the
// calendar, regardless of changes of the clocks.
func Wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}
