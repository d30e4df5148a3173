package service

import (
	"context"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// ConsentService keeps the consents of patients and the disclosures of their data.
//
// Every method is one unit of work and records its event. It returns a Forbidden error if no role of the actor
// permits it, a NotFound error if the patient is out of the actor's scope, and an audit.unavailable error if the
// event can't be stored.
type ConsentService struct {
	store Store
	care  *Care

	accounts    *repository.AccountRepository
	records     *repository.MedicalRecordRepository
	consents    *repository.ConsentRepository
	disclosures *repository.DisclosureRepository
}

// NewConsentService returns the service on a store.
func NewConsentService(store *repository.Store, care *Care) *ConsentService {
	return &ConsentService{
		store: withNames(store, care), care: care,
		accounts:    repository.NewAccountRepository(store),
		records:     repository.NewMedicalRecordRepository(store),
		consents:    repository.NewConsentRepository(store),
		disclosures: repository.NewDisclosureRepository(store),
	}
}

// ConsentInput is a consent of a patient (42 CFR 2.31).
type ConsentInput struct {
	phi.Private `json:"-"`

	Kind        string     `json:"kind" values:"consent kind"`
	RecipientID *uuid.UUID `json:"recipient_id,omitempty" doc:"The account that may see the protected records. Default: every clinician with the patient in care, except the account that records the consent."`
	Purpose     string     `json:"purpose" max:"200" example:"Treatment"`
	GrantedAt   *time.Time `json:"granted_at,omitempty" doc:"When the patient signed the consent. Default: now."`
	ExpiresAt   *time.Time `json:"expires_at,omitempty" doc:"When the consent expires. It must be after granted_at. Default: never."`
}

// Faults returns the rules that the input breaks.
func (in ConsentInput) Faults(Rules) []apperr.Field {
	_, err := in.consent(time.Now())
	return fieldsOf(err)
}

func (in ConsentInput) consent(now time.Time) (*models.Consent, error) {
	var v validation
	if in.Kind != models.ConsentPart2 {
		v.add("/kind", "unknown_value", "Must be one of: "+models.ConsentPart2+".")
	}
	v.required("/purpose", &in.Purpose, maxOther)
	granted := now
	if in.GrantedAt != nil {
		granted = in.GrantedAt.UTC().Truncate(time.Microsecond)
	}
	if granted.After(now) {
		v.add("/granted_at", "future_date", "Must not be in the future.")
	}
	c := &models.Consent{Base: models.Base{CreatedAt: now}, Kind: in.Kind, RecipientID: in.RecipientID, Purpose: phi.Of(in.Purpose), GrantedAt: granted}
	if in.ExpiresAt != nil {
		c.ExpiresAt = new(in.ExpiresAt.UTC().Truncate(time.Microsecond))
		if !c.ExpiresAt.After(granted) {
			v.add("/expires_at", "out_of_range", "Must be after granted_at.")
		}
	}
	return c, v.err()
}

// Grant records a consent of a patient in the actor's care. The consent takes effect now, even if the patient signed
// it earlier, and opens nothing to the actor. Grant returns a NotFound or an Invalid error.
func (s *ConsentService) Grant(ctx context.Context, patientID uuid.UUID, in ConsentInput) (*models.Consent, error) {
	intent := audit.Intent{Action: audit.Create, EntityType: "consent"}
	return guarded(ctx, s.store, ConsentCreate, intent, s.store.InTx,
		func(ctx context.Context) (*models.Consent, error) { return s.grant(ctx, patientID, in) })
}

func (s *ConsentService) grant(ctx context.Context, patientID uuid.UUID, in ConsentInput) (*models.Consent, error) {
	if err := s.care.inCareFor(ctx, patientID); err != nil {
		return nil, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	c, err := in.consent(time.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return nil, err
	}
	if in.RecipientID != nil {
		if *in.RecipientID == actor.ID {
			return nil, apperr.InvalidFields(apperr.Field{Pointer: "/recipient_id", Code: "consent", Detail: "You cannot record a consent that names you. Ask a colleague to record it."})
		}
		if _, err := s.accounts.ByID(ctx, *in.RecipientID); err != nil {
			return nil, unknownReference(err, "/recipient_id")
		}
	}
	c.PatientID, c.RecordedBy = patientID, actor.ID
	return c, s.consents.Create(ctx, c)
}

// unknownReference turns a NotFound error into an Invalid one about the member that refers to the missing row.
func unknownReference(err error, pointer string) error {
	if !apperr.Is(err, apperr.NotFound) {
		return err
	}
	return apperr.InvalidFields(apperr.Field{Pointer: pointer, Code: "unknown_reference", Detail: "Must refer to a resource that exists and that you may see."})
}

// Get returns a consent. It returns a NotFound error, or an Unreadable one.
func (s *ConsentService) Get(ctx context.Context, id uuid.UUID) (*models.Consent, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "consent", EntityID: id}
	return guarded(ctx, s.store, ConsentRead, intent, s.store.Read,
		func(ctx context.Context) (*models.Consent, error) { return s.inScope(ctx, id) })
}

func (s *ConsentService) inScope(ctx context.Context, id uuid.UUID) (*models.Consent, error) {
	scope, err := s.scope(ctx)
	if err != nil {
		return nil, err
	}
	c, err := s.consents.InScope(ctx, id, scope)
	return c, unseen(err)
}

// scope returns the records that the actor may see, among the patients within the scope of the innermost guarded
// call. Consents and disclosures reveal records, so they are visible together with their records.
func (s *ConsentService) scope(ctx context.Context) (repository.RecordScope, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return repository.RecordScope{}, err
	}
	patients, err := s.care.scope(ctx)
	return repository.RecordScope{Patients: patients, AccountID: actor.ID, At: time.Now()}, err
}

