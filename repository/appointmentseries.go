package repository

import "novamind/models"

// AppointmentSeriesRepository finds and keeps the rules of series.
type AppointmentSeriesRepository struct {
	Base[models.AppointmentSeries]
}

// NewAppointmentSeriesRepository returns the series of a store.
func NewAppointmentSeriesRepository(s *Store) *AppointmentSeriesRepository {
	return &AppointmentSeriesRepository{Base[models.AppointmentSeries]{s}}
}
