# make demo      install into .venv, run the chain on phantoms, and say where the page is
# make test      install into .venv and run the tests
# make lint      ruff, mypy, and the layers of the package (import-linter)
# make manual    write man/, completions/ and the README's tables anew
# make install   put the man pages and completions under PREFIX

PYTHON ?= python3
PREFIX ?= /usr/local
DEMO ?= demo
# What pytest is given: a worker for each core.
PYTEST ?= -n auto

BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo test lint manual check-manual benchmarks install clean

demo: .venv/.package
	$(BIN)/cxrtool demo -d $(DEMO)

test: .venv/.dev
	$(BIN)/pytest $(PYTEST)

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

manual: .venv/.dev
	$(BIN)/python -m cxrtool.cli.manual

check-manual: .venv/.dev
	$(BIN)/python -m cxrtool.cli.manual --check

benchmarks: .venv/.dev
	for b in tests/benchmarks/*.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

install:
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 644 man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 644 man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 644 completions/cxrtool.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cxrtool
	install -m 644 completions/_cxrtool $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cxrtool
	install -m 644 completions/cxrtool.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cxrtool.fish

clean:
	rm -rf .venv $(DEMO) build *.egg-info

.venv/bin/python:
ifdef UV
	$(UV) venv --seed --python '>=3.11' .venv
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'cxrtool needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)' >&2; exit 1; }
	$(PYTHON) -m venv .venv
endif

# torch and torchvision are large: the first install takes minutes and 6.2 GB.
.venv/.package: pyproject.toml | .venv/bin/python
	@echo 'Installing cxrtool and what it needs into .venv (PyTorch: 2 to 7 minutes by machine, up to 6.2 GB) ...'
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python -e .
else
	$(BIN)/python -m pip install --quiet -e .
endif
	@touch $@

.venv/.dev: .venv/.package
ifdef UV
	$(UV) pip install --quiet --python $(BIN)/python -e '.[dev]'
else
	$(BIN)/python -m pip install --quiet -e '.[dev]'
endif
	@touch $@
