"""Run independent fits in local processes, or on a Dask cluster."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import joblib
from joblib import Parallel, parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import LokyBackend

from helpers.runtime import progress


class TasksTogether(LokyBackend):
    """joblib's processes, each taking `together` consecutive tasks at once.

    Where these are the folds of one candidate, only one process traces the
    candidate's graph.
    """

    def __init__(self, together: int, **kwargs):
        super().__init__(**kwargs)
        self.together = together

    def compute_batch_size(self) -> int:
        return self.together


@contextmanager
def use_workers(n_jobs: int | None, *, together: int = 1) -> Iterator[None]:
    """Let joblib run on `n_jobs` processes while the block runs, or, where
    the environment has BACKEND=dask, on the workers of SCHEDULER."""
    if os.environ.get("BACKEND") == "dask":
        from helpers.cluster import DaskTasksTogether, connect  # optional

        with (
            connect(os.environ["SCHEDULER"]) as client,
            parallel_config(DaskTasksTogether(together, client)),
        ):
            yield
    else:
        with parallel_config(TasksTogether(together), n_jobs=n_jobs):
            yield


def run_parallel(
    label: str, calls: Iterable, *, n_jobs: int | None, together: int = 1
) -> list:
    """Return the results of `calls`, made by joblib's `delayed`, in order.

    Calls that train the same model should stand side by side, `together` of
    them going to one process, which then traces the model once.
    """
    calls = list(calls)
    with use_workers(n_jobs, together=together), progress(label, len(calls)):
        return Parallel(pre_dispatch="all")(calls)


def count_workers(most: int) -> int:
    """Return the number of cores this process may use, at most `most`."""
    return min(joblib.cpu_count(), most)


def stop_workers() -> None:
    """End joblib's processes, which otherwise wait for more work, and remove
    the files through which they shared the data."""
    get_reusable_executor().shutdown(wait=True)
