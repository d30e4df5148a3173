package service

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/fhir"
	"novamind/internal/phi"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/repository"
)

// Practitioners imports an NDJSON file of FHIR R4 practitioners (see importLines) as accounts of clinicians, which
// are disabled until an admin invites them. Encounters and documents refer to these practitioners, so call it before
// importing them, each time.
func (s *ImportService) Practitioners(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Practitioner, models.Account]{
		permission: AccountImport, table: "account",
		id:    func(p *fhir.Practitioner) uuid.UUID { return p.ID },
		known: s.accounts.Known, create: s.accounts.Create, admit: s.freeAddresses,
		row: func(p *fhir.Practitioner) (*models.Account, string) {
			a := &models.Account{Base: models.Base{ID: p.ID}}
			in := AccountInput{Email: p.Email, Name: p.Name, Roles: []string{RoleClinician}, Disabled: true}
			if err := in.applyTo(a); err != nil {
				return nil, rejectReason(err)
			}
			for _, i := range p.Identifiers {
				s.practitioners[i] = p.ID
			}
			return a, ""
		},
	}, fhir.Practitioners(r), strict, progress)
}

// freeAddresses refuses accounts whose e-mail belongs to another account.
func (s *ImportService) freeAddresses(ctx context.Context, rows []newRow[models.Account]) (map[uuid.UUID]string, error) {
	refused := map[uuid.UUID]string{}
	addresses := map[string]bool{}
	for _, r := range rows {
		taken, err := s.accounts.Taken(ctx, r.row.Email)
		if err != nil {
			return nil, err
		}
		if taken || addresses[r.row.Email] {
			refused[r.id] = "telecom: an account has this e-mail already"
		}
		addresses[r.row.Email] = true
	}
	return refused, nil
}

// accountOf returns the account of a practitioner, or Nil if the export did not name one.
func (s *ImportService) accountOf(r fhir.Reference) uuid.UUID {
	if r.ID != uuid.Nil {
		return r.ID
	}
	return s.practitioners[r.Identifier]
}

// encounterStatuses maps R4's codes to states of an appointment.
var encounterStatuses = map[string]string{
	"planned": models.Booked, "arrived": models.Arrived, "triaged": models.CheckedIn, "in-progress": models.CheckedIn, "onleave": models.CheckedIn,
	"finished": models.Fulfilled, "cancelled": models.Cancelled, "entered-in-error": models.EnteredInError,
}

// importedHistory is the overlap and cancel reason of imported appointments.
const importedHistory = "Imported history"

// Encounters imports an NDJSON file of FHIR R4 encounters (see importLines) as past appointments. Overlapping
// appointments are kept and marked. An appointment that is not over yet must have a length that can be booked.
func (s *ImportService) Encounters(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Encounter, models.Appointment]{
		permission: AppointmentImport, table: "appointment",
		id:    func(e *fhir.Encounter) uuid.UUID { return e.ID },
		known: s.appointments.Known, create: s.createAppointment, row: s.appointment,
		admit: func(ctx context.Context, rows []newRow[models.Appointment]) (map[uuid.UUID]string, error) {
			return unknownParties(ctx, s, rows, func(a *models.Appointment) (uuid.UUID, uuid.UUID) { return a.PatientID, a.PractitionerID })
		},
	}, fhir.Encounters(r), strict, progress)
}

