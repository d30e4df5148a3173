package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"novamind/handler"
	"novamind/internal/accounting"
	"novamind/models"
	"novamind/service"
)

func newAuditReportCommand(app *app) *cobra.Command {
	var filter auditFilter
	var page auditPage
	var html bool
	var week string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Say who did what, page by page; with --html a patient's accounting of accesses, with --review what a week holds to be looked at",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withInstallation(cmd, "audit", func(ctx context.Context, in *installation) error {
				switch {
				case html:
					return app.printAccounting(ctx, in, filter)
				case week != "":
					return app.reportReview(ctx, in, week)
				default:
					return app.reportEvents(ctx, in, filter, page)
				}
			})
		},
	}
	filter.addTo(cmd)
	page.addTo(cmd)
	cmd.Flags().BoolVar(&html, "html", false, "the accounting of accesses of the --patient, as a page to print")
	cmd.Flags().StringVar(&week, "review", "", "what the `WEEK`, as 2026-W07 or last, holds that somebody should look at")
	cmd.MarkFlagsMutuallyExclusive("html", "review")
	for _, flag := range []string{"action", "actor", "entity-type", "outcome", "origin", "limit", "cursor"} {
		cmd.MarkFlagsMutuallyExclusive("html", flag) // the accounting has every access
		cmd.MarkFlagsMutuallyExclusive("review", flag)
	}
	for _, flag := range []string{"from", "to", "patient"} {
		cmd.MarkFlagsMutuallyExclusive("review", flag)
	}
	return cmd
}

func (a *app) reportEvents(ctx context.Context, in *installation, filter auditFilter, page auditPage) error {
	list, err := in.listEvents(ctx, filter, page)
	if err != nil {
		return err
	}
	hours, err := in.config.Clinic.OpeningHours()
	if err != nil {
		return err
	}
	names, err := in.namesOf(ctx, list.events)
	if err != nil {
		return err
	}
	return a.report(&auditReportResult{list, names, hours.Zone()})
}

// namesOf returns the names of the accounts that acted.
func (in *installation) namesOf(ctx context.Context, events []*models.AuditLog) (map[uuid.UUID]string, error) {
	var ids []uuid.UUID
	for _, e := range events {
		if e.UserID != nil {
			ids = append(ids, *e.UserID)
		}
	}
	return service.NewAuditLogService(in.store).Names(ctx, ids)
}

// auditReportResult is a list with names, for people. Its JSON adds the names by account id.
type auditReportResult struct {
	*auditListResult
	Names map[uuid.UUID]string `json:"names"`
	zone  *time.Location
}

func (r *auditReportResult) writeText(w io.Writer) error {
	if err := writeEvents(w, r.events, r.Names, r.zone); err != nil {
		return err
	}
	return r.writeNext(w)
}

// writeEvents writes a line for each event.
func writeEvents(w io.Writer, events []*models.AuditLog, names map[uuid.UUID]string, zone *time.Location) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range events {
		who := e.Origin
		if e.UserID != nil && names[*e.UserID] != "" {
			who = names[*e.UserID]
		}
		if e.OnBehalfOf != nil {
			who += " for " + *e.OnBehalfOf
		}
		what := e.Action + " " + e.EntityType
		if n := len(e.Subjects); n > 1 {
			what += fmt.Sprintf(" (%d)", n)
		} else {
			what = strings.TrimSpace(what + " " + idOrNone(e.EntityID))
		}
		details := ""
		if e.Details != nil {
			details = *e.Details
		}
		if _, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", e.OccurredAt.In(zone).Format("2006-01-02 15:04:05"), who, what, e.Outcome, details); err != nil {
			return err
		}
	}
	return table.Flush()
}

func (a *app) printAccounting(ctx context.Context, in *installation, filter auditFilter) error {
	q, err := filter.query(ctx, in)
	if err != nil {
		return err
	}
	if len(q.Subject) == 0 {
		return errors.New("--html is about one patient: say --patient ID")
	}
	hours, err := in.config.Clinic.OpeningHours()
	if err != nil {
		return err
	}
	patient := q.Subject[0]
	heading := accounting.Heading{ID: patient, From: q.From, To: q.To, Made: time.Now(), Zone: hours.Zone()}
	var page *accounting.Page
	err = service.NewAuditLogService(in.store).Accounting(ctx, patient, q.From, q.To, func(p *models.Patient) (err error) {
		if p != nil {
			heading.Patient = p.FirstName.Plain() + " " + p.LastName.Plain()
		}
		page, err = accounting.Begin(a.stdout, heading)
		return err
	}, func(accesses []service.Access) error { return page.Write(service.AccountingLines(accesses)) })
	if err != nil {
		return err
	}
	return page.End()
}

func (a *app) reportReview(ctx context.Context, in *installation, name string) error {
	hours, err := in.config.Clinic.OpeningHours()
	if err != nil {
		return err
	}
	reviews := service.NewAuditReviewService(in.store, hours)
	week := reviews.WeekOf(time.Now().AddDate(0, 0, -7))
	if name != "last" {
		if week, err = reviews.Week(name); err != nil {
			return err
		}
	}
	review, err := reviews.Review(ctx, week)
	if err != nil {
		return err
	}
	var events []*models.AuditLog
	for _, s := range review.Sections {
		events = append(events, s.Events...)
	}
	names, err := in.namesOf(ctx, events)
	if err != nil {
		return err
	}
	return a.report(auditReviewResult{handler.NewReviewAnswer(review), review, names, hours.Zone()})
}

type auditReviewResult struct {
	handler.ReviewAnswer
	review *service.Review
	names  map[uuid.UUID]string
	zone   *time.Location
}

func (r auditReviewResult) writeText(w io.Writer) error {
	signed := "not signed off"
	if r.SignedOff != nil {
		signed = "signed off " + r.SignedOff.At.In(r.zone).Format(time.DateOnly)
	}
	if _, err := fmt.Fprintf(w, "%s, %s\n", r.Week, signed); err != nil {
		return err
	}
	for _, s := range r.review.Sections {
		if _, err := fmt.Fprintf(w, "\n%s: %d\n", strings.ReplaceAll(s.Kind, "_", " "), s.Count); err != nil {
			return err
		}
		if err := writeEvents(w, s.Events, r.names, r.zone); err != nil {
			return err
		}
	}
	return nil
}
