# `make` alone prints this help.
.DEFAULT_GOAL := help
.PHONY: help install execute test stress lint data verify publish pdf submission \
        benchmark lab clean

OUT ?= build
# Make evaluates what it exports; these hold a user's text.
unexport OUT DATA QUICK SEED JOBS
# A variable's value as one word of the shell, with nothing in it evaluated.
quoted = '$(subst ','\'',$(value $1))'
RUN = .venv/bin/python
PYTEST = $(RUN) -m pytest --numprocesses 2 --dist loadscope
CHECK = import sys, venv, ensurepip; \
        sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

help:
	@echo "make execute    run the notebook, render it, write it all to build/"
	@echo "                DATA=path.csv  your own data"
	@echo "                QUICK=1        fewer folds and epochs"
	@echo "                SEED=n         another split, other networks"
	@echo "                JOBS=n         worker processes (one per core)"
	@echo "                OUT=folder     instead of build/"
	@echo "                BACKEND=dask SCHEDULER=tcp://host:port  a cluster"
	@echo "make test       run the tests, a quick notebook run among them"
	@echo "make stress     kill runs, feed odd data, compare runs (long)"
	@echo "make lint       check the style of code and notebook"
	@echo "make install    only make .venv, with what requirements.txt pins"
	@echo "make data       write the stand-in data again, byte for byte"
	@echo "make verify     run again, compare every number with the committed"
	@echo "make pdf        print the rendered page (needs Chromium or Chrome)"
	@echo "make submission pack build/ and all it needs into one zip"
	@echo "make publish    put the last full run in the repository"
	@echo "make benchmark  time the search against its peers (an hour)"
	@echo "make lab        open the notebook in JupyterLab"
	@echo "make clean      remove build/ and .venv/"

install: .venv/installed

# PYTHON=... chooses the Python; else the first one that will do.
.venv/installed: requirements.txt
	@for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); \
	do if "$$python" -c "$(CHECK)" 2>/dev/null; then \
	  echo "Installing into .venv, once (some minutes)"; \
	  "$$python" -m venv --clear .venv && \
	  $(RUN) -m pip install --quiet --disable-pip-version-check \
	    --require-hashes -r requirements.txt && touch $@; \
	  exit; \
	fi; done; \
	echo "Python 3.11, 3.12 or 3.13 with the venv module is needed." \
	  "Install one from python.org or your system (on Debian and Ubuntu" \
	  "with its python3.x-venv package), or name it:" \
	  "make PYTHON=/path/to/python3.12" >&2; exit 1

# Dask, for BACKEND=dask and its tests; what else the tests need.
.venv/dask .venv/test: .venv/%: .venv/installed requirements-%.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements-$*.txt && touch $@

execute: install $(if $(filter dask,$(BACKEND)),.venv/dask)
	@exec $(RUN) scripts/execute.py --make $(shell echo $$PPID) \
	  --out=$(call quoted,OUT) --data=$(call quoted,DATA) \
	  --quick=$(call quoted,QUICK) --seed=$(call quoted,SEED) \
	  --jobs=$(call quoted,JOBS) --backend=$(call quoted,BACKEND) \
	  --scheduler=$(call quoted,SCHEDULER)

test: install .venv/dask .venv/test
	@$(PYTEST)

stress: install .venv/dask .venv/test
	@$(PYTEST) -m stress

lint: install
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

data: install
	@$(RUN) -m helpers.simulate

verify: install
	@exec $(RUN) scripts/execute.py --make $(shell echo $$PPID) --out=$(call quoted,OUT)/verify
	@$(RUN) scripts/verify.py $(call quoted,OUT)/verify

pdf: install
	@$(RUN) scripts/pdf.py $(call quoted,OUT)

submission: install
	@$(RUN) scripts/submission.py $(call quoted,OUT)

publish: install
	@$(RUN) scripts/publish.py $(call quoted,OUT)

benchmark: install
	@$(RUN) -m benchmarks.run

lab: install
	@OUT=$(call quoted,OUT) JUPYTER_PREFER_ENV_PATH=1 $(RUN) -m jupyterlab --ip=127.0.0.1 \
	  assignment7.ipynb

clean:
	rm -rf build .venv
