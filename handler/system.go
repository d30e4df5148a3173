package handler

import (
	"context"
	"time"

	"novamind/internal/apperr"
	"novamind/internal/rest"
	"novamind/internal/web"
)

// systemOperations are the pages for browsers and the health checks for monitors.
func (a *API) systemOperations() []rest.Operation {
	return append(pageOperations(), []rest.Operation{
		rest.Row("GET", "/healthz", "Check that the server is alive", web.Open, nil, rest.Get(healthz, rest.Same)),
		rest.Row("GET", "/readyz", "Check that the server is ready", web.Open, nil, rest.Get(a.readyz, rest.Same), apperr.Unavailable),
		rest.Row("GET", "/openapi.json", "Show the OpenAPI document", web.Open, nil, rest.Raw("application/json", a.openAPI)),
	}...)
}

// Check is one condition that the server needs for its work.
type Check struct {
	Name string
	Run  func(context.Context) error
}

type healthAnswer struct {
	Status string            `json:"status"`
	Checks map[string]string `json:"checks,omitempty"`
}

// healthz reports that the process is alive, without any other check.
func healthz(context.Context, rest.Anything) (healthAnswer, error) {
	return healthAnswer{Status: "ok"}, nil
}

// readyz reports whether requests can be served; the answer names the failing checks.
func (a *API) readyz(ctx context.Context, _ rest.Anything) (healthAnswer, error) {
	answer := healthAnswer{Status: "ok", Checks: map[string]string{}}
	var failing []apperr.Field
	var cause error
	for _, check := range a.Ready {
		answer.Checks[check.Name] = "ok"
		if err := check.Run(ctx); err != nil {
			cause = err
			failing = append(failing, apperr.Field{Pointer: check.Name, Code: "not_ready", Detail: "This part of the server is not ready."})
		}
	}
	if cause == nil {
		return answer, nil
	}
	err := apperr.Wrap(apperr.Unavailable, "The server is not ready. The list errors names the parts that fail. Try again later.", cause)
	err.Fields, err.RetryAfter = failing, 5*time.Second
	return answer, err
}
