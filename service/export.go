package service

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/fhir"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// ExportService writes patients with their histories in the form that ImportService reads. Every method returns a
// Forbidden error if no role of the actor permits it.
type ExportService struct {
	store       Store
	charts      *repository.ExportRepository
	consents    *repository.ConsentRepository
	disclosures *repository.DisclosureRepository
}

// NewExportService returns the service on a store.
func NewExportService(store *repository.Store) *ExportService {
	return &ExportService{
		store: store, charts: repository.NewExportRepository(store),
		consents: repository.NewConsentRepository(store), disclosures: repository.NewDisclosureRepository(store),
	}
}

// FHIRFiles are the files of an export: NDJSON lines, one file for each resource.
type FHIRFiles struct{ Patients, Practitioners, Encounters, Documents io.Writer }

// ExportReport counts the rows that an export wrote, and the rows that it left out.
type ExportReport struct {
	Patients      int `json:"patients"`
	Practitioners int `json:"practitioners"`
	Encounters    int `json:"encounters"`
	Documents     int `json:"documents"`
	// Records that 42 CFR Part 2 protects, without a consent to export them.
	Withheld   int64       `json:"withheld"`
	Unreadable []uuid.UUID `json:"unreadable"` // rows that can't be opened
}

// chartsAtOnce is how many ids of patients are read at a time.
const chartsAtOnce = 1000

// FHIR writes the patients of ids, each with all rows of the same person, or every patient if ids is empty. Before
// anything of a patient is written, two things are durable: an event that names the whole patient, and a disclosure
// of each record that 42 CFR Part 2 protects. Such records need a consent that names no recipient, because a consent
// for one account allows nobody else to see them. Psychotherapy notes are never exported.
//
// progress gets the number of patients written and the total. FHIR returns a NotFound error before it writes if a
// patient does not exist. The report is valid with an error too.
func (s *ExportService) FHIR(ctx context.Context, ids []uuid.UUID, to FHIRFiles,
	progress func(done, total int64),
) (ExportReport, error) {
	x := &fhirExport{ExportService: s, to: to, report: ExportReport{Unreadable: []uuid.UUID{}}, practitioners: map[uuid.UUID]bool{}}
	err := x.patients(ctx, ids, func(id uuid.UUID) error {
		if err := x.patient(ctx, id); err != nil {
			return err
		}
		progress(int64(x.report.Patients), x.total)
		return nil
	})
	if err == nil {
		_, err = x.overlapping.WriteTo(x.to.Encounters)
	}
	if err == nil {
		err = x.named(ctx, len(ids) == 0)
	}
	return x.report, err
}

// fhirExport is one export.
type fhirExport struct {
	*ExportService

	to            FHIRFiles
	report        ExportReport
	total         int64              // the number of patients to export
	practitioners map[uuid.UUID]bool // the practitioners of encounters and documents
	// Encounters that may overlap others; written last, or an import would take the others for overlaps.
	overlapping bytes.Buffer
}

