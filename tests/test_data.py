import os
import re
import zipfile

import numpy as np
import pytest
from conftest import make_table
from sklearn.model_selection import train_test_split

from helpers.data import (
    DataError,
    ExpressionData,
    check_enough_samples,
    hold_out,
    load_expression_data,
    make_folds,
    warn_of_duplicates,
)


def test_values_land_where_their_names_say(save):
    genes = tuple(f"Gene_{g}" for g in range(12))
    table, X = make_table(times=range(11), genes=genes)
    order = np.random.default_rng(1).permutation(table.columns[:-1])
    data = load_expression_data(save(table[[*order, "Outcome"]]))
    np.testing.assert_array_equal(data.X, X)
    assert data.X.dtype == np.float32
    assert data.X[2, 1, 0] == np.float32(table.loc[2, "Gene_0_Time_1"])
    np.testing.assert_array_equal(data.y, [0, 1, 0, 1, 0, 1])
    assert data.genes == genes  # Gene_2 before Gene_10
    assert data.times == tuple(range(11))
    assert data.classes == ("0", "1")
    assert data.groups is None
    assert data.notes == (
        "132 columns read as GENE_Time_TIME: 12 genes x 11 times.",
    )


def test_a_large_file_whose_pieces_differ_in_type(save):
    names = [f"Gene_{g}_Time_{t}" for t in (0, 1) for g in range(1000)]
    row = ",".join(["0.25"] * 2000)
    rows = [f"{row},{i % 2}" for i in range(600)]  # read in pieces of 512
    text = "\n".join([",".join([*names, "Outcome"]), *rows])
    data = load_expression_data(save(f"{text}\n 0.5{row[4:]},1\n"))
    assert data.X.shape == (601, 2, 1000)
    assert data.X[600, 0, 0] == 0.5
    data.X[600, 0, 0] = 0.25
    assert np.all(data.X == 0.25)
    with pytest.raises(DataError, match=r"row 602 .*'high' is not a finite"):
        load_expression_data(save(f"{text}\nhigh{row[4:]},1\n"))


