// Package faults holds tests of the real program as a process: what survives kill -9, what is synced before an answer, and what plain text
// it leaves behind. make faults runs the long form.
package faults
