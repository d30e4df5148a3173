//go:build faults

package faults

// rounds is how often each engine's server is killed.
const rounds = 25
