package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"novamind/internal/apperr"
	"novamind/internal/audit/tree"
	"novamind/internal/auditexport"
	"novamind/service"
)

func newAuditProveCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "prove ID",
		Short: "Print the proof that an event is in the log (C2SP tlog-proof), for audit verify --file; status 1 where it is not",
		Args:  cobra.ExactArgs(1),
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
	File       string    `json:"file"` // all of it, with the hashes
}

func (r auditProveResult) writeText(w io.Writer) error {
	_, err := io.WriteString(w, r.File)
	return err
}

func newAuditExportCommand(app *app) *cobra.Command {
	var filter auditFilter
	var format, path string
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write events with the checkpoint and their proofs, for audit verify --file; what is sealed in them stays sealed",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withAuditTree(cmd, func(ctx context.Context, in *installation, log *service.AuditTreeService) error {
				return app.exportAudit(ctx, in, log, filter, auditexport.Format(format), path)
			})
		},
	}
	filter.addTo(cmd)
	cmd.Flags().StringVar(&format, "format", string(auditexport.NDJSON), "ndjson, csv or fhir (AuditEvent, R4)")
	cmd.Flags().StringVar(&path, "out", "", "write to this `FILE`, which appears when it is whole (standard output)")
	return cmd
}

func (a *app) exportAudit(ctx context.Context, in *installation, log *service.AuditTreeService, filter auditFilter, format auditexport.Format, path string) error {
	q, err := filter.query(ctx, in)
	if err != nil {
		return err
	}
	bar := newProgress(a.stderr, "exporting events", -1)
	defer bar.finish()
	if path == "" {
		_, err := log.Export(ctx, q, format, a.stdout, bar.at)
		return err
	}
	var events int64
	err = wholeFile(path, func(w io.Writer) (err error) {
		events, err = log.Export(ctx, q, format, w, bar.at)
		return err
	})
	if err != nil {
		return err
	}
	return a.report(auditExportResult{Events: events, File: path})
}

// wholeFile makes a file that others can't read, and puts it in its place once it is whole.
func wholeFile(path string, write func(io.Writer) error) error {
	part := path + ".part"
	file, err := os.OpenFile(part, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("can't write the file: %w", err)
	}
	err = write(file)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return os.Rename(part, path)
}

type auditExportResult struct {
	Events int64  `json:"events"`
	File   string `json:"file"`
}

func (r auditExportResult) writeText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%d events in %s\n", r.Events, r.File)
	return err
}

// verifyFile checks an export or a proof with the public keys alone: it opens no database and reads no configuration.
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
	if errors.Is(err, tree.ErrTampered) {
		return errNo{"none of the keys signed the file's checkpoint: it is altered, or of another log"}
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

// parseVerifiers reads public keys, each as text or as the name of a file that holds some, one a line.
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
	_, err := fmt.Fprintf(w, "%d events proved, %s the %d of %s (epoch %d), %d findings\n", r.Events, whole, r.Size, r.Origin, r.Epoch, len(r.Findings))
	return err
}
