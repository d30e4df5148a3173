package main

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lineLength is the greatest length of a line outside of tables.
const lineLength = 119

// withTable replaces the named generated table of a page.
func withTable(text, name, table string) (string, error) {
	begin, end := "<!-- table "+name+": make docs -->\n", "<!-- end of table "+name+" -->\n"
	before, rest, begun := strings.Cut(text, begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended {
		return "", fmt.Errorf("no table %q: it stands between %q and %q", name, begin, end)
	}
	return before + begin + table + end + after, nil
}

// tableOf writes a table.
func tableOf(head []string, rows [][]string) string {
	var out strings.Builder
	out.WriteString("| " + strings.Join(head, " | ") + " |\n|" + strings.Repeat("---|", len(head)) + "\n")
	for _, row := range rows {
		for _, cell := range row {
			out.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		out.WriteString("|\n")
	}
	return out.String()
}

// paragraph breaks a text into lines.
func paragraph(text string) string {
	var out strings.Builder
	length := 0
	for word := range strings.FieldsSeq(text) {
		width := utf8.RuneCountInString(word)
		switch {
		case length == 0:
		case length+1+width > lineLength:
			out.WriteString("\n")
			length = 0
		default:
			out.WriteString(" ")
			length++
		}
		out.WriteString(word)
		length += width
	}
	return out.String() + "\n"
}

// code marks words as code, and joins them.
func code[T ~string](words ...T) string {
	marked := make([]string, len(words))
	for i, word := range words {
		marked[i] = "`" + string(word) + "`"
	}
	return strings.Join(marked, ", ")
}
