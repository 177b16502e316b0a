# Each target is one command, or nearly; `make help` lists them.
# Measuring needs Linux with glibc, Rust, a C compiler and make; nothing else.

SHELL    := /bin/bash
CARGO    ?= cargo
SUITE    ?= quick
RUN      ?= latest
TARGET   := $(or $(CARGO_TARGET_DIR),target)
PLIMSOLL := $(TARGET)/release/plimsoll
# What is off unless asked for: tests, lints and documentation ask for it.
FEATURES := plimsoll-providers/monitor,plimsoll-providers/libcurl

.DEFAULT_GOAL := help
.PHONY: help build bench criterion report full live gate baseline peers test test-deps lint fmt docs deny schema clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The measured programs are built by a cargo of their own: in one build with the harness, Cargo would unify features, and a level's
# tokio would carry the harness's signal handling and its serde_json the harness's ordered maps (ARCHITECTURE.md, "One build, two halves").
# The programs of the level libcurl are a third, which `plimsoll run` builds for the suites that have it.
build: ## build the measured programs, then the harness (release)
	$(CARGO) build --locked --release -p plimsoll-subjects
	$(CARGO) build --locked --release -p plimsoll-count -p plimsoll

bench: build ## measure the levels (SUITE=quick) and write the report
	$(PLIMSOLL) run --suite $(SUITE)

criterion: build ## the same, and then criterion's benches into the same record: time and bytes allocated
	$(PLIMSOLL) run --suite $(SUITE) --benches

full: ## measure everything: every probe, scenario and factor
	@$(MAKE) bench SUITE=full

live: build ## measure against the live service, slowly (wants GEMINI_API_KEY; advisory)
	$(PLIMSOLL) run --target live

gate: build ## whether this checkout takes more memory than main (BASE=a commit, a record or a baseline)
	$(PLIMSOLL) gate $(if $(BASE),--base $(BASE))

baseline: build ## measure all that is published, about an hour, and write reports/baseline/, to be committed (make peers first)
	$(PLIMSOLL) run --suite published --benches
	$(PLIMSOLL) baseline save --out reports/baseline
	$(PLIMSOLL) report reports/baseline

peers: build ## get other people's clients (Rust, Python, Node) and measure them beside original and bare
	scripts/peers
	$(PLIMSOLL) run --suite peers

report: build ## write the report of an earlier run again (RUN=latest, or its id)
	$(PLIMSOLL) report target/plimsoll/$(RUN)

test: test-deps build ## every test: doc tests first, then the rest, so that the runner's summary is the last line
	$(CARGO) test --locked --release --workspace --doc --quiet --features $(FEATURES)
	scripts/test

test-deps: ## install what the tests need on a fresh Debian machine
	@scripts/test-deps

# A mod.rs is a map, and a map links to private modules too; a link that leads nowhere is an error all the same.
lint: fmt docs deny ## formatting, clippy, documents, dependencies: nothing may warn
	$(CARGO) clippy --locked --release --workspace --all-targets --features $(FEATURES) -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" $(CARGO) doc --locked --release --workspace --no-deps --features $(FEATURES)

fmt:
	$(CARGO) fmt --all --check

docs:
	scripts/check-docs
	scripts/check-workflows

deny:
	@if command -v cargo-deny >/dev/null; then $(CARGO) deny --locked check -A duplicate bans licenses sources; \
	else echo "cargo-deny is not installed: licences and sources were not checked (cargo install --locked cargo-deny)" >&2; fi

schema: build ## write the committed JSON Schemas again from the types
	$(PLIMSOLL) schema record > reports/schema/plimsoll.record-1.schema.json
	$(PLIMSOLL) schema sample > reports/schema/plimsoll.sample-1.schema.json
	$(PLIMSOLL) schema verdict > reports/schema/plimsoll.verdict-1.schema.json
	$(PLIMSOLL) schema config > plimsoll.schema.json

clean: ## delete what was built and measured
	$(CARGO) clean
