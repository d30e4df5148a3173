package repository

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/phi"
	"novamind/models"
)

// AccountRepository finds and keeps accounts.
type AccountRepository struct{ Base[models.Account] }

// NewAccountRepository returns the accounts of a store.
func NewAccountRepository(s *Store) *AccountRepository {
	return &AccountRepository{Base[models.Account]{s}}
}

// HasAccounts reports whether a database has any account. The database may have no tables yet.
func HasAccounts(ctx context.Context, db *gorm.DB) (bool, error) {
	db = db.WithContext(ctx)
	if !db.Migrator().HasTable(&models.Account{}) {
		return false, nil
	}
	var n int64
	err := db.Model(&models.Account{}).Count(&n).Error
	return n > 0, translate(err)
}

// ByEmail returns the account with this e-mail address, in any case. It returns a NotFound error.
func (r *AccountRepository) ByEmail(ctx context.Context, email string) (*models.Account, error) {
	email = phi.NormalizeText(email)
	if strings.ContainsRune(email, 0) { // PostgreSQL's text can't hold NUL: it would refuse the query
		return nil, translate(gorm.ErrRecordNotFound)
	}
	var a models.Account
	if err := r.store.handle(ctx).Where("email = ?", email).Take(&a).Error; err != nil {
		return nil, translate(err)
	}
	return &a, nil
}

// Known returns the subset of ids that are accounts already.
func (r *AccountRepository) Known(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	return r.known(ctx, ids)
}

// Taken reports whether an account has this e-mail, normalised.
func (r *AccountRepository) Taken(ctx context.Context, email string) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Account{}).Where("email = ?", email).Count(&n).Error
	return n > 0, translate(err)
}

// Hold returns an account as it is now, and keeps the account unchanged until the transaction of ctx ends. It
// returns a NotFound error.
func (r *AccountRepository) Hold(ctx context.Context, id uuid.UUID) (*models.Account, error) {
	db := r.store.handle(ctx)
	if r.store.engine == PostgreSQL { // SQLite has one writer at a time
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthShare})
	}
	var a models.Account
	if err := db.Where("id = ?", id).Take(&a).Error; err != nil {
		return nil, translate(err)
	}
	return &a, nil
}

// Update is Base.Update. From then on, the permissions of the account are looked up anew.
func (r *AccountRepository) Update(ctx context.Context, a *models.Account) error {
	r.store.revoke(ctx, a.ID)
	return r.Base.Update(ctx, a)
}

// Delete is Base.Delete. Sessions and keys go with the account.
func (r *AccountRepository) Delete(ctx context.Context, a *models.Account) error {
	r.store.revoke(ctx, a.ID)
	return r.Base.Delete(ctx, a)
}

// AnyWithRole reports whether any account has a role and is not disabled.
func (r *AccountRepository) AnyWithRole(ctx context.Context, role string) (bool, error) {
	var n int64
	err := r.store.handle(ctx).Model(&models.Account{}).Scopes(hasRole(role)).Where("NOT disabled").Count(&n).Error
	return n > 0, translate(err)
}

// AccountQuery narrows a list of accounts. A nil member adds no condition.
type AccountQuery struct {
	Role     []string // at least one of these
	Disabled *bool
}

// hasRole returns the condition that an account has at least one of some roles. A role's name needs no escaping in
// JSON.
func hasRole(roles ...string) func(*gorm.DB) *gorm.DB {
	conditions, values := make([]string, len(roles)), make([]any, len(roles))
	for i, role := range roles {
		conditions[i], values[i] = "CAST(roles AS text) LIKE ?", `%"`+role+`"%`
	}
	return func(db *gorm.DB) *gorm.DB { return db.Where("("+strings.Join(conditions, " OR ")+")", values...) }
}

// Search returns one page of the accounts that match q, and whether there are more.
func (r *AccountRepository) Search(ctx context.Context, q AccountQuery, page Page) ([]*models.Account, bool, error) {
	return r.List(ctx, page, func(db *gorm.DB) *gorm.DB {
		if q.Role != nil {
			db = db.Scopes(hasRole(q.Role...))
		}
		if q.Disabled != nil {
			db = db.Where("disabled = ?", *q.Disabled)
		}
		return db
	})
}

// HoldWithRole returns the ids of the accounts that have a role and a password, and are not disabled. It keeps
// those accounts unchanged until the transaction of ctx ends.
func (r *AccountRepository) HoldWithRole(ctx context.Context, role string) ([]uuid.UUID, error) {
	// All callers lock in the same order: otherwise two of them would wait for each other.
	db := r.store.handle(ctx).Scopes(hasRole(role)).Where("NOT disabled AND password_hash <> ''").Order("id")
	if r.store.engine == PostgreSQL {
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	var rows []models.Account
	if err := db.Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	ids := make([]uuid.UUID, len(rows))
	for i, a := range rows {
		ids[i] = a.ID
	}
	return ids, nil
}

// Names returns the names of accounts by id.
func (r *AccountRepository) Names(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	rows, err := r.ByIDs(ctx, ids)
	names := make(map[uuid.UUID]string, len(rows))
	for _, a := range rows {
		names[a.ID] = a.Name
	}
	return names, err
}

// ByIDs returns the accounts with these ids, in no order; ids without an account are left out.
func (r *AccountRepository) ByIDs(ctx context.Context, ids []uuid.UUID) ([]models.Account, error) {
	var rows []models.Account
	err := r.store.handle(ctx).Where("id IN ?", ids).Find(&rows).Error
	return rows, translate(err)
}
