//go:build scale

package scale

// patients is how many are invented.
const patients = 100_000
