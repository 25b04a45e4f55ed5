"""What takes minutes: odd but legal data."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import run_papermill

pytestmark = pytest.mark.stress


def odd(n=200, T=6, G=3, positives=0.5):
    """Samples whose first gene tells their outcome, and their outcomes."""
    X = np.random.default_rng(0).random((n, T, G))
    y = (np.arange(n) < n * positives).astype(int)
    X[y == 1, :, 0] += 0.5
    return X, y


ODD = {
    "3 % positives, constant genes": (
        odd(n=300, positives=0.03)[0] * [1, 0, 0],
        odd(n=300, positives=0.03)[1],
    ),
    "one value, copies": [
        np.concatenate([part[75:125]] * 4) for part in odd(T=1, G=1)
    ],
    "20 samples, 400 time points, no signal": (
        odd(n=20, T=400, G=2)[0],
        np.random.default_rng(1).permutation(odd(n=20)[1]),
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_data_run_to_the_end(name, tmp_path):
    X, y = ODD[name]
    n, T, G = X.shape
    columns = [f"Gene_{g}_Time_{t}" for t in range(T) for g in range(G)]
    table = pd.DataFrame(X.reshape(n, -1), columns=columns)
    table["Outcome"] = y
    table.to_csv(tmp_path / "odd.csv", index=False)
    run_papermill(tmp_path, tmp_path / "odd.csv")
    results = json.loads((tmp_path / "results.json").read_text())
    page = (tmp_path / "out.ipynb").read_text()
    assert ("are copies of training samples" in page) == ("copies" in name)
    if "no signal" in name:
        assert results["verdicts"]["signal"] == "no"
