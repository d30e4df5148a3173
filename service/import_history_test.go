package service_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

const npi = "http://hl7.org/fhir/sid/us-npi"

// practitionerLine returns the nth invented practitioner.
func practitionerLine(n int) string {
	return fmt.Sprintf(`{"resourceType":"Practitioner","id":"%s","identifier":[{"system":"%s","value":"%d"}],"name":[{"family":"Doctor%d","given":["Kim"]}],`+
		`"telecom":[{"system":"email","value":"doctor%d@example.org"}]}`, lineID(1000+n), npi, n, n, n) + "\n"
}

// encounterLine returns an hour of a patient with a practitioner, from the given hour of a day.
func encounterLine(n, patient, practitioner, hour int, status string) string {
	return fmt.Sprintf(`{"resourceType":"Encounter","id":"%s","status":"%s","class":{"code":"AMB"},"type":[{"text":"Zcanary visit"}],"subject":{"reference":"Patient/%s"},`+
		`"participant":[{"individual":{"reference":"Practitioner?identifier=%s|%d"}}],"period":{"start":"2001-02-03T%02d:00:00-05:00","end":"2001-02-03T%02d:30:00-05:00"}}`,
		lineID(2000+n), status, lineID(patient), npi, practitioner, hour, hour+1) + "\n"
}

// documentLine returns a note of a patient.
func documentLine(n, patient, practitioner, encounter int) string {
	return fmt.Sprintf(`{"resourceType":"DocumentReference","id":"%s","status":"superseded","type":{"coding":[{"system":"http://loinc.org","code":"11506-3","display":"Progress note"}]},`+
		`"subject":{"reference":"Patient/%s"},"author":[{"reference":"Practitioner?identifier=%s|%d"}],"date":"2001-02-03T10:00:00-05:00",`+
		`"content":[{"attachment":{"contentType":"text/plain; charset=utf-8","data":"%s"}}],"context":{"encounter":[{"reference":"Encounter/%s"}]}}`,
		lineID(3000+n), lineID(patient), npi, practitioner, base64.StdEncoding.EncodeToString([]byte("Zcanary text\n")), lineID(2000+encounter)) + "\n"
}

// imported imports a small export and returns the reports by resource.
func (b *bundle) imported(t *testing.T, export map[string]string) map[string]service.Report {
	t.Helper()
	imports := b.importing()
	reports := map[string]service.Report{}
	for _, file := range []struct {
		resource string
		take     func(context.Context, io.Reader, bool, func(int64)) (service.Report, error)
	}{
		{"Patient", imports.Patients}, {"Practitioner", imports.Practitioners}, {"Encounter", imports.Encounters}, {"DocumentReference", imports.Documents},
	} {
		report, err := file.take(importing(t), strings.NewReader(export[file.resource]), false, nil)
		require.NoError(t, err, file.resource)
		reports[file.resource] = report
	}
	return reports
}

func smallExport() map[string]string {
	return map[string]string{
		"Patient":      lines(1, 2),
		"Practitioner": practitionerLine(1) + practitionerLine(2) + strings.ReplaceAll(practitionerLine(3), "doctor3@", "doctor1@"),
		"Encounter": encounterLine(1, 1, 1, 8, "finished") + encounterLine(2, 1, 2, 9, "finished") + encounterLine(3, 2, 1, 12, "cancelled") +
			encounterLine(4, 9, 1, 8, "finished") + encounterLine(5, 1, 9, 8, "finished") + encounterLine(6, 1, 1, 8, "unknown"),
		"DocumentReference": documentLine(1, 1, 1, 1) + documentLine(2, 2, 1, 1) + documentLine(3, 9, 1, 1),
	}
}

func TestHistoriesAreTakenOver(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		reports := b.imported(t, smallExport())
		for resource, want := range map[string]service.Report{
			"Patient":      {Created: 2, Rejected: []service.Reject{}},
			"Practitioner": {Created: 2, Rejected: []service.Reject{{Line: 3, Reason: "telecom: an account has this e-mail already"}}},
			"Encounter": {Created: 3, Rejected: []service.Reject{
				{Line: 4, Reason: "subject: a patient who is not here"},
				{Line: 5, Reason: "practitioner: one who is not here"},
				{Line: 6, Reason: "status: none that an appointment has"},
			}},
			"DocumentReference": {Created: 2, Rejected: []service.Reject{{Line: 3, Reason: "subject: a patient who is not here"}}},
		} {
			require.Equal(t, want, reports[resource], resource)
		}
		ctx := importing(t)
		require.NoError(t, b.store.Read(ctx, func(ctx context.Context) error {
			account, err := repository.NewAccountRepository(b.store).ByID(ctx, lineID(1001))
			require.NoError(t, err)
			require.True(t, account.Disabled, "until somebody invites them")
			require.Equal(t, []string{service.RoleClinician}, []string(account.Roles))
			appointments := repository.NewAppointmentRepository(b.store)
			first, err := appointments.ByID(ctx, lineID(2001))
			require.NoError(t, err)
			require.Equal(t, models.Fulfilled, first.Status)
			require.False(t, first.AllowOverlap)
			require.Equal(t, "Zcanary visit", first.Reason.Plain())
			second, err := appointments.ByID(ctx, lineID(2002))
			require.NoError(t, err)
			require.True(t, second.AllowOverlap, "it overlaps the first")
			require.NotEmpty(t, second.OverlapReason.Plain())
			records := repository.NewMedicalRecordRepository(b.store)
			note, err := records.ByID(ctx, lineID(3001))
			require.NoError(t, err)
			require.Equal(t, models.RecordFinal, note.Status)
			require.Equal(t, models.KindProgressNote, note.Kind)
			require.Equal(t, "Zcanary text", note.Content.Plain())
			require.Equal(t, lineID(2001), *note.AppointmentID)
			require.Equal(t, lineID(1001), *note.SignedBy)
			other, err := records.ByID(ctx, lineID(3002))
			require.Nil(t, other.AppointmentID, "the encounter is another patient's")
			return err
		}))
	})
}

