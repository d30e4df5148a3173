package handler

import (
	"novamind/internal/rest"
	"novamind/service"
)

type chartAnswer struct {
	Patient              patientAnswer                    `json:"patient"`
	Merged               []rest.Item[patientAnswer]       `json:"merged"`
	UpcomingAppointments []rest.Item[appointmentAnswer]   `json:"upcoming_appointments"`
	LatestRecords        []rest.Item[medicalRecordAnswer] `json:"latest_records"`
	RiskFlags            []rest.Item[riskFlagAnswer]      `json:"risk_flags"`
}

func newChartAnswer(c *service.Chart) chartAnswer {
	return chartAnswer{
		Patient: newPatientAnswer(c.Patient), Merged: rest.ItemsOf(c.Merged, newPatientAnswer),
		UpcomingAppointments: rest.ItemsOf(c.Appointments, newAppointmentAnswer),
		LatestRecords:        rest.ItemsOf(c.Records, newMedicalRecordAnswer), RiskFlags: rest.ItemsOf(c.Flags, newRiskFlagAnswer),
	}
}
