package service_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/auditexport"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// expectation states the roles that may call a method of a service.
type expectation struct {
	roles  []string // the permitted roles
	action string   // the action in the event of a denial
	// Nil for an open method; its patients come from bundle.inCareOf.
	call func(*testing.T, *bundle, context.Context) error
	// Clinicians get NotFound for patients outside of their care.
	care bool
	open string // the reason why a method needs no role
}

var (
	staff      = []string{service.RoleClinician, service.RoleFrontDesk}
	clinicians = []string{service.RoleClinician}
	callers    = []string{service.RoleClinician, service.RoleFrontDesk, service.RoleIntegration}
	auditors   = []string{service.RoleAuditor, service.RoleSystem}
	admins     = []string{service.RoleAdmin, service.RoleSystem}
	onePage    = service.Page{Limit: 10}
)

// expectations has a row for every exported method of every service.
var expectations = map[string]expectation{
	"PatientService.Register": {
		roles: append(slices.Clone(staff), service.RoleIntegration, service.RoleSystem), action: audit.Create,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.patients.Register(ctx, another(input()))
			return err
		},
	},
	"PatientService.Get": {
		roles: callers, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			p, err := b.patients.Get(ctx, b.inCareOf(t, ctx).ID)
			require.Equal(t, err == nil, p != nil)
			return err
		},
	},
	"PatientService.Registered": {
		roles: callers, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			p, err := b.patients.Registered(ctx, b.inCareOf(t, ctx).ID)
			require.Equal(t, err == nil, p != nil)
			return err
		},
	},
	"PatientService.Search": {
		roles: callers, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.inCareOf(t, ctx)
			found, _, err := b.patients.Search(ctx, models.PatientQuery{}, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"PatientService.Change": {
		roles: callers, action: audit.Update, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.patients.Change(ctx, b.inCareOf(t, ctx).ID, anyVersion, func(*models.Patient) (service.PatientInput, error) {
				in := input()
				in.LastName = "Changed"
				return in, nil
			})
			return err
		},
	},
	"PatientService.Deactivate": {
		roles: staff, action: audit.Deactivate, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.patients.Deactivate(ctx, b.inCareOf(t, ctx).ID, anyVersion)
			return err
		},
	},
	"PatientService.Merge": {
		roles: []string{service.RoleFrontDesk}, action: audit.Merge,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.patients.Merge(ctx, b.inCareOf(t, ctx).ID, b.inCareOf(t, ctx).ID, anyVersion, "registered twice")
			return err
		},
	},
	"PatientService.Unmerge": {
		roles: []string{service.RoleFrontDesk}, action: audit.Unmerge,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			merged, kept := b.inCareOf(t, ctx), b.inCareOf(t, ctx)
			_, err := b.patients.Merge(as(t, service.RoleFrontDesk), merged.ID, kept.ID, anyVersion, "registered twice")
			require.NoError(t, err)
			_, err = b.patients.Unmerge(ctx, merged.ID, anyVersion, "not the same")
			return err
		},
	},
	"PatientService.Purge": {
		roles: []string{service.RoleAdmin}, action: audit.Purge,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			return b.patients.Purge(ctx, b.inCareOf(t, ctx).ID, anyVersion, "asked for")
		},
	},
	"AppointmentService.Book": {
		roles: callers, action: audit.Create, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.Book(ctx, visit(b.inCareOf(t, ctx), b.practitioner(t), 0))
			return err
		},
	},
	"AppointmentService.Get": {
		roles: callers, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			a, err := b.appointments.Get(ctx, b.appointmentInCareOf(t, ctx).ID)
			require.Equal(t, err == nil, a != nil)
			return err
		},
	},
	"AppointmentService.Search": {
		roles: callers, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.appointmentInCareOf(t, ctx)
			found, _, err := b.appointments.Search(ctx, service.AppointmentQuery{}, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"AppointmentService.OfPatient": {
		roles: callers, action: audit.List, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			found, _, err := b.appointments.OfPatient(ctx, b.appointmentInCareOf(t, ctx).PatientID, service.AppointmentQuery{}, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"AppointmentService.Change": {
		roles: callers, action: audit.Update, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			a := b.appointmentInCareOf(t, ctx)
			_, err := b.appointments.Change(ctx, a.ID, anyVersion, service.OnlyThis, func(a *models.Appointment) (service.AppointmentInput, error) {
				return said(a), nil
			})
			return err
		},
	},
	"AppointmentService.Transition": {
		roles: callers, action: audit.Transition, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.Transition(ctx, b.appointmentInCareOf(t, ctx).ID, anyVersion, models.Cancelled, "ill", service.OnlyThis)
			return err
		},
	},
	"AppointmentService.PreviewSeries": {
		roles: callers, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.PreviewSeries(ctx, b.seriesInCareOf(t, ctx))
			return err
		},
	},
	"AppointmentService.BookSeries": {
		roles: callers, action: audit.Create,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.BookSeries(ctx, b.seriesInCareOf(t, ctx))
			return err
		},
	},
	"AppointmentService.GetSeries": {
		roles: callers, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			made, err := b.appointments.BookSeries(as(t, service.RoleFrontDesk), b.seriesInCareOf(t, ctx))
			require.NoError(t, err)
			_, err = b.appointments.GetSeries(ctx, made.ID)
			return err
		},
	},
	"AppointmentService.Availability": {
		roles: callers, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.Availability(ctx, b.practitioner(t).ID)
			return err
		},
	},
	"AppointmentService.SetAvailability": {
		roles: []string{service.RoleFrontDesk}, action: audit.Update, // and clinicians for their own hours
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.SetAvailability(ctx, b.practitioner(t).ID, anyVersion, func(*models.Availability) (service.AvailabilityInput, error) {
				return service.AvailabilityInput{TimeZone: "UTC"}, nil
			})
			return err
		},
	},
	"AppointmentService.Slots": {
		roles: callers, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.appointments.Slots(ctx, b.practitioner(t).ID, service.SlotQuery{From: monday, To: monday.AddDate(0, 0, 1), Minutes: 60})
			return err
		},
	},
	"AppointmentService.ExpireHolds":             {open: "is a job of the program"},
	"AppointmentService.ExpireHoldsInBackground": {open: "is a job of the program"},
	"AuditLogService.Search": {
		roles: auditors, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.register(t)
			found, _, err := b.log.Search(ctx, service.AuditLogQuery{}, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"AuditLogService.Get": {
		roles: auditors, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.log.Get(ctx, b.eventOn(t, b.register(t).ID))
			return err
		},
	},
	"AuditLogService.OpenDiff": {
		roles: []string{service.RoleAuditor}, action: audit.OpenDiff,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.log.OpenDiff(ctx, b.eventOn(t, b.account(t, service.RoleClinician).ID))
			return err
		},
	},
	"AuditLogService.Accounting": {
		roles: auditors, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			actor, _ := audit.ActorFrom(ctx)
			sees := !slices.Equal(actor.Roles, []string{service.RoleAuditor})
			return b.log.Accounting(ctx, b.register(t).ID, time.Time{}, time.Time{}, func(p *models.Patient) error {
				require.Equal(t, sees, p != nil, "an auditor alone sees no patients")
				return nil
			}, func([]service.Access) error { return nil })
		},
	},
	"AuditLogService.Names":          {open: "is for the reports of the other methods"},
	"AuditLogService.AccountByEmail": {open: "is for the operator's reports"},

	"AuditReviewService.Week":   {open: "names weeks"},
	"AuditReviewService.WeekOf": {open: "names weeks"},
	"AuditReviewService.Review": {
		roles: auditors, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.reviews(t).Review(ctx, b.reviews(t).WeekOf(time.Now()))
			return err
		},
	},
	"AuditReviewService.SignOff": {
		roles: []string{service.RoleAuditor}, action: audit.SignOff,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			week := time.Now().AddDate(-1-b.weeks, 0, 0)
			b.weeks++
			return b.reviews(t).SignOff(ctx, b.reviews(t).WeekOf(week), anyVersion, "looked at")
		},
	},
	"AuditTreeService.Prove": {
		roles: auditors, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			event := b.eventOn(t, b.register(t).ID)
			require.NoError(t, repository.NewSequencer(b.store).Drain(t.Context()))
			_, err := service.NewAuditTreeService(b.store).Prove(ctx, event)
			return err
		},
	},
	"AuditTreeService.Export": {
		roles: auditors, action: audit.Export,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.register(t)
			require.NoError(t, repository.NewSequencer(b.store).Drain(t.Context()))
			_, err := service.NewAuditTreeService(b.store).Export(ctx, service.AuditLogQuery{}, auditexport.NDJSON, io.Discard, nil)
			return err
		},
	},

	"ImportService.Patients": {
		roles: []string{service.RoleSystem}, action: audit.Import,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.imports.Patients(ctx, strings.NewReader(line(1)), false, nil)
			return err
		},
	},
	"ImportService.Practitioners": {
		roles: []string{service.RoleSystem}, action: audit.Import,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.imports.Practitioners(ctx, strings.NewReader(practitionerLine(1)), false, nil)
			return err
		},
	},
	"ImportService.Encounters": {
		roles: []string{service.RoleSystem}, action: audit.Import,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.imports.Encounters(ctx, strings.NewReader(encounterLine(1, 1, 1, 8, "finished")), false, nil)
			return err
		},
	},
	"ImportService.Documents": {
		roles: []string{service.RoleSystem}, action: audit.Import,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.imports.Documents(ctx, strings.NewReader(documentLine(1, 1, 1, 1)), false, nil)
			return err
		},
	},
	"ImportService.IntoEmpty": {
		roles: []string{service.RoleSystem}, action: audit.Import,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.imports.IntoEmpty(ctx, []service.PatientInput{input()})
			return err
		},
	},
	"ChartService.Of": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			c, err := b.charts.Of(ctx, b.recordFor(t, ctx).PatientID)
			// Emergency access shows no draft.
			require.Equal(t, err == nil, c != nil && (len(c.Records) == 1 || b.byEmergency) && len(c.Flags) == 1)
			return err
		},
	},
	"MedicalRecordService.Write": {
		roles: clinicians, action: audit.Create,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.enroll(t, ctx)
			_, err := b.records.Write(ctx, b.inCareOf(t, ctx).ID, service.RecordInput{Kind: models.KindIntake, Title: "Visit"})
			return err
		},
	},
	"MedicalRecordService.Get": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.Get(ctx, b.recordFor(t, ctx).ID)
			return err
		},
	},
	"MedicalRecordService.Search": {
		roles: clinicians, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.recordFor(t, ctx)
			found, _, err := b.records.Search(ctx, service.RecordQuery{}, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"MedicalRecordService.History": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.History(ctx, b.recordFor(t, ctx).ID)
			return err
		},
	},
	"MedicalRecordService.Change": {
		roles: clinicians, action: audit.Update, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.Change(ctx, b.recordFor(t, ctx).ID, anyVersion, func(*models.MedicalRecord) (service.RecordInput, error) {
				return service.RecordInput{Kind: models.KindIntake, Title: "Changed"}, nil
			})
			return err
		},
	},
	"MedicalRecordService.Sign": {
		roles: clinicians, action: audit.Sign, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.Sign(ctx, b.recordFor(t, ctx).ID, anyVersion)
			return err
		},
	},
	"MedicalRecordService.Amend": {
		roles: clinicians, action: audit.Amend, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			writer, p := b.writer(t, ctx)
			m, err := b.records.Write(writer, p.ID, service.RecordInput{Kind: models.KindIntake, Title: "Visit", Content: "Text"})
			require.NoError(t, err)
			_, err = b.records.Sign(writer, m.ID, anyVersion)
			require.NoError(t, err)
			_, err = b.records.Amend(ctx, m.ID, service.AmendmentInput{AmendmentReason: "A word was missing"})
			return err
		},
	},
	"MedicalRecordService.MarkError": {
		roles: clinicians, action: audit.MarkError, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.MarkError(ctx, b.recordFor(t, ctx).ID, anyVersion, "of somebody else")
			return err
		},
	},
	"MedicalRecordService.Flags": {
		roles: clinicians, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.records.Flags(ctx, b.recordFor(t, ctx).PatientID, true, onePage)
			return err
		},
	},
	"MedicalRecordService.Flag": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			f, err := b.records.Flag(ctx, b.flagFor(t, ctx))
			require.Equal(t, err == nil, f != nil)
			return err
		},
	},
	"MedicalRecordService.Review": {
		roles: clinicians, action: audit.Update, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.records.Review(ctx, b.flagFor(t, ctx), anyVersion, service.ReviewInput{Finding: "Safe"})
			return err
		},
	},
	"ConsentService.Grant": {
		roles: clinicians, action: audit.Create,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.enroll(t, ctx)
			_, err := b.consents.Grant(ctx, b.inCareOf(t, ctx).ID, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
			return err
		},
	},
	"ConsentService.Get": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.consents.Get(ctx, b.consentFor(t, ctx).ID)
			return err
		},
	},
	"ConsentService.Of": {
		roles: clinicians, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.consents.Of(ctx, b.consentFor(t, ctx).PatientID, onePage)
			return err
		},
	},
	"ConsentService.Revoke": {
		roles: clinicians, action: audit.Revoke, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.consents.Revoke(ctx, b.consentFor(t, ctx).ID, anyVersion)
			return err
		},
	},
	"ConsentService.RevokeAll": {
		roles: clinicians, action: audit.Revoke, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			return b.consents.RevokeAll(ctx, b.consentFor(t, ctx).PatientID)
		},
	},
	"ConsentService.Disclose": {
		roles: clinicians, action: audit.Disclose,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.enroll(t, ctx)
			_, err := b.consents.Disclose(ctx, b.inCareOf(t, ctx).ID, service.DisclosureInput{Recipient: "Example Hospital", Purpose: "Referral"})
			return err
		},
	},
	"ConsentService.Disclosure": {
		roles: clinicians, action: audit.Read, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			writer, p := b.writer(t, ctx)
			in := service.DisclosureInput{Recipient: "Example Hospital", Purpose: "Referral"}
			d, err := b.consents.Disclose(writer, p.ID, in)
			require.NoError(t, err)
			_, err = b.consents.Disclosure(ctx, d.ID)
			return err
		},
	},
	"ConsentService.Disclosures": {
		roles: clinicians, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.consents.Disclosures(ctx, b.inCareOf(t, ctx).ID, onePage)
			return err
		},
	},
	"CareService.Clinicians": {
		roles: callers, action: audit.List, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.carers.Clinicians(ctx, b.inCareOf(t, ctx).ID)
			return err
		},
	},
	"CareService.Assign": {
		roles: staff, action: audit.Assign, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.carers.Assign(ctx, b.inCareOf(t, ctx).ID, b.account(t, service.RoleClinician).ID)
			return err
		},
	},
	"CareService.Unassign": {
		roles: staff, action: audit.Unassign, care: true,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			p, assigned := b.inCareOf(t, ctx), b.account(t, service.RoleClinician)
			require.NoError(t, b.care.Note(t.Context(), p.ID, assigned.ID, models.CareAssigned, time.Now()))
			return b.carers.Unassign(ctx, p.ID, assigned.ID, anyVersion)
		},
	},
	"BreakGlassService.Open": {
		roles: []string{service.RoleClinician}, action: audit.BreakGlass,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.emergencies.Open(ctx, service.BreakGlassInput{PatientID: &b.register(t).ID, Reason: "unconscious"})
			return err
		},
	},
	"BreakGlassService.Active": {
		roles: []string{service.RoleClinician}, action: audit.List,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.emergencies.Active(ctx)
			return err
		},
	},
	"BreakGlassService.TellInBackground": {open: "is a job of the program"},

	"AccountService.Create": {
		roles: admins, action: audit.Create,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Create(ctx, accountInput(service.RoleClinician), nil)
			return err
		},
	},
	"AccountService.Get": {
		roles: admins, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Get(ctx, b.account(t, service.RoleClinician).ID)
			return err
		},
	},
	"AccountService.ByEmail": {
		roles: admins, action: audit.Search,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.ByEmail(ctx, b.account(t, service.RoleClinician).Email)
			return err
		},
	},
	"AccountService.Search": {
		roles: admins, action: audit.List,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.accounts.Search(ctx, service.AccountQuery{}, onePage)
			return err
		},
	},
	"AccountService.Practitioners": {
		roles: append(service.Roles(), service.RoleIntegration), action: audit.List,
		call: func(_ *testing.T, b *bundle, ctx context.Context) error {
			_, _, err := b.accounts.Practitioners(ctx, onePage)
			return err
		},
	},
	"AccountService.Practitioner": {
		roles: append(service.Roles(), service.RoleIntegration), action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Practitioner(ctx, b.account(t, service.RoleClinician).ID)
			return err
		},
	},
	"AccountService.Change": {
		roles: admins, action: audit.Update,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Change(ctx, b.account(t, service.RoleClinician).ID, anyVersion, func(*models.Account) (service.AccountInput, error) {
				return accountInput(service.RoleFrontDesk), nil
			})
			return err
		},
	},
	"AccountService.Reset": {
		roles: admins, action: audit.Reset,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Reset(ctx, b.account(t, service.RoleClinician).ID, nil)
			return err
		},
	},
	"AccountService.Repeated": {
		roles: admins, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			_, err := b.accounts.Repeated(ctx, b.account(t, service.RoleClinician).ID, nil)
			return err
		},
	},
	"AccountService.Redeem": {open: "asks for the token of a link"},

	"APIKeyService.Create": {
		roles: []string{service.RoleAdmin}, action: audit.Create,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			key, _, err := keyParts(b.apiKeys.Create(b.onAccount(t, ctx), keyInput()))
			require.Equal(t, err == nil, key != nil)
			return err
		},
	},
	"APIKeyService.Get": {
		roles: []string{service.RoleAdmin}, action: audit.Read,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			key, err := b.apiKeys.Get(ctx, b.apiKey(t).ID)
			require.Equal(t, err == nil, key != nil)
			return err
		},
	},
	"APIKeyService.List": {
		roles: []string{service.RoleAdmin}, action: audit.List,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			b.apiKey(t)
			found, _, err := b.apiKeys.List(ctx, onePage)
			require.Equal(t, err == nil, len(found) > 0)
			return err
		},
	},
	"APIKeyService.Revoke": {
		roles: []string{service.RoleAdmin}, action: audit.RevokeKey,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			return b.apiKeys.Revoke(ctx, b.apiKey(t).ID, anyVersion)
		},
	},
	"AuthService.Login":              {open: "is how one gets roles"},
	"AuthService.Authenticate":       {open: "is how one gets roles"},
	"AuthService.Logout":             {open: "ends the caller's own session"},
	"AuthService.SetPassword":        {open: "changes the caller's own password"},
	"AuthService.RequireTOTP":        {open: "runs at the start of the program"},
	"AuthService.Sessions":           {open: "shows the caller's own sessions"},
	"AuthService.EndSession":         {open: "ends one of the caller's own sessions"},
	"AuthService.EnrolTOTP":          {open: "is about the caller's own account"},
	"AuthService.ConfirmTOTP":        {open: "is about the caller's own account"},
	"AuthService.DisableTOTP":        {open: "is about the caller's own account"},
	"AuthService.RenewRecoveryCodes": {open: "is about the caller's own account"},
	"AuthService.Account":            {open: "is asked for the caller's own account"},
	"AuthService.EnsureAccount":      {open: "runs at the start of the program, before there is anybody"},
	"AuthService.FirstPassword":      {open: "compares a password that the caller holds, and shows nobody"},
	"KeyService.AdoptIndexScheme":    {open: "runs at the start of the program"},
	"KeyService.Status":              {open: "is the operator's, who has the key-encryption key"},
	"KeyService.Older":               {open: "is the operator's, who has the key-encryption key"},
	"KeyService.Rotate":              {open: "is the operator's, who has the key-encryption key"},
	"KeyService.RotateKEK":           {open: "is the operator's, who has the key-encryption key"},
	"KeyService.Retire":              {open: "is the operator's, who has the key-encryption key"},
	"KeyService.Reseal":              {open: "is the operator's, who has the key-encryption key"},
	"KeyService.ResealInBackground":  {open: "is a job of the program"},

	"MigrationRunService.Record": {open: "runs at the start of the program"},

	"RefusalService.Note":              {open: "is told by the server of callers whom nobody knows"},
	"RefusalService.Flush":             {open: "is a job of the program"},
	"RefusalService.FlushInBackground": {open: "is a job of the program"},
	"RefusalService.Deny":              {open: "denies, and permits nothing"},

	"ExportService.FHIR": {
		roles: []string{service.RoleSystem}, action: audit.Export,
		call: func(t *testing.T, b *bundle, ctx context.Context) error {
			out := &exported{}
			_, err := service.NewExportService(b.store).FHIR(ctx, []uuid.UUID{b.register(t).ID}, out.files(), func(_, _ int64) {})
			require.Equal(t, err == nil, out.patients.Len() > 0)
			return err
		},
	},

	"RepeatService.Once": {open: "runs a change, which asks for its own"},

	"AuditTreeService.Verify":             {open: "is the operator's, and shows no event"},
	"AuditTreeService.Checkpoint":         {open: "names hashes and nobody"},
	"AuditTreeService.VerifierKeys":       {open: "are public"},
	"AuditTreeService.Anchor":             {open: "is a job of the program, and the operator's"},
	"AuditTreeService.CheckAnchor":        {open: "runs at the start of the program"},
	"AuditTreeService.AnchorInBackground": {open: "is a job of the program"},
	"AuditTreeService.Restored":           {open: "is the operator's"},
}

