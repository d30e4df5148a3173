package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

func lineID(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }

// line returns the FHIR resource of the nth invented patient, with further members.
func line(n int, more ...string) string {
	return fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"Family%d","given":["Given"]}],`+
		`"birthDate":"1970-01-02","telecom":[{"system":"email","value":"p%d@example.org"}]%s}`, lineID(n), n, n, strings.Join(more, "")) + "\n"
}

func lines(from, to int) string {
	var b strings.Builder
	for n := from; n <= to; n++ {
		b.WriteString(line(n))
	}
	return b.String()
}

func importing(t *testing.T) context.Context {
	t.Helper()
	return audit.System(t.Context(), "import")
}

// rows returns the stored columns of every patient, as text.
func (b *bundle) rows(t *testing.T) (out []string) {
	t.Helper()
	require.NoError(t, b.db.Raw(`SELECT CAST(id AS text) || ' ' || version || ' ' || first_name || ' ' || CAST(contact_info AS text) || ' ' || updated_at
		FROM patient ORDER BY id`).Scan(&out).Error)
	return out
}

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		const n = 120 // more than one batch
		var read []int64
		report, err := b.imports.Patients(importing(t), strings.NewReader(lines(1, n)), false, func(bytes int64) { read = append(read, bytes) })
		require.NoError(t, err)
		require.Equal(t, service.Report{Created: n, Rejected: []service.Reject{}}, report)
		require.NotEmpty(t, read)
		before, events := b.rows(t), len(b.events(t, audit.Create))
		require.Len(t, before, n)
		require.Equal(t, n, events, "an event for each")

		report, err = b.imports.Patients(importing(t), strings.NewReader(lines(1, n)), true, nil)
		require.NoError(t, err)
		require.Equal(t, service.Report{Existing: n, Rejected: []service.Reject{}}, report)
		require.Equal(t, before, b.rows(t))
		require.Len(t, b.events(t, audit.Create), events)

		p, err := b.patients.Get(as(t, service.RoleFrontDesk), lineID(7))
		require.NoError(t, err, "ids are kept")
		require.Equal(t, "Family7", p.LastName.Plain())
		require.Equal(t, int64(1), p.Version)
	})
}

func TestImportNamesRejectsByLineAndReason(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		file := line(1) + // 1
			"\n" + // 2: blank
			`{"resourceType":"Observation"}` + "\n" + // 3
			canary + "\n" + // 4
			strings.Replace(line(5), "1970-01-02", "1849-12-31", 1) + // 5
			strings.Replace(line(6), "1970-01-02", "2999-01-01", 1) + // 6
			line(1) + // 7: the id of line 1
			strings.Replace(line(8), "p8@example.org", canary, 1) + // 8
			line(9) // 9
		report, err := b.imports.Patients(importing(t), strings.NewReader(file), false, nil)
		require.NoError(t, err)
		require.Equal(t, 2, report.Created)
		reasons := map[int]string{}
		for _, r := range report.Rejected {
			require.NotContains(t, r.Reason, canary)
			require.NotEmpty(t, r.Reason)
			reasons[r.Line] = r.Reason
		}
		require.Len(t, report.Rejected, 6)
		require.Len(t, reasons, 6)
		require.Equal(t, "date_of_birth: date", reasons[5])
		require.Equal(t, "date_of_birth: future_date", reasons[6])
		require.Equal(t, "has the id of line 1", reasons[7])
		require.Equal(t, "contact_info/email: email", reasons[8])
		for _, bad := range []int{3, 4} {
			require.Contains(t, reasons, bad)
		}
		require.Equal(t, 2, b.count(t, "patient"))
	})
}

// A strict import stops at the first bad line. Lines before it are imported.
func TestStrictImportStops(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		report, err := b.imports.Patients(importing(t), strings.NewReader(lines(1, 3)+canary+"\n"+lines(5, 9)+canary+"\n"), true, nil)
		require.ErrorIs(t, err, service.ErrRejected)
		require.NotContains(t, err.Error(), canary)
		require.Equal(t, 3, report.Created)
		require.Len(t, report.Rejected, 1)
		require.Equal(t, 4, report.Rejected[0].Line)
		require.Equal(t, 3, b.count(t, "patient"))
	})
}

// An interruption leaves whole batches; the next run adds the rest.
func TestInterruptedImportGoesOn(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx, cancel := context.WithCancel(importing(t))
		report, err := b.imports.Patients(ctx, strings.NewReader(lines(1, 250)), false, func(int64) { cancel() })
		require.Error(t, err)
		require.Equal(t, 100, report.Created)
		before := b.rows(t)
		require.Len(t, before, 100)
		report, err = b.imports.Patients(importing(t), strings.NewReader(lines(1, 250)), false, nil)
		require.NoError(t, err)
		require.Equal(t, service.Report{Created: 150, Existing: 100, Rejected: []service.Reject{}}, report)
		require.Equal(t, before, b.rows(t)[:100])

		report, err = b.imports.Patients(importing(t), &brokenReader{strings.NewReader(lines(251, 251))}, false, nil)
		require.True(t, apperr.Is(err, apperr.Malformed), "%v", err)
		require.NotNil(t, report.Rejected)
	})
}

// brokenReader fails where its text ends.
type brokenReader struct{ text *strings.Reader }

func (r *brokenReader) Read(p []byte) (int, error) {
	if r.text.Len() == 0 {
		return 0, errors.New("device lost")
	}
	return r.text.Read(p)
}

func TestImportedPatientsWhoLeft(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		file := line(1) + line(2, `,"deceasedBoolean":true`) + line(3, `,"deceasedDateTime":"1999-01-01"`) + line(4, `,"active":false`) +
			line(5, `,"deceasedBoolean":false`)
		_, err := b.imports.Patients(importing(t), strings.NewReader(file), true, nil)
		require.NoError(t, err)
		for n, active := range map[int]bool{1: true, 2: false, 3: false, 4: false, 5: true} {
			p, err := b.patients.Get(as(t, service.RoleFrontDesk), lineID(n))
			require.NoError(t, err)
			require.Equal(t, active, p.Active, n)
		}
	})
}

// An import never overwrites changes that the clinic's staff made, whatever the other system still holds.
func TestImportLeavesChangedPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		_, err := b.imports.Patients(importing(t), strings.NewReader(lines(1, 2)), true, nil)
		require.NoError(t, err)
		_, err = b.patients.Change(as(t, service.RoleFrontDesk), lineID(1), anyVersion, func(*models.Patient) (service.PatientInput, error) {
			return input(), nil
		})
		require.NoError(t, err)
		before := b.rows(t)
		report, err := b.imports.Patients(importing(t), strings.NewReader(lines(1, 3)), true, nil)
		require.NoError(t, err)
		require.Equal(t, service.Report{Created: 1, Existing: 2, Rejected: []service.Reject{}}, report)
		require.Equal(t, before, b.rows(t)[:2])
		p, err := b.patients.Get(as(t, service.RoleFrontDesk), lineID(1))
		require.NoError(t, err)
		require.Equal(t, "García-López", p.LastName.Plain())
	})
}

func TestIntoEmptyOnly(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		bad := input()
		bad.LastName = ""
		_, err := b.imports.IntoEmpty(importing(t), []service.PatientInput{input(), bad})
		require.True(t, apperr.Is(err, apperr.Invalid))
		require.Zero(t, b.count(t, "patient"), "all or none")
		for _, want := range []int{2, 0} {
			added, err := b.imports.IntoEmpty(importing(t), []service.PatientInput{input(), input()})
			require.NoError(t, err)
			require.Len(t, added, want)
		}
		require.Equal(t, 2, b.count(t, "patient"))
	})
}
