"""The notebook as it is committed, and as a student meets it: in JupyterLab,
cell by cell."""

import json
import os
import subprocess
import sys
import urllib.request

import nbformat
import outputs
import psutil
import pytest
from conftest import ROOT, await_address
from nbclient import NotebookClient

from helpers.experiments import BEST, CHECKS
from helpers.models import MODELS
from helpers.report import Controls

NOTEBOOK = nbformat.read(ROOT / outputs.NOTEBOOK, as_version=4)
CODE = [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


def find_cell(text):
    return next(cell for cell in CODE if text in cell.source)


def test_committed_notebook_is_of_one_full_run_of_these_sources():
    assert outputs.find_changes(NOTEBOOK, ROOT) == [], "make execute publish"
    assert not any(map(outputs.is_injected, NOTEBOOK.cells))
    counts = [cell.execution_count for cell in CODE]
    assert counts == list(range(1, len(CODE) + 1))
    results = json.loads((ROOT / "results.json").read_text())
    assert results["environment"]["quick"] is False


def test_models_saw_what_theory_says():
    results = json.loads((ROOT / "results.json").read_text())
    controls = Controls(results["controls"])
    assert {*controls} == {*CHECKS}
    assert all(controls.checks.values()), controls.means
    for row in controls.means.values():
        assert max(row[name] for name in MODELS) <= row[BEST] + 0.05
    assert all(len({*controls["rhythm"][name]}) == 2 for name in MODELS)


def test_notebook_starts_in_any_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    last = CODE.index(find_cell("load_expression_data(DATA"))
    notebook = nbformat.from_dict(NOTEBOOK | {"cells": CODE[: last + 1]})
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    cells = client.execute(cwd=str(tmp_path)).cells
    assert "10 genes x 50 times" in str(cells[-1].outputs)
    assert not list(tmp_path.iterdir())


def test_a_notebook_moved_away_says_where_it_belongs(tmp_path):
    source = find_cell("no helpers/ in").source
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.prefix = '/'\n{source}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("FileNotFoundError: no helpers/ in ")
    assert "make lab" in last


def find_child(pid, module):
    """Return the process below `pid` that runs `python -m module`."""
    for child in psutil.Process(pid).children(recursive=True):
        if module in child.cmdline():
            return child
    raise AssertionError(f"no process runs {module}")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """`make lab`: its process, its address, and the token that opens it."""
    home = tmp_path_factory.mktemp("home")
    settings = {"ServerApp": {"open_browser": False, "port": 0}}
    config = home / "jupyter_server_config.json"
    config.write_text(json.dumps(settings))
    log = home / "log"
    environment = {k: v for k, v in os.environ.items() if "MAKE" not in k}
    with log.open("w") as file:
        process = subprocess.Popen(
            ["make", "lab", "--assume-old=install", f"OUT={home}/build"],
            cwd=ROOT,
            stderr=file,
            env=environment
            | {"HOME": str(home), "JUPYTER_CONFIG_DIR": str(home)},
        )
    try:
        address = await_address(log)
        yield find_child(process.pid, "jupyterlab"), *address
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.terminate()
        process.wait(20)


def test_lab_listens_on_this_machine_only(lab):
    sockets = lab[0].net_connections("inet")
    assert {s.laddr.ip for s in sockets if s.status == "LISTEN"} == {
        "127.0.0.1"
    }


def test_lab_opens_the_notebook_with_the_right_python(lab):
    server, address, token = lab

    def ask(path, data=None):
        url = f"{address}/api/{path}?token={token}"
        with urllib.request.urlopen(url, data, timeout=20) as answer:
            return json.load(answer)

    assert ask(f"contents/{outputs.NOTEBOOK}")["type"] == "notebook"
    ask("kernels", b"{}")
    kernel = find_child(server.pid, "ipykernel_launcher")
    assert kernel.cmdline()[0] == sys.executable
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{address}/api/contents", timeout=20)
