package demo

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/config"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// filled is a database and the services on it.
type filled struct {
	*clinic

	db     *gorm.DB // past the program
	store  *repository.Store
	auth   *service.AuthService
	care   *service.CareService
	cfg    *config.Config
	logins []Login
}

func newFilled(t *testing.T, url string) *filled {
	t.Helper()
	cfg := config.Default()
	cfg.Database.URL, cfg.Clinic.TimeZone = config.DSN(url), "America/New_York"
	cfg.Auth.Argon2 = config.Argon2{MemoryKiB: 8, Passes: 1, Lanes: 1}
	store, err := repository.Open(t.Context(), cfg.Database, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	require.NoError(t, store.Unlock(t.Context(), "file:"+filepath.Join(t.TempDir(), "kek"), "US"))
	auth, err := service.NewAuthService(store, cfg.Auth)
	require.NoError(t, err)
	zone, err := time.LoadLocation(cfg.Clinic.TimeZone)
	require.NoError(t, err)
	care := service.NewCare(store, cfg.Access)
	return &filled{
		clinic: &clinic{
			accounts:     service.NewAccountService(store, auth, cfg.Access),
			appointments: service.NewAppointmentService(store, care, cfg.Clinic),
			records:      service.NewMedicalRecordService(store, care),
			now:          time.Now().In(zone),
		},
		db: dbtest.Open(t, url), store: store, auth: auth, care: service.NewCareService(store, care), cfg: cfg,
	}
}

// fill runs Fill, and takes over the logins.
func (f *filled) fill(t *testing.T) int {
	t.Helper()
	added, err := Fill(audit.System(t.Context(), "demo"), f.store, f.auth, f.cfg, f.now, func(logins []Login) error {
		f.logins = logins
		return nil
	})
	require.NoError(t, err)
	return added
}

// acting returns a context in which a member of the staff acts.
func (f *filled) acting(t *testing.T, member int) context.Context {
	t.Helper()
	account, err := f.accounts.ByEmail(audit.System(t.Context(), "account"), staff()[member].Email)
	require.NoError(t, err)
	return audit.WithActor(t.Context(), audit.Actor{ID: account.ID, Roles: account.Roles, Origin: "test"})
}

// distinct returns the values of a column.
func (f *filled) distinct(t *testing.T, table, column string) (values []string) {
	t.Helper()
	require.NoError(t, f.db.Table(table).Distinct(column).Pluck(column, &values).Error)
	return values
}

// rows counts the rows of every table that Fill writes.
func (f *filled) rows(t *testing.T) map[string]int64 {
	t.Helper()
	counts := map[string]int64{}
	for _, table := range []string{
		"patient", "account", "availability", "appointment", "appointmentseries", "medicalrecord", "consent", "riskflag",
	} {
		var n int64
		require.NoError(t, f.db.Table(table).Count(&n).Error)
		counts[table] = n
	}
	return counts
}

func TestFillMakesALivingClinicOnce(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		f := newFilled(t, url)
		require.Equal(t, 30, f.fill(t))
		require.Equal(t, map[string]int64{
			"patient": 30, "account": 7, "availability": 4, "appointment": 128, "appointmentseries": 1,
			"medicalrecord": 54, "consent": 1, "riskflag": 1,
		}, f.rows(t))
		f.requireLogins(t)
		f.requireDiary(t)
		f.requireRecords(t)
		f.requireProtection(t)
		f.requireEvents(t)

		before := f.rows(t)
		f.logins = nil
		require.Zero(t, f.fill(t))
		require.Equal(t, before, f.rows(t))
		require.Nil(t, f.logins)
	})
}

func (f *filled) requireLogins(t *testing.T) {
	t.Helper()
	ctx := audit.WithActor(t.Context(), audit.Actor{Origin: "test"})
	roles := map[string]int{}
	passwords := map[string]bool{}
	for _, l := range f.logins {
		roles[l.Role]++
		passwords[l.Password] = true
		require.Regexp(t, reservedEmail, l.Email)
		login, err := f.auth.Login(ctx, service.Credentials{Email: l.Email, Password: l.Password})
		require.NoError(t, err)
		require.False(t, login.Account.MustChangePassword)
	}
	require.Equal(t, map[string]int{
		service.RoleClinician: 4, service.RoleFrontDesk: 1, service.RoleAuditor: 1, service.RoleAdmin: 1,
	}, roles)
	require.Len(t, passwords, len(f.logins))
}

// requireDiary checks that every clinician has appointments on every weekday, and how those before today ended.
func (f *filled) requireDiary(t *testing.T) {
	t.Helper()
	all, more, err := f.appointments.Search(f.acting(t, clinicians), service.AppointmentQuery{}, service.Page{Limit: 200})
	require.NoError(t, err)
	require.False(t, more)
	states, busy, repeated := map[string]int{}, map[string]map[uuid.UUID]bool{}, 0
	for _, a := range all {
		start, end := a.StartsAt.In(f.now.Location()), a.EndsAt.In(f.now.Location())
		require.NotContains(t, []time.Weekday{time.Saturday, time.Sunday}, start.Weekday())
		require.GreaterOrEqual(t, start.Hour(), 9)
		require.Less(t, end.Hour(), 17)
		if a.SeriesID != nil {
			repeated++
		}
		if start.Before(f.at(firstDay, 0)) {
			require.NotNil(t, a.SeriesID, "only the series began earlier")
		}
		day := start.Format(time.DateOnly)
		if busy[day] == nil {
			busy[day] = map[uuid.UUID]bool{}
		}
		busy[day][a.PractitionerID] = true
		if past := start.Before(f.at(0, 0)); past != (a.Status != models.Booked) {
			t.Errorf("an appointment on %s is %s", day, a.Status)
		}
		states[a.Status]++
	}
	require.Equal(t, map[string]int{
		models.Fulfilled: 38 + 5, models.Cancelled: 1, models.NoShow: 1, models.Booked: 80 + 2 + 1,
	}, states)
	require.Equal(t, 7, repeated)
	require.Len(t, f.workdays(), 15)
	for _, day := range f.workdays() {
		require.Len(t, busy[f.at(day, 0).Format(time.DateOnly)], clinicians)
	}
}

