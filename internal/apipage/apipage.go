// Package apipage has the pages that the API shows in a browser: a start page, and Swagger UI on the OpenAPI document.
// They load nothing from any other server.
package apipage

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"sync"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed *.html *.js
var own embed.FS

// The files, by the names that the pages load them by.
var (
	Start  = newFile(own, "start.html", "text/html", "img-src data:")
	Docs   = newFile(own, "docs.html", "text/html", "script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'")
	Script = newFile(own, "docs.js", "text/javascript", "")
	Bundle = newFile(static.FS, "swagger-ui-bundle.js", "text/javascript", "")
	Style  = newFile(static.FS, "swagger-ui.css", "text/css", "")
)

// File is one file as a browser gets it.
type File struct {
	Media  string // the media type, without the character set, which is UTF-8
	Policy string // the Content-Security-Policy
	Tag    string // changes with the content
	Zipped []byte // by gzip

	plain func() []byte
}

// Plain returns the content.
func (f *File) Plain() []byte { return f.plain() }

// newFile reads a file, or its zipped form. allowed is what its policy permits.
func newFile(from fs.FS, name, media, allowed string) *File {
	f := &File{Media: media, Policy: policy(allowed)}
	if zipped, err := fs.ReadFile(from, name+".gz"); err == nil {
		f.Zipped = zipped
		f.plain = sync.OnceValue(func() []byte { return unzip(zipped) })
	} else {
		plain := must(fs.ReadFile(from, name))
		f.Zipped = zip(plain)
		f.plain = func() []byte { return plain }
	}
	sum := sha256.Sum256(f.Zipped)
	f.Tag = hex.EncodeToString(sum[:16])
	return f
}

func policy(allowed string) string {
	if allowed != "" {
		allowed += "; "
	}
	return "default-src 'none'; " + allowed + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func zip(plain []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	must(w.Write(plain))
	must(0, w.Close())
	return out.Bytes()
}

func unzip(zipped []byte) []byte {
	return must(io.ReadAll(must(gzip.NewReader(bytes.NewReader(zipped)))))
}

// must returns v. The files are part of the program, so an error is a mistake in building it.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
