package schedule

import (
	"slices"
	"time"
)

// Slots returns the free slots of a length for a type that lie within span, in order, each once. They begin where hours begin and every length after that,
// by the wall clock: none begins at a time that clocks skip, and a time that they show twice is offered the first time alone.
func (w Week) Slots(span Interval, length time.Duration, typ string, taken []Interval) []Interval {
	seen := map[time.Time]bool{}
	var slots []Interval
	w.days(span, func(day time.Time) {
		for _, hours := range w.on(day, typ) {
			for _, slot := range hours.slots(day, w.Zone, length) {
				if seen[slot.Start] || slot.Start.Before(span.Start) || slot.End.After(span.End) || overlapsAny(taken, slot) {
					continue
				}
				seen[slot.Start] = true
				slots = append(slots, slot)
			}
		}
	})
	slices.SortFunc(slots, func(a, b Interval) int { return a.Start.Compare(b.Start) })
	return slots
}

func (h Hours) slots(day time.Time, zone *time.Location, length time.Duration) []Interval {
	from, _ := ParseClock(h.From)
	to, _ := ParseClock(h.To)
	open := h.open(day, zone)
	var out []Interval
	for clock := from; clock < to; clock += Clock(length / time.Minute) {
		start, shown := Moment(day, clock, zone)
		slot := Interval{start.UTC(), start.Add(length).UTC()}
		if shown && !slot.End.After(open.End) {
			out = append(out, slot)
		}
	}
	return out
}

func overlapsAny(taken []Interval, slot Interval) bool {
	return slices.ContainsFunc(taken, slot.Overlaps)
}