// importedRows returns every row that an import makes, as text.
func (b *bundle) importedRows(t *testing.T) (out []string) {
	t.Helper()
	for _, table := range []string{"patient", "account", "appointment", "medicalrecord"} {
		var rows []string
		require.NoError(t, b.db.Raw("SELECT CAST(id AS text) || ' ' || version || ' ' || updated_at FROM "+table+" ORDER BY id").Scan(&rows).Error)
		out = append(out, rows...)
	}
	return out
}

// A time is rejected if databases can't hold it, or if a future appointment with it could not be booked. Past
// appointments keep their times.
func TestImportedTimesAreThoseOfAClinic(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		during := func(n int, start, end string) string {
			line := encounterLine(n, 1, 1, 8, "finished")
			return strings.ReplaceAll(strings.ReplaceAll(line, "2001-02-03T08:00:00-05:00", start), "2001-02-03T09:30:00-05:00", end)
		}
		export := map[string]string{
			"Patient": lines(1, 1), "Practitioner": practitionerLine(1),
			"Encounter": during(1, "2001-02-03T08:00:00Z", "9999-12-31T23:59:59-12:00") + during(2, "0000-01-01T00:00:00+14:00", "2001-02-03T08:00:00Z") +
				during(3, "0900-01-01T00:00:00Z", "2001-02-03T08:00:00Z") + during(4, "2020-02-03T08:00:00Z", "2199-02-03T08:00:00Z") +
				during(5, "2190-02-03T08:00:00Z", "2190-02-03T08:00:30Z") + during(6, "2001-02-03T08:00:00Z", "2001-03-03T08:00:00Z") +
				during(7, "2190-02-03T08:00:00Z", "2190-02-03T09:00:00Z"),
			"DocumentReference": strings.ReplaceAll(documentLine(1, 1, 1, 6), "2001-02-03T10:00:00-05:00", "0000-01-01T00:00:00+14:00") + documentLine(2, 1, 1, 6),
		}
		reports := b.imported(t, export)
		age := "not a time with its zone, from 1900 to 2200"
		require.Equal(t, service.Report{Created: 2, Rejected: []service.Reject{
			{Line: 1, Reason: "period.end: " + age},
			{Line: 2, Reason: "period.start: " + age},
			{Line: 3, Reason: "period.start: " + age},
			{Line: 4, Reason: "ends_at: out_of_range"},
			{Line: 5, Reason: "ends_at: too_early"},
		}}, reports["Encounter"])
		require.Equal(t, service.Report{Created: 1, Rejected: []service.Reject{{Line: 1, Reason: "date: " + age}}}, reports["DocumentReference"])
	})
}

// An import that was interrupted at any point can be run again and completes. Running a complete import again changes
// nothing.
func TestHistoriesAreTakenOverOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		export := map[string]string{"Patient": lines(1, 1), "Practitioner": practitionerLine(1)}
		for n := range 230 { // more than two batches
			export["Encounter"] += encounterLine(n, 1, 1, n%22, "finished")
			export["DocumentReference"] += documentLine(n, 1, 1, n)
		}
		imports := b.importing()
		_, err := imports.Patients(importing(t), strings.NewReader(export["Patient"]), false, nil)
		require.NoError(t, err)
		_, err = imports.Practitioners(importing(t), strings.NewReader(export["Practitioner"]), false, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(importing(t))
		report, err := imports.Encounters(ctx, strings.NewReader(export["Encounter"]), false, func(int64) { cancel() })
		require.Error(t, err)
		require.Equal(t, 100, report.Created)
		require.Equal(t, 100, b.count(t, "appointment"))

		reports := b.imported(t, export)
		require.Equal(t, service.Report{Created: 130, Existing: 100, Rejected: []service.Reject{}}, reports["Encounter"])
		require.Equal(t, service.Report{Created: 230, Rejected: []service.Reject{}}, reports["DocumentReference"])
		before := b.importedRows(t)
		for resource, report := range b.imported(t, export) {
			require.Zero(t, report.Created, resource)
			require.Empty(t, report.Rejected, resource)
		}
		require.Equal(t, before, b.importedRows(t))
		require.NoError(t, repository.NewSequencer(b.store).Drain(importing(t)))
		var direct int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = ?", audit.DirectSQL).Scan(&direct).Error)
		require.Zero(t, direct)
	})
}

func TestStrictImportOfHistoriesStops(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		export := smallExport()
		b.imported(t, map[string]string{"Patient": export["Patient"], "Practitioner": practitionerLine(1)})
		_, err := b.importing().Encounters(importing(t), strings.NewReader(encounterLine(1, 9, 1, 8, "finished")), true, nil)
		require.ErrorIs(t, err, service.ErrRejected)
	})
}
