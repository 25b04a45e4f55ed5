"""Killed runs, odd data, and equal results: minutes each, by make stress."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress

import nbformat
import numpy as np
import pandas as pd
import psutil
import pytest
from conftest import ROOT, execute
from nbclient import NotebookClient
from place import OUTPUTS, PREFIX

from helpers.simulate import simulate_expression

pytestmark = pytest.mark.stress
STAND_IN = ROOT / "data" / "gene_expression_data.csv"


def start(out, *options):
    return subprocess.Popen(
        ["make", "execute", "QUICK=1", f"OUT={out}", *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def find_victim(make, who):
    """Return the process named `who` of a run, as soon as there is one."""
    word = {"papermill": "execute.py", "kernel": "ipykernel_launcher",
            "worker": "popen_loky"}.get(who)  # fmt: skip
    while make.poll() is None:
        running = psutil.Process(make.pid)
        if word is None:
            return running
        for child in running.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                if word in " ".join(child.cmdline()):
                    return child
        time.sleep(0.1)
    raise AssertionError(f"make ended before there was a {who}")


def wait_for_the_end_of(processes, seconds=15):
    _, alive = psutil.wait_procs(processes, seconds)
    return [process.pid for process in alive]


def fill(out):
    out.mkdir()
    for name in OUTPUTS:
        (out / name).write_text("old")


def is_old(out):
    names = {path.name for path in out.iterdir()}
    left = {name for name in names if name.startswith(PREFIX)}
    return names - left == set(OUTPUTS) and all(
        (out / name).read_text() == "old" for name in OUTPUTS
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("who", "how"),
    [("kernel", "KILL"), ("worker", "KILL"), ("papermill", "TERM"),
     ("papermill", "KILL"), ("make", "TERM"), ("make", "KILL")],
)  # fmt: skip
def test_a_killed_run_leaves_the_old_outputs(tmp_path, who, how, seed):
    fill(out := tmp_path / "build")
    make = start(out)
    find_victim(make, who)
    time.sleep(random.Random(f"{who}{how}{seed}").uniform(0, 20))
    victim = find_victim(make, who)
    family = psutil.Process(make.pid).children(recursive=True)
    victim.send_signal(getattr(signal, f"SIG{how}"))
    _, errors = make.communicate(timeout=60)
    assert wait_for_the_end_of(family) == []
    assert make.returncode != 0
    assert is_old(out)
    lines = [x for x in errors.splitlines() if x.startswith("make execute:")]
    if (who, how) == ("papermill", "KILL"):
        assert "Killed" in errors.splitlines()[-1]
    elif who in ("make", "papermill"):
        assert lines[-1].endswith("interrupted; the outputs are as they were")
    else:
        assert "make execute: cell " in lines[-1]


def test_the_run_after_a_killed_one_succeeds(tmp_path):
    fill(out := tmp_path / "build")
    make = start(out)
    victim = find_victim(make, "papermill")
    find_victim(make, "kernel")
    victim.kill()
    make.communicate(timeout=60)
    assert [p for p in out.iterdir() if p.name.startswith(PREFIX)]
    done = execute(out, "--quick", 1)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in out.iterdir()} == set(OUTPUTS)
    assert json.loads((out / "results.json").read_text())["conclusions"]


def test_of_two_runs_into_one_folder_one_is_refused(tmp_path):
    fill(out := tmp_path / "build")
    first = start(out)
    find_victim(first, "kernel")
    second = start(out)
    _, errors = second.communicate(timeout=60)
    assert second.returncode != 0
    assert f"another run is writing to {out}" in errors
    first.terminate()
    first.communicate(timeout=60)
    assert is_old(out)


def test_a_full_disk_leaves_the_old_outputs(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", disk]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, check=False, capture_output=True).returncode
    ):
        pytest.skip("no small disk can be mounted here")
    try:
        fill(out := disk / "build")
        done = execute(out, "--quick", 1)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr.splitlines()[-1]
        assert is_old(out)
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    out = tmp_path_factory.mktemp("base") / "build"
    done = execute(out, "--quick", 1)
    assert done.returncode == 0, done.stderr
    return out


def read_results(out):
    return (out / "results.json").read_bytes()


def run_otherwise(out, *options, cwd, command=(), **environment):
    done = subprocess.run(
        [*command, sys.executable, ROOT / "scripts" / "execute.py",
         "--out", out, "--quick", "1", *options],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=900,
        env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_results(out)


def test_equal_again_whatever_the_place_language_and_workers(base, tmp_path):
    out = tmp_path / "élève 1" / "build"
    found = run_otherwise(
        out, "--jobs", "1", cwd=tmp_path, LANG="C", LC_ALL="C",
        PYTHONHASHSEED="1",
    )  # fmt: skip
    assert found == read_results(base)
    for figure in (base / "figures").iterdir():
        again = out / "figures" / figure.name
        assert again.read_bytes() == figure.read_bytes()


def test_equal_twice_in_a_row_in_turkish(base, tmp_path):
    out = tmp_path / "build"
    found = run_otherwise(
        out, cwd="/", LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8",
        PYTHONHASHSEED="2",
    )  # fmt: skip
    assert found == read_results(base)
    for name in ("assignment7.ipynb", "assignment7.html"):
        assert (out / name).read_bytes() == (base / name).read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another")
def test_equal_for_root_and_for_a_user(base, tmp_path):
    out = tmp_path / "build"
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    out.mkdir()
    os.chown(out, 65534, 65534)
    user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    if subprocess.run([*user, sys.executable, "-c", "import numpy"],
                      check=False, cwd="/").returncode:  # fmt: skip
        pytest.skip("another user cannot reach this Python")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    found = run_otherwise(out, cwd="/", command=user, HOME=str(home))
    assert found == read_results(base)


def test_equal_cell_by_cell_and_with_shuffled_columns(base, tmp_path):
    """Through Jupyter's own client, without papermill."""
    table = pd.read_csv(STAND_IN, dtype=str)
    columns = list(table.columns)
    random.Random(0).shuffle(columns)
    table[columns].to_csv(tmp_path / "shuffled.csv", index=False)
    notebook = nbformat.read(ROOT / "assignment7.ipynb", as_version=4)
    cell = next(c for c in notebook.cells
                if "parameters" in c.metadata.get("tags", []))  # fmt: skip
    cell.source += f"\nDATA, QUICK = {str(tmp_path / 'shuffled.csv')!r}, True"
    os.environ["OUT"] = str(tmp_path / "build")
    try:
        NotebookClient(notebook, timeout=900, kernel_name="python3").execute(
            cwd=str(tmp_path)
        )
    finally:
        del os.environ["OUT"]
    assert read_results(tmp_path / "build") == read_results(base)


