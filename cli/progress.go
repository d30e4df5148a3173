package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// lineInterval is how often progress is reported if no terminal can show a bar.
const lineInterval = 5 * time.Second

// progress shows the progress of long work: a bar on a terminal, a line from time to time elsewhere. The caller calls
// finish before it reports anything.
type progress struct {
	w        io.Writer
	what     string
	bytes    bool
	terminal bool
	bar      *progressbar.ProgressBar
	lastLine time.Time
}

// newProgress shows progress on w.
func newProgress(w io.Writer, what string) *progress {
	return &progress{w: w, what: what, terminal: isTerminal(w), lastLine: time.Now()}
}

// newByteProgress shows progress through a file.
func newByteProgress(w io.Writer, what string) *progress {
	p := newProgress(w, what)
	p.bytes = true
	return p
}

// at reports how much of the total is done. The total may still change.
func (p *progress) at(done, total int64) {
	total = max(total, done, 1)
	if p.terminal {
		p.show(done, total)
		return
	}
	if time.Since(p.lastLine) >= lineInterval {
		p.lastLine = time.Now()
		_, _ = fmt.Fprintf(p.w, "%s: %d of %d (%d %%)\n", p.what, done, total, done*100/total)
	}
}

func (p *progress) show(done, total int64) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionShowBytes(p.bytes),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done)
}

// finish removes the bar, so that the next output begins on its own line.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}
