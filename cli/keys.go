package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"novamind/internal/phi"
	"novamind/internal/plural"
	"novamind/migrations/runner"
	"novamind/repository"
	"novamind/service"
)

func newKeysCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "keys", Short: "Show, rotate and retire the keys that seal patients' data"}
	cmd.AddCommand(newKeysStatusCommand(app), newKeysRotateCommand(app), newKeysResealCommand(app), newKeysRetireCommand(app))
	return cmd
}

// withKeys calls do with the key service of the configured database. The command is the actor.
func (a *app) withKeys(cmd *cobra.Command, do func(context.Context, *service.KeyService) error) error {
	return a.withKeysDespite(cmd, do)
}

func (a *app) withKeysDespite(cmd *cobra.Command, do func(context.Context, *service.KeyService) error, mending ...error) error {
	in, err := a.open(cmd.Context(), leave, mending...)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	return do(acting(cmd.Context(), "keys"), service.NewKeyService(in.store, in.config.PHI.KEK))
}

func newKeysStatusCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "List every key, its state, and how many values of which column it seals",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withKeys(cmd, func(ctx context.Context, keys *service.KeyService) error {
				states, err := keys.Status(ctx)
				if err != nil {
					return err
				}
				return app.report(keysStatusResult{states})
			})
		},
	}
}

type keysStatusResult struct {
	Keys []service.KeyState `json:"keys"`
}

func (r keysStatusResult) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, key := range r.Keys {
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t\n", key.ID, key.Purpose, key.State); err != nil {
			return err
		}
		columns := make([]string, 0, len(key.Values))
		for column := range key.Values {
			columns = append(columns, column)
		}
		slices.Sort(columns)
		for _, column := range columns {
			if _, err := fmt.Fprintf(table, "\t\t%s\t%d\n", column, key.Values[column]); err != nil {
				return err
			}
		}
	}
	return table.Flush()
}

func newKeysRotateCommand(app *app) *cobra.Command {
	var kek, dek, index, signer bool
	var to string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new data key (--dek), index key (--index) or key-encryption key (--kek), while servers run",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var mending []error
			if index {
				mending = []error{repository.ErrIndexScheme}
			}
			return app.withKeysDespite(cmd, func(ctx context.Context, keys *service.KeyService) error {
				switch {
				case signer:
					return app.rotateSigner(ctx, keys)
				case kek || to != "":
					return app.rotateKEK(ctx, keys, to)
				}
				return app.rotate(ctx, keys, index)
			}, mending...)
		},
	}
	cmd.Flags().BoolVar(&dek, "dek", false, "a new data key; what was sealed before stays readable (the default)")
	cmd.Flags().BoolVar(&index, "index", false, "a new index key, and every blind index token made anew")
	cmd.Flags().BoolVar(&kek, "kek", false, "wrap the keysets by a new key-encryption key; no row is touched")
	cmd.Flags().StringVar(&to, "to", "", "with --kek: where the new key is from now on (`URI`, as in phi.kek)")
	cmd.Flags().BoolVar(&signer, "signer", false, "a new key to sign the audit log's checkpoints; the older ones check what they signed")
	cmd.MarkFlagsMutuallyExclusive("kek", "dek", "index", "signer")
	cmd.MarkFlagsMutuallyExclusive("to", "dek")
	cmd.MarkFlagsMutuallyExclusive("to", "index")
	cmd.MarkFlagsMutuallyExclusive("to", "signer")
	return cmd
}

// rotateKEK rotates the key-encryption key and reports the next steps, which only the operator can do.
func (a *app) rotateKEK(ctx context.Context, keys *service.KeyService, to string) error {
	cfg, _, err := a.load()
	if err != nil {
		return err
	}
	if to != "" {
		if err := cfg.CheckKEK(to); err != nil {
			return fmt.Errorf("--to %w", err)
		}
	}
	done, err := keys.RotateKEK(ctx, to)
	if err != nil {
		return err
	}
	result := keysRotateResult{Rotated: "kek", KeptForBackups: done.KeptForBackups}
	if done.At != cfg.PHI.KEK {
		result.Next = "set phi.kek to " + done.At + " before anything is started again"
	} else if phi.IsFile(done.At) {
		result.Next = "copy " + strings.TrimPrefix(done.At, "file:") + " to every other server of this database, and to where its copy is kept"
	}
	return a.report(result)
}

func (a *app) rotate(ctx context.Context, keys *service.KeyService, index bool) error {
	purpose, rotated := phi.Data, "dek"
	if index {
		purpose, rotated = phi.Index, "index"
	}
	keyID, err := keys.Rotate(ctx, purpose)
	if err != nil {
		return err
	}
	result := keysRotateResult{Rotated: rotated, KeyID: keyID}
	if index { // a new index key is useless without a new index
		if result.Renewed, err = a.reseal(ctx, keys, 0); err != nil {
			return err
		}
	}
	older, err := keys.Older(ctx, purpose)
	if err != nil {
		return err
	}
	result.Next = nextOf(purpose, older)
	return a.reportRenewed(result, result.Renewed)
}

