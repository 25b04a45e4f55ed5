"""Odd but legal data, and data without a signal."""

import json

import numpy as np
import pandas as pd
import pytest
from conftest import execute

from helpers import compare, experiments, judge, models, search
from helpers.simulate import simulate_expression

pytestmark = pytest.mark.stress


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
    "3 % positives, constant genes": odd(
        lambda X: keep(X, np.s_[:, :, 1:], 0.0), n=300, positives=0.03
    ),
    "one gene, values of a million": odd(lambda X: X * 1e6, G=1),
    "one time point, copies": [
        np.concatenate([part[75:125]] * 4) for part in odd(T=1)
    ],
    "400 time points": odd(n=40, T=400, G=2),
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
    results = json.loads((tmp_path / "build" / "results.json").read_text())
    assert len(results["conclusions"]) == 8
    text = (tmp_path / "build" / "assignment7.ipynb").read_text()
    copies = results["data"]["copies_across_the_split"]
    assert ("held-out samples are copies" in text) == (copies > 0)
    assert (copies > 0) == ("copies" in name)


def test_shuffled_outcomes_give_no_evidence_of_signal():
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
        quiet += not judge.has_signal({"signal": signal})
    assert quiet >= 19
