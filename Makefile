# make demo     everything set up, a sample drive processed, the WebUI served until Ctrl-C (EXIT=1: ends by itself)
# make setup    what runs is installed into .venv, and nothing else: for a machine of a home; EXTRAS: gpu, jetson,
#               postgres, docker, or several with commas
# make dev      what tests, checks and documents want as well
# make test     everything set up, all tests
# make test-postgresql  what keeps anything in a database once more, on PostgreSQL
# make check    linters, types, import contracts, no name for two things, each guard's code is there, what the documents
#               say is there; in seconds
# make guards   each guard of tests/guards.toml taken out by itself: the test that names it has to fail (10 minutes)
# make fuzz-clips  CLIPS (300) damaged clips through the whole pipeline, from SEED on; REAL: a folder with real ones
# make fuzz     hostile files for the readers of containers and positions, FUZZ_S seconds (60)
# make fuzz-api EXAMPLES (200) requests to each call of the API, drawn by SEED (1): none may be an error of ours
# make chaos    faults by seed, SEEDS of them (10), for CHAOS_MIN minutes at most; .chaos/report.json
# make screenshots  every page of the WebUI, light, dark and on a phone, in .screenshots/
# make docs     the documents as pages with a search, in .site/pages; a broken link is an error
# make home     a site of several hosts as network namespaces, set up by `dashcam init` and `join`; then one of two hosts,
#               which do what the missing ones would (root; minutes)
# make home-postgresql  the same with PostgreSQL on its main server
# make evaluate how well plates are found and read, beside the reference pair, as Markdown
# make test-torch the engines of GPU and Jetson against the CPU's; installs the extras gpu and jetson (6 GB)
# make train-reader   the plate reader from drawn and photographed plates, about an hour on two cores
# make train-detector the plate detector from photographs, about an hour on two cores
PYTHON ?= python3
VENV := .venv
TRAIN := training/.venv
BIN := $(VENV)/bin
DATA ?= .demo/data
VIDEOS ?=
EXIT ?=
EXTRAS ?=
SHARED ?= $(or $(DASHCAM_SHARED),../shared)

CLIPS ?= 300
EXAMPLES ?= 200
FUZZ_S ?= 60
SEEDS ?= 10
CHAOS_MIN ?=

KEEPING := tests/tasks tests/catalog tests/access tests/upkeep tests/app tests/test_database.py

.PHONY: demo test test-postgresql test-torch check screenshots docs guards fuzz fuzz-api home evaluate train-reader train-detector format \
  setup dev clean

demo: $(VENV)/.base
ifeq ($(VIDEOS),)
	$(BIN)/dashcam sample .demo/drive
	$(BIN)/dashcam process .demo/drive --data $(DATA) $(if $(EXIT),,--keep-serving)
else
	$(BIN)/dashcam process "$(VIDEOS)" --data $(DATA) $(if $(EXIT),,--keep-serving)
endif

# what starts whole systems or holds times against each other comes one after another, what waits for a browser two at a
# time without what computes for minutes; to look for them in their files alone, not in all, takes less
ONE_BY_ONE := system or alone
THEIR_FILES = $(sort $(shell grep -rlE "mark\.($(1))" tests --include="test_*.py"))

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not (browser or $(ONE_BY_ONE))"
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "browser and not ($(ONE_BY_ONE))" $(call THEIR_FILES,browser)
	$(BIN)/python -m pytest -m "$(ONE_BY_ONE)" $(call THEIR_FILES,system|alone)

test-postgresql: $(VENV)/.dev
	$(BIN)/python -m pytest --postgresql -m "not browser" -k "not [sqlite" $(KEEPING)

screenshots: $(VENV)/.dev
	PYTHONPATH=lib:. $(BIN)/python -m tests.app.screenshots .screenshots

