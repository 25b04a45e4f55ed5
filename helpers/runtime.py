"""Threads, versions, clocks and progress: what a run needs around it."""

import html
import importlib
import importlib.metadata
import multiprocessing
import os
import platform
import sys
import threading
import time
import warnings
from contextlib import contextmanager

import joblib
from IPython import get_ipython
from IPython.display import HTML, clear_output, display

PACKAGES = ("tensorflow", "keras", "scikit-learn", "scikeras", "numpy",
            "pandas", "scipy", "joblib")  # fmt: skip


def load_tensorflow() -> None:
    """Import TensorFlow for the first time in this process: quietly, and set
    up for this process and those that it starts.

    One thread a process gives the same sums on any number of cores; the
    models are too small to use more.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # 1.5 times faster
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
    sys.stderr.flush()
    stderr = os.dup(2)
    try:  # the import prints remarks that no log level suppresses
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        importlib.import_module("tensorflow")
        keras = importlib.import_module("keras")
        keras.config.set_floatx("float32")  # whatever keras.json says
        keras.config.set_epsilon(1e-7)
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)


def end_with_parent() -> None:
    """Let a worker process end when the process that started it is gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch():
        while os.getppid() == parent.pid:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def show_warnings_as_notes() -> None:
    """Show warnings in a notebook as text, without paths or line numbers."""

    def show(message, *_):
        text = f"<strong>Note:</strong> {html.escape(str(message))}"
        display(HTML(f"<blockquote><p>{text}</p></blockquote>"))

    warnings.showwarning = show


def explain_missing_names() -> None:
    """Let a notebook say what to do when a cell needs an earlier one."""

    def show(shell, kind, error, traceback, tb_offset=None):
        error.add_note(
            "An earlier cell gives this name: choose Run > Run All Above "
            "Selected Cell, then run this one again."
        )
        shell.showtraceback((kind, error, traceback), tb_offset=tb_offset)

    get_ipython().set_custom_exc((NameError,), show)


def describe_environment() -> dict[str, str]:
    """Return the versions and the processor type that results depend on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        found[name] = _version(name)
    system = f"{platform.system()} {platform.machine()}"
    return found | {"platform": system}


def _version(name):
    for package in (name, f"{name}-cpu"):  # tensorflow-cpu is tensorflow
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return "not installed"


@contextmanager
def timed(timings: dict[str, float], name: str):
    """Record in `timings[name]` how many seconds the block took."""
    start = time.perf_counter()
    yield
    timings[name] = round(time.perf_counter() - start, 1)


@contextmanager
def progress(label: str, total: int):
    """Show how many of `total` joblib tasks are done while the block runs.

    In a notebook as a line that is removed at the end; where the environment
    variable PROGRESS_FILE names a file (`make execute`), as lines in it.
    """
    start, shown = time.monotonic(), [0.0]
    file = os.environ.get("PROGRESS_FILE")
    line = None if file else display(HTML(""), display_id=True)

    def print_progress(parallel):
        now = time.monotonic()
        done = parallel.n_completed_tasks
        if now - shown[0] < 1 and done < total:
            return
        shown[0] = now
        left = (now - start) / max(done, 1) * (total - done)
        text = f"{label}: {done} of {total} fits done, about {left:.0f} s left"
        if file:
            with open(file, "a", encoding="utf-8") as lines:
                lines.write(text + "\n")
        elif line:
            line.update(HTML(f"<p>{text}</p>"))

    original = joblib.Parallel.print_progress
    joblib.Parallel.print_progress = print_progress
    try:
        yield
    finally:
        joblib.Parallel.print_progress = original
        if line:
            clear_output()
