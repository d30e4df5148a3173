package dbtest

import (
	"context"
	"errors"
	"log/slog"

	"novamind/migrations"
	"novamind/migrations/runner"
)

// migrate brings the database at url to the newest version.
func migrate(url, engine string) (err error) {
	set, err := migrations.Embedded(engine)
	if err != nil {
		return err
	}
	db, err := open(url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB(db)) }()
	r, err := runner.New(db, set, runner.Program{Version: "test"}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	_, err = r.Up(context.Background(), "")
	return err
}
