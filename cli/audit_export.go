package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"novamind/internal/apperr"
	"novamind/internal/auditexport"
	"novamind/internal/plural"
	"novamind/service"
)

func newAuditProveCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "prove ID",
		Short: "Print the proof that an event is in the log (C2SP tlog-proof), for audit verify --file; status 1 where it is not",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return errors.New("ID must be the id of an event")
			}
			return app.withAuditTree(cmd, func(ctx context.Context, _ *installation, log *service.AuditTreeService) error {
				proof, err := log.Prove(ctx, id)
				if apperr.Is(err, apperr.NotFound) {
					return errNo{"the log has no such event"}
				}
				if err != nil {
					return err
				}
				return app.report(auditProveResult{ID: id, LeafIndex: proof.Index, Leaf: proof.Leaf, Checkpoint: proof.Checkpoint, File: proof.String()})
			})
		},
	}
}

type auditProveResult struct {
	ID         uuid.UUID `json:"id"`
	LeafIndex  int64     `json:"leaf_index"`
	Leaf       []byte    `json:"leaf"`
	Checkpoint string    `json:"checkpoint"`
	File       string    `json:"file"` // of the whole file, with the hashes
}

func (r auditProveResult) writeText(w io.Writer) error {
	_, err := io.WriteString(w, r.File)
	return err
}

func newAuditExportCommand(app *app) *cobra.Command {
	var filter auditFilter
	var format, path string
	var force bool
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write events with the checkpoint and their proofs, for audit verify --file; what is sealed in them stays sealed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if formats := auditexport.Formats(); !slices.Contains(formats, auditexport.Format(format)) {
				return fmt.Errorf("--format must be %s, %s or %s", formats[0], formats[1], formats[2])
			}
			out := outFile{path: path, force: force}
			if err := out.check(); err != nil {
				return err
			}
			return app.withAuditTree(cmd, func(ctx context.Context, in *installation, log *service.AuditTreeService) error {
				return app.exportAudit(ctx, in, log, filter, auditexport.Format(format), out)
			})
		},
	}
	filter.addTo(cmd)
	cmd.Flags().StringVar(&format, "format", string(auditexport.NDJSON), "ndjson, csv or fhir (AuditEvent, R4)")
	cmd.Flags().StringVar(&path, "out", "", "write to this `FILE`, which appears when it is whole (standard output)")
	cmd.Flags().BoolVar(&force, "force", false, "let --out replace a file")
	return cmd
}

func (a *app) exportAudit(ctx context.Context, in *installation, log *service.AuditTreeService, filter auditFilter,
	format auditexport.Format, out outFile,
) error {
	q, err := filter.query(ctx, in)
	if err != nil {
		return err
	}
	if out.path == "" {
		// Without progress: a bar would appear in the middle of the output.
		_, err := log.Export(ctx, q, format, a.stdout, nil)
		return err
	}
	bar := newProgress(a.stderr, "exporting events")
	var events int64
	err = out.write(func(w io.Writer) (err error) {
		events, err = log.Export(ctx, q, format, w, bar.at)
		return err
	})
	bar.finish()
	if err != nil {
		return err
	}
	return a.report(auditExportResult{Events: events, File: out.path})
}

type auditExportResult struct {
	Events int64  `json:"events"`
	File   string `json:"file"`
}

func (r auditExportResult) writeText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s in %s\n", plural.Count(r.Events, "event", "events"), r.File)
	return err
}

// verifyFile checks an export or a proof with only the public keys. It opens no database and reads no configuration.
func (a *app) verifyFile(path string, keys []string) error {
	verifiers, err := parseVerifiers(keys)
	if err != nil {
		return err
	}
	in := a.stdin
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return fmt.Errorf("can't read the file: %w", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	report, err := auditexport.Verify(in, verifiers)
	for _, known := range []error{auditexport.ErrSigner, auditexport.ErrSignature} {
		if errors.Is(err, known) {
			return errNo{known.Error()}
		}
	}
	if err != nil {
		return err
	}
	if err := a.report(auditFileResult{report}); err != nil {
		return err
	}
	if !report.OK {
		return errNo{"the file was tampered with"}
	}
	return nil
}

// parseVerifiers reads public keys. Each is given as text, or as the name of a file that holds keys, one per line.
func parseVerifiers(keys []string) (note.Verifiers, error) {
	if len(keys) == 0 {
		return nil, errors.New("--file needs the log's public key: --key KEY, as audit anchor prints it")
	}
	var known []note.Verifier
	for _, key := range keys {
		text := []byte(key)
		if content, err := os.ReadFile(key); err == nil { //nolint:gosec // the operator names it
			text = content
		}
		before := len(known)
		for line := range bytes.Lines(text) { // audit anchor prints the checkpoint too
			verifier, err := note.NewVerifier(strings.TrimSpace(strings.TrimPrefix(string(line), "key ")))
			if err == nil {
				known = append(known, verifier)
			}
		}
		if len(known) == before {
			return nil, errors.New("--key must be a public key of the log, or a file with some, as audit anchor prints them")
		}
	}
	return note.VerifierList(known...), nil
}

type auditFileResult struct{ auditexport.Report }

func (r auditFileResult) writeText(w io.Writer) error {
	for _, f := range r.Findings {
		where := fmt.Sprintf("line %d", f.Line)
		if f.Index != nil {
			where += fmt.Sprintf(" leaf %d", *f.Index)
		}
		if f.EventID != nil {
			where += " event " + f.EventID.String()
		}
		if _, err := fmt.Fprintf(w, "%s: %s\n", where, f.Detail); err != nil {
			return err
		}
	}
	whole := "a part of"
	if r.Complete {
		whole = "all of"
	}
	_, err := fmt.Fprintf(w, "%s proved, %s the %d of %s (epoch %d), %s\n", plural.Count(r.Events, "event", "events"), whole, r.Size, r.Origin, r.Epoch,
		plural.Count(len(r.Findings), "finding", "findings"))
	return err
}
