"""Any file gives the right data or a DataError, never wrong numbers."""

import csv
import gzip
import io
import itertools
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.data import DataError, load_expression_data

CORPUS = Path(__file__).parent / "corpus"
fuzz = settings(
    max_examples=1000, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
names = st.text(letters, min_size=1, max_size=9).filter(
    lambda name: name == name.strip() and "\ufeff" not in name
)
numbers = st.floats(-1e6, 1e6, width=32)
outcomes = st.sampled_from([
    (0, 1), ("0.0", "1.0"), ("False", "True"), ("no", "yes"), (1, 2), (-1, 1),
    ("case", "control"), ("1e0", "2e0"),
])  # fmt: skip


@st.composite
def tables(draw):
    """Return a table's columns by name, in time-major order, and X, y."""
    genes = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    times = draw(
        st.lists(st.integers(0, 999), min_size=1, max_size=4, unique=True)
    )
    times.sort()
    n = draw(st.integers(2, 5))
    y = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    y[:2] = [0, 1]
    shape = n, len(times), len(genes)
    size = n * len(times) * len(genes)
    values = draw(st.lists(numbers, min_size=size, max_size=size))
    X = np.array(values, np.float32).reshape(shape)
    columns = {
        f"{gene}_Time_{time}": X[:, t, g]
        for (t, time), (g, gene) in itertools.product(
            enumerate(times), enumerate(genes)
        )
    }
    return columns, genes, X, np.array(y)


def write(path, columns, newline="\n", quoting=csv.QUOTE_MINIMAL, bom=False):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline, quoting=quoting)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    data = text.getvalue().encode("utf-8-sig" if bom else "utf-8")
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


@fuzz
@given(
    table=tables(), random=st.randoms(), classes=outcomes,
    newline=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    index=st.sampled_from([None, "", "sample"]),
    name=st.sampled_from(["a.csv", "a.csv.gz"]),
)  # fmt: skip
def test_every_valid_file_gives_its_own_values(
    tmp_path, table, random, classes, newline, bom, quoting, index, name
):
    columns, genes, X, y = table
    order = list(columns)
    random.shuffle(order)
    written = {key: columns[key] for key in order}
    if index is not None:
        written = {index: [f"s{i}" for i in range(len(y))], **written}
    written["Outcome"] = [classes[c] for c in y]
    write(tmp_path / name, written, newline, quoting, bom)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        data = load_expression_data(tmp_path / name)
    assert len(caught) == bool(index)  # an index with a name is mentioned
    by_name = [data.genes.index(gene) for gene in genes]
    np.testing.assert_array_equal(data.X[:, :, by_name], X)
    np.testing.assert_array_equal(data.y, y)


@settings(fuzz, max_examples=300)
@given(table=tables(), index=st.booleans(), name=names)
def test_columns_without_names_are_divided_by_position(
    tmp_path, table, index, name
):
    columns, genes, X, y = table
    written = {f"{name} {i}": v for i, v in enumerate(columns.values())}
    if index:
        written = {"": range(len(y)), **written}
    write(tmp_path / "a.csv", written | {"Outcome": y})
    data = load_expression_data(
        tmp_path / "a.csv", n_time_steps=X.shape[1], n_genes=len(genes)
    )
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, y)


def read_strictly(data):
    """Read a file as its every row says, with Python's own parser: header
    and rows of floats, the last of them outcomes. Raises ValueError."""
    text = data.decode("utf-8-sig")
    if "\0" in text:
        raise ValueError("NUL")
    rows = csv.reader(io.StringIO(text, newline=""))
    header, *rows = [row for row in rows if any(c.strip() for c in row)]
    header = [name.strip() for name in header]
    if any(len(row) != len(header) for row in rows) or not rows:
        raise ValueError("ragged")
    values = [[float(cell) for cell in row[:-1]] for row in rows]
    return header, np.array(values, np.float32), [row[-1] for row in rows]


VALID = b"""A_Time_0,B_Time_0,A_Time_1,B_Time_1,Outcome
0.25,1.5,-3,0.125,0.0
1.25,2.5,1e-3,0.5,1.0
7,0,12,-0.75,0.0
"""
ENDS = [m.start() for m in re.finditer(rb"[,\n]|$", VALID)]  # of cells
edits = st.tuples(
    st.one_of(st.sampled_from(ENDS), st.integers(0, len(VALID))),
    st.one_of(st.just(0), st.integers(0, 6)),
    st.one_of(
        st.sampled_from([
            b"", b",", b"\n", b"\r\n", b"\r", b'"', b"'", b";", b"\t", b" ",
            b"\0", b"\xef\xbb\xbf", b"\xff", b"-", b".", b"e", b"nan", b"inf",
            b"0x1", b"1_0", b"#", b"1,5", b'"\n"', b"Outcome", b"_Time_",
        ]),
        st.binary(max_size=3),
    ),
)  # fmt: skip


@settings(fuzz, max_examples=3000)
@given(st.lists(edits, min_size=1, max_size=3))
def test_every_spoilt_file_gives_an_error_or_what_it_says(tmp_path, changes):
    data = VALID
    for start, length, new in changes:
        data = data[:start] + new + data[start + length :]
    check(tmp_path / "a.csv", data)


def check(path, data):
    path.write_bytes(data)
    try:
        with warnings.catch_warnings(record=True):  # of Outcome's place
            warnings.simplefilter("always")
            found = load_expression_data(path)
    except DataError as error:
        message = str(error)
        assert str(path) in message
        assert message.endswith(".")  # the cure
        assert "\n" not in message
        return
    header, values, outcomes = read_strictly(data)
    assert header[-1] == "Outcome"
    for t, time in enumerate(found.times):
        for g, gene in enumerate(found.genes):
            at = [header.index(name) for name in header[:-1]
                  if name.rpartition("_Time_")[0] == gene
                  and int(name.rpartition("_Time_")[2]) == time]  # fmt: skip
            assert len(at) == 1
            np.testing.assert_array_equal(found.X[:, t, g], values[:, at[0]])
    classes = [found.classes[c] for c in found.y]
    try:
        same = [float(c) for c in classes] == [float(o) for o in outcomes]
    except ValueError:
        same = [c.strip() for c in classes] == [o.strip() for o in outcomes]
    assert same


@pytest.mark.parametrize(
    "path", sorted(CORPUS.iterdir()), ids=lambda p: p.name
)
def test_the_nastiest_files_are_refused(path):
    with pytest.raises(DataError) as caught:
        load_expression_data(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")


def test_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "folder.csv").mkdir()
    for path in tmp_path.iterdir():
        with pytest.raises(DataError, match=path.name):
            load_expression_data(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "secret.csv"
    path.write_bytes(VALID)
    path.chmod(0)
    with pytest.raises(DataError, match="Permission denied"):
        load_expression_data(path)


def test_a_header_of_a_megabyte(tmp_path):
    path = tmp_path / "wide.csv"
    names = [f"Gene_{g}_Time_{t}" for t in range(30) for g in range(2000)]
    values = ",".join("1" for _ in names)
    path.write_text(",".join(names) + f",Outcome\n{values},0\n{values},1\n")
    assert path.stat().st_size > 1_000_000
    assert load_expression_data(path).X.shape == (2, 30, 2000)
    path.write_text("x" * 1_000_000 + ",Outcome\n1,0\n2,1\n")
    with pytest.raises(DataError, match="cannot be read"):
        load_expression_data(path)
