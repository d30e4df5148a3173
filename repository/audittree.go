package repository

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"novamind/internal/audit"
	"novamind/internal/audit/tree"
	"novamind/models"
)

// AuditTreeRepository reads the tree over the audit log, and the rows that the tree covers, as they are stored.
type AuditTreeRepository struct{ store *Store }

// NewAuditTreeRepository returns the tree of a store.
func NewAuditTreeRepository(s *Store) *AuditTreeRepository { return &AuditTreeRepository{s} }

// Latest returns the newest checkpoint, verified, and its note. If none is stored, it returns the checkpoint of an
// empty tree and no note.
func (r *AuditTreeRepository) Latest(ctx context.Context) (tree.Checkpoint, string, error) {
	signer := r.store.keyring.LogSigner()
	var row models.AuditCheckpoint
	err := r.store.handle(ctx).Order("tree_size DESC").Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return tree.Checkpoint{Origin: signer.Origin(), Epoch: 1}, "", nil
	}
	if err != nil {
		return tree.Checkpoint{}, "", translate(err)
	}
	checkpoint, err := tree.OpenCheckpoint(row.Note, signer.Verifiers())
	if err == nil && (checkpoint.Head.N != row.TreeSize || checkpoint.Epoch != row.Epoch || checkpoint.Origin != signer.Origin()) {
		err = fmt.Errorf("%w: the checkpoint at %d is not that of its row", tree.ErrTampered, row.TreeSize)
	}
	return checkpoint, row.Note, err
}

// Checkpoints calls do with each checkpoint after size, in order.
func (r *AuditTreeRepository) Checkpoints(ctx context.Context, size int64, do func(models.AuditCheckpoint) error) error {
	for {
		var rows []models.AuditCheckpoint
		if err := r.store.handle(ctx).Where("tree_size > ?", size).Order("tree_size").Limit(1000).Find(&rows).Error; err != nil {
			return translate(err)
		}
		for _, row := range rows {
			if err := do(row); err != nil {
				return err
			}
			size = row.TreeSize
		}
		if len(rows) == 0 {
			return nil
		}
	}
}

// Tiles reads stored tiles (tree.Source).
func (r *AuditTreeRepository) Tiles(ctx context.Context) tree.Source {
	return func(ids []tree.TileID) (map[tree.TileID][]byte, error) {
		var rows []models.AuditTile
		places := make([][]any, len(ids))
		for i, id := range ids {
			places[i] = []any{id.Level, id.Index}
		}
		if err := r.store.handle(ctx).Where("(level, tile_index) IN ?", places).Find(&rows).Error; err != nil {
			return nil, translate(err)
		}
		tiles := make(map[tree.TileID][]byte, len(rows))
		for _, row := range rows {
			tiles[tree.TileID{Level: row.Level, Index: row.TileIndex}] = row.Hashes
		}
		return tiles, nil
	}
}

// LeafOf returns an event's index in the tree. It returns a NotFound error for an event that is not a leaf, or not
// yet.
func (r *AuditTreeRepository) LeafOf(ctx context.Context, event uuid.UUID) (int64, error) {
	var leaf models.AuditLeaf
	err := r.store.handle(ctx).Where("event_id = ?", event).Take(&leaf).Error
	return leaf.LeafIndex, translate(err)
}

// Leaves returns the leaves from index on, at most limit, in order.
func (r *AuditTreeRepository) Leaves(ctx context.Context, index int64, limit int) ([]models.AuditLeaf, error) {
	var leaves []models.AuditLeaf
	err := r.store.handle(ctx).Where("leaf_index >= ?", index).Order("leaf_index").Limit(limit).Find(&leaves).Error
	return leaves, translate(err)
}

