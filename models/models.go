package models

// All lists every model: the tables of a NovaMind database.
func All() []any {
	return []any{
		&Patient{}, &BlindIndex{}, &CareRelationship{}, &AuditLog{}, &AuditSubject{}, &AuditOutbox{}, &AuditLeaf{}, &AuditTile{}, &AuditCheckpoint{}, &AuditWitness{},
		&MedicalRecord{}, &Consent{}, &Disclosure{}, &RiskFlag{},
		&Account{}, &Session{}, &AccountLink{}, &BreakGlass{}, &BreakGlassEntry{}, &Keyset{}, &RetiredKey{}, &Backup{}, &IdempotencyKey{},
		&SecondFactor{}, &TOTPUse{}, &RecoveryCode{}, &LoginTally{}, &APIKey{}, &APIKeyUse{},
		&AppointmentSeries{}, &Appointment{}, &Availability{},
	}
}
