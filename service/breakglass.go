package service

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/phi"
	"novamind/internal/webhook"
	"novamind/models"
	"novamind/repository"
)

// BreakGlassService opens emergency access to patients outside of a clinician's care.
type BreakGlassService struct {
	store    Store
	patients *repository.PatientRepository
	accesses *repository.BreakGlassRepository
	lasts    time.Duration
	log      *slog.Logger
	hook     *webhook.Hook // nil: only the log is told
	wake     chan struct{}
}

// NewBreakGlassService returns the service on a store. It returns an error if the webhook can't be used.
func NewBreakGlassService(store *repository.Store, cfg config.Access, log *slog.Logger) (*BreakGlassService, error) {
	s := &BreakGlassService{
		store: withNames(store, NewCare(store, cfg)), lasts: cfg.BreakGlass, log: log, wake: make(chan struct{}, 1),
		patients: repository.NewPatientRepository(store),
		accesses: repository.NewBreakGlassRepository(store),
	}
	if cfg.Webhook == "" {
		return s, nil
	}
	var err error
	s.hook, err = webhook.New(string(cfg.Webhook), cfg.WebhookPrivate)
	return s, err
}

// BreakGlassInput names the patient of an emergency, by id or by both full names and the date of birth, and the
// reason.
type BreakGlassInput struct {
	phi.Private `json:"-"`

	PatientID   *uuid.UUID `json:"patient_id,omitempty" doc:"The patient. Instead, you can send both names and the date of birth."`
	FirstName   *string    `json:"first_name,omitempty" max:"50"`
	LastName    *string    `json:"last_name,omitempty" max:"50"`
	DateOfBirth *string    `json:"date_of_birth,omitempty" format:"date" example:"1980-02-03"`
	Reason      string     `json:"reason" max:"200" example:"Brought in unconscious"`
}

// Faults returns the rules that the input breaks. If the input names no patient, only the reason is checked.
func (in BreakGlassInput) Faults(Rules) []apperr.Field {
	if in.PatientID == nil && in.FirstName == nil && in.LastName == nil && in.DateOfBirth == nil {
		return ReasonFaults("/reason", in.Reason)
	}
	_, err := in.query()
	return fieldsOf(err)
}

// query returns the search of the input, or nil if the input names an id. It returns an Invalid error.
func (in *BreakGlassInput) query() (*models.PatientQuery, error) {
	var v validation
	v.required("/reason", &in.Reason, maxOther)
	if in.PatientID != nil {
		if in.FirstName != nil || in.LastName != nil || in.DateOfBirth != nil {
			v.add("/patient_id", "unexpected", "Send either patient_id, or both names and the date of birth.")
		}
		return nil, v.err()
	}
	q := &models.PatientQuery{FirstName: orEmpty(in.FirstName), LastName: orEmpty(in.LastName)}
	v.required("/first_name", q.FirstName, maxName)
	v.required("/last_name", q.LastName, maxName)
	day := v.dateOfBirth("/date_of_birth", *orEmpty(in.DateOfBirth), time.Now())
	q.DateOfBirth = &day
	return q, v.err()
}

func orEmpty(s *string) *string {
	if s == nil {
		return new("")
	}
	return s
}

// maxEmergency bounds how many patients one emergency can open: those of the same name and date of birth.
const maxEmergency = 10

