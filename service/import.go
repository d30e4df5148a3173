package service

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/fhir"
	"novamind/models"
	"novamind/repository"
)

// importBatch is how many rows share a transaction. An interruption undoes at most that many.
const importBatch = 100

// ImportService imports patients and their histories from other systems. A value is for one export only, because it
// remembers the export's practitioners. It is not for concurrent use. Every method returns a Forbidden error if no
// role of the actor permits it.
type ImportService struct {
	store        Store
	patients     *repository.PatientRepository
	accounts     *repository.AccountRepository
	appointments *repository.AppointmentRepository
	records      *repository.MedicalRecordRepository
	flags        *repository.RiskFlagRepository
	region, zone string

	practitioners map[string]uuid.UUID // by an identifier, as references name it
}

// NewImportService returns the service on a store.
func NewImportService(store *repository.Store, clinic config.Clinic) *ImportService {
	return &ImportService{
		store: store, region: clinic.PhoneRegion, zone: clinic.TimeZone,
		patients:      repository.NewPatientRepository(store),
		accounts:      repository.NewAccountRepository(store),
		appointments:  repository.NewAppointmentRepository(store),
		records:       repository.NewMedicalRecordRepository(store),
		flags:         repository.NewRiskFlagRepository(store),
		practitioners: map[string]uuid.UUID{},
	}
}

// Report counts the rows of an import.
type Report struct {
	Created  int      `json:"created"`
	Existing int      `json:"existing"` // already here, and left unchanged
	Rejected []Reject `json:"rejected"`
}

// Reject is a rejected line and the reason. The reason holds nothing of the line.
type Reject struct {
	Line   int    `json:"line"`
	Reason string `json:"reason"`
}

// ErrRejected means that a strict import met a line that it cannot import. The report names the line.
var ErrRejected = errors.New("a line was rejected")

// imported says how one kind of resource R becomes rows M.
type imported[R, M any] struct {
	permission Permission
	table      string
	id         func(*R) uuid.UUID
	row        func(*R) (*M, string) // the row, or the reason for rejecting the resource
	known      func(context.Context, []uuid.UUID) (map[uuid.UUID]bool, error)
	// admit compares new rows, in the order of their lines, with the stored ones, and returns the reasons for the
	// rows that it refuses. It runs in their transaction.
	admit  func(context.Context, []newRow[M]) (map[uuid.UUID]string, error)
	create func(context.Context, *M) error
}

// newRow is a row that an import may create, and the line that it is from.
type newRow[M any] struct {
	id   uuid.UUID
	line int
	row  *M
}

// importRun is one pass over one file.
type importRun[R, M any] struct {
	imported[R, M]

	store  Store
	seen   map[uuid.UUID]int // id → the imported line
	batch  []newRow[M]       // rows that were read and are not saved yet
	report Report
}

// importLines imports one file. It keeps ids and leaves existing rows unchanged, so an interrupted import can be run
// again. With strict it stops at the first bad line, with ErrRejected. If progress is not nil, it gets the number of
// bytes read. The report is valid with an error too.
func importLines[R, M any](ctx context.Context, store Store, kind imported[R, M], lines iter.Seq2[fhir.Resource[R], error], strict bool,
	progress func(int64),
) (Report, error) {
	run := &importRun[R, M]{imported: kind, store: store, seen: map[uuid.UUID]int{}, report: Report{Rejected: []Reject{}}}
	for line, err := range lines {
		if err != nil {
			return run.report, apperr.Wrap(apperr.Malformed, "The rest of the file cannot be read.", err)
		}
		saved, err := run.take(ctx, line)
		if err == nil && strict && len(run.report.Rejected) > 0 {
			err = errors.Join(ErrRejected, run.save(ctx))
		}
		if err != nil {
			return run.report, err
		}
		if saved && progress != nil {
			progress(line.End)
		}
	}
	if err := run.save(ctx); err != nil {
		return run.report, err
	}
	if strict && len(run.report.Rejected) > 0 {
		return run.report, ErrRejected
	}
	return run.report, nil
}

// take adds a line to the batch, or rejects it, and saves a full batch. Of several lines with one id, it imports the
// first one that is not rejected. To know that, it saves the waiting rows first.
func (r *importRun[R, M]) take(ctx context.Context, line fhir.Resource[R]) (saved bool, err error) {
	if line.Reject == "" && slices.ContainsFunc(r.batch, func(b newRow[M]) bool { return b.id == r.id(line.Value) }) {
		if err := r.save(ctx); err != nil {
			return false, err
		}
	}
	row, reason := r.read(line)
	if reason != "" {
		r.reject(line.Number, reason)
		return false, nil
	}
	if r.batch = append(r.batch, row); len(r.batch) < importBatch {
		return false, nil
	}
	return true, r.save(ctx)
}

