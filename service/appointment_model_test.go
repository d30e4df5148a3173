package service_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// follows lists the states that may follow a state. It was written independently of the program's table.
var follows = map[string]string{
	"pending": "booked cancelled entered-in-error", "booked": "arrived checked-in fulfilled cancelled noshow entered-in-error",
	"arrived": "checked-in fulfilled cancelled entered-in-error", "checked-in": "fulfilled cancelled entered-in-error",
	"fulfilled": "entered-in-error", "cancelled": "entered-in-error", "noshow": "arrived entered-in-error", "entered-in-error": "",
}

var (
	takesTime = []string{"pending", "booked", "arrived", "checked-in", "fulfilled"}
	canChange = []string{"pending", "booked", "arrived", "checked-in"}
)

// modelled is an appointment in the model: hours after the agenda's first, and parties by number.
type modelled struct {
	id           uuid.UUID
	series       uuid.UUID
	patient, doc int
	start, hours int
	status       string
	overlap      bool
	expired      bool // a hold that has expired, and that no request has met since
}

// agenda is a clinic in memory, beside the real clinic.
type agenda struct {
	first time.Time // chosen so that some appointments are over, some are today, and some are in the future
	zone  string    // a zone where it is about noon

	t        *testing.T
	r        *rapid.T
	b        *bundle
	patients []*models.Patient
	docs     []*models.Account
	rows     []*modelled
	met      []*modelled // expired holds that this step ended
}

func (m *modelled) occupies() bool {
	return slices.Contains(takesTime, m.status) && !m.expired
}

func (m *modelled) clashes(o *modelled) bool {
	return (m.patient == o.patient || m.doc == o.doc) && m.start < o.start+o.hours && o.start < m.start+m.hours
}

// free reports whether the rows of wanted can be at their times, ignoring the rows of but.
func (g *agenda) free(wanted []*modelled, but []*modelled) bool {
	for _, w := range wanted {
		for _, o := range slices.Concat(g.rows, wanted) {
			if !w.overlap && o != w && !slices.Contains(but, o) && o.occupies() && w.clashes(o) {
				return false
			}
		}
	}
	return true
}

// meet ends the expired holds of a practitioner or a patient, as every request for their time does.
func (g *agenda) meet(patient, doc int) {
	g.met = nil
	g.meetToo(patient, doc)
}

func (g *agenda) meetToo(patient, doc int) {
	for _, m := range g.rows {
		if m.expired && (m.patient == patient || m.doc == doc) {
			m.status, m.expired = "cancelled", false
			g.met = append(g.met, m)
		}
	}
}

func (g *agenda) draw(name string, from, to int) int { return rapid.IntRange(from, to).Draw(g.r, name) }

func (g *agenda) pick() *modelled {
	if len(g.rows) == 0 {
		return nil
	}
	return g.rows[g.draw("which", 0, len(g.rows)-1)]
}

// wanted draws a new appointment, which is not booked yet.
func (g *agenda) wanted() *modelled {
	return &modelled{
		patient: g.draw("patient", 0, 1), doc: g.draw("doc", 0, 1), start: g.draw("start", 0, 9), hours: g.draw("hours", 1, 2),
		status:  rapid.SampledFrom([]string{"booked", "booked", "pending"}).Draw(g.r, "status"),
		overlap: g.draw("overlap", 0, 9) == 0,
	}
}

func (g *agenda) input(m *modelled) service.AppointmentInput {
	in := visit(g.patients[m.patient], g.docs[m.doc], time.Duration(m.start)*time.Hour)
	in.StartsAt, in.TimeZone = g.at(m), g.zone
	in.EndsAt, in.Status = in.StartsAt.Add(time.Duration(m.hours)*time.Hour), m.status
	if m.overlap {
		in.AllowOverlap, in.OverlapReason = true, "permitted"
	}
	return in
}

func (g *agenda) at(m *modelled) time.Time { return g.first.Add(time.Duration(m.start) * time.Hour) }

