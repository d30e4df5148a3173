package service

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/fhir"
	"novamind/models"
	"novamind/repository"
)

// importBatch is how many patients share a transaction: what an interruption can undo.
const importBatch = 100

// ImportService takes patients over from other systems.
type ImportService struct {
	store    Store
	patients *repository.PatientRepository
	region   string
}

// NewImportService returns the service on a store.
func NewImportService(store *repository.Store, phoneRegion string) *ImportService {
	return &ImportService{store: store, patients: repository.NewPatientRepository(store), region: phoneRegion}
}

// Report is what an import did.
type Report struct {
	Created  int      `json:"created"`
	Existing int      `json:"existing"` // here already, and left as they are
	Rejected []Reject `json:"rejected"`
}

// Reject is a line that was passed over, and why; the reason holds nothing of the line.
type Reject struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// ErrRejected: a strict import met a line that it can't take. The report names it.
var ErrRejected = errors.New("a line was rejected")

// importRun is one pass over one file.
type importRun struct {
	*ImportService
	strict bool
	seen   map[uuid.UUID]int // id → line
	report Report
}

// Patients imports an NDJSON file of FHIR R4 patients. Ids are kept; patients that are here already are left alone, so an
// import that was interrupted goes on when it is run again. With strict it stops at the first bad line, with
// ErrRejected. progress, if not nil, is told how many bytes were read. The report is valid with an error too.
func (s *ImportService) Patients(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	run := &importRun{ImportService: s, strict: strict, seen: map[uuid.UUID]int{}, report: Report{Rejected: []Reject{}}}
	var batch []*models.Patient
	for line, err := range fhir.Patients(r) {
		if err != nil {
			return run.report, apperr.Wrap(apperr.Malformed, "The file can't be read further.", err)
		}
		patient, reason := run.read(line)
		if reason != "" {
			run.report.Rejected = append(run.report.Rejected, Reject{line.Number, reason})
			if strict {
				return run.report, errors.Join(ErrRejected, run.save(ctx, batch))
			}
			continue
		}
		if batch = append(batch, patient); len(batch) == importBatch {
			if err := run.save(ctx, batch); err != nil {
				return run.report, err
			}
			batch = batch[:0]
			if progress != nil {
				progress(line.End)
			}
		}
	}
	return run.report, run.save(ctx, batch)
}

// read turns a line into a patient, or into the reason why it can't be one.
func (r *importRun) read(line fhir.Line) (*models.Patient, string) {
	if line.Reject != "" {
		return nil, line.Reject
	}
	if earlier, ok := r.seen[line.Patient.ID]; ok {
		return nil, "has the id of line " + itoa(earlier)
	}
	r.seen[line.Patient.ID] = line.Number
	p := &models.Patient{Base: models.Base{ID: line.Patient.ID}}
	if err := importInput(line.Patient).applyTo(p, r.region, time.Now()); err != nil {
		return nil, rejectReason(err)
	}
	return p, ""
}

func importInput(p *fhir.Patient) PatientInput {
	in := PatientInput{
		Active: &p.Active, FirstName: p.FirstName, LastName: p.LastName, DateOfBirth: p.BirthDate,
		ContactInfo: &models.ContactInfo{Email: p.Email, Phone: p.Phone, AlternativePhone: p.AlternativePhone},
	}
	if a := p.Address; a != nil {
		in.Address = &models.Address{Street: a.Street, City: a.City, State: a.State, ZipCode: a.ZipCode}
	}
	if c := p.EmergencyContact; c != nil {
		in.EmergencyContact = &models.EmergencyContact{
			Name: c.Name, Relationship: c.Relationship, Phone: c.Phone, Email: c.Email, AlternativePhone: c.AlternativePhone,
		}
	}
	return in
}

// rejectReason names the rules that a line breaks.
func rejectReason(err error) string {
	var invalid *apperr.Error
	if !errors.As(err, &invalid) {
		return "is not valid"
	}
	reasons := make([]string, len(invalid.Fields))
	for i, f := range invalid.Fields {
		reasons[i] = strings.TrimPrefix(f.Pointer, "/") + ": " + f.Code
	}
	return strings.Join(reasons, ", ")
}

// save stores those patients of a batch that are not here yet, in one transaction, with one event for the batch beside that of
// each patient.
func (r *importRun) save(ctx context.Context, batch []*models.Patient) error {
	if len(batch) == 0 {
		return nil
	}
	created := 0
	intent := audit.Intent{Action: audit.Import, EntityType: "patient"}
	err := guarded(ctx, r.store, PatientImport, intent, r.store.InTx, func(ctx context.Context) error {
		ids := make([]uuid.UUID, len(batch))
		for i, p := range batch {
			ids[i] = p.ID
		}
		known, err := r.patients.Known(ctx, ids)
		if err != nil {
			return err
		}
		for _, p := range batch {
			if known[p.ID] {
				continue
			}
			if err := r.patients.Create(ctx, p); err != nil {
				return err
			}
			created++
		}
		return recordImport(ctx, created, len(batch)-created)
	})
	if err != nil {
		return err
	}
	r.report.Created += created
	r.report.Existing += len(batch) - created
	return nil
}

// IntoEmpty adds patients to a database that has none, and does nothing to any other, also where several processes try at once. It
// returns how many it added.
func (s *ImportService) IntoEmpty(ctx context.Context, inputs []PatientInput) (int, error) {
	added := 0
	intent := audit.Intent{Action: audit.Import, EntityType: "patient"}
	err := guarded(ctx, s.store, PatientImport, intent, s.store.InTx, func(ctx context.Context) error {
		if err := s.patients.HoldOff(ctx); err != nil {
			return err
		}
		if n, err := s.patients.Count(ctx); err != nil || n > 0 {
			return err
		}
		for _, in := range inputs {
			p := &models.Patient{}
			if err := in.applyTo(p, s.region, time.Now()); err != nil {
				return err
			}
			if err := s.patients.Create(ctx, p); err != nil {
				return err
			}
			added++
		}
		return recordImport(ctx, added, 0)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

func recordImport(ctx context.Context, created, existing int) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	unit.Record(audit.Event{
		Action: audit.Import, EntityType: "patient", Outcome: audit.Success,
		Details: itoa(created) + " created, " + itoa(existing) + " there already",
	})
	return nil
}