// Of returns one page of a patient's consents that the actor may see, and whether there are more. It returns a
// NotFound error.
func (s *ConsentService) Of(ctx context.Context, patientID uuid.UUID, page Page) ([]*models.Consent, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "consent"}
	return guardedPage(ctx, s.store, ConsentRead, intent, func(ctx context.Context) ([]*models.Consent, bool, error) {
		scope, err := s.scopeOf(ctx, patientID)
		if err != nil {
			return nil, false, err
		}
		return s.consents.Of(ctx, patientID, scope, page)
	})
}

// scopeOf is scope for lists of a patient. It returns a NotFound error if the patient is not in the actor's care.
func (s *ConsentService) scopeOf(ctx context.Context, patientID uuid.UUID) (repository.RecordScope, error) {
	if err := s.care.inCareFor(ctx, patientID); err != nil {
		return repository.RecordScope{}, err
	}
	return s.scope(ctx)
}

// Revoke ends a consent from now on. It returns a NotFound, a Stale or a Conflict error.
func (s *ConsentService) Revoke(ctx context.Context, id uuid.UUID, current Precondition) (*models.Consent, error) {
	intent := audit.Intent{Action: audit.Revoke, EntityType: "consent", EntityID: id}
	return guarded(ctx, s.store, ConsentCreate, intent, s.store.InTx,
		func(ctx context.Context) (*models.Consent, error) {
			c, err := s.inScope(ctx, id)
			if err != nil {
				return nil, err
			}
			if err := current.check(c.Version); err != nil {
				return nil, err
			}
			if c.RevokedAt != nil {
				return nil, conflict("The consent is already revoked.")
			}
			c.RevokedAt = new(time.Now().UTC().Truncate(time.Microsecond))
			return c, s.consents.Update(ctx, c)
		})
}

