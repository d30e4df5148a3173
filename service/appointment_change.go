package service

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// Extent says which appointments of a series a change covers.
type Extent int

// The extents.
const (
	OnlyThis  Extent = iota
	Following        // this one and all that follow in its series and are still pending or booked
)

// Change replaces an appointment by the result of edit. With Following, the same members of the later appointments of
// the series change too. Each keeps its distance by the calendar and the wall clock, and its other members.
//
// Change returns a NotFound error, a Stale error if current refuses the version, an Invalid, a Taken or an
// OutsideHours error, or the error of edit. It returns a BadTransition error if the appointment is over, or if it
// would move to a later day although its patient has arrived. On an error, nothing has changed.
func (s *AppointmentService) Change(ctx context.Context, id uuid.UUID, current Precondition, extent Extent,
	edit func(*models.Appointment) (AppointmentInput, error),
) (*models.Appointment, error) {
	intent := audit.Intent{Action: audit.Update, EntityType: "appointment", EntityID: id}
	return guarded(ctx, s.store, AppointmentUpdate, intent, s.store.Retried,
		func(ctx context.Context) (*models.Appointment, error) {
			return s.change(ctx, id, current, extent, edit)
		})
}

func (s *AppointmentService) change(ctx context.Context, id uuid.UUID, current Precondition, extent Extent,
	edit func(*models.Appointment) (AppointmentInput, error),
) (*models.Appointment, error) {
	if _, err := s.parties(ctx, id); err != nil {
		return nil, err
	}
	a, err := s.appointments.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	in, err := edited(ctx, s.store.names, a, a.Version, current, edit)
	if err != nil {
		return nil, err
	}
	// Lock the new parties first, so that no other request can book their time; then lock the row and read it again.
	now := time.Now()
	claimed := repository.Parties{PatientID: a.PatientID, PractitionerID: in.PractitionerID}
	if _, err := s.claim(ctx, claimed, now); err != nil {
		return nil, err
	}
	seen := a.Version
	if a, err = s.appointments.Hold(ctx, id); err != nil {
		return nil, err
	}
	switch {
	case !models.Changeable(a.Status) || expired(a, now):
		return nil, apperr.New(apperr.BadTransition, "The appointment can no longer be changed, because of its state or because its hold has expired.")
	case a.Version != seen:
		return nil, errStale
	}
	rows, err := s.within(ctx, extent, a)
	if err != nil {
		return nil, err
	}
	return a, s.rewrite(ctx, rows, in.withDefaults(s.zone), now)
}

// within returns the appointments that a change of a covers: a itself and, with Following, the later ones of its
// series that can still change.
func (s *AppointmentService) within(ctx context.Context, extent Extent, a *models.Appointment) ([]*models.Appointment, error) {
	if extent == OnlyThis || a.SeriesID == nil {
		return []*models.Appointment{a}, nil
	}
	following, err := s.appointments.Following(ctx, *a.SeriesID, a.StartsAt)
	if err != nil {
		return nil, err
	}
	return append([]*models.Appointment{a}, slices.DeleteFunc(following, func(f *models.Appointment) bool { return f.ID == a.ID })...), nil
}

