package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"novamind/internal/apperr"
	"novamind/internal/dbtest"
	"novamind/models"
	"novamind/service"
)

// canary is part of every refused value: no error may repeat it.
const canary = "Kanarienvogel"

func complete() service.PatientInput {
	in := input()
	in.ContactInfo.AlternativePhone = "212 555 0124"
	in.Address = &models.Address{Street: "1 Example Street", City: "Exampleton", State: "NY", ZipCode: "10001"}
	in.Insurance = &models.Insurance{Provider: "Example Mutual", PolicyNumber: "EM-1", GroupNumber: "G-1"}
	in.EmergencyContact = &models.EmergencyContact{Name: "Other", Relationship: "friend", Phone: "212-555-0199", Email: "other@example.org"}
	return in
}

// refusal is a change of a valid input, and the members that become invalid by it.
type refusal struct {
	name string
	edit func(*service.PatientInput)
	want []string // pointer: code
}

// textRules returns the refusals of a required text of at most limit characters.
func textRules(pointer string, limit int, member func(*service.PatientInput) *string) []refusal {
	set := func(value string) func(*service.PatientInput) {
		return func(in *service.PatientInput) { *member(in) = value }
	}
	return append(optionalTextRules(pointer, limit, member),
		refusal{"empty", set(""), []string{pointer + ": required"}},
		refusal{"a tab", set("\t"), []string{pointer + ": required"}},
		refusal{"punctuation alone", set("-"), []string{pointer + ": required"}},
		refusal{"nothing but what can't be seen", set("\u200b\u2060"), []string{pointer + ": control_character"}},
		refusal{"blank", set(" \t\n\u00a0\u3000"), []string{pointer + ": required"}})
}

func optionalTextRules(pointer string, limit int, member func(*service.PatientInput) *string) []refusal {
	set := func(value string) func(*service.PatientInput) {
		return func(in *service.PatientInput) { *member(in) = value }
	}
	return []refusal{
		{"too long", set(strings.Repeat("é", limit+1)), []string{pointer + ": too_long"}},
		{"a NUL", set(canary + "\x00x"), []string{pointer + ": control_character"}},
		{"an escape sequence", set("\x1b[31m" + canary), []string{pointer + ": control_character"}},
		{"a line break inside", set(canary + "\n" + canary), []string{pointer + ": control_character"}},
		{"a C1 control", set(canary + "\u0085" + canary), []string{pointer + ": control_character"}},
		{"a change of direction", set(canary + "\u202e" + canary), []string{pointer + ": control_character"}},
		{"invalid UTF-8", set(canary + "\xff"), []string{pointer + ": control_character"}},
	}
}

func emailRules(pointer string, member func(*service.PatientInput) *string) []refusal {
	var out []refusal
	for _, bad := range []string{canary, "@" + canary, canary + "@", "a b@" + canary, canary + " <a@example.org>", "<a@example.org>", "a@b@" + canary} {
		out = append(out, refusal{"not an e-mail: " + bad, func(in *service.PatientInput) { *member(in) = bad }, []string{pointer + ": email"}})
	}
	return append(out, refusal{"too long", func(in *service.PatientInput) {
		*member(in) = strings.Repeat("a", 254-len("@example.org")+1) + "@example.org"
	}, []string{pointer + ": too_long"}})
}

func phoneRules(pointer string, member func(*service.PatientInput) *string) []refusal {
	var out []refusal
	for _, bad := range []string{canary, "1", "+x", "+999 1234567", "call " + canary} {
		out = append(out, refusal{"not a phone: " + bad, func(in *service.PatientInput) { *member(in) = bad }, []string{pointer + ": phone"}})
	}
	return append(out, refusal{"too long", func(in *service.PatientInput) { *member(in) = strings.Repeat("2", 33) }, []string{pointer + ": too_long"}})
}

