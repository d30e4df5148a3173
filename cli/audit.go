package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"novamind/internal/audit/tree"
	"novamind/internal/plural"
	"novamind/repository"
	"novamind/service"
)

func newAuditCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Read the audit log, check it, prove and export what it says, publish its checkpoints"}
	cmd.AddCommand(newAuditListCommand(app), newAuditReportCommand(app), newAuditVerifyCommand(app), newAuditProveCommand(app), newAuditExportCommand(app),
		newAuditAnchorCommand(app))
	return cmd
}

// withAuditTree calls do with the configured database's audit log.
func (a *app) withAuditTree(cmd *cobra.Command, do func(context.Context, *installation, *service.AuditTreeService) error) error {
	// The log may hold the cause of these errors, so they stop every other command but not this one.
	return a.withInstallation(cmd, "audit", func(ctx context.Context, in *installation) error {
		return do(ctx, in, service.NewAuditTreeService(in.store))
	}, repository.ErrUnknownKey, repository.ErrIndexScheme)
}

// withInstallation calls do with the configured database, as a job with the given name. The command is the actor.
func (a *app) withInstallation(cmd *cobra.Command, job string, do func(context.Context, *installation) error, mending ...error) error {
	in, err := a.open(cmd.Context(), leave, mending...)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	return do(acting(cmd.Context(), job), in)
}

func newAuditVerifyCommand(app *app) *cobra.Command {
	var since, file string
	var rows bool
	var keys []string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Look for changed, removed, added and reordered entries, and for a log that was cut or put back; exit status 1 if there are any",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file != "" {
				return app.verifyFile(file, keys)
			}
			options := service.VerifyOptions{Rows: rows}
			if since != "" {
				note, err := os.ReadFile(since) //nolint:gosec // the operator names it
				if err != nil {
					return fmt.Errorf("can't read the checkpoint: %w", err)
				}
				// Audit anchor prints the keys after the note.
				options.Since, _, _ = strings.Cut(string(note), "\nkey ")
				options.Since = strings.TrimSuffix(options.Since, "\n") + "\n"
			}
			return app.withAuditTree(cmd, func(ctx context.Context, in *installation, log *service.AuditTreeService) error {
				return app.verifyAudit(ctx, in, log, options)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "check only what came after the checkpoint in this `FILE`")
	cmd.Flags().BoolVar(&rows, "rows", false, "also compare the records with what the last events on them say")
	cmd.Flags().StringVar(&file, "file", "", "check this `FILE` of audit export or audit prove (- is standard input) instead, with --key alone")
	cmd.Flags().StringArrayVar(&keys, "key", nil, "with --file: a public `KEY` of the log, as audit anchor prints it, or a file with some")
	cmd.MarkFlagsMutuallyExclusive("file", "since")
	cmd.MarkFlagsMutuallyExclusive("file", "rows")
	return cmd
}

func (a *app) verifyAudit(ctx context.Context, in *installation, log *service.AuditTreeService, options service.VerifyOptions) error {
	var unread int
	if path := in.config.Audit.AnchorFile; path != "" {
		var err error
		if options.Anchors, unread, err = tree.ReadAnchors(path); err != nil {
			return err
		}
	}
	bar := newProgress(a.stderr, "checking events")
	options.Progress = bar.at
	verification, err := log.Verify(ctx, options)
	bar.finish()
	if err != nil {
		return err
	}
	if unread > 0 {
		verification.Notes = append(verification.Notes, plural.Count(unread, "line", "lines")+" of the anchor file can't be read")
	}
	if err := a.report(auditVerifyResult{verification}); err != nil {
		return err
	}
	if !verification.OK {
		return errNo{verification.Diagnosis()}
	}
	return nil
}

type auditVerifyResult struct{ service.Verification }

func (r auditVerifyResult) writeText(w io.Writer) error {
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for _, f := range r.Findings {
		where := f.Kind
		if f.Index != nil {
			where += fmt.Sprintf(" leaf %d", *f.Index)
		}
		if f.EventID != nil {
			where += " event " + f.EventID.String()
		}
		line("%s: %s", where, f.Detail)
	}
	for _, note := range r.Notes {
		line("note: %s", note)
	}
	line("%s, %s, %s and %s checked, %s", plural.Count(r.Events, "event", "events"), plural.Count(r.Checkpoints, "checkpoint", "checkpoints"),
		plural.Count(r.Anchors, "anchor", "anchors"), plural.Count(r.Rows, "record", "records"), plural.Count(len(r.Findings), "finding", "findings"))
	return errors.Join(errs...)
}

func newAuditAnchorCommand(app *app) *cobra.Command {
	var restored string
	cmd := &cobra.Command{
		Use:   "anchor",
		Short: "Append the newest checkpoint to audit.anchor_file, and print it with the keys to check it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withAuditTree(cmd, func(ctx context.Context, in *installation, log *service.AuditTreeService) error {
				return app.anchorAudit(ctx, in, log, restored)
			})
		},
	}
	cmd.Flags().StringVar(&restored, "restored", "", "say, as an event, that a backup was put back on purpose, and why (`REASON`)")
	return cmd
}

func (a *app) anchorAudit(ctx context.Context, in *installation, log *service.AuditTreeService, restored string) error {
	path := in.config.Audit.AnchorFile
	if path == "" {
		return errors.New("audit.anchor_file is empty: say where checkpoints go, outside of the database's folder")
	}
	if restored != "" {
		if err := log.Restored(ctx, restored); err != nil {
			return err
		}
	} else if err := log.CheckAnchor(ctx, path); err != nil {
		return rolledBack(err)
	}
	checkpoint, note, err := log.Anchor(ctx, path)
	if err != nil {
		return err
	}
	return a.report(auditAnchorResult{
		Size: checkpoint.Head.N, Root: checkpoint.Head.Hash.String(), Epoch: checkpoint.Epoch, Checkpoint: note, Keys: log.VerifierKeys(),
	})
}

// rolledBack adds advice to the error about a log that is not the anchored log.
func rolledBack(err error) error {
	if !errors.Is(err, service.ErrRolledBack) {
		return err
	}
	return fmt.Errorf("%w; run novamind audit verify, and where a backup was put back on purpose, novamind audit anchor --restored REASON", err)
}

type auditAnchorResult struct {
	Size       int64    `json:"size"`
	Root       string   `json:"root"`
	Epoch      int64    `json:"epoch"`
	Checkpoint string   `json:"checkpoint"`
	Keys       []string `json:"keys"`
}

func (r auditAnchorResult) writeText(w io.Writer) error {
	_, err := io.WriteString(w, r.Checkpoint)
	for _, key := range r.Keys {
		if err == nil {
			_, err = fmt.Fprintf(w, "key %s\n", key)
		}
	}
	return err
}
