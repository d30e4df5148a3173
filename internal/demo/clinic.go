package demo

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/schedule"
	"novamind/repository"
	"novamind/service"
)

// Login is one invented member of the staff, with the data to log in.
type Login struct{ Name, Role, Email, Password string }

// clinicians is how many members of the staff are clinicians. They come first.
const clinicians = 4

// staff returns the staff without passwords: the clinicians, the front desk, the auditor and the admin.
func staff() []Login {
	return []Login{
		{Name: "Wilhelmina Sorrelwood, PhD", Role: service.RoleClinician, Email: "w.sorrelwood@example.org"},
		{Name: "Octavio Brightwater, LCSW", Role: service.RoleClinician, Email: "o.brightwater@example.org"},
		{Name: "Nnamdi Larkspur, LADC", Role: service.RoleClinician, Email: "n.larkspur@example.org"},
		{Name: "Isolde Featherstone-Roe, MD", Role: service.RoleClinician, Email: "i.featherstone@example.org"},
		{Name: "Pip Marigold", Role: service.RoleFrontDesk, Email: "p.marigold@example.org"},
		{Name: "Cornelius Inkwell", Role: service.RoleAuditor, Email: "c.inkwell@example.org"},
		{Name: "Ada Keystone", Role: service.RoleAdmin, Email: "a.keystone@example.org"},
	}
}

// clinic is what one filling needs.
type clinic struct {
	accounts     *service.AccountService
	appointments *service.AppointmentService
	records      *service.MedicalRecordService
	consents     *service.ConsentService

	now      time.Time // in the clinic's time zone
	team     []audit.Actor
	patients []uuid.UUID // the active ones
}

// Fill adds the invented clinic to a database without patients, with appointments before and after now. It is one
// transaction of the job in ctx, and returns how many patients it added. Before the transaction commits, deliver gets the logins, whose passwords are random. Fill
// adds nothing if there are patients, or if an account has the e-mail address of an invented one.
func Fill(
	ctx context.Context, store *repository.Store, auth *service.AuthService, cfg *config.Config, now time.Time,
	deliver func([]Login) error,
) (int, error) {
	zone, err := schedule.Zone(cfg.Clinic.TimeZone)
	if err != nil {
		return 0, err
	}
	added := 0
	err = store.InBatch(intending(ctx, audit.Import, uuid.Nil), func(ctx context.Context) (err error) {
		care := service.NewCare(store, cfg.Access)
		c := &clinic{
			accounts:     service.NewAccountService(store, auth, cfg.Access),
			appointments: service.NewAppointmentService(store, care, cfg.Clinic),
			records:      service.NewMedicalRecordService(store, care),
			consents:     service.NewConsentService(store, care),
			now:          now.In(zone),
		}
		added, err = c.register(ctx, service.NewImportService(store, cfg.Clinic))
		if err != nil || added == 0 {
			return err
		}
		logins, err := c.hire(ctx)
		if err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{
			c.setHours, c.fillDiary, c.treatWeekly, c.writeNotes, c.protect,
		} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return deliver(logins)
	})
	switch {
	case apperr.Is(err, apperr.Duplicate): // the e-mail address of an account: the patients of an earlier demo were purged
		return 0, nil
	case err != nil:
		return 0, err
	}
	return added, nil
}

// register adds the patients, and returns how many there are.
func (c *clinic) register(ctx context.Context, imports *service.ImportService) (int, error) {
	var inputs []service.PatientInput
	for _, p := range Patients() {
		inputs = append(inputs, p.input())
	}
	ids, err := imports.IntoEmpty(ctx, inputs)
	for i, id := range ids {
		if *inputs[i].Active {
			c.patients = append(c.patients, id)
		}
	}
	return len(ids), err
}

// hire adds the accounts. Their one-time links are used at once, so no password has to be changed at the first login.
func (c *clinic) hire(ctx context.Context) ([]Login, error) {
	logins := staff()
	for i, l := range logins {
		in := service.AccountInput{Email: l.Email, Name: l.Name, Roles: []string{l.Role}}
		made, err := c.accounts.Create(ctx, in, nil)
		if err != nil {
			return nil, err
		}
		logins[i].Password = rand.Text()
		if err := c.accounts.Redeem(ctx, made.Link.Token, logins[i].Password); err != nil {
			return nil, err
		}
		c.team = append(c.team, audit.Actor{ID: made.ID, Roles: made.Roles})
	}
	return logins, nil
}

// frontDesk returns the actor who books.
func (c *clinic) frontDesk() audit.Actor { return c.team[clinicians] }

// intending returns ctx with what the job is about to do to a patient, or, with an id, to a record.
func intending(ctx context.Context, action string, record uuid.UUID) context.Context {
	intent := audit.Intent{Action: action, EntityType: "patient"}
	if record != uuid.Nil {
		intent.EntityType, intent.EntityID = "medicalrecord", record
	}
	return audit.WithIntent(ctx, intent)
}

// as runs do with the permissions of a member of the staff, in the transaction of ctx, and with events of its own. The
// events name the job as the actor, because the member of the staff does nothing.
func as[T any](ctx context.Context, who audit.Actor, do func(context.Context) (T, error)) (T, error) {
	var none T
	outer, err := audit.Current(ctx)
	if err != nil {
		return none, err
	}
	inner, unit, err := audit.Begin(ctx)
	if err != nil {
		return none, err
	}
	result, err := do(audit.WithActor(inner, who))
	if err != nil {
		return none, err
	}
	for _, event := range unit.Commit() {
		outer.Record(event)
	}
	return result, nil
}

// anyVersion is the precondition of changes to rows that nobody else can have changed.
func anyVersion(int64) bool { return true }
