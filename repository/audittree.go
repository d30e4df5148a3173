package repository

import (
	"context"
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

// AuditTreeRepository reads the tree over the audit log, and the rows that it covers as they are stored.
type AuditTreeRepository struct{ store *Store }

// NewAuditTreeRepository returns the tree of a store.
func NewAuditTreeRepository(s *Store) *AuditTreeRepository { return &AuditTreeRepository{s} }

// Latest returns the newest checkpoint, checked, and its note. It is that of an empty tree, without a note, where there is none.
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

// LeafOf returns an event's index in the tree. It returns a NotFound error for one that is no leaf (yet).
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

// Entries returns the events of ids as they are stored, sealed, by id. Nobody is shown anything, so this is no access.
func (r *AuditTreeRepository) Entries(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]audit.Entry, error) {
	if len(ids) == 0 {
		return map[uuid.UUID]audit.Entry{}, nil
	}
	db := r.store.handle(ctx)
	var subjects []models.AuditSubject
	if err := db.Where(r.store.among("event_id", ids)).Find(&subjects).Error; err != nil {
		return nil, translate(err)
	}
	of := make(map[uuid.UUID][]models.AuditSubject, len(ids))
	for _, s := range subjects {
		of[s.EventID] = append(of[s.EventID], s)
	}
	entries := make(map[uuid.UUID]audit.Entry, len(ids))
	err := r.sealed(ctx, ids, func(row *models.AuditLog) error {
		row.Subjects = of[row.ID]
		entry, err := row.Entry()
		entries[row.ID] = entry
		return err
	})
	return entries, err
}

// sealed reads events without opening them, past the guard, which would have them opened.
func (r *AuditTreeRepository) sealed(ctx context.Context, ids []uuid.UUID, do func(*models.AuditLog) error) error {
	db := r.store.handle(ctx)
	among := r.store.among("id", ids)
	columns := strings.Join(models.ColumnsOf(&models.AuditLog{}), ", ")
	rows, err := db.Statement.ConnPool.QueryContext(ctx, r.store.rebind("SELECT "+columns+" FROM auditlog WHERE "+among.SQL), among.Vars...)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row models.AuditLog
		if err := rows.Scan(models.PointersTo(&row)...); err != nil { // GORM's ScanRows takes several times as long
			return translate(err)
		}
		if err := do(&row); err != nil {
			return err
		}
	}
	return translate(rows.Err())
}

// among is the condition that a column is one of ids, however many: they are one parameter, which engines read faster than thousands.
func (s *Store) among(column string, ids []uuid.UUID) clause.Expr {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	if s.engine == SQLite {
		return gorm.Expr(column+" IN (SELECT value FROM json_each(?))", `["`+strings.Join(texts, `","`)+`"]`)
	}
	return gorm.Expr(column+" = ANY(?::uuid[])", "{"+strings.Join(texts, ",")+"}")
}

// rebind numbers the parameters of a statement, as PostgreSQL wants them.
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

// Pending returns how many events wait to become leaves, and since when the oldest waits (zero: none does).
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
	seconds, nanos := oldest.EventID.Time().UnixTime() // ours are UUIDv7
	return n, time.Unix(seconds, nanos).UTC(), nil
}

// grow stores what a batch added to the tree.
func (r *AuditTreeRepository) grow(ctx context.Context, leaves []models.AuditLeaf, tiles map[tree.TileID][]byte, checkpoint models.AuditCheckpoint) error {
	db := r.store.handle(ctx)
	if err := db.CreateInBatches(&leaves, 1000).Error; err != nil {
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

// Inserted returns events that are neither leaves nor wait to become one: somebody put them there past the guards. At most limit, in order.
func (r *AuditTreeRepository) Inserted(ctx context.Context, limit int) ([]uuid.UUID, error) {
	return r.store.ids(ctx, "SELECT id FROM auditlog WHERE NOT EXISTS (SELECT 1 FROM auditleaf WHERE event_id = id) "+
		"AND NOT EXISTS (SELECT 1 FROM auditoutbox WHERE event_id = id) ORDER BY id LIMIT ?", limit)
}

// Ends returns how many leaves and how large a newest checkpoint are stored, as of one moment. They are the same, but where somebody took some.
func (r *AuditTreeRepository) Ends(ctx context.Context) (leaves, checkpoint int64, err error) {
	row := r.store.handle(ctx).Statement.ConnPool.QueryRowContext(ctx,
		"SELECT COALESCE((SELECT max(leaf_index) + 1 FROM auditleaf), 0), COALESCE((SELECT max(tree_size) FROM auditcheckpoint), 0)")
	return leaves, checkpoint, translate(row.Scan(&leaves, &checkpoint))
}

// LeavesOf returns the indexes in the tree of events that are leaves already.
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
