package demo

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/audit"
	"novamind/models"
	"novamind/service"
)

// note is a record of a patient of the clinician who writes it.
type note struct {
	clinician, patient         int
	state, kind, sensitivity   string // no sensitivity: the default of the kind
	title, content, correction string // correction: why it was amended, or entered in error
}

// notes returns records of every kind, state and sensitivity. The PHQ-9 of the weekly patient are not among them.
func notes() []note {
	return []note{
		{
			clinician: 0, patient: 1, state: models.RecordFinal, kind: models.KindIntake, title: "First visit",
			content: "Referred by a family doctor.\n\n- Low mood since the spring\n- Sleeps five hours",
		},
		{
			clinician: 0, patient: 1, state: models.RecordFinal, kind: models.KindDiagnosis,
			title: "Moderate depressive episode", content: "Single episode, without psychotic symptoms.",
		},
		{
			clinician: 0, patient: 1, state: models.RecordAmended, kind: models.KindTreatmentPlan, title: "Treatment plan",
			content: "Ten sessions, every other week.", correction: "The sessions are weekly.",
		},
		{
			clinician: 0, patient: 1, state: models.RecordFinal, kind: models.KindPsychotherapyNote, title: "Session 3",
			content: "A dream of the house by the sea; anger at the brother. To come back to.",
		},
		{
			clinician: 0, patient: 2, state: models.RecordDraft, kind: models.KindProgressNote, title: "Session 2",
			content: "Exposure in small steps: the bus to the market. *To be finished.*",
		},
		{
			clinician: 1, patient: 0, state: models.RecordInError, kind: models.KindProgressNote, title: "Session 5",
			content: "Slept better this week.", correction: "This note belongs to another patient.",
		},
		{
			clinician: 1, patient: 1, state: models.RecordFinal, kind: models.KindProgressNote, title: "Trouble at work",
			sensitivity: models.SensitivityRestricted, content: "Knows members of the staff. Asks that few read this.",
		},
		{
			clinician: 2, patient: 0, state: models.RecordFinal, kind: models.KindSUDCounselingNote,
			title: "Counseling, week 6", content: "Forty days without alcohol. Goes to the group on Thursdays.",
		},
		{
			clinician: 3, patient: 0, state: models.RecordFinal, kind: models.KindMedication, title: "Sertraline",
			content: "50 mg in the morning. Look at sleep and appetite in four weeks.",
		},
		{
			clinician: 3, patient: 0, state: models.RecordFinal, kind: models.KindDocument,
			title: "Letter of the family doctor", content: "Blood count and thyroid as they should be.",
		},
	}
}

func (c *clinic) writeNotes(ctx context.Context) error {
	for _, n := range notes() {
		in := service.RecordInput{Kind: n.kind, Title: n.title, Content: n.content}
		if n.sensitivity != "" {
			in.Sensitivity = &n.sensitivity
		}
		if n.kind == models.KindDiagnosis {
			in.Codes = []models.Coding{{System: "http://hl7.org/fhir/sid/icd-10-cm", Code: "F32.1", Display: n.title}}
		}
		if err := c.write(ctx, n.clinician, c.patientOf(n.clinician, n.patient), n.state, in, n.correction); err != nil {
			return err
		}
	}
	return nil
}

// write adds a record, and takes it to its state.
func (c *clinic) write(
	ctx context.Context, clinician int, patient uuid.UUID, state string, in service.RecordInput, correction string,
) error {
	type record = *models.MedicalRecord
	who := c.team[clinician]
	m, err := as(ctx, who, func(ctx context.Context) (record, error) { return c.records.Write(ctx, patient, in) })
	if err != nil || state == models.RecordDraft {
		return err
	}
	_, err = as(intending(ctx, audit.Sign, m.ID), who, func(ctx context.Context) (record, error) {
		return c.records.Sign(ctx, m.ID, anyVersion)
	})
	if err != nil {
		return err
	}
	switch state {
	case models.RecordAmended:
		amended := service.AmendmentInput{AmendmentReason: correction, Content: new("Ten sessions, every week.")}
		_, err = as(intending(ctx, audit.Amend, m.ID), who, func(ctx context.Context) (record, error) {
			return c.records.Amend(ctx, m.ID, amended)
		})
	case models.RecordInError:
		_, err = as(intending(ctx, audit.MarkError, m.ID), who, func(ctx context.Context) (record, error) {
			return c.records.MarkError(ctx, m.ID, anyVersion, correction)
		})
	}
	return err
}

// protect records that the patient of the counseling note lets the clinicians with the patient in care see it (42 CFR
// Part 2), and books an appointment with one of them.
func (c *clinic) protect(ctx context.Context) error {
	patient := c.patientOf(2, 0)
	_, err := as(ctx, c.team[2], func(ctx context.Context) (*models.Consent, error) {
		return c.consents.Grant(ctx, patient, service.ConsentInput{Kind: models.ConsentPart2, Purpose: "Treatment"})
	})
	if err != nil {
		return err
	}
	_, err = c.book(ctx, c.input(3, patient, c.at(c.workdays()[7], 14)))
	return err
}
