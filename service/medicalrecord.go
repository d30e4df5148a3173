package service

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// RecordQuery narrows a list of medical records.
type RecordQuery = repository.RecordQuery

// MedicalRecordService keeps medical records. When a record that 42 CFR Part 2 protects is shown to an account other
// than the author of its first version, a disclosure is stored.
//
// Every method is one unit of work and records its event. It returns a Forbidden error if no role of the actor
// permits it, a NotFound error if the actor may not see the record, and an audit.unavailable error if the event can't
// be stored.
type MedicalRecordService struct {
	store namingStore
	care  *Care

	records      *repository.MedicalRecordRepository
	patients     *repository.PatientRepository
	appointments *repository.AppointmentRepository
	consents     *repository.ConsentRepository
	disclosures  *repository.DisclosureRepository
	flags        *repository.RiskFlagRepository
}

// NewMedicalRecordService returns the service on a store.
func NewMedicalRecordService(store *repository.Store, care *Care) *MedicalRecordService {
	return &MedicalRecordService{
		store: withNames(store, care), care: care,
		records:      repository.NewMedicalRecordRepository(store),
		patients:     repository.NewPatientRepository(store),
		appointments: repository.NewAppointmentRepository(store),
		consents:     repository.NewConsentRepository(store),
		disclosures:  repository.NewDisclosureRepository(store),
		flags:        repository.NewRiskFlagRepository(store),
	}
}

func recordIntent(action string, id uuid.UUID) audit.Intent {
	return audit.Intent{Action: action, EntityType: "medicalrecord", EntityID: id}
}

// Write adds a draft to the chart of a patient in the actor's care. It returns a NotFound error for another patient,
// an Invalid error, or a Conflict error if the patient was merged into another.
func (s *MedicalRecordService) Write(
	ctx context.Context, patientID uuid.UUID, in RecordInput,
) (*models.MedicalRecord, error) {
	intent := recordIntent(audit.Create, uuid.Nil)
	return guarded(ctx, s.store, MedicalRecordCreate, intent, s.store.InTx,
		func(ctx context.Context) (*models.MedicalRecord, error) { return s.write(ctx, patientID, in) })
}

