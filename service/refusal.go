package service

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/repository"
)

const (
	refusalInterval = time.Minute
	// maxRefusalAddresses bounds the memory, and the events of a minute. Further addresses are counted as one.
	maxRefusalAddresses = 1000
	otherAddresses      = "others"
)

// RefusalService records requests that were refused before their caller was known. It records one event for each
// address and minute, so that many requests from one address do not fill the log.
type RefusalService struct {
	store *repository.Store

	mu     sync.Mutex
	counts map[string]map[apperr.Code]int // address → reason → requests
}

// NewRefusalService returns the service on a store.
func NewRefusalService(store *repository.Store) *RefusalService {
	return &RefusalService{store: store, counts: map[string]map[apperr.Code]int{}}
}

// Note counts a refused request from an address.
func (s *RefusalService) Note(address string, reason apperr.Code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts[address] == nil && len(s.counts) >= maxRefusalAddresses {
		address = otherAddresses
	}
	if s.counts[address] == nil {
		s.counts[address] = map[apperr.Code]int{}
	}
	s.counts[address][reason]++
}

// Deny records that the actor of ctx, without permission p, asked for an operation that needs p. It returns a
// Forbidden error, or nil if the actor has the permission.
func (s *RefusalService) Deny(ctx context.Context, p Permission) error {
	entity, action, _ := strings.Cut(string(p), ".")
	if !slices.Contains(AuditFilters()["action"], action) {
		action = audit.Read
	}
	intent := audit.Intent{Action: action, EntityType: entity}
	return guard(ctx, s.store, p, intent, s.store.Read, func(context.Context) error { return nil })
}

// Flush records the refusals counted since the last call. It keeps those it can't record for the next call.
func (s *RefusalService) Flush(ctx context.Context) error {
	s.mu.Lock()
	counts := s.counts
	s.counts = map[string]map[apperr.Code]int{}
	s.mu.Unlock()
	if len(counts) == 0 {
		return nil
	}
	err := s.store.InTx(audit.WithActor(ctx, audit.Actor{Origin: audit.API}), func(ctx context.Context) error {
		unit, err := audit.Current(ctx)
		if err != nil {
			return err
		}
		for address, reasons := range counts {
			unit.Record(audit.Event{
				Action: audit.Refuse, EntityType: "request", Outcome: audit.Denied, Address: address, Details: summary(reasons),
			})
		}
		return nil
	})
	if err != nil {
		s.keep(counts)
	}
	return err
}

func (s *RefusalService) keep(counts map[string]map[apperr.Code]int) {
	for address, reasons := range counts {
		for reason, n := range reasons {
			for range n {
				s.Note(address, reason)
			}
		}
	}
}

func summary(reasons map[apperr.Code]int) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		parts = append(parts, fmt.Sprintf("%d %s", reasons[reason], reason))
	}
	return strings.Join(parts, ", ")
}

// FlushInBackground flushes every minute until ctx is done, and once more at the end.
func (s *RefusalService) FlushInBackground(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(refusalInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if err := s.Flush(context.WithoutCancel(ctx)); err != nil {
			log.ErrorContext(ctx, "refused requests can't be recorded", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}