// RevokeAll ends every consent of a patient in the actor's care, including consents that the actor cannot see:
// patients can revoke at any time (42 CFR 2.31), through any treating clinician. It does not tell whether there were
// consents. It returns a NotFound or a Stale error, or an Unreadable one.
func (s *ConsentService) RevokeAll(ctx context.Context, patientID uuid.UUID) error {
	intent := audit.Intent{Action: audit.Revoke, EntityType: "consent"}
	return guard(ctx, s.store, ConsentCreate, intent, s.store.InTx, func(ctx context.Context) error {
		if err := s.care.inCareFor(ctx, patientID); err != nil {
			return err
		}
		now := time.Now().UTC().Truncate(time.Microsecond)
		standing, err := s.consents.Standing(ctx, patientID, now)
		if err != nil {
			return err
		}
		for _, c := range standing {
			c.RevokedAt = &now
			if err := s.consents.Update(ctx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// DisclosureInput is a disclosure to a recipient outside of the clinic.
type DisclosureInput struct {
	phi.Private `json:"-"`

	RecordID    *uuid.UUID `json:"record_id,omitempty" doc:"The disclosed record, which must be a signed record of the patient."`
	ConsentID   *uuid.UUID `json:"consent_id,omitempty" doc:"The consent that permits the disclosure. Required for a record that 42 CFR Part 2 protects."`
	Recipient   string     `json:"recipient" max:"200" doc:"The person or organization outside of the clinic that received the information." example:"Example Hospital"`
	Purpose     string     `json:"purpose" max:"200" example:"Referral"`
	DisclosedAt *time.Time `json:"disclosed_at,omitempty" doc:"When the information was disclosed. Default: now."`
}

// Faults returns the rules that the input breaks.
func (in DisclosureInput) Faults(Rules) []apperr.Field {
	return fieldsOf(in.applyTo(&models.Disclosure{}, time.Now()))
}

// applyTo checks the input and writes it into d. It returns an Invalid error that names every offending member.
func (in DisclosureInput) applyTo(d *models.Disclosure, now time.Time) error {
	var v validation
	v.required("/recipient", &in.Recipient, maxOther)
	v.required("/purpose", &in.Purpose, maxOther)
	d.RecordID, d.ConsentID, d.DisclosedAt = in.RecordID, in.ConsentID, now
	if in.DisclosedAt != nil {
		if d.DisclosedAt = in.DisclosedAt.UTC().Truncate(time.Microsecond); d.DisclosedAt.After(now) {
			v.add("/disclosed_at", "future_date", "Must not be in the future.")
		}
	}
	d.Recipient, d.Purpose = phi.Of(in.Recipient), phi.Of(in.Purpose)
	return v.err()
}

// Disclose records a disclosure to a recipient outside of the clinic. The disclosure must not be before the record
// was signed. A record that 42 CFR Part 2 protects needs a consent that was recorded before the disclosure, names no
// account, and was neither revoked nor expired by then. Psychotherapy notes are never disclosed.
//
// Disclose returns a NotFound or an Invalid error, or a Conflict error if the record is a draft or was entered in
// error.
func (s *ConsentService) Disclose(
	ctx context.Context, patientID uuid.UUID, in DisclosureInput,
) (*models.Disclosure, error) {
	intent := audit.Intent{Action: audit.Disclose, EntityType: "disclosure"}
	return guarded(ctx, s.store, DisclosureCreate, intent, s.store.InTx,
		func(ctx context.Context) (*models.Disclosure, error) { return s.disclose(ctx, patientID, in) })
}

// Disclosure returns one disclosure. It returns a NotFound error if the actor may not see its record or its consent,
// or an Unreadable error.
func (s *ConsentService) Disclosure(ctx context.Context, id uuid.UUID) (*models.Disclosure, error) {
	intent := audit.Intent{Action: audit.Read, EntityType: "disclosure", EntityID: id}
	return guarded(ctx, s.store, DisclosureRead, intent, s.store.Read,
		func(ctx context.Context) (*models.Disclosure, error) {
			scope, err := s.scope(ctx)
			if err != nil {
				return nil, err
			}
			d, err := s.disclosures.InScope(ctx, id, scope)
			return d, unseen(err)
		})
}

func (s *ConsentService) disclose(
	ctx context.Context, patientID uuid.UUID, in DisclosureInput,
) (*models.Disclosure, error) {
	if err := s.care.inCareFor(ctx, patientID); err != nil {
		return nil, err
	}
	actor, err := audit.ActorFrom(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	d := &models.Disclosure{PatientID: patientID, DisclosedBy: &actor.ID}
	if err := in.applyTo(d, now); err != nil {
		return nil, err
	}
	if err := s.permit(ctx, d); err != nil {
		return nil, err
	}
	return d, s.disclosures.Create(ctx, d)
}

// permit returns an error unless the record and the consent of a disclosure allow it.
func (s *ConsentService) permit(ctx context.Context, d *models.Disclosure) error {
	scope, err := s.scope(ctx)
	if err != nil {
		return err
	}
	if d.RecordID != nil {
		m, err := s.records.InScopeOf(ctx, d.PatientID, *d.RecordID, scope)
		if err != nil {
			return unknownReference(err, "/record_id")
		}
		if m.Status != models.RecordFinal && m.Status != models.RecordAmended {
			return conflict("Only a signed record that is not marked as entered in error can be disclosed.")
		}
		if d.DisclosedAt.Before(*m.SignedAt) {
			return apperr.InvalidFields(apperr.Field{Pointer: "/disclosed_at", Code: "out_of_range", Detail: "Must not be before the record was signed."})
		}
		d.PatientID, d.Notice = m.PatientID, m.Sensitivity == models.SensitivityPart2
	}
	switch {
	case d.ConsentID == nil && d.Notice:
		return apperr.InvalidFields(apperr.Field{Pointer: "/consent_id", Code: "required", Detail: "42 CFR Part 2 protects this record: send the id of the patient's consent."})
	case d.ConsentID == nil:
		return nil
	}
	c, err := s.consents.InScope(ctx, *d.ConsentID, scope)
	if err != nil {
		return unknownReference(err, "/consent_id")
	}
	if c.PatientID != d.PatientID || !held(c, d.DisclosedAt) {
		return apperr.InvalidFields(apperr.Field{Pointer: "/consent_id", Code: "consent", Detail: "Must be a consent of this patient that was in effect at disclosed_at."})
	}
	if c.RecipientID != nil {
		return apperr.InvalidFields(apperr.Field{Pointer: "/consent_id", Code: "consent", Detail: "This consent permits disclosure to one account only. Send a consent without recipient_id."})
	}
	return nil
}

// held reports whether a consent was in effect at a time. No consent is in effect before it was recorded.
func held(c *models.Consent, at time.Time) bool {
	return !c.CreatedAt.After(at) && (c.ExpiresAt == nil || c.ExpiresAt.After(at)) && (c.RevokedAt == nil || c.RevokedAt.After(at))
}

// Disclosures returns one page of the disclosures of a patient (45 CFR 164.528), the latest first, and whether there
// are more. It leaves out disclosures of records that the actor cannot see. It returns a NotFound error.
func (s *ConsentService) Disclosures(
	ctx context.Context, patientID uuid.UUID, page Page,
) ([]*models.Disclosure, bool, error) {
	intent := audit.Intent{Action: audit.List, EntityType: "disclosure"}
	return guardedPage(ctx, s.store, DisclosureRead, intent,
		func(ctx context.Context) ([]*models.Disclosure, bool, error) {
			scope, err := s.scopeOf(ctx, patientID)
			if err != nil {
				return nil, false, err
			}
			return s.disclosures.Of(ctx, patientID, scope, page)
		})
}
