"""Tell what an executed notebook was made from, and whether that is still
what lies here."""

import hashlib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = "assignment7.ipynb"
DATA = ROOT / "data" / "gene_expression_data.csv"


def describe_origin(data: Path = DATA) -> dict[str, str]:
    """Return the SHA-256 of everything that results depend on; "" for data
    that cannot be read."""
    helpers = sorted((ROOT / "helpers").glob("*.py"))
    code = _sources(nbformat.read(ROOT / NOTEBOOK, as_version=4), "code")
    return {
        "code cells": _hash(*(source.encode() for source in code)),
        "helpers": _hash(
            *(part for p in helpers for part in (p.name.encode(), _read(p)))
        ),
        "data": (  # as sha256sum prints it
            hashlib.sha256(data.read_bytes()).hexdigest()
            if data.is_file()
            else ""
        ),
        "benchmark": _hash(_read(ROOT / "benchmarks" / "results.json")),
        "requirements": _hash(_read(ROOT / "requirements.txt")),
    }


def find_stale(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what has changed since the notebook was executed: "data" where
    it was executed on another file than the stand-in."""
    recorded = notebook.metadata.get("made_from", {})
    now = describe_origin()
    stale = [name for name in now if recorded.get(name) != now[name]]
    source = nbformat.read(ROOT / NOTEBOOK, as_version=4)
    for kind, name in (("code", "code cells"), ("markdown", "prose")):
        if _sources(notebook, kind) != _sources(source, kind):
            stale.append(name)
    return list(dict.fromkeys(stale))


def is_injected(cell: nbformat.NotebookNode) -> bool:
    """Whether papermill added the cell, with the parameters of a run."""
    return "injected-parameters" in cell.metadata.get("tags", [])


def _sources(notebook, kind):
    return [c.source for c in notebook.cells
            if c.cell_type == kind and not is_injected(c)]  # fmt: skip


def _read(path):
    return path.read_bytes().replace(b"\r\n", b"\n")


def _hash(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()