// nextOf returns the commands that must follow a rotation before the older keys can end.
func nextOf(purpose phi.Purpose, older []string) string {
	var steps []string
	if purpose == phi.Data { // a rotation of the index key renews the index itself
		steps = append(steps, "novamind keys reseal")
	}
	for _, keyID := range older {
		steps = append(steps, "novamind keys retire "+keyID)
	}
	return strings.Join(steps, ", then ")
}

func (a *app) rotateSigner(ctx context.Context, keys *service.KeyService) error {
	keyID, err := keys.Rotate(ctx, phi.LogSign)
	if err != nil {
		return err
	}
	return a.report(keysRotateResult{
		Rotated: "signer", KeyID: keyID,
		Next: "novamind audit anchor, which publishes the new key; the older keys stay, for they check what they signed",
	})
}

type keysRotateResult struct {
	Rotated        string `json:"rotated"`
	KeyID          string `json:"key_id,omitempty"`
	Next           string `json:"next,omitempty"` // the next steps for the operator
	KeptForBackups int    `json:"kept_for_backups,omitempty"`
	service.Renewed
}

func (r keysRotateResult) writeText(w io.Writer) error {
	lines := []string{strings.TrimSpace("rotated " + r.Rotated + " " + r.KeyID)}
	if r.KeptForBackups > 0 {
		lines = append(lines, "the older key is kept: "+plural.Count(r.KeptForBackups, "backup that is", "backups that are")+
			" still kept may need it; run this again when none is left")
	}
	if r.Next != "" {
		lines = append(lines, "next: "+r.Next)
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func newKeysResealCommand(app *app) *cobra.Command {
	var perSecond int
	cmd := &cobra.Command{
		Use:   "reseal",
		Short: "Seal what is under older keys again under the primary ones; interrupted, it goes on when run again",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if perSecond < 0 {
				return errors.New("--rate must not be negative")
			}
			return app.withKeys(cmd, func(ctx context.Context, keys *service.KeyService) error {
				done, err := app.reseal(ctx, keys, perSecond)
				if err != nil {
					return err
				}
				return app.reportRenewed(keysResealResult{done}, done)
			})
		},
	}
	cmd.Flags().IntVar(&perSecond, "rate", 0, "at most this many `ROWS` a second (0: no limit)")
	return cmd
}

func (a *app) reseal(ctx context.Context, keys *service.KeyService, perSecond int) (service.Renewed, error) {
	bar := newProgress(a.stderr, "resealing")
	done, err := keys.Reseal(ctx, perSecond, func(r service.Renewed) { bar.at(int64(r.Resealed+r.Reindexed), r.Total) })
	bar.finish()
	return done, err
}

// reportRenewed reports the result. It returns errNo if rows were left.
func (a *app) reportRenewed(r result, done service.Renewed) error {
	if err := a.report(r); err != nil || len(done.Unreadable) == 0 {
		return err
	}
	return errNo{"rows that can't be opened stay under older keys: bring them back from a backup, or purge them"}
}

type keysResealResult struct{ service.Renewed }

func (r keysResealResult) writeText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s resealed, %s reindexed\n",
		plural.Count(r.Resealed, "row", "rows"), plural.Count(r.Reindexed, "patient", "patients"))
	for _, row := range r.Unreadable {
		if err == nil {
			_, err = fmt.Fprintln(w, "can't be opened:", row)
		}
	}
	return err
}

func newKeysRetireCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "retire KEYID",
		Short: "Let the database refuse a key, and destroy it once nothing needs it; status 1 while something does",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.withKeys(cmd, func(ctx context.Context, keys *service.KeyService) error {
				err := keys.Retire(ctx, args[0])
				if errors.Is(err, service.ErrKeyNeeded) {
					return errNo{err.Error()}
				}
				if err != nil {
					return err
				}
				copies, err := app.copies()
				if err != nil {
					return err
				}
				return app.report(keysRetireResult{Destroyed: args[0], Copies: append([]string{}, copies...)})
			})
		},
	}
}

// copies returns the existing copies that migrations made of a SQLite database.
func (a *app) copies() ([]string, error) {
	cfg, _, err := a.load()
	if err != nil {
		return nil, err
	}
	path, ok := fileOf(cfg)
	if !ok {
		return nil, nil
	}
	return runner.Copies(path)
}

type keysRetireResult struct {
	Destroyed string `json:"destroyed"`
	// Of the database, from before migrations: they may still hold the key, and values under it.
	Copies []string `json:"copies"`
}

func (r keysRetireResult) writeText(w io.Writer) error {
	lines := []string{"destroyed " + r.Destroyed}
	if len(r.Copies) > 0 {
		lines = append(lines, "these copies of the database, from before migrations, may hold the key still, and values under it; delete them:")
	}
	_, err := fmt.Fprintln(w, strings.Join(append(lines, r.Copies...), "\n"))
	return err
}