// Open gives the actor emergency access to a patient, or to all patients with the same names and date of birth, until
// the time it returns. Events that use the access are flagged in the log, and the admins are told. Open never opens
// psychotherapy notes. It returns an Invalid error, a Forbidden one, or a NotFound one if no patient matches.
func (s *BreakGlassService) Open(ctx context.Context, in BreakGlassInput) ([]uuid.UUID, time.Time, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, time.Time{}, apperr.Wrap(apperr.Internal, "The access could not be attributed.", err)
	}
	actor.Purpose = audit.BreakTheGlass
	ctx = audit.WithActor(ctx, actor)
	q, invalid := in.query()
	intent := audit.Intent{Action: audit.BreakGlass, EntityType: "patient"}
	if invalid == nil {
		intent.Reason = in.Reason
	}
	if in.PatientID != nil {
		intent.EntityID = *in.PatientID
	}
	var opened []uuid.UUID
	now := time.Now().UTC().Truncate(time.Microsecond)
	expires := now.Add(s.lasts)
	err = guard(ctx, s.store, BreakGlassOpen, intent, s.store.InTx, func(ctx context.Context) error {
		if invalid != nil {
			return invalid
		}
		if opened, err = s.find(ctx, in.PatientID, q); err != nil {
			return err
		}
		for _, id := range opened {
			access := &models.BreakGlass{AccountID: actor.ID, PatientID: id, ExpiresAt: expires}
			if err := s.accesses.Create(ctx, access); err != nil {
				return err
			}
			madeOnce(ctx, access.ID)
		}
		return recordEmergency(ctx, opened, in.Reason)
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(opened) > 0 { // not for a repeated request
		s.tell(ctx, actor.ID, len(opened), expires)
	}
	return opened, expires, nil
}

// find returns the patients that match. It returns a NotFound error if there are none, or too many to be one person.
func (s *BreakGlassService) find(ctx context.Context, id *uuid.UUID, q *models.PatientQuery) ([]uuid.UUID, error) {
	var ids []uuid.UUID
	var err error
	if q != nil {
		ids, err = s.named(ctx, *q)
	} else {
		var known map[uuid.UUID]bool
		known, err = s.patients.Known(ctx, []uuid.UUID{*id})
		ids = slices.Collect(maps.Keys(known))
	}
	if err == nil && len(ids) == 0 {
		err = apperr.New(apperr.NotFound, "There is no such patient.")
	}
	return ids, err
}

// named returns the patients with these names and date of birth. Nothing of them is shown yet.
func (s *BreakGlassService) named(ctx context.Context, q models.PatientQuery) ([]uuid.UUID, error) {
	unit, err := audit.Current(ctx)
	if err != nil {
		return nil, err
	}
	found, more, err := s.patients.Search(ctx, q, Page{Limit: maxEmergency}, repository.Scope{All: true})
	if err != nil {
		return nil, err
	}
	var ids []uuid.UUID
	for _, p := range found {
		if !p.Unreadable() && !more && samePerson(p, q) {
			ids = append(ids, p.ID)
		}
		unit.Withhold(p.ID)
	}
	return ids, nil
}

// samePerson reports whether both names of a patient match in full. A search would also match one part of a compound
// name.
func samePerson(p *models.Patient, q models.PatientQuery) bool {
	return phi.NormalizeText(p.FirstName.Plain()) == phi.NormalizeText(*q.FirstName) &&
		phi.NormalizeText(p.LastName.Plain()) == phi.NormalizeText(*q.LastName)
}

// recordEmergency adds an event for each opened patient.
func recordEmergency(ctx context.Context, ids []uuid.UUID, reason string) error {
	unit, err := audit.Current(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		unit.Record(audit.Event{
			Action: audit.BreakGlass, EntityType: "patient", EntityID: id, Outcome: audit.Success, Reason: reason,
			Subjects: []audit.Subject{{ID: id, EntityType: "patient"}},
		})
	}
	return nil
}

// Active returns the actor's own emergency accesses that have not expired, the newest first.
func (s *BreakGlassService) Active(ctx context.Context) ([]*models.BreakGlass, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "breakglass"}
	return guarded(ctx, s.store, BreakGlassOpen, intent, s.store.Read, func(ctx context.Context) ([]*models.BreakGlass, error) {
		actor, err := audit.ActorFrom(ctx)
		if err != nil {
			return nil, err
		}
		found, err := s.accesses.Active(ctx, actor.ID, time.Now().UTC())
		if err == nil && len(found) > 0 { // the names of these patients are shown by emergency access
			err = flag(ctx)
		}
		return found, err
	})
}
