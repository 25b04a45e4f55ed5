"""The outputs of a run: how they replace the last ones, and what they were
made from."""

import glob
import os
import shutil
from hashlib import sha256
from pathlib import Path

import nbformat
import psutil

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK, PAGE = "assignment7.ipynb", "assignment7.html"
OUTPUTS = (NOTEBOOK, PAGE, "results.json", "timings.json", "figures")
# what may lie beside them, and is replaced with them
EXTRAS = (
    "assignment7.pdf",
    "submission.zip",
    ".ipynb_checkpoints",
    ".DS_Store",
)
DATA = "data/gene_expression_data.csv"
SOURCES = (
    "helpers/**/*.py",
    "helpers/**/*.j2",
    "benchmarks/steps.json",
    "requirements.txt",
)
RESULTS = ("results.json", "figures/*.png")


class Refusal(SystemExit):
    """Ends a command with exit status 1 and a message for the user."""


def locate(out: str) -> Path:
    """Return the folder that a user named."""
    return Path(out).expanduser().resolve()


def run_folder(out: Path) -> Path:
    """Return the folder beside `out` in which this process makes outputs."""
    return out.with_name(f".{out.name}-run-{os.getpid()}")


def install_outputs(out: Path) -> None:
    """Replace `out` by the new outputs of this process. A kill between the
    renames leaves no `out`, and `recover` puts the old one back."""
    if out.exists():
        out.rename(run_folder(out) / "old")
    (run_folder(out) / "new").rename(out)


def recover(out: Path) -> None:
    """Put back what a killed run moved away, and remove the folders of runs
    that have ended, this process's own included."""
    start = f".{out.name}-run-"
    for folder in out.parent.glob(f"{glob.escape(start)}*"):
        pid = folder.name.removeprefix(start)
        is_own = pid == str(os.getpid())
        if is_own or (pid.isdecimal() and not psutil.pid_exists(int(pid))):
            if not out.exists() and (folder / "old").exists():
                (folder / "old").rename(out)
            shutil.rmtree(folder, ignore_errors=True)


def check_replaceable(out: Path) -> None:
    """Refuse a folder that cannot be moved, or that holds other things."""
    if out.is_mount() or (out.exists() and not out.is_dir()):
        raise Refusal(f"OUT={out} is a file or a mount point; name a folder")
    ours = {path.name for path in (ROOT / "figures").glob("*")}
    if (out / "results.json").exists():  # as a run leaves them
        ours |= {path.name for path in out.glob("figures/*.png")}
    for path in (*out.glob("*"), *out.glob("figures/*")):
        is_figure = path.parent != out and path.name in ours
        if not is_figure and path.name not in OUTPUTS + EXTRAS:
            raise Refusal(
                f"OUT={out} holds {path.relative_to(out)}, which no run "
                "makes, and a run replaces the whole folder; name another"
            )


def open_run(out: Path) -> nbformat.NotebookNode:
    """Return the executed notebook of the finished run in `out`."""
    recover(out)
    missing = [name for name in OUTPUTS if not (out / name).exists()]
    if missing:
        raise Refusal(f"{out} lacks {', '.join(missing)}; make execute first")
    return nbformat.read(out / NOTEBOOK, as_version=4)


def is_injected(cell: nbformat.NotebookNode) -> bool:
    """Tell whether papermill added a cell, with the parameters of a run."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def provenance(data: str = DATA) -> dict[str, str]:
    """Return a SHA-256 of everything that results depend on."""
    notebook = nbformat.read(ROOT / NOTEBOOK, as_version=4)
    path = ROOT / data
    return hash_files(ROOT, SOURCES) | {
        "data": hash_bytes(path.read_bytes()) if path.is_file() else "",
        "cells": hash_cells(notebook),
    }


def find_changes(notebook: nbformat.NotebookNode, folder: Path) -> list[str]:
    """Return what changed since `notebook` was executed with its results in
    `folder`: "data" if that was on a user's file."""
    then = notebook.metadata.get("provenance", {})
    now = provenance() | hash_files(folder, RESULTS)
    if hash_cells(notebook) != then.get("cells"):
        now["cells"] = "edited after the run"
    return [name for name in now | then if now.get(name) != then.get(name)]


def list_files(folder: Path, patterns: tuple[str, ...]) -> list[str]:
    """Return the names, within `folder`, of the files that match."""
    paths = sorted(path for each in patterns for path in folder.glob(each))
    return [path.relative_to(folder).as_posix() for path in paths]


def hash_files(folder: Path, patterns: tuple[str, ...]) -> dict[str, str]:
    names = list_files(folder, patterns)
    return {name: hash_bytes((folder / name).read_bytes()) for name in names}


def hash_cells(notebook: nbformat.NotebookNode) -> str:
    cells = [c.source for c in notebook.cells if not is_injected(c)]
    return hash_bytes("\0".join(cells).encode())


def hash_bytes(data: bytes) -> str:
    return sha256(data).hexdigest()
