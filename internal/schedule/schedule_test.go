package schedule_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/schedule"
)

func at(t require.TestingT, text string) time.Time {
	moment, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return moment
}

func day(zone *time.Location, date string) schedule.Interval {
	start, _ := time.ParseInLocation(time.DateOnly, date, zone)
	return schedule.Interval{Start: start, End: start.AddDate(0, 0, 1)}
}

func local(slots []schedule.Interval, zone *time.Location) []string {
	out := make([]string, len(slots))
	for i, s := range slots {
		out[i] = s.Start.In(zone).Format("15:04-0700")
	}
	return out
}

func nights(zone *time.Location) schedule.Week {
	week := schedule.Week{Zone: zone}
	for d := range time.Saturday + 1 {
		week.Weekly = append(week.Weekly, schedule.WeeklyHours{Weekday: schedule.WeekdayName(d), Hours: schedule.Hours{From: "00:30", To: "04:30"}})
	}
	return week
}

// Slots in the gap don't exist, and slots in the overlap exist once. All others are where the wall clock has them.
func TestSlotsWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		zone, day string
		length    time.Duration
		want      []string
	}{
		{"America/New_York", "2026-03-07", time.Hour, []string{"00:30-0500", "01:30-0500", "02:30-0500", "03:30-0500"}},
		{"America/New_York", "2026-03-08", time.Hour, []string{"00:30-0500", "01:30-0500", "03:30-0400"}},
		{"America/New_York", "2026-11-01", time.Hour, []string{"00:30-0400", "01:30-0400", "02:30-0500", "03:30-0500"}},
		{"Europe/Berlin", "2026-03-29", time.Hour, []string{"00:30+0100", "01:30+0100", "03:30+0200"}},
		{"Europe/Berlin", "2026-10-25", time.Hour, []string{"00:30+0200", "01:30+0200", "02:30+0200", "03:30+0100"}},
		{"Australia/Lord_Howe", "2026-10-04", 30 * time.Minute, []string{
			"00:30+1030", "01:00+1030", "01:30+1030", "02:30+1100", "03:00+1100", "03:30+1100", "04:00+1100",
		}},
		{"Australia/Lord_Howe", "2027-10-03", time.Hour, []string{"00:30+1030", "01:30+1030", "03:30+1100"}},
		{"Australia/Lord_Howe", "2026-04-05", 30 * time.Minute, []string{
			"00:30+1100", "01:00+1100", "01:30+1100", "02:00+1030", "02:30+1030", "03:00+1030", "03:30+1030", "04:00+1030",
		}},
	} {
		loc := zone(t, c.zone)
		slots := nights(loc).Slots(day(loc, c.day), c.length, "", nil)
		require.Equal(t, c.want, local(slots, loc), "%s %s", c.zone, c.day)
		for i := range slots[1:] {
			require.False(t, slots[i].Overlaps(slots[i+1]), "%s %s", c.zone, c.day)
		}
	}
}

// Weekly 09:00 stays 09:00 by the local clock all year.
func TestWeeklyNineStaysNine(t *testing.T) {
	t.Parallel()
	rule, err := schedule.ParseRule("FREQ=WEEKLY;COUNT=60")
	require.NoError(t, err)
	for _, name := range []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe"} {
		loc := zone(t, name)
		starts, err := rule.Starts(time.Date(2026, 1, 6, 9, 0, 0, 0, loc))
		require.NoError(t, err)
		require.Len(t, starts, 60)
		offsets := map[string]bool{}
		for i, s := range starts {
			require.Equal(t, "Tue 09:00", s.In(loc).Format("Mon 15:04"), "%s %d", name, i)
			offsets[s.In(loc).Format("-0700")] = true
		}
		require.Len(t, offsets, 2, "%s: it went across a change of clocks", name)

		week := schedule.Week{Zone: loc, Weekly: []schedule.WeeklyHours{{Weekday: "tuesday", Hours: schedule.Hours{From: "09:00", To: "10:00"}}}}
		year := schedule.Interval{Start: starts[0], End: starts[0].AddDate(1, 0, 0)}
		for _, slot := range week.Slots(year, time.Hour, "", nil) {
			require.Equal(t, "Tue 09:00", slot.Start.In(loc).Format("Mon 15:04"), name)
		}
	}
}

