"""Any file gives the right data or a DataError, never wrong numbers."""

import csv
import io
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data import DataError, load_expression_data

CORPUS = Path(__file__).parent / "corpus"
fuzz = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
characters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
any_names = st.text(characters, min_size=1, max_size=9).filter(
    lambda name: name == name.strip() and "\ufeff" not in name
)
symbols = st.from_regex(r"[A-S][A-Z]{2,5}[0-9]{0,2}", fullmatch=True)
whole_times = st.integers(-999, 999)
hours = st.integers(0, 999)  # for in A_t-1 the hyphen may be a separator
any_times = st.one_of(
    whole_times, st.decimals(-99, 99, places=2).map("{:.2f}".format)
)
numbers = st.floats(-1e6, 1e6, width=32)
outcomes = st.sampled_from(
    [("0", "1"), ("0.0", "1.0"), ("no", "yes"), ("1e0", "2e0"), ("None", "x")]
)
# How names are written, and which genes and times can be written so.
SPELLINGS = {
    "{g}_Time_{t}": (any_names, any_times),
    "{g}_time_{t}": (any_names, any_times),
    "{g}.TIME.{t}h": (symbols, any_times),
    "Time_{t}_{g}": (symbols, any_times),
    "Gene{g}_t{t}": (symbols, hours),
    "t{t}_gene{g}": (symbols, hours),
    "{g}_{t}h": (symbols, whole_times),
    "{g} d{t}": (symbols, hours),
    "{g}.{t}": (symbols, whole_times),
    "{t}_{g}": (symbols, whole_times),
}


@st.composite
def tables(draw):
    """Return the cells of a file by column, in time-major order, and what
    they say: the genes, the times, X (n, T, G) and y (n,)."""
    spelling = draw(st.sampled_from(list(SPELLINGS)))
    names, times = SPELLINGS[spelling]
    # Of one gene, bare numbers might count it.
    genes = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    times = draw(st.lists(times, min_size=1, max_size=4, unique_by=float))
    times.sort(key=float)
    n = draw(st.integers(2, 5))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    y[:2] = [0, 1]
    size = n * len(times) * len(genes)
    values = draw(st.lists(numbers, min_size=size, max_size=size))
    X = np.array(values, np.float32).reshape(n, len(times), len(genes))
    columns = {
        spelling.format(g=gene, t=time): X[:, t, g]
        for (t, time), (g, gene) in itertools.product(
            enumerate(times), enumerate(genes)
        )
    }
    return columns, genes, [float(time) for time in times], X, np.array(y)


@fuzz
@given(
    table=tables(),
    random=st.randoms(),
    classes=outcomes,
    lineterminator=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    marks=st.sampled_from([(",", "."), ("\t", "."), (";", ",")]),
    index=st.sampled_from([None, "", "donor"]),
    title=st.sampled_from(["Outcome", "outcome"]),
    name=st.sampled_from(["a.csv", "a.csv.gz", "a.BZ2", "a.TSV.xz"]),
)
def test_every_valid_file_gives_its_own_values(
    tmp_path, table, random, classes, index, title, name, marks, **options
):
    columns, genes, times, X, y = table
    columns[title] = [classes[c] for c in y]
    order = list(columns)
    random.shuffle(order)
    frame = pd.DataFrame(columns)[order]
    donors = [f"D{min(i, 1)}" for i in range(len(y))]
    if index is not None:
        frame.insert(0, index, donors)
    sep, decimal = marks
    frame.to_csv(
        tmp_path / name, index=False, sep=sep, decimal=decimal, **options
    )
    data = load_expression_data(tmp_path / name)
    by_name = [
        next(i for i, g in enumerate(data.genes) if g.endswith(gene))
        for gene in genes
    ]
    np.testing.assert_array_equal(data.X[:, :, by_name], X)
    np.testing.assert_array_equal(data.y, y)
    assert list(data.times) == times
    repeats = index is not None and len(y) > 2  # D0, D1, D1, ...
    assert (data.groups is not None) == repeats
    if repeats:
        np.testing.assert_array_equal(data.groups, donors)


