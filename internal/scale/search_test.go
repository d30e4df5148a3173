package scale

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/datatypes"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// plainPatient is an unsealed patient, for comparison.
type plainPatient struct {
	ID               uuid.UUID `gorm:"type:uuid;primaryKey"`
	CreatedAt        time.Time
	UpdatedAt        time.Time
	Version          int64
	FirstName        string
	LastName         string
	DateOfBirth      time.Time `gorm:"type:date"`
	Active           bool
	ContactInfo      datatypes.JSONType[models.ContactInfo]
	Address          datatypes.JSONType[*models.Address]
	Insurance        datatypes.JSONType[*models.Insurance]
	EmergencyContact datatypes.JSONType[*models.EmergencyContact]
}

// TableName implements gorm's Tabler.
func (plainPatient) TableName() string { return "plain_patient" }

// copyPlain stores unsealed copies of patients beside the sealed rows.
func (c *clinic) copyPlain(tb testing.TB, all []*models.Patient) {
	tb.Helper()
	require.NoError(tb, c.db.AutoMigrate(&plainPatient{}))
	rows := make([]plainPatient, len(all))
	for i, p := range all {
		rows[i] = plainPatient{
			ID: p.ID, Version: p.Version, FirstName: p.FirstName.Plain(), LastName: p.LastName.Plain(), DateOfBirth: p.DateOfBirth.Plain().Time(),
			Active: p.Active, ContactInfo: datatypes.NewJSONType(p.ContactInfo.Plain()), Address: datatypes.NewJSONType(p.Address.Optional()),
			Insurance:        datatypes.NewJSONType(p.Insurance.Optional()),
			EmergencyContact: datatypes.NewJSONType(p.EmergencyContact.Optional()),
		}
	}
	require.NoError(tb, c.db.CreateInBatches(&rows, 1000).Error)
	for _, column := range []string{"first_name", "last_name"} {
		require.NoError(tb, c.db.Exec("CREATE INDEX ON plain_patient (lower("+column+") text_pattern_ops)").Error)
	}
	require.NoError(tb, c.db.Exec("VACUUM ANALYZE").Error)
}

const (
	prefix   = "smi"
	pageSize = 50
	// searches is the number of measurements of each way of searching.
	searches = 200
)

// ways returns the ways of searching that are compared. Each returns the number of patients that it found.
func (c *clinic) ways() map[string]func(context.Context) (int, error) {
	query := models.PatientQuery{Prefixes: []string{prefix}}
	page := service.Page{Limit: pageSize}
	plain := func() ([]plainPatient, error) {
		var rows []plainPatient
		err := c.db.Where("lower(last_name) LIKE ?", prefix+"%").Order("id").Limit(pageSize).Find(&rows).Error
		return rows, err
	}
	return map[string]func(context.Context) (int, error){
		"sealed": func(ctx context.Context) (int, error) {
			rows, _, err := c.patients.Search(ctx, query, page)
			return len(rows), err
		},
		"sealed-unaudited": func(ctx context.Context) (int, error) {
			ctx, _, err := audit.Begin(ctx) // a unit that is never stored
			if err != nil {
				return 0, err
			}
			rows, _, err := repository.NewPatientRepository(c.store).Search(ctx, query, page, repository.Scope{All: true})
			return len(rows), err
		},
		"plain": func(context.Context) (int, error) {
			rows, err := plain()
			return len(rows), err
		},
		"plain-unordered": func(context.Context) (int, error) { // the best case of an index on the name alone
			var rows []plainPatient
			err := c.db.Where("lower(last_name) LIKE ?", prefix+"%").Limit(pageSize).Find(&rows).Error
			return len(rows), err
		},
		"plain-audited": func(ctx context.Context) (found int, err error) {
			ctx = audit.WithIntent(ctx, audit.Intent{Action: audit.Search, EntityType: "patient"})
			return found, c.store.Read(ctx, func(ctx context.Context) error {
				unit, err := audit.Current(ctx)
				if err != nil {
					return err
				}
				rows, err := plain()
				for _, row := range rows {
					unit.Accessed("patient", row.ID)
				}
				found = len(rows)
				return err
			})
		},
	}
}

// median measures each way in turn, so that other load on the machine affects all of them.
func median(tb testing.TB, ways map[string]func(context.Context) (int, error)) map[string]float64 {
	tb.Helper()
	ctx := receptionist(tb.Context())
	took := map[string][]float64{}
	for i := range searches + searches/10 {
		for name, way := range ways {
			start := time.Now()
			n, err := way(ctx)
			elapsed := time.Since(start)
			require.NoError(tb, err)
			require.Equal(tb, pageSize, n, name)
			if i >= searches/10 { // the first tenth is for warming up
				took[name] = append(took[name], float64(elapsed.Microseconds())/1000)
			}
		}
	}
	medians := map[string]float64{}
	for name, times := range took {
		slices.Sort(times)
		medians[name] = times[len(times)/2]
	}
	return medians
}

// BenchmarkPrefixSearch compares one page of a search by the beginning of a name with an unsealed search: an indexed
// LIKE.
func BenchmarkPrefixSearch(b *testing.B) {
	c := newClinic(b, dbtest.Postgres(b))
	all := invent(max(patients, 10_000)) // so that a page is full
	c.load(b, all)
	c.copyPlain(b, all)
	b.ResetTimer()
	for b.Loop() {
		ms := median(b, c.ways())
		for name, m := range ms {
			b.ReportMetric(m, name+"-ms")
		}
		b.ReportMetric(ms["sealed"]/ms["plain"], "ratio")
		b.ReportMetric(ms["sealed-unaudited"]/ms["plain"], "ratio-without-audit")
		b.ReportMetric(ms["sealed"]/ms["plain-audited"], "ratio-with-audit")
		b.ReportMetric(ms["sealed"]/ms["plain-unordered"], "ratio-to-unordered")
	}
	b.ReportMetric(0, "ns/op")
}
