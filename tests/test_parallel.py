"""Fits on local processes and on a real Dask scheduler with real workers."""

import os
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from conftest import ROOT
from joblib import delayed

from helpers import parallel
from helpers.parallel import run_parallel, show_progress
from helpers.search import fold_scores, run_grid_search

GRID = {
    "num_heads": [1],
    "key_dim": [2],
    "dropout_rate": [0.2],
    "l2_reg": [0.01],
    "epochs": [1, 2],
}


@pytest.fixture
def bare_workers(monkeypatch):
    """Let workers start without TensorFlow, in a moment."""
    monkeypatch.setattr(parallel, "prepare_worker", abs)


@pytest.mark.usefixtures("bare_workers")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_stand_in_order(n_jobs):
    calls = [delayed(divmod)(n, 3) for n in range(7)]
    results = run_parallel("calls", calls, n_jobs=n_jobs, tasks_per_batch=2)
    assert results == [divmod(n, 3) for n in range(7)]


@pytest.mark.usefixtures("bare_workers")
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_ends_the_call_and_the_next_one_works(n_jobs):
    calls = [delayed(int)(text) for text in ("1", "number 2", "3")]
    with pytest.raises(ValueError, match="number 2"):
        run_parallel("calls", calls, n_jobs=n_jobs)
    calls = [delayed(os.getpid)() for _ in range(3)]
    pids = set(run_parallel("calls", calls, n_jobs=n_jobs))
    assert (os.getpid() in pids) == (n_jobs == 1)


@pytest.mark.usefixtures("bare_workers")
def test_a_killed_worker_is_an_error_and_not_a_hang():
    def kill():
        psutil.Process().kill()

    with pytest.raises(Exception, match=r"terminated|killed"):
        run_parallel("calls", [delayed(kill)()] * 2, n_jobs=2)
    assert run_parallel("calls", [delayed(abs)(-1)], n_jobs=2) == [1]


def test_workers_have_one_thread_and_end_with_a_process_that_is_killed():
    """Several threads would wait for each other: ten times as slow."""
    code = (
        "import time; from joblib import delayed\n"
        "from threadpoolctl import threadpool_info\n"
        "from helpers.parallel import run_parallel\n"
        "calls = [delayed(threadpool_info)()] * 2\n"
        "pools = sum(run_parallel('calls', calls, n_jobs=2), [])\n"
        "print({p['num_threads'] for p in pools}, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"{1}\n"
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    assert len(family) >= 2
    _, orphans = psutil.wait_procs(family, 10)
    assert orphans == []


def test_progress_starts_at_once_and_waits_with_its_estimate(
    tmp_path, monkeypatch
):
    file = tmp_path / "progress"
    monkeypatch.setenv("PROGRESS_FILE", str(file))
    with show_progress("fits", 40) as count:
        assert file.read_text() == "fits: 0 of 40 fits done\n"
        count(3)
        assert " left" not in file.read_text()
        count(37)
    last = file.read_text().splitlines()[-1]
    assert last == "fits: 40 of 40 fits done, about 0 s left"


@pytest.mark.usefixtures("bare_workers")
def test_fits_end_well_where_progress_cannot_be_written(monkeypatch, tmp_path):
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "no folder" / "file"))
    calls = [delayed(abs)(-1)] * 3
    assert run_parallel("calls", calls, n_jobs=2) == [1, 1, 1]


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(1).normal(size=(90, 8, 3)).astype(np.float32)
    return X, (X[:, :, 0].mean(axis=1) > 0).astype(int)


def search(data, **options):
    return run_grid_search(*data, param_grid=GRID, cv=3, seed=2, **options)


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Start a scheduler; return a function that adds a worker."""
    from dask.distributed import LocalCluster

    processes = []

    def add_worker(*options):
        command = [sys.executable, "-m", "dask", "worker", address, *options]
        processes.append(
            subprocess.Popen(
                [*command, "--no-dashboard"],
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                cwd=tmp_path,
                stderr=subprocess.DEVNULL,
            )
        )
        return processes[-1]

    with LocalCluster(n_workers=0, dashboard_address=None) as scheduler:
        address = scheduler.scheduler_address
        monkeypatch.setenv("BACKEND", "dask")
        monkeypatch.setenv("SCHEDULER", address)
        monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress"))
        yield add_worker
        for process in processes:
            process.kill()
            process.wait()


def test_scores_are_the_local_ones_though_a_worker_dies(
    data, cluster, tmp_path, monkeypatch
):
    worker = cluster("--no-nanny", "--nthreads", "1")
    progress = tmp_path / "progress"

    def kill_once_it_has_work():
        while not progress.exists():
            time.sleep(0.1)
        cluster("--no-nanny", "--nthreads", "2")
        time.sleep(1)
        worker.kill()

    killer = threading.Thread(target=kill_once_it_has_work)
    killer.start()
    result = search(data)
    killer.join()
    assert worker.wait() < 0  # it was killed
    last = progress.read_text().splitlines()[-1]
    assert last == "grid search: 6 of 6 fits done, about 0 s left"
    monkeypatch.delenv("BACKEND")
    expected = fold_scores(search(data))
    np.testing.assert_allclose(fold_scores(result), expected, atol=1e-6)


def test_workers_under_a_nanny_are_refused(cluster):
    cluster("--nthreads", "1")
    with pytest.raises(RuntimeError, match="--no-nanny"):
        run_parallel("calls", [delayed(abs)(-1)], n_jobs=2)
