package handler

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"novamind/models"
	"novamind/service"
)

// ReviewAnswer is a review as the API shows it.
type ReviewAnswer struct {
	Week      string                `json:"week"`
	From      time.Time             `json:"from"`
	To        time.Time             `json:"to"`
	Count     int64                 `json:"count"`
	Sections  []reviewSectionAnswer `json:"sections"`
	SignedOff *signOffAnswer        `json:"signed_off"`
}

type reviewSectionAnswer struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	Items []any  `json:"items"` // the first of them
}

type signOffAnswer struct {
	EventID uuid.UUID  `json:"event_id"`
	At      time.Time  `json:"at"`
	By      *uuid.UUID `json:"by"`
	Note    *string    `json:"note"`
	Details *string    `json:"details"`
}

// NewReviewAnswer returns a review as the API shows it.
func NewReviewAnswer(r *service.Review) ReviewAnswer {
	answer := ReviewAnswer{Week: r.Week.Name, From: r.Week.From.UTC(), To: r.Week.To.UTC(), Count: r.Count()}
	for _, s := range r.Sections {
		answer.Sections = append(answer.Sections, reviewSectionAnswer{s.Kind, s.Count, AuditLogAnswers(s.Events)})
	}
	if len(r.SignOffs) > 0 {
		answer.SignedOff = newSignOffAnswer(r.SignOffs[0])
	}
	return answer
}

func newSignOffAnswer(e *models.AuditLog) *signOffAnswer {
	if e.Unreadable() {
		return &signOffAnswer{EventID: e.ID}
	}
	return &signOffAnswer{e.ID, e.OccurredAt.UTC(), e.UserID, e.Reason.Optional(), e.Details}
}

// getReview answers what a week of the log holds that somebody should look at. Its ETag is how many events these are.
func (a *API) getReview(c *gin.Context) error {
	week, err := a.Reviews.Week(c.Param("week"))
	if err != nil {
		return err
	}
	review, err := a.Reviews.Review(c.Request.Context(), week)
	if err != nil {
		return err
	}
	setETag(c, review.Count())
	return writeJSON(c, http.StatusOK, NewReviewAnswer(review))
}

type signOffRequest struct {
	Note string `json:"note"`
}

// signOffReview notes that the caller has reviewed a week.
func (a *API) signOffReview(c *gin.Context) error {
	week, err := a.Reviews.Week(c.Param("week"))
	if err != nil {
		return err
	}
	condition, err := requireIfMatch(c)
	if err != nil {
		return err
	}
	var body signOffRequest
	if err := decodeBody(c, &body); err != nil {
		return err
	}
	_, err = changeOnce(a, c, week.EntityID(), body, func(ctx context.Context) (service.Week, error) {
		return week, a.Reviews.SignOff(ctx, week, condition.Matches, body.Note)
	}, func(context.Context, uuid.UUID) (service.Week, error) { return week, nil })
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
