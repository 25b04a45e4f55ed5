"""What takes minutes: results are equal whatever way they are computed."""

import json
import re
import zipfile

import numpy as np
import outputs
import pandas as pd
import pytest
from conftest import ROOT, call, quick_run, run_papermill
from sklearn.model_selection import train_test_split
from verify import flatten

pytestmark = pytest.mark.stress


@pytest.fixture(scope="module")
def table():
    """Part of the stand-in data, as text."""
    return pd.read_csv(ROOT / outputs.DATA, dtype=str)[:300]


@pytest.fixture(scope="module")
def data(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "data.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def base(data, tmp_path_factory):
    """The outputs of a run with two workers."""
    out = tmp_path_factory.mktemp("base") / "build"
    quick_run(out, data, "--jobs", 2)
    return out


@pytest.fixture(scope="module")
def spelt(table):
    """The same samples, their columns spelt and arranged in another way."""
    spelt = table.rename(
        columns=lambda name: re.sub(r"(Gene_\d+)_Time_(\d+)", r"t\2_\1", name)
    )
    outcome = spelt.pop("Outcome")
    return spelt.sample(frac=1, axis=1, random_state=0).join(outcome)


def test_equal_byte_for_byte_elsewhere_with_one_worker(
    base, data, spelt, tmp_path
):
    """From what was handed in, as another user may run it, on a file that is
    spelt otherwise."""
    done = call("submission", base)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(base / "submission.zip") as archive:
        archive.extractall(tmp_path / "Prüfung, élève 1")
    root = tmp_path / "Prüfung, élève 1" / "assignment7"
    out, path = tmp_path / "build", tmp_path / "spelt otherwise.TSV.gz"
    spelt.to_csv(path, index=False, sep="\t", compression="gzip")
    other = {"LC_ALL": "C", "PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"}
    quick_run(out, path, "--jobs", 1, root=root, **other)
    for one in (base / "results.json", *base.glob("figures/*")):
        again = out / one.relative_to(base)
        assert again.read_bytes() == one.read_bytes()
    one, again = (
        (folder / outputs.NOTEBOOK).read_text("utf-8")
        for folder in (base, out)
    )
    for mine, others in (
        ("JOBS = 2", "JOBS = 1"),
        ("GENE_Time_TIME", "tTIME_GENE"),
        (str(data), str(path)),
        [outputs.hash_bytes(p.read_bytes()) for p in (data, path)],
    ):
        assert mine in one
        one = one.replace(mine, others)
    assert one == again


def test_held_out_samples_change_nothing_but_their_own_scores(
    base, table, spelt, tmp_path
):
    """Were scaling, tuning or training to see them, they would."""
    y = table["Outcome"].astype(float).astype(int)
    _, held_out = train_test_split(
        np.arange(len(y)), test_size=0.2, stratify=y, random_state=0
    )
    spoilt, genes = spelt.copy(), spelt.columns.drop("Outcome")
    values = spelt.loc[held_out, genes].astype(float).to_numpy()
    spoilt.loc[held_out, genes] = (values[::-1] * 100 + 7).astype(str)
    path = tmp_path / "spoilt.csv"
    spoilt.to_csv(path, index=False)
    run_papermill(tmp_path, path)
    new, old = (
        flatten(json.loads((folder / "results.json").read_bytes()))
        for folder in (tmp_path, base)
    )
    learned = re.compile(r"^(grid|order)/|/loss/|/pairs/|/mean$")
    changed = [k for k in old if old[k] != new.get(k)]
    assert [k for k in changed if learned.search(k)] == []
    assert [k for k in changed if "/val_loss/" in k]
