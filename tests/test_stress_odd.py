"""What takes minutes: odd but legal data, and kills amid the work."""

import json
import re
import subprocess
import sys

import numpy as np
import outputs
import pandas as pd
import psutil
import pytest
from conftest import ROOT, fill, is_untouched, quick_run

pytestmark = pytest.mark.stress


def odd(n=200, T=6, G=3, positives=0.5):
    """Samples whose first gene tells their outcome, and their outcomes."""
    X = np.random.default_rng(0).random((n, T, G))
    y = (np.arange(n) < n * positives).astype(int)
    X[y == 1, :, 0] += 0.5
    return X, y


ODD = {
    "20 samples": odd(n=20),
    "3 % positives, constant genes": (
        odd(n=300, positives=0.03)[0] * [1, 0, 0],
        odd(n=300, positives=0.03)[1],
    ),
    "one value, copies": [
        np.concatenate([part[75:125]] * 4) for part in odd(T=1, G=1)
    ],
    "400 time points": odd(n=40, T=400, G=2),
    "no signal": (odd()[0], np.random.default_rng(1).permutation(odd()[1])),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_data_run_to_the_end(name, tmp_path):
    X, y = ODD[name]
    n, T, G = X.shape
    columns = [f"Gene_{g}_Time_{t}" for t in range(T) for g in range(G)]
    table = pd.DataFrame(X.reshape(n, -1), columns=columns)
    table["Outcome"] = y
    table.to_csv(tmp_path / "odd.csv", index=False)
    out = tmp_path / "build"
    results = json.loads(quick_run(out, tmp_path / "odd.csv"))
    copies = results["data"]["copies_across_the_split"]
    assert (copies > 0) == ("copies" in name)
    if name == "no signal":
        assert results["verdicts"]["signal"] == "no"


@pytest.mark.parametrize("victim", ["worker", "run"])
def test_a_kill_amid_the_fits_changes_nothing(tmp_path, victim):
    out = tmp_path / "build"
    fill(out)
    script = ROOT / "scripts" / "execute.py"
    with subprocess.Popen(
        [sys.executable, script, "--quick", "1", "--out", out],
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        while not re.search(r"[1-9]\d* of \d+", run.stderr.readline()):
            assert run.poll() is None
        family = psutil.Process(run.pid).children(recursive=True)
        workers = [p for p in family if "loky" in " ".join(p.cmdline())]
        (workers[-1] if victim == "worker" else run).kill()
        last = run.stderr.read().splitlines()[-1:]
    _, orphans = psutil.wait_procs(family, 30)
    assert orphans == []
    outputs.recover(out)
    if run.returncode == 0:  # a lost worker was replaced
        assert victim == "worker"
        outputs.open_run(out)
        return
    assert is_untouched(out)
    if victim == "worker":
        assert re.match(r"cell \d+, in section '.*'\: ", last[0])
