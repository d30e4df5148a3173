package lint

// Rule is a fault that a migration should not have. Its texts are one line each, for people.
type Rule struct {
	Code    string // the name of the rule in exceptions
	Bad     string
	Why     string
	Instead string
}

// Rules returns every rule, in the order of the documentation.
func Rules() []Rule {
	return []Rule{
		indexNotConcurrently, dropIndexNotConcurrently, inTransaction, uniqueBuildsIndex, notNullWithoutDefault, setNotNull, foreignKeyNotValid,
		checkNotValid, validateTogether, volatileDefault, typeRewrite, lockTimeout, locksTable, backfillWithDDL, wholeTable,
		stillRead, truncates, dropCascade, irreversible, plainPHI, sealedDropped, sealedRenamed, sealLost, vouchedRows, triggerLost, unloggedTable,
		rebuildLoses, refusedWithRows, pragma, unnamedConstraint, ifNotExists, notRepeatable, timestampWithoutZone, transactionControl, notJudged, badException,
	}
}
