import os
import re
import zipfile
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
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


def make_table(
    n=6, times=(0, 1, 2), genes=("A", "B"), name="{g}_Time_{t}", outcome=None
):
    """Return a time-major table and its values (n, T, G)."""
    X = np.random.default_rng(0).normal(size=(n, len(times), len(genes)))
    X = X.astype(np.float32)
    names = [name.format(g=g, t=t) for t in times for g in genes]
    table = pd.DataFrame(X.reshape(n, -1), columns=names)
    table["Outcome"] = [0, 1] * (n // 2) if outcome is None else outcome
    return table, X


@pytest.fixture
def save(tmp_path):
    def write(table, name="data.csv", **options):
        path = tmp_path / name
        if isinstance(table, pd.DataFrame):
            table.to_csv(path, index=options.pop("index", False), **options)
        elif isinstance(table, str):
            path.write_text(table)
        else:
            path.write_bytes(table)
        return path

    return write


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


# How names are written, what the times are, how the page describes it.
SPELLINGS = [
    ("{g}.Time.{t}", ("1.0", "2.0"), (1, 2), "GENE.Time.TIME"),
    ("{g} timepoint {t}", ("0.5", "2"), (0.5, 2), "GENE timepoint TIME"),
    ("TIME_{t}_{g}", (3, 20), (3, 20), "TIME_TIME_GENE"),
    ("{t}_gene_1{g}", (0, 1), (0, 1), "TIME_GENE"),
    ("{g}_{t}", ("0h", "24H"), (0, 24), "GENE_TIMEh: .*, in h"),
    ("{g}-{t}", ("d3", "d14"), (3, 14), "GENE-dTIME: .*, in d"),
    ("{t} {g}", ("1 day", "2 days"), (1, 2), "TIME day GENE: .*, in d"),
    ("{g}.{t}", ("0", "0.5", "2"), (0, 0.5, 2), r"GENE\.TIME"),
    ("HLA-{g}_{t}", (-1, 3), (-1, 3), "GENE_TIME"),
    ("ENSG{g}.{t}", (0, 8), (0, 8), r"GENE\.TIME"),
]
GENES = {"ENSG{g}.{t}": ("1.14", "2.5"), "{t}_gene_1{g}": (0, 1)}


@pytest.mark.parametrize(("name", "written", "times", "spelling"), SPELLINGS)
def test_spellings(save, name, written, times, spelling):
    genes = GENES.get(name, ("A", "B"))
    table, X = make_table(times=written, genes=genes, name=name)
    data = load_expression_data(save(table))
    np.testing.assert_array_equal(data.X, X)
    assert data.times == times
    whole = all(time % 1 == 0 for time in times)
    assert {type(time) for time in data.times} == {int if whole else float}
    for gene, written_gene in zip(data.genes, genes, strict=True):
        assert gene.endswith(str(written_gene))
    assert re.search(f"read as {spelling}", data.notes[0])
    assert data.time_unit == data.notes[0].rpartition(", in ")[2][:-1] * (
        ", in " in data.notes[0]
    )


REFUSED_NAMES = [
    # names, a part of the message
    (["A_Time_0", "B_Time_0", "A_Time_1"], "none, or more than one, of B at"),
    (["A_Time_1", "A_Time_01"], "none, or more than one, of A at 1"),
    (["A_Time_0", "A_Time_0", "A_Time_1"], "duplicate column names: A_Time_0"),
    (["A_Time_0", "A_Time_0.1", "A_Time_1"], r"'A_Time_0.1' looks like the"),
    (["Time_0_A", "Time_0_A.1"], r"'Time_0_A.1' looks like the mark"),
    (["A_30min", "A_1h"], "different units, h, min"),
    (["A_t0", "B_Time_0", "C_Time_0"], "other columns: A_t0"),
    (["A_Time_0", "A_Time_1", "age"], "other columns: age"),
    (["a", "b", "A_Time_0", "A_Time_1"], "other columns: a, b.* set GROUPS=a"),
    (["0_0", "1_0", "0_1", "1_1"], "in two ways. Is '1_0' gene '1' at time 0"),
    (["A_Time-2", "A_Time-1"], "gene 'A' at time -2, or gene 'A' at time 2"),
    (["v.14.0", "v.14.2"], "in two ways"),
    (["A_Time_0", "B_Tiem_0", "C_Time_0"], "other columns: B_Tiem_0"),
    (["gene_0", "gene_1", "gene_2"], "received gene_0, gene_1, gene_2"),
    (["IL4_Th1", "IL4_Th2"], "expected columns named GENE_Time_NUMBER"),
    (["1", "2"], "expected columns named GENE_Time_NUMBER"),
    (["outcome", "A_Time_0"], "received outcome and Outcome"),
]


@pytest.mark.parametrize(("names", "message"), REFUSED_NAMES)
def test_names_that_cannot_be_trusted_are_refused(save, names, message):
    table = pd.DataFrame([[0.5] * len(names)] * 6, columns=names)
    table["Outcome"] = [0, 1] * 3
    with pytest.raises(DataError, match=message) as caught:
        load_expression_data(save(table))
    assert "\n" not in str(caught.value)


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


def reshape(table, shape):
    """Return the table as others have it."""
    rows = table.rename_axis("sample").reset_index()
    rows = rows.melt(["sample", "Outcome"], value_name="expression")
    rows[["gene", "time"]] = rows.pop("variable").str.split("_Time_").tolist()
    if shape == "panel":
        index = ["sample", "time", "Outcome"]
        rows = rows.pivot(index=index, columns="gene", values="expression")
        return rows.reset_index()
    if shape == "genes in rows":
        rows["column"] = rows["sample"].map("S{:02}_t".format) + rows["time"]
        return rows.pivot(index="gene", columns="column", values="expression")
    return rows


def two_header_rows(table, order):
    pairs = [(n[0], n[-1])[::order] for n in table.columns[:-1]]
    pairs.append(("Outcome", "")[::order])
    return table.set_axis(pd.MultiIndex.from_tuples(pairs), axis=1)


RESHAPED = {
    "another name": lambda t: t.rename(columns={"Outcome": "fate"}),
    "long": lambda t: reshape(t, "long"),
    "panel": lambda t: reshape(t, "panel"),
    "transposed": lambda t: t.T,
    "genes in rows": lambda t: reshape(t, "genes in rows"),
    "two header rows": lambda t: two_header_rows(t, 1),
    "times above genes": lambda t: two_header_rows(t, -1),
    "outcome per time": lambda t: t.assign(
        Outcome_Time_0=0, Outcome_Time_2=t["Outcome"]
    ).drop(columns="Outcome"),
    "outcome twice": lambda t: t.assign(Outcome_Time_0=1),
    "metadata": lambda t: t.assign(age=1.5, sex="f"),
    "case": lambda t: t.assign(
        Outcome=t["Outcome"].map({0: "no", 1: "Yes"}).mask(t.index == 3, "yes")
    ),
    "three": lambda t: pd.concat([t, t[:1].assign(Outcome=2)]),
    "missing?": lambda t: pd.concat([t, t[:1].assign(Outcome="NA")]),
    "continuous": lambda t: t.assign(Outcome=t["Outcome"] + t.index / 100),
}


@pytest.mark.parametrize("options", [{}, {"sep": ";", "decimal": ","}])
@pytest.mark.parametrize("shape", RESHAPED)
def test_the_pandas_of_an_error_reshapes_this_very_file(
    save, monkeypatch, tmp_path, shape, options
):
    """The lines are run as they stand, again if another error follows."""
    monkeypatch.chdir(tmp_path)
    table, X = make_table(n=24)
    path = save(RESHAPED[shape](table), index=True, **options)
    for _ in range(2):
        with pytest.raises(DataError) as caught:
            load_expression_data(path)
        assert str(caught.value).isprintable()
        code = str(caught.value).split("`")[-2]
        outcome = {f"S{i:02}": c for i, c in table["Outcome"].items()}
        exec(code, {"outcome": outcome})  # noqa: S102
        path = tmp_path / "table.csv"
        with suppress(DataError):
            data = load_expression_data(path)
            break
    np.testing.assert_array_equal(data.X, X)
    np.testing.assert_array_equal(data.y, table["Outcome"])


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