func (r *importRun[R, M]) reject(line int, reason string) {
	r.report.Rejected = append(r.report.Rejected, Reject{line, reason})
	slices.SortStableFunc(r.report.Rejected, func(a, b Reject) int { return a.Line - b.Line })
}

// read turns a line into a row, or into the reason for rejecting it.
func (r *importRun[R, M]) read(line fhir.Resource[R]) (newRow[M], string) {
	if line.Reject != "" {
		return newRow[M]{}, line.Reject
	}
	id := r.id(line.Value)
	if earlier, ok := r.seen[id]; ok {
		return newRow[M]{}, "has the id of line " + itoa(earlier)
	}
	row, reason := r.row(line.Value)
	return newRow[M]{id, line.Number, row}, reason
}

// save stores the rows of the batch that do not exist yet, in one transaction. It records one event for the batch and
// one for each row.
func (r *importRun[R, M]) save(ctx context.Context) error {
	batch := r.batch
	if len(batch) == 0 {
		return nil
	}
	var known map[uuid.UUID]bool
	var refused map[uuid.UUID]string
	intent := audit.Intent{Action: audit.Import, EntityType: r.table}
	err := guard(ctx, r.store, r.permission, intent, r.store.InBatch, func(ctx context.Context) (err error) {
		if known, refused, err = r.judge(ctx, batch); err != nil {
			return err
		}
		for _, b := range batch {
			if known[b.id] || refused[b.id] != "" {
				continue
			}
			if err := r.create(ctx, b.row); err != nil {
				return err
			}
		}
		return recordImport(ctx, r.table, len(batch)-len(known)-len(refused), len(known))
	})
	if err != nil {
		return err
	}
	r.report.Created += len(batch) - len(known) - len(refused)
	r.report.Existing += len(known)
	for _, b := range batch {
		if reason := refused[b.id]; reason != "" {
			r.reject(b.line, reason)
		} else {
			r.seen[b.id] = b.line
		}
	}
	r.batch = nil
	return nil
}

// judge returns the rows of a batch that exist already, and the reasons for the other rows that can't be stored.
func (r *importRun[R, M]) judge(ctx context.Context, batch []newRow[M]) (map[uuid.UUID]bool, map[uuid.UUID]string, error) {
	ids := make([]uuid.UUID, len(batch))
	for i, b := range batch {
		ids[i] = b.id
	}
	known, err := r.known(ctx, ids)
	if err != nil || r.admit == nil {
		return known, nil, err
	}
	fresh := slices.DeleteFunc(slices.Clone(batch), func(b newRow[M]) bool { return known[b.id] })
	refused, err := r.admit(ctx, fresh)
	return known, refused, err
}

func recordImport(ctx context.Context, table string, created, existing int) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	unit.Record(audit.Event{
		Action: audit.Import, EntityType: table, Outcome: audit.Success,
		Details: itoa(created) + " created, " + itoa(existing) + " there already",
	})
	return nil
}

// Patients imports an NDJSON file of FHIR R4 patients (see importLines).
func (s *ImportService) Patients(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (Report, error) {
	return importLines(ctx, s.store, imported[fhir.Patient, models.Patient]{
		permission: PatientImport, table: "patient",
		id:    func(p *fhir.Patient) uuid.UUID { return p.ID },
		known: s.patients.Known, create: s.patients.Create,
		row: func(from *fhir.Patient) (*models.Patient, string) {
			p := &models.Patient{Base: models.Base{ID: from.ID}}
			if err := importInput(from).applyTo(p, s.region, time.Now()); err != nil {
				return nil, rejectReason(err)
			}
			return p, ""
		},
	}, fhir.Patients(r), strict, progress)
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

// IntoEmpty adds patients to a database that has none, and changes no other database. This holds also if several
// processes try at once. It returns the ids of the patients that it added, in the order of inputs.
func (s *ImportService) IntoEmpty(ctx context.Context, inputs []PatientInput) ([]uuid.UUID, error) {
	var added []uuid.UUID
	intent := audit.Intent{Action: audit.Import, EntityType: "patient"}
	err := guard(ctx, s.store, PatientImport, intent, s.store.InTx, func(ctx context.Context) error {
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
			added = append(added, p.ID)
		}
		return recordImport(ctx, "patient", len(added), 0)
	})
	if err != nil {
		return nil, err
	}
	return added, nil
}
