"""Q1: load an expression time series file and check it."""

import bz2
import gzip
import io
import lzma
import math
import warnings
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from helpers.columns import (
    OUTCOME,
    UNNAMED,
    DataError,
    Layout,
    find_outcome,
    list_some,
    recognise_columns,
)

DEFAULT_PATH = "data/gene_expression_data.csv"
OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
AS_IT_STANDS = {  # how pandas reads a file without guessing
    "header": 0,
    "index_col": False,  # else the first of too many values is an index
    "keep_default_na": False,  # only an empty cell is missing
    "na_values": [""],
    "skipinitialspace": True,
    "skip_blank_lines": False,  # so that rows are counted as in the file
}
NOT_TEXT = {  # how the bytes of other files begin
    b"PK\3\4": "an Excel workbook or a zip archive; save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"\x89HDF": "an HDF5 file (.h5ad, .loom, .h5); with anndata, "
    "`adata.to_df().to_csv('table.csv')` writes a row per cell",
    b"!Series": "a GEO series matrix, a row per gene; read it by "
    "`pd.read_csv(path, sep='\\t', comment='!', index_col=0).T`, name the "
    "columns GENE_Time_NUMBER, add a column Outcome and save it as CSV",
}
# In the outcome these are words: only an empty cell is missing.
MISSING_WORDS = ("na", "n/a", "#n/a", "nan", "none", "null")


@dataclass(frozen=True)
class ExpressionData:
    """Expression series of samples, and their outcomes.

    `X` (n_samples, n_time_steps, n_genes) float32, `y` (n_samples,) int of 0
    and 1; `genes` and `times` name the axes of X, `classes` are the outcomes
    as the file has them: (the one coded 0, the one coded 1). `groups`
    (n_samples,) says which samples belong together, or is None if all are
    independent. `notes` are sentences on how the file was read, `time_unit`
    is such as "h", or "" if the column names have none.
    """

    X: np.ndarray
    y: np.ndarray
    genes: tuple[str, ...]
    times: tuple[float, ...]
    classes: tuple[str, str]
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    time_unit: str = ""


def load_expression_data(
    path: str | Path = DEFAULT_PATH, groups: str | bool | None = None
) -> ExpressionData:
    """Load samples x (time points x genes) and a two-valued Outcome.

    A row is a sample. Genes and times are recognised by the column names,
    `{gene}_Time_{t}` or alike, in any order. `groups` names the column that
    says which rows belong together (such as a donor); False says that none
    do, None leaves it to the leading column. Raises DataError.
    """
    layout = inspect_file(Path(path))
    outcome = find_outcome(layout)
    grid, unit, note = recognise_columns(layout, outcome, groups)
    values = grid.to_numpy().ravel()  # of names, (T, G)
    others = pd.Index(layout.header).difference(values, sort=False)
    with explain_errors(layout.path):
        table = pd.read_csv(
            io.BytesIO(layout.content),
            sep=layout.separator,
            decimal=layout.decimal,
            names=layout.header,
            dtype=dict.fromkeys(others, str),
            **AS_IT_STANDS,
        )
    table = table.dropna(how="all")  # as spreadsheets add them
    X = to_numbers(layout, table[values])  # (n, T * G)
    X = X.reshape(len(table), *grid.shape)
    coded, classes = tidy_outcome(layout, table[outcome])
    y = (coded == classes[1]).to_numpy(int)  # (n,)
    spare = table[others].drop(columns=outcome)
    group_of, notes = find_groups(layout, spare, groups)
    notes = (note, *describe_reading(layout, outcome, classes), *notes)
    genes, times = tuple(grid.columns), tuple(grid.index)
    return ExpressionData(X, y, genes, times, classes, group_of, notes, unit)


