package handler

import (
	"context"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
)

type mergeRequest struct {
	IntoID uuid.UUID `json:"into_id"`
	Reason string    `json:"reason"`
}

type unmergeRequest struct {
	Reason string `json:"reason"`
}

func (a *API) mergePatient(c *gin.Context) error {
	var body mergeRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	p, err := changeOnce(a, c, id, body, func(ctx context.Context) (*models.Patient, error) {
		return a.Patients.Merge(ctx, id, body.IntoID, condition.Matches, body.Reason)
	}, a.Patients.Get)
	if err != nil {
		return err
	}
	return writePatient(c, p)
}

func (a *API) unmergePatient(c *gin.Context) error {
	var body unmergeRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	id, condition, err := target(c)
	if err != nil {
		return err
	}
	p, err := changeOnce(a, c, id, body, func(ctx context.Context) (*models.Patient, error) {
		return a.Patients.Unmerge(ctx, id, condition.Matches, body.Reason)
	}, a.Patients.Get)
	if err != nil {
		return err
	}
	return writePatient(c, p)
}
