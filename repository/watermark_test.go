package repository_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/repository"
)

// changes reads the changes since a time, page by page, and calls between after each page.
func changes(t *testing.T, store *repository.Store, since time.Time, limit int, between func()) (found []*models.Patient, watermark time.Time) {
	t.Helper()
	asked := &repository.Since{From: since}
	page := repository.Page{Limit: limit, Since: asked}
	for more := true; more; {
		require.NoError(t, store.Read(intending(t, "list"), func(ctx context.Context) error {
			rows, again, err := repository.NewPatientRepository(store).Search(ctx, models.PatientQuery{}, page, everybody)
			if found, more = append(found, rows...), again; again {
				page.After, page.AfterTime = rows[limit-1].ID, rows[limit-1].UpdatedAt
			}
			between()
			return err
		}))
	}
	return found, asked.Watermark
}

// A row that was changed before a list was read, and committed during the read, is found with the list's watermark.
func TestNoChangeIsMissedThatCommitsLate(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store, lite := openStore(t, url), repository.EngineOf(url) == repository.SQLite
		others := func() {
			for range 5 {
				create(t, store, invented())
			}
		}
		if lite {
			others()
		}
		begun, held, committed := make(chan time.Time), make(chan bool), make(chan error, 1)
		release := sync.OnceFunc(func() { close(held) })
		late := invented()
		go func() {
			committed <- store.InTx(actor(t.Context()), func(ctx context.Context) error {
				err := repository.NewPatientRepository(store).Create(ctx, late)
				begun <- late.UpdatedAt
				<-held
				return err
			})
		}()
		changedAt, limit := <-begun, 2
		if lite { // one writer at a time: the list waits for it
			limit = 10
			time.AfterFunc(time.Second/2, release)
		} else { // the rows shown first were changed after the rows not shown
			others()
		}
		found, watermark := changes(t, store, time.Unix(0, 0), limit, release)
		require.NoError(t, <-committed)
		if !slices.Contains(ids(found), late.ID) {
			require.False(t, watermark.Add(repository.ClockTolerance).After(changedAt), "%s %s", watermark, changedAt)
		}
		again, next := changes(t, store, watermark, limit, func() {})
		require.Contains(t, ids(again), late.ID)
		require.True(t, next.After(watermark))
	})
}

// Each page of a list has the changes in their order, and the watermark of the first page.
func TestChangesComeInTheirOrder(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		first, second, third := create(t, store, invented()), create(t, store, invented()), create(t, store, invented())
		edit := func(p *models.Patient) {
			p.Active = !p.Active
			require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error { return patients.Update(ctx, p) }))
		}
		edit(first)
		found, _ := changes(t, store, time.Unix(0, 0), 2, func() {})
		require.Equal(t, ids([]*models.Patient{second, third, first}), ids(found))
		found, _ = changes(t, store, third.UpdatedAt, 2, func() {})
		require.Equal(t, ids([]*models.Patient{third, first}), ids(found), "the moment itself is asked for too")

		edited := false
		found, _ = changes(t, store, time.Unix(0, 0), 2, func() {
			if !edited {
				edited = true
				edit(second)
			}
		})
		require.Equal(t, ids([]*models.Patient{second, third, first, second}), ids(found), "changed meanwhile, and shown again")
	})
}
