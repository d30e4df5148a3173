package extras

// Apart names the columns whose defaults differ between the engines on purpose: SQLite's auditwitness is never
// written.
func Apart() []string { return []string{"auditwitness.fields"} }

// Seeds are SQL values for columns of scratch databases that can't be guessed from the schema; %d is the number of
// the row.
func Seeds() map[string]string {
	return map[string]string{
		"blindindex.token": "'bi1:0000000a:email:0123456789abcdef0123456789abcde%d'",

		"appointment.ends_at":       "'2026-03-05 11:00:00.000000+00:00'",
		"appointment.starts_at":     "'2026-03-05 10:0%d:00.000000+00:00'",
		"appointment.status":        "'noshow'",
		"appointment.expires_at":    "NULL",
		"appointment.allow_overlap": "false",
		"appointment.cancel_reason": "NULL",

		"patient.merged_into_id":         "NULL",
		"medicalrecord.kind":             "'intake'",
		"medicalrecord.sensitivity":      "'normal'",
		"medicalrecord.status":           "'draft'",
		"medicalrecord.signed_at":        "NULL",
		"medicalrecord.signed_by":        "NULL",
		"medicalrecord.supersedes_id":    "NULL",
		"medicalrecord.amendment_reason": "NULL",
		"medicalrecord.error_reason":     "NULL",
		"consent.kind":                   "'part2'",
		"consent.expires_at":             "NULL",
		"disclosure.recipient":           "NULL",
	}
}
