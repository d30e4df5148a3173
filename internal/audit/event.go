// Package audit says who does what to whose records (45 CFR 164.312(b)): the actor and the unit of work in the
// context, and the events that result. It stores nothing itself; the repository does, in the transaction of a change
// and before the answer to a read.
package audit

import (
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

// Actions. What a service intends, or what a hook saw.
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
	MarkError   = "mark_error" // a record should never have been written
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
	AdoptIndex  = "adopt_index" // the tokens were found to be today's
	RetireKey   = "retire_key"
	DestroyKey  = "destroy_key"
	RewrapKeys  = "rewrap_keys"
	Reseal      = "reseal"
	Reindex     = "reindex"
	MendIndex   = "mend_index" // index tokens that somebody else wrote were replaced
	Truncate    = "truncate"
	Migrate     = "migrate"
	OpenDiff    = "open_diff" // what an event changed was opened: old and new values
	Export      = "export"
	SignOff     = "sign_off" // of a week's review of the log
	Restore     = "restore"  // a backup was put back: the tree goes on from an earlier head, in a new epoch
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

// Origins lists where events come from.
func Origins() []string {
	origins := []string{API, DirectSQL}
	for _, job := range Jobs() {
		origins = append(origins, SystemOrigin+job)
	}
	return origins
}

// Origins, beside "system:<job>".
const (
	API       = "api"
	DirectSQL = "direct-sql" // a change that this program did not make

	SystemOrigin = "system:" // before the name of a job
)

// BreakTheGlass is the purpose of what happens by emergency access (HL7 v3 PurposeOfUse).
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
	RowDigest  string // of the sealed row after a change; Removed where it is gone; empty where it was only shown
}

// Removed stands for the digest of a row that is gone.
const Removed = "-"

// Change is what a change did to a row.
type Change struct {
	private

	Action  string // what it is called, where that is more than create or update
	Details string // stable text of ours

	Fields []string // the columns that it touched
	Diff   Diff

	RowVersion *int64
	RowDigest  string
	Others     []Subject // rows that changed with it
}

// Diff is the content of a change: column → old and new value, each as JSON has it. It is PHI, and sealed in the log.
type Diff map[string]FieldChange

// FieldChange is one column's old and new value; nil is NULL, or no row.
type FieldChange struct {
	private `json:"-"`

	Old any `json:"old,omitempty"`
	New any `json:"new,omitempty"`
}

// Event is one entry of the log. But for Diff and Reason it names fields and rows, never their content.
type Event struct {
	private

	ID         uuid.UUID // a UUIDv7 that begins with OccurredAt, to the millisecond or so: the log is in the order of time
	OccurredAt time.Time
	UserID     uuid.UUID // Nil: nobody is logged in, or a job of the system acts
	Action     string
	EntityType string
	EntityID   uuid.UUID // Nil: no single row
	Subjects   []Subject // the rows that were shown or changed
	Fields     []string  // the columns that a change touched
	Diff       Diff      // sealed in the log
	Details    string    // stable text of ours: an error code, the shape of a search
	Reason     string    // what the actor gave as reason; sealed in the log
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

// MarshalJSON returns redacted: an event is stored as a row of the log, which seals.
func (Event) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// FirstID returns the least id that an event of this time or later can have: ids are UUIDv7 (RFC 9562), which begin with their time.
func FirstID(t time.Time) uuid.UUID {
	var id uuid.UUID
	var millis [8]byte
	binary.BigEndian.PutUint64(millis[:], uint64(max(t.UnixMilli(), 0)))
	copy(id[:6], millis[2:])
	return id
}
