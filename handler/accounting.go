package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/accounting"
	"novamind/models"
	"novamind/service"
)

// printAccounting answers a patient's accounting of accesses as a page to print. It is sent while it is read, each part after the event of it.
func (a *API) printAccounting(c *gin.Context) error {
	id, err := pathID(c, "id")
	if err != nil {
		return err
	}
	q, err := readQuery(c, "from", "to")
	if err != nil {
		return err
	}
	heading := accounting.Heading{
		ID: id, From: valueOr(q.Time("from"), time.Time{}), To: valueOr(q.Time("to"), time.Time{}), Made: time.Now(), Zone: a.zone,
	}
	if err := q.Err(); err != nil {
		return err
	}
	var page *accounting.Page
	err = a.AuditLogs.Accounting(c.Request.Context(), id, heading.From, heading.To, func(p *models.Patient) (err error) {
		if p != nil {
			heading.Patient = p.FirstName.Plain() + " " + p.LastName.Plain()
		}
		c.Header("Content-Type", "text/html; charset=utf-8")
		c.Header("Content-Security-Policy", "default-src 'none'; style-src "+accounting.StyleSource+"; frame-ancestors 'none'")
		c.Status(http.StatusOK)
		page, err = accounting.Begin(c.Writer, heading)
		return err
	}, func(accesses []service.Access) error {
		return page.Write(service.AccountingLines(accesses))
	})
	switch {
	case err == nil:
		err = page.End()
	case !c.Writer.Written():
		return err
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half a page must not look like a whole one
	}
	return nil
}
