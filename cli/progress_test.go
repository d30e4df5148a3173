package cli

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A bar shows the total. Its line is empty again before a result begins there.
func TestProgressLeavesTheLine(t *testing.T) {
	t.Parallel()
	for _, done := range []int64{3, 7} { // interrupted, and through
		var screen bytes.Buffer
		bar := newProgress(&screen, "checking")
		bar.terminal = true
		bar.at(1, 7)
		require.Contains(t, screen.String(), "checking")
		require.Contains(t, screen.String(), "1/7")
		bar.at(done, 7)
		bar.finish()
		lines := strings.Split(screen.String(), "\r")
		require.Empty(t, lines[len(lines)-1], "the cursor is at the beginning of the line")
		require.Empty(t, strings.TrimSpace(lines[len(lines)-2]), "which is empty")
	}
}

// Without a terminal there is a line from time to time, and no bar.
func TestProgressInLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := newProgress(&out, "checking")
	p.at(1, 4)
	require.Empty(t, out.String(), "it has only begun")
	p.lastLine = p.lastLine.Add(-lineInterval)
	p.at(2, 4)
	p.at(3, 4)
	p.finish()
	require.Equal(t, "checking: 2 of 4 (50 %)\n", out.String())
}
