package repository_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
)

func count(t *testing.T, db *gorm.DB, query string, args ...any) int64 {
	t.Helper()
	var n int64
	require.NoError(t, db.Raw(query, args...).Scan(&n).Error)
	return n
}

// sequence turns all waiting events into leaves, and returns the number of leaves.
func sequence(t *testing.T, store *repository.Store) int64 {
	t.Helper()
	require.NoError(t, repository.NewSequencer(store).Drain(t.Context()))
	checkpoint, _, err := repository.NewAuditTreeRepository(store).Latest(t.Context())
	require.NoError(t, err)
	return checkpoint.Head.N
}

// directSQL returns the events of changes made past the program.
func directSQL(t *testing.T, store *repository.Store) []*models.AuditLog {
	t.Helper()
	var found []*models.AuditLog
	for _, e := range eventsOf(t, store, repository.AuditLogQuery{}) {
		if e.Origin == audit.DirectSQL {
			found = append(found, e)
		}
	}
	return found
}

// Every event becomes one leaf, in its order, under signed checkpoints that follow from each other.
func TestSequencerMakesLeavesOfEvents(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		db := dbtest.Open(t, url)
		var sizes []int64
		for range 3 {
			for range 100 {
				create(t, store, invented())
			}
			sizes = append(sizes, sequence(t, store))
		}
		require.Equal(t, []int64{100, 200, 300}, sizes)
		require.EqualValues(t, 0, count(t, db, "SELECT count(*) FROM auditoutbox"))
		require.EqualValues(t, 0, count(t, db, "SELECT count(*) FROM auditwitness"))
		require.EqualValues(t, 3, count(t, db, "SELECT count(*) FROM auditcheckpoint"))
		require.EqualValues(t, 300, count(t, db, "SELECT count(DISTINCT event_id) FROM auditleaf WHERE leaf_index BETWEEN 0 AND 299"))
		require.Empty(t, directSQL(t, store))
	})
}

// A change made past the program becomes an event in the tree, with the database user and the touched columns.
func TestDirectSQLBecomesEvents(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs PostgreSQL: SQLite refuses other programs instead")
	}
	url := dbtest.Postgres(t)
	store := openStore(t, url)
	p, q := invented(), invented()
	create(t, store, p)
	create(t, store, q)
	sequence(t, store)
	db := dbtest.Open(t, url)
	require.NoError(t, db.Exec("UPDATE patient SET active = false WHERE id = ?", p.ID).Error)
	require.NoError(t, db.Exec("DELETE FROM blindindex WHERE patient_id = ?", q.ID).Error)
	require.NoError(t, db.Exec("TRUNCATE blindindex").Error)
	require.NoError(t, db.Exec("DELETE FROM patient WHERE id = ?", q.ID).Error)
	sequence(t, store)
	require.Zero(t, count(t, db, "SELECT count(*) FROM auditoutbox"), "what it found becomes leaves in the same run")
	events := directSQL(t, store)
	var got []string
	for _, e := range events {
		got = append(got, e.EntityType+" "+e.Action)
		require.Contains(t, *e.Details, "database user ")
	}
	require.ElementsMatch(t, []string{"patient update", "blindindex purge", "blindindex truncate", "patient purge"}, got)
}

// An attacker that alters each event as it is written can't keep the sequencer busy for ever.
func TestSequencingEndsWhereEventsAreAltered(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs PostgreSQL: SQLite refuses other programs instead")
	}
	url := dbtest.Postgres(t)
	store := openStore(t, url)
	p := invented()
	create(t, store, p)
	sequence(t, store)
	db := dbtest.Open(t, url)
	require.NoError(t, db.Exec("CREATE FUNCTION alter_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.details := 'other'; RETURN NEW; END $$").Error)
	require.NoError(t, db.Exec("CREATE TRIGGER alter_event BEFORE INSERT ON auditlog FOR EACH ROW EXECUTE FUNCTION alter_event()").Error)
	require.NoError(t, db.Exec("UPDATE patient SET active = false WHERE id = ?", p.ID).Error)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, repository.NewSequencer(store).Drain(ctx))
	require.NotZero(t, count(t, db, "SELECT count(*) FROM auditlog WHERE origin = 'direct-sql'"))
}
