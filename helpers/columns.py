"""Find genes and times in the column names of an expression file."""

import re
import warnings
from collections.abc import Iterable
from pathlib import Path

OUTCOME = "Outcome"
COLUMN = re.compile(r"(?P<gene>.+)_Time_(?P<time>[0-9]{1,9})")


class DataError(ValueError):
    """The data cannot be used; the message says where and what to do, in one
    line, whatever characters it quotes."""

    def __init__(self, message: str):
        super().__init__(
            "".join(c if c.isprintable() else "\ufffd" for c in message)
        )


def find_features(
    path: Path,
    header: list[str],
    n_time_steps: int | None,
    n_genes: int | None,
) -> dict[tuple[str, int], str]:
    """Return {(gene, time): column name} for the file's header.

    Raises DataError unless every gene has every time exactly once.
    """
    if header[-1] != OUTCOME:
        warnings.warn(
            f"{path.name}: '{OUTCOME}' is column "
            f"{header.index(OUTCOME) + 1} of {len(header)}, not the last; it "
            "is used all the same.",
            stacklevel=3,
        )
    names = [name for name in header if name != OUTCOME]
    matches = {name: COLUMN.fullmatch(name) for name in names}
    unknown = [name for name in names if not matches[name]]
    if len(unknown) == len(names):
        return _by_position(path, names, n_time_steps, n_genes)
    index = unknown == names[:1] and "_time_" not in names[0].lower()
    if unknown and not index:  # one leading column is an index
        raise DataError(
            f"{path}: {len(unknown)} column(s) are neither "
            f"'GENE_Time_NUMBER' nor '{OUTCOME}': {list_some(unknown)}. "
            "Rename or remove them."
        )
    features = {}
    for name in names[len(unknown) :]:
        pair = (matches[name]["gene"], int(matches[name]["time"]))
        if pair in features:
            raise DataError(
                f"{path}: columns '{features[pair]}' and '{name}' are the "
                "same gene and time. Keep one of them."
            )
        features[pair] = name
    _check_complete(path, features, n_time_steps, n_genes)
    return features


def _check_complete(path, features, n_time_steps, n_genes):
    genes, times = list_axes(features)
    missing = [f"{gene}_Time_{time}" for gene in genes for time in times
               if (gene, time) not in features]  # fmt: skip
    if missing:
        raise DataError(
            f"{path}: {len(genes)} genes x {len(times)} times need "
            f"{len(genes) * len(times)} columns, but {len(missing)} are "
            f"missing: {list_some(missing)}. Add them or remove the rest of "
            "that gene or time."
        )
    found = (len(times), len(genes))
    asked = (n_time_steps or found[0], n_genes or found[1])
    if asked != found:
        raise DataError(
            f"{path}: expected {asked[0]} times x {asked[1]} genes, the "
            f"column names give {found[0]} x {found[1]}. Leave out "
            "n_time_steps and n_genes to use the names."
        )


def _by_position(path, names, n_time_steps, n_genes):
    """Divide unrecognised columns time-major: all genes of time 0, ..."""
    size = (n_time_steps or 0) * (n_genes or 0)
    if min(n_time_steps or 0, n_genes or 0) > 0 and len(names) - size in (
        0,
        1,
    ):  # one more: a leading index
        names = names[len(names) - size :]
        return {(f"Gene_{i % n_genes}", i // n_genes): name
                for i, name in enumerate(names)}  # fmt: skip
    raise DataError(
        f"{path}: no column is named 'GENE_Time_NUMBER' (the first is "
        f"'{names[0][:40] if names else OUTCOME}'), and n_time_steps="
        f"{n_time_steps} x n_genes={n_genes} does not divide the "
        f"{len(names)} columns. Name the columns, or call "
        "load_expression_data(path, n_time_steps=..., n_genes=...)."
    )


def list_axes(
    features: Iterable[tuple[str, int]],
) -> tuple[list[str], list[int]]:
    """Return the genes, in natural order, and the times, ascending."""
    genes = sorted({gene for gene, _ in features}, key=_natural_order)
    return genes, sorted({time for _, time in features})


def _natural_order(name):
    """Sort key under which Gene_2 stands before Gene_10."""
    parts = re.split(r"(\d{1,18})", name)
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], name


def list_some(names: Iterable[str], most: int = 5) -> str:
    """Return the first few names, shortened, and how many more there are."""
    names = [name[:40] for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
