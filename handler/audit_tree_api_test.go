package handler_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"novamind/internal/auditexport"
	"novamind/internal/dbtest"
)

// The checkpoint, and the proof of any event under it, can be checked with only the public key.
func TestProofOverREST(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		event := s.do("GET", "/api/v1/patients/"+id+"/audit-logs?action=create", "").items()[0].(map[string]any)["id"].(string)
		checkpoint := s.do("GET", "/api/v1/audit-logs/checkpoint", "")
		verifier, err := note.NewVerifier(checkpoint.at("keys").([]any)[0].(string))
		require.NoError(t, err)
		_, err = note.Open([]byte(checkpoint.at("checkpoint").(string)), note.VerifierList(verifier))
		require.NoError(t, err)
		proof := s.do("GET", "/api/v1/audit-logs/"+event+"/proof", "")
		require.Equal(t, http.StatusOK, proof.status, proof.text)
		require.NotContains(t, proof.text, "García")
		report, err := auditexport.Verify(strings.NewReader(proof.at("file").(string)), note.VerifierList(verifier))
		require.NoError(t, err)
		require.True(t, report.OK)
		require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/audit-logs/"+id+"/proof", "").status)
	})
}

// The values of a change are read one event at a time, and each reading is an event on the patient.
func TestOpeningADiffIsAnEvent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		s.do("PATCH", "/api/v1/patients/"+id, `{"first_name":"Changed"}`, "If-Match: *", "X-Request-Id: change")
		event := s.eventsOf("change")[0]["id"].(string)
		one := s.do("GET", "/api/v1/audit-logs/"+event, "", "X-Request-Id: read")
		require.Equal(t, "clinician", one.at("actor_roles").([]any)[1])
		require.Equal(t, "demographics", one.at("data_category"))
		require.Equal(t, "/api/v1/patients/:id", one.at("route"))
		require.NotContains(t, one.text, "Changed")
		require.NotContains(t, s.do("GET", "/api/v1/audit-logs", "").text, "Changed")
		diff := s.do("GET", "/api/v1/audit-logs/"+event+"/diff", "", "X-Request-Id: opened")
		require.Equal(t, "Zoë Ann", diff.at("diff", "first_name", "old"), diff.text)
		require.Equal(t, "Changed", diff.at("diff", "first_name", "new"))
		opened := s.eventsOf("opened")
		require.Len(t, opened, 1)
		require.Equal(t, "open_diff", opened[0]["action"])
		require.Equal(t, []any{id}, opened[0]["subjects"])
		require.Equal(t, "read", s.eventsOf("read")[0]["action"])
		front := s.account("front@example.org", nil, "front_desk")
		require.Equal(t, http.StatusForbidden, s.as(front).do("GET", "/api/v1/audit-logs/"+event+"/diff", "", "X-Request-Id: denied").status)
		require.Equal(t, "denied", s.eventsOf("denied")[0]["outcome"])
		auditor := s.as(s.account("auditor@example.org", nil, "auditor"))
		r := auditor.do("GET", "/api/v1/audit-logs/"+event+"/diff", "", "X-Request-Id: alone")
		require.Equal(t, http.StatusForbidden, r.status, "an auditor alone sees no patients")
		require.NotContains(t, r.text+auditor.do("GET", "/api/v1/audit-logs", "").text, "Changed")
		require.NotContains(t, auditor.page("/api/v1/patients/"+id+"/accounting"), "García")
		require.Contains(t, s.page("/api/v1/patients/"+id+"/accounting"), "García")
		require.Equal(t, http.StatusNotFound, s.do("GET", "/api/v1/audit-logs/"+id, "").status)
	})
}

// The log does not show the content of a clinical record. Such records have readers of their own.
func TestClinicalDiffsStayClosed(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		event := s.forgeEvent("medicalrecord", "clinical")
		r := s.do("GET", "/api/v1/audit-logs/"+event+"/diff", "")
		require.Equal(t, http.StatusForbidden, r.status, r.text)
	})
}

// forgeEvent adds an event by plain SQL.
func (s *stack) forgeEvent(entityType, category string) string {
	s.t.Helper()
	const id = "0198c0de-0000-7000-8000-000000000001"
	columns := "id, occurred_at, action, entity_type, data_category, outcome, origin"
	values := "'" + id + "', created_at, 'update', '" + entityType + "', '" + category + "', 'success', 'api'"
	if s.db.Name() == "sqlite" {
		require.NoError(s.t, s.db.Exec("INSERT INTO auditlog ("+columns+", changes) SELECT "+values+", changes FROM auditlog LIMIT 1").Error)
		return id
	}
	require.NoError(s.t, s.db.Exec("INSERT INTO auditlog ("+columns+") SELECT "+values+" FROM auditlog LIMIT 1").Error)
	return id
}

func TestPurposeOfUse(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		require.Equal(t, http.StatusOK, s.do("GET", "/api/v1/patients/"+id, "", "X-Purpose-Of-Use: HPAYMT", "X-Request-Id: billing").status)
		require.Equal(t, "HPAYMT", s.eventsOf("billing")[0]["purpose"])
		for _, refused := range []string{"BTG", "treat", "anything"} {
			require.Equal(t, http.StatusBadRequest, s.do("GET", "/api/v1/patients/"+id, "", "X-Purpose-Of-Use: "+refused).status)
		}
	})
}

// The accounting is a page to print. It names everybody that saw the patient, and no other patient.
func TestAccountingOfAccesses(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id, other := s.register(ada), s.register(ada)
		s.do("GET", "/api/v1/patients/"+id, "")
		s.do("PATCH", "/api/v1/patients/"+id, `{"active":false}`, "If-Match: *")
		page := s.page("/api/v1/patients/"+id+"/accounting", "X-Request-Id: accounting")
		for _, want := range []string{"Zoë Ann García-López", "patient: created", "patient: read", "patient: changed", "active", "</html>", "3 accesses"} {
			require.Contains(t, page, want)
		}
		require.NotContains(t, page, other)
		event := s.eventsOf("accounting")
		require.Len(t, event, 1)
		require.Equal(t, []any{id}, event[0]["subjects"])
		require.Contains(t, s.page("/api/v1/patients/"+id+"/accounting"), "4 accesses", "the accounting shows the patient too")
		require.Contains(t, s.page("/api/v1/patients/"+id+"/accounting?to=2001-01-01T00:00:00Z"), "0 accesses")
		s.do("DELETE", "/api/v1/patients/"+id+"?purge=true&reason=asked+for", "", "If-Match: *")
		gone := s.page("/api/v1/patients/" + id + "/accounting")
		require.NotContains(t, gone, "García")
		require.Contains(t, gone, "asked for", "the log outlives the patient")
		front := s.account("front@example.org", nil, "front_desk")
		require.Equal(t, http.StatusForbidden, s.as(front).do("GET", "/api/v1/patients/"+id+"/accounting", "").status)
	})
}

// If the log cannot store the event, no byte of the page is sent.
func TestAccountingNeedsItsEvent(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		id := s.register(ada)
		dbtest.BreakAuditLog(t, s.db)
		r := s.do("GET", "/api/v1/patients/"+id+"/accounting", "")
		require.Equal(t, http.StatusServiceUnavailable, r.status)
		require.NotContains(t, r.text, "García")
	})
}
