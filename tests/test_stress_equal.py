"""Equal results under every way of running, and honest ones."""

import json
import os
import random
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, fill, is_old
from nbclient import NotebookClient
from place import PREFIX
from sklearn.model_selection import train_test_split
from test_stress_kills import find_victim, is_new, list_others, start

pytestmark = pytest.mark.stress
UNPRIVILEGED = 65534


@pytest.fixture(scope="module")
def base(run):
    """The outputs of a run from the repository, with a worker a core."""
    return run[0]


def read_results(out):
    return (out / "results.json").read_bytes()


def run_otherwise(
    out, data, *options, cwd="/", root=ROOT, command=(), **environment
):
    done = subprocess.run(
        [*command, sys.executable, root / "scripts" / "execute.py",
         "--out", out, "--quick", "1", "--data", data, *options],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=900,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_results(out)


def test_equal_from_what_was_handed_in_elsewhere(
    base, hostile_data, unpacked, tmp_path
):
    """One worker, another folder, blanks and accents in the path."""
    out = tmp_path / "élève 1" / "build"
    found = run_otherwise(
        out, hostile_data, "--jobs", "1", root=unpacked, cwd=tmp_path,
        LANG="C", LC_ALL="C", PYTHONHASHSEED="1",
    )  # fmt: skip
    assert found == read_results(base)
    for figure in (base / "figures").iterdir():
        again = out / "figures" / figure.name
        assert again.read_bytes() == figure.read_bytes()


@pytest.fixture
def turkish(tmp_path):
    """Return an environment with a Turkish locale, in which I is no capital
    of i, and decimal points are commas."""
    made = None
    if shutil.which("localedef"):
        made = subprocess.run(
            ["localedef", "-i", "tr_TR", "-f", "UTF-8",
             tmp_path / "tr_TR.UTF-8"], capture_output=True, check=False,
        )  # fmt: skip
    if made is None or made.returncode:
        why = "no Turkish locale can be made (apt-get install locales)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    return {"LOCPATH": str(tmp_path), "LC_ALL": "tr_TR.UTF-8"}


POINT = """
import locale
locale.setlocale(locale.LC_ALL, "")
print(locale.localeconv()["decimal_point"])
"""


def test_equal_twice_in_a_row_in_turkish(
    base, hostile_data, tmp_path, turkish
):
    shown = subprocess.check_output(
        [sys.executable, "-c", POINT], env=os.environ | turkish, text=True
    )
    assert shown == ",\n"
    out = tmp_path / "build"
    found = run_otherwise(out, hostile_data, PYTHONHASHSEED="2", **turkish)
    assert found == read_results(base)
    for name in ("assignment7.ipynb", "assignment7.html"):
        assert (out / name).read_bytes() == (base / name).read_bytes()


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="only root can be another, with setpriv",
)
def test_equal_for_root_and_for_a_user(base, hostile_data, tmp_path):
    for name in ("build", "home"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, UNPRIVILEGED, UNPRIVILEGED)
    # who may read what root may, wherever this Python lies, but not write it
    user = [
        "setpriv", f"--reuid={UNPRIVILEGED}", f"--regid={UNPRIVILEGED}",
        "--clear-groups", "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]  # fmt: skip
    probe = [*user, sys.executable, "-c", "import numpy"]
    if subprocess.run(probe, check=False, cwd="/").returncode:
        pytest.skip("this root may not lend its rights to another")
    out = tmp_path / "build"
    found = run_otherwise(
        out, hostile_data, command=user, HOME=str(tmp_path / "home")
    )
    assert found == read_results(base)
    assert (out / "results.json").stat().st_uid == UNPRIVILEGED


def test_equal_cell_by_cell_and_with_shuffled_columns(
    base, hostile_data, tmp_path, monkeypatch
):
    """Through Jupyter's own client, without papermill."""
    table = pd.read_csv(hostile_data, dtype=str)
    columns = list(table.columns)
    random.Random(0).shuffle(columns)
    path, out = tmp_path / "shuffled.csv", tmp_path / "build"
    table[columns].to_csv(path, index=False)
    notebook = nbformat.read(ROOT / "assignment7.ipynb", as_version=4)
    cell = next(c for c in notebook.cells
                if "parameters" in c.metadata.get("tags", []))  # fmt: skip
    cell.source += f"\nDATA, QUICK = {str(path)!r}, True"
    monkeypatch.setenv("OUT", str(out))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
    client = NotebookClient(notebook, timeout=900, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    assert read_results(out) == read_results(base)


@pytest.fixture(scope="module")
def after_a_kill(tmp_path_factory, hostile_data):
    """The outputs of a run, with another seed, into the folder that a killed
    one was writing to."""
    fill(out := tmp_path_factory.mktemp("again") / "build")
    with start(out) as make:
        victim = find_victim(make, "papermill")
        find_victim(make, "kernel")
        victim.kill()
        make.communicate(timeout=60)
    assert is_old(out)
    assert list_others(out)
    assert all(name.startswith(PREFIX) for name in list_others(out))
    run_otherwise(out, hostile_data, "--seed", "1")
    return out


def test_the_run_after_a_killed_one_succeeds(after_a_kill):
    assert is_new(after_a_kill)
    assert not list_others(after_a_kill)


def test_another_seed_gives_other_results(after_a_kill, base):
    one, other = (json.loads(read_results(o)) for o in (base, after_a_kill))
    assert one["data"]["samples"] == other["data"]["samples"]
    for key in ("grid", "training", "comparison"):
        assert one[key] != other[key]


def test_held_out_samples_change_nothing_but_their_own_scores(
    base, hostile_data, tmp_path
):
    """Were scaling, tuning, training or stopping to see them, they would."""
    table = pd.read_csv(hostile_data, dtype=str)
    y = table["Outcome"].astype(float).astype(int)
    _, held_out = train_test_split(
        np.arange(len(y)), test_size=0.2, stratify=y, random_state=0
    )
    genes = table.columns.drop("Outcome")
    values = table.loc[held_out, genes].astype(float).to_numpy()
    table.loc[held_out, genes] = (values[::-1] * 100 + 7).astype(str)
    path = tmp_path / "spoilt.csv"
    table.to_csv(path, index=False)
    found = run_otherwise(tmp_path / "build", path)
    spoilt, clean = json.loads(found), json.loads(read_results(base))
    for name, course in clean["training"].items():
        assert course["val_loss"] != spoilt["training"][name]["val_loss"]
    assert keep_what_is_learned(spoilt) == keep_what_is_learned(clean)


def keep_what_is_learned(results):
    comparison = results["comparison"]
    return {
        "grid": results["grid"],
        "loss": {k: v["loss"] for k, v in results["training"].items()},
        "resamples": {
            name: {k: v for k, v in model.items() if k != "held_out"}
            for name, model in comparison["models"].items()
            if name != "best possible"  # unknown without the truth
        },
        "pairs": comparison["pairs"],
        "importance": {
            name: {
                kind: {k: found[k] for k in ("mean", "low", "high", "found")}
                for kind, found in kinds.items()
            }
            for name, kinds in comparison["importance"].items()
        },
        "order": results["order"],  # of what was trained on
        "controls": results["controls"],
    }
