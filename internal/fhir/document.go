package fhir

import (
	"encoding/base64"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"mime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

// Document is the kept part of a FHIR R4 DocumentReference that contains its text. Title, codes and text are PHI.
type Document struct {
	ID        uuid.UUID
	InError   bool
	Patient   Reference
	Author    Reference
	Encounter uuid.UUID // Nil if there is none
	Date      time.Time // the time when the document was made
	Title     string
	Codes     []Code
	Labels    []Code    // labels of confidentiality, and of the rules that protect the document
	Replaces  uuid.UUID // the document that this one replaces; Nil if there is none
	Note      string    // accompanies the document; not read
	Text      string
	Ours      Ours
}

// Code is https://hl7.org/fhir/R4/datatypes.html#Coding.
type Code struct{ System, Code, Display string }

// Format implements fmt.Formatter: no verb shows a document.
func (Document) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue implements slog.LogValuer.
func (Document) LogValue() slog.Value { return slog.StringValue(redacted) }

// document is the part of https://hl7.org/fhir/R4/documentreference.html that is read.
type document struct {
	ResourceType      string            `json:"resourceType,omitzero"`
	ID                string            `json:"id,omitzero"`
	ImplicitRules     string            `json:"implicitRules,omitzero"`
	Meta              meta              `json:"meta,omitzero"`
	Extension         []extension       `json:"extension,omitzero"`
	ModifierExtension []jsontext.Value  `json:"modifierExtension,omitzero"`
	Status            string            `json:"status,omitzero"`
	Type              codeableConcept   `json:"type,omitzero"`
	Subject           reference         `json:"subject,omitzero"`
	Date              string            `json:"date,omitzero"`
	Author            []reference       `json:"author,omitzero"`
	RelatesTo         []relation        `json:"relatesTo,omitzero"`
	Description       string            `json:"description,omitzero"`
	SecurityLabel     []codeableConcept `json:"securityLabel,omitzero"`
	Content           []documentContent `json:"content,omitzero"`
	Context           documentContext   `json:"context,omitzero"`
}

// meta is the part of https://hl7.org/fhir/R4/resource.html#Meta that is read.
type meta struct {
	Security []coding `json:"security,omitzero"`
}

// relation is DocumentReference.relatesTo.
type relation struct {
	Code   string    `json:"code,omitzero"`
	Target reference `json:"target,omitzero"`
}

// documentContent is DocumentReference.content.
type documentContent struct {
	Attachment attachment `json:"attachment,omitzero"`
}

// documentContext is DocumentReference.context.
type documentContext struct {
	Encounter []reference `json:"encounter,omitzero"`
	Period    period      `json:"period,omitzero"`
}

// attachment is https://hl7.org/fhir/R4/datatypes.html#Attachment.
type attachment struct {
	ContentType string `json:"contentType,omitzero"`
	Data        string `json:"data,omitzero"`
}

// Documents reads an NDJSON stream of DocumentReference resources, as Patients does.
func Documents(r io.Reader) iter.Seq2[Resource[Document], error] {
	return resources(r, func(line []byte) (*Document, string) { return readAs(line, "DocumentReference", (*document).document) })
}

func (d *document) document() (*Document, error) {
	if err := understood(d.ModifierExtension, d.ImplicitRules); err != nil {
		return nil, err
	}
	id, err := resourceID(d.ID)
	if err != nil {
		return nil, err
	}
	out := &Document{ID: id, InError: d.Status == "entered-in-error", Title: d.Type.says(), Ours: oursAmong(d.Extension)}
	var ok bool
	if out.Patient, ok = d.Subject.to("Patient"); !ok {
		return nil, reject("subject: names no patient")
	}
	if out.Author, ok = first(d.Author, "Practitioner"); !ok {
		return nil, reject("author: names no practitioner")
	}
	if named, ok := first(d.Context.Encounter, "Encounter"); ok {
		out.Encounter = named.ID
	}
	if out.Date, err = instant(d.Date); err != nil {
		if out.Date, err = instant(d.Context.Period.Start); err != nil {
			return nil, reject("date: not a time with its zone, from 1900 to 2200")
		}
	}
	out.Replaces, out.Labels, out.Codes = d.replaces(), d.labels(), d.codes()
	if out.Text, err = d.text(); err == nil && out.Text == "" && len(out.Ours) == 0 {
		err = reject("content: no text")
	}
	return out, err
}

// replaces returns the document that this one replaces.
func (d *document) replaces() uuid.UUID {
	for _, r := range d.RelatesTo {
		if replaced, ok := r.Target.to("DocumentReference"); ok && r.Code == "replaces" {
			return replaced.ID
		}
	}
	return uuid.Nil
}

// labels returns the labels of the document and of the resource. A label without a code is included as an empty one,
// because it may demand protection.
func (d *document) labels() (labels []Code) {
	for _, c := range d.Meta.Security {
		labels = append(labels, Code(c))
	}
	for _, label := range d.SecurityLabel {
		for _, c := range label.Coding {
			labels = append(labels, Code(c))
		}
		if len(label.Coding) == 0 {
			labels = append(labels, Code{})
		}
	}
	return labels
}

func (d *document) codes() (codes []Code) {
	for _, c := range d.Type.Coding {
		if c.System != "" && c.Code != "" {
			codes = append(codes, Code(c))
		}
	}
	return codes
}

// text returns the text of all attachments.
func (d *document) text() (string, error) {
	var parts []string
	for _, c := range d.Content {
		part, err := c.Attachment.text()
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.TrimSpace(strings.Join(parts, "\n\n")), nil
}

func (a attachment) text() (string, error) {
	mediaType, params, err := mime.ParseMediaType(a.ContentType)
	charset := strings.ToLower(params["charset"])
	if err != nil || mediaType != "text/plain" && mediaType != "text/markdown" || charset != "" && charset != "utf-8" && charset != "us-ascii" {
		return "", reject("content.attachment: neither plain text nor Markdown, in UTF-8")
	}
	data, err := base64.StdEncoding.DecodeString(a.Data)
	if err != nil || !utf8.Valid(data) {
		return "", reject("content.attachment.data: not UTF-8 text in base64")
	}
	return strings.ReplaceAll(string(data), "\r\n", "\n"), nil
}
