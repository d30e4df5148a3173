package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/spf13/cobra"

	"novamind/migrations"
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
		RunE: func(cmd *cobra.Command, args []string) error {
			target := migrations.Head
			if len(args) == 1 {
				target = args[0]
			}
			return app.migrate(cmd, "applied", runner.KeepRows, func(r *runner.Runner) ([]string, error) { return r.Up(cmd.Context(), target) })
		},
	}
}

// stepsBack is a number of versions, as in novamind migrate down -2.
var stepsBack = regexp.MustCompile(`^-[0-9]+$`)

func newMigrateDownCommand(app *app) *cobra.Command {
	var discard bool
	cmd := &cobra.Command{
		Use:   "down [-N|TARGET]",
		Short: "Undo the newest migration, the newest N, or all after TARGET (a version, or base for all)",
		Long: "Undo the newest migration, the newest N, or all after TARGET (a version, or base for all). Before the first one it looks at all of them: what would lose\n" +
			"patients' data is refused, and so is what would lose other rows, unless --discard-rows says that they may go.",
		// cobra would read -2 as a flag.
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			steps, rest, err := takeSteps(args)
			if err != nil {
				return err
			}
			args, help, err := parseFlags(cmd, rest)
			if err != nil || help {
				return err
			}
			if len(args) > 1 || steps > 0 && len(args) > 0 {
				return errors.New("migrate down takes one of -N and TARGET")
			}
			if err := takeArguments(cmd, args); err != nil {
				return err
			}
			rows := runner.KeepRows
			if discard {
				rows = runner.DiscardRows
			}
			return app.migrate(cmd, "undid", rows, func(r *runner.Runner) ([]string, error) {
				if len(args) == 1 {
					return r.Down(cmd.Context(), args[0])
				}
				return r.DownBy(cmd.Context(), max(steps, 1))
			})
		},
	}
	cmd.Flags().BoolVar(&discard, "discard-rows", false, "let rows go that are lost thereby; never patients'")
	return cmd
}

// takeSteps removes -N from the arguments and returns its number.
func takeSteps(args []string) (steps int, rest []string, err error) {
	for _, arg := range args {
		if !stepsBack.MatchString(arg) || steps > 0 {
			rest = append(rest, arg)
			continue
		}
		if steps, err = strconv.Atoi(arg[1:]); err != nil || steps == 0 {
			return 0, nil, errors.New("migrate down takes -N with a number of versions from 1")
		}
	}
	return steps, rest, nil
}

// parseFlags parses the flags as cobra would, and shows the help if a flag asks for it.
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
	var purge bool
	cmd := &cobra.Command{
		Use:   "stamp TARGET",
		Short: "Record the versions up to TARGET (or head, or base) as applied, and later ones as not, without running anything",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.migrate(cmd, "stamped", runner.KeepRows, func(r *runner.Runner) ([]string, error) { return r.Stamp(cmd.Context(), args[0], purge) })
		},
	}
	cmd.Flags().BoolVar(&purge, "purge", false, "also forget the versions that this program does not know")
	return cmd
}

func newMigrateRepairCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "repair",
		Short: "Accept this program's form of the applied versions that were edited since",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.migrate(cmd, "accepted", runner.KeepRows, func(r *runner.Runner) ([]string, error) { return r.Repair(cmd.Context()) })
		},
	}
}

// migrate calls do with the configured database. It reports the versions that do touched, even if do returned an
// error.
func (a *app) migrate(cmd *cobra.Command, verb string, rows runner.Rows, do func(r *runner.Runner) ([]string, error)) error {
	cfg, log, err := a.load()
	if err != nil {
		return err
	}
	return withRunner(cmd.Context(), cfg, log, rows, func(r *runner.Runner) error {
		ids, err := do(r)
		if err != nil && len(ids) == 0 {
			return err
		}
		return errors.Join(err, a.report(migrateResult{verb: verb, IDs: append([]string{}, ids...)}))
	})
}

// migrateResult names the versions that a command touched, in that order.
type migrateResult struct {
	verb string
	IDs  []string
}

// MarshalJSON names the list by the verb of the command: {"applied": […]}.
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
