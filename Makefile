# Everything runs in .venv, which the first target that needs it sets up from the pins in constraints.txt.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := -m pip install --quiet --no-input --disable-pip-version-check
# `make lock` pins it before it resolves: left open, pip takes the newest torch even where a CPU build is at hand.
TORCH := 2.13.0
ARGS ?=

.PHONY: help attack test viz study docs chaos bench lint format lock clean FORCE

help: ## show this list
	@echo "make TARGET [ARGS=...]: ARGS go to the command that the target runs."
	@sed -nE 's/^([a-z]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "  %-8s %s\n", $$1, $$2 }'

attack: $(VENV)/.installed ## the main job, steal a model with ptaq (ARGS="--params=dataset=ml-1m,model=ncf")
	@$(BIN)/kedro run --pipeline=attack_ptaq $(ARGS)

test: $(VENV)/.installed ## run the tests, two files at a time (ARGS="tests/attacks -k gate")
	@# as collected: the files with most tests first would leave the slowest single tests for the end; one BLAS thread
	@# each: those of two workers would wait for each other; compiled files, which images of containers may forbid: the
	@# tests start Python many times
	@env -u PYTHONDONTWRITEBYTECODE OPENBLAS_NUM_THREADS=1 $(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder $(ARGS)

viz: $(VENV)/.installed ## pipelines, artifacts and figures in the browser
	@$(BIN)/kedro viz run $(ARGS)

study: $(VENV)/.installed ## a study of the paper (STUDY=table4, or STUDY=table4,dataset=ml-1m)
	@test -n "$(STUDY)" || { echo "make study: which one? For example: make study STUDY=table4" >&2; exit 2; }
	@$(BIN)/kedro run --env=paper --pipeline=study --params=study=$(STUDY) $(ARGS)

docs: $(VENV)/.installed ## all pages as a site that opens from the disk, build/site/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet $(ARGS)
	@echo "Open build/site/index.html"

audit: $(VENV)/.installed ## how easy a recommender is to copy (ARGS="--params=dataset=mine,audit.budget=30")
	@$(BIN)/kedro run --pipeline=audit $(ARGS)

chaos: $(VENV)/.installed ## kill runs by the hundred and compare what they leave, byte for byte (ARGS="--steps 700 --ray 50")
	@$(BIN)/python -m tests.chaos $(ARGS)

bench: $(VENV)/.peers ## measure speed and memory beside other libraries (ARGS="training scoring --runs 1")
	@$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.linters ## check style, formatting, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.linters ## mend style and formatting as far as ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## resolve every dependency afresh and pin it in constraints.txt
	@$(CHECK_PYTHON)
	@echo "Resolving all extras in a fresh environment: one to four minutes ..."
	@set -e; place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	$(PYTHON) -m venv "$$place/venv"; echo "torch==$(TORCH)" > "$$place/pins"; \
	"$$place/venv/bin/python" $(PIP) --constraint "$$place/pins" --editable '.[viz,test,cluster,lint,notebook,docs,bench,victims]'; \
	"$$place/venv/bin/python" -m pip freeze --exclude-editable > "$$place/frozen"; \
	{ echo "# Made by 'make lock': the packages of all extras. torch's local version (+cpu) and the CUDA packages that some of"; \
	  echo "# its builds bring along are left out, so that the pins hold with a GPU and without."; \
	  grep -vE '^(cuda|nvidia|triton)' "$$place/frozen" | sed -E 's/^(torch==[^+]+)\+.*/\1/'; } > "$$place/pinned"; \
	cp "$$place/pinned" constraints.txt
	@echo "constraints.txt pins $$(grep -c == constraints.txt) packages."

clean: ## remove what runs, tests and builds made, but no raw data
	@for folder in data/0[2-8]_*/; do find "$$folder" -mindepth 1 ! -name .gitkeep -delete; done
	@rm -rf build dist sessions .viz .coverage .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	@rm -rf data/tuned data/.locks rec_msa.log*
	@find . -path ./$(VENV) -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
	@echo "Left: data/01_raw (raw files), conf/local (your settings), $(VENV) (to set up afresh: rm -rf $(VENV))."

SAY_PYTHON = echo "make: $(1) This project needs Python 3.11, 3.12 or 3.13; name one: make PYTHON=/path/to/python3.11 ..." >&2; exit 2
CHECK_PYTHON = \
	command -v $(PYTHON) >/dev/null || { $(call SAY_PYTHON,'$(PYTHON)' was not found.); }; \
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
		|| { $(call SAY_PYTHON,'$(PYTHON)' is $$($(PYTHON) --version 2>&1).); }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "make: '$(PYTHON)' cannot make a virtual environment; on Debian or Ubuntu: apt install python3-venv" >&2; exit 2; }

# pip's own lines, one after the other in the same place: which package of how many; the last lines where it failed.
LOG := $(VENV)/.install.log
COUNT = n=0; all=$$(grep -c == constraints.txt); while read -r what name _; do \
		case "$$what $$name" in \
			Collecting\ *) n=$$((n + 1)); test -t 1 && printf '\r\033[K  %d of at most %d packages: %.40s' $$n $$all "$$name";; \
			Installing\ collected) test -t 1 && printf '\r\033[K'; echo "  All there; unpacking them, without a word from pip ...";; \
		esac; done; test -t 1 && printf '\r\033[K'
INSTALL = started=$$(date +%s); \
	{ $(BIN)/python -m pip install --no-input --disable-pip-version-check --progress-bar off \
		--constraint constraints.txt --editable ".[$$extras]" 2>&1 || echo "make-failed"; } | tee $(LOG) | { $(COUNT); }; \
	if grep -q '^make-failed$$' $(LOG); then grep -v '^make-failed$$' $(LOG) | tail -15 >&2; \
		echo "make: the installation failed, pip says why above; the same command tries again." >&2; exit 1; fi; \
	echo "Done in $$(( $$(date +%s) - started )) s."

# A stamp beside no working Python is worth nothing (.venv copied from elsewhere, its Python upgraded away).
$(VENV)/.installed: pyproject.toml constraints.txt $(shell $(BIN)/python -c '' 2>/dev/null || echo FORCE)
	@$(BIN)/python -c '' 2>/dev/null || { $(CHECK_PYTHON); \
		echo "Making the environment $(VENV) with $$($(PYTHON) --version 2>&1) ..."; $(PYTHON) -m venv --clear $(VENV); }
	@echo "Installing the pinned packages into $(VENV), once: one to four minutes, most of it torch ..."
	@extras=viz,test,cluster,docs,victims; $(INSTALL)
	@touch $@

$(VENV)/.peers: $(VENV)/.installed
	@echo "Installing the libraries to compare with into $(VENV), once: less than a minute ..."
	@extras=bench; $(INSTALL)
	@touch $@

$(VENV)/.linters: $(VENV)/.installed
	@echo "Installing the linters into $(VENV), once: less than a minute ..."
	@extras=lint; $(INSTALL)
	@touch $@