// due reports whether the time of a state has come. It was written independently of the program's rule.
func (g *agenda) due(m *modelled, state string) bool {
	switch state {
	case "arrived", "checked-in":
		zone, err := time.LoadLocation(g.zone)
		require.NoError(g.r, err)
		return g.at(m).In(zone).Format(time.DateOnly) <= time.Now().In(zone).Format(time.DateOnly)
	case "fulfilled", "noshow":
		return g.at(m).Before(time.Now())
	default:
		return true
	}
}

// expect compares the outcome. A failed request changes nothing, and does not even end a hold.
func (g *agenda) expect(want apperr.Code, err error, what string) bool {
	requireCode(g.r, want, err, what)
	if want != "" {
		for _, m := range g.met {
			m.status, m.expired = "pending", true
		}
	}
	return want == ""
}

func (g *agenda) book() {
	m := g.wanted()
	g.meet(m.patient, m.doc)
	want := apperr.Code("")
	if !g.free([]*modelled{m}, nil) {
		want = apperr.Taken
	}
	a, err := g.b.appointments.Book(as(g.t, service.RoleFrontDesk), g.input(m))
	if g.expect(want, err, "book") {
		m.id = a.ID
		g.rows = append(g.rows, m)
	}
}

func (g *agenda) bookSeries() {
	first := g.wanted()
	first.status, first.overlap = "booked", false
	count := g.draw("count", 2, 4)
	var rows []*modelled
	for i := range count {
		m := *first
		m.start += i * 24
		rows = append(rows, &m)
	}
	g.meet(first.patient, first.doc)
	want := apperr.Code("")
	if !g.free(rows, nil) {
		want = apperr.Taken
	}
	in := service.SeriesInput{AppointmentInput: g.input(first), Rule: fmt.Sprintf("FREQ=DAILY;COUNT=%d", count)}
	series, err := g.b.appointments.BookSeries(as(g.t, service.RoleFrontDesk), in)
	if g.expect(want, err, "book series") {
		for i, m := range rows {
			m.id, m.series = series.Appointments[i].ID, series.ID
		}
		g.rows = append(g.rows, rows...)
	}
}

// followers returns m and the later rows of its series that may still change.
func (g *agenda) followers(m *modelled) []*modelled {
	rows := []*modelled{m}
	for _, o := range g.rows {
		if o != m && m.series != uuid.Nil && o.series == m.series && o.start >= m.start && (o.status == "pending" || o.status == "booked") {
			rows = append(rows, o)
		}
	}
	return rows
}

// move moves one appointment, or it and all that follow, by some hours. It may change the practitioner, and whether
// overlaps are allowed.
func (g *agenda) move(extent service.Extent) {
	m := g.pick()
	if m == nil {
		return
	}
	to := *m
	to.start += g.draw("by", -3, 3)
	to.hours, to.doc, to.overlap = g.draw("hours", 1, 2), g.draw("doc", 0, 1), g.draw("overlap", 0, 9) == 0
	g.meet(m.patient, to.doc)
	rows := []*modelled{m}
	if extent == service.Following {
		rows = g.followers(m)
	}
	var moved, after, before []*modelled
	for _, row := range rows {
		next := *row
		next.start += to.start - m.start
		if to.hours != m.hours {
			next.hours = to.hours
		}
		if to.doc != m.doc {
			next.doc = to.doc
		}
		if to.overlap != m.overlap {
			next.overlap = to.overlap
		}
		after = append(after, &next)
		if next != *row {
			moved, before = append(moved, &next), append(before, row)
			g.meetToo(next.patient, next.doc)
		}
	}
	want := apperr.Code("")
	switch {
	case !slices.Contains(canChange, m.status) || m.expired:
		want = apperr.BadTransition
	case slices.ContainsFunc(after, func(next *modelled) bool { return !g.due(next, next.status) }):
		want = apperr.BadTransition
	case len(moved) > 0 && !g.free(moved, before):
		want = apperr.Taken
	}
	in := g.input(&to)
	_, err := g.b.appointments.Change(as(g.t, service.RoleFrontDesk), m.id, anyVersion, extent, func(*models.Appointment) (service.AppointmentInput, error) {
		return in, nil
	})
	if g.expect(want, err, "move") {
		for i, row := range rows {
			*row = *after[i]
		}
	}
}

