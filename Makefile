.DEFAULT_GOAL := help
.PHONY: help install execute verify publish pdf submission lab data test \
        stress lint benchmark clean
OUT ?= build
RUN = .venv/bin/python
PYTEST = $(RUN) -m pytest --numprocesses 2 --dist loadfile
# into .venv, whatever a user's pip.conf or environment says
PIP = $(RUN) -m pip install --quiet --disable-pip-version-check \
      --require-hashes --no-user --target= --prefix="$$PWD/.venv"
CHECK = import sys, venv, ensurepip; \
        sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# A user's text as one word of the shell. The shell evaluates nothing in it,
# nor does make, which would if it exported it.
unexport OUT DATA GROUPS QUICK SEED JOBS BACKEND SCHEDULER
quoted = '$(subst ','\'',$(value $1))'
option = $(if $(value $2),--$1=$(call quoted,$2))

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 } \
	  sub(/^##/, "") { print }' Makefile

install: .venv/installed ## only make .venv, with what requirements.txt pins

# PYTHON=... chooses the Python; else the first one that will do.
.venv/installed: requirements.txt
	@for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11); do \
	  "$$python" -c "$(CHECK)" 2>/dev/null || continue; \
	  echo "Installing into .venv, once (some minutes)"; \
	  "$$python" -m venv --clear .venv && $(PIP) -r $< && touch $@; exit; \
	done; \
	echo "Python 3.11, 3.12 or 3.13 with its venv module is needed (Debian" \
	  "and Ubuntu: python3.x-venv). Name it: make PYTHON=/path/to/it" >&2; exit 1

# Dask, for BACKEND=dask and its tests; what else the tests need.
.venv/dask .venv/test: .venv/%: .venv/installed requirements-%.txt
	@$(PIP) -r requirements-$*.txt && touch $@

execute: install $(if $(filter dask,$(value BACKEND)),.venv/dask) ## run the notebook and render it, all into build/
	@exec $(RUN) scripts/execute.py $(call option,out,OUT) \
	  $(call option,data,DATA) $(call option,groups,GROUPS) \
	  $(call option,quick,QUICK) $(call option,seed,SEED) \
	  $(call option,jobs,JOBS) $(call option,backend,BACKEND) \
	  $(call option,scheduler,SCHEDULER)
##     DATA=path.csv   your own data
##     GROUPS=column   whose samples belong together, such as donors
##     QUICK=1         fewer folds and epochs
##     SEED=n          another split, other networks
##     JOBS=n          worker processes (one per core)
##     OUT=folder      instead of build/; a run replaces it as a whole
##     BACKEND=dask SCHEDULER=tcp://host:port   a cluster

verify: execute ## the same, then compare every number with the committed
	@$(RUN) scripts/verify.py $(call quoted,OUT)

publish: ## put the last full run in the repository
pdf: ## print the page of the last run (needs Chromium or Chrome)
submission: ## pack the last run and all it needs into one zip
publish pdf submission: install
	@$(RUN) scripts/$@.py $(call quoted,OUT)

lab: install ## open the notebook in JupyterLab
	@OUT=$(call quoted,OUT) JUPYTER_PREFER_ENV_PATH=1 \
	  $(RUN) -m jupyterlab --ip=127.0.0.1 --allow-root assignment7.ipynb

data: install ## write the stand-in data again, byte for byte
	@$(RUN) -m helpers.simulate

test: install .venv/dask .venv/test ## run the tests, with a quick run of the notebook
	@$(PYTEST)

stress: install .venv/dask .venv/test ## the tests that take minutes
	@$(PYTEST) -m stress

lint: install ## check the style of code and notebook
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

benchmark: install ## time the search against its peers (an hour)
	@$(RUN) -m benchmarks.run

clean: ## remove build/ and .venv/
	rm -rf build .build-run-* .venv
