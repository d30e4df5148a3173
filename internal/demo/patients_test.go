package demo

import (
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"github.com/stretchr/testify/require"
)

// The greatest lengths of a patient's values, in characters.
const (
	maxName  = 50
	maxPhone = 32
	maxEmail = 254
	maxText  = 200
)

var (
	fictionalPhone = regexp.MustCompile(`^[2-9]\d\d-555-01\d\d$`)
	reservedEmail  = regexp.MustCompile(`^[a-z0-9.-]+@example\.(org|com)$`)
)

func TestPatientsAreValid(t *testing.T) {
	t.Parallel()
	for _, p := range Patients() {
		t.Run(p.FirstName, func(t *testing.T) {
			t.Parallel()
			requireText(t, maxName, p.FirstName, p.LastName)
			born, err := time.Parse(time.DateOnly, p.DateOfBirth)
			require.NoError(t, err)
			require.True(t, born.Before(time.Now()))
			require.NotEmpty(t, p.Phone+p.Email)
			requirePhones(t, p.Phone, p.AlternativePhone)
			requireEmail(t, p.Email)
			if a := p.Address; a != nil {
				requireText(t, maxText, a.Street, a.City, a.State, a.ZipCode)
			}
			if i := p.Insurance; i != nil {
				requireText(t, maxText, i.Provider, i.PolicyNumber)
				require.LessOrEqual(t, utf8.RuneCountInString(i.GroupNumber), maxText)
			}
			if c := p.EmergencyContact; c != nil {
				requireText(t, maxName, c.Name)
				requireText(t, maxText, c.Relationship)
				require.NotEmpty(t, c.Phone)
				requirePhones(t, c.Phone, c.AlternativePhone)
				requireEmail(t, c.Email)
			}
		})
	}
}

func requireText(t *testing.T, limit int, values ...string) {
	t.Helper()
	for _, v := range values {
		require.NotEmpty(t, v)
		require.Equal(t, strings.TrimSpace(v), v)
		require.LessOrEqual(t, utf8.RuneCountInString(v), limit)
	}
}

func requirePhones(t *testing.T, phones ...string) {
	t.Helper()
	for _, phone := range phones {
		if phone == "" {
			continue
		}
		require.LessOrEqual(t, len(phone), maxPhone)
		require.Regexp(t, fictionalPhone, phone)
		number, err := phonenumbers.Parse(phone, "US")
		require.NoError(t, err)
		require.True(t, phonenumbers.IsPossibleNumber(number))
	}
}

func requireEmail(t *testing.T, email string) {
	t.Helper()
	if email != "" {
		require.LessOrEqual(t, len(email), maxEmail)
		require.Regexp(t, reservedEmail, email)
	}
}

func TestPatientsShowTheVariety(t *testing.T) {
	t.Parallel()
	var inactive, noEmail, noPhone, noAddress, insured, withContact, minors, old int
	shared := map[string]int{}
	for _, p := range Patients() {
		shared[p.Phone+" "+p.Email]++
		for count, holds := range map[*int]bool{
			&inactive: !p.Active, &noEmail: p.Email == "", &noPhone: p.Phone == "", &noAddress: p.Address == nil,
			&insured: p.Insurance != nil, &withContact: p.EmergencyContact != nil,
			&minors: p.DateOfBirth > "2010", &old: p.DateOfBirth < "1945",
		} {
			if holds {
				*count++
			}
		}
	}
	require.Equal(t, 3, shared["312-555-0105 okonjo-bright.family@example.org"])
	require.Len(t, shared, len(Patients())-2, "no one else shares both")
	require.Equal(t, 1, inactive)
	for _, some := range []int{noEmail, noPhone, noAddress, insured, withContact, minors, old} {
		require.Positive(t, some)
		require.Less(t, some, len(Patients()))
	}
}

func TestPatientsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	first := Patients()
	require.Equal(t, first, Patients())
	first[0].FirstName, first[0].Address.City = "changed", "changed"
	require.NotEqual(t, first[0], Patients()[0])
	require.NotEqual(t, first[0].Address, Patients()[0].Address)
}
