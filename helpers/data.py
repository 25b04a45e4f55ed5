"""Q1: load an expression time series file and check it."""

import csv
import gzip
import math
import os
import warnings
import zlib
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.columns import (
    OUTCOME,
    DataError,
    find_features,
    list_axes,
    list_some,
)

UNREADABLE = (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error)
DEFAULT_PATH = "data/gene_expression_data.csv"


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
    index column is ignored, with a warning if it has a name. Where no column
    has such a name, `n_time_steps` and `n_genes` say how the columns divide,
    time-major. `path` is a .csv or .csv.gz file. Raises DataError.
    """
    path = Path(path)
    header = _read_header(path)
    features = find_features(path, header, n_time_steps, n_genes)
    table = _read_table(path, header)
    genes, times = list_axes(features)
    columns = [features[gene, time] for time in times for gene in genes]
    for name in set(header) - {OUTCOME, *columns}:  # one at most
        _check_index(path, name, table[name])
    values = _to_numbers(path, table, columns)  # (n, T * G)
    X = values.reshape(len(table), len(times), len(genes))
    y, classes = _encode_outcome(path, table[OUTCOME])
    return ExpressionData(X, y, tuple(genes), tuple(times), classes)


def check_enough_samples(
    y: np.ndarray, n_folds: int, held_out: float = 0.0, nested: bool = False
) -> None:
    """Raise DataError unless every class can fill `n_folds` folds, `nested`
    once more in the training part of every fold, after the fraction
    `held_out` of the samples has been set aside."""
    needed = n_folds
    if nested:
        needed = math.ceil(needed * n_folds / (n_folds - 1))
    if held_out:
        needed = math.ceil(needed / (1 - held_out)) + 1
    rarest = np.bincount(y, minlength=2).min()
    if rarest < needed:
        raise DataError(
            f"{n_folds}-fold cross-validation, {held_out:.0%} held out, needs "
            f"at least {needed} samples of each outcome; the rarer one has "
            f"{rarest} of {len(y)}. Add samples or use fewer folds."
        )


def warn_of_duplicates(X_train: np.ndarray, X_valid: np.ndarray) -> int:
    """Return how many held-out samples (n, T, G) equal a training sample in
    every value, and warn of them: they are no test of anything."""
    seen = {sample.tobytes() for sample in X_train}
    n = sum(sample.tobytes() in seen for sample in X_valid)
    if n:
        warnings.warn(
            f"{n} of {len(X_valid)} held-out samples are copies of training "
            "samples, which makes every score too good. Remove duplicated "
            "rows from the file.",
            stacklevel=2,
        )
    return n


def _read_header(path):
    """Return the column names, or explain why the file has none."""
    if not os.path.exists(path):
        raise DataError(
            f"{path}: no such file. `make data` writes the stand-in data; "
            "for your own, give its path (make execute DATA=path.csv)."
        )
    if not path.is_file():
        raise DataError(
            f"{path}: cannot be read, for it is not a file. Save the table "
            "as .csv or .csv.gz and name that."
        )
    try:
        with _open(path, "rb") as file:
            _check_bytes(path, file)
        with _open_text(path) as file:
            rows = (row for row in csv.reader(file) if row)
            header = [name.strip() for name in next(rows, [])]
            first = next(rows, [])
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as comma-separated UTF-8 text "
            f"({error}). Export it again as .csv or .csv.gz."
        ) from error
    if not any(header):
        raise DataError(
            f"{path}: the file is empty, or its first line is. Export it "
            "again."
        )
    if OUTCOME not in header:
        raise DataError(
            f"{path}: expected a column named '{OUTCOME}', found "
            f"{len(header)} columns, the last of them '{header[-1][:40]}'. "
            "Name the 0/1 column so, and separate columns by commas."
        )
    if "" in header[1:]:
        raise DataError(
            f"{path}: column {header.index('', 1) + 1} of {len(header)} has "
            "no name. Name or remove it."
        )
    if len(first) > len(header):
        raise DataError(_too_many(path, header))
    repeated = sorted(name for name, n in Counter(header).items() if n > 1)
    if repeated:
        raise DataError(
            f"{path}: {len(repeated)} column name(s) stand more than once: "
            f"{list_some(repeated)}. Keep one of each."
        )
    return header


def _open(path, mode, **options):
    return (gzip.open if path.suffix == ".gz" else open)(path, mode, **options)


def _open_text(path):
    return _open(path, "rt", encoding="utf-8-sig", newline="")


def _check_bytes(path, file):
    """Refuse NUL bytes, at which pandas would end a cell without a word."""
    line = 1
    while block := file.read(1 << 20):
        if b"\0" in block:
            line += block[: block.index(b"\0")].count(b"\n")
            raise DataError(
                f"{path}: line {line} holds a NUL byte, so the file is "
                "damaged or not UTF-8 text. Export it again as .csv or "
                ".csv.gz."
            )
        line += block.count(b"\n")


def _read_table(path, header):
    read = partial(
        pd.read_csv,
        path,
        encoding="utf-8-sig",
        compression="gzip" if path.suffix == ".gz" else None,
        index_col=False,  # else the first of too many values is an index
    )
    try:
        with warnings.catch_warnings(action="error"):
            try:
                table = read()  # in pieces, which is twice as fast
            except pd.errors.DtypeWarning:  # the pieces do not match
                table = read(low_memory=False)
    except pd.errors.ParserWarning as error:
        raise DataError(_too_many(path, header)) from error
    except (ValueError, *UNREADABLE) as error:  # ParserError is a ValueError
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: the table cannot be read ({reason}). Every row needs "
            f"{len(header)} comma-separated values, the file UTF-8."
        ) from error
    if table.empty:
        raise DataError(f"{path}: a header but no samples. Export it again.")
    if table.shape[1] != len(header):
        raise DataError(_too_many(path, header))
    table.columns = header
    return table


def _check_index(path, name, values):
    """Ignore the leading column of sample names, if that is what it is."""
    if name and values.dtype.kind == "f" and (values % 1 != 0).any():
        raise DataError(
            f"{path}: the column '{name[:40]}' is neither "
            f"'GENE_Time_NUMBER' nor '{OUTCOME}', and no index: it holds "
            "fractions or gaps. Rename or remove it."
        )
    texts = values.astype(str)
    if texts.str.contains(r"[\r\n]").any():
        row = int(np.argmax(texts.str.contains(r"[\r\n]")))
        raise DataError(
            f"{_place(path, row, name)}: the value runs over several lines. "
            "Close its quotation mark."
        )
    if name:
        warnings.warn(
            f"{path.name}: the column '{name[:40]}' is taken for the samples' "
            "names and not used.",
            stacklevel=3,
        )


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
        table[column] = numbers
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
    if pd.api.types.is_string_dtype(outcome):
        outcome = outcome.str.strip()
        outcome = outcome.mask(outcome == "")
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
            f"{len(classes)}: {list_some(map(str, classes))}. Keep two "
            "groups, coded 0 and 1."
        )
    for c in classes:
        if not str(c).strip().isprintable():
            row = int(np.argmax(outcome == c))
            raise DataError(
                f"{_place(path, row, OUTCOME)}: the value runs over several "
                "lines or holds control characters. Close its quotation mark."
            )
    y = (outcome == classes[1]).to_numpy(int)
    return y, tuple(f"{c + 0.0:.15g}" if isinstance(c, float) else str(c)
                    for c in classes)  # fmt: skip


def _too_many(path, header):
    return (
        f"{path}: rows have more values than the header's {len(header)} "
        "names. Name every column, and remove commas at the ends of lines."
    )


def _place(path, row, column):
    """Name a cell by its row in the file, of which some may be blank."""
    number = row + 2
    with suppress(csv.Error, StopIteration), _open_text(path) as file:
        filled = (
            n
            for n, cells in enumerate(csv.reader(file), 1)
            if len(cells) > 1 or "".join(cells).strip(" \t")
        )
        number = next(islice(filled, row + 1, None))
    return f"{path}: row {number} of the file, column '{column}'"
