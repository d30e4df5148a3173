package cli

import (
	"github.com/spf13/cobra"

	"novamind/handler"
)

func newOpenAPICommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "openapi",
		Short: "Print the OpenAPI document that the server serves",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			document, err := handler.OpenAPI()
			if err != nil {
				return err
			}
			_, err = app.stdout.Write(append(document, '\n'))
			return err
		},
	}
}
