package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"novamind/internal/plural"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/explain"
	"novamind/migrations/lint"
)

func newMigrateLintCommand(app *app) *cobra.Command {
	var explaining bool
	var devURL string
	cmd := &cobra.Command{
		Use:   "lint [DIR]",
		Short: "Judge the migrations of this program, or those in DIR; status 1 where one locks, breaks or loses something",
		Long: "Judge the migrations of this program, or those in the folder DIR: what locks a table for long, breaks servers of the release before,\n" +
			"loses rows or protection, or leaves PHI in the clear. docs/migrations-lint.md has the rules.",
		RunE: func(cmd *cobra.Command, args []string) error {
			files := migrations.Files()
			if len(args) == 1 {
				var err error
				if files, err = folderOf(args[0]); err != nil {
					return err
				}
			}
			if explaining {
				return app.explain(cmd.Context(), files, devURL)
			}
			report, err := lint.Check(cmd.Context(), files, vouched()...)
			if err != nil {
				return err
			}
			if err := app.report(migrateLintResult{report}); err != nil {
				return err
			}
			if len(report.Findings) > 0 {
				return errNo{"the lint has " + plural.Count(len(report.Findings), "finding", "findings")}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&explaining, "explain", false, "execute each PostgreSQL statement on a scratch database, and print what it locks and rewrites")
	addDevURL(cmd, &devURL)
	return cmd
}

// folderOf returns a folder that contains migrations.
func folderOf(dir string) (fs.FS, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("migrate lint: there is no folder %s", dir)
	}
	files := os.DirFS(dir)
	names, err := fs.Glob(files, "*.sql")
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("migrate lint: there are no files <version>_<name>.<postgres|sqlite>.<up|down>.sql in %s", dir)
	}
	return files, err
}

// lintLines returns the findings, each as two lines.
func lintLines(report lint.Report) []string {
	var lines []string
	for _, f := range report.Findings {
		lines = append(lines, fmt.Sprintf("%s:%d: %s: %s\n\tinstead: %s", f.File, f.Line, f.Rule, f.Message, f.Instead))
	}
	return lines
}

type migrateLintResult struct{ lint.Report }

func (r migrateLintResult) writeText(w io.Writer) error {
	for _, line := range lintLines(r.Report) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s, %s allowed with a reason\n",
		plural.Count(len(r.Findings), "finding", "findings"), plural.Count(len(r.Allowed), "more is", "more are"))
	return err
}

func (a *app) explain(ctx context.Context, files fs.FS, devURL string) error {
	set, err := migrations.LoadUnpinned(files, migrations.Postgres)
	if err != nil {
		return err
	}
	sources, stop, err := a.scratchSources(ctx, devURL)
	if err != nil {
		return err
	}
	defer stop()
	source := sources[migrations.Postgres]
	if source == nil {
		return fmt.Errorf("migrate lint --explain executes the migrations: %w, or name a server with --dev-url", scratch.ErrNoPostgres)
	}
	effects, err := explain.Run(ctx, source, set)
	if err != nil {
		return err
	}
	return a.report(migrateExplainResult{Statements: effects})
}

type migrateExplainResult struct {
	Statements []explain.Effect `json:"statements"`
}

func (r migrateExplainResult) writeText(w io.Writer) error {
	for _, e := range r.Statements {
		var lines []string
		for _, lock := range e.Locks {
			lines = append(lines, "locks "+lock.Table+": "+lock.Mode)
		}
		if e.Unseen {
			lines = append(lines, "runs outside a transaction: its locks are gone before one can look")
		}
		for _, name := range e.Rewritten {
			lines = append(lines, "rewrites "+name)
		}
		if _, err := fmt.Fprintf(w, "%s:%d: %s\n\t%s\n", e.File, e.Line, e.Statement, strings.Join(lines, "\n\t")); err != nil {
			return err
		}
	}
	return nil
}
