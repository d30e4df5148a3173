package service_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// withMembers returns a line of NDJSON with further members.
func withMembers(line, members string) string {
	return strings.Replace(line, "{", "{"+members+",", 1)
}

// takenOver imports the documents about the first invented patient by the first invented practitioner.
func (b *bundle) takenOver(t *testing.T, documents ...string) service.Report {
	t.Helper()
	return b.imported(t, map[string]string{
		"Patient": lines(1, 1), "Practitioner": practitionerLine(1), "DocumentReference": strings.Join(documents, ""),
	})["DocumentReference"]
}

func (b *bundle) recordByID(t *testing.T, id uuid.UUID) (m *models.MedicalRecord) {
	t.Helper()
	require.NoError(t, b.store.Read(importing(t), func(ctx context.Context) (err error) {
		m, err = repository.NewMedicalRecordRepository(b.store).ByID(ctx, id)
		return err
	}))
	return m
}

// Labels are read in every place where they may be. A document is protected unless its label is known to be open.
func TestDocumentsKeepWhatProtectsThem(t *testing.T) {
	t.Parallel()
	const confidentiality, actCodes = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	coding := func(system, code string) string { return `{"system":"` + system + `","code":"` + code + `"}` }
	resource := func(codings ...string) string { return `"meta":{"security":[` + strings.Join(codings, ",") + `]}` }
	document := func(codings ...string) string {
		return `"securityLabel":[{"coding":[` + strings.Join(codings, "]},{\"coding\":[") + `]}]`
	}
	normal, restricted, part2, psychotherapy := models.SensitivityNormal, models.SensitivityRestricted, models.SensitivityPart2, models.SensitivityPsychotherapy
	cases := []struct{ members, want string }{
		{`"meta":{"versionId":"1"}`, normal},
		{resource(coding(confidentiality, "N")), normal},
		{document(coding(confidentiality, "L")), normal},
		{resource(coding(confidentiality, "R")), restricted},
		{resource(coding(confidentiality, "V")), restricted},
		{document(coding(confidentiality, "N"), coding(confidentiality, "R")), restricted},
		{resource(coding("urn:other", "R")), restricted},
		{resource(coding("urn:other", "N")), restricted},
		{`"meta":{"security":[{"code":"N"}]}`, restricted},
		{`"securityLabel":[{"text":"Zcanary secret"}]`, restricted},
		{resource(coding(actCodes, "PSY")), restricted},
		{document(coding(actCodes, "SUD")), restricted},
		{document(coding(actCodes, "ETH")), restricted},
		{resource(coding(actCodes, "HIV")), restricted},
		{resource(coding(actCodes, "SDV")), restricted},
		{resource(coding(actCodes, "42CFRPart2")), part2},
		{document(coding(actCodes, "42CFRPart2")), part2},
		{resource(coding(confidentiality, "R"), coding("urn:other", "42cfrpart2")), part2},
		{resource(coding(actCodes, "42CFRPart2")) + "," + document(coding(confidentiality, "N")), part2},
		{resource(coding(actCodes, "PSYTHPN")), psychotherapy},
		{document(coding(actCodes, "42CFRPart2"), coding(actCodes, "PSYTHPN")), psychotherapy},
		{`"extension":[{"url":"urn:novamind:kind","valueString":"sud_counseling_note"}],` + resource(coding(confidentiality, "R")), part2},
		{`"extension":[{"url":"urn:novamind:kind","valueString":"intake"}],` + resource(coding(actCodes, "PSYTHPN")), psychotherapy},
	}
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		var documents []string
		for n, c := range cases {
			documents = append(documents, withMembers(documentLine(n, 1, 1, 1), c.members))
		}
		require.Equal(t, service.Report{Created: len(cases), Rejected: []service.Reject{}}, b.takenOver(t, documents...))
		for n, c := range cases {
			m := b.recordByID(t, lineID(3000+n))
			require.Equal(t, c.want, m.Sensitivity, c.members)
			require.Equal(t, c.want == psychotherapy, m.Kind == models.KindPsychotherapyNote, c.members)
		}
	})
}

// amendmentOf returns a document that amends another.
func amendmentOf(n, of int) string {
	return withMembers(documentLine(n, 1, 1, 1), `"extension":[{"url":"urn:novamind:amendment-reason","valueString":"Zcanary word"}],`+
		`"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/`+lineID(3000+of).String()+`"}}]`)
}

