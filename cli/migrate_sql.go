package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"novamind/migrations"
	"novamind/migrations/runner"
	"novamind/repository"
)

func newMigrateSQLCommand(app *app) *cobra.Command {
	var engine string
	var discard bool
	cmd := &cobra.Command{
		Use:   "sql [FROM:TO]",
		Short: "Print the SQL that up would run, with its bookkeeping, for psql or the sqlite3 shell; needs no connection",
		Long: "Print the SQL that up would run from version FROM (default: base) to version TO (default: head), with its bookkeeping, or down\n" +
			"where TO is older. It needs no connection: pipe it into psql or the sqlite3 shell.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if engine == "" {
				cfg, _, err := app.load()
				if err != nil {
					return err
				}
				engine = string(repository.EngineOf(string(cfg.Database.MigrateURL)))
			}
			set, err := migrations.Embedded(engine)
			if err != nil {
				return err
			}
			from, to, err := rangeOf(set, strings.Join(args, ""))
			if err != nil {
				return err
			}
			rows := runner.KeepRows
			if discard {
				rows = runner.DiscardRows
			}
			text, err := runner.Script(cmd.Context(), set, from, to, program(rows))
			if err != nil {
				return err
			}
			return app.report(migrateSQLResult{Engine: engine, SQL: text})
		},
	}
	cmd.Flags().StringVar(&engine, "engine", "", "postgres or sqlite (default: that of database.url)")
	cmd.Flags().BoolVar(&discard, "discard-rows", false, "without a question for rows that are lost on the way down; patients' are asked for all the same")
	return cmd
}

type migrateSQLResult struct {
	Engine string `json:"engine"`
	SQL    string `json:"sql"`
}

func (r migrateSQLResult) writeText(w io.Writer) error {
	_, err := fmt.Fprint(w, r.SQL)
	return err
}

// rangeOf reads FROM:TO; either may be empty.
func rangeOf(set migrations.Set, text string) (from, to int, err error) {
	first, last, ok := strings.Cut(text, ":")
	if text != "" && !ok {
		return 0, 0, errors.New("migrate sql takes FROM:TO, such as 0002:head")
	}
	if first == "" {
		first = migrations.Base
	}
	if from, err = set.Index(first); err != nil {
		return 0, 0, err
	}
	to, err = set.Index(last)
	return from, to, err
}
