package cli

import "github.com/spf13/cobra"

func newRootCommand(app *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "novamind",
		Short:         "The backend of a mental-health clinic",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(app.stdin)
	root.SetOut(app.stdout)
	root.SetErr(app.stderr)
	root.PersistentFlags().StringVar(&app.configFile, "config", "",
		"configuration `FILE` (config.yaml in the working directory, if there is one)")
	root.PersistentFlags().BoolVar(&app.json, "json", false, "report results as JSON")
	root.AddCommand(
		newServeCommand(app),
		newMigrateCommand(app),
		newImportCommand(app),
		newExportCommand(app),
		newKeysCommand(app),
		newAuditCommand(app),
		newAccountCommand(app),
		newOpenAPICommand(app),
		newVersionCommand(app),
	)
	checkArguments(root)
	return root
}
