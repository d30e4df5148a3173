// Command novamind is the backend of a mental-health clinic.
package main

import (
	"os"

	"novamind/cli"
)

func main() { os.Exit(cli.Main()) }
