package service_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
	"novamind/service"
)

// auditTables are the tables of the log.
var auditTables = []string{"auditlog", "auditsubject", "auditleaf", "audittile", "auditcheckpoint", "auditoutbox", "auditwitness"}

// crimeScene is a log that was sequenced and anchored three times, with its guards dropped.
type crimeScene struct {
	*bundle
	tree     *service.AuditTreeService
	anchors  []tree.Anchor
	patients []*models.Patient
	leaves   []uuid.UUID // event ids in the order of the tree
}

const eventsPerRound = 9

func newCrimeScene(t *testing.T, url string) *crimeScene {
	t.Helper()
	b := newBundle(t, url)
	c := &crimeScene{bundle: b, tree: service.NewAuditTreeService(b.store)}
	for round := range 3 {
		for range eventsPerRound {
			c.patients = append(c.patients, b.register(t))
		}
		_, note, err := c.tree.Checkpoint(t.Context())
		require.NoError(t, err)
		c.anchors = append(c.anchors, tree.Anchor{Time: time.Now(), Checkpoint: note})
		if round == 1 {
			c.keepCopy(t)
		}
	}
	require.NoError(t, b.db.Raw("SELECT event_id FROM auditleaf ORDER BY leaf_index").Scan(&c.leaves).Error)
	require.Len(t, c.leaves, 3*eventsPerRound)
	dbtest.DropTriggers(t, b.db, append([]string{"patient", "blindindex", "carerelationship"}, auditTables...)...)
	return c
}

// keepCopy saves a copy of the log and of the patients.
func (c *crimeScene) keepCopy(t *testing.T) {
	t.Helper()
	for _, table := range append([]string{"patient", "blindindex"}, auditTables...) {
		require.NoError(t, c.db.Exec("CREATE TABLE old_"+table+" AS SELECT * FROM "+table).Error)
	}
}

// putBack replaces tables by the saved copy.
func (c *crimeScene) putBack(t *testing.T, tables ...string) {
	t.Helper()
	for _, table := range slices.Backward(tables) {
		c.sql(t, "DELETE FROM "+table)
	}
	for _, table := range tables {
		c.sql(t, "INSERT INTO "+table+" SELECT * FROM old_"+table)
	}
}

func (c *crimeScene) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	for i, arg := range args {
		if id, ok := arg.(uuid.UUID); ok {
			args[i] = id.String()
		}
	}
	require.NoError(t, c.db.Exec(statement, args...).Error)
}

func (c *crimeScene) verify(t *testing.T, rows bool) service.Verification {
	t.Helper()
	v, err := c.tree.Verify(audit.System(t.Context(), "test"), service.VerifyOptions{Rows: rows, Anchors: c.anchors})
	require.NoError(t, err)
	return v
}

// attack is an attack by somebody with every right on the database.
type attack struct {
	name   string
	commit func(t *testing.T, c *crimeScene)
	kind   string
	index  int64 // of the first bad entry; -1 if there is none
	event  int   // the leaf whose event is named; -1 if there is none
	rows   bool  // the finding is about the records
}

