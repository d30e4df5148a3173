package handler

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

type chartAnswer struct {
	Patient              patientAnswer `json:"patient"`
	Merged               []any         `json:"merged"`
	UpcomingAppointments []any         `json:"upcoming_appointments"`
	LatestRecords        []any         `json:"latest_records"`
	RiskFlags            []any         `json:"risk_flags"`
}

// getChart shows what one needs first of a patient, at one go.
func (a *API) getChart(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	chart, err := a.Charts.Of(c.Request.Context(), id)
	if err != nil {
		return err
	}
	answer := chartAnswer{
		Patient: newPatientAnswer(chart.Patient), Merged: make([]any, len(chart.Merged)), UpcomingAppointments: appointmentItems(chart.Appointments),
		LatestRecords: medicalRecordItems(chart.Records), RiskFlags: riskFlagItems(chart.Flags),
	}
	for i, p := range chart.Merged {
		if p.Unreadable() {
			answer.Merged[i] = unreadableAnswer{p.ID, true}
		} else {
			answer.Merged[i] = newPatientAnswer(p)
		}
	}
	return writeJSON(c, http.StatusOK, answer)
}
