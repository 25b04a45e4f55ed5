import gzip
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold, train_test_split

from helpers.data import (
    DataError,
    check_enough_samples,
    load_expression_data,
    warn_of_duplicates,
)


def make_table(n=6, T=3, genes=("Gene_0", "Gene_1"), outcome=None, seed=0):
    """Return a time-major table and its values (n, T, G)."""
    X = np.random.default_rng(seed).normal(size=(n, T, len(genes)))
    X = X.astype(np.float32)
    names = [f"{gene}_Time_{t}" for t in range(T) for gene in genes]
    table = pd.DataFrame(X.reshape(n, -1), columns=names)
    table["Outcome"] = [0.0, 1.0] * (n // 2) if outcome is None else outcome
    return table, X


@pytest.fixture
def save(tmp_path):
    def write(table, name="data.csv", **options):
        path = tmp_path / name
        table.to_csv(path, index=options.pop("index", False), **options)
        return path

    return write


def test_values_land_where_their_names_say(save):
    table, X = make_table()
    data = load_expression_data(save(table))
    np.testing.assert_array_equal(data.X, X)
    assert data.X.dtype == np.float32
    assert data.X[2, 1, 0] == np.float32(table.loc[2, "Gene_0_Time_1"])
    np.testing.assert_array_equal(data.y, [0, 1, 0, 1, 0, 1])
    assert data.genes == ("Gene_0", "Gene_1")
    assert data.times == (0, 1, 2)
    assert data.classes == ("0", "1")


def test_large_file_whose_pieces_do_not_match(save):
    genes = tuple(f"Gene_{g}" for g in range(1000))  # pieces of 512 rows
    table, X = make_table(n=600, T=2, genes=genes)
    table = table.round(2).astype({"Gene_3_Time_1": object})
    table.loc[599, "Gene_3_Time_1"] = " 0.5"
    data = load_expression_data(save(table))
    np.testing.assert_allclose(data.X[:599], X[:599], atol=0.006)
    assert data.X[599, 1, 3] == 0.5
    table.loc[599, "Gene_3_Time_1"] = "high"
    with pytest.raises(DataError, match=r"row 601 .*'high' is not a number"):
        load_expression_data(save(table))


@pytest.mark.parametrize("order", ["gene-major", "shuffled"])
def test_column_order_does_not_matter(save, order):
    genes = tuple(f"Gene_{g}" for g in range(12))
    table, X = make_table(T=11, genes=genes)
    columns = list(table.columns[:-1])
    if order == "gene-major":
        columns = [f"{g}_Time_{t}" for g in genes for t in range(11)]
    else:
        np.random.default_rng(1).shuffle(columns)
    data = load_expression_data(save(table[[*columns, "Outcome"]]))
    np.testing.assert_array_equal(data.X, X)
    assert data.genes == genes


def test_named_genes_and_uneven_times(save):
    table, X = make_table(genes=("GATA1", "Sox_Time_2"))
    table.columns = [c.replace("Time_1", "Time_7") for c in table.columns]
    data = load_expression_data(save(table))
    assert data.genes == ("GATA1", "Sox_Time_2")
    assert data.times == (0, 2, 7)
    np.testing.assert_array_equal(data.X, X[:, [0, 2, 1]])


def test_an_index_without_a_name_may_hold_anything(save):
    table, X = make_table()
    table.index = [1.1, 1.2, np.nan, 2.1, 2.2, 3]
    found = load_expression_data(save(table, index=True)).X
    np.testing.assert_array_equal(found, X)


@pytest.mark.parametrize("index", [True, "sample"])
def test_a_leading_index_column_is_ignored(save, index):
    table, X = make_table()
    table.index = [f"s{i}" for i in range(len(table))]
    label = None if index is True else index
    path = save(table, index=True, index_label=label)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        np.testing.assert_array_equal(load_expression_data(path).X, X)
    said = [str(w.message) for w in caught]
    if label:
        assert "the column 'sample' is taken for the samples'" in said[0]
    assert len(said) == bool(label)


def test_gzip_and_byte_order_mark(save, tmp_path):
    table, X = make_table()
    text = "\ufeff" + table.to_csv(index=False)
    path = tmp_path / "data.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    np.testing.assert_array_equal(load_expression_data(path).X, X)


@pytest.mark.parametrize(
    ("outcome", "classes"),
    [
        ([0, 1, 1, 0, 1, 0], ("0", "1")),
        ([False, True, True, False, True, False], ("False", "True")),
        (["a", "b", "b", "a", "b", "a"], ("a", "b")),
        ([1, 2, 2, 1, 2, 1], ("1", "2")),
    ],
)
def test_two_valued_outcomes(save, outcome, classes):
    table, _ = make_table(outcome=outcome)
    data = load_expression_data(save(table))
    np.testing.assert_array_equal(data.y, [0, 1, 1, 0, 1, 0])
    assert data.classes == classes


def test_unnamed_columns_take_explicit_sizes(save):
    table, X = make_table()
    table.columns = [*(f"v{i}" for i in range(6)), "Outcome"]
    path = save(table)
    data = load_expression_data(path, n_time_steps=3, n_genes=2)
    np.testing.assert_array_equal(data.X, X)
    with pytest.raises(DataError, match=r"n_time_steps=\.\.\., n_genes="):
        load_expression_data(path)
    for sizes in ((4, 2), (-3, -2)):
        with pytest.raises(DataError, match="does not divide the 6 columns"):
            load_expression_data(path, n_time_steps=sizes[0], n_genes=sizes[1])


def test_outcome_in_front_is_used_with_a_warning(save):
    table, X = make_table()
    table.insert(0, "Outcome", table.pop("Outcome"))
    with pytest.warns(UserWarning, match="is column 1 of 7, not the last"):
        data = load_expression_data(save(table))
    np.testing.assert_array_equal(data.X, X)


def spoil(change):
    """Return a function that writes a valid table spoilt by `change`."""

    def write(path):
        table, _ = make_table()
        table = table.astype(object)
        changed = change(table)
        (table if changed is None else changed).to_csv(path, index=False)

    return write


def set_cell(value):
    def change(table):
        table.loc[4, "Gene_1_Time_2"] = value

    return spoil(change)


PLACE = r"row 6 of the file, column 'Gene_1_Time_2'"
BAD = {
    "no file": (lambda path: None, "no such file. `make data` writes"),
    "empty": (lambda path: path.touch(), "the file is empty"),
    "header only": (spoil(lambda t: t[:0]), "a header but no samples"),
    "no Outcome": (
        spoil(lambda t: t.drop(columns="Outcome")),
        "expected a column named 'Outcome', found 6 columns, the last of "
        "them 'Gene_1_Time_2'",
    ),
    "semicolons": (
        lambda path: make_table()[0].to_csv(path, index=False, sep=";"),
        "separate columns by commas",
    ),
    "missing pair": (
        spoil(lambda t: t.drop(columns="Gene_1_Time_2")),
        "2 genes x 3 times need 6 columns, but 1 are missing: Gene_1_Time_2",
    ),
    "duplicate": (
        spoil(lambda t: t.rename(columns={"Gene_0_Time_1": "Gene_1_Time_1"})),
        "stand more than once: Gene_1_Time_1",
    ),
    "same pair": (
        spoil(lambda t: t.rename(columns={"Gene_0_Time_1": "Gene_1_Time_01"})),
        "'Gene_1_Time_01' and 'Gene_1_Time_1' are the same gene and time",
    ),
    "unknown column": (
        spoil(lambda t: t.rename(columns={"Gene_1_Time_2": "age"})),
        "neither 'GENE_Time_NUMBER' nor 'Outcome': age",
    ),
    "text": (set_cell("high"), PLACE + ": 'high' is not a number"),
    "missing": (set_cell(None), PLACE + ": a missing value, one of 1"),
    "infinite": (set_cell(np.inf), PLACE + ": an infinite value, one of 1"),
    "too large": (set_cell(1e300), PLACE + ": an infinite value, one of 1"),
    "ragged": (
        lambda path: path.write_text("G_Time_0,Outcome\n1,0\n1,2,3,1\n"),
        "Every row needs 2 comma-separated values",
    ),
    "empty name": (
        spoil(lambda t: t.rename(columns={"Gene_1_Time_2": ""})),
        "column 6 of 7 has no name",
    ),
    "misspelt first": (
        spoil(lambda t: t.rename(columns={"Gene_0_Time_0": "Gene_0_time_0"})),
        "neither 'GENE_Time_NUMBER' nor 'Outcome': Gene_0_time_0",
    ),
    "gene taken for an index": (
        lambda path: path.write_text("GT0,G_Time_1,Outcome\n.5,1,0\n.7,1,1\n"),
        "the column 'GT0' is neither .* and no index: it holds fractions",
    ),
    "open quote in index": (
        lambda path: path.write_text(
            'id,G_Time_0,Outcome\ns,9,1\n"t,1,0\nu,2,1\nv",4,0\n'
        ),
        r"row 3 .*, column 'id': the value runs over several lines",
    ),
    "blank Outcome": (
        lambda path: path.write_text("G_Time_0,Outcome\n1,yes\n2,  \n3,no\n"),
        r"row 3 .*, column 'Outcome': a missing value",
    ),
    "Outcomes that differ in blanks": (
        lambda path: path.write_text("G_Time_0,Outcome\n1,yes\n2,yes \n"),
        "must have two values, it has 1: yes",
    ),
    "unnamed column": (
        lambda path: path.write_text("G_Time_0,Outcome\n.5,0,1\n.7,1,0\n"),
        "rows have more values than the header's 2 names",
    ),
    "missing Outcome": (
        spoil(lambda t: t.assign(Outcome=[0, 1, None, 0, 1, 0])),
        r"row 4 of the file, column 'Outcome': a missing value",
    ),
    "one class": (
        spoil(lambda t: t.assign(Outcome=1)),
        "must have two values, it has 1: 1",
    ),
    "three classes": (
        spoil(lambda t: t.assign(Outcome=[0, 1, 2, 0, 1, 2])),
        "must have two values, it has 3: 0, 1, 2",
    ),
    "directory": (lambda path: path.mkdir(), "it is not a file"),
    "not gzip": (lambda path: path.write_bytes(b"\x1f\x8b junk"), "Export it"),
    "UTF-16": (
        lambda path: path.write_text("Outcome\n1\n", encoding="utf-16"),
        "line 1 holds a NUL byte, so the file is damaged or not UTF-8 text",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_errors_name_the_place_and_the_cure(tmp_path, case):
    write, message = BAD[case]
    path = tmp_path / ("data.csv.gz" if case == "not gzip" else "data.csv")
    write(path)
    with pytest.raises(DataError, match=message) as caught:
        load_expression_data(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", ["", "   "])
def test_rows_are_counted_as_in_the_file(tmp_path, blank, end):
    rows = ["", "G_Time_0,Outcome", "1,0", blank, "2,1", '"3",0', "x,1"]
    path = tmp_path / "data.csv"
    path.write_bytes(end.join(rows).encode())
    with pytest.raises(DataError, match=r"row 7 .*: 'x' is not a number"):
        load_expression_data(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="it is not a file"):
        load_expression_data(tmp_path / "pipe.csv")


def test_strange_column_names_are_no_harm(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text(f"self,Outcome\n{10**25},0\n1,1\n")
    data = load_expression_data(path, n_time_steps=1, n_genes=1)
    assert data.X[:, 0, 0].tolist() == [float(np.float32(1e25)), 1]
    path.write_text(f"G{'1' * 5000}_Time_0,Outcome\n1,0\n2,1\n")
    assert load_expression_data(path).X.shape == (2, 1, 1)


def test_spoilt_gzip(tmp_path):
    packed = gzip.compress(make_table(n=200)[0].to_csv(index=False).encode())
    path = tmp_path / "data.csv.gz"
    for spoilt in (
        packed[: len(packed) // 2],
        packed[:600] + b"x" * 50 + packed[650:],
    ):
        path.write_bytes(spoilt)
        with pytest.raises(DataError, match="cannot be read"):
            load_expression_data(path)


def test_fewer_samples_than_folds():
    y = np.array([0] * 20 + [1] * 5)
    check_enough_samples(y, 5)
    with pytest.raises(
        DataError, match=r"at least 6 .* rarer one has 5 of 25"
    ):
        check_enough_samples(y, 6)
    with pytest.raises(DataError, match="20% held out, needs at least 8"):
        check_enough_samples(y, 5, held_out=0.2)


@pytest.mark.parametrize("n_folds", [2, 5])
@pytest.mark.parametrize("n", [20, 25, 47, 100, 1000])
def test_enough_samples_survive_the_split_and_every_fold(n, n_folds):
    rare = {2: 6, 5: 10}[n_folds]  # the fewest that are accepted
    y = np.array([0] * (n - rare) + [1] * rare)
    check_enough_samples(y, n_folds, held_out=0.2, nested=True)
    with pytest.raises(DataError, match=f"at least {rare} samples of each"):
        check_enough_samples(y[:-1], n_folds, held_out=0.2, nested=True)
    for seed in range(5):
        train, valid = train_test_split(
            y, test_size=0.2, stratify=y, random_state=seed
        )
        assert 0 < valid.sum() < len(valid)
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        for part, _ in folds.split(train, train):
            assert np.bincount(train[part]).min() >= n_folds


def test_copies_of_training_samples_are_counted():
    X = np.random.default_rng(0).random((9, 2, 3), np.float32)
    with pytest.warns(UserWarning, match="2 of 4 held-out samples are copies"):
        assert warn_of_duplicates(X[:6], X[[4, 5, 6, 7]]) == 2
    assert warn_of_duplicates(X[:6], X[6:]) == 0