func attacks() []attack {
	const bad = 11
	change := func(set string, args ...any) func(*testing.T, *crimeScene) {
		return func(t *testing.T, c *crimeScene) {
			c.sql(t, "UPDATE auditlog SET "+set+" WHERE id = ?", append(args, c.leaves[bad])...)
		}
	}
	return []attack{
		{"another actor", change("user_id = ?", uuid.Max), service.FoundModified, bad, bad, false},
		{"another action", change("action = 'read'"), service.FoundModified, bad, bad, false},
		{"another time", change("occurred_at = created_at, created_at = ?", time.Now().Add(-time.Hour).UTC()), service.FoundModified, bad, bad, false},
		{"fewer fields", change(`changes = '{"fields":[]}'`), service.FoundModified, bad, bad, false},
		{"no diff", change("diff = NULL"), service.FoundModified, bad, bad, false},
		{"an origin", change("origin = 'system:import'"), service.FoundModified, bad, bad, false},
		{"a removed event", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM auditsubject WHERE event_id = ?", c.leaves[bad])
			c.sql(t, "DELETE FROM auditlog WHERE id = ?", c.leaves[bad])
		}, service.FoundDeleted, bad, bad, false},
		{"a removed event and its leaf", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM auditsubject WHERE event_id = ?", c.leaves[bad])
			c.sql(t, "DELETE FROM auditlog WHERE id = ?", c.leaves[bad])
			c.sql(t, "DELETE FROM auditleaf WHERE leaf_index = ?", bad)
		}, service.FoundDeleted, bad, -1, false},
		{"an added event", func(t *testing.T, c *crimeScene) {
			c.copyEvent(t, c.leaves[bad], uuid.Max)
		}, service.FoundInserted, -1, -1, false},
		{"an added event that waits to be sequenced", func(t *testing.T, c *crimeScene) {
			c.copyEvent(t, c.leaves[bad], uuid.Max)
			c.sql(t, "INSERT INTO auditoutbox VALUES (?)", uuid.Max)
		}, service.FoundInserted, -1, -1, false},
		{"an added event that lacks what every event has", func(t *testing.T, c *crimeScene) {
			c.copyEvent(t, c.leaves[bad], uuid.Max)
			c.sql(t, "UPDATE auditlog SET actor_roles = NULL, mac = NULL, nonce = NULL WHERE id = ?", uuid.Max)
			c.sql(t, "INSERT INTO auditoutbox VALUES (?)", uuid.Max)
		}, service.FoundInserted, -1, -1, false},
		{"two leaves in each other's place", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM auditleaf WHERE leaf_index IN (?, ?)", bad, bad+1)
			c.sql(t, "INSERT INTO auditleaf VALUES (?, ?), (?, ?)", bad, c.leaves[bad+1], bad+1, c.leaves[bad])
		}, service.FoundReordered, bad, bad + 1, false},
		{"one more who was seen", func(t *testing.T, c *crimeScene) {
			c.sql(t, "INSERT INTO auditsubject (entity_id, event_id) VALUES (?, ?)", uuid.Max, c.leaves[bad])
		}, service.FoundModified, bad, bad, false},
		{"one fewer who was seen", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM auditsubject WHERE event_id = ?", c.leaves[bad])
		}, service.FoundModified, bad, bad, false},
		{"an altered hash", func(t *testing.T, c *crimeScene) {
			var tile models.AuditTile
			require.NoError(t, c.db.Raw("SELECT * FROM audittile WHERE level = 0").Scan(&tile).Error)
			tile.Hashes[bad*32] ^= 1
			c.sql(t, "UPDATE audittile SET hashes = ? WHERE level = 0", tile.Hashes)
		}, service.FoundTile, bad, bad, false},
		{"an altered checkpoint", func(t *testing.T, c *crimeScene) {
			c.sql(t, "UPDATE auditcheckpoint SET note = (SELECT note FROM old_auditcheckpoint WHERE tree_size = ?) WHERE tree_size = ?",
				eventsPerRound, 2*eventsPerRound)
		}, service.FoundCheckpoint, 2*eventsPerRound - 1, -1, false},
		{"leaves without a checkpoint", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM auditcheckpoint WHERE tree_size = ?", 3*eventsPerRound)
		}, service.FoundTruncated, 2 * eventsPerRound, -1, false},
		{"an old copy of the log", func(t *testing.T, c *crimeScene) {
			c.putBack(t, auditTables[:5]...)
		}, service.FoundTruncated, 2 * eventsPerRound, -1, false},
		{"an old copy of everything", func(t *testing.T, c *crimeScene) {
			c.putBack(t, append([]string{"patient", "blindindex"}, auditTables[:5]...)...)
		}, service.FoundTruncated, 2 * eventsPerRound, -1, false},
		{"an old copy that went on", func(t *testing.T, c *crimeScene) {
			c.putBack(t, auditTables[:5]...)
			for range 2 * eventsPerRound {
				c.register(t)
			}
			c.enqueueAll(t) // the triggers are gone
		}, service.FoundRewritten, 3*eventsPerRound - 1, -1, false},
		{"a rewritten history, signed again", func(t *testing.T, c *crimeScene) {
			c.rewrite(t, bad)
		}, service.FoundRewritten, 2*eventsPerRound - 1, -1, false},
		{"a changed record", func(t *testing.T, c *crimeScene) {
			c.sql(t, "UPDATE patient SET active = false WHERE id = ?", c.patients[bad].ID)
		}, service.FoundRow, bad, bad, true},
		{"a patient who is not found", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM blindindex WHERE patient_id = ? AND token LIKE '%:phone:%'", c.patients[bad].ID)
		}, service.FoundRow, -1, -1, true},
		{"a removed record", func(t *testing.T, c *crimeScene) {
			c.sql(t, "DELETE FROM patient WHERE id = ?", c.patients[bad].ID)
		}, service.FoundRow, bad, bad, true},
		{"a record of another's making", func(t *testing.T, c *crimeScene) {
			c.sql(t, "CREATE TABLE forged AS SELECT * FROM patient WHERE id = ?", c.patients[0].ID)
			c.sql(t, "UPDATE forged SET id = ?", uuid.Max)
			c.sql(t, "INSERT INTO patient SELECT * FROM forged")
		}, service.FoundRow, -1, -1, true},
	}
}

