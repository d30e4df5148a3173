package repository

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// LoginTallyRepository counts failed logins for all servers of a database.
type LoginTallyRepository struct{ store *Store }

// NewLoginTallyRepository returns the tallies of a store.
func NewLoginTallyRepository(s *Store) *LoginTallyRepository { return &LoginTallyRepository{s} }

// tallyTerm is the term of a tally's keyed hash. An e-mail address that somebody tried could be a patient's, and
// could be guessed from a plain hash.
var tallyTerm = phi.Term{Table: "logintally", Column: "key_hash", Purpose: "login_tally", Bits: 256}

// Settle passes the tallies of names, in their order, to decide, and stores its changes of them. If decide fails,
// Settle returns the error and stores no changes. A concurrent call with one of the same names waits. Settle joins
// the transaction of ctx, or runs one of its own.
func (r *LoginTallyRepository) Settle(ctx context.Context, names []string, now time.Time, decide func([]*models.LoginTally) error) error {
	if tx := current(ctx); tx != nil {
		return r.settle(tx.db.WithContext(ctx), names, now, decide)
	}
	return r.store.transact(ctx, func(tx *transaction) error { return r.settle(tx.db, names, now, decide) })
}

func (r *LoginTallyRepository) settle(db *gorm.DB, names []string, now time.Time, decide func([]*models.LoginTally) error) error {
	rows := make([]*models.LoginTally, len(names))
	for i, name := range names {
		var err error
		if rows[i], err = r.hold(db, name, now); err != nil {
			return translate(err)
		}
	}
	if err := decide(rows); err != nil {
		return err
	}
	for _, row := range rows {
		if err := db.Model(row).Select("*").Updates(row).Error; err != nil {
			return translate(err)
		}
	}
	return nil
}

// hold returns a tally, and creates it if there was none. An upsert that changes nothing locks the row in either
// case.
func (r *LoginTallyRepository) hold(db *gorm.DB, name string, now time.Time) (*models.LoginTally, error) {
	hash, err := r.store.keyring.Indexer().Token(tallyTerm, name)
	if err != nil {
		return nil, err
	}
	upsert := clause.OnConflict{
		Columns: []clause.Column{{Name: "key_hash"}}, DoUpdates: clause.Assignments(map[string]any{"key_hash": hash}),
	}
	if err := db.Clauses(upsert).Create(&models.LoginTally{KeyHash: hash, LastAt: now, ExpiresAt: now}).Error; err != nil {
		return nil, err
	}
	var row models.LoginTally
	return &row, db.Where("key_hash = ?", hash).Take(&row).Error
}

// RemoveExpired removes the expired tallies. Tallies that are being settled are left to the next call.
func (r *LoginTallyRepository) RemoveExpired(ctx context.Context, now time.Time) error {
	db := r.store.handle(ctx)
	expired := db.Session(&gorm.Session{}).Model(&models.LoginTally{}).Select("key_hash").Where("expires_at <= ?", now)
	if r.store.engine == PostgreSQL {
		expired = expired.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate, Options: clause.LockingOptionsSkipLocked})
	}
	return translate(db.Where("key_hash IN (?)", expired).Delete(&models.LoginTally{}).Error)
}
