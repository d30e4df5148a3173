package handler

import "novamind/internal/web"

// Authenticate is what the API puts before a route.
func Authenticate(s Services) web.HandlerFunc { return (&API{Services: s}).authenticate }
