package schedule

import (
	"slices"
	"time"
)

// Hours is a part of a day, by the wall clock. An empty list of types means all types.
type Hours struct {
	From  string   `json:"from" max:"5" doc:"A time of day, as HH:MM." example:"09:00"`
	To    string   `json:"to" max:"5" doc:"A time of day, as HH:MM, at most 24:00." example:"17:00"`
	Types []string `json:"types,omitempty" values:"appointment type" doc:"Only appointments of these types can be booked in these hours. Default: all types."`
}

// WeeklyHours is a part of a day of every week.
type WeeklyHours struct {
	Weekday string `json:"weekday" values:"weekday"`
	Hours
}

// DayHours replaces the weekly hours on one day. Without hours, the day is closed.
type DayHours struct {
	Date  string  `json:"date" format:"date"`
	Hours []Hours `json:"hours" doc:"The hours of the day. If empty, the practitioner does not see patients on this day."`
}

// TimeOff is a number of whole days, including the last one, on which nothing is open.
type TimeOff struct {
	From string `json:"from" format:"date"`
	To   string `json:"to" format:"date" doc:"The last day of the time off, inclusive."`
}

// Week is the working hours of a practitioner: weekly hours, days that differ, and time off, by the wall clock of
// one zone. Its texts have been checked.
type Week struct {
	Zone    *time.Location
	Weekly  []WeeklyHours
	Days    []DayHours
	TimeOff []TimeOff
}

// Always returns a week that is open at all times, by the wall clock of a zone.
func Always(zone *time.Location) Week {
	week := Week{Zone: zone}
	for day := range time.Saturday + 1 {
		week.Weekly = append(week.Weekly, WeeklyHours{WeekdayName(day), Hours{From: "00:00", To: endOfDay.String()}})
	}
	return week
}

// on returns the open hours of a day for a type. The empty type is any type.
func (w Week) on(day time.Time, typ string) []Hours {
	date := day.Format(time.DateOnly)
	if slices.ContainsFunc(w.TimeOff, func(off TimeOff) bool { return off.From <= date && date <= off.To }) {
		return nil
	}
	var hours []Hours
	if i := slices.IndexFunc(w.Days, func(d DayHours) bool { return d.Date == date }); i >= 0 {
		hours = slices.Clone(w.Days[i].Hours)
	} else {
		for _, weekly := range w.Weekly {
			if weekly.Weekday == WeekdayName(day.Weekday()) {
				hours = append(hours, weekly.Hours)
			}
		}
	}
	return slices.DeleteFunc(hours, func(h Hours) bool { return typ != "" && len(h.Types) > 0 && !slices.Contains(h.Types, typ) })
}

// days calls do with every day that shares a moment with i, by the clocks of the week's zone.
func (w Week) days(i Interval, do func(date time.Time)) {
	first, last := Wall(i.Start.In(w.Zone)), Wall(i.End.In(w.Zone))
	for date := first.Truncate(day); !date.After(last); date = date.AddDate(0, 0, 1) {
		do(date)
	}
}

// wall returns the begin and the end of the hours of a day, as the wall clock shows them.
func (h Hours) wall(date time.Time) Interval {
	from, _ := ParseClock(h.From)
	to, _ := ParseClock(h.To)
	midnight := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, time.UTC)
	return Interval{midnight.Add(time.Duration(from) * time.Minute), midnight.Add(time.Duration(to) * time.Minute)}
}

// open returns the hours of a day as moments.
func (h Hours) open(date time.Time, zone *time.Location) Interval {
	wall := h.wall(date)
	start, _ := Resolve(wall.Start, zone)
	end, _ := Resolve(wall.End, zone)
	return Interval{start, end}
}

// Covers reports whether the whole of i is open for a type.
func (w Week) Covers(i Interval, typ string) bool {
	var open []Interval
	w.days(i, func(date time.Time) {
		for _, hours := range w.on(date, typ) {
			open = append(open, hours.open(date, w.Zone))
		}
	})
	return covers(merge(open), i)
}

// WeekdayName returns a day's name in the form of WeeklyHours.
func WeekdayName(day time.Weekday) string {
	return Weekdays()[(day+6)%7]
}

// Weekdays lists the names that WeeklyHours may have.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}

// IsWeekday reports whether WeeklyHours may have this name.
func IsWeekday(name string) bool { return slices.Contains(Weekdays(), name) }
