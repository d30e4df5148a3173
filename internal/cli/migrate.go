package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"novamind/migrations/runner"
)

func newMigrateCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "migrate", Short: "Bring the database's schema to a version, and show where it is"}
	cmd.AddCommand(
		newMigrateUpCommand(app), newMigrateDownCommand(app),
		newMigrateStatusCommand(app), newMigrateCurrentCommand(app), newMigrateHistoryCommand(app),
		newMigrateCreateCommand(app), newMigrateCheckCommand(app), newMigrateLintCommand(app),
		newMigrateStampCommand(app), newMigrateRepairCommand(app), newMigrateSQLCommand(app),
	)
	return cmd
}

func newMigrateUpCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "up [TARGET]",
		Short: "Apply pending migrations, all or up to TARGET (a version such as 0001, or head)",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.migrate(cmd, "applied", func(r *runner.Runner) ([]string, error) {
				return r.Up(cmd.Context(), strings.Join(args, ""))
			})
		},
	}
}

// stepsBack is a number of versions, as in novamind migrate down -2.
var stepsBack = regexp.MustCompile(`^-[0-9]+$`)

func newMigrateDownCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "down [-N|TARGET]",
		Short: "Undo the newest migration, the newest N, or all after TARGET (a version, or base for all)",
		// cobra would take -2 for a flag of that name.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			steps := 0
			var rest []string
			for _, arg := range args {
				if stepsBack.MatchString(arg) && steps == 0 {
					steps, _ = strconv.Atoi(arg[1:])
					continue
				}
				rest = append(rest, arg)
			}
			args, help, err := parseFlags(cmd, rest)
			if err != nil || help {
				return err
			}
			if len(args) > 1 || steps > 0 && len(args) > 0 {
				return errors.New("migrate down takes one of -N and TARGET")
			}
			return app.migrate(cmd, "undid", func(r *runner.Runner) ([]string, error) {
				if len(args) == 1 {
					return r.Down(cmd.Context(), args[0])
				}
				return r.DownBy(cmd.Context(), max(steps, 1))
			})
		},
	}
}

// parseFlags does what cobra would have, and shows the help where that was asked for.
func parseFlags(cmd *cobra.Command, args []string) (rest []string, helped bool, err error) {
	cmd.DisableFlagParsing = false
	if err := cmd.ParseFlags(args); err != nil {
		return nil, false, err
	}
	if wanted, err := cmd.Flags().GetBool("help"); err == nil && wanted {
		return nil, true, cmd.Help()
	}
	return cmd.Flags().Args(), false, nil
}

func newMigrateStampCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "stamp TARGET",
		Short: "Record the versions up to TARGET (or head, or base) as applied, and later ones as not, without running anything",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.migrate(cmd, "stamped", func(r *runner.Runner) ([]string, error) { return r.Stamp(cmd.Context(), args[0]) })
		},
	}
}

func newMigrateRepairCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "repair",
		Short: "Accept this program's form of the applied versions that were edited since",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.migrate(cmd, "accepted", func(r *runner.Runner) ([]string, error) { return r.Repair(cmd.Context()) })
		},
	}
}

// migrate lets do work on the configured database, and reports the versions that it touched.
func (a *app) migrate(cmd *cobra.Command, verb string, do func(r *runner.Runner) ([]string, error)) error {
	cfg, log, err := a.load()
	if err != nil {
		return err
	}
	return withRunner(cmd.Context(), cfg, log, func(r *runner.Runner) error {
		ids, err := do(r)
		if err != nil {
			return err
		}
		return a.report(migrateResult{verb: verb, IDs: append([]string{}, ids...)})
	})
}

// migrateResult names the versions that a command touched, in the order in which it did.
type migrateResult struct {
	verb string
	IDs  []string
}

// MarshalJSON names the list by what was done: {"applied": […]}.
func (r migrateResult) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]string{r.verb: r.IDs})
}

func (r migrateResult) writeText(w io.Writer) error {
	if len(r.IDs) == 0 {
		_, err := fmt.Fprintln(w, nothingTo[r.verb])
		return err
	}
	for _, id := range r.IDs {
		if _, err := fmt.Fprintln(w, r.verb, id); err != nil {
			return err
		}
	}
	return nil
}

var nothingTo = map[string]string{
	"applied": "nothing to apply", "undid": "nothing to undo", "stamped": "nothing to stamp", "accepted": "nothing to repair",
}
