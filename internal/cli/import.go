package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"novamind/service"
)

func newImportCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Take patients over from another system"}
	cmd.AddCommand(newImportFHIRCommand(app))
	return cmd
}

func newImportFHIRCommand(app *app) *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "fhir DIR",
		Short: "Import DIR/Patient.ndjson, a FHIR R4 bulk export; run again, it changes nothing",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.importFHIR(cmd, filepath.Join(args[0], "Patient.ndjson"), strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "stop at the first line that can't be imported")
	return cmd
}

func (a *app) importFHIR(cmd *cobra.Command, path string, strict bool) error {
	file, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("can't read the export: %w", err)
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("can't read the export: %w", err)
	}
	ctx := cmd.Context()
	in, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	bar := newProgress(a.stderr, "importing patients", info.Size())
	imports := service.NewImportService(in.store, in.config.Clinic.PhoneRegion)
	report, err := imports.Patients(acting(ctx, "import"), file, strict, bar.at)
	bar.finish()
	if reportErr := a.report(importResult{report}); reportErr != nil {
		return errors.Join(err, reportErr)
	}
	if errors.Is(err, service.ErrRejected) {
		return errNo{"stopped at the first line that can't be imported"}
	}
	return err
}

type importResult struct{ service.Report }

func (r importResult) writeText(w io.Writer) error {
	for _, reject := range r.Rejected {
		if _, err := fmt.Fprintf(w, "line %d rejected: %s\n", reject.Line, reject.Reason); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d created, %d there already, %d rejected\n", r.Created, r.Existing, len(r.Rejected))
	return err
}
