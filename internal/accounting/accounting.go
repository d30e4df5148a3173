// Package accounting prints a patient's accounting of accesses (45 CFR 164.528) as an HTML page that loads no other
// file.
package accounting

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"

	"novamind/internal/plural"
)

//go:embed page.html page.css
var files embed.FS

var (
	style = must(files.ReadFile("page.css"))
	page  = template.Must(template.New("").ParseFS(files, "page.html"))
	// StyleSource is the source that a Content-Security-Policy must permit for the page's style.
	StyleSource = "'sha256-" + base64.StdEncoding.EncodeToString(sum(style)) + "'"
)

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err) // an embedded file
	}
	return text
}

func sum(text []byte) []byte {
	s := sha256.Sum256(text)
	return s[:]
}

// Heading is the head of the page.
type Heading struct {
	Patient  string // the name; empty if it can't be shown
	ID       uuid.UUID
	From, To time.Time // zero: from the first, to the last
	Made     time.Time
	Zone     *time.Location // of all times
}

// Line is one access.
type Line struct {
	When    time.Time
	Who     string
	Roles   []string
	Action  string   // the name that events use
	Data    string   // the kind of row, by the name that events use
	Fields  []string // the changed fields
	Purpose string
	Reason  string
}

// Page is a page while it is written.
type Page struct {
	out   io.Writer
	zone  *time.Location
	lines int
}

// Begin writes the page's beginning to w.
func Begin(w io.Writer, h Heading) (*Page, error) {
	p := &Page{out: w, zone: h.Zone}
	return p, page.ExecuteTemplate(w, "head", map[string]any{
		"Style":   template.CSS(style), //nolint:gosec // our own file
		"Patient": h.Patient, "ID": h.ID, "From": p.date(h.From), "To": p.date(h.To), "Made": p.time(h.Made), "Zone": h.Zone,
	})
}

// Write adds lines.
func (p *Page) Write(lines []Line) error {
	for _, l := range lines {
		p.lines++
		err := page.ExecuteTemplate(p.out, "line", map[string]any{
			"When": p.time(l.When), "Who": l.Who, "Roles": strings.Join(l.Roles, ", "), "Action": inWords(l.Action), "Data": l.Data,
			"Fields": strings.Join(l.Fields, ", "), "Purpose": l.Purpose, "Reason": l.Reason,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// End writes the page's end. A page without it is incomplete.
func (p *Page) End() error {
	return page.ExecuteTemplate(p.out, "foot", plural.Count(p.lines, "access", "accesses"))
}

func (p *Page) time(t time.Time) string { return t.In(p.zone).Format("2006-01-02 15:04:05") }

func (p *Page) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(p.zone).Format("2006-01-02 15:04")
}

var words = map[string]string{
	"create": "created", "read": "read", "list": "seen in a list", "search": "found by a search", "update": "changed", "deactivate": "ended care",
	"purge": "removed", "export": "exported", "import": "imported", "reseal": "sealed under a new key", "open_diff": "a change was looked at",
	"break_glass": "opened in an emergency", "truncate": "removed",
}

// inWords returns a description of an action for people. An action without a description gets the name that events
// use.
func inWords(action string) string {
	if said, ok := words[action]; ok {
		return said
	}
	return strings.ReplaceAll(action, "_", " ")
}
