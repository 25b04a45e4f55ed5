"""The notebook as a student meets it: in JupyterLab, cell by cell."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import nbformat
import psutil
import pytest
from conftest import ROOT
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
NOTEBOOK = nbformat.read(ROOT / "assignment7.ipynb", as_version=4)


def code_cells():
    return [cell for cell in NOTEBOOK.cells if cell.cell_type == "code"]


def find_cell(text):
    return next(cell for cell in code_cells() if text in cell.source)


def run_cells(cells, folder):
    notebook = nbformat.from_dict(NOTEBOOK)
    notebook.cells = [nbformat.from_dict(cell) for cell in cells]
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )  # fmt: skip
    return client.execute()


def up_to_the_data():
    cells = code_cells()
    last = cells.index(find_cell("data.load_expression_data(DATA)"))
    return cells[: last + 1]


def test_notebook_runs_from_any_folder(tmp_path):
    notebook = run_cells(up_to_the_data(), tmp_path)
    assert notebook.cells[-1].outputs[0].data["text/plain"] == (
        "((1000, 50, 10), (1000,))"
    )
    assert not list(tmp_path.iterdir())


def test_a_cell_run_too_early_says_what_to_run_first(tmp_path):
    cells = [*up_to_the_data()[:-1], find_cell("search.tabulate_search")]
    with pytest.raises(CellExecutionError) as caught:
        run_cells(cells, tmp_path)
    assert "name 'tuned' is not defined" in str(caught.value)
    assert "Run > Run All Above Selected Cell" in str(caught.value)


def test_a_kernel_without_the_packages_says_what_to_do():
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import helpers"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ModuleNotFoundError: ")
    assert "has no joblib. Run `make lab`" in last


def test_a_notebook_moved_away_says_where_it_belongs(tmp_path):
    source = find_cell("no helpers/ in").source
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.prefix = '/'\n{source}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    last = done.stderr.splitlines()[-1]
    assert last.startswith("FileNotFoundError: no helpers/ in ")
    assert "run `make lab`" in last


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab, started by the line in the Makefile; its pid and URL."""
    recipe = subprocess.run(
        ["make", "-n", "--no-print-directory", "lab"], cwd=ROOT,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    command = recipe[recipe.index("JUPYTER_PREFER") :].strip()
    command = command.replace(".venv/bin/python", sys.executable)
    home = tmp_path_factory.mktemp("home")
    log = home / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            f"exec env {command} --allow-root --no-browser --port 0",
            shell=True, cwd=ROOT, stderr=file,
            env=os.environ | {"HOME": str(home)},
        )  # fmt: skip
    try:
        url, deadline = None, time.time() + 60
        while not url and time.time() < deadline:
            time.sleep(0.2)
            url = re.search(r"http://127\.0\.0\.1:\d+/lab\S*", log.read_text())
        assert url, log.read_text()
        yield process.pid, url[0]
    finally:
        process.terminate()
        process.wait(20)


def test_lab_listens_on_this_machine_only(lab):
    sockets = psutil.Process(lab[0]).net_connections("inet")
    listening = {s.laddr.ip for s in sockets if s.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


def test_lab_opens_the_notebook_with_the_right_python(lab):
    server, token = re.fullmatch(r"(.*)/lab\S*\?token=(\w+)", lab[1]).groups()

    def ask(path, data=None):
        url = f"{server}/api/{path}?token={token}"
        with urllib.request.urlopen(url, data, timeout=20) as answer:
            return json.load(answer)

    assert ask("contents/assignment7.ipynb")["type"] == "notebook"
    ask("kernels", b"{}")
    kernel = psutil.Process(lab[0]).children()[0]
    assert kernel.cmdline()[0] == sys.executable
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{server}/api/contents", timeout=20)
