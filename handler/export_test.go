package handler

// Authenticate is what the API puts before a route.
func Authenticate(s Services) HandlerFunc { return (&API{Services: s}).authenticate }