func (s *ImportService) appointment(e *fhir.Encounter) (*models.Appointment, string) {
	status, known := encounterStatuses[e.Status]
	if !known {
		return nil, "status: none that an appointment has"
	}
	a := &models.Appointment{
		Base: models.Base{ID: e.ID}, PatientID: e.Patient.ID, PractitionerID: s.accountOf(e.Practitioner), StartsAt: e.Start, EndsAt: e.End,
		TimeZone: s.zone, Status: status, Type: models.TypeIndividual, Modality: "in_person",
	}
	if e.Virtual {
		a.Modality = "video"
	}
	var v validation
	if v.optional("/reasonCode", &e.Reason, maxOther) {
		a.Reason = phi.Of(e.Reason)
	}
	v.oursOf(e.Ours, a)
	if e.End.After(time.Now()) { // past appointments may have any length: they block no future time
		zone, _ := schedule.Zone(a.TimeZone)
		v.interval(e.Start, e.End, zone)
	}
	if err := v.err(); err != nil {
		return nil, rejectReason(err)
	}
	if a.Status == models.Cancelled && a.CancelReason.IsNull() {
		a.CancelReason = phi.Of(importedHistory)
	}
	return a, ""
}

// oursOf writes the extensions of our own exports into an appointment.
func (v *validation) oursOf(ours fhir.Ours, a *models.Appointment) {
	for _, known := range []struct {
		name   string
		values []string
		to     *string
	}{
		{oursStatus, []string{models.NoShow}, &a.Status}, {oursType, models.AppointmentTypes(), &a.Type}, {oursModality, models.Modalities(), &a.Modality},
	} {
		if value, said := ours[known.name]; said {
			v.oneOf("/extension/"+known.name, value, known.values)
			*known.to = value
		}
	}
	if zone, said := ours[oursTimeZone]; said {
		v.zone("/extension/"+oursTimeZone, zone)
		a.TimeZone = zone
	}
	in := AppointmentInput{Modality: a.Modality, VideoURL: ours[oursVideoURL]}
	v.videoURL(&in)
	cancelled, overlap := ours[oursCancelReason], ours[oursOverlapReason]
	v.optional("/extension/"+oursCancelReason, &cancelled, maxOther)
	v.optional("/extension/"+oursOverlapReason, &overlap, maxOther)
	a.VideoURL, a.CancelReason, a.OverlapReason = optionalText(in.VideoURL), optionalText(cancelled), optionalText(overlap)
	a.AllowOverlap = overlap != ""
}

// createAppointment stores an appointment. An appointment that overlaps others is marked, as the database demands.
func (s *ImportService) createAppointment(ctx context.Context, a *models.Appointment) error {
	if models.Occupies(a.Status) && !a.AllowOverlap {
		parties := repository.Parties{PatientID: a.PatientID, PractitionerID: a.PractitionerID}
		taken, err := s.appointments.Taken(ctx, parties, a.StartsAt, a.EndsAt, time.Now(), nil)
		if err != nil {
			return err
		}
		if a.AllowOverlap = len(taken) > 0; a.AllowOverlap {
			a.OverlapReason = phi.Of(importedHistory)
		}
	}
	return s.appointments.Create(ctx, a)
}

// recordKinds maps the LOINC codes of documents to kinds of records.
var recordKinds = map[string]string{
	"11506-3": models.KindProgressNote, "18776-5": models.KindTreatmentPlan, "51848-0": models.KindAssessment, "11488-4": models.KindAssessment,
	"51852-2": models.KindDocument, "10160-0": models.KindMedication,
}

// Documents imports an NDJSON file of FHIR R4 document references (see importLines): signed records with their text.
func (s *ImportService) Documents(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Document, models.MedicalRecord]{
		permission: MedicalRecordImport, table: "medicalrecord",
		id:    func(d *fhir.Document) uuid.UUID { return d.ID },
		known: s.records.Known, create: s.createRecord, row: s.record, admit: s.admitRecords,
	}, fhir.Documents(r), strict, progress)
}