// Every method has a row in expectations, so that adding a method requires stating its roles.
func TestEveryMethodHasAnExpectation(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range []any{
		&service.PatientService{}, &service.AppointmentService{}, &service.CareService{}, &service.BreakGlassService{}, &service.AccountService{}, &service.AuditLogService{}, &service.AuditReviewService{}, &service.AuthService{}, &service.APIKeyService{}, &service.ImportService{}, &service.KeyService{}, &service.AuditTreeService{}, &service.RefusalService{}, &service.MedicalRecordService{}, &service.ChartService{}, &service.ConsentService{}, &service.MigrationRunService{}, &service.RepeatService{}, &service.ExportService{},
	} {
		of := reflect.TypeOf(s)
		names = append(names, of.Elem().Name())
		for method := range of.Methods() {
			e, ok := expectations[of.Elem().Name()+"."+method.Name]
			require.True(t, ok, "%s.%s: who may call it?", of.Elem().Name(), method.Name)
			require.NotEqual(t, (e.open == ""), (e.call == nil), "%s.%s is either open, and says why, or asks for a role", of.Elem().Name(), method.Name)
		}
	}
	require.ElementsMatch(t, declaredServices(t), names, "a service that is not looked at here")
}

// declaredServices returns the names of the service types that the package declares.
func declaredServices(t *testing.T) []string {
	t.Helper()
	var names []string
	packages, err := parser.ParseDir(token.NewFileSet(), ".", nil, 0) //nolint:staticcheck // no build tags here
	require.NoError(t, err)
	for _, file := range packages["service"].Files {
		for _, declaration := range file.Decls {
			general, ok := declaration.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range general.Specs {
				if declared, ok := spec.(*ast.TypeSpec); ok && strings.HasSuffix(declared.Name.Name, "Service") {
					names = append(names, declared.Name.Name)
				}
			}
		}
	}
	return names
}

