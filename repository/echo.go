package repository

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm/logger"
)

// echo logs statements without their values, and errors without the row content that they quote.
type echo struct{ logger.Interface }

// statementLogger logs statements if on is true (DB_ECHO), and nothing otherwise: errors are logged where they are
// handled.
func statementLogger(on bool, log *slog.Logger) logger.Interface {
	if !on {
		return logger.Discard
	}
	return echo{logger.NewSlogLogger(log, logger.Config{LogLevel: logger.Info, IgnoreRecordNotFoundError: true})}
}

// LogMode implements logger.Interface.
func (e echo) LogMode(level logger.LogLevel) logger.Interface {
	return echo{e.Interface.LogMode(level)}
}

// Trace implements logger.Interface.
func (e echo) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	if err != nil {
		err = scrub(err)
	}
	e.Interface.Trace(ctx, begin, statement, err)
}

// ParamsFilter implements gorm.ParamsFilter. It keeps all values out of a statement's text.
func (echo) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}
