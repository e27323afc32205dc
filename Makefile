# make        set-up, then the default experiments on the lab
# make help   the other targets

PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.ready
ENV_DEV := .venv/.ready-dev

.PHONY: all env photo test lab-gates bench help

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
	$(BIN)/python -m pip install --disable-pip-version-check -r envs/requirements.txt
	@touch $@

$(ENV_DEV): envs/requirements-dev.txt envs/requirements-photo.txt $(ENV)
	$(BIN)/python -m pip install --disable-pip-version-check -r envs/requirements-dev.txt
	@touch $@

photo: env
	$(BIN)/python -m pip install --disable-pip-version-check -r envs/requirements-photo.txt

test: $(ENV_DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lab-gates: env
	$(BIN)/snakemake --config experiments=lab-singles
	$(BIN)/python scripts/lab_acceptance.py --singles results/lab-singles \
	  --sheets results/lab-sheets --out results/lab-gates.json

bench: $(ENV_DEV)
	for program in benchmarks/*.py; do echo "== $$program"; $(BIN)/python $$program || exit 1; done

help:
	@echo "make            set-up (.venv) and the default experiments on the lab"
	@echo "make env        set-up alone"
	@echo "make photo      set-up of the judge of real faces"
	@echo "make test       set-up and all tests"
	@echo "make lab-gates  how good the lab's models are, measured anew"
	@echo "make bench      speed and memory figures"
	@echo "After 'make env':  . .venv/bin/activate, then 'snakemake' builds what config/config.yaml names"
	@echo "Another Python: make PYTHON=python3.12"
