package phi

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// Binding is the place that a sealed value belongs to. It is bound as associated data and not stored. A value opens
// only in the place, and in the version of its row, for which it was sealed.
//
// Table and Column are logical names. They must never change, not even when the schema renames either.
type Binding struct {
	Table   string
	Column  string
	Row     uuid.UUID
	Version int64 // 0 for rows without versions
}

// appendAssociatedData encodes the binding with the length before each part, so that no two bindings share an
// encoding.
func (b Binding) appendAssociatedData(out []byte) []byte {
	for _, part := range [...]string{"phi1", b.Table, b.Column} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(part))) //nolint:gosec // names of ours, far below 4 GiB
		out = append(out, part...)
	}
	out = binary.BigEndian.AppendUint32(out, uint32(len(b.Row)))
	out = append(out, b.Row[:]...)
	out = binary.BigEndian.AppendUint32(out, 8)
	return binary.BigEndian.AppendUint64(out, uint64(b.Version)) //nolint:gosec // a bit pattern, not a quantity
}