// Each method is called with every role, and with none. Every role that the table does not name is denied, and the
// denial is in the log.
func TestPermissions(t *testing.T) {
	t.Parallel()
	everyone := append(service.Roles(), service.RoleIntegration, service.RoleSystem, "", "Clinician", "no such role")
	for name, e := range expectations {
		if e.call == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				b := newBundle(t, url)
				denied := 0
				attempt := func(allowed bool, ctx context.Context, who string) {
					t.Helper()
					before := b.count(t, "patient")
					err := e.call(t, b, ctx)
					if allowed {
						require.NoError(t, err, who)
						return
					}
					denied++
					require.True(t, apperr.Is(err, apperr.Forbidden), "%s: %v", who, err)
					require.LessOrEqual(t, b.count(t, "patient"), before+2, "%s: only what the test itself registered", who)
				}
				for _, role := range everyone {
					attempt(slices.Contains(e.roles, role), as(t, role), role)
				}
				attempt(false, as(t), "no role")
				attempt(true, as(t, append(service.Roles(), service.RoleSystem)...), "all roles")
				var outcomes []event
				for _, recorded := range b.events(t, e.action) {
					if recorded.Outcome == audit.Denied {
						outcomes = append(outcomes, recorded)
						require.NotNil(t, recorded.UserID)
						require.Equal(t, string(apperr.Forbidden), *recorded.Details)
					}
				}
				require.Len(t, outcomes, denied)
				require.ErrorIs(t, e.call(t, b, t.Context()), audit.ErrNoActor)
			})
		})
	}
}