func (g *agenda) transition(extent service.Extent) {
	m := g.pick()
	if m == nil {
		return
	}
	to := rapid.SampledFrom(models.AppointmentStates()).Draw(g.r, "to")
	rows := []*modelled{m}
	g.meet(m.patient, m.doc)
	if extent == service.Following {
		to, rows = "cancelled", g.followers(m)
	}
	want := apperr.Code("")
	switch {
	case !slices.Contains(strings.Fields(follows[m.status]), to) || !g.due(m, to):
		want = apperr.BadTransition
	case m.status == "noshow" && to == "arrived" && !g.free([]*modelled{m}, []*modelled{m}):
		want = apperr.Taken
	}
	_, err := g.b.appointments.Transition(as(g.t, service.RoleFrontDesk), m.id, anyVersion, to, "asked for", extent)
	if g.expect(want, err, "to "+to) {
		for _, row := range rows {
			row.status = to
		}
	}
}

// expire makes a hold expire.
func (g *agenda) expire() {
	for _, m := range g.rows {
		if m.status == "pending" && !m.expired {
			g.b.expire(g.t, m.id)
			m.expired = true
			return
		}
	}
}

// compare reads all rows directly from the database.
func (g *agenda) compare() {
	var rows []struct {
		ID, PatientID, PractitionerID uuid.UUID
		StartsAt, EndsAt              time.Time
		Status                        string
		AllowOverlap                  bool
	}
	ids := []uuid.UUID{}
	for _, m := range g.rows {
		ids = append(ids, m.id)
	}
	if len(ids) == 0 {
		return
	}
	require.NoError(g.r, g.b.db.Raw("SELECT * FROM appointment WHERE id IN ?", ids).Scan(&rows).Error)
	require.Len(g.r, rows, len(ids))
	for _, row := range rows {
		m := g.rows[slices.Index(ids, row.ID)]
		require.Equal(g.r, m.status, row.Status)
		require.Equal(g.r, g.patients[m.patient].ID, row.PatientID)
		require.Equal(g.r, g.docs[m.doc].ID, row.PractitionerID)
		require.Equal(g.r, m.overlap, row.AllowOverlap)
		require.True(g.r, g.at(m).Equal(row.StartsAt))
		require.True(g.r, row.StartsAt.Add(time.Duration(m.hours)*time.Hour).Equal(row.EndsAt))
	}
}

// Bookings, moves, transitions, expiries and changes of series in any order leave the clinic in the state of a simple
// model, on both engines. NOVAMIND_TEST_LONG runs 10,000 steps on each.
func TestAppointmentsMatchTheModel(t *testing.T) {
	t.Parallel()
	least, most := 1, 8
	if os.Getenv("NOVAMIND_TEST_LONG") != "" {
		least, most = 100, 100 // times rapid's 100 checks
	}
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		steps := 0
		rapid.Check(t, func(r *rapid.T) {
			g := &agenda{
				first: time.Now().Truncate(time.Second).Add(-33*time.Hour - 30*time.Minute), zone: zoneAt(12),
				t: t, r: r, b: b, docs: []*models.Account{b.practitioner(t), b.practitioner(t)}, patients: []*models.Patient{b.register(t), b.register(t)},
			}
			for range rapid.IntRange(least, most).Draw(r, "steps") {
				steps++
				switch g.draw("do", 0, 9) {
				case 0, 1, 2:
					g.book()
				case 3:
					g.bookSeries()
				case 4, 5:
					g.move(service.OnlyThis)
				case 6:
					g.move(service.Following)
				case 7:
					g.transition(service.OnlyThis)
				case 8:
					g.transition(service.Following)
				case 9:
					g.expire()
				}
			}
			g.compare()
		})
		t.Logf("%d steps", steps)
	})
}