// patients calls do with each patient.
func (x *fhirExport) patients(ctx context.Context, ids []uuid.UUID, do func(uuid.UUID) error) error {
	named := len(ids) > 0
	var rows []uuid.UUID
	for _, id := range ids {
		person, err := x.charts.Person(ctx, id)
		if err == nil && len(person) == 0 {
			err = apperr.New(apperr.NotFound, "There is no patient "+id.String()+".")
		}
		if err != nil {
			return err
		}
		rows = append(rows, person...)
	}
	slices.SortFunc(rows, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	rows = slices.Compact(rows)
	x.total = int64(len(rows))
	if !named {
		var err error
		if x.total, err = x.charts.CountPatients(ctx); err != nil {
			return err
		}
	}
	for after := uuid.Nil; ; after = rows[len(rows)-1] {
		if !named {
			var err error
			if rows, err = x.charts.Patients(ctx, after, chartsAtOnce); err != nil || len(rows) == 0 {
				return err
			}
		}
		for _, id := range rows {
			if err := do(id); err != nil {
				return err
			}
		}
		if named {
			return nil
		}
	}
}

// patient writes a patient with their history.
func (x *fhirExport) patient(ctx context.Context, id uuid.UUID) error {
	var chart *repository.Chart
	intent := audit.Intent{Action: audit.Export, EntityType: "patient", EntityID: id, Details: "FHIR R4"}
	err := guard(ctx, x.store, PatientExport, intent, x.store.Read, func(ctx context.Context) error {
		now := time.Now().UTC().Truncate(time.Microsecond)
		consents, err := x.consents.Holding(ctx, []uuid.UUID{id}, uuid.Nil, now)
		if err != nil {
			return err
		}
		if chart, err = x.charts.Chart(ctx, id, consents[id] != nil); err != nil || chart.Patient.Unreadable() {
			return err
		}
		return x.disclose(ctx, chart.Records, consents[id], now)
	})
	if err != nil {
		return err
	}
	return x.write(chart)
}

// disclose stores a disclosure of each record that 42 CFR Part 2 protects.
func (x *fhirExport) disclose(ctx context.Context, records []*models.MedicalRecord, consent *models.Consent, now time.Time) error {
	var rows []*models.Disclosure
	for _, m := range records {
		if m.Sensitivity == models.SensitivityPart2 && !m.Unreadable() {
			rows = append(rows, &models.Disclosure{
				PatientID: m.PatientID, RecordID: &m.ID, ConsentID: &consent.ID, Recipient: phi.Of("Who was given an export"),
				Purpose: phi.Of(consent.Purpose.Plain()), Notice: true, DisclosedAt: now,
			})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return x.store.InTx(ctx, func(ctx context.Context) error { return x.disclosures.CreateAll(ctx, rows) })
}

func (x *fhirExport) write(chart *repository.Chart) error {
	x.report.Withheld += chart.Withheld
	p := chart.Patient
	if p.Unreadable() {
		x.report.Unreadable = append(x.report.Unreadable, p.ID) // rows without their patient cannot be imported again
		return nil
	}
	text, err := exportedPatient(p).Line(valueOr(p.MergedIntoID, uuid.Nil))
	if err := writeLine(x.to.Patients, text, err, &x.report.Patients); err != nil {
		return err
	}
	for _, a := range chart.Appointments {
		if a.Unreadable() {
			x.report.Unreadable = append(x.report.Unreadable, a.ID)
			continue
		}
		x.practitioners[a.PractitionerID] = true
		to := x.to.Encounters
		if a.AllowOverlap {
			to = &x.overlapping
		}
		text, err := exportedEncounter(a).Line()
		if err := writeLine(to, text, err, &x.report.Encounters); err != nil {
			return err
		}
	}
	for _, m := range chart.Records {
		if m.Unreadable() {
			x.report.Unreadable = append(x.report.Unreadable, m.ID)
			continue
		}
		x.practitioners[m.AuthorID] = true
		document, err := exportedDocument(m)
		if err != nil {
			return err
		}
		text, err := document.Line(m.Status == models.RecordAmended)
		if err := writeLine(x.to.Documents, text, err, &x.report.Documents); err != nil {
			return err
		}
	}
	return nil
}

// named writes the practitioners that the exported rows refer to, or all practitioners.
func (x *fhirExport) named(ctx context.Context, all bool) error {
	role := ""
	if all {
		role = RoleClinician
	}
	var accounts []*models.Account
	intent := audit.Intent{Action: audit.Export, EntityType: "account", Details: "FHIR R4"}
	err := guard(ctx, x.store, PatientExport, intent, x.store.Read, func(ctx context.Context) (err error) {
		accounts, err = x.charts.Accounts(ctx, slices.Collect(maps.Keys(x.practitioners)), role)
		return err
	})
	if err != nil {
		return err
	}
	for _, a := range accounts {
		text, err := fhir.Practitioner{ID: a.ID, Name: a.Name, Email: a.Email}.Line()
		if err := writeLine(x.to.Practitioners, text, err, &x.report.Practitioners); err != nil {
			return err
		}
	}
	return nil
}

func writeLine(w io.Writer, text []byte, err error, written *int) error {
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		*written++
	}
	return err
}

func valueOr[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
