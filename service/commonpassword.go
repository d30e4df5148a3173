package service

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"novamind/internal/phi"
)

// commonPasswordList has passwords of at least 12 characters that were seen often where passwords leaked, normalised, one a line
// (docs/dependencies.md says where it is from). Shorter ones are refused for being short.
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

// longestUnit is how long a word may be whose repetition is as good as the word.
const longestUnit = 8

// isCommonPassword reports whether a password is on the list, in any case and with the usual digits and signs for letters, or a short word over and
// over.
func isCommonPassword(password string) bool {
	folded := phi.NormalizeText(password)
	word := strings.TrimRightFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	plain := spelled.Replace(word)
	return commonPasswords()[folded] || commonPasswords()[plain] || commonPasswords()[plain+folded[len(word):]] ||
		isRepetition(folded) || isRepetition(password)
}

// spelled undoes the usual disguises.
var spelled = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "5", "s", "7", "t", "@", "a", "$", "s", "!", "i")

// isRepetition reports whether s is a short word over and over.
func isRepetition(s string) bool {
	for unit := 1; unit <= longestUnit && unit < len(s); unit++ {
		if strings.Repeat(s[:unit], len(s)/unit+1)[:len(s)] == s {
			return true
		}
	}
	return false
}
