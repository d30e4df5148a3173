package handler_test

import (
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clients is the number of clients that request the same time at once.
const clients = 64

// rounds returns the number of rounds of a race: short unless NOVAMIND_TEST_LONG is set.
func rounds(short, long int) int {
	if os.Getenv("NOVAMIND_TEST_LONG") != "" {
		return long
	}
	return short
}

// race sends bodies at the same moment. It returns how often each status was the answer, and the refusals.
func (s *stack) race(bodies []string) (map[int]int, []reply) {
	s.t.Helper()
	replies := make([]reply, len(bodies))
	start := make(chan struct{})
	var all sync.WaitGroup
	for i, body := range bodies {
		all.Go(func() {
			<-start
			replies[i] = s.do("POST", "/api/v1/appointments", body)
		})
	}
	close(start)
	all.Wait()
	statuses := map[int]int{}
	var refused []reply
	for _, r := range replies {
		statuses[r.status]++
		if r.status != http.StatusCreated {
			refused = append(refused, r)
		}
	}
	return statuses, refused
}

// minutes returns a valid appointment on a day of its own. from and to are minutes after midnight.
func minutes(patient, practitioner string, day, from, to int) string {
	midnight := time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, day)
	at := func(minute int) string { return midnight.Add(time.Duration(minute) * time.Minute).Format(time.RFC3339) }
	return `{"patient_id":"` + patient + `","practitioner_id":"` + practitioner + `","starts_at":"` + at(from) + `","ends_at":"` + at(to) + `"}`
}

// 64 clients request one slot, or slots that all overlap, of one practitioner or one patient. One gets it, and the
// others learn that it is taken.
func TestOneOfManyClientsGetsTheTime(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patients, practitioners := make([]string, clients), make([]string, 8)
		for i := range patients {
			patients[i] = s.register(strangerNamed(i))
		}
		for i := range practitioners {
			practitioners[i] = s.practitioner()
		}
		day, booked := 0, 0
		n := rounds(2, 50)
		for range n {
			for name, body := range map[string]func(i int) string{
				"one slot of a practitioner":          func(i int) string { return minutes(patients[i], practitioners[0], day, 540, 600) },
				"one slot of a patient":               func(i int) string { return minutes(patients[0], practitioners[i%8], day, 540, 600) },
				"overlapping slots of a practitioner": func(i int) string { return minutes(patients[i], practitioners[1], day, 540+i, 660+i) },
				"overlapping slots of a patient":      func(i int) string { return minutes(patients[1], practitioners[i%8], day, 540+i, 660+i) },
			} {
				day++
				bodies := make([]string, clients)
				for i := range bodies {
					bodies[i] = body(i)
				}
				statuses, refused := s.race(bodies)
				require.Equal(t, map[int]int{http.StatusCreated: 1, http.StatusConflict: clients - 1}, statuses, name)
				for _, r := range refused {
					require.Equal(t, "appointment.taken", r.at("code"), r.text)
					require.Contains(t, r.text, " has another appointment from ", "which time it is")
				}
				booked++
			}
		}
		var rows int
		require.NoError(t, s.db.Raw("SELECT count(*) FROM appointment").Scan(&rows).Error)
		require.Equal(t, booked, rows)
		t.Logf("%d rounds of 4 races of %d clients: %d booked, %d refused", n, clients, booked, booked*(clients-1))
	})
}

// strangerNamed returns a patient that resembles no other.
func strangerNamed(i int) string {
	return `{"first_name":"Ada","last_name":"Race ` + strconv.Itoa(i) + `","date_of_birth":"1980-02-03","contact_info":{"email":"race` +
		strconv.Itoa(i) + `@example.org"}}`
}

// When clients book all combinations of patients and practitioners at once, no client sees a deadlock, and the booked
// appointments do not overlap.
func TestCrossedBookingsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		var patients, practitioners [4]string
		for i := range 4 {
			patients[i], practitioners[i] = s.register(strangerNamed(i)), s.practitioner()
		}
		for round := range rounds(2, 50) {
			bodies := make([]string, clients)
			for i := range bodies {
				from := 540 + (i*7)%90
				bodies[i] = minutes(patients[(i+round)%4], practitioners[(i/4)%4], round, from, from+45)
			}
			statuses, refused := s.race(bodies)
			require.Equal(t, clients, statuses[http.StatusCreated]+statuses[http.StatusConflict], "%v %v", statuses, refused)
			require.GreaterOrEqual(t, statuses[http.StatusCreated], 4)
		}
		var overlaps int
		require.NoError(t, s.db.Raw("SELECT count(*) FROM appointment a JOIN appointment b ON a.id < b.id AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at "+
			"AND (a.patient_id = b.patient_id OR a.practitioner_id = b.practitioner_id)").Scan(&overlaps).Error)
		require.Zero(t, overlaps)
	})
}
