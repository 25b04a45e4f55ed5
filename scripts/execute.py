"""Execute the notebook, render it, and put all outputs in place at once."""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import papermill
import place
from nbclient.exceptions import DeadKernelError
from origin import DATA, NOTEBOOK, ROOT, describe_origin
from papermill.exceptions import PapermillExecutionError
from place import OUTPUTS
from render import render

# a python3 kernel of the user's own must not take the place of ours
os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
# results depend on these, so that a user's own must not count
os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1",
               "TF_ENABLE_ONEDNN_OPTS": "1"}  # fmt: skip

OWN_FOLDERS = ("data", "figures", "helpers", "scripts", "templates", "tests",
               "benchmarks", ".ci", ".git", ".venv")  # fmt: skip


class RunError(Exception):
    """A cell failed; the message says which and why."""


def main() -> int:
    options = parse_options()
    try:
        listen_for_the_end(options.make)
        out = options.out.expanduser().resolve()
        check_folder(out)
        with only_run(out) as lock:
            check_outputs(out)
            new = Path(tempfile.mkdtemp(dir=out, prefix=place.PREFIX))
            timings = run(new, out, lock, options.parameters)
    except KeyboardInterrupt:
        return fail("interrupted; the outputs are as they were")
    except RunError as error:
        return fail(str(error))
    except Exception as error:
        return fail(f"{type(error).__name__}: {one_line(error)}")
    report(timings, options.out)
    return 0


def report(timings: dict[str, float], out: Path) -> None:
    """Print what took how long, if anybody listens."""
    try:
        for name, seconds in timings.items():
            print(f"{seconds:8.1f} s  {name}")
        print(f"make execute: wrote {', '.join(OUTPUTS)} to {out}", flush=True)
    except OSError:  # the outputs are in place all the same
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def run(new: Path, out: Path, lock: int, parameters: dict) -> dict[str, float]:
    """Make all outputs in `new`, then move them to `out`, which is locked
    until then, even if this process is killed."""
    html = render(run_notebook(new, parameters))
    (new / "assignment7.html").write_text(html, encoding="utf-8")
    missing = [name for name in OUTPUTS if not (new / name).exists()]
    if missing:
        raise FileNotFoundError(f"the run wrote no {', '.join(missing)}")
    timings = json.loads((new / "timings.json").read_text())
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)  # it is a matter of milliseconds
    placed = subprocess.run(
        [sys.executable, place.__file__, new, out], check=False, text=True,
        stderr=subprocess.PIPE, start_new_session=True, pass_fds=[lock],
    )  # fmt: skip
    if placed.returncode:
        cause = placed.stderr.strip().split("\n")[-1] or "it was killed"
        raise RunError(f"the outputs could not be exchanged: {cause}")
    return timings


@contextmanager
def only_run(out: Path):
    """Make the folder `out` if there is none, keep other runs out of it, and
    clear away what they left there, be it killed ones or this one."""
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    folder = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(folder)
        raise RuntimeError(
            f"another run is writing to {out}; wait for it, or give this one "
            "a folder of its own with OUT=folder"
        ) from None
    try:
        place.clean_up(out)
        yield folder
    finally:
        place.clean_up(out)
        if is_new:
            with suppress(OSError):  # it stays if it holds something
                out.rmdir()
        os.close(folder)


def listen_for_the_end(make: int | None) -> None:
    """Let this run be interrupted by a signal, or by the end of the process
    `make` that started it, even before it came here."""
    for name in (signal.SIGTERM, signal.SIGHUP):  # as tidy as on Ctrl-C
        if signal.getsignal(name) != signal.SIG_IGN:  # as nohup sets it
            signal.signal(name, signal.default_int_handler)

    def watch():
        while os.getppid() == make:
            time.sleep(0.5)
        while True:  # for an exception may be lost on the way
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(20)

    if make:
        threading.Thread(target=watch, daemon=True).start()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build"))
    parser.add_argument("--data", default="")
    parser.add_argument("--quick", default="")
    parser.add_argument("--seed", default="")
    parser.add_argument("--jobs", default="")
    parser.add_argument("--backend", default="")
    parser.add_argument("--scheduler", default="")
    parser.add_argument("--make", type=int, help="the process to end with")
    options = parser.parse_args()
    options.parameters = {}
    if options.data:
        options.parameters["DATA"] = os.path.expanduser(options.data)
    if options.quick:
        if options.quick not in ("0", "1"):
            parser.error(f"QUICK must be 0 or 1, got '{options.quick}'")
        options.parameters["QUICK"] = options.quick == "1"
    for name, text in (("SEED", options.seed), ("JOBS", options.jobs)):
        if text:
            if not text.isdecimal() or not text.isascii():
                parser.error(f"{name} must be a whole number, got '{text}'")
            if len(text) > 9:  # some seeds are made by adding to this one
                parser.error(f"{name} must have at most 9 digits")
            options.parameters[name] = int(text)
    if options.backend not in ("", "dask"):
        parser.error(f"BACKEND must be dask, got '{options.backend}'")
    if bool(options.backend) != bool(options.scheduler):
        parser.error(
            "a cluster needs both BACKEND=dask and SCHEDULER=tcp://host:port"
        )
    os.environ |= {"BACKEND": options.backend, "SCHEDULER": options.scheduler}
    return options


