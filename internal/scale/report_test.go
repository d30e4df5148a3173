package scale

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/service"
)

// pageOf is the number of events on a report's page.
const pageOf = 50

// The log grows with its patients, and has 100 events of each patient. It does not grow with its accounts.
const (
	fewReported = 10_000
	perPatient  = 100
	accounts    = 20
)

// BenchmarkReports requests pages of reports on one patient and one actor, in a small log and in a large one. It
// reports how much longer they take in the large log.
func BenchmarkReports(b *testing.B) {
	for _, engine := range dbtest.Engines() {
		b.Run(engine.Name, func(b *testing.B) {
			for b.Loop() {
				small, large := measureReports(b, newClinic(b, engine.URL(b)), fewReported), measureReports(b, newClinic(b, engine.URL(b)), reported)
				for _, name := range slices.Sorted(maps.Keys(small)) {
					b.Logf("%-28s %8s in %d events, %8s in %d", name, small[name].Round(time.Microsecond), fewReported, large[name].Round(time.Microsecond), reported)
					b.ReportMetric(float64(large[name])/float64(small[name]), name+":times")
				}
			}
		})
	}
}

// measureReports returns the median time of a page of each report in a log of n events.
func measureReports(b *testing.B, c *clinic, n int) map[string]time.Duration {
	b.Helper()
	c.fillLog(b, n)
	log := service.NewAuditLogService(c.store)
	auditor := audit.WithActor(b.Context(), audit.Actor{ID: uuid.Must(uuid.NewV7()), Roles: []string{service.RoleAuditor}, Origin: audit.API})
	patient, actor := invented(7), invented(1_000_000+7)
	end := logBegins.Add(time.Duration(n) * time.Second)
	median := map[string]time.Duration{}
	for name, q := range map[string]service.AuditLogQuery{
		"patient":             {Subject: []uuid.UUID{patient}},
		"patient-action":      {Subject: []uuid.UUID{patient}, Action: []string{audit.Update}},
		"patient-of-period":   {Subject: []uuid.UUID{patient}, From: logBegins, To: end.Add(-time.Hour)},
		"actor":               {UserID: []uuid.UUID{actor}},
		"actor-outcome":       {UserID: []uuid.UUID{actor}, Outcome: []string{audit.Denied}},
		"actor-patient":       {UserID: []uuid.UUID{actor}, Subject: []uuid.UUID{patient}},
		"actor-of-first-hour": {UserID: []uuid.UUID{actor}, From: logBegins, To: logBegins.Add(time.Hour)},
		"denied":              {Outcome: []string{audit.Denied}},
	} {
		var times []time.Duration
		page := service.Page{Limit: pageOf, Descending: true}
		for range 40 {
			begun := time.Now()
			found, more, err := log.Search(auditor, q, page)
			times = append(times, time.Since(begun))
			require.NoError(b, err)
			require.NotEmpty(b, found, "%s in %d", name, n)
			page.After = uuid.Nil
			if more { // the first page and the next, alternately
				page.After = found[len(found)-1].ID
			}
		}
		slices.Sort(times)
		median[name] = times[len(times)/2]
	}
	return median
}

var logBegins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// invented returns an id that encodes a number.
func invented(n int) uuid.UUID {
	id, _ := uuid.Parse(fmt.Sprintf("00000000-0000-4000-8000-%012x", n))
	return id
}

// fillLog adds n events by plain SQL, one per second. Most are reads, some are changes or denials. The accounts take
// turns, and each event is on one patient.
func (c *clinic) fillLog(b *testing.B, n int) {
	b.Helper()
	numbers, text := "generate_series(0, ?) AS n(i)", "lpad(to_hex(%s), 12, '0')"
	id, at := "(%s)::uuid", "timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second'"
	if c.db.Name() == "sqlite" {
		numbers, text = "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n)", "printf('%%012x', %s)"
		id, at = "%s", "strftime('%%Y-%%m-%%d %%H:%%M:%%S+00:00', %d + i, 'unixepoch')"
		at = fmt.Sprintf(at, logBegins.Unix())
	}
	of := func(number string) string {
		return fmt.Sprintf(id, "'00000000-0000-4000-8000-' || "+fmt.Sprintf(text, number))
	}
	millis := fmt.Sprintf(text, fmt.Sprintf("%d + i * 1000", logBegins.UnixMilli()))
	eventID := fmt.Sprintf(id, "substr("+millis+", 1, 8) || '-' || substr("+millis+", 9, 4) || '-7000-8000-' || "+fmt.Sprintf(text, "i"))
	patients := fmt.Sprintf("i %% %d", n/perPatient)
	events := "INSERT INTO auditlog (id, created_at, updated_at, occurred_at, user_id, actor_roles, action, entity_type, entity_id, changes, outcome, origin) " +
		"SELECT " + strings.Join([]string{
		eventID, at, at, at, of(fmt.Sprintf("1000000 + (i %% 1009) %% %d", accounts)), `'["clinician"]'`, "CASE i % 11 WHEN 0 THEN 'update' ELSE 'read' END",
		"'patient'", of(patients), `'{"fields":[]}'`, "CASE i % 7 WHEN 0 THEN 'denied' ELSE 'success' END", "'api'",
	}, ", ") + " FROM " + numbers
	subjects := "INSERT INTO auditsubject (entity_id, event_id, entity_type) SELECT " + of(patients) + ", " + eventID + ", 'patient' FROM " + numbers
	// The benchmark does not measure the sequencing of these events.
	dbtest.DropTriggers(b, c.db, "auditlog", "auditsubject")
	require.NoError(b, c.db.Exec(events, n-1).Error)
	require.NoError(b, c.db.Exec(subjects, n-1).Error)
	require.NoError(b, c.db.Exec("ANALYZE").Error)
	var got int64
	require.NoError(b, c.db.Raw("SELECT count(*) FROM auditlog").Scan(&got).Error)
	require.GreaterOrEqual(b, got, int64(n))
}