// For patients outside of their care, clinicians get the same answer as for patients that do not exist. The denial is
// in the log.
func TestMethodsKeepToCare(t *testing.T) {
	t.Parallel()
	for name, e := range expectations {
		if !e.care {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				b := newBundle(t, url)
				b.nobodysCare = true
				require.True(t, apperr.Is(e.call(t, b, as(t, service.RoleClinician)), apperr.NotFound))
				denied := slices.DeleteFunc(b.events(t, e.action), func(recorded event) bool { return recorded.Outcome != audit.Denied })
				require.Len(t, denied, 1)
				subjects := b.count(t, "auditsubject WHERE event_id IN (SELECT id FROM auditlog WHERE outcome = 'denied')")
				require.True(t, denied[0].EntityID != nil || subjects > 0, "it names whom or what it was about")
				if slices.Contains(e.roles, service.RoleFrontDesk) {
					require.NoError(t, e.call(t, b, as(t, service.RoleFrontDesk, service.RoleClinician)), "the wider role counts")
				}
			})
		})
	}
}

// Emergency access permits reading and adding. For every other method the patient is out of care, as for any other
// clinician. All rows that it shows are flagged.
func TestMethodsKeepToEmergencies(t *testing.T) {
	t.Parallel()
	permitted := []string{
		"PatientService.Get", "PatientService.Registered", "AppointmentService.Book", "AppointmentService.Get", "AppointmentService.OfPatient", "ChartService.Of",
		"MedicalRecordService.Flag", "ConsentService.Get", "ConsentService.Disclosure", "CareService.Clinicians",
	}
	for name, e := range expectations {
		if !e.care {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				b := newBundle(t, url)
				b.nobodysCare, b.byEmergency = true, true
				err := e.call(t, b, as(t, service.RoleClinician))
				if !slices.Contains(permitted, name) {
					requireCode(t, apperr.NotFound, err)
					return
				}
				require.NoError(t, err)
				require.NotEmpty(t, slices.DeleteFunc(b.flagged(t), func(action string) bool { return action == audit.BreakGlass }))
			})
		})
	}
}