// An amendment that is imported later marks its predecessor as amended, like an amendment that is written here.
func TestImportedAmendmentsMoveOnWhatTheyAmend(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.takenOver(t, documentLine(1, 1, 1, 1))
		require.Equal(t, models.RecordFinal, b.recordByID(t, lineID(3001)).Status)
		require.Equal(t, 2, b.takenOver(t, amendmentOf(2, 1), amendmentOf(3, 1)).Created)
		require.Equal(t, models.RecordAmended, b.recordByID(t, lineID(3001)).Status)
		require.Equal(t, lineID(3001), *b.recordByID(t, lineID(3002)).SupersedesID)
		require.Equal(t, models.RecordFinal, b.recordByID(t, lineID(3002)).Status)
		require.Nil(t, b.recordByID(t, lineID(3003)).SupersedesID, "one follows, not two")

		author := b.clinician(t)
		who, err := audit.ActorFrom(author)
		require.NoError(t, err)
		draft, err := b.records.Write(b.caring(t, who, lineID(1)), lineID(1), service.RecordInput{Kind: models.KindIntake})
		require.NoError(t, err)
		b.takenOver(t, strings.ReplaceAll(amendmentOf(4, 1), lineID(3001).String(), draft.ID.String()))
		require.Nil(t, b.recordByID(t, lineID(3004)).SupersedesID, "a draft is not amended")
		require.NoError(t, repository.NewSequencer(b.store).Drain(importing(t)))
		var direct int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = ? AND entity_type = 'medicalrecord'", audit.DirectSQL).Scan(&direct).Error)
		require.Zero(t, direct)
	})
}

// An amendment of a rejected line is imported as a record of its own.
func TestImportedAmendmentsOfRefusedLinesStand(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		require.Equal(t, 1, b.takenOver(t, documentLine(1, 1, 9, 1), amendmentOf(2, 1)).Created)
		require.Nil(t, b.recordByID(t, lineID(3002)).SupersedesID)
	})
}

// caring returns a context in which an account acts that has the patient in care.
func (b *bundle) caring(t *testing.T, who audit.Actor, patient uuid.UUID) context.Context {
	t.Helper()
	require.NoError(t, repository.NewCareRepository(b.store).Note(t.Context(), patient, who.ID, models.CareRegistered, time.Now()))
	return audit.WithActor(t.Context(), who)
}

// Answers that mention thoughts of self-harm raise a flag wherever they were given, once for a record and its
// amendments.
func TestImportedAnswersRaiseFlags(t *testing.T) {
	t.Parallel()
	answers := func(last string) string {
		return `{"url":"urn:novamind:kind","valueString":"assessment"},{"url":"urn:novamind:questionnaire","valueString":"{\"instrument\":\"phq-9\",\"answers\":[0,0,0,0,0,0,0,0,` + last + `]}"}`
	}
	amended := strings.Replace(amendmentOf(2, 1), `"extension":[`, `"extension":[`+answers("2")+",", 1)
	wrong := strings.Replace(withMembers(documentLine(4, 1, 1, 1), `"extension":[`+answers("3")+"]"), "superseded", "entered-in-error", 1)
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		first := withMembers(documentLine(1, 1, 1, 1), `"extension":[`+answers("1")+"]")
		none := withMembers(documentLine(3, 1, 1, 1), `"extension":[`+answers("0")+"]")
		for range 2 {
			require.Empty(t, b.takenOver(t, first, amended, none, wrong).Rejected)
			var flagged []string
			require.NoError(t, b.db.Raw("SELECT record_id FROM riskflag").Scan(&flagged).Error)
			require.Equal(t, []string{lineID(3001).String()}, flagged)
		}
	})
}

// A rejected line does not use up an id that a valid line has.
func TestOnlyLinesThatAreTakenHaveTheirID(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		good := documentLine(1, 1, 1, 1)
		unread := strings.Replace(good, "text/plain", "image/png", 1)
		tooLong := withMembers(good, `"extension":[{"url":"urn:novamind:kind","valueString":"none"}]`)
		report := b.takenOver(t, unread, tooLong, documentLine(1, 9, 1, 1), good, good, documentLine(1, 9, 1, 1))
		require.Equal(t, 1, report.Created)
		require.Equal(t, []service.Reject{
			{Line: 1, Reason: "content.attachment: neither plain text nor Markdown, in UTF-8"},
			{Line: 2, Reason: "extension/kind: unknown_value"},
			{Line: 3, Reason: "subject: a patient who is not here"},
			{Line: 5, Reason: "has the id of line 4"},
			{Line: 6, Reason: "has the id of line 4"},
		}, report.Rejected)
		require.Equal(t, lineID(1), b.recordByID(t, lineID(3001)).PatientID)
	})
}

// A note is imported even if one of its codes is invalid here; the code is left out.
func TestNotesAreKeptWithoutCodesThatCannotBe(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		line := strings.Replace(documentLine(1, 1, 1, 1), `"coding":[`, `"coding":[{"system":"http://loinc.org","code":"LP173418-7"},{"system":"no uri","code":"x"},`, 1)
		require.Equal(t, 1, b.takenOver(t, line).Created)
		m := b.recordByID(t, lineID(3001))
		require.Equal(t, models.KindProgressNote, m.Kind)
		require.Equal(t, []models.Coding{{System: models.LOINC, Code: "11506-3", Display: "Progress note"}}, m.Codes.Plain())
	})
}
