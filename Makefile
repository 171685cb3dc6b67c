# Speculate: `make demo` shows it, `make test` proves it. Both set a fresh machine up first.
SWIFT ?= swift
export SWIFT

SPECULATE = .build/release/speculate
SOURCES = Sources Tests Examples Package.swift
PROMPTS = Weights/demo-prompts.jsonl
QUESTIONS = Weights/demo-questions.jsonl

.DEFAULT_GOAL := help
.PHONY: help demo demo-chat build test examples bench format lint setup setup-mpi

help:    ## show this list
	@sed -n 's/^\([a-z-]*\): *\([a-z]* \)*\(.*\)## \(.*\)/  make \1\t\4/p' $(MAKEFILE_LIST) | expand -t 18

demo: build  ## generate Swift code, plainly and speculatively, and compare the two
	@$(SPECULATE) generate --prompt-file $(PROMPTS) --limit 1 --echo --stats
	@echo
	@$(SPECULATE) generate --prompt-file $(PROMPTS) --compare

demo-chat: build  ## fetch a public chat model and answer eight questions, plainly and speculatively
	@$(SPECULATE) fetch smollm2-135m-instruct
	@echo
	@$(SPECULATE) generate --target smollm2-135m-instruct --chat --prompt-file $(QUESTIONS) --compare --echo

build: setup  ## build the command, .build/release/speculate
	@$(SWIFT) build -c release --product speculate

# A server's connections share their threads with whatever tests run beside them, so its tests run apart.
TEST = $(SWIFT) test -c release --disable-xctest --disable-testable-imports

test: setup  ## run every test
	$(TEST) --skip ServerTests
	$(TEST) --skip-build --filter ServerTests

examples: setup  ## build the programs of Examples, as a package outside does
	@$(SWIFT) build --package-path Examples --scratch-path .build/examples

bench: build  ## measure this machine: memory, and plain decoding against it
	@$(SPECULATE) bench memory
	@$(SPECULATE) bench decode

format:  ## rewrite the sources in the project's style
	$(SWIFT) format -i -r $(SOURCES)

lint:  ## check the sources against the project's style
	$(SWIFT) format lint --strict -r $(SOURCES)

setup:
	@Scripts/setup

setup-mpi: setup  ## install Open MPI, for jobs on several machines (docs/scale.md)
	@Scripts/setup mpi
