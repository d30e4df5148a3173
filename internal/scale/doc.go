// Package scale measures what shows only with many patients: what the blind indexes tell a thief, what a search costs compared with one in the
// clear, and how fast values move to new keys while the clinic works. make scale runs the long form, on 100,000 invented patients.
package scale
