package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"novamind/internal/plural"
	"novamind/service"
)

func newExportCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "export", Short: "Write patients with their histories for another system, or for themselves"}
	cmd.AddCommand(newExportFHIRCommand(app))
	return cmd
}

func newExportFHIRCommand(app *app) *cobra.Command {
	var patients []string
	cmd := &cobra.Command{
		Use:   "fhir DIR",
		Short: "Write patients, practitioners, encounters and documents into DIR as FHIR R4, which import fhir reads; it is not encrypted",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]uuid.UUID, len(patients))
			for i, text := range patients {
				var err error
				if ids[i], err = uuid.Parse(text); err != nil {
					return errors.New("--patient must be the id of a patient")
				}
			}
			return app.exportFHIR(cmd.Context(), args[0], ids)
		},
	}
	cmd.Flags().StringSliceVar(&patients, "patient", nil, "`ID` of a patient who is exported (repeatable; everybody)")
	return cmd
}

func (a *app) exportFHIR(ctx context.Context, dir string, patients []uuid.UUID) error {
	if err := mayAppear(dir); err != nil {
		return err
	}
	in, err := a.open(ctx, leave)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	bar := newProgress(a.stderr, "exporting patients")
	var report service.ExportReport
	err = wholeFolder(dir, func(create func(string) (io.Writer, error)) error {
		var to service.FHIRFiles
		for _, file := range []struct {
			resource string
			w        *io.Writer
		}{{"Patient", &to.Patients}, {"Practitioner", &to.Practitioners}, {"Encounter", &to.Encounters}, {"DocumentReference", &to.Documents}} {
			var err error
			if *file.w, err = create(file.resource + ".ndjson"); err != nil {
				return err
			}
		}
		report, err = service.NewExportService(in.store).FHIR(acting(ctx, "export"), patients, to, bar.at)
		return err
	})
	bar.finish()
	if err != nil {
		return err
	}
	if err := a.report(exportResult{report, dir}); err != nil {
		return err
	}
	if len(report.Unreadable) > 0 {
		return errNo{"what can't be opened was left out"}
	}
	return nil
}

// mayAppear returns an error if a path exists, unless it is an empty folder.
func mayAppear(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("can't write the export: %w", err)
	case len(entries) > 0:
		return errors.New("can't write the export: the folder is not empty; name another one")
	}
	return nil
}

// wholeFolder makes a folder of files that others can't read. It moves the folder to its place once the files are
// complete and on the disk. It first removes the remains of an interrupted export.
func wholeFolder(dir string, write func(create func(name string) (io.Writer, error)) error) error {
	part := filepath.Clean(dir) + ".part"
	if err := errors.Join(os.RemoveAll(part), os.Mkdir(part, 0o700)); err != nil {
		return fmt.Errorf("can't write the export: %w", err)
	}
	var files []*os.File
	err := write(func(name string) (io.Writer, error) {
		file, err := os.OpenFile(filepath.Join(part, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
		if err != nil {
			return nil, fmt.Errorf("can't write the export: %w", err)
		}
		files = append(files, file)
		return file, nil
	})
	for _, file := range files {
		err = errors.Join(err, file.Sync(), file.Close())
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	// An empty folder; any other folder stays.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("can't write the export: %w", err), os.RemoveAll(part))
	}
	return os.Rename(part, dir)
}

// exportResult is the result of an export.
type exportResult struct {
	service.ExportReport

	Folder string `json:"folder"`
}

func (r exportResult) writeText(w io.Writer) error {
	for _, id := range r.Unreadable {
		if _, err := fmt.Fprintf(w, "unreadable: %s\n", id); err != nil {
			return err
		}
	}
	if r.Withheld > 0 {
		if _, err := fmt.Fprintf(w, "withheld: %s that 42 CFR Part 2 protects, for want of a consent\n",
			plural.Count(r.Withheld, "record", "records")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s, %s, %s, %s in %s\n", plural.Count(r.Patients, "patient", "patients"), plural.Count(r.Practitioners, "practitioner", "practitioners"),
		plural.Count(r.Encounters, "encounter", "encounters"), plural.Count(r.Documents, "document", "documents"), r.Folder)
	return err
}
