package service

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/phi"
	"novamind/models"
)

const (
	maxText  = 100_000 // characters of a text
	maxCodes = 50
)

// RecordInput is the input of a client for a draft of a medical record, with the member names of the API.
type RecordInput struct {
	phi.Private `json:"-"`

	AppointmentID *uuid.UUID          `json:"appointment_id,omitempty" doc:"An appointment of the same patient."`
	Kind          string              `json:"kind" values:"record kind"`
	Sensitivity   *string             `json:"sensitivity,omitempty" values:"sensitivity" doc:"Default: the level that the kind requires, otherwise the present level, or normal for a new record."`
	OccurredAt    *time.Time          `json:"occurred_at,omitempty" doc:"When the documented event took place. Default: unchanged, or now for a new record."`
	Title         string              `json:"title" required:"false" max:"200" doc:"Required for signing." example:"First visit"`
	Content       string              `json:"content" required:"false" max:"100000" doc:"The text of the record, in Markdown." example:"Sleeps well."`
	Codes         []models.Coding     `json:"codes,omitempty" maxItems:"50"`
	Questionnaire *QuestionnaireInput `json:"questionnaire,omitempty" doc:"The answered questionnaire. Allowed only in an assessment."`
}

// QuestionnaireInput is an answered questionnaire. Computed members may be present if they are unchanged.
type QuestionnaireInput struct {
	phi.Private `json:"-"`

	Instrument string   `json:"instrument" values:"questionnaire"`
	Answers    []int    `json:"answers" doc:"The answers to all items, in order, each from 0 (not at all) to 3 (nearly every day)." example:"[1,2,0,0,1,2,3,0,0]"`
	Code       *string  `json:"code,omitempty" set:"server"`
	ItemCodes  []string `json:"item_codes,omitempty" set:"server"`
	Score      *int     `json:"score,omitempty" set:"server"`
	ScoreCode  *string  `json:"score_code,omitempty" set:"server"`
	Band       *string  `json:"band,omitempty" set:"server"`
}

// applyTo checks the input and writes it into a draft. It returns an Invalid error that names every offending member;
// m then stays unchanged.
func (in RecordInput) applyTo(m *models.MedicalRecord, now time.Time) error {
	var v validation
	if !slices.Contains(models.RecordKinds(), in.Kind) {
		v.add("/kind", "unknown_value", "Must be one of: "+strings.Join(models.RecordKinds(), ", ")+".")
	}
	sensitivity := v.sensitivity(in.Kind, in.Sensitivity, m.Sensitivity)
	occurred := v.occurredAt(in.OccurredAt, m.OccurredAt, now)
	v.optional("/title", &in.Title, maxOther)
	v.text("/content", in.Content)
	v.codes(in.Codes)
	questionnaire := v.questionnaire(in.Kind, in.Questionnaire)
	if err := v.err(); err != nil {
		return err
	}
	m.AppointmentID, m.Kind, m.Sensitivity, m.OccurredAt = in.AppointmentID, in.Kind, sensitivity, occurred
	m.Title, m.Content = phi.Of(in.Title), phi.Of(in.Content)
	m.Codes = codesOf(in.Codes)
	m.Questionnaire = phi.JSONOfOptional(questionnaire)
	return nil
}

// Faults returns the rules that the input breaks for every record.
func (in RecordInput) Faults(Rules) []apperr.Field {
	return fieldsOf(in.applyTo(&models.MedicalRecord{}, time.Now()))
}

func codesOf(codes []models.Coding) phi.JSON[[]models.Coding] {
	if len(codes) == 0 {
		return phi.JSON[[]models.Coding]{}
	}
	return phi.JSONOf(codes)
}

// requiredBy maps a kind of record to the sensitivity that it requires.
var requiredBy = map[string]string{
	models.KindPsychotherapyNote: models.SensitivityPsychotherapy,
	models.KindSUDCounselingNote: models.SensitivityPart2,
}

// sensitivity returns the sensitivity of a record: the requested one, else the former one if the kind allows it.
func (v *validation) sensitivity(kind string, asked *string, was string) string {
	required := requiredBy[kind]
	switch {
	case asked == nil && required != "":
		return required
	case asked == nil && was == "":
		return models.SensitivityNormal
	// Leaving the sensitivity out must not open the note to others.
	case asked == nil && was == models.SensitivityPsychotherapy:
		v.add("/sensitivity", "required", "The record is no longer a psychotherapy note: choose its sensitivity.")
		return was
	case asked == nil:
		return was
	case !slices.Contains(models.Sensitivities(), *asked):
		v.add("/sensitivity", "unknown_value", "Must be one of: "+strings.Join(models.Sensitivities(), ", ")+".")
	case required != "" && *asked != required:
		v.add("/sensitivity", "kind", "A record of this kind must have the sensitivity "+required+".")
	case required == "" && *asked == models.SensitivityPsychotherapy && slices.Contains(models.RecordKinds(), kind):
		v.add("/sensitivity", "kind", "Only a psychotherapy note can have this sensitivity.")
	}
	return *asked
}

