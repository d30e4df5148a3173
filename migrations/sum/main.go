// Command sum rewrites migrations.sum after a new migration was written: go run ./migrations/sum [DIR].
package main

import (
	"fmt"
	"os"

	"novamind/migrations"
)

func main() {
	dir := "migrations"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := migrations.WriteSums(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
