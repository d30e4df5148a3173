package handler_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// The ETag of a review is its number of events, also if there are none. It is the If-Match of the sign-off. It never
// leads to a 304 that would hide a new sign-off.
func TestReviewsOverHTTP(t *testing.T) {
	t.Parallel()
	onEachEngine(t, func(t *testing.T, s *stack) {
		const week = "/api/v1/audit-reviews/2001-W07"
		review := s.do("GET", week, "")
		require.Equal(t, http.StatusOK, review.status, review.text)
		require.Equal(t, `"0"`, review.header.Get("ETag"))
		require.Nil(t, review.at("signed_off"))
		require.Len(t, review.at("sections"), 6)
		require.Equal(t, http.StatusPreconditionFailed, s.do("POST", week+"/sign-off", `{}`, `If-Match: "1"`).status)
		for range 2 {
			r := s.do("POST", week+"/sign-off", `{"note":"quiet"}`, `If-Match: "0"`, "Idempotency-Key: once")
			require.Equal(t, http.StatusNoContent, r.status, r.text)
			require.Empty(t, r.text)
		}
		require.Equal(t, http.StatusConflict, s.do("POST", week+"/sign-off", `{}`, `If-Match: "0"`).status)
		again := s.do("GET", week, "", `If-None-Match: "0"`)
		require.Equal(t, http.StatusOK, again.status, "it was signed off since")
		require.Equal(t, "quiet", again.at("signed_off", "note"))
		require.Equal(t, s.do("GET", "/api/v1/auth/me", "").at("name"), again.at("signed_off", "by_name"))
	})
}
