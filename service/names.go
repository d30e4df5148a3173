package service

import (
	"context"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// namingStore is the store of a service whose answers show names beside ids. guarded puts them there.
type namingStore struct {
	*repository.Store
	names
}

func withNames(store *repository.Store, care *Care) namingStore {
	return namingStore{store, names{care, repository.NewPatientRepository(store), repository.NewAccountRepository(store)}}
}

// names puts the names of people beside their ids, if the actor may see them. It runs one query for all accounts of
// an answer, and one for all patients. The event of the unit of work names the patients.
type names struct {
	care     *Care
	patients *repository.PatientRepository
	accounts *repository.AccountRepository
}

// peopled is a row with the ids of patients and accounts. models.Named stores their names.
type peopled interface {
	People() (patients, accounts []uuid.UUID)
	SetNames(patients, accounts map[uuid.UUID]models.Person)
}

// beside puts names into the rows of a result that is about to be shown to the actor.
func (n names) beside(ctx context.Context, result any) error {
	var patients, accounts []uuid.UUID
	rows := peopledOf(result)
	for _, row := range rows {
		ofPatients, ofAccounts := row.People()
		patients, accounts = append(patients, ofPatients...), append(accounts, ofAccounts...)
	}
	patientNames, err := n.ofPatients(ctx, patients)
	if err != nil {
		return err
	}
	accountNames, err := n.ofAccounts(ctx, accounts)
	for _, row := range rows {
		row.SetNames(patientNames, accountNames)
	}
	return err
}

// peopledOf returns the readable rows of a result. The result is a row, a slice of rows, or a value that contains
// rows.
func peopledOf(result any) (rows []peopled) {
	switch r := result.(type) {
	case interface{ rows() []any }:
		return peopledOf(r.rows())
	case interface{ Unreadable() bool }:
		if r.Unreadable() {
			return nil
		}
	}
	if row, ok := result.(peopled); ok {
		return []peopled{row}
	}
	if v := reflect.ValueOf(result); v.Kind() == reflect.Slice {
		for i := range v.Len() {
			rows = append(rows, peopledOf(v.Index(i).Interface())...)
		}
	}
	return rows
}

// ofAccounts returns the names of accounts by id, also of disabled accounts. It returns none if the actor may not see
// names.
func (n names) ofAccounts(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]models.Person, error) {
	actor, err := audit.ActorFrom(ctx)
	if err != nil || len(ids) == 0 || reachOf(actor, PractitionerRead) == None {
		return nil, err
	}
	found, err := n.accounts.ByIDs(ctx, distinct(ids))
	out := make(map[uuid.UUID]models.Person, len(found))
	for _, a := range found {
		out[a.ID] = models.Person{Name: phi.Of(a.Name), Changed: a.UpdatedAt}
	}
	return out, err
}

// ofPatients returns names by id, for the patients that the actor may read and that can be opened.
func (n names) ofPatients(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]models.Person, error) {
	if len(ids) == 0 {
		return map[uuid.UUID]models.Person{}, nil
	}
	scope, err := n.care.besides(ctx)
	if err != nil {
		return nil, err
	}
	found, err := n.patients.Among(ctx, distinct(ids), scope)
	out := make(map[uuid.UUID]models.Person, len(found))
	for _, p := range found {
		if !p.Unreadable() {
			out[p.ID] = models.Person{Name: phi.Of(p.FirstName.Plain() + " " + p.LastName.Plain()), Changed: p.UpdatedAt}
		}
	}
	return out, err
}

// distinct returns ids sorted, without repetitions.
func distinct(ids []uuid.UUID) []uuid.UUID {
	slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// edited returns the result of edit for a row, if current accepts its version. edit gets the row with the names
// beside its ids, so that its result can be compared with the row as it was shown.
func edited[Row, In any](ctx context.Context, n names, row Row, version int64, current Precondition,
	edit func(Row) (In, error),
) (in In, err error) {
	if err = current.check(version); err == nil {
		err = n.beside(ctx, row)
	}
	if err != nil {
		return in, err
	}
	return edit(row)
}
