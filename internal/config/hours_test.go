package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOpeningHours(t *testing.T) {
	t.Parallel()
	h, err := Clinic{TimeZone: "America/New_York", Hours: "mon-fri 07:00-19:00, sat 08:00-12:00, sat 20:00-24:00"}.OpeningHours()
	require.NoError(t, err)
	for at, open := range map[string]bool{
		"2026-03-09T11:00:00Z": true,  // Monday 07:00, the first day of summer time
		"2026-03-09T10:59:59Z": false, // 06:59:59
		"2026-03-06T12:00:00Z": true,  // Friday 07:00, winter time
		"2026-03-06T23:59:59Z": true,  // Friday 18:59:59
		"2026-03-07T00:00:00Z": false, // Friday 19:00
		"2026-03-07T13:00:00Z": true,  // Saturday 08:00
		"2026-03-08T04:59:00Z": true,  // Saturday 23:59
		"2026-03-08T16:00:00Z": false, // Sunday
	} {
		moment, err := time.Parse(time.RFC3339, at)
		require.NoError(t, err)
		require.Equal(t, open, h.Open(moment), at)
	}
}

func TestOpeningHoursRefused(t *testing.T) {
	t.Parallel()
	for _, hours := range []string{"", "mon", "mon-fri", "mon 9:00-12:00", "mon 12:00-09:00", "day 09:00-12:00", "mon 09:00-25:00", "mon 09:00-12:00,", "mon-fri-sat 09:00-10:00"} {
		_, err := Clinic{TimeZone: "UTC", Hours: hours}.OpeningHours()
		require.Error(t, err, hours)
	}
	for _, zone := range []string{"", "Mars/Base"} {
		_, err := Clinic{TimeZone: zone, Hours: "mon 09:00-12:00"}.OpeningHours()
		require.Error(t, err, zone)
	}
}
