# Each target sets up what it needs first; `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo check test test-long bench eval-text validate clean

BIN := .venv/bin
export PYTHON # `make setup PYTHON=...` names the Python to use

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r target what; do \
		printf '  make %-10s %s\n' "$$target" "$$what"; done

setup: ## install her2crc and what it needs into .venv
	@bash scripts/setup.sh run

setup-test:
	@bash scripts/setup.sh test

demo: setup ## assess the example patients, screen the example registry, and write their HTML reports
	@$(BIN)/her2crc assess src/her2crc/examples/*.json --format html -o build/demo
	@$(BIN)/her2crc screen src/her2crc/examples/origimed_crc -o build/demo/origimed --overwrite
	@$(BIN)/her2crc cohort-report build/demo/origimed -o build/demo/origimed/report
	@echo "The reports are in build/demo:" && ls build/demo

check: setup-test ## format, lint, types, import rules, docs in step
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python scripts/docs.py --check

test: check ## the checks, then all tests but the long campaigns
	$(BIN)/pytest -q -n 2

test-long: setup-test ## the long generative campaigns
	$(BIN)/pytest -q -n 2 -m long

bench: setup-test ## measure this project beside its peers: one patient, FHIR bundles, whole cohorts
	$(BIN)/python bench/run.py
	$(BIN)/python bench/cohort.py

eval-text: setup-test ## score the reading of report text, beside its peers
	@bash scripts/setup.sh peers
	$(BIN)/python bench/text_eval.py

validate: setup-test ## check every interval of the copy numbers against simulated truth and real normals
	$(BIN)/python bench/validate.py

clean: ## remove everything that these targets made
	rm -rf .venv .venv-peers build dist tests/cql/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests scripts bench '(' -name __pycache__ -o -name _compiled ')' -type d -prune -exec rm -rf {} + 2>/dev/null || true