// A caller without the permission gets the denial before any fault of the input.
func TestDenialComesBeforeValidation(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		p := b.register(t)
		auditor := as(t, service.RoleAuditor)
		_, err := b.patients.Register(auditor, another(service.PatientInput{}))
		require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)
		require.True(t, apperr.Is(b.patients.Purge(auditor, p.ID, anyVersion, " "), apperr.Forbidden))
		q := models.PatientQuery{DateOfBirth: new(p.DateOfBirth.Plain())}
		_, _, err = b.patients.Search(auditor, q, onePage)
		require.True(t, apperr.Is(err, apperr.Forbidden), "%v", err)

		require.True(t, apperr.Is(b.patients.Purge(as(t, service.RoleAdmin), p.ID, anyVersion, " \t"), apperr.Invalid))
		_, _, err = b.patients.Search(as(t, service.RoleClinician), q, onePage)
		require.True(t, apperr.Is(err, apperr.Invalid), "%v", err)
		require.Equal(t, 1, b.count(t, "patient"))
	})
}

// No account can have the program's own role. A permission that is not listed belongs to nobody.
func TestReach(t *testing.T) {
	t.Parallel()
	require.NotContains(t, service.Roles(), service.RoleSystem)
	require.Equal(t, service.None, service.Reach(append(service.Roles(), service.RoleSystem), "no.such.permission"))
	require.Equal(t, service.None, service.Reach(nil, service.PatientRead))
}
