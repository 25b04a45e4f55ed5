"""What several test files share."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import matplotlib as mpl
import nbformat
import numpy as np
import outputs
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from outputs import OUTPUTS
from pdf import find_browser
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
mpl.use("Agg")

# of a small notebook that fails, waits or succeeds as it is told
PARAMETERS = """\
DATA = "data/gene_expression_data.csv"
QUICK = False
SEED = 0
JOBS = 0"""
BEHAVE = """\
import os, pathlib, time
progress = open(os.environ["PROGRESS_FILE"], "a")
print("1 of 2 fits done", file=progress, flush=True)
if "fail" in DATA:
    raise ValueError("two lines\\nof a cause")
if "die" in DATA:
    os.kill(os.getpid(), 9)
if "wait" in DATA:
    time.sleep(60)"""
RESULTS = """\
import json
out = pathlib.Path(os.environ["OUT"])
(out / "figures").mkdir()
(out / "figures" / "one.png").write_bytes(b"figure")
results = {"environment": {"quick": QUICK, "seed": SEED}}
(out / "results.json").write_text(json.dumps(results))"""


def call(script, *arguments, root=ROOT, **options):
    """Run a script of the repository at `root`, and return how it ended."""
    command = [sys.executable, root / "scripts" / f"{script}.py", *arguments]
    return subprocess.run(
        [str(part) for part in command],
        **{"cwd": root, "capture_output": True, "text": True} | options,
    )


def quick_run(out, data, *options, root=ROOT, **environment):
    """Run the notebook quickly, and return the bytes of its results."""
    done = call(
        *("execute", "--quick", 1, "--data", data, "--out", out, *options),
        root=root,
        env=os.environ | environment,
    )
    assert done.returncode == 0, done.stderr
    return (out / "results.json").read_bytes()


def run_papermill(folder, data):
    """Run the notebook quickly on `data`, by papermill alone, as README says.

    Its outputs are written to `folder`. The checks on simulated data, which
    do not depend on a file, are those of the last full run.
    """
    notebook = read_notebook(ROOT)
    [checks] = [c for c in notebook.cells if "run_controls(" in c.source]
    checks.source = """\
import json
kept = json.loads(Path("results.json").read_text())["controls"]
controls = report.Controls(kept)"""
    nbformat.write(notebook, folder / "in.ipynb")
    command = [sys.executable, "-m", "papermill", "--no-progress-bar"]
    command += [str(folder / "in.ipynb"), str(folder / "out.ipynb")]
    command += ["-p", "QUICK", "True", "-p", "JOBS", "1"]
    command += ["-p", "DATA", str(data)]
    own = {"OUT": str(folder), "JUPYTER_PREFER_ENV_PATH": "1"}
    subprocess.run(command, cwd=ROOT, env=os.environ | own, check=True)


def fill(out):
    """Make `out` hold what stands for the outputs of an earlier run."""
    out.mkdir()
    for name in OUTPUTS:
        (out / name).write_text("old")


def is_untouched(out):
    """Tell whether `out` holds what `fill` wrote, with nothing beside it."""
    return {path.name: path.read_text() for path in out.iterdir()} == (
        dict.fromkeys(OUTPUTS, "old")
    ) and not list(out.parent.glob(".*-run-*"))


def read_notebook(folder):
    return nbformat.read(folder / outputs.NOTEBOOK, as_version=4)


def make_project(root):
    """Make a repository with the real scripts and a small notebook."""
    for name in ("scripts", "templates"):
        shutil.copytree(ROOT / name, root / name)
    for name in (*outputs.SOURCES, outputs.DATA, "README.md"):
        path = root / name.replace("**/*", "text/one")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    parameters = new_code_cell(PARAMETERS)
    parameters.metadata["tags"] = ["parameters"]
    cells = [
        new_markdown_cell("# Title\n\n## 1. One"),
        parameters,
        new_markdown_cell("Words.\n\n## 2. Two\n\n```\n# no heading\n```"),
        new_code_cell(BEHAVE),
        new_markdown_cell("## 3. Three"),
        new_code_cell(RESULTS),
    ]
    kernel = {"name": "python3", "language": "python", "display_name": "P"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, root / outputs.NOTEBOOK)
    return root


@pytest.fixture
def project(tmp_path):
    """A small project, in a folder whose name asks for trouble."""
    return make_project(tmp_path / "project {0} élève")


@pytest.fixture(scope="session")
def executed(tmp_path_factory):
    """A small project after a run without parameters."""
    root = make_project(tmp_path_factory.mktemp("executed") / "project")
    done = call("execute", root=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.fixture
def finished(executed, tmp_path, monkeypatch):
    """A copy of that, which the scripts take for their own repository."""
    root = shutil.copytree(executed, tmp_path / "finished")
    monkeypatch.setattr(outputs, "ROOT", root)
    return root


@pytest.fixture(scope="module")
def browser():
    path = find_browser()
    if not path:
        why = "no Chromium or Chrome is installed (apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        yield browser
        browser.close()


def await_address(log):
    """Return the address, and the token that opens it, of the JupyterLab that
    writes to `log`."""
    address, deadline = None, time.monotonic() + 60
    while not address and time.monotonic() < deadline:
        time.sleep(0.2)
        address = re.search(
            r"(http://127\.0\.0\.1:\d+)/lab\S*token=(\w+)", log.read_text()
        )
    assert address, log.read_text()
    return address.groups()


def make_table(
    n=6, times=(0, 1, 2), genes=("A", "B"), name="{g}_Time_{t}", outcome=None
):
    """Return a time-major table and its values (n, T, G)."""
    X = np.random.default_rng(0).normal(size=(n, len(times), len(genes)))
    X = X.astype(np.float32)
    names = [name.format(g=g, t=t) for t in times for g in genes]
    table = pd.DataFrame(X.reshape(n, -1), columns=names)
    table["Outcome"] = [0, 1] * (n // 2) if outcome is None else outcome
    return table, X


@pytest.fixture
def save(tmp_path):
    def write(table, name="data.csv", **options):
        path = tmp_path / name
        if isinstance(table, pd.DataFrame):
            table.to_csv(path, index=options.pop("index", False), **options)
        elif isinstance(table, str):
            path.write_text(table)
        else:
            path.write_bytes(table)
        return path

    return write
