"""A student's lab session: JupyterLab in a real browser, cells changed and
run by keyboard."""

import json
import os
import shutil
import subprocess
import sys
import time

import nbformat
import outputs
import psutil
import pytest
from conftest import ROOT, await_address
from nbformat.v4 import new_code_cell

pytestmark = pytest.mark.stress
OWN_GRID = """\
own = search.run_grid_search(
    X_train,
    y_train,
    param_grid={"learning_rate": [0.001, 0.1]},
    cv=2,
    epochs=1,
    n_jobs=2,
)
print("different scores:", *set(own.cv_results_["mean_test_score"]))"""
PLAIN_FIT = """\
import keras
layers = [keras.layers.Flatten(), keras.layers.Dropout(0.5)]
plain = keras.Sequential([*layers, keras.layers.Dense(1, "sigmoid")])
plain.compile("adam", "binary_crossentropy")
print("plain fit:", *plain.fit(X_train, y_train, verbose=0).history)"""
LONG = "search.run_grid_search(X_train, y_train, epochs=500, n_jobs=2)"


@pytest.fixture
def bench(tmp_path):
    """A folder with what the notebook needs: its cells up to the split of the
    samples, and those of a student after them."""
    for name in ("helpers", "data", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    notebook = nbformat.read(ROOT / outputs.NOTEBOOK, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    last = next(i for i, c in enumerate(cells) if "X_valid, " in c.source)
    own = [new_code_cell(text) for text in (OWN_GRID, PLAIN_FIT, LONG)]
    notebook.cells = cells[: last + 1] + own
    for number, cell in enumerate(notebook.cells):
        cell.id, cell.outputs = f"cell-{number}", []
    nbformat.write(notebook, tmp_path / "try.ipynb")
    shutil.copy(ROOT / outputs.NOTEBOOK, tmp_path)
    return tmp_path


@pytest.fixture
def lab(bench, monkeypatch):
    """The address and token of a JupyterLab that keeps all cells drawn."""
    settings = bench / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    path = settings / "tracker.jupyterlab-settings"
    path.write_text(json.dumps({"windowingMode": "none"}))
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(bench / "settings"))
    monkeypatch.setenv("JUPYTERLAB_WORKSPACES_DIR", str(bench / "layout"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    log = bench / "log"
    options = ["--ip=127.0.0.1", "--allow-root", "--no-browser", "--port=0"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=bench, stderr=file)
    try:
        yield await_address(log)
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def page(lab, browser):
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(60_000)
    yield page
    page.close()


def open_notebook(page, lab, name):
    address, token = lab
    page.goto(f"{address}/lab/tree/{name}?token={token}")
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.get_by_text("| Idle").wait_for()


def select(page, number):
    page.locator(".jp-Cell").nth(number).locator(".jp-InputPrompt").click()


def wait_for_text(page, number, text, seconds=120):
    cell = page.locator(".jp-Cell").nth(number)
    area = cell.locator(".jp-Cell-outputArea").filter(has_text=text)
    area.wait_for(timeout=seconds * 1000)
    return area.inner_text()


def list_workers():
    children = psutil.Process().children(recursive=True)
    return [c for c in children if "popen_loky" in " ".join(c.cmdline())]


def test_a_student_changes_interrupts_and_restarts(page, lab):
    open_notebook(page, lab, "try.ipynb")
    select(page, 0)
    n_own = page.locator(".jp-Cell").count() - 3
    for _ in range(n_own + 2):
        page.keyboard.press("Shift+Enter")
    said = wait_for_text(page, n_own, "different scores:")
    assert len(said.split("different scores:")[1].split()) == 2
    wait_for_text(page, n_own + 1, "plain fit: loss")

    select(page, n_own + 2)
    page.keyboard.press("Control+Enter")
    wait_for_text(page, n_own + 2, "0 of 80 fits done")
    time.sleep(3)  # workers are at it
    assert list_workers()
    start = time.monotonic()
    page.keyboard.press("i")
    page.keyboard.press("i")
    said = wait_for_text(page, n_own + 2, "Interrupted:")
    assert time.monotonic() - start < 2
    assert len(said.splitlines()) == 1
    psutil.wait_procs(list_workers(), timeout=5)
    assert not list_workers()
    select(page, n_own)
    page.keyboard.press("Control+Enter")
    time.sleep(1)
    wait_for_text(page, n_own, "different scores:")

    page.keyboard.press("0")
    page.keyboard.press("0")
    page.locator(".jp-Dialog button", has_text="Restart").click()
    page.locator(".jp-Dialog").wait_for(state="detached")
    page.get_by_text("| Idle").wait_for()
    select(page, n_own)
    page.keyboard.press("Control+Enter")
    said = wait_for_text(page, n_own, "NameError")
    assert "name 'search' is not defined" in said


def test_saving_the_notebook_changes_nothing(page, lab, bench):
    path = bench / outputs.NOTEBOOK
    before, changed = path.read_bytes(), os.stat(path).st_mtime
    open_notebook(page, lab, outputs.NOTEBOOK)
    page.keyboard.press("Control+s")
    deadline = time.monotonic() + 30
    while os.stat(path).st_mtime == changed and time.monotonic() < deadline:
        time.sleep(0.2)
    assert os.stat(path).st_mtime > changed
    assert path.read_bytes() == before
