package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
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
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.inspect(cmd.Context(), func(r *runner.Runner) error {
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
	var ids []string
	for _, s := range r.Migrations {
		if s.Edited || s.Unknown {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return errNotOurs(ids)
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
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.inspect(cmd.Context(), func(r *runner.Runner) error {
				current, head, unknown, err := r.Current(cmd.Context())
				if err != nil {
					return err
				}
				result := migrateCurrentResult{ID: migrations.Base, Head: head && len(unknown) == 0, Unknown: append([]string{}, unknown...)}
				if current != nil {
					result.ID = current.ID
				}
				if err := app.report(result); err != nil || len(unknown) == 0 {
					return err
				}
				return errNotOurs(unknown)
			})
		},
	}
}

type migrateCurrentResult struct {
	ID      string   `json:"id"` // base if nothing is applied
	Head    bool     `json:"head"`
	Unknown []string `json:"unknown"` // versions in the database that this program does not know
}

func (r migrateCurrentResult) writeText(w io.Writer) error {
	line := r.ID
	if r.Head {
		line += " (head)"
	}
	for _, id := range r.Unknown {
		line += "\n" + id + " (unknown to this program)"
	}
	_, err := fmt.Fprintln(w, line)
	return err
}

// errNotOurs returns the answer for a database with versions that are not this program's.
func errNotOurs(ids []string) error {
	return errNo{"the database's history is not this program's: " + strings.Join(ids, ", ") +
		": run the program that knows them, mend an edited one with migrate repair, or forget an unknown one with migrate stamp --purge TARGET"}
}

func newMigrateHistoryCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "history",
		Short: "List what was done to this database's schema, oldest first: when, by whom, how long it took",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.inspect(cmd.Context(), func(r *runner.Runner) error {
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
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%d ms\t%s\t%s\t%s%s\n", run.AppliedAt.Format(time.RFC3339), run.Direction, run.MigrationID,
			run.DurationMs, cmp.Or(run.ProgramVersion, "-"), cmp.Or(run.Actor, "-"), run.Origin, discardedBy(run)); err != nil {
			return err
		}
	}
	return table.Flush()
}

func discardedBy(run runner.Run) string {
	if run.Discarded == "" {
		return ""
	}
	return "\tdiscarded " + run.Discarded
}
