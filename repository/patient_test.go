package repository_test

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"novamind/internal/audit"
	"novamind/internal/dbtest"
	"novamind/internal/phi"
	"novamind/models"
	"novamind/repository"
)

// named returns a patient with these names.
func named(first, last string) *models.Patient {
	p := invented()
	p.FirstName, p.LastName = phi.Of(first), phi.Of(last)
	return p
}

func reachedBy(contact models.ContactInfo) *models.Patient {
	p := invented()
	p.ContactInfo = phi.JSONOf(contact)
	return p
}

// ids returns the ids of the patients, in order. Nil stands for a patient that can't be read.
func ids(patients []*models.Patient) []uuid.UUID {
	out := make([]uuid.UUID, len(patients))
	for i, p := range patients {
		if !p.Unreadable() {
			out[i] = p.ID
		}
	}
	return out
}

func TestSearchByName(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		jose, anna := create(t, store, named("José  María", "García-López")), create(t, store, named("Anna", "STRAẞE"))
		lopez := create(t, store, named("Jo", "Lopez"))
		cruz := create(t, store, named("Łukasz", "Fernandez de la Cruz"))
		for _, c := range []struct {
			first, last *string
			want        []*models.Patient
		}{
			{new("jose maria"), new("garcia lopez"), []*models.Patient{jose}},
			{new("JOSÉ"), nil, []*models.Patient{jose}},
			{new("Jose\u0301"), nil, []*models.Patient{jose}},
			{new(" María "), new("GARCIA"), []*models.Patient{jose}},
			{nil, new("López"), []*models.Patient{jose, lopez}},
			{nil, new("Garcia‐Lopez"), []*models.Patient{jose}},
			{nil, new("Lopez-Garcia"), nil},
			{new("Maria Jose"), nil, nil},
			{nil, new("de la Cruz"), []*models.Patient{cruz}},
			{nil, new("Fernández de la"), []*models.Patient{cruz}},
			{nil, new("Fernandez Cruz"), nil},
			{new("lukasz"), nil, []*models.Patient{cruz}},
			{nil, new("Gar"), nil},
			{new("Garcia"), nil, nil},
			{nil, new("strasse"), []*models.Patient{anna}},
			{new("Anna"), new("Lopez"), nil},
			{new(""), nil, nil},
			{nil, new("-"), nil},
		} {
			require.Equal(t, ids(c.want), ids(find(t, store, models.PatientQuery{FirstName: c.first, LastName: c.last})), "%v %v", c.first, c.last)
		}
		ctx := audit.WithIntent(actor(t.Context()), audit.Intent{Action: audit.Search, EntityType: "patient"})
		require.NoError(t, store.Read(ctx, func(ctx context.Context) error {
			found, err := repository.NewPatientRepository(store).ByName(ctx, "jose", "lopez")
			require.Equal(t, ids([]*models.Patient{jose}), ids(found))
			return err
		}))
		day, _ := phi.ParseCalendarDate("1980-02-03")
		other, _ := phi.ParseCalendarDate("1980-02-04")
		require.Len(t, find(t, store, models.PatientQuery{LastName: new("Lopez"), DateOfBirth: &day}), 2)
		require.Empty(t, find(t, store, models.PatientQuery{LastName: new("Lopez"), DateOfBirth: &other}))
	})
}

func TestSearchByContact(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		parent := create(t, store, reachedBy(models.ContactInfo{Email: "Family@Example.org", Phone: "(212) 555-0123"}))
		child := create(t, store, reachedBy(models.ContactInfo{Email: "family@example.org", AlternativePhone: "+1 212-555-0123"}))
		abroad := create(t, store, reachedBy(models.ContactInfo{Phone: "+49 30 901820"}))
		for _, written := range []string{"family@example.org", " FAMILY@EXAMPLE.ORG", "ｆamily@example.org"} {
			require.Equal(t, ids([]*models.Patient{parent, child}), ids(find(t, store, models.PatientQuery{Email: &written})), written)
		}
		for _, written := range []string{"2125550123", "212.555.0123", "+1 (212) 555 0123", "1-212-555-0123"} {
			require.Equal(t, ids([]*models.Patient{parent, child}), ids(find(t, store, models.PatientQuery{Phone: &written})), written)
		}
		require.Equal(t, ids([]*models.Patient{abroad}), ids(find(t, store, models.PatientQuery{Phone: new("011 49 30 901820")})))
		for _, absent := range []models.PatientQuery{
			{Email: new("")},
			{Phone: new("")},
			{Email: new("family@example")},
			{Phone: new("5550123")},
			{Phone: new("+49 212 555 0123")},
			{Email: new("family@example.org"), Phone: new("+49 30 901820")},
		} {
			require.Empty(t, find(t, store, absent))
		}
	})
}

