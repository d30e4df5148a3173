// Package config loads and validates the configuration: defaults, then config.yaml, then the environment.
package config

import (
	"log/slog"
	"time"
)

// Config is every setting of the program. Durations of 0 mean "off" where the min tag allows 0. It prints without
// secrets, with every verb and encoder.
type Config struct {
	Database Database `koanf:"database"`
	Server   Server   `koanf:"server"`
	PHI      PHI      `koanf:"phi"`
	Audit    Audit    `koanf:"audit"`
	Auth     Auth     `koanf:"auth"`
	Access   Access   `koanf:"access"`
	Limits   Limits   `koanf:"limits"`
	Clinic   Clinic   `koanf:"clinic"`
	Log      Log      `koanf:"log"`

	warnings []string
}

// Database is the place of the data and the behaviour of connections to it.
type Database struct {
	URL              DSN           `koanf:"url"`
	MigrateURL       DSN           `koanf:"migrate_url"` // equals URL after Load if it was not set
	AutoMigrate      bool          `koanf:"auto_migrate"`
	AllowInsecure    bool          `koanf:"allow_insecure"`
	Echo             bool          `koanf:"echo"`
	MaxOpenConns     int           `koanf:"max_open_conns" min:"1"`
	MaxIdleConns     int           `koanf:"max_idle_conns" min:"0"`
	ConnMaxLifetime  time.Duration `koanf:"conn_max_lifetime" min:"0s"`
	ConnMaxIdleTime  time.Duration `koanf:"conn_max_idle_time" min:"0s"`
	ConnectTimeout   time.Duration `koanf:"connect_timeout" min:"1s"`
	StatementTimeout time.Duration `koanf:"statement_timeout" min:"0s"`
	LockTimeout      time.Duration `koanf:"lock_timeout" min:"0s"`
	BusyTimeout      time.Duration `koanf:"busy_timeout" min:"0s"` // SQLite only
}

// Server is the HTTP listener and its limits.
type Server struct {
	Addr              string        `koanf:"addr"`
	ReadHeaderTimeout time.Duration `koanf:"read_header_timeout" min:"1ms"`
	ReadTimeout       time.Duration `koanf:"read_timeout" min:"1ms"`
	WriteTimeout      time.Duration `koanf:"write_timeout" min:"1ms"`
	IdleTimeout       time.Duration `koanf:"idle_timeout" min:"1ms"`
	RequestTimeout    time.Duration `koanf:"request_timeout" min:"1ms"`
	ShutdownTimeout   time.Duration `koanf:"shutdown_timeout" min:"1ms"`
	MaxBodyBytes      int64         `koanf:"max_body_bytes" min:"1"`
	MaxHeaderBytes    int           `koanf:"max_header_bytes" min:"4096" max:"1048576"`
	TrustedProxies    []string      `koanf:"trusted_proxies"` // IP addresses and CIDR ranges
	TLSCert           string        `koanf:"tls_cert"`        // a PEM file; empty is plain HTTP
	TLSKey            string        `koanf:"tls_key"`
	AllowInsecure     bool          `koanf:"allow_insecure"`
	CORSOrigins       []string      `koanf:"cors_origins"` // scheme://host[:port]
}

// PHI is the place of the key-encryption key ("file:PATH", "env:NAME" or "hcvault://…", never the key itself). It
// also has the rate at which servers move values from older keys to the newest.
type PHI struct {
	KEK        string `koanf:"kek"`
	ResealRate int    `koanf:"reseal_rate" min:"0"` // patients a second; 0 is off
}

// Audit is the settings of the audit log.
type Audit struct {
	AnchorFile string `koanf:"anchor_file"` // file to append checkpoints to; empty is off
}

// Auth is the settings of logins.
type Auth struct {
	SessionLifetime time.Duration `koanf:"session_lifetime" min:"1m"`
	SessionIdle     time.Duration `koanf:"session_idle" min:"1m"`
	RequireTOTP     []string      `koanf:"require_totp"` // roles; see Config.TOTPRoles
	LoginFailures   int           `koanf:"login_failures" min:"1" max:"100"`
	LoginLockout    time.Duration `koanf:"login_lockout" min:"1s"`
	APIKeyLifetime  time.Duration `koanf:"api_key_lifetime" min:"1h"`
	Argon2          Argon2        `koanf:"argon2"`
}

// Argon2 is the cost of an Argon2id password hash (RFC 9106). The smallest memory is the minimum that OWASP's
// Password Storage Cheat Sheet lists.
type Argon2 struct {
	MemoryKiB int `koanf:"memory_kib" min:"7168" max:"4194304"`
	Passes    int `koanf:"passes" min:"1" max:"1000"`
	Lanes     int `koanf:"lanes" min:"1" max:"255"`
}

