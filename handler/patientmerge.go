package handler

import (
	"context"

	"github.com/google/uuid"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

type mergeRequest struct {
	rest.OfVersion

	IntoID uuid.UUID `json:"into_id" doc:"The patient to merge into. Its chart then shows both patients."`
	Reason string    `json:"reason" max:"200" example:"Registered twice"`
}

// Faults returns the rules that the merge breaks, without looking at the patients.
func (r mergeRequest) Faults(service.Rules) []apperr.Field {
	return service.ReasonFaults("/reason", r.Reason)
}

type unmergeRequest struct {
	rest.OfVersion

	Reason string `json:"reason" max:"200" example:"Not the same person"`
}

// Faults returns the rules that the end of a merge breaks.
func (r unmergeRequest) Faults(service.Rules) []apperr.Field {
	return service.ReasonFaults("/reason", r.Reason)
}

func (a *API) mergePatient(ctx context.Context, in mergeRequest) (*models.Patient, error) {
	return a.Patients.Merge(ctx, in.ID, in.IntoID, in.Current, in.Reason)
}

func (a *API) unmergePatient(ctx context.Context, in unmergeRequest) (*models.Patient, error) {
	return a.Patients.Unmerge(ctx, in.ID, in.Current, in.Reason)
}
