# make        set-up, then the default experiments on the lab
# make help   the other targets

PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.ready
ENV_DEV := .venv/.ready-dev
SLURM := .venv/slurm/.ready
# Compiling all of every package takes longer than installing it, and Python compiles what it imports,
# once, unless it is told not to keep that.
PIP := $(if $(PYTHONDONTWRITEBYTECODE),,--no-compile) --disable-pip-version-check

# Of the container; and for make env which build of torch: auto, cpu or cuda (envs/torch_index.sh).
TORCH_INDEX ?=
TORCH ?= auto

.PHONY: all new who rate look run env photo container test test-all imports lab-gates bench site help

all: env
	$(BIN)/snakemake
	@echo
	@echo "Finished. Open results/*/report.html; rate pictures yourself in results/*/rating.html."
	@echo "The LoRAs are results/*/*/run-*/lora.safetensors."

env: $(ENV)

$(ENV): envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@index=$$(sh envs/torch_index.sh $(TORCH) $(BIN)/python) || exit 1; test -z "$$index" || { \
	  echo "torch for CPUs, from $$index; for an NVIDIA card: make env TORCH=cuda"; \
	  $(BIN)/python -m pip install $(PIP) --no-deps --retries 1 --index-url "$$index" \
	    $$(grep '^torch==' envs/requirements.txt) || echo "not to be had there; taking the usual build"; }
	$(BIN)/python -m pip install $(PIP) -r envs/requirements.txt
	@touch $@

$(ENV_DEV): envs/requirements-dev.txt envs/requirements-photo.txt $(ENV)
	$(BIN)/python -m pip install $(PIP) -r envs/requirements-dev.txt
	@touch $@

# In a folder of its own, out of the way of every Snakemake that goes without: it imports pandas.
$(SLURM): envs/requirements-slurm.txt $(ENV_DEV)
	$(BIN)/python -m pip install $(PIP) --no-deps --upgrade --target .venv/slurm -r envs/requirements-slurm.txt
	@touch $@

photo: env
	$(BIN)/python -m pip install $(PIP) -r envs/requirements-photo.txt

container:
	docker build -t kindred$(if $(TORCH_INDEX),:no-cuda) --build-arg TORCH_INDEX="$(TORCH_INDEX)" .

# The shell splits words of NEW, as of any command. PHOTOS comes by the environment, into which make
# puts what its command line says: so a folder may have quotes in its name.
new: env
	@test -n "$$PHOTOS" || { echo "Which folder? make new PHOTOS=photos/ours"; exit 1; }
	$(BIN)/python scripts/new_experiment.py "$$PHOTOS" $(NEW)

who: env
	@test -n "$$PHOTOS" || { echo "Which folder? make who PHOTOS=photos/ours"; exit 1; }
	$(BIN)/python scripts/who_is_who.py "$$PHOTOS" --review $(WHO)

rate: env
	@test -n "$(EXPERIMENT)" || { echo "Which experiment? make rate EXPERIMENT=ours"; exit 1; }
	$(BIN)/python scripts/rate.py "$(EXPERIMENT)" $(RATE)

look: env
	@test -n "$(EXPERIMENT)" || { echo "Which experiment? make look EXPERIMENT=ours"; exit 1; }
	$(BIN)/snakemake --config experiments=$(EXPERIMENT)-first-look

run: env
	@test -n "$(EXPERIMENT)" || { echo "Which experiment? make run EXPERIMENT=ours"; exit 1; }
	$(BIN)/snakemake --config experiments=$(EXPERIMENT)

# Two workers take from each other what is left, so that neither ends alone. Compiled tests are kept even
# where Python was told to keep nothing: compiling their assertions is nearly half of collecting them.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist worksteal

test: imports
	$(PYTEST) -m "not long"

test-all: imports $(SLURM)
	$(PYTEST) --durations=40

imports: $(ENV_DEV)
	PYTHONPATH=scripts $(BIN)/lint-imports

lab-gates: env
	$(BIN)/snakemake --config experiments=lab-singles
	$(BIN)/python scripts/lab_acceptance.py --singles results/lab-singles \
	  --sheets results/lab-sheets --out results/lab-gates.json

# In an environment of its own: what it needs has no part in any result. Pages keep the places that
# they have here, so that links hold.
site:
	test -x .venv-site/bin/zensical || $(PYTHON) -m venv .venv-site
	.venv-site/bin/python -m pip install $(PIP) -q -r envs/requirements-site.txt
	rm -rf site-pages && mkdir site-pages
	git ls-files -z -- "*.md" "*.webp" "*.svg" "*.csv" "config/*.yaml" LICENSE CITATION.cff ":!report" ":!tests" \
	  | xargs -0 tar -c | tar -x -C site-pages
	.venv-site/bin/zensical build --strict

# Those that need no GPU and no folder of photos, and end within minutes.
bench: $(ENV_DEV)
	for name in train_step render score report noop; do \
	  echo "== benchmarks/$$name.py"; $(BIN)/python benchmarks/$$name.py || exit 1; done

help:
	@echo "make            installs everything (.venv) and runs the default experiments on the lab"
	@echo "make env        installs everything into .venv; TORCH=cpu or TORCH=cuda says which build of PyTorch"
	@echo "make who PHOTOS=photos/ours     names every face in the folder; asks you in the browser (run make photo first)"
	@echo "                with options: WHO='--people Jorvek:man Amitas:woman'"
	@echo "make new PHOTOS=photos/ours     writes an experiment for a folder of your photos"
	@echo "                with options: NEW='--gpu 12 --people Jorvek:man'"
	@echo "make look EXPERIMENT=ours       takes a first look: everybody drawn by the base, and after 100 steps"
	@echo "make run EXPERIMENT=ours        runs all of it; called again, it continues where it stopped"
	@echo "make rate EXPERIMENT=ours       rates its pictures in the browser; RATE=--pairs compares two"
	@echo "make photo      installs the judge of real faces"
	@echo "make container  builds an image with all packages; see docs/guide/cluster.md"
	@echo "make test       installs everything, checks the library's floors, runs the daily tests"
	@echo "make test-all   the same with tests that take long and rarely fail"
	@echo "make lab-gates  measures again how good the lab's models are"
	@echo "make bench      measures speed on this computer; benchmarks/README.md lists what else can be measured"
	@echo "make site       builds these pages as a site with search, in site/"
	@echo "After 'make env':  . .venv/bin/activate, then 'snakemake' builds what config/config.yaml names"
	@echo "Another Python: make PYTHON=python3.12"
