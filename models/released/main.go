// Command released writes migrations/released.columns, which a release leaves behind: the columns that its models read and write. Servers of
// that release run beside the next one's migrations, so the lint refuses to drop them: go run ./models/released [FILE].
package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"sync"

	"gorm.io/gorm/schema"

	"novamind/models"
)

func main() {
	file := "migrations/released.columns"
	if len(os.Args) > 1 {
		file = os.Args[1]
	}
	if err := write(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func write(file string) error {
	var columns []string
	for _, model := range models.All() {
		s, err := schema.Parse(model, &sync.Map{}, models.Naming{})
		if err != nil {
			return err
		}
		for _, name := range s.DBNames {
			columns = append(columns, s.Table+"."+name)
		}
	}
	slices.Sort(columns)
	out := bytes.NewBufferString("# What the models of the last release read and write, written by `make released` with each release.\n")
	for _, column := range columns {
		fmt.Fprintln(out, column)
	}
	return os.WriteFile(file, out.Bytes(), 0o644) //nolint:gosec // source code, for all to read
}
