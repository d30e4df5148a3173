package fhir

import "strings"

// The labels that are written on documents.
var (
	Restricted = Code{System: confidentiality, Code: "R"}
	Part2      = Code{System: actCodes, Code: "42CFRPart2"}
)

// The codes of labels that demand more than Restricted. They are recognized under any system.
const (
	part2Codes         = "42CFRPART2"
	psychotherapyNotes = "PSYTHPN"
)

// open are the codes of v3-Confidentiality that demand no more protection than every document has.
var open = map[string]bool{"U": true, "L": true, "M": true, "N": true}

// Open reports whether the label demands no special protection. An unknown label is not open, because it may demand
// anything.
func (c Code) Open() bool { return c.System == confidentiality && open[c.Code] }

// Part2 reports whether the label says that 42 CFR Part 2 protects the document.
func (c Code) Part2() bool { return strings.HasPrefix(strings.ToUpper(c.Code), part2Codes) }

// Psychotherapy reports whether the label says that the document is a psychotherapy note.
func (c Code) Psychotherapy() bool { return strings.EqualFold(c.Code, psychotherapyNotes) }
