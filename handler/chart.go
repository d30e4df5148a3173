package handler

import "novamind/service"

type chartAnswer struct {
	Patient              patientAnswer               `json:"patient"`
	Merged               []item[patientAnswer]       `json:"merged"`
	UpcomingAppointments []item[appointmentAnswer]   `json:"upcoming_appointments"`
	LatestRecords        []item[medicalRecordAnswer] `json:"latest_records"`
	RiskFlags            []item[riskFlagAnswer]      `json:"risk_flags"`
}

func newChartAnswer(c *service.Chart) chartAnswer {
	return chartAnswer{
		Patient: newPatientAnswer(c.Patient), Merged: itemsOf(c.Merged, newPatientAnswer),
		UpcomingAppointments: itemsOf(c.Appointments, newAppointmentAnswer),
		LatestRecords:        itemsOf(c.Records, newMedicalRecordAnswer), RiskFlags: itemsOf(c.Flags, newRiskFlagAnswer),
	}
}
