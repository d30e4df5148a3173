package models

// All lists every model: the tables of a NovaMind database.
func All() []any {
	return []any{
		&Patient{}, &BlindIndex{}, &AuditLog{}, &AuditSubject{}, &Account{}, &Session{}, &Keyset{}, &RetiredKey{}, &Backup{}, &IdempotencyKey{},
	}
}