func (s *MedicalRecordService) write(
	ctx context.Context, patientID uuid.UUID, in RecordInput,
) (*models.MedicalRecord, error) {
	if err := s.care.inCareFor(ctx, patientID); err != nil {
		return nil, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	switch merged, err := s.patients.IsMerged(ctx, patientID); {
	case err != nil:
		return nil, err
	case merged:
		return nil, conflict("The patient was merged into another one. Write into the chart of that one.")
	}
	m := &models.MedicalRecord{PatientID: patientID, AuthorID: actor.ID, Status: models.RecordDraft}
	if err := s.apply(ctx, m, in); err != nil {
		return nil, err
	}
	return m, s.create(ctx, m)
}

// create stores a new record, and raises its risk flag.
func (s *MedicalRecordService) create(ctx context.Context, m *models.MedicalRecord) error {
	m.ID = uuid.Must(uuid.NewV7())
	if err := s.care.entering(ctx, m.PatientID, m.ID); err != nil {
		return err
	}
	if err := s.records.Create(ctx, m); err != nil {
		return err
	}
	return raise(ctx, s.flags, m)
}

// apply writes the input into a draft of the actor's. It returns a Forbidden error if no role of the actor may write
// such a record.
func (s *MedicalRecordService) apply(ctx context.Context, m *models.MedicalRecord, in RecordInput) error {
	if err := in.applyTo(m, time.Now()); err != nil {
		return err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return err
	}
	if m.AppointmentID != nil {
		belongs, err := s.appointments.Belongs(ctx, *m.AppointmentID, m.PatientID)
		if err != nil {
			return err
		}
		if !belongs {
			return unknownReference(apperr.New(apperr.NotFound, ""), "/appointment_id")
		}
	}
	if m.Sensitivity == models.SensitivityPsychotherapy && reachOf(actor, MedicalRecordPsychotherapy) == None {
		return apperr.New(apperr.Forbidden, "None of your roles permits psychotherapy notes.")
	}
	return nil
}

// scope returns the records of the patients that the actor may see. psychotherapy means that the actor's own
// psychotherapy notes are included.
func (s *MedicalRecordService) scope(ctx context.Context, patients repository.Scope, psychotherapy bool) (repository.RecordScope, error) {
	actor, err := audit.ActorFrom(ctx)
	return repository.RecordScope{
		Patients: patients, AccountID: actor.ID, At: time.Now(),
		Psychotherapy: psychotherapy && reachOf(actor, MedicalRecordPsychotherapy) != None,
	}, err
}

// listScope is scope for a list, over the patients within the scope of the innermost guarded call.
func (s *MedicalRecordService) listScope(ctx context.Context, psychotherapy bool) (repository.RecordScope, error) {
	patients, err := s.care.scope(ctx)
	if err != nil {
		return repository.RecordScope{}, err
	}
	return s.scope(ctx, patients, psychotherapy)
}

// inScope returns a record that the actor may see, or a NotFound error.
func (s *MedicalRecordService) inScope(ctx context.Context, id uuid.UUID) (*models.MedicalRecord, error) {
	patients, err := s.care.reach(ctx)
	if err != nil {
		return nil, err
	}
	scope, err := s.scope(ctx, patients, true)
	if err != nil {
		return nil, err
	}
	emergencies := scope.Patients.Emergency
	scope.Patients.Emergency = false
	m, err := s.records.InScope(ctx, id, scope)
	if emergencies && apperr.Is(err, apperr.NotFound) { // the record is visible by emergency access only
		scope.Patients.Emergency = true
		if m, err = s.records.InScope(ctx, id, scope); err == nil {
			err = flag(ctx)
		}
	}
	return m, unseen(err)
}

// Get returns a record. It returns a NotFound error, or an Unreadable one.
func (s *MedicalRecordService) Get(ctx context.Context, id uuid.UUID) (*models.MedicalRecord, error) {
	return guarded(ctx, s.store, MedicalRecordRead, recordIntent(audit.Read, id), s.store.Read,
		func(ctx context.Context) (*models.MedicalRecord, error) {
			m, err := s.inScope(ctx, id)
			if err != nil {
				return nil, err
			}
			return m, s.disclose(ctx, []*models.MedicalRecord{m})
		})
}

// Search returns one page of the records that match q, the latest first, and whether there are more. Psychotherapy
// notes are included only if q asks for that kind, and then only the actor's own.
func (s *MedicalRecordService) Search(
	ctx context.Context, q RecordQuery, page Page,
) ([]*models.MedicalRecord, bool, error) {
	return guardedPage(ctx, s.store, MedicalRecordRead, recordIntent(audit.List, uuid.Nil),
		func(ctx context.Context) ([]*models.MedicalRecord, bool, error) {
			if err := s.asked(ctx, q); err != nil {
				return nil, false, err
			}
			scope, err := s.listScope(ctx, slices.Contains(q.Kind, models.KindPsychotherapyNote))
			if err != nil {
				return nil, false, err
			}
			found, more, err := s.records.Search(ctx, q, scope, page)
			if err != nil {
				return nil, false, err
			}
			return found, more, s.disclose(ctx, found)
		})
}

// asked returns a NotFound error if a query names a patient out of the actor's scope. Its event names the patient.
func (s *MedicalRecordService) asked(ctx context.Context, q RecordQuery) error {
	for _, id := range q.AppointmentID {
		parties, err := s.appointments.PartiesOf(ctx, id)
		if err := s.care.inCareOf(ctx, parties.PatientID, err); err != nil {
			return unseen(err)
		}
	}
	if q.PatientID != uuid.Nil {
		return s.care.inCareFor(ctx, q.PatientID)
	}
	return nil
}

// History returns a record with all its earlier and later versions that the actor may see, the first version first.
func (s *MedicalRecordService) History(ctx context.Context, id uuid.UUID) ([]*models.MedicalRecord, error) {
	return guarded(ctx, s.store, MedicalRecordRead, recordIntent(audit.Read, id), s.store.Read,
		func(ctx context.Context) ([]*models.MedicalRecord, error) {
			if _, err := s.inScope(ctx, id); err != nil {
				return nil, err
			}
			scope, err := s.listScope(ctx, true)
			if err != nil {
				return nil, err
			}
			found, err := s.records.History(ctx, id, scope)
			if err != nil {
				return nil, err
			}
			return found, s.disclose(ctx, found)
		})
}

// Change replaces a draft of the actor's by the result of edit. It returns a NotFound error, a Stale one if current
// refuses the version, a Conflict one if the record is no longer a draft, a Forbidden one if its author is another
// account, an Invalid one, or the error of edit.
func (s *MedicalRecordService) Change(ctx context.Context, id uuid.UUID, current Precondition,
	edit func(*models.MedicalRecord) (RecordInput, error),
) (*models.MedicalRecord, error) {
	return s.change(ctx, MedicalRecordUpdate, recordIntent(audit.Update, id), current, func(ctx context.Context, m *models.MedicalRecord) error {
		if m.Frozen() {
			return conflict("The record is no longer a draft, and cannot be changed. Amend it instead.")
		}
		in, err := edited(ctx, s.store.names, m, m.Version, current, edit)
		if err != nil {
			return err
		}
		if err := s.apply(ctx, m, in); err != nil {
			return err
		}
		if err := s.keepFlag(ctx, m); err != nil {
			return err
		}
		if err := s.records.Update(ctx, m); err != nil {
			return err
		}
		return raise(ctx, s.flags, m)
	})
}

// Sign makes a draft of the actor's final; it can't be changed from then on. Sign returns a NotFound, a Stale, a
// Conflict or a Forbidden error, or an Invalid error if the draft is not complete.
func (s *MedicalRecordService) Sign(ctx context.Context, id uuid.UUID, current Precondition) (*models.MedicalRecord, error) {
	return s.change(ctx, MedicalRecordSign, recordIntent(audit.Sign, id), current, func(ctx context.Context, m *models.MedicalRecord) error {
		if !models.RecordMayBecome(m.Status, models.RecordFinal) {
			return conflict("Only a draft can be signed.")
		}
		if err := complete(m); err != nil {
			return err
		}
		m.Status = models.RecordFinal
		m.SignedAt, m.SignedBy = new(time.Now().UTC().Truncate(time.Microsecond)), new(m.AuthorID)
		return s.records.Update(ctx, m)
	})
}

// MarkError marks a record of the actor's, or an amendment of such a record, as entered in error. The record stays
// readable. MarkError returns a NotFound, a Stale, a Conflict or a Forbidden error, or an Invalid error without a
// reason.
func (s *MedicalRecordService) MarkError(ctx context.Context, id uuid.UUID, current Precondition, reason string) (*models.MedicalRecord, error) {
	var v validation
	v.required("/reason", &reason, maxOther) // the record stores the reason, as it stores the reason of an amendment
	return s.change(ctx, MedicalRecordAmend, recordIntent(audit.MarkError, id), current, func(ctx context.Context, m *models.MedicalRecord) error {
		if err := v.err(); err != nil {
			return err
		}
		if !models.RecordMayBecome(m.Status, models.RecordInError) {
			return conflict("The record is already marked as entered in error.")
		}
		m.Status, m.ErrorReason = models.RecordInError, phi.Of(reason)
		if err := s.records.Update(ctx, m); err != nil {
			return err
		}
		actor, err := audit.ActorFrom(ctx)
		if err != nil {
			return err
		}
		return s.retract(ctx, m, actor.ID)
	})
}

// change runs do on a record if the actor wrote it or its first version.
func (s *MedicalRecordService) change(ctx context.Context, permission Permission, intent audit.Intent, current Precondition,
	do func(context.Context, *models.MedicalRecord) error,
) (*models.MedicalRecord, error) {
	return guarded(ctx, s.store, permission, intent, s.store.InTx,
		func(ctx context.Context) (*models.MedicalRecord, error) {
			m, err := s.inScope(ctx, intent.EntityID)
			if err != nil {
				return nil, err
			}
			if err := s.written(ctx, m); err != nil {
				return nil, err
			}
			if err := current.check(m.Version); err != nil {
				return nil, err
			}
			if err := do(ctx, m); err != nil {
				return nil, err
			}
			return m, s.disclose(ctx, []*models.MedicalRecord{m})
		})
}

// written returns a Forbidden error unless the actor wrote a record or its first version.
func (s *MedicalRecordService) written(ctx context.Context, m *models.MedicalRecord) error {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || m.AuthorID == actor.ID {
		return err
	}
	first, err := s.records.FirstAuthor(ctx, m.ID)
	if err == nil && first != actor.ID {
		err = apperr.New(apperr.Forbidden, "Only the author of the record or of its first version may do this.")
	}
	return err
}

// AmendmentInput is the content of an amendment. Members that are nil keep their value.
type AmendmentInput struct {
	phi.Private `json:"-"`

	AmendmentReason string              `json:"amendment_reason" max:"200" example:"The dose was wrong"`
	OccurredAt      *time.Time          `json:"occurred_at,omitempty"`
	Title           *string             `json:"title,omitempty" max:"200"`
	Content         *string             `json:"content,omitempty" max:"100000" doc:"The text of the record, in Markdown. Default: unchanged."`
	Codes           *[]models.Coding    `json:"codes,omitempty" maxItems:"50" doc:"They replace all codes of the record. Default: unchanged."`
	Questionnaire   *QuestionnaireInput `json:"questionnaire,omitempty" doc:"The answered questionnaire. Allowed only in an assessment. Default: unchanged."`
}

// on returns the input for the whole record with the amendment applied.
func (a AmendmentInput) on(m *models.MedicalRecord) RecordInput {
	in := RecordInput{
		AppointmentID: m.AppointmentID, Kind: m.Kind, Sensitivity: &m.Sensitivity, OccurredAt: &m.OccurredAt,
		Title: m.Title.Plain(), Content: m.Content.Plain(), Codes: m.Codes.Plain(), Questionnaire: a.Questionnaire,
	}
	if q := m.Questionnaire.Optional(); q != nil && in.Questionnaire == nil {
		in.Questionnaire = &QuestionnaireInput{Instrument: q.Instrument, Answers: q.Answers}
	}
	if a.OccurredAt != nil {
		in.OccurredAt = a.OccurredAt
	}
	if a.Title != nil {
		in.Title = *a.Title
	}
	if a.Content != nil {
		in.Content = *a.Content
	}
	if a.Codes != nil {
		in.Codes = *a.Codes
	}
	return in
}

// Faults returns the rules that the input breaks for every record.
func (a AmendmentInput) Faults(Rules) []apperr.Field {
	return a.check(&models.MedicalRecord{Kind: models.KindAssessment, Sensitivity: models.SensitivityNormal, OccurredAt: time.Now()})
}

// check returns the rules that the amendment of a record breaks.
func (a *AmendmentInput) check(m *models.MedicalRecord) []apperr.Field {
	var v validation
	// Stored in the record, not in the log: readers of the log may not see the record.
	v.required("/amendment_reason", &a.AmendmentReason, maxOther)
	return append(v.fields, fieldsOf(a.on(m).applyTo(&models.MedicalRecord{}, time.Now()))...)
}

// Amend adds a signed record that supersedes a signed one. The old record keeps its content and becomes amended. If
// all amendments of the old record were entered in error, the new one supersedes the last of them, but starts from
// the content of the old record. Amend returns a NotFound error, a Conflict one if the record is a draft, was entered
// in error, or has an amendment that was not, a Duplicate or a Stale one if another request amends it at the same
// time, or an Invalid one.
func (s *MedicalRecordService) Amend(
	ctx context.Context, id uuid.UUID, in AmendmentInput,
) (*models.MedicalRecord, error) {
	return guarded(ctx, s.store, MedicalRecordAmend, recordIntent(audit.Amend, id), s.store.InTx,
		func(ctx context.Context) (*models.MedicalRecord, error) {
			old, err := s.inScope(ctx, id)
			if err != nil {
				return nil, err
			}
			v := validation{in.check(old)}
			if err := v.err(); err != nil {
				return nil, err
			}
			return s.amend(ctx, old, in)
		})
}

func (s *MedicalRecordService) amend(ctx context.Context, old *models.MedicalRecord, in AmendmentInput) (*models.MedicalRecord, error) {
	last, err := s.records.LastVersion(ctx, old.ID)
	switch superseded := apperr.Is(err, apperr.NotFound); {
	case superseded, old.Status != models.RecordFinal && old.Status != models.RecordAmended:
		return nil, conflict("Only the latest signed version of a record can be amended, and only if it is not marked as entered in error.")
	case err != nil:
		return nil, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	m := &models.MedicalRecord{
		PatientID: old.PatientID, AuthorID: actor.ID, Status: models.RecordFinal, SupersedesID: &last, AmendmentReason: phi.Of(in.AmendmentReason),
		SignedAt: new(time.Now().UTC().Truncate(time.Microsecond)), SignedBy: &actor.ID,
	}
	if err := s.apply(ctx, m, in.on(old)); err != nil {
		return nil, err
	}
	if err := complete(m); err != nil {
		return nil, err
	}
	if old.Status == models.RecordFinal {
		old.Status = models.RecordAmended
		if err := s.records.Update(ctx, old); err != nil {
			return nil, err
		}
	}
	if err := s.create(ctx, m); err != nil {
		return nil, err
	}
	return m, s.disclose(ctx, []*models.MedicalRecord{m})
}
