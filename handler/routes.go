package handler

import "slices"

// legacyRoutes are the routes that are no rows of the table of operations yet.
func (a *API) legacyRoutes() []Route {
	return slices.Concat(a.authRoutes(), a.accountRoutes())
}

// authRoutes: one's own account and sessions.
func (a *API) authRoutes() []Route {
	return []Route{
		{"POST", "/api/v1/auth/login", Public, noQuery(a.login)},
		{"POST", "/api/v1/auth/logout", FirstLogin, noQuery(a.logout)},
		{"GET", "/api/v1/auth/me", FirstLogin, noQuery(a.me)},
		{"POST", "/api/v1/auth/password", FirstLogin, noQuery(a.setPassword)},
		{"POST", "/api/v1/auth/redeem", Public, noQuery(a.redeem)},
		{"POST", "/api/v1/auth/totp", FirstLogin, noQuery(a.enrolTOTP)},
		{"POST", "/api/v1/auth/totp/confirm", FirstLogin, noQuery(a.confirmTOTP)},
		{"POST", "/api/v1/auth/totp/disable", FirstLogin, noQuery(a.disableTOTP)},
		{"POST", "/api/v1/auth/recovery-codes", FirstLogin, noQuery(a.renewRecoveryCodes)},
		{"GET", "/api/v1/auth/sessions", FirstLogin, a.listSessions},
		{"DELETE", "/api/v1/auth/sessions/:id", FirstLogin, noQuery(a.endSession)},
	}
}

// accountRoutes: who may log in: people and machines.
func (a *API) accountRoutes() []Route {
	return []Route{
		{"GET", "/api/v1/accounts", Session, a.listAccounts},
		{"POST", "/api/v1/accounts", Session, noQuery(a.createAccount)},
		{"GET", "/api/v1/accounts/:id", Session, noQuery(a.getAccount)},
		{"PATCH", "/api/v1/accounts/:id", Session, noQuery(a.patchAccount)},
		{"POST", "/api/v1/accounts/:id/reset", Session, noQuery(a.resetAccount)},
		{"GET", "/api/v1/practitioners", Session, a.listPractitioners},
		{"GET", "/api/v1/api-keys", Session, a.listAPIKeys},
		{"POST", "/api/v1/api-keys", Session, noQuery(a.createAPIKey)},
		{"GET", "/api/v1/api-keys/:id", Session, noQuery(a.getAPIKey)},
		{"DELETE", "/api/v1/api-keys/:id", Session, noQuery(a.revokeAPIKey)},
	}
}