def read_strictly(data):
    """Read a file as its every row says, with Python's own parser: header
    and rows of cells. Raises ValueError."""
    text = data.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("NUL")
    lines = io.StringIO(text, newline="").readlines()
    mark = [line[4] for line in lines if line.lower().startswith("sep=")]
    while re.match(r"#(?!.*outcome)|sep=|[\s,;]*$", lines[0], re.IGNORECASE):
        del lines[0]
    for separator in mark or ",\t;":
        rows = csv.reader(lines, delimiter=separator)
        header, *rows = [row for row in rows if any(c.strip() for c in row)]
        header = [name.strip() for name in header]
        if "outcome" in [name.lower() for name in header]:
            break
    if any(len(row) > len(header) for row in rows):
        raise ValueError("ragged")
    rows = [row + [""] * (len(header) - len(row)) for row in rows]
    if separator != ",":
        rows = [[cell.replace(",", ".") for cell in row] for row in rows]
    return header, rows


VALID = b"""A_Time_0,B_Time_0,A_Time_1,B_Time_1,Outcome
0.25,1.5,-3,0.125,0.0
1.25,2.5,1e-3,0.5,1.0
7,0,12,-0.75,0.0
"""
ENDS = [m.start() for m in re.finditer(rb"[,\n]|$", VALID)]  # of cells
pieces = st.sampled_from(
    b"""|,|;|#|"|'|\t|.|-|e|1,5|0x1|1_0|nan|inf|NA|None|Outcome|outcome|_Time_
    |time|t|_|0|.1|h|sep=;|sep=,\n|#,|# x\n|,,|,,,,\n|"\n"|id|Unnamed: 0| |\n
    |\r\n|\r|\0|\xff|\xef\xbb\xbf""".split(b"|")
)
edits = st.tuples(
    st.one_of(st.sampled_from(ENDS), st.integers(0, len(VALID))),
    st.one_of(st.just(0), st.integers(0, 6)),
    st.one_of(pieces, st.binary(max_size=3)),
)


@settings(fuzz, max_examples=300)
@given(
    changes=st.lists(edits, min_size=1, max_size=3),
    separator=st.sampled_from([b",", b"\t", b";"]),
)
def test_every_spoilt_file_gives_an_error_or_what_it_says(
    tmp_path, changes, separator
):
    data = VALID.replace(b",", separator)
    for start, length, new in changes:
        data = data[:start] + new + data[start + length :]
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    try:
        loaded = load_expression_data(path)
    except DataError as error:
        message = str(error)
        assert str(path) in message
        assert message.endswith((".", "`."))  # the cure
        assert message.isprintable()
        return
    header, rows = read_strictly(data)
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    assert len(columns) == len(header)
    outcome = next(n for n in header if n.lower() == "outcome")
    used = {outcome}
    for (t, time), (g, gene) in itertools.product(
        enumerate(loaded.times), enumerate(loaded.genes)
    ):
        (name,) = [n for n in header if is_at(n, gene, time)]
        values = np.array([float(c) for c in columns[name]], np.float32)
        np.testing.assert_array_equal(loaded.X[:, t, g], values)
        used.add(name)
    assert {*header[1:]} - used <= {""}  # but for a leading index
    for class_, cell in zip(loaded.y, columns[outcome], strict=True):
        said, cell = loaded.classes[class_], cell.replace(",", ".").strip()
        same = said.replace(",", ".") == cell
        assert same or float(said) == float(cell)


def is_at(name, gene, time):
    """Return whether a column name says `gene` and `time`."""
    if not name.startswith(gene):
        return False
    rest = name.removeprefix(gene)
    match = re.fullmatch(
        r"[_. :-]?(?:time|t)?[_. :]?(-?[0-9.]+)h?", rest, re.IGNORECASE
    )
    return match is not None and float(match[1]) == time


@pytest.mark.parametrize(
    "path", sorted(CORPUS.iterdir()), ids=lambda p: p.name
)
def test_the_nastiest_files_are_refused(path):
    with pytest.raises(DataError) as caught:
        load_expression_data(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