def check_enough_samples(
    y: np.ndarray,
    n_folds: int,
    groups: np.ndarray | None = None,
    *,
    whole_file: bool = False,
) -> None:
    """Raise DataError unless both outcomes can fill every fold.

    `y` (n,) holds 0 and 1, `groups` (n,) says which samples must stay
    together. Of a `whole_file` a fifth is held out first, and the training
    part of every fold is divided into `n_folds` once more.
    """
    needed = n_folds
    if whole_file:
        needed = math.ceil(needed * n_folds / (n_folds - 1))
        needed = math.ceil(needed / 0.8) + 1
    rarest = count_rarest(y, groups)
    kind, total, cure = "samples", len(y), "Add samples or use fewer folds."
    if groups is not None:
        kind, total = "groups", len(np.unique(groups))
        cure = (
            "Add groups or use fewer folds; GROUPS names another column, and "
            "GROUPS=False says that all rows are independent."
        )
    if rarest < needed:
        raise DataError(
            f"{n_folds}-fold cross-validation needs at least {needed} {kind} "
            f"of each outcome; the rarer one has {rarest} of {total}. {cure}"
        )


def count_rarest(y: np.ndarray, groups: np.ndarray | None) -> int:
    """Return how many samples, or groups if there are any, have the rarer of
    the outcomes `y` (n,)."""
    units = np.arange(len(y)) if groups is None else groups
    return min(len(np.unique(units[y == c])) for c in (0, 1))


