# make demo    searches networks for a corpus that it generates
# make test    runs every test; PYTEST_ARGS="-k folds" for some, "-n 0" for
#              one process instead of one a core, at most four
# make lint    ruff, as in CI
# make clean   removes .venv and caches; records/, runs/ and corpora/ stay
#
# The first call creates .venv with Python 3.11 or 3.12; PYTHON=... names one.

VENV := .venv
RUN := $(VENV)/bin/python
# Exits with 0 under a Python that can create the environment.
SUITABLE := import sys, venv, ensurepip; \
  sys.exit(not (3, 11) <= sys.version_info < (3, 13))

.PHONY: demo test lint clean install install-dev

demo: install
	$(RUN) -m tfrecords_builder.build --corpus=synthetic \
	  --corpus_dir=corpora/synthetic --records_dir=corpora/records
	$(RUN) -m tfrecords_builder.pretrain_wav2vec \
	  --flagfile=flags/presets/demo_wav2vec.flags
	$(RUN) -m tfrecords_builder.build --corpus=synthetic \
	  --corpus_dir=corpora/synthetic --records_dir=records \
	  --sequence_features=wav2vec \
	  --wav2vec_checkpoint=corpora/wav2vec/wav2vec.npz
	$(RUN) -m emotion_nas_tf.run --flagfile=flags/presets/demo.flags

test: install-dev
	$(RUN) -m pytest -n auto --maxprocesses=4 --dist=loadfile $(PYTEST_ARGS)

lint: install-dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

install: $(VENV)/installed
install-dev: $(VENV)/installed-dev

# The stamps say what is in .venv: newer requirements are installed again.
$(VENV)/installed: requirements.txt pyproject.toml
	@if ! $(RUN) -c 'import pip' 2>/dev/null; then \
	  for python in $(or $(PYTHON),python3.11 python3.12 python3 python); do \
	    if "$$python" -c '$(SUITABLE)' 2>/dev/null; then \
	      echo "Creating $(VENV) with $$("$$python" --version)"; \
	      exec "$$python" -m venv --clear $(VENV); \
	    fi; \
	  done; \
	  echo "No Python 3.11 or 3.12 that can create a virtual environment" \
	    "among: $(or $(PYTHON),python3.11 python3.12 python3 python)." \
	    "Install one (on Debian and Ubuntu with its -venv package) or name" \
	    "one: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; \
	fi
	@echo "Installing into $(VENV) (3 GB there; a minute or more)"
	$(RUN) -m pip install --quiet --disable-pip-version-check \
	  -r requirements.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check \
	  --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check \
	  -r requirements-dev.txt
	@touch $@
