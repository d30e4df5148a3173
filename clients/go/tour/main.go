// Command tour calls a live server by the generated client, and ends with an error where an answer is not as the
// document has it: go run ./tour, with TOUR_URL, TOUR_EMAIL and TOUR_PASSWORD.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/runtime/types"
	novamind "novamind-client"
)

const patients = 500 // at least that many are there

// tour holds what one step leaves to the next.
type tour struct {
	client       *novamind.ClientWithResponses
	token        string
	practitioner uuid.UUID
	patient      *novamind.Patient
}

func main() {
	log.SetFlags(0)
	t := &tour{}
	client, err := novamind.NewClientWithResponses(os.Getenv("TOUR_URL"), novamind.WithRequestEditorFn(t.authorize))
	if err != nil {
		log.Fatal(err)
	}
	t.client = client
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"log in", t.logIn},
		{"register", t.register},
		{"find", t.find},
		{"change", t.change},
		{"book", t.book},
		{"write and sign", t.write},
		{"page", t.page},
		{"log out", t.logOut},
	} {
		if err := step.do(ctx); err != nil {
			cancel()
			log.Fatalf("%s: %v", step.name, err)
		}
	}
	log.Print("the tour in Go is done")
}

func (t *tour) authorize(_ context.Context, request *http.Request) error {
	if t.token != "" {
		request.Header.Set("Authorization", "Bearer "+t.token)
	}
	return nil
}

// answered is nil where a response has this status, and this problem code if one is named.
func answered(response *http.Response, problem *novamind.Problem, status int, code string) error {
	if response.StatusCode != status {
		return fmt.Errorf("status %d, not %d: %+v", response.StatusCode, status, problem)
	}
	if code != "" && (problem == nil || problem.Code != code) {
		return fmt.Errorf("not the problem %s: %+v", code, problem)
	}
	return nil
}

func (t *tour) logIn(ctx context.Context) error {
	body := novamind.LogInJSONRequestBody{Email: os.Getenv("TOUR_EMAIL"), Password: "not the password"}
	r, err := t.client.LogInWithResponse(ctx, body)
	if err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 401, "auth.invalid_credentials"); err != nil {
		return err
	}
	body.Password = os.Getenv("TOUR_PASSWORD")
	if r, err = t.client.LogInWithResponse(ctx, body); err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 200, ""); err != nil {
		return err
	}
	t.token, t.practitioner = r.JSON200.Token, r.JSON200.Account.Id
	return nil
}

func (t *tour) register(ctx context.Context) error {
	phone := "(212) 555-0143"
	r, err := t.client.RegisterPatientWithResponse(ctx, nil, novamind.RegistrationInput{
		FirstName: "Gopher", LastName: "Sample", DateOfBirth: types.Date{Time: time.Date(1980, 2, 3, 0, 0, 0, 0, time.UTC)},
		ContactInfo: novamind.ContactInfoInput{Phone: &phone},
	})
	if err != nil {
		return err
	}
	t.patient = r.JSON201
	return answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 201, "")
}

func (t *tour) find(ctx context.Context) error {
	phone := "+12125550143"
	r, err := t.client.SearchPatientsWithResponse(ctx, novamind.PatientSearchInput{Phone: &phone})
	if err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 200, ""); err != nil {
		return err
	}
	if len(r.JSON200.Items) != 1 {
		return fmt.Errorf("%d patients have the phone number", len(r.JSON200.Items))
	}
	found, err := r.JSON200.Items[0].AsPatient()
	if err == nil && (found.Id != t.patient.Id || found.DateOfBirth.String() != "1980-02-03") {
		err = fmt.Errorf("found %s", found.Id)
	}
	return err
}

