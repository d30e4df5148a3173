package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"novamind/handler"
	"novamind/internal/apperr"
	"novamind/internal/schedule"
	"novamind/models"
	"novamind/service"
)

// auditFilter selects the events of a command. The last four fields take several values, separated by commas.
type auditFilter struct {
	from, to, patient, actor, action, entityType, outcome, origin string
}

func (f *auditFilter) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "from this `TIME` on: a day, or a time as in RFC 3339")
	flags.StringVar(&f.to, "to", "", "until this `TIME`: a day, which counts whole, or a time")
	flags.StringVar(&f.patient, "patient", "", "that show or change this patient, or another row, by its `ID`")
	flags.StringVar(&f.actor, "actor", "", "of this account, by `ID` or e-mail")
	flags.StringVar(&f.action, "action", "", "`ACTIONS` such as read or update,export")
	flags.StringVar(&f.entityType, "entity-type", "", "on rows of these `TABLES`")
	flags.StringVar(&f.outcome, "outcome", "", "`OUTCOMES`: success, failure or denied")
	flags.StringVar(&f.origin, "origin", "", "`ORIGINS`: api, direct-sql or system:JOB")
}

// check refuses values that no event has.
func (f *auditFilter) check() error {
	known := service.AuditFilters()
	for _, given := range []struct{ filter, value string }{
		{"action", f.action}, {"entity_type", f.entityType}, {"outcome", f.outcome}, {"origin", f.origin},
	} {
		values := known[given.filter]
		unknown := func(value string) bool { return !slices.Contains(values, value) }
		if slices.ContainsFunc(separated(given.value), unknown) {
			return fmt.Errorf("--%s must be one of: %s", strings.ReplaceAll(given.filter, "_", "-"), strings.Join(values, ", "))
		}
	}
	return nil
}

// separated returns the comma-separated values of a flag, or nil if the flag is not given.
func separated(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// query returns the query that the flags ask for.
func (f *auditFilter) query(ctx context.Context, in *installation) (service.AuditLogQuery, error) {
	if err := f.check(); err != nil {
		return service.AuditLogQuery{}, err
	}
	hours, err := in.config.Clinic.OpeningHours()
	if err != nil {
		return service.AuditLogQuery{}, err
	}
	q := service.AuditLogQuery{
		Action: separated(f.action), EntityType: separated(f.entityType),
		Outcome: separated(f.outcome), Origin: separated(f.origin),
	}
	if q.From, err = parseMoment(f.from, hours.Zone(), 0); err != nil {
		return q, fmt.Errorf("--from %w", err)
	}
	if q.To, err = parseMoment(f.to, hours.Zone(), 1); err != nil {
		return q, fmt.Errorf("--to %w", err)
	}
	if !q.From.IsZero() && !q.To.IsZero() && q.To.Before(q.From) {
		return q, errors.New("--to must not lie before --from")
	}
	if f.patient != "" {
		patient, err := uuid.Parse(f.patient)
		if err != nil {
			return q, errors.New("--patient must be an id") // without the given text, which may be a name
		}
		q.Subject = []uuid.UUID{patient}
	}
	q.UserID, err = f.account(ctx, service.NewAuditLogService(in.store))
	return q, err
}

func (f *auditFilter) account(ctx context.Context, log *service.AuditLogService) ([]uuid.UUID, error) {
	if f.actor == "" {
		return nil, nil
	}
	if id, err := uuid.Parse(f.actor); err == nil {
		return []uuid.UUID{id}, nil
	}
	id, err := log.AccountByEmail(ctx, f.actor)
	if apperr.Is(err, apperr.NotFound) {
		return nil, errors.New("--actor: there is no account with this e-mail")
	}
	return []uuid.UUID{id}, err
}

// parseMoment reads a time, or a day of the clinic. It adds days to a day.
func parseMoment(text string, zone *time.Location, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil && schedule.Plausible(t) {
		return t, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil || !schedule.Plausible(day) {
		return time.Time{}, errors.New("must be a day as 2006-01-02 or a time as 2006-01-02T15:04:05Z, from 1900 to 2200")
	}
	return day.AddDate(0, 0, days), nil
}

// auditPage is the part of a list that a command shows.
type auditPage struct {
	limit  int
	cursor string
}

func (p *auditPage) addTo(cmd *cobra.Command) {
	cmd.Flags().IntVar(&p.limit, "limit", 50, "at most this many `EVENTS`")
	cmd.Flags().StringVar(&p.cursor, "cursor", "", "go on after the event with this `ID`, as the last page says")
}

const maxAuditPage = 1000

func (p *auditPage) page() (service.Page, error) {
	page := service.Page{Limit: p.limit, Descending: true}
	if p.limit < 1 || p.limit > maxAuditPage {
		return page, fmt.Errorf("--limit must be from 1 to %d", maxAuditPage)
	}
	if p.cursor == "" {
		return page, nil
	}
	id, err := uuid.Parse(p.cursor)
	if err != nil {
		return page, errors.New("--cursor must be the id of an event")
	}
	page.After = id
	return page, nil
}

func newAuditListCommand(app *app) *cobra.Command {
	var filter auditFilter
	var page auditPage
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List events, the newest first, page by page",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.withInstallation(cmd, "audit", func(ctx context.Context, in *installation) error {
				list, err := in.listEvents(ctx, filter, page)
				if err != nil {
					return err
				}
				return app.report(list)
			})
		},
	}
	filter.addTo(cmd)
	page.addTo(cmd)
	return cmd
}

// listEvents returns one page of the events that a filter selects.
func (in *installation) listEvents(ctx context.Context, filter auditFilter, part auditPage) (*auditListResult, error) {
	q, err := filter.query(ctx, in)
	if err != nil {
		return nil, err
	}
	page, err := part.page()
	if err != nil {
		return nil, err
	}
	found, more, err := service.NewAuditLogService(in.store).Search(ctx, q, page)
	if err != nil {
		return nil, err
	}
	result := &auditListResult{Items: handler.AuditLogAnswers(found), events: found}
	if more {
		result.NextCursor = &found[len(found)-1].ID
	}
	return result, nil
}

type auditListResult struct {
	Items      any        `json:"items"`
	NextCursor *uuid.UUID `json:"next_cursor"`

	events []*models.AuditLog
}

func (r *auditListResult) writeText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range r.events {
		who := e.Origin
		if e.UserID != nil {
			who = e.UserID.String()
		}
		_, err := fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", e.OccurredAt.UTC().Format(time.RFC3339), e.ID, who, e.Action, strings.TrimSpace(e.EntityType+" "+idOrNone(e.EntityID)), e.Outcome)
		if err != nil {
			return err
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return r.writeNext(w)
}

func (r *auditListResult) writeNext(w io.Writer) error {
	if r.NextCursor == nil {
		return nil
	}
	_, err := fmt.Fprintf(w, "there are more: --cursor %s\n", *r.NextCursor)
	return err
}

func idOrNone(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return id.String()
}