test-torch: $(VENV)/.torch
	$(BIN)/python -m pytest tests/torch

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --platform win32 --cache-dir .mypy_cache/windows
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --durations 0 --durations-min 60 -k 'not collected' \
	  tests/test_names.py tests/test_guards.py tests/test_docs.py

docs: $(VENV)/.dev
	@$(BIN)/python deploy/documents.py && echo "The pages: .site/pages/index.html"

guards: $(VENV)/.dev
	$(BIN)/python -m tests.guards

fuzz-clips: $(VENV)/.dev
	PYTHONPATH=lib:. $(BIN)/python -m tests.fuzz.clips $(CLIPS) $(if $(SEED),--seed $(SEED)) $(if $(REAL),--real $(REAL))

fuzz: $(VENV)/.fuzz
	PYTHONPATH=lib:. $(BIN)/python -m tests.fuzz.containers .fuzz/containers -max_total_time=$(FUZZ_S) -print_final_stats=1

fuzz-api: $(VENV)/.dev
	DASHCAM_EXAMPLES=$(EXAMPLES) SEED=$(or $(SEED),1) $(BIN)/python -m pytest --timeout 3600 tests/app/access/test_any_request.py

home: $(VENV)/.dev
	PYTHONPATH=lib:. $(BIN)/python -m tests.home
	PYTHONPATH=lib:. $(BIN)/python -m tests.home --few

home-postgresql: $(VENV)/.dev
	PYTHONPATH=lib:. $(BIN)/python -m tests.home --postgresql

chaos: $(VENV)/.dev
	@mkdir -p .chaos
	$(BIN)/dashcam chaos --seeds $(SEEDS) $(if $(CHAOS_MIN),--minutes $(CHAOS_MIN)) --json .chaos/report.json

evaluate: $(VENV)/.base
	PYTHONPATH=lib:. $(BIN)/python -m benchmarks.plates --data $(SHARED)/data

train-reader: $(TRAIN)/.done
	sh training/fonts.sh training/.cache/fonts
	PYTHONPATH=lib:. $(TRAIN)/bin/python -m training.reader.train --data $(SHARED)/data --fonts training/.cache/fonts \
	  --teacher $(SHARED)/models/cct_xs_v2_global.onnx --out models/plate-reader.onnx

train-detector: $(TRAIN)/.done
	PYTHONPATH=lib:. YOLO_CONFIG_DIR=training/.cache YOLO_OFFLINE=true $(TRAIN)/bin/python -m training.detector.train \
	  --data $(SHARED)/data --start models/plate-detector.pt --coco $(SHARED)/models/yolov8n_from_int8.pt \
	  --teacher $(SHARED)/models/yolo-v9-t-416-license-plates-end2end1.onnx --out models/plate-detector.onnx

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

setup: $(VENV)/.base
ifneq ($(EXTRAS),)
	@$(ENVIRONMENT) --extras $(EXTRAS)
endif

dev: $(VENV)/.dev

# what the packages' own programs say is in .venv/install.log; an error shows the end of it
ENVIRONMENT := $(PYTHON) deploy/environment.py

$(VENV)/.base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "dashcam-processor needs Python 3.11 or newer: name one with make PYTHON=/path/to/python3")'
	@$(ENVIRONMENT)
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@$(ENVIRONMENT) --extras dev,postgres,docker,chaos
	@touch $@

$(VENV)/.fuzz: $(VENV)/.dev
	@$(ENVIRONMENT) --extras fuzz
	@touch $@

# the engines of GPU and Jetson are several gigabytes
$(VENV)/.torch: $(VENV)/.dev
	@$(ENVIRONMENT) --extras gpu,jetson onnx
	@touch $@

# of its own: the converter to TFLite wants older versions of what the rest runs on
$(TRAIN)/.done: training/requirements.txt
	@echo "==> Installing what trains networks into $(TRAIN), several gigabytes"
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --disable-pip-version-check --progress-bar off --no-compile -r training/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) $(TRAIN) .demo .fuzz .chaos .site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