// rewrite writes in into the first of rows, and makes the same changes to the others.
func (s *AppointmentService) rewrite(ctx context.Context, rows []*models.Appointment, in AppointmentInput, now time.Time) error {
	var moved, retyped []*models.Appointment
	first := *rows[0]
	for i, a := range rows {
		before, own := *a, in
		if i > 0 {
			var err error
			if own, err = alike(&first, rows[0], a); err != nil {
				return err
			}
		}
		if err := own.applyTo(a); err != nil {
			return err
		}
		if err := timely(a, a.Status, now); err != nil { // an arrival counts for one day only
			return err
		}
		if takesMore(&before, a) {
			moved = append(moved, a)
		} else if before.Type != a.Type {
			retyped = append(retyped, a)
		}
	}
	if err := s.withinHours(ctx, retyped); err != nil {
		return err
	}
	if len(moved) > 0 {
		if err := s.place(ctx, now, moved...); err != nil {
			return err
		}
	}
	// Save in the direction of the move, so that no row lands on a row that has not moved yet.
	slices.SortFunc(rows, func(a, b *models.Appointment) int { return a.StartsAt.Compare(b.StartsAt) })
	if first.StartsAt.Before(in.StartsAt) {
		slices.Reverse(rows)
	}
	for _, a := range rows {
		if err := s.appointments.Update(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// takesMore reports whether an appointment takes time that it did not take before. The database checks the same
// condition.
func takesMore(before, after *models.Appointment) bool {
	return before.PractitionerID != after.PractitionerID || !before.StartsAt.Equal(after.StartsAt) || !before.EndsAt.Equal(after.EndsAt) ||
		before.AllowOverlap != after.AllowOverlap
}

// Transition takes an appointment from its state to another one. With Following, it cancels the later appointments
// too. Cancelling needs a reason.
//
// Transition returns a NotFound error, a Stale error if current refuses the version, an Invalid error, or a
// BadTransition error if the state does not allow it. It returns a Taken error for a late arrival whose time is gone.
func (s *AppointmentService) Transition(ctx context.Context, id uuid.UUID, current Precondition, to, reason string, extent Extent) (*models.Appointment, error) {
	v := validation{TransitionFaults(to, reason, extent)}
	reason = strings.TrimSpace(reason)
	intent := audit.Intent{Action: audit.Transition, EntityType: "appointment", EntityID: id, Reason: reason}
	return guarded(ctx, s.store, AppointmentTransition, intent, s.store.Retried,
		func(ctx context.Context) (*models.Appointment, error) {
			parties, err := s.parties(ctx, id)
			if err = cmp.Or(err, v.err()); err != nil {
				return nil, err
			}
			now := time.Now()
			if _, err := s.claim(ctx, parties, now); err != nil {
				return nil, err
			}
			a, err := s.appointments.Hold(ctx, id)
			if err != nil {
				return nil, err
			}
			if err := current.check(a.Version); err != nil {
				return nil, err
			}
			rows, err := s.within(ctx, extent, a)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				if err := s.transition(ctx, row, to, reason, now); err != nil {
					return nil, err
				}
			}
			return a, nil
		})
}

// TransitionFaults returns the rules that a transition breaks for every appointment.
func TransitionFaults(to, reason string, extent Extent) []apperr.Field {
	var v validation
	v.oneOf("/to", to, models.AppointmentStates())
	if to == models.Cancelled {
		v.required("/reason", &reason, maxOther)
		return v.fields
	}
	v.optional("/reason", &reason, maxOther)
	if extent == Following && len(v.fields) == 0 {
		v.add("/following", "unexpected", "Send following only with the state cancelled in to.")
	}
	return v.fields
}

func (s *AppointmentService) transition(ctx context.Context, a *models.Appointment, to, reason string, now time.Time) error {
	if !models.MayBecome(a.Status, to) || expired(a, now) {
		return apperr.New(apperr.BadTransition, "An appointment in the state "+a.Status+" cannot become "+to+".")
	}
	if err := timely(a, to, now); err != nil {
		return err
	}
	if a.Status == models.Pending && to == models.Booked {
		if err := s.confirm(ctx, a); err != nil {
			return err
		}
	}
	late := !models.Occupies(a.Status) && models.Occupies(to)
	a.Status, a.ExpiresAt = to, nil
	if to == models.Cancelled {
		a.CancelReason = phi.Of(reason)
	}
	if late {
		if err := s.place(ctx, now, a); err != nil {
			return err
		}
	}
	return s.appointments.Update(ctx, a)
}

// confirm returns the error that a new booking for the parties of a hold would return, since they may have changed.
// From then on, the appointment counts as booked by the confirming account.
func (s *AppointmentService) confirm(ctx context.Context, hold *models.Appointment) error {
	patient, err := s.appointments.StandingOf(ctx, hold.PatientID)
	if err != nil {
		return err
	}
	if err := s.bookable(ctx, hold.PractitionerID, patient, true); err != nil {
		return err
	}
	return s.care.entering(ctx, hold.PatientID, hold.ID)
}

// timely returns a BadTransition error if it is too early for an appointment to be in a state.
func timely(a *models.Appointment, state string, now time.Time) error {
	earliest, err := a.EarliestFor(state)
	if err == nil && now.Before(earliest) {
		err = apperr.New(apperr.BadTransition, "It is too early: the appointment can become "+state+" from "+earliest.Format(time.RFC3339)+" on.")
	}
	return err
}

// expired reports whether an appointment is a hold whose time is over.
func expired(a *models.Appointment, now time.Time) bool {
	return a.ExpiresAt != nil && !a.ExpiresAt.After(now)
}

// expire ends a hold whose time is over.
func (s *AppointmentService) expire(ctx context.Context, a *models.Appointment) error {
	a.Status, a.ExpiresAt, a.CancelReason = models.Cancelled, nil, phi.Of("The hold expired.")
	return s.appointments.Update(ctx, a)
}
