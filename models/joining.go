package models

import (
	"fmt"
	"regexp"

	"gorm.io/gorm"
)

// errNested is returned for savepoints: a rollback to a savepoint would keep the events of the changes that it
// undoes.
var errNested = fmt.Errorf("%w: transactions belong to units of work, and nested ones join; there are no savepoints", ErrBypass)

// controlsTransaction finds statements that begin, end or divide a transaction.
var controlsTransaction = regexp.MustCompile(`(?i)\bsavepoint\b|(^|;)\s*(release|rollback|commit|abort)\b|^\s*(begin|start|end)\b`)

// joining is a dialect without savepoints, because GORM would nest transactions with them.
type joining struct{ gorm.Dialector }

// SavePoint returns errNested.
func (joining) SavePoint(*gorm.DB, string) error { return errNested }

// RollbackTo returns errNested.
func (joining) RollbackTo(*gorm.DB, string) error { return errNested }

// Translate implements gorm.ErrorTranslator as the dialect does.
func (j joining) Translate(err error) error {
	if translator, ok := j.Dialector.(gorm.ErrorTranslator); ok {
		return translator.Translate(err)
	}
	return err
}
