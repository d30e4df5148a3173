// Package audit records accesses to records, with the acting account (45 CFR 164.312(b)). It has the actor and the
// unit of work in the context, and the events that result. It stores nothing itself. The repository stores the
// events: in the transaction of a change, and before the answer to a read.
package audit

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Actions: the intent of a service, or the finding of a hook.
const (
	Create      = "create"
	Read        = "read"
	List        = "list"
	Search      = "search"
	Update      = "update"
	Deactivate  = "deactivate"
	Merge       = "merge"
	Unmerge     = "unmerge"
	Sign        = "sign"
	Amend       = "amend"
	MarkError   = "mark_error" // a record that should never have been written
	Revoke      = "revoke"
	Disclose    = "disclose"
	Transition  = "transition" // of an appointment, from one state to the next
	Purge       = "purge"
	Login       = "login"
	Logout      = "logout"
	Refuse      = "refuse" // requests before login, of one address and minute
	Import      = "import"
	SetPassword = "set_password"
	Invite      = "invite"
	Reset       = "reset" // of an account's password
	ChangeRoles = "change_roles"
	Disable     = "disable"
	Enable      = "enable"
	Assign      = "assign" // a clinician to a patient
	Unassign    = "unassign"
	BreakGlass  = "break_glass" // emergency access to a patient was opened
	EnrolMFA    = "enrol_mfa"
	EnableMFA   = "enable_mfa"
	DisableMFA  = "disable_mfa"
	EndSession  = "end_session"
	Rehash      = "rehash"
	RenewCodes  = "renew_recovery_codes"
	RevokeKey   = "revoke_api_key"
	AddKey      = "add_key"
	PromoteKey  = "promote_key"
	AdoptIndex  = "adopt_index" // the tokens were found to follow the current rules
	RetireKey   = "retire_key"
	DestroyKey  = "destroy_key"
	RewrapKeys  = "rewrap_keys"
	Reseal      = "reseal"
	Reindex     = "reindex"
	MendIndex   = "mend_index" // index tokens that somebody else wrote were replaced
	Truncate    = "truncate"
	Migrate     = "migrate"
	OpenDiff    = "open_diff" // the old and new values of an event were opened
	Export      = "export"
	SignOff     = "sign_off" // of a week's review of the log
	Restore     = "restore"  // a backup was put back: the tree continues from an earlier head, in a new epoch
)

// Actions lists the actions.
func Actions() []string {
	return []string{
		Create, Read, List, Search, Update, Deactivate, Merge, Unmerge, Sign, Amend, MarkError, Revoke, Disclose,
		Transition, Purge, Login, Logout, Refuse, Import, SetPassword, Invite, Reset, ChangeRoles, Disable, Enable,
		Assign, Unassign, BreakGlass, EnrolMFA, EnableMFA, DisableMFA, EndSession, Rehash, RenewCodes, RevokeKey,
		AddKey, PromoteKey, AdoptIndex, RetireKey, DestroyKey, RewrapKeys, Reseal, Reindex, MendIndex, Truncate,
		Migrate, OpenDiff, Export, SignOff, Restore,
	}
}

// Outcomes lists the outcomes.
func Outcomes() []string { return []string{Success, Failure, Denied} }

// Jobs lists the jobs of the system, whose origin is "system:<job>".
func Jobs() []string {
	return []string{
		"account", "audit", "demo", "expire-holds", "export", "import", "keys", "migrate", "readiness", "reseal", "sequencer", "setup",
	}
}

// Origins lists the origins of events.
func Origins() []string {
	origins := []string{API, DirectSQL}
	for _, job := range Jobs() {
		origins = append(origins, SystemOrigin+job)
	}
	return origins
}

// Origins, besides "system:<job>".
const (
	API       = "api"
	DirectSQL = "direct-sql" // a change that this program did not make

	SystemOrigin = "system:" // prefix of a job's name
)

// BreakTheGlass is the purpose of accesses under emergency access (HL7 v3 PurposeOfUse).
const BreakTheGlass = "BTG"

// Outcomes.
const (
	Success = "success"
	Failure = "failure"
	Denied  = "denied"
)

// Subject is one row that an event showed or changed.
type Subject struct {
	ID         uuid.UUID
	EntityType string
	RowVersion *int64 // after a change, of a row that has versions
	RowDigest  string // of the sealed row after a change; Removed if the row is gone; empty if it was only shown
}

// Removed stands for the digest of a row that is gone.
const Removed = "-"

// Change describes a change of a row.
type Change struct {
	private

	Action  string // the name of the action, if it is more precise than create or update
	Details string // fixed text of the program

	Fields []string // the columns that the change touched
	Diff   Diff

	RowVersion *int64
	RowDigest  string
	Others     []Subject // rows that changed with the row
}

// Diff is the content of a change: column → old and new value, each as in JSON. It is PHI, and sealed in the log.
type Diff map[string]FieldChange

// FieldChange is one column's old and new value; nil is NULL, or no row.
type FieldChange struct {
	private `json:"-"`

	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
}

// Event is one entry of the log. Except in Diff and Reason, it names fields and rows, never their content.
type Event struct {
	private

	// A UUIDv7 that begins with OccurredAt, to the millisecond or so: the log is in the order of time.
	ID         uuid.UUID
	OccurredAt time.Time
	UserID     uuid.UUID // Nil: nobody is logged in, or a job of the system acts
	Action     string
	EntityType string
	EntityID   uuid.UUID // Nil: no single row
	Subjects   []Subject // the rows that were shown or changed
	Fields     []string  // the columns that a change touched
	Diff       Diff      // sealed in the log
	Details    string    // fixed text of the program: an error code, the shape of a search
	Reason     string    // the reason that the actor gave; sealed in the log
	Outcome    string
	Origin     string
	RequestID  string
	ActorRoles []string
	OnBehalfOf string
	SessionID  uuid.UUID
	APIKeyID   uuid.UUID
	Address    string
	Route      string
	Purpose    string
}

// MarshalJSON returns redacted: an event is stored as a row of the log, which seals it.
func (Event) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// FirstID returns the smallest id that an event at this time or later can have. Ids are UUIDv7 (RFC 9562), which
// begin with their time.
func FirstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(max(t.UnixMilli(), 0)))
	copy(id[:6], millis[2:])
	return id
}
