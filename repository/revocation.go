package repository

import (
	"context"

	"github.com/google/uuid"
)

// OnRevoke registers a function to call whenever this server took a session, a key or a permission from an account.
// A change of the account itself counts too. fn is called once the transaction has ended. Call OnRevoke before the
// store is shared.
func (s *Store) OnRevoke(fn func(accountID uuid.UUID)) { s.onRevoke = append(s.onRevoke, fn) }

// revoke notes that the transaction of ctx takes something from an account. Outside of a transaction, it calls the
// functions of OnRevoke at once.
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