// Entries returns the events of ids as they are stored, sealed, by id. It shows nothing to anyone, so it is not an
// access.
func (r *AuditTreeRepository) Entries(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]audit.Entry, error) {
	if len(ids) == 0 {
		return map[uuid.UUID]audit.Entry{}, nil
	}
	of := make(map[uuid.UUID][]models.AuditSubject, len(ids))
	among := r.store.among("event_id", ids)
	err := scanned(ctx, r.store, "WHERE "+among.SQL, among.Vars, func(s *models.AuditSubject) error {
		of[s.EventID] = append(of[s.EventID], *s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	entries := make(map[uuid.UUID]audit.Entry, len(ids))
	among = r.store.among("id", ids)
	err = scanned(ctx, r.store, "WHERE "+among.SQL, among.Vars, func(row *models.AuditLog) error {
		row.Subjects = of[row.ID]
		entry, err := row.Entry()
		entries[row.ID] = entry
		return err
	})
	return entries, err
}

// sequenced returns the subset of ids that are leaves already.
func (r *AuditTreeRepository) sequenced(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	if len(ids) == 0 {
		return map[uuid.UUID]bool{}, nil
	}
	out := map[uuid.UUID]bool{}
	among := r.store.among("event_id", ids)
	err := scanned(ctx, r.store, "WHERE "+among.SQL, among.Vars, func(leaf *models.AuditLeaf) error {
		out[leaf.EventID] = true
		return nil
	})
	return out, err
}

// scanned reads the rows of a table as they are stored. It bypasses the guard, which would open the rows, and GORM,
// which takes several times as long. rest is the part of the query after the table.
func scanned[M any](ctx context.Context, s *Store, rest string, values []any, do func(*M) error) error {
	model := new(M)
	query := "SELECT " + strings.Join(models.ColumnsOf(model), ", ") + " FROM " + models.TableOf(model) + " " + rest
	rows, err := s.handle(ctx).Statement.ConnPool.QueryContext(ctx, s.rebind(query), values...)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row := new(M)
		if err := rows.Scan(destinations(row)...); err != nil {
			return translate(err)
		}
		if err := do(row); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}

// among returns the condition that a column is one of ids. All ids are one parameter, which engines read faster
// than thousands of parameters.
func (s *Store) among(column string, ids []uuid.UUID) clause.Expr {
	if s.engine == SQLite {
		return gorm.Expr(column+" IN (SELECT value FROM json_each(?))", s.array(ids))
	}
	return gorm.Expr(column+" = ANY(?::uuid[])", s.array(ids))
}

// array returns ids as one parameter: an array's text on PostgreSQL, JSON on SQLite.
func (s *Store) array(ids []uuid.UUID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	if s.engine == SQLite {
		return `["` + strings.Join(texts, `","`) + `"]`
	}
	return "{" + strings.Join(texts, ",") + "}"
}

// rebind numbers the parameters of a statement, as PostgreSQL requires.
func (s *Store) rebind(statement string) string {
	if s.engine == SQLite {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, c := range statement {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		fmt.Fprintf(&b, "$%d", n)
	}
	return b.String()
}

// Pending returns the number of events that wait to become leaves, and the time since when the oldest waits (zero
// if none waits).
func (r *AuditTreeRepository) Pending(ctx context.Context) (int64, time.Time, error) {
	db := r.store.handle(ctx)
	var oldest models.AuditOutbox
	err := db.Order("event_id").Take(&oldest).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, translate(err)
	}
	var n int64
	if err := db.Model(&models.AuditOutbox{}).Count(&n).Error; err != nil {
		return 0, time.Time{}, translate(err)
	}
	seconds, nanos := oldest.EventID.Time().UnixTime() // our ids are UUIDv7
	return n, time.Unix(seconds, nanos).UTC(), nil
}

// grow stores the additions of a batch to the tree: leaves, tiles and the new head. The first leaf has the index
// first.
func (r *AuditTreeRepository) grow(ctx context.Context, first int64, leaves []uuid.UUID, tiles map[tree.TileID][]byte, checkpoint models.AuditCheckpoint) error {
	db := r.store.handle(ctx)
	insert := "INSERT INTO auditleaf (leaf_index, event_id) SELECT ? + n - 1, id FROM unnest(?::uuid[]) WITH ORDINALITY AS event (id, n)"
	if r.store.engine == SQLite {
		insert = "INSERT INTO auditleaf (leaf_index, event_id) SELECT ? + key, value FROM json_each(?)"
	}
	if err := db.Exec(insert, first, r.store.array(leaves)).Error; err != nil {
		return translate(err)
	}
	rows := make([]models.AuditTile, 0, len(tiles))
	for id, hashes := range tiles {
		rows = append(rows, models.AuditTile{Level: id.Level, TileIndex: id.Index, Hashes: hashes})
	}
	onConflict := clause.OnConflict{
		Columns: []clause.Column{{Name: "level"}, {Name: "tile_index"}}, DoUpdates: clause.AssignmentColumns([]string{"hashes"}),
	}
	if err := db.Clauses(onConflict).CreateInBatches(&rows, 100).Error; err != nil {
		return translate(err)
	}
	return translate(db.Create(&checkpoint).Error)
}

// Inserted returns the ids of events that are neither leaves nor wait to become leaves: someone inserted them past
// the guards. It returns at most limit ids, in order.
func (r *AuditTreeRepository) Inserted(ctx context.Context, limit int) ([]uuid.UUID, error) {
	return r.store.ids(ctx, "SELECT id FROM auditlog WHERE NOT EXISTS (SELECT 1 FROM auditleaf WHERE event_id = id) "+
		"AND NOT EXISTS (SELECT 1 FROM auditoutbox WHERE event_id = id) ORDER BY id LIMIT ?", limit)
}

// Ends returns the number of stored leaves and the size of the newest stored checkpoint, both at one moment. They
// differ only if someone removed some.
func (r *AuditTreeRepository) Ends(ctx context.Context) (leaves, checkpoint int64, err error) {
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		"SELECT COALESCE((SELECT max(leaf_index) + 1 FROM auditleaf), 0), COALESCE((SELECT max(tree_size) FROM auditcheckpoint), 0)")
	return leaves, checkpoint, translate(row.Scan(&leaves, &checkpoint))
}

// LeavesOf returns the tree indexes of the events that are leaves already.
func (r *AuditTreeRepository) LeavesOf(ctx context.Context, events []uuid.UUID) (map[uuid.UUID]int64, error) {
	var leaves []models.AuditLeaf
	if err := r.store.handle(ctx).Where(r.store.among("event_id", events)).Find(&leaves).Error; err != nil {
		return nil, translate(err)
	}
	indexes := make(map[uuid.UUID]int64, len(leaves))
	for _, leaf := range leaves {
		indexes[leaf.EventID] = leaf.LeafIndex
	}
	return indexes, nil
}

// destinations returns the pointers that the columns of a row are scanned into.
func destinations(row any) []any {
	pointers := models.PointersTo(row)
	for i, pointer := range pointers {
		if scanner, ok := pointer.(sql.Scanner); ok {
			pointers[i] = orZero{scanner}
		}
	}
	return pointers
}

// orZero leaves its destination unchanged for NULL. JSON columns refuse NULL, but older versions or other programs
// may have stored it.
type orZero struct{ sql.Scanner }

// Scan implements sql.Scanner.
func (s orZero) Scan(src any) error {
	if src == nil {
		return nil
	}
	return s.Scanner.Scan(src)
}
