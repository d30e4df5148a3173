package service_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// clinician returns the context of a clinician with an account.
func (b *bundle) clinician(t *testing.T) context.Context {
	t.Helper()
	a := &models.Account{Email: uuid.NewString() + "@example.org", Name: "Test", Roles: []string{service.RoleClinician}, PasswordHash: "x"}
	accounts := repository.NewAccountRepository(b.store)
	require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error { return accounts.Create(ctx, a) }))
	return audit.WithActor(t.Context(), audit.Actor{ID: a.ID, Roles: a.Roles, Origin: "test"})
}

// enroll gives the actor of ctx an account.
func (b *bundle) enroll(t *testing.T, ctx context.Context) {
	t.Helper()
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return
	}
	accounts := repository.NewAccountRepository(b.store)
	require.NoError(t, b.store.InTx(audit.System(t.Context(), "test"), func(ctx context.Context) error {
		if _, err := accounts.ByID(ctx, actor.ID); err == nil {
			return nil
		}
		return accounts.Create(ctx, &models.Account{
			Base: models.Base{ID: actor.ID}, Email: uuid.NewString() + "@example.org", Name: "Test", Roles: []string{}, PasswordHash: "x",
		})
	}))
}

// recordFor adds a draft of a patient in the care of the actor of ctx. The actor is the author if they may write
// records, else a clinician is.
func (b *bundle) recordFor(t *testing.T, ctx context.Context) *models.MedicalRecord {
	t.Helper()
	writer, p := b.writer(t, ctx)
	in := service.RecordInput{
		Kind: models.KindAssessment, Title: "Visit", Content: "Text",
		Questionnaire: &service.QuestionnaireInput{Instrument: models.PHQ9, Answers: []int{0, 0, 0, 0, 0, 0, 0, 0, 1}},
	}
	m, err := b.records.Write(writer, p.ID, in)
	require.NoError(t, err)
	return m
}

func (b *bundle) flagFor(t *testing.T, ctx context.Context) uuid.UUID {
	t.Helper()
	var flag string
	require.NoError(t, b.db.Raw("SELECT id FROM riskflag WHERE record_id = ?", b.recordFor(t, ctx).ID).Scan(&flag).Error)
	return uuid.MustParse(flag)
}

func (b *bundle) consentFor(t *testing.T, ctx context.Context) *models.Consent {
	t.Helper()
	writer, p := b.writer(t, ctx)
	c, err := b.consents.Grant(writer, p.ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
	require.NoError(t, err)
	return c
}

// writer returns the context of an author for a new patient: the actor of ctx if they may write, else a clinician.
// The patient is in the care of both.
func (b *bundle) writer(t *testing.T, ctx context.Context) (context.Context, *models.Patient) {
	t.Helper()
	p := b.inCareOf(t, ctx)
	if actor, err := audit.ActorFrom(ctx); err == nil && slices.Contains(actor.Roles, service.RoleClinician) && !b.nobodysCare {
		b.enroll(t, ctx)
		return ctx, p
	}
	writer := b.clinician(t)
	who, err := audit.ActorFrom(writer)
	require.NoError(t, err)
	require.NoError(t, b.care.Note(t.Context(), p.ID, who.ID, models.CareAssigned, time.Now()))
	return writer, p
}

// signed adds a signed record of a patient in its author's care.
func (b *bundle) signed(t *testing.T, ctx context.Context) *models.MedicalRecord {
	t.Helper()
	p := b.inCareOf(t, ctx)
	m, err := b.records.Write(ctx, p.ID, service.RecordInput{Kind: models.KindProgressNote, Title: "Zcanary title", Content: "Zcanary content"})
	require.NoError(t, err)
	m, err = b.records.Sign(ctx, m.ID, anyVersion)
	require.NoError(t, err)
	return m
}

// Signed records move to new keys. A purge of their patient removes them, and its event names them.
func TestSignedRecordsAreResealedAndPurged(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		m := b.signed(t, ctx)
		content := func() (text string) {
			require.NoError(t, b.db.Raw("SELECT content FROM medicalrecord").Scan(&text).Error)
			return text
		}
		before := content()
		_, err := b.keys().Rotate(audit.System(t.Context(), "test"), phi.Data)
		require.NoError(t, err)
		done, err := b.keys().Reseal(audit.System(t.Context(), "test"), 0, nil)
		require.NoError(t, err)
		require.Equal(t, 2, done.Resealed, "the patient and the record")
		require.NotEqual(t, before[:13], content()[:13])
		m, err = b.records.Get(ctx, m.ID)
		require.NoError(t, err)
		require.Equal(t, "Zcanary content", m.Content.Plain())

		require.NoError(t, b.patients.Purge(as(t, service.RoleAdmin), m.PatientID, anyVersion, "asked for"))
		require.Zero(t, b.count(t, "medicalrecord"))
		var named int64
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditsubject s JOIN auditlog e ON e.id = s.event_id WHERE e.action = 'purge' AND s.row_digest = '-'").Scan(&named).Error)
		require.EqualValues(t, 2, named, "the patient and the record")
		require.NoError(t, repository.NewSequencer(b.store).Drain(audit.System(t.Context(), "test")))
		var direct int64
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = 'direct-sql' AND entity_type <> 'carerelationship'").Scan(&direct).Error)
		require.Zero(t, direct, "every change has its event, but for the care that the test wrote by itself")
	})
}