// Access is the settings of care, emergency access, invitations and password resets.
type Access struct {
	// time before and after an appointment, and after a record, during which the patient stays in care
	CareWindow     time.Duration `koanf:"care_window" min:"0s"`
	BreakGlass     time.Duration `koanf:"break_glass" min:"1m" max:"24h"`
	Webhook        Webhook       `koanf:"webhook"` // receives reports of emergency accesses; empty is off
	WebhookPrivate bool          `koanf:"webhook_private"`
	LinkPeriod     time.Duration `koanf:"link_period" min:"1m" max:"720h"` // of invitations and resets
	// page that takes the token of a link, after a #; empty: the bare token
	LinkURL string `koanf:"link_url"`
}

// Limits are request rates. Failed and anonymous requests are always limited, per address.
type Limits struct {
	FailedPerMinute   int `koanf:"failed_per_minute" min:"1"`
	FailedBurst       int `koanf:"failed_burst" min:"1"`
	RequestsPerMinute int `koanf:"requests_per_minute" min:"0"` // per account; 0 is off
}

// Clinic is the settings particular to this clinic.
type Clinic struct {
	PhoneRegion string        `koanf:"phone_region"`       // ISO 3166-1 alpha-2
	TimeZone    string        `koanf:"time_zone"`          // IANA
	Hours       string        `koanf:"hours"`              // in the form that OpeningHours reads
	HoldTime    time.Duration `koanf:"hold_time" min:"1m"` // of pending appointments
}

// Log is the level and the format of the log.
type Log struct {
	Level  slog.Level `koanf:"level"`
	Format string     `koanf:"format"` // auto, text or json
}

// Default returns the configuration of an installation without any settings. The config.yaml at the root lists the
// same values.
func Default() *Config {
	return &Config{
		Database: Database{
			URL:              "sqlite://data/novamind.db",
			AutoMigrate:      true,
			MaxOpenConns:     16,
			MaxIdleConns:     16,
			ConnMaxLifetime:  30 * time.Minute,
			ConnMaxIdleTime:  5 * time.Minute,
			ConnectTimeout:   5 * time.Second,
			StatementTimeout: 30 * time.Second,
			LockTimeout:      5 * time.Second,
			BusyTimeout:      5 * time.Second,
		},
		Server: Server{
			Addr:              "127.0.0.1:8080",
			ReadHeaderTimeout: 5 * time.Second,
			ReadTimeout:       30 * time.Second,
			WriteTimeout:      time.Minute,
			IdleTimeout:       2 * time.Minute,
			RequestTimeout:    30 * time.Second,
			ShutdownTimeout:   20 * time.Second,
			MaxBodyBytes:      1 << 20,
			MaxHeaderBytes:    32 << 10,
			TrustedProxies:    []string{},
			CORSOrigins:       []string{},
		},
		PHI:   PHI{KEK: "file:keys/kek", ResealRate: 500},
		Audit: Audit{AnchorFile: "anchor/checkpoints.jsonl"},
		Auth: Auth{
			SessionLifetime: 12 * time.Hour,
			SessionIdle:     15 * time.Minute,
			RequireTOTP:     []string{"admin"},
			LoginFailures:   5,
			LoginLockout:    15 * time.Minute,
			APIKeyLifetime:  365 * 24 * time.Hour,
			Argon2:          Argon2{MemoryKiB: 19456, Passes: 2, Lanes: 1},
		},
		Access: Access{CareWindow: 2 * 365 * 24 * time.Hour, BreakGlass: time.Hour, LinkPeriod: 3 * 24 * time.Hour},
		Limits: Limits{FailedPerMinute: 60, FailedBurst: 60},
		Clinic: Clinic{PhoneRegion: "US", TimeZone: "UTC", Hours: "mon-fri 07:00-19:00", HoldTime: 15 * time.Minute},
		Log:    Log{Level: slog.LevelInfo, Format: "auto"},
	}
}

// TOTPRoles returns the roles that need a second factor. They are the roles of auth.require_totp if the server can
// be reached from beyond this machine, by its own address or through a proxy. Otherwise there are none.
func (c *Config) TOTPRoles() []string {
	if c.Server.local() && len(c.Server.TrustedProxies) == 0 {
		return nil
	}
	return c.Auth.RequireTOTP
}

// Warnings returns the settings that are allowed but dangerous, one line each, for the log at every start.
func (c *Config) Warnings() []string { return c.warnings }
