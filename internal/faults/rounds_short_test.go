//go:build !faults

package faults

// rounds is the number of times that each engine's server is killed.
const rounds = 1
