package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// DSN is a database URL. It prints without its user, password and parameters; string(dsn) is the whole URL.
//
// After Load it has one of two forms:
//   - sqlite://PATH, where PATH is all text after the two slashes, taken literally: sqlite://data/x.db is relative to
//     the working directory, sqlite:///srv/x.db is absolute;
//   - postgres://…, as libpq and pgx read it.
//
// Load also accepts postgresql://, and the Python program's postgresql+asyncpg:// and sqlite+aiosqlite://. The last
// form follows SQLAlchemy's rule: three slashes are a relative path, four an absolute one.
type DSN string

const (
	sqlite   = "sqlite://"
	postgres = "postgres://"
)

// SQLitePath returns the path of the database file, or "" and false if the DSN is not of SQLite.
func (d DSN) SQLitePath() (string, bool) {
	if !strings.HasPrefix(string(d), sqlite) {
		return "", false
	}
	return string(d)[len(sqlite):], true
}

// Redacted returns the DSN without its user, password and parameters. url.URL's Redacted is not enough: it can't
// parse several hosts, and leaves a password among the parameters.
func (d DSN) Redacted() string {
	if _, ok := d.SQLitePath(); ok || d == "" {
		return string(d)
	}
	scheme, rest, ok := strings.Cut(string(d), "://")
	head, parameters, _ := strings.Cut(rest, "?")
	if !ok || strings.Contains(parameters, "@") { // an unescaped password may extend behind the question mark
		return "[redacted]"
	}
	if i := strings.LastIndex(head, "@"); i >= 0 {
		head = "[redacted]@" + head[i+1:]
	}
	return scheme + "://" + head
}

// Format implements fmt.Formatter, for every verb.
func (d DSN) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(d.Redacted())) }

// MarshalText implements encoding.TextMarshaler, for every encoder, slog's among them.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.Redacted()), nil }

// hasPassword reports whether the user part or a parameter holds a password.
func (d DSN) hasPassword() bool {
	_, rest, _ := strings.Cut(string(d), "://")
	head, query, _ := strings.Cut(rest, "?")
	if i := strings.LastIndex(head, "@"); i >= 0 {
		if _, password, _ := strings.Cut(head[:i], ":"); password != "" {
			return true
		}
	}
	parameters, _ := url.ParseQuery(query)
	for name := range parameters {
		if strings.Contains(name, "password") {
			return true
		}
	}
	return false
}

var errForm = errors.New("must be sqlite://PATH or postgres://USER@HOST:PORT/NAME")

// normalise returns the DSN in one of its two forms. Its errors hold no part of the DSN.
func (d DSN) normalise() (DSN, error) {
	scheme, rest, ok := strings.Cut(string(d), "://")
	if !ok {
		return "", errForm
	}
	switch scheme {
	case "sqlite":
		return sqliteDSN(rest)
	case "sqlite+aiosqlite":
		path, ok := strings.CutPrefix(rest, "/")
		if !ok {
			return "", errors.New("must name a file after sqlite+aiosqlite:/// (relative) or sqlite+aiosqlite://// (absolute)")
		}
		return sqliteDSN(path)
	case "postgres", "postgresql":
		return DSN(postgres + rest), nil
	case "postgresql+asyncpg":
		return DSN(postgres + asyncpgParameters(rest)), nil
	default:
		return "", errForm
	}
}

func sqliteDSN(path string) (DSN, error) {
	switch {
	case path == "" || strings.HasSuffix(path, "/"):
		return "", errors.New("must name a file after sqlite://")
	case strings.ContainsAny(path, "?\x00"):
		return "", errors.New("takes no parameters after a SQLite path: remove the question mark and what follows")
	case strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:"):
		return "", errors.New("must name a plain file: memory databases and file: URIs can't be used")
	}
	return DSN(sqlite + filepath.Clean(path)), nil
}

// asyncpgParameters renames asyncpg's ssl parameter, which has libpq's values, to libpq's sslmode.
func asyncpgParameters(rest string) string {
	head, query, ok := strings.Cut(rest, "?")
	if !ok {
		return rest
	}
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		if value, ok := strings.CutPrefix(p, "ssl="); ok {
			parameters[i] = "sslmode=" + value
		}
	}
	return head + "?" + strings.Join(parameters, "&")
}
