package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// exported is an export in memory. If before is not nil, it is called before each write.
type exported struct {
	patients, practitioners, encounters, documents bytes.Buffer
	before                                         func()
}

func (e *exported) files() service.FHIRFiles {
	return service.FHIRFiles{
		Patients: watched{&e.patients, e}, Practitioners: watched{&e.practitioners, e}, Encounters: watched{&e.encounters, e}, Documents: watched{&e.documents, e},
	}
}

type watched struct {
	io.Writer
	of *exported
}

func (w watched) Write(p []byte) (int, error) {
	if w.of.before != nil {
		w.of.before()
	}
	return w.Writer.Write(p)
}

func (e *exported) byResource() map[string]string {
	return map[string]string{
		"Patient": e.patients.String(), "Practitioner": e.practitioners.String(), "Encounter": e.encounters.String(), "DocumentReference": e.documents.String(),
	}
}

func exporting(t *testing.T) context.Context {
	t.Helper()
	return audit.System(t.Context(), "export")
}

func (b *bundle) export(t *testing.T, ids ...uuid.UUID) (*exported, service.ExportReport) {
	t.Helper()
	out := &exported{}
	report, err := service.NewExportService(b.store).FHIR(exporting(t), ids, out.files(), func(_, _ int64) {})
	require.NoError(t, err)
	return out, report
}

// signedRecord adds a signed record of a patient, written by the actor of ctx.
func (b *bundle) signedRecord(t *testing.T, ctx context.Context, p uuid.UUID, in service.RecordInput) *models.MedicalRecord {
	t.Helper()
	m, err := b.records.Write(ctx, p, in)
	require.NoError(t, err)
	m, err = b.records.Sign(ctx, m.ID, anyVersion)
	require.NoError(t, err)
	return m
}

// history adds a patient with every kind of row that an export can hold.
func (b *bundle) history(t *testing.T, ctx context.Context) *models.Patient {
	t.Helper()
	in := another(input())
	in.Address = &models.Address{Street: "1 Example Street", City: "Exampleton", State: "NY", ZipCode: "10001"}
	in.EmergencyContact = &models.EmergencyContact{Name: "Kim Doe", Relationship: "sister", Phone: "(212) 555-0199", Email: "kim@example.org"}
	p, err := b.patients.Register(ctx, in)
	require.NoError(t, err)
	desk, doctor := as(t, service.RoleFrontDesk), b.practitioner(t)
	for i, to := range []string{"", models.Arrived, models.CheckedIn, models.Fulfilled, models.Cancelled, models.NoShow, models.EnteredInError} {
		in := longAgo(visit(p.Patient, doctor, time.Duration(3*i)*time.Hour))
		in.Type, in.Modality, in.VideoURL = models.AppointmentTypes()[i%5], models.Modalities()[i%3], ""
		if in.Modality == "video" {
			in.VideoURL = "https://video.example.org/zcanary"
		}
		a := b.book(t, in)
		if to != "" {
			_, err = b.appointments.Transition(desk, a.ID, anyVersion, to, "Zcanary ill", service.OnlyThis)
			require.NoError(t, err)
		}
	}
	over := longAgo(visit(p.Patient, doctor, 30*time.Minute))
	over.AllowOverlap, over.OverlapReason = true, "Zcanary crisis"
	a := b.book(t, over)
	hold := visit(p.Patient, doctor, 0)
	hold.Status = models.Pending
	b.book(t, hold)

	restricted := models.SensitivityRestricted
	b.signedRecord(t, ctx, p.ID, service.RecordInput{
		Kind: models.KindAssessment, Sensitivity: &restricted, Title: "Zcanary scores", AppointmentID: &a.ID,
		Questionnaire: &service.QuestionnaireInput{Instrument: models.GAD7, Answers: []int{0, 1, 2, 3, 0, 1, 2}},
	})
	first := b.signedRecord(t, ctx, p.ID, service.RecordInput{
		Kind: models.KindDiagnosis, Title: "Zcanary title", Content: "# Zcanary\n\ntext",
		Codes: []models.Coding{{System: "http://hl7.org/fhir/sid/icd-10-cm", Code: "F41.1", Display: "Generalized anxiety disorder"}},
	})
	other := "Zcanary other"
	_, err = b.records.Amend(ctx, first.ID, service.AmendmentInput{AmendmentReason: "Zcanary word", Content: &other})
	require.NoError(t, err)
	wrong := b.signedRecord(t, ctx, p.ID, service.RecordInput{Kind: models.KindIntake, Title: "Zcanary wrong", Content: "of another"})
	_, err = b.records.MarkError(ctx, wrong.ID, anyVersion, "of another")
	require.NoError(t, err)
	return p.Patient
}

// Data that was exported and imported into an empty database is the same.
func TestExportsAreReadBackTheSame(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		p, later, doctor := b.history(t, ctx), b.register(t), b.practitioner(t)
		b.book(t, longAgo(visit(later, doctor, 100*time.Hour)))
		// Over an ordinary appointment of a patient that comes later in the export.
		over := longAgo(visit(p, doctor, 100*time.Hour))
		over.AllowOverlap, over.OverlapReason = true, "crisis"
		b.book(t, over)
		b.practitioner(t) // a practitioner that no row names
		out, report := b.export(t)
		require.Equal(t, service.ExportReport{Patients: 2, Practitioners: 4, Encounters: 10, Documents: 4, Unreadable: []uuid.UUID{}}, report)
		again := newBundle(t, dbtest.SQLite(t))
		for resource, got := range again.imported(t, out.byResource()) {
			require.Empty(t, got.Rejected, resource)
		}
		second, _ := again.export(t)
		require.Equal(t, out.byResource(), second.byResource())
		for _, text := range out.byResource() {
			for line := range strings.Lines(text) {
				require.True(t, json.Valid([]byte(line)))
			}
		}
		require.Contains(t, out.patients.String(), p.ID.String())
	})
}

