# Everything a person runs, by name. `make` alone lists it.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
# Where it is set, each of the many processes that are started would compile everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

.PHONY: demo
demo: ## Install, create the demo plant, run it, serve http://localhost:8000 (PLANT=battery, PLANT=machining: another plant, too)
	@export PLANT=$(PLANT) MES_DEMO_STARTED_AT=$$(date +%s); $(MAKE) --no-print-directory .venv/.runtime && exec scripts/demo.sh

.PHONY: test
test: .venv/.development ## Install, fetch what is missing, check and test everything
	@scripts/test.sh

.PHONY: check
check: .venv/.development ## Lint, types, floors, migrations, templates
	@scripts/check.sh

.PHONY: history
history: .venv/.runtime ## Write a past of the demo plant in bulk (ARGS="--days 30 --seed 1 --check")
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py generate_history $(ARGS)

.PHONY: run
run: .venv/.runtime ## Serve without the demo's devices (database and settings from the environment)
	@scripts/serve.sh

.PHONY: messages
messages: .venv/.development ## Collect the texts of pages into locale/ and compile their translations (needs gettext)
	@$(BIN)/python manage.py makemessages --all --no-location --no-wrap --no-obsolete --ignore=.venv --ignore=node_modules --ignore=var --ignore=tests
	@$(BIN)/python manage.py compilemessages --ignore=.venv

.PHONY: rebuild
rebuild: .venv/.runtime ## Drop all derived rows and compute them anew from the facts
	@$(BIN)/python manage.py rebuild

.PHONY: pictures
pictures: .venv/.development ## Keep pictures of every screen of a demo that runs (ARGS="--user admin --password …")
	@$(BIN)/python -m scripts.take_pictures $(ARGS)

.PHONY: axe
axe: .venv/.development ## Let axe look at every screen of a demo that runs; writes docs/accessibility.md (ARGS="--user admin --password …")
	@$(BIN)/python -m scripts.check_accessibility $(ARGS)

.PHONY: bench-ingest
bench-ingest: .venv/.development ## Measure ingestion against raw COPY, in one run
	@$(BIN)/python manage.py bench_ingest

.PHONY: bench-kpi
bench-kpi: .venv/.development ## Measure KPIs over a year of 10^6 and 10^7 facts (ARGS="--facts 1000000")
	@$(BIN)/python manage.py bench_kpi $(ARGS)

.PHONY: bench-trace
bench-trace: .venv/.development ## Measure traces and recalls among 10^4 to 10^6 links (ARGS="--links 100000")
	@$(BIN)/python manage.py bench_trace $(ARGS)

.PHONY: bench-import
bench-import: .venv/.development ## Measure what a row of an import costs, one by one and together (ARGS="--rows 500")
	@$(BIN)/python manage.py bench_import $(ARGS)

.PHONY: bench-screens
bench-screens: .venv/.development ## Measure pages, sockets and browsers with a year of history of twenty lines (ARGS=--small)
	@$(BIN)/python -m screen_bench $(ARGS)

.PHONY: torture-ingest
torture-ingest: .venv/.development ## Kill servers, databases and buses while devices send (ARGS="server-kill --cycles 25")
	@$(BIN)/python -m torture $(ARGS)

.PHONY: torture-orders
torture-orders: .venv/.development ## Let 10,000 pairs of people want contrary things of one order (ARGS="--cycles 100")
	@$(BIN)/python -m torture.order_races $(ARGS)

.PHONY: torture-erp
torture-erp: .venv/.development ## Kill the receiver of webhooks 1,000 times: each message has one effect (ARGS="--cycles 50")
	@$(BIN)/python -m torture.erp_receiver $(ARGS)

.PHONY: torture-audit
torture-audit: .venv/.development ## Tamper 10,000 times with audit trails and signed records (ARGS="--cycles 500")
	@$(BIN)/python -m torture.audit $(ARGS)

.PHONY: torture-backup
torture-backup: .venv/.development ## Back up under writes 100 times, restore, damage (ARGS="--cycles 10")
	@$(BIN)/python -m torture.backups $(ARGS)

.PHONY: torture-files
torture-files: .venv/.development ## Give hostile pictures, PDFs and workbooks to whatever reads files; measure seconds and memory
	@$(BIN)/python -m torture.hostile_files

.PHONY: prove
prove: .venv/.development ## Prove that the numbers are right (ARGS=--small, ARGS="oracle --seed 2")
	@$(BIN)/python -m proof $(ARGS)

.PHONY: prove-work-log
prove-work-log: .venv/.development ## Import all of the job shop's log through the services and compare it with pandas (needs its folder)
	@MES_WHOLE_LOG=1 $(BIN)/pytest -q tests/test_real_work_log.py

.PHONY: prove-advice
prove-advice: .venv/.development ## Back-test the forecast of failures on a folder of machines' logs (DATA=…), and try the search for drifts
	@$(BIN)/python manage.py backtest_failures $(or $(DATA),$(or $(MES_REAL_DATA),../shared/data)/predictive_maintenance)
	@$(BIN)/python manage.py prove_drift

.PHONY: requirements
requirements: .venv/.development ## Pin the requirements anew, with hashes
	@$(BIN)/pip install -q uv
	@for name in requirements requirements-dev requirements-peers; do \
		$(BIN)/uv pip compile -q --generate-hashes --no-header --no-annotate --python-version 3.11 $$name.in -o $$name.txt; done
	@$(BIN)/uv pip compile -q --no-deps --generate-hashes --no-header --no-annotate --python-version 3.11 \
		requirements-no-deps.in -o requirements-no-deps.txt

.PHONY: vendor
vendor: ## Fetch the scripts and icons of pages anew (needs node; what it writes is committed)
	@cd frontend && npm ci --ignore-scripts && npm run --silent vendor

.PHONY: clean
clean: ## Stop the embedded database and remove what was installed; data stays
	@[ ! -x $(BIN)/python ] || $(BIN)/python -m core.embedded_postgres stop
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis

RUNTIME := requirements.txt requirements-no-deps.txt
DEVELOPMENT := $(RUNTIME) requirements-dev.txt requirements-peers.txt

.venv/.runtime: $(RUNTIME) scripts/install.sh
	@scripts/install.sh $(RUNTIME)
	@touch $@

.venv/.development: $(DEVELOPMENT) scripts/install.sh
	@scripts/install.sh $(DEVELOPMENT)
	@touch $@ .venv/.runtime
