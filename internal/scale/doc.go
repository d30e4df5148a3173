// Package scale measures properties that show only with many patients. It measures how much the blind indexes tell a
// thief, how a search compares with a search in the clear, and how fast values move to new keys while the clinic
// works. make scale runs the long form, on 100,000 invented patients.
package scale
