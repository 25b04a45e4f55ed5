"""Q1: load an expression time series file and check it."""

import csv
import gzip
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

DEFAULT_PATH = "data/gene_expression_data.csv"
OUTCOME = "Outcome"
COLUMN = re.compile(r"(?P<gene>.+)_Time_(?P<time>\d+)")


class DataError(ValueError):
    """The data cannot be used; the message says where and what to do."""


@dataclass(frozen=True)
class ExpressionData:
    """`X` (n_samples, n_time_steps, n_genes) float32, `y` (n_samples,) int
    of 0 and 1, `genes` and `times` name X's axes, `classes` the outcomes
    as the file has them: (the one coded 0, the one coded 1)."""

    X: np.ndarray
    y: np.ndarray
    genes: tuple[str, ...]
    times: tuple[int, ...]
    classes: tuple[str, str]


def load_expression_data(
    path: str | Path = DEFAULT_PATH,
    *,
    n_time_steps: int | None = None,
    n_genes: int | None = None,
) -> ExpressionData:
    """Load samples x (time points x genes) and a two-valued Outcome.

    Columns are recognised by name, `{gene}_Time_{t}`, in any order; a leading
    index column is ignored. Where no column has such a name, `n_time_steps`
    and `n_genes` say how the columns divide, time-major. `path` is a .csv or
    .csv.gz file. Raises DataError.
    """
    path = Path(path)
    header = _read_header(path)
    features = _feature_columns(path, header, n_time_steps, n_genes)
    table = _read_table(path, header)
    genes = sorted({gene for gene, _ in features}, key=_natural_order)
    times = sorted({time for _, time in features})
    columns = [features[gene, time] for time in times for gene in genes]
    values = _to_numbers(path, table, columns)  # (n, T * G)
    X = values.reshape(len(table), len(times), len(genes))
    y, classes = _encode_outcome(path, table[OUTCOME])
    return ExpressionData(X, y, tuple(genes), tuple(times), classes)


def check_enough_samples(
    y: np.ndarray, n_folds: int, held_out: float = 0.0
) -> None:
    """Raise DataError unless every class can fill `n_folds` folds after the
    fraction `held_out` of the samples has been set aside."""
    needed = n_folds
    if held_out:
        needed = math.ceil(n_folds / (1 - held_out)) + 1
    rarest = np.bincount(y, minlength=2).min()
    if rarest < needed:
        raise DataError(
            f"{n_folds}-fold cross-validation, {held_out:.0%} held out, needs "
            f"at least {needed} samples of each outcome; the rarer one has "
            f"{rarest} of {len(y)}. Add samples or use fewer folds."
        )


def _read_header(path):
    """Return the column names, or explain why the file has none."""
    if not path.exists():
        raise DataError(
            f"{path}: no such file. `make data` writes the stand-in data; "
            "for your own, give its path (make execute DATA=path.csv)."
        )
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            header = [name.strip() for name in next(csv.reader(file), [])]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{path}: cannot be read as comma-separated UTF-8 text "
            f"({error}). Export it again as .csv or .csv.gz."
        ) from error
    if not any(header):
        raise DataError(f"{path}: the file is empty. Export it again.")
    if OUTCOME not in header:
        raise DataError(
            f"{path}: expected a column named '{OUTCOME}', found "
            f"{len(header)} columns, the last of them '{header[-1][:40]}'. "
            "Name the 0/1 column so, and separate columns by commas."
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(
            f"{path}: {len(repeated)} column name(s) stand more than once: "
            f"{_some(repeated)}. Keep one of each."
        )
    return header


def _feature_columns(path, header, n_time_steps, n_genes):
    """Return {(gene, time): column name}."""
    if header[-1] != OUTCOME:
        warnings.warn(
            f"{path}: '{OUTCOME}' is column {header.index(OUTCOME) + 1} of "
            f"{len(header)}, not the last; it is used all the same.",
            stacklevel=3,
        )
    names = [name for name in header if name != OUTCOME]
    matches = {name: COLUMN.fullmatch(name) for name in names}
    unknown = [name for name in names if not matches[name]]
    if len(unknown) == len(names):
        return _by_position(path, names, n_time_steps, n_genes)
    if unknown not in ([], names[:1]):  # one leading column is an index
        raise DataError(
            f"{path}: {len(unknown)} column(s) are neither "
            f"'GENE_Time_NUMBER' nor '{OUTCOME}': {_some(unknown)}. "
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
    genes = sorted({gene for gene, _ in features}, key=_natural_order)
    times = sorted({time for _, time in features})
    missing = [f"{gene}_Time_{time}" for gene in genes for time in times
               if (gene, time) not in features]  # fmt: skip
    if missing:
        raise DataError(
            f"{path}: {len(genes)} genes x {len(times)} times need "
            f"{len(genes) * len(times)} columns, but {len(missing)} are "
            f"missing: {_some(missing)}. Add them or remove the rest of "
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
    if size and len(names) - size in (0, 1):  # one more: a leading index
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


def _read_table(path, header):
    try:
        table = pd.read_csv(path, low_memory=False, encoding="utf-8-sig")
    except (ValueError, OSError, EOFError) as error:  # ParserError is one
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: the table cannot be read ({reason}). Every row needs "
            f"{len(header)} comma-separated values."
        ) from error
    if table.empty:
        raise DataError(f"{path}: a header but no samples. Export it again.")
    table.columns = header
    return table


def _to_numbers(path, table, columns):
    """Return the columns as float32 (n, len(columns)), all finite."""
    table = table[columns]
    texts = [c for c in columns if table[c].dtype.kind not in "iuf"]
    for column in texts:
        numbers = pd.to_numeric(table[column].astype(str), errors="coerce")
        bad = numbers.isna() & table[column].notna()
        if bad.any():
            row = int(np.argmax(bad))
            value = str(table[column].iloc[row])[:40]
            raise DataError(
                f"{_place(path, row, column)}: '{value}' is not a number. "
                "Correct the cell."
            )
        table = table.assign(**{column: numbers})
    with np.errstate(over="ignore"):
        values = table.to_numpy(np.float32)
    finite = np.isfinite(values)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        missing = np.isnan(values[row, column])
        raise DataError(
            f"{_place(path, row, columns[column])}: "
            f"{'a missing' if missing else 'an infinite'} value, one of "
            f"{(~finite).sum()}. Fill in the cells or remove their rows."
        )
    return values


def _encode_outcome(path, outcome):
    """Return 0/1 (n,) and the two original values, the one coded 0 first."""
    if outcome.isna().any():
        row = int(np.argmax(outcome.isna()))
        raise DataError(
            f"{_place(path, row, OUTCOME)}: a missing value. Fill it in or "
            "remove the row."
        )
    classes = sorted(outcome.unique())
    if len(classes) != 2:
        raise DataError(
            f"{path}: '{OUTCOME}' must have two values, it has "
            f"{len(classes)}: {_some(map(str, classes))}. Keep two groups, "
            "coded 0 and 1."
        )
    y = (outcome == classes[1]).to_numpy(int)
    return y, tuple(f"{c:g}" if isinstance(c, float) else str(c)
                    for c in classes)  # fmt: skip


def _natural_order(name):
    """Sort key under which Gene_2 stands before Gene_10."""
    parts = re.split(r"(\d+)", name)
    return [int(p) if i % 2 else p for i, p in enumerate(parts)], name


def _place(path, row, column):
    return f"{path}: row {row + 2} (the header is row 1), column '{column}'"


def _some(names, most=5):
    names = [name[:40] for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
