package repository

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"novamind/internal/phi"
	"novamind/models"
)

// KeyRepository finds the values and backups that need a key, and keeps the retired keys.
type KeyRepository struct{ store *Store }

// NewKeyRepository returns the keys of a store.
func NewKeyRepository(s *Store) *KeyRepository { return &KeyRepository{s} }

// indexColumn is the column that index tokens are counted under.
const indexColumn = "blindindex.token"

// CountValues returns the number of values that each key seals: key id → table.column → count. Index tokens count
// too.
func (r *KeyRepository) CountValues(ctx context.Context) (map[string]map[string]int64, error) {
	var selects []string
	for _, c := range models.SealedColumns() {
		selects = append(selects, fmt.Sprintf("SELECT %s, '%s.%s', count(*) FROM %s WHERE %s IS NOT NULL GROUP BY 1",
			c.KeyID(), c.Table, c.Column, c.Table, c.Column))
	}
	selects = append(selects, "SELECT substr(token, 5, 8), '"+indexColumn+"', count(*) FROM blindindex GROUP BY 1")
	// Bypasses the guard, which can't know that this query shows no row.
	rows, err := r.store.handle(ctx).Statement.ConnPool.QueryContext(ctx, strings.Join(selects, " UNION ALL "))
	if err != nil {
		return nil, translate(err)
	}
	defer func() { _ = rows.Close() }()
	counts := map[string]map[string]int64{}
	for rows.Next() {
		var keyID, column string
		var n int64
		if err := rows.Scan(&keyID, &column, &n); err != nil {
			return nil, translate(err)
		}
		if counts[keyID] == nil {
			counts[keyID] = map[string]int64{}
		}
		counts[keyID][column] = n
	}
	return counts, translate(rows.Err())
}

// Retired returns the keys under which the database refuses new values, with the times of their destruction.
func (r *KeyRepository) Retired(ctx context.Context) ([]models.RetiredKey, error) {
	var rows []models.RetiredKey
	err := r.store.handle(ctx).Order("created_at").Find(&rows).Error
	return rows, translate(err)
}

// Refuse makes the database refuse new values under a key, from the commit of ctx's transaction on. A transaction
// under way at that moment may have written such a value before: see Settled.
func (r *KeyRepository) Refuse(ctx context.Context, keyID string) error {
	db := r.store.handle(ctx)
	return translate(db.Where("key_id = ?", keyID).FirstOrCreate(&models.RetiredKey{KeyID: keyID, CreatedAt: time.Now().UTC().Truncate(time.Microsecond)}).Error)
}

// settledInterval is the time between two checks of Settled.
const settledInterval = 10 * time.Millisecond

// Settled returns once every transaction has ended that was writing at the call. It locks no table: a lock on
// several tables would deadlock with a transaction that takes them in another order.
func (r *KeyRepository) Settled(ctx context.Context) error {
	if r.store.engine == SQLite { // one transaction writes at a time
		return nil
	}
	pool := r.store.handle(ctx).Statement.ConnPool
	var own string
	if err := pool.QueryRowContext(ctx, "SELECT pg_current_xact_id()::text").Scan(&own); err != nil {
		return translate(err)
	}
	for {
		var settled bool
		row := pool.QueryRowContext(ctx, "SELECT pg_snapshot_xmin(pg_current_snapshot()) > $1::xid8", own)
		if err := row.Scan(&settled); err != nil || settled {
			return translate(err)
		}
		select {
		case <-time.After(settledInterval):
		case <-ctx.Done():
			return translate(ctx.Err())
		}
	}
}

// Refused reports whether the database refuses new values under a key.
func (r *KeyRepository) Refused(ctx context.Context, keyID string) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.RetiredKey{}).Where("key_id = ?", keyID).Count(&n).Error
	return n > 0, translate(err)
}

// Destroyed notes the time at which a key was destroyed.
func (r *KeyRepository) Destroyed(ctx context.Context, keyID string, at time.Time) error {
	db := r.store.handle(ctx).Model(&models.RetiredKey{}).Where("key_id = ?", keyID)
	return translate(db.UpdateColumn("destroyed_at", at).Error)
}

// BackupsKept returns the backups that are still kept.
func (r *KeyRepository) BackupsKept(ctx context.Context, now time.Time) ([]models.Backup, error) {
	var kept []models.Backup
	return kept, translate(r.store.handle(ctx).Where("retained_until > ?", now).Find(&kept).Error)
}

// BackupsNeeding returns the number of backups that are still kept and can't be read without a key.
func (r *KeyRepository) BackupsNeeding(ctx context.Context, keyID string, now time.Time) (int, error) {
	kept, err := r.BackupsKept(ctx, now)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, backup := range kept {
		for _, id := range backup.KeyIDs {
			if id == keyID {
				n++
			}
		}
	}
	return n, nil
}

// withKeyOtherThan narrows a query to rows that hold a value under another key than keyID.
func withKeyOtherThan(columns []models.SealedColumn, keyID string) func(*gorm.DB) *gorm.DB {
	return func(db *gorm.DB) *gorm.DB {
		var conditions []string
		var values []any
		for _, c := range columns {
			conditions = append(conditions, c.KeyID()+" <> ?")
			values = append(values, keyID)
		}
		return db.Where("("+strings.Join(conditions, " OR ")+")", values...)
	}
}

// HasOlder reports whether the data or the index keyset has a key besides its primary. Only then can a value be
// under an older key.
func (r *KeyRepository) HasOlder(ctx context.Context) (bool, error) {
	if err := r.store.keys.refresh(ctx, r.store); err != nil {
		return false, err
	}
	return r.store.keyring.Sealer(phi.Data).Keys() > 1 || r.store.keyring.Indexer().Keys() > 1, nil
}
