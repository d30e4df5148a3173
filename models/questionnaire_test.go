package models_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"novamind/models"
)

// The bands begin where the instruments' authors set them: PHQ-9 (Kroenke 2001) at 5, 10, 15 and 20, GAD-7 (Spitzer
// 2006) at 5, 10 and 15.
func TestBandsOfScores(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		items int
		bands map[int]string // by the lowest score
	}{
		models.PHQ9: {9, map[int]string{0: "minimal", 5: "mild", 10: "moderate", 15: "moderately severe", 20: "severe"}},
		models.GAD7: {7, map[int]string{0: "minimal", 5: "mild", 10: "moderate", 15: "severe"}},
	} {
		want := ""
		for score := range 3*c.items + 1 {
			if band, begins := c.bands[score]; begins {
				want = band
			}
			answers := slices.Repeat([]int{0}, c.items)
			for i := range score {
				answers[i/3]++
			}
			q, err := models.NewQuestionnaire(name, answers)
			require.NoError(t, err)
			require.Equal(t, score, q.Score)
			require.Equal(t, want, q.Band, "%s at %d", name, score)
			require.Equal(t, name == models.PHQ9 && answers[c.items-1] > 0, q.AtRisk())
		}
	}
}
