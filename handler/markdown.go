package handler

import (
	"bytes"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"novamind/internal/apperr"
	"novamind/internal/web"
)

var (
	markdown = goldmark.New(goldmark.WithExtensions(extension.GFM)) // leaves raw HTML out
	// sanitizer allows the elements of plain text. It removes pictures and links, because loading one would tell a
	// third party that a record was read.
	sanitizer = bluemonday.NewPolicy().AllowElements(
		"h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del",
		"table", "thead", "tbody", "tr", "th", "td",
	)
)

// safeHTML renders Markdown as HTML that only shows text.
func safeHTML(text string) (string, error) {
	var out bytes.Buffer
	if err := markdown.Convert([]byte(text), &out); err != nil {
		return "", apperr.Wrap(apperr.Internal, web.InternalDetail, err)
	}
	return sanitizer.SanitizeReader(&out).String(), nil
}
