package service

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit"
)

// chunkRows is how many rows of a long answer are read, and recorded, at once.
const chunkRows = 500

// inChunks reads a list that is too long for one read. Each page is a separate read, whose event is committed before
// show gets the rows. It returns the first error; the pages shown until then are recorded.
func inChunks[T any](ctx context.Context, store Store, p Permission, intent audit.Intent,
	read func(context.Context, Page) (rows []T, last uuid.UUID, more bool, err error), show func([]T) error,
) error {
	page := Page{Limit: chunkRows}
	for {
		var rows []T
		var more bool
		err := guard(ctx, store, p, intent, store.Read, func(ctx context.Context) (err error) {
			rows, page.After, more, err = read(ctx, page)
			return err
		})
		if err != nil {
			return err
		}
		if err := show(rows); err != nil || !more {
			return err
		}
	}
}
