package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"novamind/migrations"
	"novamind/migrations/runner"
)

func newMigrateStatusCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List every migration, and whether it is applied; status 1 where the database's history is not the program's",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := app.load()
			if err != nil {
				return err
			}
			return withRunner(cmd.Context(), cfg, log, func(r *runner.Runner) error {
				states, err := r.Status(cmd.Context())
				if err != nil {
					return err
				}
				result := migrateStatusResult{Migrations: states}
				if err := app.report(result); err != nil {
					return err
				}
				return result.verdict()
			})
		},
	}
}

type migrateStatusResult struct {
	Migrations []runner.State `json:"migrations"`
}

func (r migrateStatusResult) verdict() error {
	for _, s := range r.Migrations {
		if s.Edited || s.Unknown {
			return errNo{"the database's history is not this program's: " + s.ID}
		}
	}
	return nil
}

func (r migrateStatusResult) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range r.Migrations {
		state := "pending"
		switch {
		case s.Unknown:
			state = "applied, unknown to this program"
		case s.Edited:
			state = "applied, edited since"
		case s.Applied:
			state = "applied"
		}
		at := ""
		if s.AppliedAt != nil {
			at = s.AppliedAt.Format(time.RFC3339)
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\n", s.ID, state, cmp.Or(at, "-")); err != nil {
			return err
		}
	}
	return table.Flush()
}

func newMigrateCurrentCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "current",
		Short: "Show the newest applied migration",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := app.load()
			if err != nil {
				return err
			}
			return withRunner(cmd.Context(), cfg, log, func(r *runner.Runner) error {
				current, head, err := r.Current(cmd.Context())
				if err != nil {
					return err
				}
				result := migrateCurrentResult{ID: migrations.Base, Head: head}
				if current != nil {
					result.ID = current.ID
				}
				return app.report(result)
			})
		},
	}
}

type migrateCurrentResult struct {
	ID   string `json:"id"` // base where nothing is applied
	Head bool   `json:"head"`
}

func (r migrateCurrentResult) writeText(w io.Writer) error {
	line := r.ID
	if r.Head {
		line += " (head)"
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

func newMigrateHistoryCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "history",
		Short: "List what was done to this database's schema, oldest first: when, by whom, how long it took",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := app.load()
			if err != nil {
				return err
			}
			return withRunner(cmd.Context(), cfg, log, func(r *runner.Runner) error {
				runs, err := r.Log(cmd.Context())
				if err != nil {
					return err
				}
				return app.report(migrateHistoryResult{Runs: append([]runner.Run{}, runs...)})
			})
		},
	}
}

type migrateHistoryResult struct {
	Runs []runner.Run `json:"runs"`
}

func (r migrateHistoryResult) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, run := range r.Runs {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%d ms\t%s\t%s\t%s\n", run.AppliedAt.Format(time.RFC3339), run.Direction, run.MigrationID,
			run.DurationMs, cmp.Or(run.ProgramVersion, "-"), cmp.Or(run.Actor, "-"), run.Origin); err != nil {
			return err
		}
	}
	return table.Flush()
}
