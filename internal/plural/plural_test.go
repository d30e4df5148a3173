package plural_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/internal/plural"
)

func TestCount(t *testing.T) {
	t.Parallel()
	require.Equal(t, "0 rows", plural.Count(0, "row", "rows"))
	require.Equal(t, "1 row", plural.Count(1, "row", "rows"))
	require.Equal(t, "2 rows", plural.Count(int64(2), "row", "rows"))
	require.Equal(t, "1 leaf is", plural.Count(int64(1), "leaf is", "leaves are"))
}
