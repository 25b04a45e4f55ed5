"""Where independent fits run: local processes or a Dask cluster."""

from collections.abc import Sequence

import numpy as np
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import LokyBackend


def use_workers(
    n_jobs: int | None,
    *,
    together: int = 1,
    scheduler: str | None = None,
    data: Sequence[np.ndarray] = (),
) -> parallel_config:
    """Return a context in which joblib runs on `n_jobs` local processes or,
    given a `scheduler` address (tcp://host:port), on a Dask cluster.

    A worker gets `together` consecutive tasks at a time: where they are the
    folds of one candidate, only that worker traces its graph. A cluster gets
    `data`, the large arrays that all tasks read, once for every worker, so
    that the loss of a worker loses none of it.
    """
    if scheduler is None:
        backend, options = LokyBackend, {}
    else:
        from joblib._dask import DaskDistributedBackend as backend

        options = {"scheduler_host": scheduler, "scatter": list(data)}

    class TasksTogether(backend):
        def compute_batch_size(self):
            return together

    return parallel_config(TasksTogether(**options), n_jobs=n_jobs)


def stop_workers() -> None:
    """End joblib's local processes, which otherwise wait for more work, and
    remove the files through which they shared the data."""
    get_reusable_executor().shutdown(wait=True)