// occurredAt returns the time that the record describes. It may be at most one hour in the future, since a client's
// clock may be wrong.
func (v *validation) occurredAt(asked *time.Time, was, now time.Time) time.Time {
	switch {
	case asked == nil && was.IsZero():
		return now.UTC().Truncate(time.Microsecond)
	case asked == nil:
		return was
	case asked.After(now.Add(time.Hour)):
		v.add("/occurred_at", "future_date", "Must not be in the future.")
	case asked.Year() < earliestBirth:
		v.add("/occurred_at", "date", "Must not be before "+itoa(earliestBirth)+".")
	}
	return asked.UTC().Truncate(time.Microsecond)
}

// text checks a text that may have several lines.
func (v *validation) text(pointer, text string) {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return invisible(r) && r != '\n' && r != '\r' && r != '\t' }):
		v.add(pointer, "control_character", "Must not contain control characters or invisible characters.")
	case utf8.RuneCountInString(text) > maxText:
		v.add(pointer, "too_long", "Must have at most "+itoa(maxText)+" characters.")
	}
}

// codePatterns are the forms of codes by the URI of their system. Other systems accept any code, but a system must
// not be another spelling of one of these.
var codePatterns = map[string]*regexp.Regexp{
	"http://hl7.org/fhir/sid/icd-10-cm": regexp.MustCompile(`^[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?$`),
	models.LOINC:                        regexp.MustCompile(`^[0-9]{1,7}-[0-9]$`),
}

func (v *validation) codes(codes []models.Coding) {
	if len(codes) > maxCodes {
		v.add("/codes", "too_long", "Must have at most "+itoa(maxCodes)+" codes.")
		return
	}
	for i := range codes {
		at := "/codes/" + itoa(i)
		v.system(at+"/system", &codes[i].System)
		v.optional(at+"/display", &codes[i].Display, maxOther)
		if !v.required(at+"/code", &codes[i].Code, maxName) {
			continue
		}
		if pattern := codePatterns[codes[i].System]; pattern != nil && !pattern.MatchString(codes[i].Code) {
			v.add(at+"/code", "invalid_format", "Must be a valid code of its code system.")
		}
	}
}

// system checks the URI of a terminology.
func (v *validation) system(pointer string, system *string) {
	if !v.required(pointer, system, maxOther) {
		return
	}
	meant := strings.TrimSuffix(strings.Replace(strings.ToLower(*system), "https://", "http://", 1), "/")
	switch uri, err := url.Parse(*system); {
	case err != nil || !uri.IsAbs():
		v.add(pointer, "url", "Must be the URI of a code system, such as "+models.LOINC+".")
	case codePatterns[meant] != nil && meant != *system:
		v.add(pointer, "url", "This code system must be written as "+meant+".")
	}
}

// questionnaire scores the answers of an assessment.
func (v *validation) questionnaire(kind string, in *QuestionnaireInput) *models.Questionnaire {
	if in == nil {
		return nil
	}
	if kind != models.KindAssessment && slices.Contains(models.RecordKinds(), kind) {
		v.add("/questionnaire", "kind", "Only an assessment can have a questionnaire.")
		return nil
	}
	q, err := models.NewQuestionnaire(in.Instrument, in.Answers)
	switch {
	case errors.Is(err, models.ErrInstrument):
		v.add("/questionnaire/instrument", "unknown_value", "Must be one of: "+models.PHQ9+", "+models.GAD7+".")
		return nil
	case err != nil:
		v.add("/questionnaire/answers", "out_of_range", "Must have an answer to each item, from 0 to 3.")
		return nil
	}
	for _, computed := range []struct {
		member  string
		changed bool
	}{
		{"code", in.Code != nil && *in.Code != q.Code},
		{"item_codes", in.ItemCodes != nil && !slices.Equal(in.ItemCodes, q.ItemCodes)},
		{"score", in.Score != nil && *in.Score != q.Score},
		{"score_code", in.ScoreCode != nil && *in.ScoreCode != q.ScoreCode},
		{"band", in.Band != nil && *in.Band != q.Band},
	} {
		if computed.changed {
			v.add("/questionnaire/"+computed.member, "read_only", "The server computes this member: leave it out.")
		}
	}
	return &q
}

// complete returns an Invalid error if a draft can't be signed yet.
func complete(m *models.MedicalRecord) error {
	var v validation
	if m.Title.Plain() == "" {
		v.add("/title", "required", "A title is required for signing.")
	}
	if strings.TrimSpace(m.Content.Plain()) == "" && m.Questionnaire.IsNull() {
		v.add("/content", "required", "Content or a questionnaire is required for signing.")
	}
	return v.err()
}

func conflict(detail string) error { return apperr.New(apperr.Conflict, detail) }