func (s *ImportService) record(d *fhir.Document) (*models.MedicalRecord, string) {
	author := s.accountOf(d.Author)
	m := &models.MedicalRecord{
		Base: models.Base{ID: d.ID}, PatientID: d.Patient.ID, AuthorID: author, Status: models.RecordFinal, SignedAt: &d.Date, SignedBy: &author,
	}
	in := RecordInput{Kind: models.KindDocument, OccurredAt: &d.Date, Title: d.Title, Content: d.Text}
	if d.Encounter != uuid.Nil {
		in.AppointmentID = &d.Encounter
	}
	if in.Title == "" {
		in.Title = "Document"
	}
	in.Codes = takenCodes(d.Codes)
	for _, c := range d.Codes {
		if kind, known := recordKinds[c.Code]; known && c.System == models.LOINC {
			in.Kind = kind
		}
	}
	var v validation
	v.oursOfRecord(d, &in, m)
	label(&in, d.Labels)
	if err := cmp.Or(v.err(), in.applyTo(m, time.Now())); err != nil {
		return nil, rejectReason(err)
	}
	if d.InError {
		m.Status = models.RecordInError
	}
	return m, ""
}

// takenCodes returns the codes that a record can have. It drops the other codes, so that the note is not lost.
func takenCodes(codes []fhir.Code) (taken []models.Coding) {
	for _, c := range codes {
		var v validation
		coding := []models.Coding{{System: c.System, Code: c.Code, Display: c.Display}}
		if v.codes(coding); v.err() == nil && len(taken) < maxCodes {
			taken = append(taken, coding...)
		}
	}
	return taken
}

// label gives a record the most protective sensitivity that a document's labels ask for. A document with unknown
// labels is restricted. A document labelled as a psychotherapy note becomes one.
func label(in *RecordInput, labels []fhir.Code) {
	if slices.ContainsFunc(labels, fhir.Code.Psychotherapy) {
		in.Kind = models.KindPsychotherapyNote
	}
	switch {
	case requiredBy[in.Kind] != "":
		in.Sensitivity = nil // the kind needs more protection than labels can give
	case slices.ContainsFunc(labels, fhir.Code.Part2):
		in.Sensitivity = new(models.SensitivityPart2)
	case slices.ContainsFunc(labels, func(c fhir.Code) bool { return !c.Open() }):
		in.Sensitivity = new(models.SensitivityRestricted)
	}
}

// oursOfRecord writes the extensions of our own exports into a record.
func (v *validation) oursOfRecord(d *fhir.Document, in *RecordInput, m *models.MedicalRecord) {
	if kind, said := d.Ours[oursKind]; said {
		v.oneOf("/extension/"+oursKind, kind, slices.DeleteFunc(models.RecordKinds(), func(k string) bool { return k == models.KindPsychotherapyNote }))
		in.Kind = kind
	}
	if status, said := d.Ours[oursStatus]; said {
		v.oneOf("/extension/"+oursStatus, status, []string{models.RecordAmended})
		m.Status = status
	}
	if signed, said := d.Ours[oursSignedAt]; said {
		at, err := time.Parse(time.RFC3339Nano, signed)
		if err != nil || !schedule.Plausible(at) || at.After(time.Now()) {
			v.add("/extension/"+oursSignedAt, "date", "Must be a time in the past.")
		}
		m.SignedAt = new(at.UTC().Truncate(time.Microsecond))
	}
	if answered, said := d.Ours[oursQuestionnaire]; said {
		var q answeredQuestionnaire
		if err := json.Unmarshal([]byte(answered), &q); err != nil {
			v.add("/extension/"+oursQuestionnaire, "wrong_type", "Must be an answered questionnaire.")
		}
		in.Questionnaire = &QuestionnaireInput{Instrument: q.Instrument, Answers: q.Answers}
	}
	if reason := d.Ours[oursAmendmentReason]; reason != "" && d.Replaces != uuid.Nil {
		v.optional("/extension/"+oursAmendmentReason, &reason, maxOther)
		m.SupersedesID, m.AmendmentReason = &d.Replaces, phi.Of(reason)
	}
	if reason := d.Ours[oursErrorReason]; reason != "" && d.InError {
		v.optional("/extension/"+oursErrorReason, &reason, maxOther)
		m.ErrorReason = phi.Of(reason)
	}
}

