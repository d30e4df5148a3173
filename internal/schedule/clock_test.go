package schedule_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/schedule"
)

func zone(t require.TestingT, name string) *time.Location {
	loc, err := schedule.Zone(name)
	require.NoError(t, err)
	return loc
}

func TestZones(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Local", "local", "EST5", "Europe/Nowhere", "../etc/passwd", "/etc/passwd", "Europe/Berlin\x00"} {
		_, err := schedule.Zone(name)
		require.ErrorIs(t, err, schedule.ErrZone, name)
	}
	require.Equal(t, "Australia/Lord_Howe", zone(t, "Australia/Lord_Howe").String())
}

func TestClocks(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"00:00", "09:05", "23:59", "24:00"} {
		c, err := schedule.ParseClock(text)
		require.NoError(t, err)
		require.Equal(t, text, c.String())
	}
	for _, text := range []string{"", "9:00", "24:01", "25:00", "12:60", "12:00:00", "noon", "+9:00"} {
		_, err := schedule.ParseClock(text)
		require.Error(t, err, text)
	}
}

// changes are days on which clocks change, with the wall clock's times that are skipped or come twice.
var changes = []struct {
	zone, day     string
	gap, gapEnds  string // RFC 3339, of the moment of the change
	twice, isOnly string
}{
	{"America/New_York", "2026-03-08", "02:30", "2026-03-08T07:00:00Z", "", ""},
	{"America/New_York", "2026-11-01", "", "", "01:30", "2026-11-01T05:30:00Z"},
	{"Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z", "", ""},
	{"Europe/Berlin", "2026-10-25", "", "", "02:30", "2026-10-25T00:30:00Z"},
	{"Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z", "", ""},
	{"Australia/Lord_Howe", "2026-04-05", "", "", "01:45", "2026-04-04T14:45:00Z"},
}

func TestMomentsWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, c := range changes {
		day, err := time.Parse(time.DateOnly, c.day)
		require.NoError(t, err)
		text, want, exists := c.gap, c.gapEnds, false
		if c.twice != "" {
			text, want, exists = c.twice, c.isOnly, true
		}
		clock, err := schedule.ParseClock(text)
		require.NoError(t, err)
		moment, shown := schedule.Moment(day, clock, zone(t, c.zone))
		require.Equal(t, exists, shown, "%s %s", c.zone, c.day)
		require.Equal(t, want, moment.UTC().Format(time.RFC3339), "%s %s", c.zone, c.day)
	}
}

// Resolve finds the same moment as a search through all minutes: the first that shows the wall clock's time, or
// none.
func TestResolveIsTheFirstMomentThatShowsIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		change := rapid.SampledFrom(changes).Draw(r, "change")
		loc := zone(r, change.zone)
		day, err := time.Parse(time.DateOnly, change.day)
		require.NoError(r, err)
		wall := day.Add(time.Duration(rapid.IntRange(-120, 26*60).Draw(r, "minute")) * time.Minute)
		var first time.Time
		for at := wall.Add(-16 * time.Hour); at.Before(wall.Add(16 * time.Hour)); at = at.Add(time.Minute) {
			if schedule.Wall(at.In(loc)).Equal(wall) {
				first = at
				break
			}
		}
		moment, shown := schedule.Resolve(wall, loc)
		require.Equal(r, !first.IsZero(), shown)
		if shown {
			require.True(r, first.Equal(moment), "%s, not %s", moment, first)
		}
	})
}
