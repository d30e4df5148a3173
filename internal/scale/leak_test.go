package scale

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The blind indexes leak no more than documented. docs/threat-model.md describes the measurement.
func TestLeakIsAsDocumented(t *testing.T) {
	t.Parallel()
	table := steal(t, invent(patients)).measure()
	t.Log("\n" + table)
	measured, limits := readFigures(t, table), readFigures(t, documented(t))
	require.Len(t, measured, len(limits))
	for index, figures := range measured {
		require.Len(t, limits[index], len(figures), "%s is not documented", index)
		for i, figure := range figures {
			// Other keys collide differently, so figures differ a little each time, and more with few patients.
			require.LessOrEqual(t, figure, limits[index][i]*tolerance+slack, "%s leaks more than is documented, in column %d", index, i+1)
		}
	}
}

// measure returns the table's rows, one for each index. A row has the number of tokens, the share of patients with
// the most frequent token in percent, the entropy in bits, and the share of patients that share a token. It then has
// the shares of patients whose value is guessed right: by rank, jointly, jointly with the clinic's list, and by a
// dictionary.
func (s *stolen) measure() string {
	population, list := ofPopulation(len(s.all)), ofClinic(s.all)
	last, first := s.jointly(lastName, firstName, population), s.jointly(firstName, lastName, population)
	lastOfList, firstOfList := s.jointly(lastName, firstName, list), s.jointly(firstName, lastName, list)
	byRank := s.byRank("name_prefix", population.prefixes)
	both := func(last, first map[string]string) float64 {
		return s.part(func(i int) bool { return s.isRight(lastName, last, i) && s.isRight(firstName, first, i) })
	}
	rows := []string{
		s.row("email"), s.row("phone"),
		s.row("first_name", s.right(firstName, s.byRank("first_name", population.names["first_name"])), s.right(firstName, first),
			s.right(firstName, firstOfList), s.right(firstName, s.byDictionary(firstName))),
		s.row("last_name", s.right(lastName, s.byRank("last_name", population.names["last_name"])), s.right(lastName, last),
			s.right(lastName, lastOfList), s.right(lastName, s.byDictionary(lastName))),
		s.row("name_prefix", s.part(func(i int) bool { return s.beginsRight(i, "name_prefix", byRank) }),
			s.part(func(i int) bool { return s.beginsRight(i, "last_name", last) }),
			s.part(func(i int) bool { return s.beginsRight(i, "last_name", lastOfList) })),
		figures("both names", 0, 0, 0, 0, 0, both(last, first), both(lastOfList, firstOfList), both(s.byDictionary(lastName), s.byDictionary(firstName))),
	}
	return strings.Join(rows, "\n")
}

// beginsRight reports whether the first letters of a patient's last name are guessed.
func (s *stolen) beginsRight(i int, index string, guesses map[string]string) bool {
	beginning := prefixesOf(lastName.forms(s.all[i])[0])[0]
	return slices.ContainsFunc(s.tokens[i][index], func(token string) bool {
		guess := guesses[token]
		return guess == beginning || index == lastName.index && strings.HasPrefix(guess, beginning)
	})
}

func (s *stolen) row(index string, right ...float64) string {
	tokens := s.of(index)
	largest := float64(len(s.holders[tokens[0]])) / float64(len(s.all))
	return figures(index, append([]float64{float64(len(tokens)), largest, s.entropy(index), s.shared(index)}, right...)...)
}

// figures returns a row of the table. Shares are in percent.
func figures(index string, of ...float64) string {
	row := "| `" + index + "` |"
	for i := range 8 {
		switch {
		case i >= len(of) || of[i] == 0:
			row += " — |"
		case i == 0:
			row += fmt.Sprintf(" %.0f |", of[i])
		case i == 2:
			row += fmt.Sprintf(" %.1f |", of[i])
		case i == 1:
			row += fmt.Sprintf(" %.2f |", 100*of[i])
		default:
			row += fmt.Sprintf(" %.1f |", 100*of[i])
		}
	}
	return row
}

// figureRow matches a row of the table: an index and its figures. A dash means no figure.
var figureRow = regexp.MustCompile("(?m)^\\| `([a-z_ ]+)` \\|((?: [0-9.,—]+ \\|)+)$")

func readFigures(t *testing.T, text string) map[string][]float64 {
	t.Helper()
	rows := map[string][]float64{}
	for _, row := range figureRow.FindAllStringSubmatch(text, -1) {
		for cell := range strings.SplitSeq(strings.Trim(row[2], "| "), "|") {
			figure := 0.0
			if cell = strings.TrimSpace(cell); cell != "—" {
				var err error
				figure, err = strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
			}
			rows[row[1]] = append(rows[row[1]], figure)
		}
	}
	require.NotEmpty(t, rows, "no figures")
	return rows
}
