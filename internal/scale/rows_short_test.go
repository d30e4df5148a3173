//go:build !scale

package scale

// patients is how many are invented.
const patients = 2_000
