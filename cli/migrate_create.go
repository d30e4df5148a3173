package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"novamind/internal/config"
	"novamind/internal/scratch"
	"novamind/migrations"
	"novamind/migrations/autogenerate"
	"novamind/models"
	"novamind/models/extras"
	"novamind/repository"
)

// desired is the schema of this program.
var desired = autogenerate.Desired{
	Models: models.All(), Naming: models.Naming{}, Digested: vouched(), Extras: func(engine string) (autogenerate.Extras, error) {
		declared, err := extras.Of(engine)
		return autogenerate.Extras(declared), err
	},
}

func newMigrateCreateCommand(app *app) *cobra.Command {
	var message, dir, devURL string
	var generate bool
	var renames, drops []string
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Write the files of a new migration, empty or with what leads to the models, and update the sums",
		Long: "Write the files of a new migration into the source, empty or with what leads from the newest migration to the models (--autogenerate), and update\n" +
			"the sums. Scratch databases are made beside database.url, on the server of --dev-url, or in a PostgreSQL that is started for it. Run it from a checkout: go run . migrate create …",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !generate {
				files, err := autogenerate.CreateEmpty(dir, message)
				if err != nil {
					return err
				}
				return app.report(migrateCreateResult{Files: files})
			}
			request := autogenerate.Request{Dir: dir, Message: message, Desired: desired, Gone: drops}
			for _, text := range renames {
				rename, err := autogenerate.ParseRename(text)
				if err != nil {
					return err
				}
				request.Renames = append(request.Renames, rename)
			}
			sources, stop, err := app.scratchSources(cmd.Context(), devURL)
			if err != nil {
				return err
			}
			defer stop()
			if request.Sources = sources; sources[migrations.Postgres] == nil {
				app.logger.Warn("PostgreSQL is not available, so its files are missing and migrate check fails; run this again with PostgreSQL")
			}
			files, err := autogenerate.Create(cmd.Context(), request)
			if err != nil {
				return err
			}
			return app.report(migrateCreateResult{Files: append([]string{}, files...)})
		},
	}
	cmd.Flags().StringVarP(&message, "message", "m", "", "what the migration does; makes its name")
	cmd.Flags().BoolVar(&generate, "autogenerate", false, "write what leads from the newest migration to the models")
	cmd.Flags().StringArrayVar(&renames, "rename", nil, "`TABLE.COLUMN=NEW` or TABLE=NEW: renamed, rather than dropped and added (repeatable)")
	cmd.Flags().StringArrayVar(&drops, "drop", nil, "`TABLE.COLUMN` or TABLE: dropped, whatever like it is added (repeatable)")
	cmd.Flags().StringVar(&dir, "dir", "migrations", "`FOLDER` of the migrations")
	addDevURL(cmd, &devURL)
	cobra.CheckErr(cmd.MarkFlagRequired("message"))
	return cmd
}

func addDevURL(cmd *cobra.Command, devURL *string) {
	cmd.Flags().StringVar(devURL, "dev-url", "", "`URL` of a PostgreSQL server on which scratch databases may be made (default: that of database.url, or one started for it)")
}

type migrateCreateResult struct {
	Files []string `json:"files"`
}

func (r migrateCreateResult) writeText(w io.Writer) error {
	if len(r.Files) == 0 {
		_, err := fmt.Fprintln(w, "nothing has changed")
		return err
	}
	for _, file := range r.Files {
		if _, err := fmt.Fprintln(w, "wrote", file); err != nil {
			return err
		}
	}
	return nil
}

// scratchSources returns the sources of scratch databases. SQLite's are in memory. PostgreSQL's are on the server of
// devURL, on the server of database.url, or on a server that it starts and stop ends. There is no source for
// PostgreSQL on a machine without its programs.
func (a *app) scratchSources(ctx context.Context, devURL string) (sources map[string]scratch.Source, stop func(), err error) {
	cfg, _, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	sources = map[string]scratch.Source{migrations.SQLite: scratch.Memory}
	stop = func() {}
	if server := postgresServer(cfg, devURL); server != "" {
		sources[migrations.Postgres] = scratch.Beside(server)
		return sources, stop, nil
	}
	server, err := scratch.Start(ctx, scratch.Options{})
	if errors.Is(err, scratch.ErrNoPostgres) {
		return sources, stop, nil
	}
	if err != nil {
		return nil, nil, err
	}
	sources[migrations.Postgres] = scratch.Beside(server.URL())
	return sources, func() { _ = server.Close() }, nil
}

// postgresServer returns the URL of the configured PostgreSQL server, or "".
func postgresServer(cfg *config.Config, devURL string) string {
	if devURL != "" {
		return devURL
	}
	if url := string(cfg.Database.MigrateURL); repository.EngineOf(url) == repository.PostgreSQL {
		return url
	}
	return ""
}