// A purge removes all rows of a patient, and its event names each.
func TestPurgesNameAllThatGoes(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		author, colleague := b.practitioner(t), b.practitioner(t)
		a := b.meeting(t, author, time.Hour)
		ctx, id := b.on(t, author), a.PatientID
		require.NoError(t, b.care.Note(t.Context(), id, colleague.ID, models.CareAssigned, time.Now()))
		part2 := models.SensitivityPart2
		m, err := b.records.Write(ctx, id, service.RecordInput{
			Kind: models.KindAssessment, Sensitivity: &part2, Title: "x", AppointmentID: &a.ID,
			Questionnaire: &service.QuestionnaireInput{Instrument: models.PHQ9, Answers: []int{0, 0, 0, 0, 0, 0, 0, 0, 1}},
		})
		require.NoError(t, err)
		_, err = b.records.Sign(ctx, m.ID, anyVersion)
		require.NoError(t, err)
		_, err = b.consents.Grant(ctx, id, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
		require.NoError(t, err)
		_, err = b.records.Amend(b.on(t, colleague), m.ID, service.AmendmentInput{AmendmentReason: "x"})
		require.NoError(t, err)
		_, err = b.records.Write(ctx, id, service.RecordInput{Kind: models.KindPsychotherapyNote, Title: "x"})
		require.NoError(t, err)
		var want []string
		for table, n := range map[string]int{"patient": 1, "appointment": 1, "medicalrecord": 3, "consent": 1, "disclosure": 1, "riskflag": 1} {
			require.Equal(t, n, b.count(t, table), table)
			want = append(want, slices.Repeat([]string{table}, n)...)
		}
		require.NoError(t, b.patients.Purge(as(t, service.RoleAdmin), id, anyVersion, "asked for"))
		var named []string
		require.NoError(t, b.db.Raw("SELECT s.entity_type FROM auditsubject AS s JOIN auditlog AS e ON e.id = s.event_id WHERE e.action = 'purge' AND s.row_digest = '-'").
			Scan(&named).Error)
		require.ElementsMatch(t, want, named)
		for _, table := range want {
			require.Zero(t, b.count(t, table), table)
		}
		require.NoError(t, repository.NewSequencer(b.store).Drain(audit.System(t.Context(), "test")))
		var direct int64
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = 'direct-sql' AND entity_type <> 'carerelationship'").Scan(&direct).Error)
		require.Zero(t, direct, "every change has its event, but for the care that the test wrote by itself")
	})
}

// Reading is an event that names the record. The content of records is not in the log, not even sealed.
func TestRecordsLeaveEventsWithoutContent(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		ctx := b.clinician(t)
		m := b.signed(t, ctx)
		_, err := b.records.Get(ctx, m.ID)
		require.NoError(t, err)
		_, _, err = b.records.Search(ctx, service.RecordQuery{}, service.Page{Limit: 10})
		require.NoError(t, err)
		var actions []string
		for _, e := range b.events(t, "") {
			if e.EntityType == "medicalrecord" {
				actions = append(actions, e.Action)
			}
		}
		require.Equal(t, []string{audit.Create, audit.Sign, audit.Read, audit.List}, actions)
		require.NoError(t, b.store.Read(audit.System(t.Context(), "test"), func(ctx context.Context) error {
			log := repository.NewAuditLogRepository(b.store)
			events, _, err := log.Search(ctx, repository.AuditLogQuery{EntityType: []string{"medicalrecord"}}, repository.Page{Limit: 10})
			if err != nil {
				return err
			}
			diff, err := log.OpenDiff(ctx, events[0])
			require.Contains(t, events[0].Changes.Data().Fields, "content")
			require.Equal(t, models.KindProgressNote, diff["kind"].New)
			require.Nil(t, diff["content"].New)
			require.Nil(t, diff["title"].New)
			return err
		}))
	})
}

// If a disclosure can't be stored, the record is not shown.
func TestWithoutDisclosureNothingIsShown(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		author, reader := b.clinician(t), b.clinician(t)
		p := b.inCareOf(t, author)
		who, err := audit.ActorFrom(reader)
		require.NoError(t, err)
		require.NoError(t, b.care.Note(t.Context(), p.ID, who.ID, models.CareAssigned, time.Now()))
		m, err := b.records.Write(author, p.ID, service.RecordInput{Kind: models.KindSUDCounselingNote, Title: "x", Content: "x"})
		require.NoError(t, err)
		_, err = b.consents.Grant(author, p.ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
		require.NoError(t, err)
		_, err = b.records.Get(reader, m.ID)
		require.NoError(t, err)
		require.Equal(t, 1, b.count(t, "disclosure"))
		require.NoError(t, b.db.Exec("DROP TABLE disclosure").Error)
		m, err = b.records.Get(reader, m.ID)
		require.Error(t, err)
		require.Nil(t, m)
	})
}
