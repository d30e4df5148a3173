package handler

import (
	"slices"

	"github.com/gin-gonic/gin"

	"novamind/internal/apperr"
	"novamind/internal/audit"
	"novamind/internal/web"
)

// purposeHeader is the header in which a client may state the purpose of an access.
const purposeHeader = "X-Purpose-Of-Use"

// purposes are the codes of HL7 v3 PurposeOfUse that a client may state. Emergency access (BTG) has a route of its
// own.
var purposes = []string{
	"TREAT", "ETREAT", "CAREMGT", "COC", "HPAYMT", "CLMATTCH", "COVAUTH", "ELIGVER", "REMITADV", "HOPERAT", "HLEGAL", "HCOMPL", "HQUALIMP", "HSYSADMIN",
	"PATADMIN", "PATSFTY", "RECORDMGT", "TRAIN", "HTEST", "HRESCH", "CLINTRCH", "PUBHLTH", "THREAT", "PATRQT", "FAMRQT", "PWATRNY",
}

// withPurpose adds the purpose in the header to the caller that authenticate finds. It returns a Malformed error for
// an unknown purpose.
func withPurpose(authenticate web.HandlerFunc) web.HandlerFunc {
	return func(c *gin.Context) error {
		if err := authenticate(c); err != nil {
			return err
		}
		purpose := c.GetHeader(purposeHeader)
		if purpose == "" {
			return nil
		}
		if !slices.Contains(purposes, purpose) {
			e := apperr.New(apperr.Malformed, purposeHeader+" must be a code of HL7 v3 PurposeOfUse, such as TREAT.")
			e.Fields = []apperr.Field{{Pointer: purposeHeader, Code: "invalid_format", Detail: e.Detail}}
			return e
		}
		actor, err := audit.ActorFrom(c.Request.Context())
		if err != nil {
			return err
		}
		actor.Purpose = purpose
		c.Request = c.Request.WithContext(audit.WithActor(c.Request.Context(), actor))
		return nil
	}
}
