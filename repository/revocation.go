package repository

import (
	"context"

	"github.com/google/uuid"
)

// OnRevoke has fn called whenever this server took something from an account, once that is committed: a session, a key, or anything by changing the
// account itself. It is called before the store is shared.
func (s *Store) OnRevoke(fn func(accountID uuid.UUID)) { s.onRevoke = append(s.onRevoke, fn) }

// revoke notes that the transaction of ctx takes something from an account.
func (s *Store) revoke(ctx context.Context, accountID uuid.UUID) {
	if tx := current(ctx); tx != nil {
		tx.revoked = append(tx.revoked, accountID)
		return
	}
	s.tellRevoked([]uuid.UUID{accountID})
}

func (s *Store) tellRevoked(accountIDs []uuid.UUID) {
	for _, id := range accountIDs {
		for _, told := range s.onRevoke {
			told(id)
		}
	}
}
