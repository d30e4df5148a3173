// Package audit says who does what to whose records (45 CFR 164.312(b)): the actor and the unit of work in the
// context, and the events that result. It stores nothing itself; the repository does, in the transaction of a change
// and before the answer to a read.
package audit

import (
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
	Purge       = "purge"
	Login       = "login"
	Logout      = "logout"
	Import      = "import"
	SetPassword = "set_password"
	AddKey      = "add_key"
	PromoteKey  = "promote_key"
	RetireKey   = "retire_key"
	DestroyKey  = "destroy_key"
	RewrapKeys  = "rewrap_keys"
	Reseal      = "reseal"
	Reindex     = "reindex"
)

// Outcomes.
const (
	Success = "success"
	Failure = "failure"
	Denied  = "denied"
)

// Event is one entry of the log. It names fields and rows, never their content.
type Event struct {
	ID         uuid.UUID
	OccurredAt time.Time
	UserID     uuid.UUID // Nil: nobody is logged in, or a job of the system acts
	Action     string
	EntityType string
	EntityID   uuid.UUID   // Nil: no single row
	Subjects   []uuid.UUID // the rows that were shown or changed
	Fields     []string    // the columns that a change touched
	Details    string      // stable text of ours: an error code, the shape of a search
	Reason     string      // what the actor gave as reason; sealed in the log
	Outcome    string
	Origin     string
	RequestID  string
}