def hold_out(
    data: ExpressionData, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the training samples, and of the fifth that is held
    out for validation, with the same share of outcomes; all rows of a group
    stand on one side."""
    rows = np.arange(len(data.y))
    if data.groups is None:
        return train_test_split(
            rows, test_size=0.2, stratify=data.y, random_state=seed
        )
    folds = make_folds(5, data.groups, seed=seed)
    return next(folds.split(rows, data.y, data.groups))


def make_folds(
    n_folds: int, groups: np.ndarray | None, *, seed: int
) -> StratifiedKFold | StratifiedGroupKFold:
    """Return stratified folds, which keep `groups` (n,) whole if there are
    any."""
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    return kind(n_folds, shuffle=True, random_state=seed)


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


@contextmanager
def explain_errors(path: Path):
    """Turn what reading raises, and what pandas warns of, into DataError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # Columns that hold numbers and text are looked at one by one.
            warnings.simplefilter("ignore", pd.errors.DtypeWarning)
            yield
    except DataError:
        raise
    except Exception as error:  # of pandas, or of compressed files
        reason = " ".join(str(error).split())
        raise DataError(
            f"{path}: cannot be read as a table ({reason}). Export it again "
            "as CSV in UTF-8, every row with as many values as the header has "
            "names (in R: write.table(..., col.names = NA))."
        ) from error


def inspect_file(path: Path) -> Layout:
    """Return how the file is to be read, or raise a DataError that says what
    it is instead of a table."""
    if not path.is_file():
        raise DataError(
            f"{path}: {'is not a file' if path.exists() else 'no such file'}. "
            "`make data` writes the stand-in data; for your own, set DATA in "
            "the notebook's parameters cell, or make execute DATA=path.csv."
        )
    with explain_errors(path):
        content = read_bytes(path)
        n_skipped, separator = find_header(path, content)
        content = content.split(b"\n", n_skipped)[-1]  # from the header on
        rows = pd.read_csv(
            io.BytesIO(content),
            sep=separator,
            header=None,
            dtype=str,
            nrows=30,
            keep_default_na=False,
            index_col=False,
        )
    header = [name.strip() for name in rows.iloc[0]]
    for i, name in enumerate(header):
        if not name:  # as pandas calls it
            header[i] = f"Unnamed: {i}" + ".1" * (f"Unnamed: {i}" in header)
    rows = rows[1:].set_axis(header, axis=1)
    decimal = "." if separator == "," else find_decimal(rows)
    return Layout(path, content, header, rows, separator, decimal, n_skipped)


def read_bytes(path: Path) -> bytes:
    """Return what a file holds, uncompressed by its ending, every line ended
    by a newline. Raises DataError for other kinds of files, and for NUL
    bytes, at which pandas would end a cell without a word."""
    ending = path.suffix.lower()
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise DataError(
                    f"{path}: holds {len(names)} files, where one is "
                    "expected. Zip the table alone."
                )
            content = archive.read(names[0])
    else:
        with OPENERS.get(ending, open)(path, "rb") as file:
            content = file.read()
    for magic, kind in NOT_TEXT.items():
        if content.startswith(magic):
            raise DataError(f"{path}: expected a table, but it is {kind}.")
    if b"\0" in content:
        raise DataError(
            f"{path}: holds NUL bytes, so it is damaged or not text in UTF-8. "
            "Save it as CSV in UTF-8."
        )
    content.decode()  # else pandas would say where in a cell it cannot
    content = content.removeprefix(b"\xef\xbb\xbf")  # a byte-order mark
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def find_header(path: Path, content: bytes) -> tuple[int, str]:
    """Return how many lines stand above the header, the first line of two
    names or more that is no comment, and what separates its names."""
    for n_skipped, line in enumerate(map(bytes.decode, io.BytesIO(content))):
        ratings = {}
        for separator in ",\t;|":
            names = [n.strip(' "\n').lower() for n in line.split(separator)]
            ratings[separator] = (
                OUTCOME.lower() in names,
                len(names) - names.count(""),
            )
        best = max(ratings, key=ratings.get)
        has_outcome, n_names = ratings[best]
        if n_names > 1 and (has_outcome or not line.startswith("#")):
            return n_skipped, best
    raise DataError(
        f"{path}: no line holds column names, separated by commas, tabs, "
        "semicolons or bars. Export the table again as CSV."
    )


def find_decimal(rows: pd.DataFrame) -> str:
    """Return the decimal mark of cells that commas do not separate: a comma
    if it cannot be a mark of thousands in some of them."""
    decimal = r"\s*[+-]?(0?,[0-9]+|[0-9]+,([0-9]{1,2}|[0-9]{4,}))(e.*)?\s*"
    cells = pd.Series(rows.to_numpy().ravel(), dtype=str)
    return "," if cells.str.fullmatch(decimal, na=False).any() else "."


def read_texts(
    layout: Layout, cells: pd.Series, gaps: bool = False
) -> pd.Series:
    """Return cells without blanks at their ends, all of one line, and none
    missing unless there may be gaps."""
    bad = cells.str.contains("\n", na=not gaps)
    if bad.any():
        raise layout.error(
            f"{layout.place(bad.idxmax(), cells.name)}: a missing value, or "
            "one of several lines. Fill it in, close its quotation mark, or "
            "remove the row."
        )
    return cells.str.strip()


def to_numbers(layout: Layout, table: pd.DataFrame) -> np.ndarray:
    """Return the table as float32, all finite."""
    numbers = table.copy()
    swap = str.maketrans(",.", ".," if layout.decimal == "," else ",.")
    for name, cells in table.select_dtypes(exclude="number").items():
        texts = cells.astype(str).str.translate(swap)
        numbers[name] = pd.to_numeric(texts, errors="coerce")
    with np.errstate(over="ignore"):
        values = numbers.to_numpy(np.float32, copy=True)
    bad = ~np.isfinite(values)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        place = layout.place(table.index[row], table.columns[column])
        cell = table.iat[row, column]
        shown = "an empty cell" if pd.isna(cell) else repr(str(cell)[:40])
        raise layout.error(
            f"{place}: {shown} is not a finite number, one of {bad.sum()}. "
            "Correct such cells, or remove their rows."
        )
    return values


def tidy_outcome(
    layout: Layout, outcome: pd.Series
) -> tuple[pd.Series, tuple[str, str]]:
    """Return the outcomes, equal numbers written alike, and the two classes:
    the one coded 0, the one coded 1."""
    outcome = read_texts(layout, outcome)
    numbers = pd.to_numeric(outcome.str.replace(",", "."), errors="coerce")
    if np.isfinite(numbers).all():
        outcome = (numbers + 0.0).map("{:.15g}".format)  # -0.0 is 0.0
        classes = sorted(outcome.unique(), key=float)
    else:
        classes = sorted(outcome.unique())
    if len(classes) != 2 or classes[0].lower() == classes[1].lower():
        raise explain_classes(layout, outcome.name, classes)
    return outcome, (classes[0], classes[1])


def explain_classes(
    layout: Layout, name: str, classes: list[str]
) -> DataError:
    """Return the error for an outcome that has not two classes; the message
    shows how pandas makes two of these."""
    start = f"{name!r} must have two values, it has {len(classes)}: "
    start += f"{list_some(classes)}."
    if len(classes) < 2:
        return layout.error(f"{start} Add samples of the other outcome.")
    column = f"table[{name!r}]"
    kept = [c for c in classes if c.lower() not in MISSING_WORDS]
    numbers = pd.to_numeric(pd.Series(kept), errors="coerce")
    numeric = numbers.notna().all()
    listed = ", ".join(c if numeric else repr(c) for c in kept[:2])
    cure = "To keep two of them:"
    line = f"table = table[{column}.isin([{listed}])]"
    if len({value.lower() for value in classes}) < len(classes):
        cure = "Some differ by case only. If they are the same:"
        line = f"{column} = {column}.str.strip().str.lower()"
    elif len(kept) == 2:
        (missing,) = {*classes} - {*kept}
        cure = f"Is {missing!r} missing, or a third class? To leave it out:"
    elif numeric and len(kept) > 5:
        cure = "To compare samples above and below the median:"
        line = f"{column} = ({column} > {column}.median()).astype(int)"
    return layout.error(f"{start} {cure}", line)


def find_groups(
    layout: Layout, table: pd.DataFrame, groups: str | bool | None
) -> tuple[np.ndarray | None, list[str]]:
    """Return the group of each sample (n,), or None, and what to say of the
    other columns in `table`, which holds neither values nor outcomes.

    Where `groups` is None, a column is taken for groups if most of its
    values stand more than once and it is not constant.
    """
    name, notes = groups or None, []
    for column in table.columns.drop(groups, errors="ignore"):
        cells = read_texts(layout, table[column], gaps=True).dropna()
        named = UNNAMED.fullmatch(column) is None
        title = f"column {column!r}" if named else "column without a name"
        n_shared = int(cells.duplicated(keep=False).sum())
        if groups is not None or n_shared == 0 or cells.nunique() < 2:
            if named or (len(cells) and column != layout.header[0]):
                notes.append(f"The {title} is not used.")
        elif n_shared > len(table) / 2 and name is None:
            name = column
            notes.append(
                f"The {title} is taken for groups, because most of its values "
                "stand more than once. GROUPS=False overrules this."
            )
        else:
            notes.append(
                f"The {title} is not used, although {n_shared} rows share a "
                f"value of it. If they belong together, set GROUPS={column}."
            )
    group_of = read_texts(layout, table[name]).to_numpy(str) if name else None
    return group_of, notes


def describe_reading(
    layout: Layout, outcome: str, classes: tuple[str, str]
) -> list[str]:
    """Return sentences on how the file was read, the usual left out."""
    words = ", ".join(c for c in classes if c.lower() in MISSING_WORDS)
    n, last = layout.n_skipped, layout.header[-1]
    notes = {
        f"The outcome is the column {outcome!r}.": last != OUTCOME,
        f"{words} is read as a class of the outcome, not as a gap.": words,
        "Commas are read as decimal marks.": layout.decimal == ",",
        f"{n} line(s) above the header are left out.": n > 0,
    }
    return [note for note, holds in notes.items() if holds]
