package schedule

import (
	"slices"
	"time"
)

// Slots returns the free slots of a length for a type that lie within span, in order. The slots don't overlap. The
// empty type is any type. Slots begin at the beginning of hours and every length after that, by the wall clock. No
// slot begins at a time that clocks skip, and a time that clocks show twice is offered the first time alone.
// Adjoining hours count as one, also at midnight. Hours that go on for more than a day begin anew at each midnight.
func (w Week) Slots(span Interval, length time.Duration, typ string, taken []Interval) []Interval {
	var free []Interval
	for _, typ := range w.types(typ) {
		for _, open := range w.stretches(span, typ) {
			for _, slot := range slotsOf(open, w.Zone, length) {
				if !slot.Start.Before(span.Start) && !slot.End.After(span.End) && !slices.ContainsFunc(taken, slot.Overlaps) {
					free = append(free, slot)
				}
			}
		}
	}
	slices.SortFunc(free, func(a, b Interval) int { return a.Start.Compare(b.Start) })
	var slots []Interval
	for _, slot := range free {
		if last := len(slots) - 1; last < 0 || !slots[last].Overlaps(slot) {
			slots = append(slots, slot)
		}
	}
	return slots
}

// noType is a type that no hours name: it fits only hours for all types.
const noType = "\x00"

// types returns the types whose slots are computed for typ. Each is computed separately, because hours for one type
// don't adjoin hours for another.
func (w Week) types(typ string) []string {
	if typ != "" {
		return []string{typ}
	}
	types := []string{noType}
	for _, weekly := range w.Weekly {
		types = append(types, weekly.Types...)
	}
	for _, day := range w.Days {
		for _, hours := range day.Hours {
			types = append(types, hours.Types...)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

const day = 24 * time.Hour

// stretches returns the unbroken open times for a type around span, as the wall clock shows them.
func (w Week) stretches(span Interval, typ string) []Interval {
	// A stretch of at most a day that has a moment of span neither begins nor ends further away.
	around := Interval{span.Start.Add(-2 * day), span.End.Add(2 * day)}
	var open []Interval
	w.days(around, func(date time.Time) {
		for _, hours := range w.on(date, typ) {
			open = append(open, hours.wall(date))
		}
	})
	var out []Interval
	for _, stretch := range merge(open) {
		out = append(out, daily(stretch)...)
	}
	return out
}

// daily cuts a stretch of more than a day at each midnight. Its beginning, perhaps long ago, must not decide where
// its slots begin.
func daily(stretch Interval) []Interval {
	if stretch.End.Sub(stretch.Start) <= day {
		return []Interval{stretch}
	}
	var out []Interval
	for start := stretch.Start; start.Before(stretch.End); {
		end := earlier(start.Truncate(day).Add(day), stretch.End)
		out = append(out, Interval{start, end})
		start = end
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// slotsOf returns the slots of a stretch of wall clock times in a zone.
func slotsOf(open Interval, zone *time.Location, length time.Duration) []Interval {
	closing, _ := Resolve(open.End, zone)
	var out []Interval
	for wall := open.Start; wall.Before(open.End); wall = wall.Add(length) {
		start, shown := Resolve(wall, zone)
		slot := Interval{start.UTC(), start.Add(length).UTC()}
		if shown && !slot.End.After(closing) {
			out = append(out, slot)
		}
	}
	return out
}
