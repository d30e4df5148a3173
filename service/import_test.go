package service_test

import (
	"fmt"
)

// line returns the FHIR resource of the nth invented patient.
func line(n int) string {
	return fmt.Sprintf(`{"resourceType":"Patient","id":"00000000-0000-4000-8000-%012d","name":[{"family":"Family%d","given":["Given"]}],`+
		`"birthDate":"1970-01-02","telecom":[{"system":"email","value":"p%d@example.org"}]}`, n, n, n) + "\n"
}
