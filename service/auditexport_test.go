package service_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/auditexport"
	"novamind/internal/dbtest"
	"novamind/service"
)

func verifiers(t *testing.T, keys []string) note.Verifiers {
	t.Helper()
	var known []note.Verifier
	for _, key := range keys {
		verifier, err := note.NewVerifier(key)
		require.NoError(t, err)
		known = append(known, verifier)
	}
	return note.VerifierList(known...)
}

// An export holds the requested events with proofs, and names people only by ids. Each chunk is an event before it is
// written.
func TestExport(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		log := service.NewAuditTreeService(b.store)
		const patients = 510 // more than one chunk
		inputs := make([]service.PatientInput, patients)
		for i := range inputs {
			inputs[i] = input()
		}
		_, err := b.imports.IntoEmpty(audit.System(t.Context(), "import"), inputs)
		require.NoError(t, err)
		p := b.register(t)
		auditor := as(t, service.RoleAuditor)
		for _, format := range auditexport.Formats() {
			var file bytes.Buffer
			n, err := log.Export(auditor, service.AuditLogQuery{}, format, &checking{t, b, &file}, nil)
			require.NoError(t, err)
			report, err := auditexport.Verify(bytes.NewReader(file.Bytes()), verifiers(t, log.VerifierKeys()))
			require.NoError(t, err)
			require.True(t, report.OK && report.Complete, "%+v", report.Findings)
			require.Equal(t, n, report.Events)
			require.GreaterOrEqual(t, report.Events, int64(patients))
			require.NotContains(t, file.String(), "García")
		}
		var file bytes.Buffer
		n, err := log.Export(auditor, service.AuditLogQuery{Subject: []uuid.UUID{p.ID}}, auditexport.NDJSON, &file, nil)
		require.NoError(t, err)
		require.EqualValues(t, 1, n)
		report, err := auditexport.Verify(&file, verifiers(t, log.VerifierKeys()))
		require.NoError(t, err)
		require.True(t, report.OK)
		require.False(t, report.Complete)
		exports := b.events(t, audit.Export)
		require.Len(t, exports, 2*len(auditexport.Formats())+1, "one for each chunk")
		require.Equal(t, "ndjson subject", *exports[len(exports)-1].Details)
		_, err = log.Export(as(t, service.RoleAdmin), service.AuditLogQuery{}, auditexport.CSV, io.Discard, nil)
		require.True(t, apperr.Is(err, apperr.Forbidden))
	})
}

// checking is a file that checks at every write that the log already has the event of the chunk.
type checking struct {
	t *testing.T
	b *bundle
	io.Writer
}

// Write implements io.Writer.
func (c *checking) Write(p []byte) (int, error) {
	require.NotEmpty(c.t, c.b.events(c.t, audit.Export))
	return c.Writer.Write(p)
}

// If the log cannot store the event, nothing is written.
func TestExportNeedsItsEvent(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		log := service.NewAuditTreeService(b.store)
		_, _, err := log.Checkpoint(t.Context())
		require.NoError(t, err)
		dbtest.BreakAuditLog(t, b.db)
		var file bytes.Buffer
		_, err = log.Export(as(t, service.RoleAuditor), service.AuditLogQuery{}, auditexport.NDJSON, &file, nil)
		require.True(t, apperr.Is(err, apperr.AuditUnavailable))
		require.Zero(t, file.Len())
	})
}
