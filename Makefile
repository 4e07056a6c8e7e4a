# `make help` lists what can be made.
PYTHON ?= python3
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo crawl scrapyd timetable egg test test-long lint bench bench-storm bench-market bench-publish recordings docs lock clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: ## make .venv with what the project needs
	@$(PYTHON) tools/environment.py

setup-dev:
	@$(PYTHON) tools/environment.py --dev

demo: setup ## do the whole job against the sandbox's market, in a minute
	@$(VENV)/scrapy demo

crawl: setup ## read products: make crawl PRODUCTS=102298404,106185651 [CITIES=750000000]
	@test -n "$(PRODUCTS)" || { echo "Say which: make crawl PRODUCTS=102298404"; exit 2; }
	@$(VENV)/scrapy crawl products -a products="$(PRODUCTS)" $(if $(CITIES),-a cities="$(CITIES)")

scrapyd: setup ## scrapyd on this machine, with a password, until stopped
	@$(VENV)/scrapy daemon

timetable: setup ## start what is due through scrapyd, until stopped
	@$(VENV)/scrapy timetable run

egg: setup ## pack the rooms for a scrapyd elsewhere: dist/*.egg
	@$(VENV)/python -W ignore setup.py -q clean --all bdist_egg --dist-dir dist
	@ls dist/*.egg

test: lint ## run every check and test
	@$(VENV)/pytest -q

test-long: setup-dev ## run the tests that take minutes, too
	@$(VENV)/pytest -q -m "long or not long"

lint: setup-dev ## check style, types and layers
	@$(VENV)/ruff format --check .
	@$(VENV)/ruff check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports

bench: setup-dev ## measure, side by side in one run
	@$(VENV)/python -m benchmarks

bench-storm: setup-dev ## crawl 2,000 products through a storm, and compare with the truth
	@$(VENV)/python -m benchmarks.storm $(if $(QUICK),--quick)

bench-market: setup-dev ## four weeks in many markets: our strategies and public rules, side by side
	@$(VENV)/python -m benchmarks.market $(if $(QUICK),--quick)

bench-publish: setup-dev ## let 100,000 prices leave through a storm, and count by the sandbox's book
	@$(VENV)/python -m benchmarks.publish $(if $(QUICK),--quick)

recordings: setup ## ask the storefront anew for all recordings, and show what has drifted
	@$(VENV)/scrapy record --refresh

docs: setup-dev ## make the pages of docs/ that come from the code
	@$(VENV)/python -m tools.docs

lock: ## pin and hash the requirements anew (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -o requirements.txt requirements.in
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements.txt -o requirements-dev.txt requirements-dev.in

clean: ## forget the virtual environment; data and exports stay
	rm -rf .venv
