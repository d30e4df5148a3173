package handler_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/models"
	"novamind/service"
)

// named makes a clinician with this name and logs them in.
func (s *stack) named(name string) caller {
	s.t.Helper()
	token := s.account(uuid.NewString()+"@example.org", func(a *models.Account) { a.Name = name }, service.RoleClinician)
	return caller{uuid.MustParse(s.as(token).do("GET", "/api/v1/auth/me", "").at("id").(string)), token}
}

// made books an appointment, and returns its path.
func (s *stack) made(body string) string {
	s.t.Helper()
	r := s.do("POST", "/api/v1/appointments", body)
	require.Equal(s.t, http.StatusCreated, r.status, r.text)
	return r.header.Get("Location")
}

// requireNames compares the names beside the ids of an appointment.
func requireNames(t *testing.T, appointment, patient, practitioner any, about ...any) {
	t.Helper()
	shown, _ := appointment.(map[string]any)
	require.Contains(t, shown, "patient_name", about...)
	require.Equal(t, patient, shown["patient_name"], about...)
	require.Equal(t, practitioner, shown["practitioner_name"], about...)
}

// A day at the front desk, with all names, is one request and one event. The event names each patient.
func TestDayAtTheFrontDeskIsOneRequest(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		doctors := []caller{s.named("Grace Example"), s.named("Alan Example"), s.named("Edsger Example")}
		names := map[uuid.UUID]string{doctors[0].id: "Grace Example", doctors[1].id: "Alan Example", doctors[2].id: "Edsger Example"}
		patients := map[string]string{}
		for i := range 20 {
			patient := s.register(strangerNamed(i))
			patients[patient] = fmt.Sprintf("Ada Race %d", i)
			s.made(minutes(patient, doctors[i%3].id.String(), 0, 480+30*(i/3), 510+30*(i/3)))
		}
		gone := "/api/v1/accounts/" + doctors[2].id.String()
		require.Equal(t, http.StatusOK, s.do("PATCH", gone, `{"disabled":true}`, "If-Match: *").status)

		desk := s.as(s.person("desk@example.org", service.RoleFrontDesk).token)
		r := desk.do("GET", "/api/v1/appointments?day=2035-01-01&time_zone=UTC", "", "X-Request-Id: the-day")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Len(t, r.items(), 20)
		for _, item := range r.items() {
			a := item.(map[string]any)
			practitioner := names[uuid.MustParse(a["practitioner_id"].(string))]
			requireNames(t, item, patients[a["patient_id"].(string)], practitioner)
		}
		var named []string
		require.NoError(t, s.db.Raw("SELECT entity_id FROM auditsubject WHERE entity_type = 'patient' AND event_id IN "+
			"(SELECT id FROM auditlog WHERE request_id = 'the-day')").Scan(&named).Error)
		require.Len(t, s.eventsOf("the-day"), 1)
		require.Len(t, named, 20)
		for _, id := range named {
			require.Contains(t, patients, id)
		}
	})
}

// Every answer that shows an appointment has the names. The names cause no further event.
func TestNamesStandBesideIDs(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, doctor, colleague := s.register(ada), s.named("Grace Example"), s.named("Alan Example")
		const name = "Zoë Ann García-López"
		requests := 0
		once := func(method, path, body string, headers ...string) reply {
			t.Helper()
			requests++
			request := fmt.Sprintf("request-%d", requests)
			r := s.do(method, path, body, append(headers, "X-Request-Id: "+request)...)
			require.Less(t, r.status, 300, "%s %s: %s", method, path, r.text)
			require.Len(t, s.eventsOf(request), 1, "%s %s", method, path)
			return r
		}
		r := once("POST", "/api/v1/appointments", visit(patient, doctor.id.String(), 0, ""))
		requireNames(t, r.body, name, "Grace Example")
		path := r.header.Get("Location")
		r = once("GET", path, "")
		requireNames(t, r.body, name, "Grace Example")
		r = once("PUT", path, r.text, "If-Match: *")
		requireNames(t, r.body, name, "Grace Example", "what was read can be sent back")
		r = once("PATCH", path, `{"practitioner_id":"`+colleague.id.String()+`"}`, "If-Match: *")
		requireNames(t, r.body, name, "Alan Example", "as it is now")
		for member, body := range map[string]string{
			"/patient_name": `{"patient_name":"Ada Sample"}`, "/practitioner_name": `{"practitioner_name":"Grace Example"}`,
		} {
			refused := s.do("PATCH", path, body, "If-Match: *")
			require.Equal(t, http.StatusUnprocessableEntity, refused.status, refused.text)
			require.Contains(t, refused.text, `"pointer":"`+member+`"`)
		}
		for _, list := range []string{"/api/v1/appointments", "/api/v1/patients/" + patient + "/appointments"} {
			requireNames(t, once("GET", list, "").items()[0], name, "Alan Example", list)
		}
		r = once("GET", "/api/v1/patients/"+patient+"/chart", "")
		requireNames(t, r.at("upcoming_appointments").([]any)[0], name, "Alan Example")
		r = once("POST", path+"/transitions", `{"to":"cancelled","reason":"ill"}`, "If-Match: *")
		requireNames(t, r.body, name, "Alan Example")

		r = s.do("POST", "/api/v1/appointment-series", visit(patient, doctor.id.String(), 0, `,"rule":"FREQ=WEEKLY;COUNT=2"`))
		require.Equal(t, http.StatusCreated, r.status, r.text)
		for _, r := range []reply{r, once("GET", r.header.Get("Location"), "")} {
			require.Equal(t, name, r.at("patient_name"))
			for _, a := range r.at("appointments").([]any) {
				requireNames(t, a, name, "Grace Example")
			}
		}
	})
}