FORMATS = {  # how the text is changed; test_data_fuzz has others
    "separator.csv": lambda text: "sep=;\n" + text.replace(",", ";"),
    "comments.csv": '# "from", the 5" gel\n#, it\'s log1p\n\n{}'.format,
    "title.csv": "My table,,,,\n{}".format,
    "carriage returns.csv": lambda text: ("#\n" + text).replace("\n", "\r"),
    "empty cells.csv": lambda text: (
        ",,,,,,,,\n" + text.replace("\n", ",,\n") + ",,,,,,,,\n" * 3
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(save, name):
    table, X = make_table()
    text = FORMATS[name](table.to_csv(index=False)).encode()
    data = load_expression_data(save(text, name))
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, table["Outcome"])


def test_a_zip_archive_holds_one_table(save, tmp_path):
    path = tmp_path / "data.ZIP"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.csv", make_table()[0].to_csv(index=False))
    assert load_expression_data(path).X.shape == (6, 3, 2)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._data.csv", "")
    with pytest.raises(DataError, match="holds 2 files"):
        load_expression_data(path)


def test_a_table_saved_twice_by_pandas(save):
    table, X = make_table()
    table = table.reset_index(names="Unnamed: 0")
    path = save(table, index=True)
    np.testing.assert_array_equal(load_expression_data(path).X, X)


@pytest.mark.parametrize(
    ("donors", "n_groups", "note"),
    [
        (["NA", "NA", "x", "x", "y", "z"], 4, "is taken for groups"),
        (["01", "01", "1", "1", "1", "1"], 2, ".* GROUPS=False overrules"),
        ("xxyzuv", None, "is not used, although 2 rows .* set GROUPS=donor"),
        ("xxxyzu", None, "is not used, although 3 rows .* set GROUPS=donor"),
        ("xxxxxx", None, "is not used"),
    ],
)
def test_groups_need_most_values_to_repeat(save, donors, n_groups, note):
    table, X = make_table()
    table.index = list(donors)
    path = save(table, index=True, index_label="donor")
    data = load_expression_data(path)
    np.testing.assert_array_equal(data.X, X)
    if n_groups:
        np.testing.assert_array_equal(data.groups, donors)
    assert (data.groups is not None) == bool(n_groups)
    assert re.match(f"The column 'donor' {note}", data.notes[1])
    assert load_expression_data(path, groups=False).groups is None


def test_groups_can_be_named_wherever_they_stand(save):
    table, X = make_table()
    table["mouse"] = ["a", "b", "c"] * 2
    table.insert(0, "sample", range(6))
    data = load_expression_data(save(table), groups="mouse")
    np.testing.assert_array_equal(data.groups, table["mouse"])
    np.testing.assert_array_equal(data.X, X)
    for groups in ("donor", "Outcome"):
        with pytest.raises(DataError, match=f"GROUPS={groups} must name"):
            load_expression_data(save(table), groups=groups)
    table.loc[4, "mouse"] = None
    with pytest.raises(DataError, match=r"row 6 .*'mouse': a missing value"):
        load_expression_data(save(table), groups="mouse")


@pytest.mark.parametrize(
    ("outcome", "classes"),
    [
        (["0", "0.0", "-0", "1e0", "1", " 1.0"], ("0", "1")),
        ([False, False, False, True, True, True], ("False", "True")),
        ([2, 2, 2, 10, 10, 10], ("2", "10")),
        (["1", "1", "1", "NA", "NA ", "NA"], ("1", "NA")),
    ],
)
def test_two_valued_outcomes(save, outcome, classes):
    data = load_expression_data(save(make_table(outcome=outcome)[0]))
    np.testing.assert_array_equal(data.y, [0, 0, 0, 1, 1, 1])
    assert data.classes == classes
    assert ("'NA is read" in f"'{data.notes[-1]}") == ("NA" in classes)


def set_cell(value, column="B_Time_2"):
    """Return the text of a valid table with another value in one cell."""
    table = make_table()[0].astype(object)
    table.loc[4, column] = value
    return table.to_csv(index=False)


BAD = {
    "": "no line holds column names",
    "A_Time_0,Outcome\n": "two values, it has 0",
    "1,0\n2,1\n": "first row holds numbers",
    set_cell("high"): "row 6 .*, column 'B_Time_2': 'high' is not a finite",
    set_cell(None): "row 6 .*, column 'B_Time_2': an empty cell is not a",
    set_cell(1e300): r"column 'B_Time_2': '1e\+300' is not a finite",
    set_cell("  ", "Outcome"): "row 6 .*, column 'Outcome': a missing value",
    "A_Time_0,Outcome\n1,0\n1,2,3,1\n": "Expected 2 fields in line 3, saw 4",
    "A_Time_0,Outcome\n.5,0,1\n.7,1,0\n": "as many values as the header",
    'id,A_Time_0,Outcome\ns,9,1\n"t,1,0\nv",4,0\n': "'id': .* several lines",
    "A_Time_0;Outcome\n1,250;0\n17,125;1\n": "'1,250' is not a finite number",
    "A_Time_0;B_Time_0;Outcome\n1,25;0.5;0\n": "'0.5' is not a finite number",
    "A_Time_0,Outcome\n1,1\n2,1\n": "must have two values, it has 1: 1",
    "PK\3\4": "it is an Excel workbook",
    '!Series_title\t"x"\n': "a GEO series matrix",
    "Outcome\0": "Save it as CSV in UTF-8",
}


@pytest.mark.parametrize("case", BAD)
def test_errors_name_the_place_and_the_cure(save, case):
    path = save(case)
    with pytest.raises(DataError, match=BAD[case]) as caught:
        load_expression_data(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith(".")
    assert str(caught.value).isprintable()


def test_what_is_no_file_to_read(save, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        load_expression_data(tmp_path / "data.csv")
    os.mkfifo(tmp_path / "pipe.csv")  # is not waited for
    with pytest.raises(DataError, match="is not a file"):
        load_expression_data(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="cannot be read"):
        load_expression_data(save(b"\x1f\x8b junk", "data.csv.gz"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank", ["", "   ", ","])
def test_rows_are_counted_as_in_the_file(save, blank, end):
    rows = ["# comment", "", "A_Time_0,Outcome", "1,0", blank, "2,1"]
    text = end.join([*rows, '"3",0', "x,1"])
    with pytest.raises(DataError, match=r"row 8 .*: 'x' is not a finite"):
        load_expression_data(save(text.encode()))


def test_fewer_groups_than_folds():
    y = np.array([0] * 20 + [1] * 5)
    groups = np.array([*"abcdefghijklmnopqrst", *"UVWXU"])
    check_enough_samples(y, 4, groups=groups)
    with pytest.raises(
        DataError, match=r"5 groups of .* 4 of 24.*GROUPS=False"
    ):
        check_enough_samples(y, 5, groups=groups)


def make_samples(y, groups=None):
    X = np.zeros((len(y), 1, 1), np.float32)
    return ExpressionData(X, y, ("A",), (0,), ("0", "1"), groups)


@pytest.mark.parametrize("n_folds", [2, 5])
@pytest.mark.parametrize("n", [20, 25, 47, 100, 1000])
def test_enough_samples_survive_the_split_and_every_fold(n, n_folds):
    rare = {2: 6, 5: 10}[n_folds]  # the fewest that are accepted
    y = np.array([0] * (n - rare) + [1] * rare)
    check_enough_samples(y, n_folds, whole_file=True)
    with pytest.raises(DataError, match=f"at least {rare} samples of each"):
        check_enough_samples(y[:-1], n_folds, whole_file=True)
    for seed in range(5):
        train, valid = hold_out(make_samples(y), seed=seed)
        assert 0 < y[valid].sum() < len(valid)
        folds = make_folds(n_folds, None, seed=seed)
        for part, _ in folds.split(train, y[train]):
            assert np.bincount(y[train][part]).min() >= n_folds


def test_rows_are_held_out_as_the_assignment_says():
    y = np.arange(100) % 3 // 2
    how = {"test_size": 0.2, "stratify": y, "random_state": 4}
    found = hold_out(make_samples(y), seed=4)
    assert [*map(list, found)] == train_test_split(range(100), **how)


@pytest.mark.parametrize("varies", [True, False])
def test_groups_stand_on_one_side_of_every_split(varies):
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(30), 4))
    y = np.tile([0, 1], 60) if varies else groups % 2
    splits = [hold_out(make_samples(y, groups), seed=seed) for seed in (1, 2)]
    assert {*splits[0][1]} != {*splits[1][1]}  # the seed counts
    splits += make_folds(5, groups, seed=1).split(y, y, groups)
    for train, test in splits:
        assert sorted([*train, *test]) == [*range(120)]
        assert not {*groups[train]} & {*groups[test]}
        assert len(test) == 24
        assert y[test].mean() == pytest.approx(0.5, abs=0.09)


def test_copies_of_training_samples_are_counted():
    X = np.random.default_rng(0).random((9, 2, 3), np.float32)
    with pytest.warns(UserWarning, match="2 of 4 held-out samples are copies"):
        assert warn_of_duplicates(X[:6], X[[4, 5, 6, 7]]) == 2
    assert warn_of_duplicates(X[:6], X[6:]) == 0