def run_notebook(folder: Path, parameters: dict) -> nbformat.NotebookNode:
    """Execute the notebook into `folder` and return it, cleaned."""
    source = ROOT / NOTEBOOK
    check_parameters(source, parameters)
    data = ROOT / parameters.get("DATA", DATA)
    made_from = describe_origin(data)
    path, progress = folder / NOTEBOOK, folder / ".progress"
    progress.touch()
    os.environ |= {"OUT": str(folder), "PROGRESS_FILE": str(progress)}
    with follow(progress), divert_stderr(folder / ".kernel.log"):
        try:
            papermill.execute_notebook(
                as_template(source), as_template(path), parameters, cwd=ROOT,
                progress_bar=False, log_output=False, kernel_name="python3",
            )  # fmt: skip
        except PapermillExecutionError as error:
            cause = f"{error.ename}: {one_line(error.evalue)}"
            raise RunError(f"{locate_last(path)}: {cause}") from None
        except DeadKernelError:
            cause = "the kernel died, killed or out of memory"
            raise RunError(f"{locate_last(path)}: {cause}") from None
    for leftover in (progress, folder / ".kernel.log"):
        leftover.unlink()
    notebook = clean(nbformat.read(path, as_version=4))
    if describe_origin(data) != made_from:
        raise RunError("code or data changed while the notebook ran")
    notebook.metadata["made_from"] = made_from
    nbformat.write(notebook, path)
    return notebook


def as_template(path: Path) -> str:
    """Return a path in which papermill, which formats it, finds no names."""
    return str(path).replace("{", "{{").replace("}", "}}")


def check_parameters(source: Path, parameters: dict) -> None:
    """Papermill only warns of a parameter that the notebook lacks."""
    known = papermill.inspect_notebook(as_template(source))
    for name in parameters:
        if name not in known:
            raise ValueError(
                f"the notebook has no parameter {name}; it has "
                f"{', '.join(known)}"
            )


@contextmanager
def follow(progress: Path):
    """Print what is written to `progress` while the block runs."""
    done = threading.Event()
    terminal = os.dup(2)

    def copy():
        with progress.open(encoding="utf-8") as lines:
            while not done.wait(0.5):
                text = lines.read()
                with suppress(OSError):  # of a terminal that is gone
                    os.write(terminal, text.encode())

    thread = threading.Thread(target=copy)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        os.close(terminal)


@contextmanager
def divert_stderr(log: Path):
    """Send to `log` what the kernel's process prints past the notebook, such
    as remarks on its own shutdown; show it only if it may hold the cause."""
    terminal = os.dup(2)
    with log.open("w") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    except (RunError, KeyboardInterrupt):
        raise  # these say it all themselves
    except BaseException:
        os.write(terminal, log.read_bytes())
        raise
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop what differs between equal runs: times, paths, random ids."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
    return notebook


def check_folder(out: Path) -> None:
    """Refuse a folder that is none, or of the repository's own."""
    if out.exists() and not out.is_dir():
        raise NotADirectoryError(f"OUT={out} is a file; name a folder")
    inside = out.parts[len(ROOT.parts) :][:1] if ROOT in out.parents else ()
    if out == ROOT or out in ROOT.parents:
        raise ValueError(f"OUT={out} holds the repository; name another")
    if inside and inside[0] in OWN_FOLDERS:
        raise ValueError(f"OUT={out} belongs to the repository; use build")


def check_outputs(out: Path) -> None:
    """Refuse a folder with files that are named like outputs, but no run's."""
    found = [name for name in OUTPUTS if (out / name).exists()]
    by_hand = ["results.json", "timings.json", "figures"]  # as cells write
    if found not in ([], by_hand, list(OUTPUTS)):
        raise ValueError(
            f"OUT={out} holds {', '.join(found)}, and not all that a run "
            "writes: move it away, or name another folder"
        )


def locate_last(path: Path) -> str:
    """Name the code cell that ran last, and the heading it stands under."""
    heading = where = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            heading = cell.source.splitlines()[0].lstrip("# ")
        if cell.get("execution_count"):
            where = f"cell {cell.execution_count}, under '{heading}'"
    return where or "before the first cell"


def one_line(error) -> str:
    return " ".join(str(error).split())


def fail(cause: str) -> int:
    print(f"make execute: {cause}", file=sys.stderr, flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # it stays the last line
    return 1


if __name__ == "__main__":
    sys.exit(main())
