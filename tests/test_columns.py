"""What column names say, and what is said of tables of another shape."""

import re
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from conftest import make_table

from helpers.data import DataError, load_expression_data

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
