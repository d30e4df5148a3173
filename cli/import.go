package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
		Short: "Import patients, practitioners, encounters and documents of a FHIR R4 bulk export in DIR; run again, it changes nothing",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.importFHIR(cmd.Context(), args[0], strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "stop at the first line that can't be imported")
	return cmd
}

// exportFile is one kind of resource in an export.
type exportFile struct {
	resource string // the file is <resource>.ndjson
	optional bool
	take     func(ctx context.Context, r io.Reader, strict bool, progress func(int64)) (service.Report, error)
}

// exportFiles are in the order of import: later files refer to resources of earlier ones.
func exportFiles(s *service.ImportService) []exportFile {
	return []exportFile{
		{"Patient", false, s.Patients},
		{"Practitioner", true, s.Practitioners},
		{"Encounter", true, s.Encounters},
		{"DocumentReference", true, s.Documents},
	}
}

func (a *app) importFHIR(ctx context.Context, dir string, strict bool) error {
	if _, err := os.Stat(filepath.Join(dir, "Patient.ndjson")); err != nil {
		return fmt.Errorf("can't read the export: %w", err)
	}
	in, err := a.open(ctx, makeNew)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	result := importResult{Rejected: []rejectedLine{}, Files: []importedFile{}}
	for _, file := range exportFiles(service.NewImportService(in.store, in.config.Clinic)) {
		if err = a.importFile(acting(ctx, "import"), dir, file, strict, &result); err != nil {
			break
		}
	}
	if reportErr := a.report(result); reportErr != nil {
		return errors.Join(err, reportErr)
	}
	if errors.Is(err, service.ErrRejected) {
		return errNo{"stopped at the first line that can't be imported"}
	}
	return err
}

func (a *app) importFile(ctx context.Context, dir string, file exportFile, strict bool, result *importResult) error {
	name := file.resource + ".ndjson"
	stream, err := os.Open(filepath.Join(dir, name)) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrNotExist) && file.optional {
		return nil
	}
	if err != nil {
		return fmt.Errorf("can't read the export: %w", err)
	}
	defer func() { _ = stream.Close() }()
	info, err := stream.Stat()
	if err != nil {
		return fmt.Errorf("can't read the export: %w", err)
	}
	bar := newByteProgress(a.stderr, "importing "+name)
	report, err := file.take(ctx, stream, strict, func(read int64) { bar.at(read, info.Size()) })
	bar.finish()
	result.add(name, file.resource, report)
	return err
}

// importResult is the result of an import, in total and by file.
type importResult struct {
	Created  int            `json:"created"`
	Existing int            `json:"existing"`
	Rejected []rejectedLine `json:"rejected"`
	Files    []importedFile `json:"files"`
}

type rejectedLine struct {
	File string `json:"file"`
	service.Reject
}

type importedFile struct {
	File     string `json:"file"`
	Resource string `json:"resource"`
	Created  int    `json:"created"`
	Existing int    `json:"existing"`
	Rejected int    `json:"rejected"`
}

func (r *importResult) add(name, resource string, report service.Report) {
	r.Created += report.Created
	r.Existing += report.Existing
	for _, reject := range report.Rejected {
		r.Rejected = append(r.Rejected, rejectedLine{name, reject})
	}
	r.Files = append(r.Files, importedFile{name, resource, report.Created, report.Existing, len(report.Rejected)})
}

func (r importResult) writeText(w io.Writer) error {
	for _, reject := range r.Rejected {
		if _, err := fmt.Fprintf(w, "%s line %d rejected: %s\n", reject.File, reject.Line, reject.Reason); err != nil {
			return err
		}
	}
	for _, f := range r.Files {
		if _, err := fmt.Fprintf(w, "%s: %d created, %d there already, %d rejected\n", f.Resource, f.Created, f.Existing, f.Rejected); err != nil {
			return err
		}
	}
	return nil
}
