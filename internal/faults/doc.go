// Package faults tests the real program as a process: that its data survives kill -9, that it syncs data before an
// answer, and that it leaves no plain text behind. make faults runs the long form.
package faults
