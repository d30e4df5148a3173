package config

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the same zones on every machine

	"github.com/nyaruka/phonenumbers"
)

// normalise converts the database URLs to their one form. An unset migrate_url becomes url.
func (in *input) normalise(cfg *Config) (err error) {
	db := &cfg.Database
	if db.URL, err = db.URL.normalise(); err != nil {
		return in.refuse("database.url", err.Error())
	}
	if db.MigrateURL == "" {
		db.MigrateURL = db.URL
	}
	if db.MigrateURL, err = db.MigrateURL.normalise(); err != nil {
		return in.refuse("database.migrate_url", err.Error())
	}
	return nil
}

// checks are the rules beyond types and bounds. The errors tell the operator the correction, and hold no value.
var checks = []struct {
	path  string
	check func(*Config) error
}{
	{"database.url", func(c *Config) error { return c.checkTransport("database.url", c.Database.URL) }},
	{"database.migrate_url", checkMigrateURL},
	{"server.addr", checkAddr},
	{"server.addr", checkExposure},
	{"server.trusted_proxies", checkProxies},
	{"server.tls_cert", checkTLS},
	{"server.tls_key", checkTLSKey},
	{"server.cors_origins", checkOrigins},
	{"phi.kek", checkKEK},
	{"audit.anchor_file", checkAnchorFile},
	{"access.webhook", checkWebhook},
	{"access.link_url", checkLinkURL},
	{"clinic.phone_region", checkRegion},
	{"clinic.time_zone", checkZone},
	{"clinic.hours", checkHours},
	{"log.format", checkLogFormat},
}

func (in *input) check(cfg *Config) error {
	for _, k := range keys(cfg) {
		if err := k.checkBounds(); err != nil {
			return in.refuse(k.path, err.Error())
		}
	}
	for _, c := range checks {
		if err := c.check(cfg); err != nil {
			return in.refuse(c.path, err.Error())
		}
	}
	return nil
}

// checkBounds checks a number or duration against the min and max tags of its field.
func (k key) checkBounds() error {
	if low, ok := k.bound("min"); ok && k.value.Int() < low {
		return errors.New("must be at least " + k.tag.Get("min"))
	}
	if high, ok := k.bound("max"); ok && k.value.Int() > high {
		return errors.New("must be at most " + k.tag.Get("max"))
	}
	return nil
}

func (k key) bound(name string) (int64, bool) {
	text := k.tag.Get(name)
	if k.value.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		return int64(d), err == nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// checkTransport refuses an unverified connection, or warns of it if database.allow_insecure is set.
func (c *Config) checkTransport(path string, d DSN) error {
	if _, ok := d.SQLitePath(); ok {
		return nil
	}
	insecure, err := unverified(d)
	switch {
	case err != nil || !insecure:
		return err
	case c.Database.AllowInsecure:
		c.warnings = append(c.warnings, path+" leads over the network without sslmode=verify-full: anyone between "+
			"can read patients' data (database.allow_insecure is set)")
		return nil
	default:
		return errors.New("leads to a host that is neither loopback nor a socket: add sslmode=verify-full " +
			"(database.allow_insecure: true overrides this)")
	}
}

func checkMigrateURL(c *Config) error {
	db := c.Database
	if db.MigrateURL == db.URL {
		return nil
	}
	path, isSQLite := db.URL.SQLitePath()
	if other, also := db.MigrateURL.SQLitePath(); also != isSQLite || other != path {
		return errors.New("must lead to the same database as database.url: correct it, or remove it to use database.url")
	}
	return c.checkTransport("database.migrate_url", db.MigrateURL)
}

func checkAddr(c *Config) error {
	_, port, err := net.SplitHostPort(c.Server.Addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("must be HOST:PORT with a port from 0 to 65535, such as 127.0.0.1:8080")
	}
	return nil
}

func checkProxies(c *Config) error {
	for _, proxy := range c.Server.TrustedProxies {
		_, notIP := netip.ParseAddr(proxy)
		_, notRange := netip.ParsePrefix(proxy)
		if notIP != nil && notRange != nil {
			return errors.New("must list IP addresses or ranges, such as 10.0.0.7 or 10.0.0.0/24")
		}
	}
	return nil
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// vaultKey is the address of a key of HashiCorp Vault's transit engine; the token is never part of it.
var vaultKey = regexp.MustCompile(`^hcvault://[A-Za-z0-9.-]+(:[0-9]+)?/([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+/keys/[A-Za-z0-9_.-]+$`)

func checkKEK(c *Config) error { return c.CheckKEK(c.PHI.KEK) }

// CheckKEK returns the reason why kek can't be phi.kek in this configuration, or nil.
func (c *Config) CheckKEK(kek string) error {
	if name, ok := strings.CutPrefix(kek, "env:"); ok && variableName.MatchString(name) {
		return nil
	}
	if vaultKey.MatchString(kek) {
		return nil
	}
	file, ok := strings.CutPrefix(kek, "file:")
	if !ok || file == "" || strings.HasSuffix(file, "/") {
		return errors.New("must be file:PATH, env:NAME or hcvault://HOST:PORT/transit/keys/NAME, never the key itself")
	}
	if path, ok := c.Database.URL.SQLitePath(); ok && sameFolder(filepath.Dir(file), filepath.Dir(path)) {
		return errors.New("must not lie in the database's folder, because a copy of the folder would contain both: move the key file, or the database")
	}
	return nil
}

func checkAnchorFile(c *Config) error {
	file := c.Audit.AnchorFile
	if strings.HasSuffix(file, "/") {
		return errors.New("must be a file's path, or empty")
	}
	if path, ok := c.Database.URL.SQLitePath(); ok && file != "" && sameFolder(filepath.Dir(file), filepath.Dir(path)) {
		return errors.New("must not lie in the database's folder: restoring an old copy of the folder would restore both")
	}
	return nil
}

// sameFolder also recognises a folder through symbolic links and letter case, if both folders exist.
func sameFolder(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(infoA, infoB)
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

func checkRegion(c *Config) error {
	if !phonenumbers.GetSupportedRegions()[c.Clinic.PhoneRegion] {
		return errors.New("must be a region of two capital letters (ISO 3166-1), such as US or DE")
	}
	return nil
}

func checkLogFormat(c *Config) error {
	if !slices.Contains([]string{"auto", "text", "json"}, c.Log.Format) {
		return errors.New("must be auto, text or json")
	}
	return nil
}

func checkZone(c *Config) error {
	_, err := Clinic{TimeZone: c.Clinic.TimeZone, Hours: "mon 00:00-24:00"}.OpeningHours()
	return err
}

func checkHours(c *Config) error {
	_, err := c.Clinic.OpeningHours()
	return err
}
