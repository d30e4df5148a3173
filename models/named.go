package models

import (
	"time"

	"github.com/google/uuid"

	"novamind/internal/phi"
)

// Name is the name of a patient or an account beside its id in an answer.
type Name string

// ChangesApart states that a name can change while the version of an answer that shows it stays the same.
func (Name) ChangesApart() {}

// Person is the name of a patient or an account, and the time at which its row last changed.
type Person struct {
	Name    phi.Text
	Changed time.Time
}

// Named holds the names of the people whose ids a row has. A service sets them, for an actor with access to them.
// Embed it with the tag gorm:"-".
type Named struct {
	patients, accounts map[uuid.UUID]Person
}

// SetNames takes people by id: the row's, and perhaps others.
func (n *Named) SetNames(patients, accounts map[uuid.UUID]Person) {
	n.patients, n.accounts = patients, accounts
}

// NamedBefore reports whether no name has changed since t. If in doubt, as with equal times, it reports false.
func (n *Named) NamedBefore(t time.Time) bool {
	for _, people := range []map[uuid.UUID]Person{n.patients, n.accounts} {
		for _, person := range people {
			if !person.Changed.Before(t) {
				return false
			}
		}
	}
	return true
}

// PatientName returns the name of a patient, or nil if there is none to show.
func (n *Named) PatientName(id uuid.UUID) *Name { return nameIn(n.patients, &id) }

// AccountName returns the name of an account, or nil if there is none to show.
func (n *Named) AccountName(id *uuid.UUID) *Name { return nameIn(n.accounts, id) }

func nameIn(people map[uuid.UUID]Person, id *uuid.UUID) *Name {
	if id == nil || people[*id].Name.IsNull() {
		return nil
	}
	return new(Name(people[*id].Name.Plain()))
}

// ids returns the ids that are not nil.
func ids(optional ...*uuid.UUID) (there []uuid.UUID) {
	for _, id := range optional {
		if id != nil {
			there = append(there, *id)
		}
	}
	return there
}
