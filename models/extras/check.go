package extras

// Apart names the columns whose defaults differ by engine on purpose: SQLite's auditwitness is never written.
func Apart() []string { return []string{"auditwitness.fields"} }

// Seeds are values for columns of scratch databases that can't be guessed from the schema, as SQL; %d is the number of the row.
func Seeds() map[string]string {
	return map[string]string{
		"blindindex.token": "'bi1:0000000a:email:0123456789abcdef0123456789abcde%d'",
	}
}