// copyEvent adds a copy of an event.
func (c *crimeScene) copyEvent(t *testing.T, from, to uuid.UUID) {
	t.Helper()
	c.sql(t, "CREATE TABLE forged AS SELECT * FROM auditlog WHERE id = ?", from)
	c.sql(t, "UPDATE forged SET id = ?", to)
	c.sql(t, "INSERT INTO auditlog SELECT * FROM forged")
}

func (c *crimeScene) enqueueAll(t *testing.T) {
	t.Helper()
	c.sql(t, "DELETE FROM auditoutbox")
	c.sql(t, "INSERT INTO auditoutbox SELECT id FROM auditlog WHERE NOT EXISTS (SELECT 1 FROM auditleaf WHERE event_id = id)")
}

// rewrite makes a new tree over a history in which one event was replaced. An attacker with every key can do that.
func (c *crimeScene) rewrite(t *testing.T, index int) {
	t.Helper()
	authenticator := c.store.Keyring().LogMAC()
	entries, err := repository.NewAuditTreeRepository(c.store).Entries(t.Context(), c.leaves[index:index+1])
	require.NoError(t, err)
	e := entries[c.leaves[index]]
	e.Origin = "system:import"
	mac, err := authenticator.MAC(e.Authenticated())
	require.NoError(t, err)
	c.sql(t, "UPDATE auditlog SET origin = ?, mac = ? WHERE id = ?", e.Origin, mac, e.ID)
	for _, table := range []string{"auditleaf", "audittile", "auditcheckpoint"} {
		c.sql(t, "DELETE FROM "+table)
	}
	c.enqueueAll(t)
}

// Every change of the log or the records by the owner of the database is found, and the first bad entry is named.
func TestVerifyFindsEveryAttack(t *testing.T) {
	t.Parallel()
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Run(t, func(t *testing.T, url string) {
				c := newCrimeScene(t, url)
				a.commit(t, c)
				v := c.verify(t, a.rows)
				require.False(t, v.OK)
				require.NotEmpty(t, v.Findings)
				first := v.Findings[0]
				require.Equal(t, a.kind, first.Kind, "%+v", v)
				if a.index < 0 {
					require.Nil(t, first.Index)
				} else {
					require.NotNil(t, first.Index)
					require.Equal(t, a.index, *first.Index)
				}
				if a.event >= 0 {
					require.NotNil(t, first.EventID)
					require.Equal(t, c.leaves[a.event], *first.EventID)
				}
			})
		})
	}
}

