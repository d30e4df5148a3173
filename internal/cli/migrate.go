package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"novamind/migrations/runner"
)

func newMigrateCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database's schema to a version, and show where it is"}
	cmd.AddCommand(newMigrateUpCommand(app), newMigrateStatusCommand(app))
	return cmd
}

func newMigrateUpCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "up [TARGET]",
		Short: "Apply pending migrations, all or up to TARGET (a version such as 0001)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, log, err := app.load()
			if err != nil {
				return err
			}
			target := ""
			if len(args) == 1 {
				target = args[0]
			}
			return withRunner(cmd.Context(), cfg, log, func(r *runner.Runner) error {
				applied, err := r.Up(cmd.Context(), target)
				if err != nil {
					return err
				}
				return app.report(migrateUpResult{Applied: append([]string{}, applied...)})
			})
		},
	}
}

type migrateUpResult struct {
	Applied []string `json:"applied"`
}

func (r migrateUpResult) writeText(w io.Writer) error {
	if len(r.Applied) == 0 {
		_, err := fmt.Fprintln(w, "nothing to apply")
		return err
	}
	for _, id := range r.Applied {
		if _, err := fmt.Fprintln(w, "applied", id); err != nil {
			return err
		}
	}
	return nil
}

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
