"""Run independent fits in local processes."""

from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import LokyBackend


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


def use_workers(n_jobs: int | None, *, together: int = 1) -> parallel_config:
    """Return a context in which joblib runs on `n_jobs` processes."""
    return parallel_config(TasksTogether(together), n_jobs=n_jobs)


def stop_workers() -> None:
    """End joblib's processes, which otherwise wait for more work, and remove
    the files through which they shared the data."""
    get_reusable_executor().shutdown(wait=True)