def test_another_seed_gives_other_results(base, tmp_path):
    found = run_otherwise(tmp_path / "build", "--seed", "1", cwd=ROOT)
    assert found != read_results(base)


def odd(change=None, *, n=200, T=6, G=3, positives=0.5):
    rng = np.random.default_rng(0)
    X = rng.random((n, T, G))
    y = np.zeros(n, int)
    y[: int(n * positives)] = 1
    X[y == 1, :, 0] += 0.5
    return (change(X), y) if change else (X, y)


def keep(X, index, value):
    X[index] = value
    return X


ODD = {
    "20 samples": odd(n=20),
    "3 % positives": odd(n=300, positives=0.03),
    "constant genes": odd(lambda X: keep(X, np.s_[:, :, 1:], 0.0)),
    "one gene": odd(G=1),
    "one time point": odd(T=1),
    "400 time points": odd(n=60, T=400, G=2),
    "values of a million": odd(lambda X: X * 1e6),
    "copies": [np.concatenate([part[75:125]] * 4) for part in odd()],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_data_runs_to_the_end(name, tmp_path):
    X, y = ODD[name]
    n, T, G = X.shape
    columns = [f"Gene_{g}_Time_{t}" for t in range(T) for g in range(G)]
    table = pd.DataFrame(X.reshape(n, -1), columns=columns)
    table["Outcome"] = y
    table.to_csv(tmp_path / "odd.csv", index=False)
    done = execute(
        tmp_path / "build", "--quick", 1, "--data", tmp_path / "odd.csv"
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(read_results(tmp_path / "build"))
    assert len(results["conclusions"]) == 8
    text = (tmp_path / "build" / "assignment7.ipynb").read_text()
    copies = results["data"]["copies_across_the_split"]
    assert ("held-out samples are copies" in text) == (copies > 0)
    assert (copies > 0) == (name == "copies")


def test_shuffled_outcomes_give_no_evidence_of_signal():
    from helpers import compare, experiments, models, report, search

    quiet = 0
    for seed in range(20):
        data = simulate_expression("both", 300, 20, 4, seed=seed)
        X = data.X.astype(np.float32)
        y = np.random.default_rng(seed).permutation(data.y)
        trained = {
            "attention": search.make_classifier(
                models.build_attention_model, X.shape[1:], epochs=10,
                seed=seed, num_heads=2, key_dim=5, dropout_rate=0.1,
                l2_reg=0.01,
            ),
            "LSTM": search.make_classifier(
                models.build_lstm_model, X.shape[1:], epochs=10, seed=seed,
                units=8, dropout_rate=0.1, l2_reg=0.01,
            ),
            **experiments.make_baselines(cv=5),
        }  # fmt: skip
        predictions = {
            name: model.fit(X[:240], y[:240]).predict_proba(X[240:])[:, 1]
            for name, model in trained.items()
        }
        signal = compare.find_signal(y[240:], predictions, seed=seed)
        quiet += not report.has_signal({"signal": signal})
    assert quiet >= 19