// Names stand beside ids only for callers that could also request the names.
func TestNamesAreForThoseWhoMaySeeThem(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		patient, doctor := s.register(ada), s.named("Grace Example")
		tomorrow := time.Now().UTC().AddDate(0, 0, 1).Format(time.DateOnly)
		path := s.made(strings.ReplaceAll(visit(patient, doctor.id.String(), 0, ""), "2035-03-05", tomorrow))
		for _, c := range []struct {
			scopes                []string
			patient, practitioner any
		}{
			{[]string{"appointment.read"}, nil, nil},
			{[]string{"appointment.read", "patient.read"}, "Zoë Ann García-López", nil},
			{[]string{"appointment.read", "practitioner.read"}, nil, "Grace Example"},
		} {
			_, key := s.apiKey(c.scopes...)
			requireNames(t, s.as(key).do("GET", path, "").body, c.patient, c.practitioner, c.scopes)
			requireNames(t, s.as(key).do("GET", "/api/v1/appointments", "").items()[0], c.patient, c.practitioner, c.scopes)
		}

		mine := s.as(doctor.token)
		requireNames(t, mine.do("GET", path, "").body, "Zoë Ann García-López", "Grace Example", "in care by the appointment")
		merged := s.inCareOf(doctor.id, strangerNamed(1))
		other := s.made(visit(merged, doctor.id.String(), 0, ""))
		r := s.do("POST", "/api/v1/patients/"+merged+"/merge", `{"into_id":"`+s.register(ada)+`","reason":"twice"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		requireNames(t, mine.do("GET", other, "").body, "Ada Race 1", "Grace Example", "the row of the person that it was booked for")

		r = mine.do("POST", path+"/transitions", `{"to":"cancelled","reason":"ill"}`, "If-Match: *")
		require.Equal(t, http.StatusOK, r.status, r.text)
		require.Equal(t, http.StatusNotFound, mine.do("GET", "/api/v1/patients/"+patient, "").status)
		requireNames(t, r.body, nil, "Grace Example", "it ended the care")

		stranger := s.named("Alan Example")
		r = s.as(stranger.token).do("POST", "/api/v1/break-glass", `{"patient_id":"`+patient+`","reason":"unconscious"}`)
		require.Equal(t, http.StatusCreated, r.status, r.text)
		r = s.as(stranger.token).do("GET", path, "", "X-Request-Id: emergency")
		requireNames(t, r.body, "Zoë Ann García-López", "Grace Example", "emergency access reads patients")
		require.Equal(t, []string{"BTG"}, s.purposesOf("emergency"))
	})
}

func (s *stack) purposesOf(request string) (purposes []string) {
	s.t.Helper()
	require.NoError(s.t, s.db.Raw("SELECT purpose FROM auditlog WHERE request_id = ?", request).Scan(&purposes).Error)
	return purposes
}

// A patient that can't be opened has no name. The appointment is shown all the same.
func TestUnreadablePatientsHaveNoName(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		good, bad, doctor := s.register(strangerNamed(1)), s.register(strangerNamed(2)), s.named("Grace Example")
		s.made(visit(good, doctor.id.String(), 0, ""))
		path := s.made(visit(bad, doctor.id.String(), 1, ""))
		require.NoError(t, s.db.Exec("UPDATE patient SET last_name = first_name WHERE id = ?", bad).Error)
		r := s.do("GET", "/api/v1/appointments", "", "X-Request-Id: tampered")
		require.Equal(t, http.StatusOK, r.status, r.text)
		requireNames(t, r.items()[0], "Ada Race 1", "Grace Example")
		requireNames(t, r.items()[1], nil, "Grace Example")
		require.True(t, slices.ContainsFunc(s.eventsOf("tampered"), func(e map[string]any) bool {
			return fmt.Sprint(e["details"]) == "phi.unreadable"
		}))
		require.Equal(t, http.StatusOK, s.do("GET", path, "").status)
	})
}