// change changes the patient by the version that was read, and then by the same version, which is stale.
func (t *tour) change(ctx context.Context) error {
	read := &novamind.ChangePatientParams{IfMatch: strconv.Quote(strconv.FormatInt(t.patient.Version, 10))}
	name := "Gophers"
	patch := novamind.PatientPatch{FirstName: &name}
	r, err := t.client.ChangePatientWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, t.patient.Id, read, patch)
	if err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 200, ""); err != nil {
		return err
	}
	if r.JSON200.FirstName != name || r.JSON200.Version != t.patient.Version+1 {
		return fmt.Errorf("changed to version %d", r.JSON200.Version)
	}
	r, err = t.client.ChangePatientWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, t.patient.Id, read, patch)
	if err != nil {
		return err
	}
	return answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 412, "resource.stale")
}

func (t *tour) book(ctx context.Context) error {
	at := time.Date(2035, 3, 5, 14, 0, 0, 0, time.UTC)
	body := novamind.AppointmentInput{
		PatientId: t.patient.Id, PractitionerId: t.practitioner, StartsAt: at, EndsAt: at.Add(time.Hour),
	}
	r, err := t.client.BookAppointmentWithResponse(ctx, nil, body)
	if err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 201, ""); err != nil {
		return err
	}
	if !r.JSON201.StartsAt.Equal(at) || r.JSON201.Status != novamind.AppointmentStatusBooked {
		return fmt.Errorf("booked %s, %s", r.JSON201.StartsAt, r.JSON201.Status)
	}
	body.StartsAt = at.Add(30 * time.Minute)
	if r, err = t.client.BookAppointmentWithResponse(ctx, nil, body); err != nil {
		return err
	}
	return answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 409, "appointment.taken")
}

func (t *tour) write(ctx context.Context) error {
	title, content := "Third visit", "Sleeps well."
	draft, err := t.client.WriteMedicalRecordWithResponse(ctx, nil, novamind.MedicalRecordRequest{
		PatientId: t.patient.Id, Kind: novamind.MedicalRecordRequestKindProgressNote, Title: &title, Content: &content,
	})
	if err != nil {
		return err
	}
	if err := answered(draft.HTTPResponse, draft.ApplicationproblemJSONDefault, 201, ""); err != nil {
		return err
	}
	version := strconv.Quote(strconv.FormatInt(draft.JSON201.Version, 10))
	signed, err := t.client.SignMedicalRecordWithResponse(ctx, draft.JSON201.Id, &novamind.SignMedicalRecordParams{IfMatch: version})
	if err != nil {
		return err
	}
	if err := answered(signed.HTTPResponse, signed.ApplicationproblemJSONDefault, 200, ""); err != nil {
		return err
	}
	if s := signed.JSON200; s.Status != novamind.MedicalRecordStatusFinal || s.SignedBy == nil || *s.SignedBy != t.practitioner {
		return fmt.Errorf("signed: %s by %v", s.Status, s.SignedBy)
	}
	return nil
}

// page reads all patients, and meets each of them once.
func (t *tour) page(ctx context.Context) error {
	limit := int64(100)
	seen := map[uuid.UUID]bool{}
	for query := (&novamind.ListPatientsParams{Limit: &limit}); ; {
		r, err := t.client.ListPatientsWithResponse(ctx, query)
		if err != nil {
			return err
		}
		if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 200, ""); err != nil {
			return err
		}
		for _, item := range r.JSON200.Items {
			p, err := item.AsPatient()
			if err != nil {
				return err
			}
			if seen[p.Id] {
				return fmt.Errorf("patient %s comes twice", p.Id)
			}
			seen[p.Id] = true
		}
		if query.Cursor = r.JSON200.NextCursor; query.Cursor == nil {
			break
		}
	}
	if len(seen) < patients || !seen[t.patient.Id] {
		return fmt.Errorf("%d patients", len(seen))
	}
	return nil
}

func (t *tour) logOut(ctx context.Context) error {
	r, err := t.client.LogOutWithResponse(ctx)
	if err != nil {
		return err
	}
	if err := answered(r.HTTPResponse, r.ApplicationproblemJSONDefault, 204, ""); err != nil {
		return err
	}
	me, err := t.client.ShowYourAccountWithResponse(ctx, nil)
	if err != nil {
		return err
	}
	return answered(me.HTTPResponse, me.ApplicationproblemJSONDefault, 401, "auth.required")
}