// admitRecords refuses records of unknown patients or authors. It clears references to encounters and amended records
// that do not exist or belong to another patient.
func (s *ImportService) admitRecords(ctx context.Context, rows []newRow[models.MedicalRecord]) (map[uuid.UUID]string, error) {
	refused, err := unknownParties(ctx, s, rows, func(m *models.MedicalRecord) (uuid.UUID, uuid.UUID) { return m.PatientID, m.AuthorID })
	if err != nil {
		return nil, err
	}
	// The patients of new records that have no amendment yet; uuid.Nil if they have one.
	ofPatient := map[uuid.UUID]uuid.UUID{}
	for _, r := range rows {
		m := r.row
		if refused[r.id] != "" {
			continue
		}
		if err := s.followsOne(ctx, m, ofPatient); err != nil {
			return nil, err
		}
		ofPatient[m.ID] = m.PatientID
		if m.AppointmentID == nil {
			continue
		}
		belongs, err := s.appointments.Belongs(ctx, *m.AppointmentID, m.PatientID)
		if err != nil {
			return nil, err
		}
		if !belongs {
			m.AppointmentID = nil
		}
	}
	return refused, nil
}

// followsOne clears the reference to an amended record if that record is missing, is another patient's, or already
// has an amendment.
func (s *ImportService) followsOne(ctx context.Context, m *models.MedicalRecord, ofPatient map[uuid.UUID]uuid.UUID) error {
	if m.SupersedesID == nil {
		return nil
	}
	patient, known := ofPatient[*m.SupersedesID]
	fits := patient == m.PatientID
	if !known {
		var err error
		if fits, err = s.records.CanFollow(ctx, *m.SupersedesID, m.PatientID); err != nil {
			return err
		}
	}
	if !fits {
		m.SupersedesID, m.AmendmentReason = nil, phi.Text{}
		return nil
	}
	ofPatient[*m.SupersedesID] = uuid.Nil // only one amendment follows a record
	return nil
}

// createRecord stores a record, marks the record that it amends as amended, and raises a risk flag if the answers of
// the questionnaire ask for one.
func (s *ImportService) createRecord(ctx context.Context, m *models.MedicalRecord) error {
	if m.SupersedesID != nil {
		if err := s.moveOn(ctx, m); err != nil {
			return err
		}
	}
	if err := s.records.Create(ctx, m); err != nil || m.Status == models.RecordInError {
		return err
	}
	return raise(ctx, s.flags, m)
}

// moveOn marks the record that m amends as amended. A record that can't be opened stays unchanged.
func (s *ImportService) moveOn(ctx context.Context, m *models.MedicalRecord) error {
	old, err := s.records.ByID(ctx, *m.SupersedesID)
	switch {
	case apperr.Is(err, apperr.Unreadable):
		m.SupersedesID, m.AmendmentReason = nil, phi.Text{}
		return nil
	case err != nil || old.Status != models.RecordFinal:
		return err
	}
	old.Status = models.RecordAmended
	return s.records.Update(ctx, old)
}

// unknownParties refuses rows whose patient or practitioner does not exist.
func unknownParties[M any](ctx context.Context, s *ImportService, rows []newRow[M], parties func(*M) (patient, account uuid.UUID)) (map[uuid.UUID]string, error) {
	var patients, accounts []uuid.UUID
	for _, r := range rows {
		patient, account := parties(r.row)
		patients, accounts = append(patients, patient), append(accounts, account)
	}
	knownPatients, err := s.patients.Known(ctx, patients)
	if err != nil {
		return nil, err
	}
	knownAccounts, err := s.accounts.Known(ctx, accounts)
	if err != nil {
		return nil, err
	}
	refused := map[uuid.UUID]string{}
	for _, r := range rows {
		switch patient, account := parties(r.row); {
		case !knownPatients[patient]:
			refused[r.id] = "subject: a patient who is not here"
		case !knownAccounts[account]:
			refused[r.id] = "practitioner: one who is not here"
		}
	}
	return refused, nil
}