// An untouched log is sound. It also is when checked from a checkpoint on, and after every kind of legitimate change
// of records.
func TestVerifyPassesAnUntouchedLog(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		log := service.NewAuditTreeService(b.store)
		for range 3 {
			b.register(t)
		}
		p := b.register(t)
		receptionist, admin := as(t, service.RoleFrontDesk), as(t, service.RoleAdmin)
		_, err := b.patients.Deactivate(receptionist, p.ID, anyVersion)
		require.NoError(t, err)
		_, note, err := log.Checkpoint(t.Context())
		require.NoError(t, err)
		gone := b.register(t)
		require.NoError(t, b.patients.Purge(admin, gone.ID, anyVersion, "asked for"))
		keys := service.NewKeyService(b.store, "file:"+b.kek)
		_, err = keys.Rotate(audit.System(t.Context(), "keys"), "data")
		require.NoError(t, err)
		_, err = keys.Rotate(audit.System(t.Context(), "keys"), "index")
		require.NoError(t, err)
		signer := b.store.Keyring().LogSigner()
		_, err = keys.Rotate(audit.System(t.Context(), "keys"), "log_sign")
		require.NoError(t, err)
		_, _, err = log.Checkpoint(t.Context())
		require.NoError(t, err)
		require.Equal(t, signer.Origin(), b.store.Keyring().LogSigner().Origin(), "the log keeps its name")
		require.NotEqual(t, signer.KeyHash(), b.store.Keyring().LogSigner().KeyHash(), "and signs under another key")
		states, err := keys.Status(t.Context())
		require.NoError(t, err)
		for _, key := range states {
			if key.Purpose == "log_sign" && key.State == service.KeyActive {
				require.True(t, apperr.Is(keys.Retire(audit.System(t.Context(), "keys"), key.ID), apperr.Invalid), "what it signed is to be checked")
			}
		}
		done, err := keys.Reseal(audit.System(t.Context(), "keys"), 0, nil)
		require.NoError(t, err)
		require.Equal(t, service.Renewed{Resealed: 4, Reindexed: 4}, done)
		for _, since := range []string{"", note} {
			v, err := log.Verify(audit.System(t.Context(), "test"), service.VerifyOptions{
				Since: since, Rows: true, Anchors: []tree.Anchor{{Time: time.Now(), Checkpoint: note}},
			})
			require.NoError(t, err)
			require.True(t, v.OK, "%+v", v.Findings)
			require.Equal(t, 5, v.Rows) // the purged patient counts too
		}
		var direct int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = ?", audit.DirectSQL).Scan(&direct).Error)
		require.Zero(t, direct, "the program's own changes have their events")
	})
}

// SQLite accepts a value in any form. A value that reads the same but that searches miss is found and named.
func TestVerifyFindsOtherForms(t *testing.T) {
	t.Parallel()
	const bad = 11
	for _, statement := range []string{
		"UPDATE auditlog SET user_id = upper(user_id) WHERE id = ?",
		"UPDATE auditlog SET action = CAST(action AS BLOB) WHERE id = ?",
		"UPDATE auditlog SET entity_id = CAST(entity_id AS BLOB) WHERE id = ?",
		"UPDATE auditlog SET occurred_at = replace(occurred_at, ' ', 'T') WHERE id = ?",
		"UPDATE auditlog SET occurred_at = datetime(occurred_at, '-10 hours') || '-10:00' WHERE id = ?",
		"UPDATE auditsubject SET entity_id = upper(entity_id) WHERE event_id = ?",
		"UPDATE auditsubject SET entity_id = CAST(entity_id AS BLOB) WHERE event_id = ?",
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			c := newCrimeScene(t, dbtest.SQLite(t))
			require.True(t, c.verify(t, true).OK)
			c.sql(t, statement, c.leaves[bad])
			v := c.verify(t, true)
			require.False(t, v.OK)
			require.EqualValues(t, bad, *v.Findings[0].Index)
			require.Equal(t, c.leaves[bad], *v.Findings[0].EventID)
			require.Equal(t, service.FoundModified, v.Findings[0].Kind)
		})
	}
}

// An event that is queued again stays one leaf, delays no other event, and leaves a trace.
func TestEventsThatAreQueuedAgain(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		b.register(t)
		log := service.NewAuditTreeService(b.store)
		verify := func() {
			v, err := log.Verify(audit.System(t.Context(), "test"), service.VerifyOptions{Rows: true})
			require.NoError(t, err)
			require.True(t, v.OK, v.Findings)
		}
		verify()
		dbtest.DropTriggers(t, b.db, "auditoutbox")
		require.NoError(t, b.db.Exec("INSERT INTO auditoutbox SELECT event_id FROM auditleaf WHERE leaf_index = 0").Error)
		verify()
		b.register(t)
		verify()
		var said int
		require.NoError(t, b.db.Raw("SELECT count(*) FROM auditlog WHERE origin = 'direct-sql' AND entity_type = 'auditlog'").Scan(&said).Error)
		require.Equal(t, 1, said)
	})
}
