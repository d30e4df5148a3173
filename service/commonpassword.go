package service

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"novamind/internal/phi"
)

// commonPasswordList has leaked passwords of at least 12 characters, normalised, one per line. docs/dependencies.md
// names its source. Shorter passwords are already refused for their length.
//
//go:embed commonpasswords.txt
var commonPasswordList string

var commonPasswords = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for line := range strings.Lines(commonPasswordList) {
		set[strings.TrimSuffix(line, "\n")] = true
	}
	return set
})

// longestUnit is the longest word whose repetition is as easy to guess as the word.
const longestUnit = 8

// isCommonPassword reports whether a password is on the list, in any case and with the usual digits and signs in
// place of letters. It also reports true for a repeated short word.
func isCommonPassword(password string) bool {
	folded := phi.NormalizeText(password)
	word := strings.TrimRightFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	plain := spelled.Replace(word)
	return commonPasswords()[folded] || commonPasswords()[plain] || commonPasswords()[plain+folded[len(word):]] ||
		isRepetition(folded) || isRepetition(password)
}

// spelled replaces the usual digits and signs by the letters that they stand for.
var spelled = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// isRepetition reports whether s repeats a short word.
func isRepetition(s string) bool {
	for unit := 1; unit <= longestUnit && unit < len(s); unit++ {
		if strings.Repeat(s[:unit], len(s)/unit+1)[:len(s)] == s {
			return true
		}
	}
	return false
}
