package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"novamind/models"
	"novamind/service"
)

func newAccountCommand(app *app) *cobra.Command {
	cmd := &cobra.Command{Use: "account", Short: "Add, show, change and disable the accounts of people who may log in"}
	cmd.AddCommand(newAccountAddCommand(app), newAccountListCommand(app), newAccountRolesCommand(app), newAccountDisableCommand(app),
		newAccountResetCommand(app))
	return cmd
}

// withAccounts calls do with the accounts of the configured database. The command is the actor.
func (a *app) withAccounts(cmd *cobra.Command, may upkeep, do func(context.Context, *service.AccountService) error) error {
	in, err := a.open(cmd.Context(), may)
	if err != nil {
		return err
	}
	defer func() { _ = in.store.Close() }()
	auth, err := service.NewAuthService(in.store, in.config.Auth)
	if err != nil {
		return err
	}
	return do(acting(cmd.Context(), "account"), service.NewAccountService(in.store, auth, in.config.Access))
}

func newAccountAddCommand(app *app) *cobra.Command {
	var input service.AccountInput
	cmd := &cobra.Command{
		Use:   "add EMAIL",
		Short: "Add an account and print the one-time token with which its owner chooses a password",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.withAccounts(cmd, makeNew, func(ctx context.Context, accounts *service.AccountService) error {
				input.Email = args[0]
				made, err := accounts.Create(ctx, input, nil)
				if err != nil {
					return err
				}
				return app.report(accountResult{newAccountLine(made.Account), made.Link})
			})
		},
	}
	cmd.Flags().StringVar(&input.Name, "name", "", "the owner's `NAME` (required)")
	cmd.Flags().StringSliceVar(&input.Roles, "role", nil, "a `ROLE`: "+strings.Join(service.Roles(), ", ")+"; may be given several times (required)")
	cobra.CheckErr(cmd.MarkFlagRequired("name"))
	cobra.CheckErr(cmd.MarkFlagRequired("role"))
	return cmd
}

func newAccountListCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List every account with its roles",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withAccounts(cmd, leave, func(ctx context.Context, accounts *service.AccountService) error {
				result := accountsResult{Accounts: []accountLine{}}
				page := service.Page{Limit: 200}
				for {
					found, more, err := accounts.Search(ctx, service.AccountQuery{}, page)
					if err != nil {
						return err
					}
					for _, account := range found {
						result.Accounts = append(result.Accounts, newAccountLine(account))
						page.After = account.ID
					}
					if !more {
						return app.report(result)
					}
				}
			})
		},
	}
}

func newAccountRolesCommand(app *app) *cobra.Command {
	return &cobra.Command{
		Use:   "roles EMAIL ROLE...",
		Short: "Give an account exactly these roles, from its next request on",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.changeAccount(cmd, args[0], func(in *service.AccountInput) { in.Roles = args[1:] })
		},
	}
}

func newAccountDisableCommand(app *app) *cobra.Command {
	var undo bool
	cmd := &cobra.Command{
		Use:   "disable EMAIL",
		Short: "Disable an account at once, with its sessions; --undo lets it log in again",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.changeAccount(cmd, args[0], func(in *service.AccountInput) { in.Disabled = !undo })
		},
	}
	cmd.Flags().BoolVar(&undo, "undo", false, "let the account log in again")
	return cmd
}

func newAccountResetCommand(app *app) *cobra.Command {
	var secondFactor bool
	cmd := &cobra.Command{
		Use:   "reset EMAIL",
		Short: "Make an account's password worthless and print the one-time token with which its owner chooses a new one",
		RunE: func(cmd *cobra.Command, args []string) error {
			return app.withAccounts(cmd, leave, func(ctx context.Context, accounts *service.AccountService) error {
				account, err := accounts.ByEmail(ctx, args[0])
				if err != nil {
					return err
				}
				if secondFactor {
					account, err = accounts.Change(ctx, account.ID, func(int64) bool { return true }, func(current *models.Account) (service.AccountInput, error) {
						in := inputOf(current)
						in.RemoveSecondFactor = true
						return in, nil
					})
					if err != nil {
						return err
					}
				}
				reset, err := accounts.Reset(ctx, account.ID, nil)
				if err != nil {
					return err
				}
				return app.report(accountResult{newAccountLine(reset.Account), reset.Link})
			})
		},
	}
	cmd.Flags().BoolVar(&secondFactor, "second-factor", false, "also remove the second factor, of somebody who lost it")
	return cmd
}

// inputOf returns the input that leaves an account unchanged.
func inputOf(a *models.Account) service.AccountInput {
	return service.AccountInput{Email: a.Email, Name: a.Name, Roles: a.Roles, Disabled: a.Disabled}
}

// changeAccount changes the account with this e-mail.
func (a *app) changeAccount(cmd *cobra.Command, email string, change func(*service.AccountInput)) error {
	return a.withAccounts(cmd, leave, func(ctx context.Context, accounts *service.AccountService) error {
		account, err := accounts.ByEmail(ctx, email)
		if err != nil {
			return err
		}
		account, err = accounts.Change(ctx, account.ID, func(int64) bool { return true }, func(current *models.Account) (service.AccountInput, error) {
			in := inputOf(current)
			change(&in)
			return in, nil
		})
		if err != nil {
			return err
		}
		return a.report(accountResult{newAccountLine(account), nil})
	})
}

type accountLine struct {
	ID       uuid.UUID `json:"id"`
	Email    string    `json:"email"`
	Name     string    `json:"name"`
	Roles    []string  `json:"roles"`
	Disabled bool      `json:"disabled"`
}

func newAccountLine(a *models.Account) accountLine {
	return accountLine{a.ID, a.Email, a.Name, a.Roles, a.Disabled}
}

func (l accountLine) writeText(w io.Writer) error {
	state := ""
	if l.Disabled {
		state = "disabled"
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Email, l.Name, strings.Join(l.Roles, ","), state)
	return err
}

type accountsResult struct {
	Accounts []accountLine `json:"accounts"`
}

func (r accountsResult) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range r.Accounts {
		if err := line.writeText(table); err != nil {
			return err
		}
	}
	return table.Flush()
}

type accountResult struct {
	accountLine
	Link *service.Link `json:"link,omitempty"`
}

func (r accountResult) writeText(w io.Writer) error {
	if err := (accountsResult{[]accountLine{r.accountLine}}).writeText(w); err != nil || r.Link == nil {
		return err
	}
	if r.Link.URL != "" {
		_, err := fmt.Fprintf(w, "link (shown once, good until %s): %s\n", r.Link.ExpiresAt.Format(time.RFC3339), r.Link.URL)
		return err
	}
	_, err := fmt.Fprintf(w, "token for POST /api/v1/auth/redeem (shown once, good until %s): %s\n", r.Link.ExpiresAt.Format(time.RFC3339), r.Link.Token)
	return err
}
