SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   := go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
FUZZTIME      ?= 10m
# The race detector, for all but SQLite's C, translated to Go, and Argon2: they aren't ours to check, and took most of the time.
UNRACED       := modernc.org/sqlite/lib modernc.org/libc/... modernc.org/memory golang.org/x/crypto/argon2
RACE          := -race $(foreach package,$(UNRACED),-gcflags=$(package)=-race=false)
# The packages that answer requests, which the race detector is for.
SERVING       := $$(go list -deps ./handler | grep '^novamind')
OTHERS        := $$(go list ./... | grep -vxF -e "$$(go list -deps ./handler)")
# Four tests of a package at a time on two cores: some of them wait, for a lease, a lock or a disk.
PARALLEL      := -parallel 4
# Gin without MessagePack, which nothing here speaks: its generated codec would be a tenth of the program's size.
TAGS          := nomsgpack
# What the environment asks for stays.
export GOFLAGS := $(strip $(GOFLAGS) -tags=$(TAGS))
# Tests write their databases to memory where there is room for them.
export TMPDIR := $(shell tools/test-folder)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/novamind, one static binary
	CGO_ENABLED=0 go build -trimpath -o bin/novamind .

.PHONY: test
test: ## vet, then test everything on SQLite and PostgreSQL, with the race detector where the program serves
	@tools/install-postgres
	@tools/require-cc
	go vet ./...
	@$(MAKE) --no-print-directory --jobs 2 test-plain test-race

# The servers under the race detector, and all other tests beside them.
.PHONY: test-plain test-race
test-plain:
	go test -vet=off -timeout 20m $(PARALLEL) -short $(SERVING)
	go test -vet=off -timeout 20m $(PARALLEL) -skip '^TestScript$$/^postgres$$/^serve' $(OTHERS)

test-race:
	NOVAMIND_TEST_ONLY_POSTGRES=1 CGO_ENABLED=1 go test -vet=off -timeout 20m $(PARALLEL) $(RACE) $(SERVING)
	NOVAMIND_TEST_ONLY_POSTGRES=1 CGO_ENABLED=1 go test -vet=off -timeout 20m $(PARALLEL) $(RACE) -run '^TestScript$$/./^serve' ./cli

.PHONY: test-short
test-short: ## test on SQLite alone; needs nothing but Go
	go test -vet=off $(PARALLEL) -short ./...

.PHONY: test-clients
test-clients: ## lint the API document, compare it with the last release, and let the generated clients tour a live server
	@tools/test-clients

.PHONY: clients
clients: ## generate the clients anew, after the API document changed
	@tools/install-node
	@go run . openapi >clients/openapi.json
	@tools/generate-clients clients/openapi.json clients/typescript/src/api.gen.ts clients/go/client.gen.go

.PHONY: test-long
test-long: faults appointments scale audit ## every exhaustive form: many rounds and steps, kills, 100,000 rows, fuzzing for FUZZTIME each
	NOVAMIND_TEST_LONG=1 go test -count=1 -timeout 60m $(PARALLEL) ./...
	@tools/fuzz $(FUZZTIME)

.PHONY: lint
lint: ## check style, layers, English, subjects of commits, docs/dependencies.md and docs/promises.md
	@tools/check-dependencies
	@tools/check-promises
	@tools/check-english 3
	@tools/check-subjects
	$(GOLANGCI_LINT) run

.PHONY: fmt
fmt: ## format with gofumpt and order the imports
	$(GOLANGCI_LINT) fmt

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10m) each
	@tools/fuzz $(FUZZTIME)

.PHONY: faults
faults: ## kill the server and PostgreSQL with SIGKILL under load and look for what was lost
	go test -count=1 -tags $(TAGS),faults ./internal/faults/...

.PHONY: scale
scale: ## measure on 100,000 patients what indexes tell, what searching costs and how fast keys change
	go test -count=1 -timeout 60m -tags $(TAGS),scale -v -bench . -benchtime 1x ./internal/scale

.PHONY: audit
audit: ## measure the audit log: 100,000 events verified, the sequencer's cost, reports on 1 million events
	go test -count=1 -timeout 60m -tags $(TAGS),scale -v -run TestVerifyManyEvents -bench 'Sequencer|Reports' -benchtime 1x ./internal/scale

.PHONY: appointments
appointments: ## let 64 clients race for appointments 50 times, and compare 10,000 steps and who sees records with models, on each engine
	NOVAMIND_TEST_LONG=1 go test -count=1 -timeout 30m -v -run 'TestOneOfManyClients|TestCrossedBookings' ./handler
	NOVAMIND_TEST_LONG=1 go test -count=1 -timeout 30m -v -run 'MatchTheModel|MatchesTheModel' ./service

.PHONY: docs
docs: ## write docs/api.md and the generated tables of docs/access.md and docs/errors.md
	go run ./internal/reference

.PHONY: bench
bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

.PHONY: sums
sums: ## rewrite the checksums of the migration files
	go run ./migrations/sum

.PHONY: released
released: ## with a release: note its columns and its API document, which the next one must not break
	go run ./models/released
	go run . openapi >docs/openapi.released.json

.PHONY: vuln
vuln: ## look for known vulnerabilities in what is called; VULNDB: a folder with the vulnerability database
	@tools/vuln $(GOVULNCHECK)

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin
