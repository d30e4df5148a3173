// Command reference writes docs/api.md, and the tables of docs/access.md and docs/errors.md, from the table of
// operations, the access table and the error codes: go run ./internal/reference.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"novamind/handler"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func write(root string) error {
	generated, err := pages(root)
	if err != nil {
		return err
	}
	for path, text := range generated {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // everybody may read a page
			return err
		}
	}
	return nil
}

// pages returns the text of each page by its path. Text outside of the generated tables comes from the present page
// under root.
func pages(root string) (map[string]string, error) {
	openAPI, err := handler.OpenAPI()
	if err != nil {
		return nil, err
	}
	var doc document
	if err := json.Unmarshal(openAPI, &doc); err != nil {
		return nil, fmt.Errorf("the OpenAPI document: %w", err)
	}
	generated := map[string]string{filepath.Join(root, "docs/api.md"): apiPage(doc)}
	for _, t := range []struct{ page, name, table string }{
		{"docs/access.md", "access", accessTable()},
		{"docs/access.md", "operations", operationsTable()},
		{"docs/errors.md", "errors", errorsTable(doc)},
	} {
		path := filepath.Join(root, t.page)
		text, known := generated[path]
		if !known {
			stored, err := os.ReadFile(path) //nolint:gosec // a page of ours
			if err != nil {
				return nil, err
			}
			text = string(stored)
		}
		if generated[path], err = withTable(text, t.name, t.table); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return generated, nil
}
