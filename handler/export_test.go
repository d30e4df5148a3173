package handler

import "novamind/internal/web"

// Authenticate returns the handler that the API runs before a route.
func Authenticate(s Services) web.HandlerFunc { return (&API{Services: s}).authenticate }
