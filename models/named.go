package models

import (
	"github.com/google/uuid"

	"novamind/internal/phi"
)

// Name is the name of a patient or an account beside its id in an answer.
type Name string

// ChangesApart says that a name can change while the version of an answer that shows it stays.
func (Name) ChangesApart() {}

// Named holds the names of the people whose ids a row has, where a service put them for an actor who may see them.
// Embed it with the tag gorm:"-".
type Named struct {
	patients, accounts map[uuid.UUID]phi.Text
}

// SetNames takes names by id, of the row's people and perhaps of others.
func (n *Named) SetNames(patients, accounts map[uuid.UUID]phi.Text) {
	n.patients, n.accounts = patients, accounts
}

// PatientName returns the name of a patient, or nil where there is none to show.
func (n *Named) PatientName(id uuid.UUID) *Name { return nameIn(n.patients, &id) }

// AccountName returns the name of an account, or nil where there is none to show.
func (n *Named) AccountName(id *uuid.UUID) *Name { return nameIn(n.accounts, id) }

func nameIn(names map[uuid.UUID]phi.Text, id *uuid.UUID) *Name {
	if id == nil || names[*id].IsNull() {
		return nil
	}
	return new(Name(names[*id].Plain()))
}

// ids returns the ids that are there.
func ids(optional ...*uuid.UUID) (there []uuid.UUID) {
	for _, id := range optional {
		if id != nil {
			there = append(there, *id)
		}
	}
	return there
}
