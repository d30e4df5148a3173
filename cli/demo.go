package cli

import (
	"bytes"
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"novamind/internal/demo"
	"novamind/service"
)

// demoLogins is the file with the logins of the demo, if no terminal can show them.
const demoLogins = "keys/demo-logins"

// fillWithDemo adds the invented clinic to an empty database, and leaves any other alone.
func (a *app) fillWithDemo(ctx context.Context, in *installation, auth *service.AuthService) error {
	added, err := demo.Fill(acting(ctx, "demo"), in.store, auth, in.config, time.Now(), a.deliverDemo)
	if err != nil {
		return err
	}
	in.log.Info("sample patients", "added", added)
	return nil
}

// deliverDemo prints the logins as a table on a terminal, or leaves them in a file.
func (a *app) deliverDemo(logins []demo.Login) error {
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "NAME\tROLE\tE-MAIL\tPASSWORD") // a buffer takes everything
	for _, l := range logins {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", l.Name, l.Role, l.Email, l.Password)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if isTerminal(a.stderr) {
		_, err := a.stderr.Write(text.Bytes())
		return err
	}
	return a.leave(demoLogins, text.Bytes(), "the logins of the demo are")
}
