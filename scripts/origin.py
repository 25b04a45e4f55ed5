"""Tell what an executed notebook was made from, and whether that is still
what lies here."""

import hashlib
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data" / "gene_expression_data.csv"


def describe_origin(
    notebook: nbformat.NotebookNode, data: Path = DATA
) -> dict[str, str]:
    """Return the SHA-256 of everything that the outputs depend on."""
    code = [c.source for c in notebook.cells if c.cell_type == "code"]
    helpers = sorted((ROOT / "helpers").glob("*.py"))
    return {
        "code cells": _hash("\0".join(code).encode()),
        "helpers": _hash(
            *(part for p in helpers for part in (p.name.encode(), _read(p)))
        ),
        "data": _hash(data.read_bytes()),
        "benchmark": _hash(_read(ROOT / "benchmarks" / "results.json")),
        "requirements": _hash(_read(ROOT / "requirements.txt")),
    }


def find_stale(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what has changed since the notebook was executed: "data" where
    it was executed on another file than the stand-in."""
    recorded = notebook.metadata.get("made_from", {})
    now = describe_origin(notebook)
    return [name for name in now if recorded.get(name) != now[name]]


def _read(path):
    return path.read_bytes().replace(b"\r\n", b"\n")


def _hash(*parts):
    total = hashlib.sha256()
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part)
    return total.hexdigest()