func dateRules() []refusal {
	out := []refusal{{"missing", func(in *service.PatientInput) { in.DateOfBirth = "" }, []string{"/date_of_birth: required"}}}
	for _, bad := range []string{
		"2023-02-29", "1980-13-01", "1980-00-10", "1980-1-2", "80-01-02", "02/03/1980", "1980-02-03T00:00:00Z", " 1980-02-03", "1980-02-03 ",
		canary, "1849-12-31", "0000-01-01", "-001-01-01", "19800-01-01",
	} {
		out = append(out, refusal{"not a date: " + bad, func(in *service.PatientInput) { in.DateOfBirth = bad }, []string{"/date_of_birth: date"}})
	}
	for _, future := range []time.Duration{48 * time.Hour, 100 * 365 * 24 * time.Hour} {
		out = append(out, refusal{"in the future", func(in *service.PatientInput) {
			in.DateOfBirth = time.Now().Add(future).Format(time.DateOnly)
		}, []string{"/date_of_birth: future_date"}})
	}
	return out
}

func refusals() []refusal {
	type in = service.PatientInput
	out := []refusal{
		{"nothing at all", func(p *in) { *p = in{} }, []string{
			"/first_name: required", "/last_name: required", "/date_of_birth: required", "/contact_info: required",
		}},
		{"no contact", func(p *in) { p.ContactInfo = nil }, []string{"/contact_info: required"}},
		{"an empty contact", func(p *in) { p.ContactInfo = &models.ContactInfo{} }, []string{"/contact_info: required"}},
		{"a blank contact", func(p *in) { p.ContactInfo = &models.ContactInfo{Email: " ", Phone: "\t"} }, []string{"/contact_info: required"}},
		{"an alternative phone alone", func(p *in) { p.ContactInfo = &models.ContactInfo{AlternativePhone: "2125550123"} }, []string{"/contact_info: required"}},
		{"a partial address", func(p *in) { p.Address = &models.Address{Street: canary} }, []string{
			"/address/city: required", "/address/state: required", "/address/zip_code: required",
		}},
		{"an empty insurance", func(p *in) { p.Insurance = &models.Insurance{} }, []string{"/insurance/provider: required", "/insurance/policy_number: required"}},
		{"an emergency contact without a phone", func(p *in) { p.EmergencyContact.Phone = "" }, []string{"/emergency_contact/phone: required"}},
	}
	return append(out, manyRules(dateRules(),
		textRules("/first_name", 50, func(p *in) *string { return &p.FirstName }),
		textRules("/last_name", 50, func(p *in) *string { return &p.LastName }),
		emailRules("/contact_info/email", func(p *in) *string { return &p.ContactInfo.Email }),
		phoneRules("/contact_info/phone", func(p *in) *string { return &p.ContactInfo.Phone }),
		phoneRules("/contact_info/alternative_phone", func(p *in) *string { return &p.ContactInfo.AlternativePhone }),
		textRules("/address/street", 200, func(p *in) *string { return &p.Address.Street }),
		textRules("/address/city", 200, func(p *in) *string { return &p.Address.City }),
		textRules("/address/state", 200, func(p *in) *string { return &p.Address.State }),
		textRules("/address/zip_code", 200, func(p *in) *string { return &p.Address.ZipCode }),
		textRules("/insurance/provider", 200, func(p *in) *string { return &p.Insurance.Provider }),
		textRules("/insurance/policy_number", 200, func(p *in) *string { return &p.Insurance.PolicyNumber }),
		optionalTextRules("/insurance/group_number", 200, func(p *in) *string { return &p.Insurance.GroupNumber }),
		optionalTextRules("/emergency_contact/name", 200, func(p *in) *string { return &p.EmergencyContact.Name }),
		optionalTextRules("/emergency_contact/relationship", 200, func(p *in) *string { return &p.EmergencyContact.Relationship }),
		phoneRules("/emergency_contact/phone", func(p *in) *string { return &p.EmergencyContact.Phone }),
		emailRules("/emergency_contact/email", func(p *in) *string { return &p.EmergencyContact.Email }),
		phoneRules("/emergency_contact/alternative_phone", func(p *in) *string { return &p.EmergencyContact.AlternativePhone }),
	)...)
}

