# Everything a developer or CI runs. `make` alone lists it.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 30s

# Tested is what ships: a static binary that knows nothing of where it was built, so that every clone shares the build cache.
export CGO_ENABLED = 0
export GOFLAGS    += -trimpath

.DEFAULT_GOAL := help
.PHONY: help run build test race check generate fuzz clean docker

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## Run the demo on http://127.0.0.1:8080/demo, with a Postgres of its own
	@test -n "$$DATABASE_URL" || .ci/setup postgres
	bin/parley serve --demo

build: ## Build bin/parley
	@mkdir -p bin
	@# go run keeps the linked program in the build cache, as go build does not: linking takes longer than all else of a start.
	go run -ldflags '$(LDFLAGS)' -exec 'cp -f' ./cmd/parley bin/parley

test: ## Run all tests, on a real Postgres and a real browser
	@.ci/setup postgres chromium
	go test ./...

race: ## Run all tests under the race detector (needs a C compiler, and three times as long)
	@.ci/setup postgres chromium
	CGO_ENABLED=1 go test -race -timeout 30m ./...

check: ## Format, vet, staticcheck, and whether generated files and go.mod are up to date
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'run gofmt -w on these' >&2; exit 1; }
	go vet ./...
	go tool staticcheck ./...
	.ci/generated
	go mod tidy -diff

generate: ## Regenerate what is generated and committed: templ's Go, the widget's bundle
	go tool templ generate
	go generate ./...

fuzz: ## Fuzz every fuzz target for FUZZTIME (30s) each
	@grep -rl --include='*_test.go' '^func Fuzz' . | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\).*/\1/p' "$$file" | while read -r name; do \
			echo "$$name in $$(dirname "$$file")"; \
			go test "$$(dirname "$$file")" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s </dev/null || exit 1; \
		done || exit 1; \
	done

clean: ## Remove what was built; data stays
	rm -rf bin

docker: ## Build the container image parley:VERSION
	docker build --build-arg VERSION=$(VERSION) -t parley:$(VERSION) .
