package models

import (
	"errors"

	"novamind/internal/phi"
)

// The questionnaires that the program can score. Both are Pfizer's, free to use.
const (
	PHQ9 = "phq-9" // depression
	GAD7 = "gad-7" // anxiety
)

// LOINC is the system of the questionnaires' codes.
const LOINC = "http://loinc.org"

// maxAnswer is "nearly every day"; 0 is "not at all".
const maxAnswer = 3

// band is a severity and its lowest score.
type band struct {
	from int
	name string
}

// instrument is a questionnaire: its LOINC codes, and the reading of its score.
type instrument struct {
	panel string
	score string
	items []string
	bands []band
	risk  int // number of the item that asks for thoughts of self-harm, from 1; 0: none
}

var instruments = map[string]instrument{
	PHQ9: {
		panel: "44249-1", score: "44261-6", risk: 9,
		items: []string{"44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"},
		bands: []band{{0, "minimal"}, {5, "mild"}, {10, "moderate"}, {15, "moderately severe"}, {20, "severe"}},
	},
	GAD7: {
		panel: "69737-5", score: "70274-6",
		items: []string{"69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"},
		bands: []band{{0, "minimal"}, {5, "mild"}, {10, "moderate"}, {15, "severe"}},
	},
}

// Questionnaire is an answered questionnaire, with its score.
type Questionnaire struct {
	phi.Private `json:"-"`

	Instrument string   `json:"instrument" values:"questionnaire"`
	Code       string   `json:"code" doc:"The LOINC code of the questionnaire." example:"44249-1"`
	ItemCodes  []string `json:"item_codes" doc:"The LOINC code of each item."`
	Answers    []int    `json:"answers" doc:"The answer to each item, from 0 (not at all) to 3 (nearly every day)."`
	Score      int      `json:"score" example:"13"`
	ScoreCode  string   `json:"score_code" doc:"The LOINC code of the score." example:"44261-6"`
	Band       string   `json:"band" doc:"The severity that the score stands for." example:"moderate"`
}

// The errors of NewQuestionnaire.
var (
	ErrInstrument = errors.New("models: not a questionnaire that is scored here")
	ErrAnswers    = errors.New("models: a questionnaire needs every answer, each from 0 to 3")
)

// NewQuestionnaire scores answers. It returns ErrInstrument or ErrAnswers.
func NewQuestionnaire(name string, answers []int) (Questionnaire, error) {
	form, known := instruments[name]
	if !known {
		return Questionnaire{}, ErrInstrument
	}
	if len(answers) != len(form.items) {
		return Questionnaire{}, ErrAnswers
	}
	q := Questionnaire{Instrument: name, Code: form.panel, ItemCodes: form.items, Answers: answers, ScoreCode: form.score}
	for _, answer := range answers {
		if answer < 0 || answer > maxAnswer {
			return Questionnaire{}, ErrAnswers
		}
		q.Score += answer
	}
	for _, b := range form.bands {
		if q.Score >= b.from {
			q.Band = b.name
		}
	}
	return q, nil
}

// AtRisk reports whether an answer indicates thoughts of self-harm.
func (q Questionnaire) AtRisk() bool {
	item := instruments[q.Instrument].risk
	return item > 0 && item <= len(q.Answers) && q.Answers[item-1] > 0
}