// requireRecords checks that there are records of every kind, state and sensitivity, and a course of PHQ-9.
func (f *filled) requireRecords(t *testing.T) {
	t.Helper()
	require.ElementsMatch(t, models.RecordKinds(), f.distinct(t, "medicalrecord", "kind"))
	require.ElementsMatch(t, models.Sensitivities(), f.distinct(t, "medicalrecord", "sensitivity"))
	require.ElementsMatch(t, []string{
		models.RecordDraft, models.RecordFinal, models.RecordAmended, models.RecordInError,
	}, f.distinct(t, "medicalrecord", "status"))

	course := f.recordsOf(t, 0, models.KindAssessment)
	slices.Reverse(course)
	var scores []int
	for i, m := range course {
		require.NotNil(t, m.AppointmentID)
		require.Equal(t, course[0].PatientID, m.PatientID)
		require.Equal(t, models.PHQ9, m.Questionnaire.Optional().Instrument)
		if i > 0 {
			require.Equal(t, 7, int(m.OccurredAt.Sub(course[i-1].OccurredAt).Round(24*time.Hour).Hours()/24))
		}
		scores = append(scores, m.Questionnaire.Optional().Score)
	}
	require.Equal(t, []int{17, 15, 12, 8, 14}, scores)
	flags, _, err := f.records.Flags(f.acting(t, 0), course[0].PatientID, true, service.Page{Limit: 200})
	require.NoError(t, err)
	require.Len(t, flags, 1)
	require.Equal(t, course[4].ID, *flags[0].RecordID)
	require.True(t, course[4].Questionnaire.Optional().AtRisk())
}

// recordsOf returns the records of a kind that a member of the staff sees.
func (f *filled) recordsOf(t *testing.T, member int, kind string) []*models.MedicalRecord {
	t.Helper()
	query := service.RecordQuery{Kind: []string{kind}}
	found, _, err := f.records.Search(f.acting(t, member), query, service.Page{Limit: 200})
	require.NoError(t, err)
	return found
}

// requireProtection checks who sees what: the consent opens the counseling note to the other member of the care team.
func (f *filled) requireProtection(t *testing.T) {
	t.Helper()
	for kind, seen := range map[string][clinicians]int{
		models.KindSUDCounselingNote: {0, 0, 1, 1},
		models.KindPsychotherapyNote: {1, 0, 0, 0},
		models.KindTreatmentPlan:     {2, 0, 0, 0},
	} {
		for member, want := range seen {
			require.Len(t, f.recordsOf(t, member, kind), want, kind)
		}
	}
	patient := f.recordsOf(t, 2, models.KindSUDCounselingNote)[0].PatientID
	team, err := f.care.Clinicians(f.acting(t, clinicians), patient)
	require.NoError(t, err)
	names := map[string]bool{}
	for _, member := range team {
		names[member.Name] = true
	}
	require.Equal(t, map[string]bool{staff()[2].Name: true, staff()[3].Name: true}, names)
}

// requireEvents checks that every step is in the log, and that the log and the records agree.
func (f *filled) requireEvents(t *testing.T) {
	t.Helper()
	for action, want := range map[string]int64{
		audit.Sign: 52, audit.Amend: 1, audit.MarkError: 1, audit.Transition: 45, audit.Invite: 7,
	} {
		var n int64
		require.NoError(t, f.db.Table("auditlog").Where("action = ? AND origin = 'system:demo'", action).Count(&n).Error)
		require.Equal(t, want, n, action)
	}
	log := service.NewAuditTreeService(f.store)
	found, err := log.Verify(audit.System(t.Context(), "audit"), service.VerifyOptions{Rows: true})
	require.NoError(t, err)
	require.Empty(t, found.Findings)
}

func TestFillLeavesOtherDatabasesAlone(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		f := newFilled(t, url)
		_, err := f.accounts.Create(audit.System(t.Context(), "account"), service.AccountInput{
			Email: staff()[clinicians].Email, Name: "Somebody", Roles: []string{service.RoleFrontDesk},
		}, nil)
		require.NoError(t, err)
		require.Zero(t, f.fill(t), "an account has an e-mail address of the demo")
		require.Zero(t, f.rows(t)["patient"])

		patients := service.NewPatientService(f.store, service.NewCare(f.store, f.cfg.Access), "US")
		_, err = patients.Register(f.acting(t, clinicians), service.Registration{PatientInput: Patients()[0].input()})
		require.NoError(t, err)
		before := f.rows(t)
		require.Zero(t, f.fill(t))
		require.Equal(t, before, f.rows(t))
		require.Nil(t, f.logins)
	})
}
