package schedule

import (
	"slices"
	"time"
)

// Interval is the time from Start until just before End.
type Interval struct{ Start, End time.Time }

// Overlaps reports whether both intervals have a moment in common.
func (i Interval) Overlaps(other Interval) bool {
	return i.Start.Before(other.End) && other.Start.Before(i.End)
}

// covers reports whether one of the merged intervals contains the whole of i.
func covers(merged []Interval, i Interval) bool {
	return slices.ContainsFunc(merged, func(open Interval) bool { return !i.Start.Before(open.Start) && !i.End.After(open.End) })
}

// merge returns the same times as intervals that neither touch nor overlap, in order.
func merge(intervals []Interval) []Interval {
	slices.SortFunc(intervals, func(a, b Interval) int { return a.Start.Compare(b.Start) })
	var out []Interval
	for _, i := range intervals {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].End.Before(i.Start):
			out = append(out, i)
		case out[last].End.Before(i.End):
			out[last].End = i.End
		}
	}
	return out
}