func TestRulesInTheGapAndTheOverlap(t *testing.T) {
	t.Parallel()
	loc := zone(t, "America/New_York")
	rule, err := schedule.ParseRule("FREQ=DAILY;COUNT=3")
	require.NoError(t, err)
	starts, err := rule.Starts(time.Date(2026, 3, 7, 2, 30, 0, 0, loc))
	require.NoError(t, err)
	require.Equal(t, []string{"2026-03-07T02:30:00-05:00", "2026-03-09T02:30:00-04:00"}, texts(starts))
	starts, err = rule.Starts(time.Date(2026, 10, 31, 1, 30, 0, 0, loc))
	require.NoError(t, err)
	require.Equal(t, []string{"2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}, texts(starts))
	starts, err = rule.Starts(at(t, "2027-11-07T06:30:00Z").In(loc)) // the second 01:30 of that night
	require.NoError(t, err)
	require.Equal(t, []string{"2027-11-07T01:30:00-05:00", "2027-11-08T01:30:00-05:00", "2027-11-09T01:30:00-05:00"}, texts(starts))
}

func texts(starts []time.Time) []string {
	out := make([]string, len(starts))
	for i, s := range starts {
		out[i] = s.Format(time.RFC3339)
	}
	return out
}

func TestUntil(t *testing.T) {
	t.Parallel()
	loc := zone(t, "America/New_York")
	start := time.Date(2026, 3, 2, 20, 0, 0, 0, loc) // Tuesday already in UTC
	for text, want := range map[string]int{
		"FREQ=WEEKLY;UNTIL=20260316":         3, // the whole day, by the local clock
		"FREQ=WEEKLY;UNTIL=20260316T200000":  3,
		"FREQ=WEEKLY;UNTIL=20260316T195959":  2,
		"FREQ=WEEKLY;UNTIL=20260317T000000Z": 3, // 20:00 in New York, which has changed its clocks
		"FREQ=WEEKLY;UNTIL=20260316T235959Z": 2,
		"freq=weekly;byday=mo,we;count=5":    5,
	} {
		rule, err := schedule.ParseRule(text)
		require.NoError(t, err, text)
		starts, err := rule.Starts(start)
		require.NoError(t, err, text)
		require.Len(t, starts, want, text)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"": schedule.ErrRule, "weekly": schedule.ErrRule, "FREQ=HOURLY;COUNT=2": schedule.ErrRule, "FREQ=SECONDLY;COUNT=2": schedule.ErrRule,
		"FREQ=DAILY;BYHOUR=9;COUNT=2": schedule.ErrRule, "FREQ=DAILY;COUNT=-1": schedule.ErrRule, "FREQ=DAILY;INTERVAL=-1;COUNT=2": schedule.ErrRule,
		"DTSTART:20260101T090000Z\nRRULE:FREQ=DAILY;COUNT=2": schedule.ErrRule, "FREQ=DAILY;DTSTART=20260101;COUNT=2": schedule.ErrRule,
		"FREQ=DAILY;INTERVAL=0;COUNT=2": schedule.ErrRule, "FREQ=DAILY;COUNT=2;UNTIL=20350401": schedule.ErrRule,
		"FREQ=DAILY;X-NOTE=canary;COUNT=2": schedule.ErrRule, "FREQ=YEARLY;BYEASTER=1;COUNT=2": schedule.ErrRule,
		"FREQ=WEEKLY;BYDAY=2MO;COUNT=2": schedule.ErrRule, "FREQ=DAILY;BYDAY=MO,-1FR;COUNT=2": schedule.ErrRule, "FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO;COUNT=2": schedule.ErrRule,
		"FREQ=WEEKLY;COUNT=2;COUNT=3": schedule.ErrRule, "FREQ=WEEKLY;COUNT=2;COUNT=2": schedule.ErrRule, "FREQ=DAILY;FREQ=WEEKLY;COUNT=2": schedule.ErrRule,
		"FREQ=WEEKLY;COUNT=+3": schedule.ErrRule, "FREQ=WEEKLY;COUNT=": schedule.ErrRule, "FREQ=WEEKLY;INTERVAL=+2;COUNT=2": schedule.ErrRule, "FREQ=WEEKLY;COUNT=2;": schedule.ErrRule,
		"FREQ=WEEKLY; COUNT=2": schedule.ErrRule, "COUNT=2": schedule.ErrRule, "FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2": schedule.ErrRule, "FREQ=MONTHLY;BYYEARDAY=1;COUNT=2": schedule.ErrRule,
		"FREQ=MONTHLY;BYWEEKNO=1;COUNT=2": schedule.ErrRule, "FREQ=MONTHLY;BYSETPOS=1;COUNT=2": schedule.ErrRule, "FREQ=MONTHLY;BYMONTHDAY=32;COUNT=2": schedule.ErrRule,
		"FREQ=WEEKLY;UNTIL=2035-04-01": schedule.ErrRule, "FREQ=WEEKLY;UNTIL=20351301": schedule.ErrRule, "FREQ=MONTHLY;BYMONTHDAY=0;COUNT=2": schedule.ErrRule,
		"FREQ=WEEKLY": schedule.ErrRuleEndless, "FREQ=WEEKLY;COUNT=0": schedule.ErrRuleEndless,
	} {
		_, err := schedule.ParseRule(text)
		require.ErrorIs(t, err, want, text)
	}
	for _, text := range []string{
		"FREQ=MONTHLY;BYDAY=+2MO;COUNT=2", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU;COUNT=2",
		"FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=TU,TH;COUNT=4", "freq=monthly;bymonthday=-1;count=2",
	} {
		_, err := schedule.ParseRule(text)
		require.NoError(t, err, text)
	}
	for text, want := range map[string]error{
		"FREQ=DAILY;COUNT=201": schedule.ErrRuleTooLong, "FREQ=YEARLY;COUNT=7": schedule.ErrRuleTooLong,
		"FREQ=DAILY;UNTIL=20400101": schedule.ErrRuleTooLong, "FREQ=DAILY;UNTIL=20250101": schedule.ErrRule,
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2": schedule.ErrRuleTooLong,
	} {
		rule, err := schedule.ParseRule(text)
		require.NoError(t, err, text)
		_, err = rule.Starts(at(t, "2026-01-06T09:00:00Z"))
		if text == "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2" {
			require.Error(t, err)
			continue
		}
		require.ErrorIs(t, err, want, text)
	}
}

func TestExceptionsAndTimeOff(t *testing.T) {
	t.Parallel()
	week := schedule.Week{
		Zone: time.UTC,
		Weekly: []schedule.WeeklyHours{
			{Weekday: "monday", Hours: schedule.Hours{From: "09:00", To: "11:00"}},
			{Weekday: "monday", Hours: schedule.Hours{From: "11:00", To: "12:00", Types: []string{"intake"}}},
			{Weekday: "tuesday", Hours: schedule.Hours{From: "09:00", To: "10:00"}},
		},
		Days: []schedule.DayHours{
			{Date: "2026-03-09", Hours: []schedule.Hours{{From: "22:00", To: "24:00"}}},
			{Date: "2026-03-10", Hours: []schedule.Hours{{From: "00:00", To: "01:00"}}},
			{Date: "2026-03-17"},
		},
		TimeOff: []schedule.TimeOff{{From: "2026-03-23", To: "2026-03-24"}},
	}
	span := schedule.Interval{Start: at(t, "2026-03-02T00:00:00Z"), End: at(t, "2026-03-26T00:00:00Z")}
	taken := []schedule.Interval{{Start: at(t, "2026-03-16T09:30:00Z"), End: at(t, "2026-03-16T10:00:00Z")}}
	starts := func(typ string) []string {
		var out []string
		for _, s := range week.Slots(span, time.Hour, typ, taken) {
			out = append(out, s.Start.Format("02T15"))
		}
		return out
	}
	require.Equal(t, []string{"02T09", "02T10", "03T09", "09T22", "09T23", "10T00", "16T10"}, starts("individual"))
	require.Equal(t, []string{"02T09", "02T10", "02T11", "03T09", "09T22", "09T23", "10T00", "16T10", "16T11"}, starts("intake"))

	covers := func(start, end string) bool {
		return week.Covers(schedule.Interval{Start: at(t, start), End: at(t, end)}, "intake")
	}
	require.True(t, covers("2026-03-02T10:30:00Z", "2026-03-02T11:30:00Z"), "hours that touch are one")
	require.True(t, covers("2026-03-09T23:30:00Z", "2026-03-10T00:30:00Z"), "so are they at midnight")
	require.False(t, covers("2026-03-02T11:30:00Z", "2026-03-02T12:01:00Z"))
	require.False(t, covers("2026-03-09T09:00:00Z", "2026-03-09T10:00:00Z"), "an exception replaces the day")
	require.False(t, covers("2026-03-17T09:00:00Z", "2026-03-17T10:00:00Z"), "closed")
	require.False(t, covers("2026-03-23T09:00:00Z", "2026-03-23T10:00:00Z"), "time off")
	require.False(t, covers("2026-03-24T09:00:00Z", "2026-03-24T10:00:00Z"), "on its last day too")
}

// Adjoining hours are one stretch, within a day and at midnight, for every requested part. Hours of other types
// don't adjoin. Hours open day and night begin anew each day.
func TestSlotsOfAdjoiningHours(t *testing.T) {
	t.Parallel()
	hours := func(weekday, from, to string, types ...string) schedule.WeeklyHours {
		return schedule.WeeklyHours{Weekday: weekday, Hours: schedule.Hours{From: from, To: to, Types: types}}
	}
	night := []schedule.WeeklyHours{hours("monday", "22:00", "24:00"), hours("tuesday", "00:00", "02:00")}
	split := []schedule.WeeklyHours{hours("monday", "09:00", "10:00"), hours("monday", "10:00", "12:00")}
	typed := []schedule.WeeklyHours{
		hours("monday", "09:00", "10:00", "intake"), hours("monday", "10:00", "11:00"), hours("monday", "11:00", "12:00", "group"),
	}
	for _, c := range []struct {
		weekly   []schedule.WeeklyHours
		from, to string
		minutes  int
		typ      string
		want     []string
	}{
		{night, "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", 180, "", []string{"02T22:00"}},
		{night, "2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z", 50, "", []string{"02T22:00", "02T22:50", "02T23:40", "03T00:30"}},
		{night, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 50, "", []string{"02T22:00", "02T22:50"}},
		{night, "2026-03-03T00:00:00Z", "2026-03-04T00:00:00Z", 50, "", []string{"03T00:30"}},
		{split, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 90, "", []string{"02T09:00", "02T10:30"}},
		{typed, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 120, "", []string{"02T09:00"}},
		{typed, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 120, "group", []string{"02T10:00"}},
		{typed, "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", 180, "", nil},
		{schedule.Always(time.UTC).Weekly, "2026-03-02T15:00:00Z", "2026-03-03T08:00:00Z", 420, "", []string{"03T00:00"}},
		{schedule.Always(time.UTC).Weekly, "2026-03-02T00:00:00Z", "2026-03-03T08:00:00Z", 420, "", []string{"02T00:00", "02T07:00", "02T14:00", "03T00:00"}},
		{schedule.Always(time.UTC).Weekly, "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z", 1440, "", []string{"02T00:00", "03T00:00"}},
	} {
		var starts []string
		span := schedule.Interval{Start: at(t, c.from), End: at(t, c.to)}
		for _, slot := range (schedule.Week{Zone: time.UTC, Weekly: c.weekly}).Slots(span, time.Duration(c.minutes)*time.Minute, c.typ, nil) {
			starts = append(starts, slot.Start.Format("02T15:04"))
		}
		require.Equal(t, c.want, starts, "%v", c)
	}
}

// Every slot can be booked: it lies in open hours, is free, and overlaps no other slot.
func TestSlotsAreOpenAndFree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		change := rapid.SampledFrom(changes).Draw(r, "change")
		loc := zone(r, change.zone)
		week := nights(loc)
		week.Weekly = append(week.Weekly, schedule.Always(loc).Weekly[rapid.IntRange(0, 6).Draw(r, "day")])
		whole := day(loc, change.day)
		span := schedule.Interval{Start: whole.Start.AddDate(0, 0, -1), End: whole.End.AddDate(0, 0, 1)}
		var taken []schedule.Interval
		for range rapid.IntRange(0, 4).Draw(r, "taken") {
			start := span.Start.Add(time.Duration(rapid.IntRange(0, 72*4).Draw(r, "start")) * 15 * time.Minute)
			taken = append(taken, schedule.Interval{Start: start, End: start.Add(45 * time.Minute)})
		}
		length := time.Duration(rapid.SampledFrom([]int{15, 30, 50, 60, 90}).Draw(r, "minutes")) * time.Minute
		slots := week.Slots(span, length, "", taken)
		for _, slot := range slots {
			require.Equal(r, length, slot.End.Sub(slot.Start))
			require.True(r, week.Covers(slot, ""))
			require.False(r, slices.ContainsFunc(taken, slot.Overlaps))
		}
		for i := range slots[min(1, len(slots)):] {
			require.False(r, slots[i].Overlaps(slots[i+1]))
		}
	})
}