func manyRules(rules ...[]refusal) (out []refusal) {
	for _, r := range rules {
		out = append(out, r...)
	}
	return out
}

func TestInvalidPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for _, r := range refusals() {
			in := complete()
			r.edit(&in)
			_, err := b.patients.Register(as(t, service.RoleClinician), another(in))
			var invalid *apperr.Error
			require.ErrorAs(t, err, &invalid, r.name)
			require.Equal(t, apperr.Invalid, invalid.Code, r.name)
			var got []string
			for _, f := range invalid.Fields {
				got = append(got, f.Pointer+": "+f.Code)
				require.NotEmpty(t, f.Detail, r.name)
			}
			require.Equal(t, r.want, got, r.name)
			require.NotContains(t, fmt.Sprintf("%+v %#v %v", err, *invalid, invalid.Fields), canary, r.name)
		}
		require.Zero(t, b.count(t, "patient"))
	})
}

func TestValidPatients(t *testing.T) {
	t.Parallel()
	dbtest.Run(t, func(t *testing.T, url string) {
		b := newBundle(t, url)
		for name, edit := range map[string]func(*service.PatientInput){
			"complete":            func(*service.PatientInput) {},
			"50 characters":       func(in *service.PatientInput) { in.FirstName = strings.Repeat("é", 50) },
			"one character":       func(in *service.PatientInput) { in.LastName = "O" },
			"another script":      func(in *service.PatientInput) { in.FirstName, in.LastName = "愛", "Ćirić-Ωμέγα" },
			"born today":          func(in *service.PatientInput) { in.DateOfBirth = time.Now().Format(time.DateOnly) },
			"born in 1850":        func(in *service.PatientInput) { in.DateOfBirth = "1850-01-01" },
			"born on a leap day":  func(in *service.PatientInput) { in.DateOfBirth = "2024-02-29" },
			"an e-mail alone":     func(in *service.PatientInput) { in.ContactInfo = &models.ContactInfo{Email: "a@example.org"} },
			"a phone alone":       func(in *service.PatientInput) { in.ContactInfo = &models.ContactInfo{Phone: "+49 30 901820"} },
			"nothing but a phone": func(in *service.PatientInput) { in.EmergencyContact = &models.EmergencyContact{Phone: "2125550199"} },
			"nothing optional":    func(in *service.PatientInput) { in.Address, in.Insurance, in.EmergencyContact = nil, nil, nil },
		} {
			in := complete()
			edit(&in)
			p, err := b.patients.Register(as(t, service.RoleFrontDesk), another(in))
			require.NoError(t, err, name)
			require.True(t, p.Active, name)
			got, err := b.patients.Get(as(t, service.RoleFrontDesk), p.ID)
			require.NoError(t, err, name)
			require.Equal(t, in.FirstName, got.FirstName.Plain(), name)
			require.Equal(t, in.DateOfBirth, got.DateOfBirth.Plain().String(), name)
			require.Equal(t, *in.ContactInfo, got.ContactInfo.Plain(), name)
			require.Equal(t, in.Address, got.Address.Optional(), name)
			require.Equal(t, in.Insurance, got.Insurance.Optional(), name)
			require.Equal(t, in.EmergencyContact, got.EmergencyContact.Optional(), name)
		}
		trimmed := input()
		trimmed.FirstName, trimmed.ContactInfo.Email = " \tZoë\n", " zoe@example.org "
		p, err := b.patients.Register(as(t, service.RoleFrontDesk), another(trimmed))
		require.NoError(t, err)
		require.Equal(t, "Zoë", p.FirstName.Plain())
		require.Equal(t, "zoe@example.org", p.ContactInfo.Plain().Email)
	})
}
