"""The search on a real Dask scheduler and two real workers."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from helpers.search import fold_scores, run_grid_search
from helpers.simulate import simulate_expression

ROOT = Path(__file__).resolve().parents[1]
pytest.importorskip("distributed", reason="needs requirements-dask.txt")
GRID = {"num_heads": [1, 2], "key_dim": [2, 3], "dropout_rate": [0.2],
        "l2_reg": [0.01]}  # fmt: skip


@pytest.fixture(scope="module")
def data():
    found = simulate_expression("order-free", 90, 8, 3, seed=1)
    return found.X.astype(np.float32), found.y


def search(data, **options):
    return run_grid_search(
        *data, param_grid=GRID, cv=3, epochs=3, seed=2, **options
    )


@pytest.fixture(scope="module")
def local(data):
    return search(data, n_jobs=1)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Start a scheduler; return a function that adds a worker."""
    started = []

    def start(*command):
        started.append(
            subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--no-dashboard"],
                env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
                stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip
        return started[-1]

    file = tmp_path / "scheduler.json"
    start("scheduler", "--host", "127.0.0.1", "--port", "0",
          "--scheduler-file", str(file))  # fmt: skip
    while not file.exists():
        time.sleep(0.1)
    address = json.loads(file.read_text())["address"]
    monkeypatch.setenv("BACKEND", "dask")
    monkeypatch.setenv("SCHEDULER", address)
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress"))
    yield lambda *options: start("worker", address, "--no-nanny", *options)
    for process in reversed(started):
        process.kill()
        process.wait()


def assert_equal(found, expected):
    for score in ("roc_auc", "accuracy", "log_loss"):
        np.testing.assert_array_equal(
            fold_scores(found, score), fold_scores(expected, score)
        )


def test_scores_are_the_local_ones(data, local, cluster, tmp_path):
    for _ in range(2):
        cluster("--nthreads", "1")
    assert_equal(search(data), local)
    lines = (tmp_path / "progress").read_text().splitlines()
    assert lines[-1] == "grid search: 12 of 12 fits done, about 0 s left"


def test_a_lost_worker_changes_nothing(
    data, local, cluster, tmp_path, monkeypatch
):
    monkeypatch.setattr("helpers.cluster.LARGE", 1000)  # X is sent as such
    worker, progress = cluster("--nthreads", "1"), tmp_path / "progress"

    def kill_once_it_has_work():
        while not progress.exists():
            time.sleep(0.1)
        cluster("--nthreads", "1")
        worker.kill()

    killer = threading.Thread(target=kill_once_it_has_work)
    killer.start()
    found = search(data)
    killer.join()
    assert worker.wait() < 0  # it was killed
    assert_equal(found, local)


def test_workers_with_several_threads_are_refused(data, cluster):
    cluster("--nthreads", "2")
    with pytest.raises(ValueError, match="--nthreads 1"):
        search(data)
