"""Many independent fits: on local processes or a Dask cluster, with progress.

joblib hands its tasks to any executor of `concurrent.futures` through the
backend here; scikit-learn's GridSearchCV then does so as well.
"""

import multiprocessing
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import Thread

import joblib
import loky
import psutil
from IPython import get_ipython
from IPython.display import HTML, display

IDLE = 60  # seconds after which a worker process without work ends


def prepare_worker(parent: int) -> None:
    """Make this process ready for fits, until the process `parent` ends."""
    Thread(target=end_with, args=[parent], daemon=True).start()
    load_tensorflow()


def end_with(parent: int) -> None:
    """End this process when `parent` does: an idle worker of loky's would
    outlive one that was killed."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(parent).wait()
    os._exit(1)


def load_tensorflow() -> None:
    """Import TensorFlow without the remarks that it prints while loading,
    which no log level suppresses."""
    sys.stderr.flush()
    stderr = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


class Interrupted(KeyboardInterrupt):
    """An interruption that a notebook shows as one line."""

    def _render_traceback_(self):
        return [str(self)]


def run_here(function: Callable) -> Future:
    """Call a function in this process, at once."""
    future = Future()
    try:
        future.set_result(function())
    except Exception as error:
        future.set_exception(error)
    return future


@dataclass(eq=False)
class FutureBackend(joblib.ParallelBackendBase):
    """joblib's way to what `start` starts: `tasks_per_batch` consecutive
    tasks at a time. `on_done` is called with their number when they are done.

    Where these are the folds of one candidate, one process traces its graph.
    """

    start: Callable[[Callable], Future]
    tasks_per_batch: int
    on_done: Callable[[int], None]
    abort: Callable[[], None]
    supports_retrieve_callback = True

    def __post_init__(self):
        super().__init__()

    def effective_n_jobs(self, n_jobs: int) -> int:
        return 2  # or more: joblib would keep a single one to itself

    def compute_batch_size(self) -> int:
        return self.tasks_per_batch

    def submit(self, func: Callable, callback: Callable) -> Future:
        future = self.start(func)
        future.add_done_callback(callback)
        return future

    def retrieve_result_callback(self, out: Future) -> list:
        results = out.result()
        self.on_done(len(results))  # before joblib can end the call
        return results

    def abort_everything(self, ensure_ready: bool = True) -> None:
        self.abort()


@contextmanager
def use_workers(
    label: str, n_tasks: int, *, n_jobs: int | None, tasks_per_batch: int = 1
) -> Iterator[None]:
    """Let joblib run `n_tasks` tasks on `n_jobs` processes (None or 1: on
    this one; -1: one a core) while the block runs, and show how many are done.

    Where the environment has BACKEND=dask, the workers of SCHEDULER do it.
    """
    if os.environ.get("BACKEND") == "dask":
        n_jobs = 1
        workers = _dask_workers(os.environ.get("SCHEDULER", "nowhere"))
    else:
        n_jobs = joblib.effective_n_jobs(n_jobs)
        workers = _local_workers(n_jobs)
    progress = show_progress(label, n_tasks)
    with workers as (start, abort), progress as done:
        backend = FutureBackend(start, tasks_per_batch, done, abort)
        try:
            with joblib.parallel_config(backend):
                yield
        except KeyboardInterrupt:
            abort()
            raise Interrupted(
                f"Interrupted: the {label} did not finish. Run the cell again."
            ) from None


def run_parallel(
    label: str, calls: list, *, n_jobs: int | None, tasks_per_batch: int = 1
) -> list:
    """Return the results of `calls`, made by joblib's `delayed`, in order.

    Calls that train the same model should stand side by side.
    """
    with use_workers(
        label, len(calls), n_jobs=n_jobs, tasks_per_batch=tasks_per_batch
    ):
        return joblib.Parallel(pre_dispatch="all")(calls)


@contextmanager
def _local_workers(n_jobs):
    if n_jobs == 1:
        yield run_here, lambda: None
        return
    executor = _processes(n_jobs)
    with warnings.catch_warnings():
        # a worker that has grown too large is replaced, which is as it should
        warnings.filterwarnings("ignore", "A worker .* while some jobs")
        yield executor.submit, lambda: executor.shutdown(kill_workers=True)


def _processes(n):
    return loky.get_reusable_executor(
        n, timeout=IDLE, initializer=prepare_worker, initargs=(os.getpid(),)
    )


@contextmanager
def _dask_workers(address):
    """Connect to the scheduler at `address` (tcp://host:port); raises OSError
    where there is none."""
    from dask.distributed import Client  # installed for a cluster only

    with Client(address, set_as_default=False, timeout="15s") as client:
        client.wait_for_workers(1, timeout=60)
        executor = client.get_executor(pure=False)
        start = partial(executor.submit, _run_in_process)
        yield start, lambda: executor.shutdown(wait=False)


def _run_in_process(function):
    """Run a function where Dask sends it, in a process for each thread of the
    worker: TensorFlow's and Python's random state belong to a process."""
    from dask.distributed import get_worker

    if multiprocessing.current_process().daemon:
        raise RuntimeError(
            "Dask's workers may start no processes under its nanny: start "
            "them with `dask worker ... --no-nanny --nthreads N`"
        )
    processes = _processes(get_worker().state.nthreads)
    return processes.submit(function).result()


@contextmanager
def show_progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` fits are done; yields what counts them.

    In a notebook it is a line that is removed at the end; where the
    environment variable PROGRESS_FILE names a file (`make execute`), lines in
    it.
    """
    start, done = time.monotonic(), 0
    file = os.environ.get("PROGRESS_FILE")
    line = None
    if not file and get_ipython():
        line = display(HTML(""), display_id=True)

    def count(n):
        nonlocal done
        done += n
        text = f"{label}: {done} of {total} fits done"
        if 10 * done >= total and done:
            left = (time.monotonic() - start) * (total - done) / done
            text += f", about {left:.0f} s left"
        if file:
            with suppress(OSError), open(file, "a", encoding="utf-8") as lines:
                lines.write(text + "\n")
        elif line:
            line.update(HTML(f"<p>{text}</p>"))

    count(0)
    try:
        yield count
    finally:
        if line:
            line.update(HTML(""))
