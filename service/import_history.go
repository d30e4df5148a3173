package service

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"novamind/internal/fhir"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// nobodysPassword is the hash of no password that anybody could find: who is invited sets one.
const nobodysPassword = "$argon2id$v=19$m=65536,t=1,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" //nolint:gosec // says so

// Practitioners imports an NDJSON file of FHIR R4 practitioners (see importLines): accounts of clinicians that are disabled until an admin invites them.
// Encounters and documents name practitioners by what this reads, so it comes before them, each time.
func (s *ImportService) Practitioners(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Practitioner, models.Account]{
		permission: AccountImport, table: "account",
		id:    func(p *fhir.Practitioner) uuid.UUID { return p.ID },
		known: s.accounts.Known, create: s.accounts.Create, admit: s.freeAddresses,
		row: func(p *fhir.Practitioner) (*models.Account, string) {
			a := &models.Account{Base: models.Base{ID: p.ID}, PasswordHash: nobodysPassword}
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

// freeAddresses refuses accounts whose e-mail is another's.
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

// accountOf returns the account of a practitioner, Nil where the export did not name them.
func (s *ImportService) accountOf(r fhir.Reference) uuid.UUID {
	if r.ID != uuid.Nil {
		return r.ID
	}
	return s.practitioners[r.Identifier]
}

// encounterStatuses are R4's codes as states of an appointment.
var encounterStatuses = map[string]string{
	"planned": models.Booked, "arrived": models.Arrived, "triaged": models.CheckedIn, "in-progress": models.CheckedIn, "onleave": models.CheckedIn,
	"finished": models.Fulfilled, "cancelled": models.Cancelled, "entered-in-error": models.EnteredInError,
}

// importedHistory is the reason for what only an import may do.
const importedHistory = "Imported history"

// Encounters imports an NDJSON file of FHIR R4 encounters (see importLines): appointments of the past. What overlaps is kept, and marked.
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
	if status == models.Cancelled {
		a.CancelReason = phi.Of(importedHistory)
	}
	var v validation
	if v.optional("/reasonCode", &e.Reason, maxOther) {
		a.Reason = phi.Of(e.Reason)
	}
	if err := v.err(); err != nil {
		return nil, rejectReason(err)
	}
	return a, ""
}

// createAppointment stores an appointment; one that overlaps others is marked, as the database demands it.
func (s *ImportService) createAppointment(ctx context.Context, a *models.Appointment) error {
	if models.Occupies(a.Status) {
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

// recordKinds are the kinds of records by the LOINC codes of documents.
var recordKinds = map[string]string{
	"11506-3": models.KindProgressNote, "18776-5": models.KindTreatmentPlan, "51848-0": models.KindAssessment, "11488-4": models.KindAssessment,
	"51852-2": models.KindDocument, "10160-0": models.KindMedication,
}

// Documents imports an NDJSON file of FHIR R4 document references (see importLines): signed records with their text.
func (s *ImportService) Documents(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Document, models.MedicalRecord]{
		permission: MedicalRecordImport, table: "medicalrecord",
		id:    func(d *fhir.Document) uuid.UUID { return d.ID },
		known: s.records.Known, create: s.records.Create, row: s.record, admit: s.admitRecords,
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
	for _, c := range d.Codes {
		in.Codes = append(in.Codes, models.Coding{System: c.System, Code: c.Code, Display: c.Display})
		if kind, known := recordKinds[c.Code]; known && c.System == models.LOINC {
			in.Kind = kind
		}
	}
	if err := in.applyTo(m, time.Now()); err != nil {
		return nil, rejectReason(err)
	}
	if d.InError {
		m.Status = models.RecordInError
	}
	return m, ""
}

// admitRecords refuses records of nobody we know, and lets go of encounters that are not here, or are another patient's.
func (s *ImportService) admitRecords(ctx context.Context, rows []newRow[models.MedicalRecord]) (map[uuid.UUID]string, error) {
	for _, r := range rows {
		m := r.row
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
	return unknownParties(ctx, s, rows, func(m *models.MedicalRecord) (uuid.UUID, uuid.UUID) { return m.PatientID, m.AuthorID })
}

// unknownParties refuses rows of patients or practitioners who are not here.
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
