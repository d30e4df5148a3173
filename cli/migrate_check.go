package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"gorm.io/gorm"

	"novamind/internal/plural"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/check"
	"novamind/migrations/lint"
	"novamind/migrations/runner"
	"novamind/models/extras"
)

func newMigrateCheckCommand(app *app) *cobra.Command {
	var live bool
	var devURL string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check the migrations against their sums, the models and each other; status 1 where something is amiss",
		Long: "Check the migrations: the files are what their sums say; on both engines they make what the models want; both engines' schemas mean the same;\n" +
			"each version's up, down and up again leads back where it was and keeps the rows of a filled database; the lint has nothing against them. With --live only compare the configured\n" +
			"database with what the models want; that needs no other engine.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			run := app.checkMigrations
			if live {
				run = app.checkLive
			}
			result, err := run(cmd.Context(), devURL)
			if err != nil {
				return err
			}
			if err := app.report(result); err != nil {
				return err
			}
			if len(result.Findings) > 0 {
				return errNo{plural.Count(len(result.Findings), "finding", "findings")}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&live, "live", false, "compare the configured database with what the models want, and nothing else")
	addDevURL(cmd, &devURL)
	return cmd
}

// migrateCheckResult lists the completed checks and their findings.
type migrateCheckResult struct {
	Checked  []string         `json:"checked"`
	Findings []migrateFinding `json:"findings"`
}

type migrateFinding struct {
	Check   string `json:"check"`
	Finding string `json:"finding"`
}

// add records a completed check and its findings.
func (r *migrateCheckResult) add(check string, lines []string) {
	r.Checked = append(r.Checked, check)
	for _, line := range lines {
		r.Findings = append(r.Findings, migrateFinding{Check: check, Finding: line})
	}
}

func (r migrateCheckResult) writeText(w io.Writer) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "%s: %s\n", f.Check, f.Finding); err != nil {
			return err
		}
	}
	if len(r.Findings) > 0 {
		return nil
	}
	for _, check := range r.Checked {
		if _, err := fmt.Fprintln(w, "ok", check); err != nil {
			return err
		}
	}
	return nil
}

// checkMigrations checks the migrations and models that the program was built with.
func (a *app) checkMigrations(ctx context.Context, devURL string) (migrateCheckResult, error) {
	result := migrateCheckResult{Findings: []migrateFinding{}}
	sets := map[string]migrations.Set{}
	for _, engine := range []string{migrations.SQLite, migrations.Postgres} {
		set, err := migrations.Embedded(engine)
		if err != nil { // a file is missing, edited or not listed
			result.add("files", []string{err.Error()})
			return result, nil
		}
		sets[engine] = set
	}
	result.add("files", nil)
	report, err := lint.Check(ctx, migrations.Files(), vouched()...)
	if err != nil {
		return result, err
	}
	result.add("lint", lintLines(report))
	sources, stop, err := a.scratchSources(ctx, devURL)
	if err != nil {
		return result, err
	}
	defer stop()
	if sources[migrations.Postgres] == nil {
		return result, fmt.Errorf("migrate check needs both engines, or --live: %w, or name a server with --dev-url", scratch.ErrNoPostgres)
	}
	for _, engine := range []string{migrations.SQLite, migrations.Postgres} {
		lines, err := check.Drift(ctx, sources[engine], sets[engine], desired)
		if err != nil {
			return result, fmt.Errorf("%s: %w", engine, err)
		}
		result.add("models equal migrations on "+engine, lines)
	}
	lines, err := check.Unlike(ctx, sources, sets, extras.Apart())
	if err != nil {
		return result, err
	}
	result.add("engines are alike", lines)
	for _, engine := range []string{migrations.SQLite, migrations.Postgres} {
		lines, err := check.Identity(ctx, sources[engine], sets[engine], extras.Seeds())
		if err != nil {
			lines = append(lines, err.Error()) // a migration that fails on rows is a finding
		}
		result.add("up, down, up keeps rows on "+engine, lines)
	}
	return result, ctx.Err()
}

// checkLive compares the configured database with the models.
func (a *app) checkLive(ctx context.Context, devURL string) (migrateCheckResult, error) {
	result := migrateCheckResult{Findings: []migrateFinding{}}
	cfg, _, err := a.load()
	if err != nil {
		return result, err
	}
	err = a.inspectDB(ctx, func(db *gorm.DB, r *runner.Runner) error {
		states, err := r.Status(ctx)
		if err != nil {
			return err
		}
		var strange []string
		for _, s := range states {
			switch {
			case s.Unknown:
				strange = append(strange, s.ID+" is applied, and this program does not know it: migrate stamp --purge TARGET forgets it")
			case s.Edited:
				strange = append(strange, s.ID+" was edited after it was applied: migrate repair accepts it")
			}
		}
		result.add("the database's history is this program's", strange)
		source := scratch.Source(scratch.Memory)
		if db.Name() == migrations.Postgres {
			source = scratch.Beside(postgresServer(cfg, devURL))
		}
		lines, err := check.LiveDrift(ctx, db, source, desired)
		if err != nil {
			return err
		}
		result.add("the database is what the models want", lines)
		return nil
	})
	return result, err
}