// An index follows its row: a former name of a patient finds nobody.
func TestSearchAfterAChange(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		p := create(t, store, named("Anna", "Before"))
		require.NoError(t, store.InTx(actor(t.Context()), func(ctx context.Context) error {
			p, err := patients.ByID(ctx, p.ID)
			if err != nil {
				return err
			}
			p.LastName, p.Active = phi.Of("After"), false
			p.ContactInfo = phi.JSONOf(models.ContactInfo{Email: "new@example.org"})
			return patients.Update(ctx, p)
		}))
		for _, gone := range []models.PatientQuery{
			{LastName: new("Before")},
			{Email: new("zoe@example.org")},
			{Phone: new("2125550123")},
			{Prefixes: []string{"befo"}},
			{LastName: new("After"), Active: new(true)},
		} {
			require.Empty(t, find(t, store, gone), gone.Shape())
		}
		for _, here := range []models.PatientQuery{
			{LastName: new("After")}, {Email: new("new@example.org")}, {Prefixes: []string{"after"}}, {Active: new(false)}, {FirstName: new("Anna")},
		} {
			require.Len(t, find(t, store, here), 1, here.Shape())
		}
	})
}

// Names share truncated tokens. A patient that only shares a token is not shown, and is not in the event of the
// search.
func TestNamesThatCollideAreFiltered(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		kek := filepath.Join(t.TempDir(), "kek")
		store := unlocked(t, url, kek)
		one, other := collidingNames(t, indexerOf(t, url, kek))
		mine, theirs := create(t, store, named("Anna", one)), create(t, store, named("Anna", other))
		require.Equal(t, ids([]*models.Patient{mine}), ids(find(t, store, models.PatientQuery{LastName: &one})))
		require.Equal(t, ids([]*models.Patient{theirs}), ids(find(t, store, models.PatientQuery{LastName: &other})))
		searches := eventsOf(t, store, repository.AuditLogQuery{Action: []string{audit.Search}})
		require.Len(t, searches, 2)
		require.Len(t, searches[0].Subjects, 1)
		require.Equal(t, mine.ID, searches[0].Subjects[0].EntityID)

		// A page is full of true matches, even if the token stands for many other names.
		for range 3 {
			create(t, store, named("Anna", other))
			create(t, store, named("Anna", one))
		}
		page := repository.Page{Limit: 2}
		var seen []uuid.UUID
		for more := true; more; {
			require.NoError(t, store.Read(actor(t.Context()), func(ctx context.Context) error {
				found, again, err := repository.NewPatientRepository(store).Search(ctx, models.PatientQuery{LastName: &one}, page, everybody)
				require.Len(t, found, 2)
				seen, more, page.After = append(seen, ids(found)...), again, found[1].ID
				return err
			}))
		}
		require.Len(t, slices.Compact(seen), 4)
	})
}

// indexerOf opens the index keyset of a database.
func indexerOf(t *testing.T, url, kek string) *phi.Indexer {
	t.Helper()
	var rows []models.Keyset
	require.NoError(t, dbtest.Open(t, url).Table("keyset").Find(&rows).Error)
	wrapped := map[phi.Purpose]string{}
	for _, row := range rows {
		wrapped[phi.Purpose(row.Purpose)] = row.Wrapped
	}
	key, err := phi.LoadKEK("file:" + kek)
	require.NoError(t, err)
	ring, err := phi.OpenKeyring(key, wrapped, "US")
	require.NoError(t, err)
	return ring.Indexer()
}

// collidingNames returns two last names with one token. Among some thousand names, many pairs share a token of 16
// bits.
func collidingNames(t *testing.T, x *phi.Indexer) (one, other string) {
	t.Helper()
	seen := map[string]string{}
	for i := range 10_000 {
		name := "Name" + strconv.Itoa(i)
		tokens, err := models.PatientQuery{LastName: &name}.Candidates(x)
		require.NoError(t, err)
		if earlier, ok := seen[tokens[0][0]]; ok {
			return earlier, name
		}
		seen[tokens[0][0]] = name
	}
	require.Fail(t, "no two names share a token: they are not truncated")
	return "", ""
}

func TestKnownAndCount(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		patients := repository.NewPatientRepository(store)
		one, other := create(t, store, invented()), create(t, store, invented())
		stranger := uuid.New()
		require.NoError(t, store.Read(intending(t, "test"), func(ctx context.Context) error {
			known, err := patients.Known(ctx, []uuid.UUID{one.ID, stranger, other.ID})
			require.NoError(t, err)
			require.Equal(t, map[uuid.UUID]bool{one.ID: true, other.ID: true}, known)
			known, err = patients.Known(ctx, nil)
			require.NoError(t, err)
			require.Empty(t, known)
			n, err := patients.Count(ctx)
			require.Equal(t, int64(2), n)
			return err
		}))
		events := eventsOf(t, store, repository.AuditLogQuery{Action: []string{"test"}})
		require.Len(t, events, 1)
		require.Empty(t, events[0].Subjects, "neither shows anybody")
	})
}
