package scale

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"novamind/internal/phi"
	"novamind/models"
)

// seed determines the invented patients. The figures in docs/threat-model.md are for this seed.
const seed = 1

// invent returns n patients, the same each time. Nobody in it exists: e-mail domains are reserved for examples (RFC
// 2606), and phone numbers are of the range reserved for fiction. One in four patients lives with the previous one
// and shares phone and e-mail.
func invent(n int) []*models.Patient {
	r := rand.New(rand.NewPCG(seed, seed))
	out := make([]*models.Patient, n)
	var home household
	for i := range out {
		if i == 0 || r.IntN(4) > 0 {
			home = newHousehold(r, home.number+1)
		}
		out[i] = home.member(r)
	}
	return out
}

type household struct {
	number              int
	last, email, street string
}

func newHousehold(r *rand.Rand, number int) household {
	last := title(surnames().draw(r))
	if r.IntN(25) == 0 {
		last += "-" + title(surnames().draw(r))
	}
	return household{
		number: number, last: last, street: fmt.Sprintf("%d Example Street", 1+r.IntN(999)),
		email: fmt.Sprintf("%s.%d@example.org", strings.ToLower(last), number),
	}
}

// phone returns one of the 80,000 phone numbers for fiction.
func (h household) phone() string {
	return fmt.Sprintf("%d-555-01%02d", 200+h.number/100%800, h.number%100)
}

func (h household) member(r *rand.Rand) *models.Patient {
	day, err := phi.ParseCalendarDate(time.Date(1935, 1, 1+r.IntN(80*365), 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	if err != nil {
		panic(err)
	}
	p := &models.Patient{
		FirstName: phi.Of(givenName(r)), LastName: phi.Of(h.last), DateOfBirth: phi.Of(day), Active: r.IntN(10) > 0,
		ContactInfo: phi.JSONOf(models.ContactInfo{Email: h.email, Phone: h.phone()}),
	}
	if r.IntN(10) > 0 {
		p.Address = phi.JSONOf(models.Address{Street: h.street, City: "Exampleton", State: "NY", ZipCode: "10001"})
	}
	if r.IntN(10) > 2 {
		p.Insurance = phi.JSONOf(models.Insurance{Provider: "Example Mutual", PolicyNumber: fmt.Sprintf("EM-%d", r.IntN(1e6))})
	}
	if r.IntN(10) > 3 {
		p.EmergencyContact = phi.JSONOf(models.EmergencyContact{Name: givenName(r) + " " + h.last, Relationship: "family", Phone: h.phone()})
	}
	return p
}

// givenName returns a first name, sometimes with a second one.
func givenName(r *rand.Rand) string {
	of := female()
	if r.IntN(2) == 0 {
		of = male()
	}
	name := title(of.draw(r))
	if r.IntN(10) == 0 {
		name += " " + title(of.draw(r))
	}
	return name
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }
