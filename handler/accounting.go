package handler

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"novamind/internal/accounting"
	"novamind/internal/rest"
	"novamind/models"
	"novamind/service"
)

type accountingRequest struct {
	rest.ByID

	From time.Time `query:"from" json:"-" doc:"Only accesses at this time or later."`
	To   time.Time `query:"to" json:"-" doc:"Only accesses before this time."`
}

// printAccounting answers with a patient's accounting of accesses as a page to print. It sends the page while it
// reads the rows. The event of each part is stored before that part is sent.
func (a *API) printAccounting(c *gin.Context, in accountingRequest) error {
	heading := accounting.Heading{ID: in.ID, From: in.From, To: in.To, Made: time.Now(), Zone: a.zone}
	var page *accounting.Page
	begin := func(p *models.Patient) (err error) {
		if p != nil {
			heading.Patient = p.FirstName.Plain() + " " + p.LastName.Plain()
		}
		c.Header("Content-Type", "text/html; charset=utf-8")
		c.Header("Content-Security-Policy",
			"default-src 'none'; style-src "+accounting.StyleSource+"; frame-ancestors 'none'")
		c.Status(http.StatusOK)
		page, err = accounting.Begin(c.Writer, heading)
		return err
	}
	show := func(accesses []service.Access) error { return page.Write(service.AccountingLines(accesses)) }
	err := a.AuditLogs.Accounting(c.Request.Context(), in.ID, in.From, in.To, begin, show)
	switch {
	case err == nil:
		err = page.End()
	case !c.Writer.Written():
		return err
	}
	if err != nil {
		panic(http.ErrAbortHandler) // an incomplete page must not look complete
	}
	return nil
}
