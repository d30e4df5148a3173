package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// lineInterval is how often progress is told where no terminal can show a bar.
const lineInterval = 5 * time.Second

// progress shows how far long work is: a bar on a terminal, a line now and then elsewhere.
type progress struct {
	bar      *progressbar.ProgressBar
	w        io.Writer
	what     string
	total    int64
	lastLine time.Time
}

// newProgress shows progress towards total, or, where it is -1, without an end.
func newProgress(w io.Writer, what string, total int64) *progress {
	p := &progress{w: w, what: what, total: total, lastLine: time.Now()}
	if isTerminal(w) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(total > 0), progressbar.OptionClearOnFinish())
	}
	return p
}

// at says how much of the total is done.
func (p *progress) at(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done)
		return
	}
	if time.Since(p.lastLine) < lineInterval {
		return
	}
	p.lastLine = time.Now()
	if p.total > 0 {
		_, _ = fmt.Fprintf(p.w, "%s: %d %%\n", p.what, done*100/p.total)
	} else {
		_, _ = fmt.Fprintf(p.w, "%s: %d\n", p.what, done)
	}
}

func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