// An export never contains psychotherapy notes, drafts, and protected records without a consent.
func TestExportsKeepBackWhatTheyMust(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		p, other := b.inCareOf(t, ctx), b.inCareOf(t, ctx)
		secret := b.signedRecord(t, ctx, p.ID, service.RecordInput{Kind: models.KindPsychotherapyNote, Title: "Zpsycho title", Content: "Zpsycho text"})
		_, err := b.records.Write(ctx, p.ID, service.RecordInput{Kind: models.KindIntake, Title: "Zdraft", Content: "Zdraft"})
		require.NoError(t, err)
		part2 := b.signedRecord(t, ctx, p.ID, service.RecordInput{Kind: models.KindSUDCounselingNote, Title: "Zpart2 title", Content: "Zpart2 text"})
		b.signedRecord(t, ctx, other.ID, service.RecordInput{Kind: models.KindIntake, Title: "Other", Content: "Other"})
		all := func(e *exported) string {
			text := ""
			for _, file := range e.byResource() {
				text += file
			}
			return text
		}
		requireKept := func(e *exported) {
			t.Helper()
			text := all(e)
			for line := range strings.Lines(e.documents.String()) {
				var d struct {
					Content []struct{ Attachment struct{ Data []byte } }
				}
				require.NoError(t, json.Unmarshal([]byte(line), &d))
				text += string(d.Content[0].Attachment.Data)
			}
			for _, kept := range []string{"Zpsycho", "psychotherapy", secret.ID.String(), "Zdraft"} {
				require.NotContains(t, text, kept)
			}
		}
		out, report := b.export(t)
		requireKept(out)
		require.EqualValues(t, 1, report.Withheld)
		require.NotContains(t, all(out), part2.ID.String())
		require.Zero(t, b.count(t, "disclosure"))

		someone := b.practitioner(t).ID
		_, err = b.consents.Grant(ctx, p.ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment", RecipientID: &someone})
		require.NoError(t, err)
		out, report = b.export(t)
		require.EqualValues(t, 1, report.Withheld, "the consent is for somebody else")
		require.NotContains(t, all(out), part2.ID.String())
		consent, err := b.consents.Grant(ctx, p.ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Moving"})
		require.NoError(t, err)
		out, report = b.export(t, p.ID)
		requireKept(out)
		require.Zero(t, report.Withheld)
		require.Contains(t, out.documents.String(), part2.ID.String())
		require.Contains(t, out.documents.String(), service.Part2Notice)
		require.Contains(t, out.documents.String(), "42CFRPart2")
		require.NotContains(t, all(out), other.ID.String(), "only one was asked for")
		var disclosed []struct{ RecordID, ConsentID uuid.UUID }
		require.NoError(t, b.db.Raw("SELECT record_id, consent_id FROM disclosure WHERE notice AND disclosed_by IS NULL").Scan(&disclosed).Error)
		require.Equal(t, []struct{ RecordID, ConsentID uuid.UUID }{{part2.ID, consent.ID}}, disclosed)
		_, err = b.consents.Revoke(ctx, consent.ID, anyVersion)
		require.NoError(t, err)
		out, _ = b.export(t)
		require.NotContains(t, all(out), part2.ID.String())
		require.Equal(t, 1, b.count(t, "disclosure"))
	})
}

// Before any byte of a patient is written, an event says that the whole patient was exported.
func TestExportsAreRecordedBeforeTheyAreWritten(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		p := b.history(t, ctx)
		merged := b.inCareOf(t, ctx)
		require.NoError(t, b.merge(t, merged, p))
		out := &exported{}
		written := 0
		out.before = func() {
			written++
			require.NotEmpty(t, b.events(t, audit.Export))
		}
		report, err := service.NewExportService(b.store).FHIR(exporting(t), []uuid.UUID{p.ID}, out.files(), func(_, _ int64) {})
		require.NoError(t, err)
		require.Equal(t, 2, report.Patients, "with all rows of the person")
		require.Contains(t, out.patients.String(), `"replaced-by"`)
		require.Equal(t, report.Patients+report.Practitioners+report.Encounters+report.Documents, written)
		var subjects []uuid.UUID
		require.NoError(t, b.db.Raw("SELECT s.entity_id FROM auditsubject s JOIN auditlog l ON l.id = s.event_id WHERE l.action = 'export'").Scan(&subjects).Error)
		for table := range map[string]bool{"patient": true, "appointment": true, "medicalrecord": true} {
			var ids []uuid.UUID
			require.NoError(t, b.db.Raw("SELECT id FROM "+table+" WHERE "+map[string]string{"patient": "true", "appointment": "status <> 'pending'", "medicalrecord": "status <> 'draft'"}[table]).Scan(&ids).Error)
			require.NotEmpty(t, ids)
			for _, id := range ids {
				require.Contains(t, subjects, id, table)
			}
		}
		empty := &exported{}
		_, err = service.NewExportService(b.store).FHIR(exporting(t), []uuid.UUID{p.ID, uuid.New()}, empty.files(), func(_, _ int64) {})
		requireCode(t, apperr.NotFound, err)
		require.Empty(t, empty.patients.String(), "before it writes")

		require.NoError(t, b.db.Exec("UPDATE appointment SET reason = (SELECT reason FROM appointment WHERE status = 'noshow') WHERE status = 'fulfilled'").Error)
		_, report = b.export(t)
		require.Len(t, report.Unreadable, 1)
		require.Equal(t, 7, report.Encounters)
	})
}
