from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.data import load_expression_data
from helpers.simulate import (
    SETTINGS,
    STAND_IN,
    find_truth,
    simulate_expression,
    write_csv,
)

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "data" / "gene_expression_data.csv"


@pytest.mark.parametrize("setting", SETTINGS)
def test_equal_arguments_give_equal_results(setting):
    first, again = (simulate_expression(setting, 30, seed=5) for _ in "ab")
    other = simulate_expression(setting, 30, seed=6)
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.X, other.X)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("size", [(2, 2, 3), (25, 20, 12)])
def test_shapes_follow_the_arguments(setting, size):
    found = simulate_expression(setting, *size)
    assert found.X.shape == size
    assert found.y.shape == found.truth.log_odds.shape == size[:1]
    assert max(found.truth.times, default=0) < size[1]


# Bayes-optimal ROC AUC: of the logistic of a standard normal level, of a
# fair +/-1 order, or of both, scaled to log-odds 4; 0.982 = 1 / (1 + e^-4).
@pytest.mark.parametrize(
    ("setting", "genes", "roc_auc"),
    [
        ("both", (0, 1, 2), 0.954),
        ("order-free", (0,), 0.948),
        ("order only", (1, 2), 0.982),
        ("nothing", (), 0.5),
    ],
)
def test_truth_has_the_known_ceiling(setting, genes, roc_auc):
    found = simulate_expression(setting, 20_000, n_time_steps=4, seed=1)
    assert found.truth.genes == genes
    measured = roc_auc_score(found.y, found.truth.log_odds)
    assert measured == pytest.approx(roc_auc, abs=0.006)


def test_values_are_as_sparse_as_real_counts():
    X = simulate_expression("both", 300, seed=2).X
    assert 0.2 < (X == 0).mean() < 0.6
    assert X.min() == 0


def test_gene_0_tells_the_level_and_pulses_tell_the_order():
    found = simulate_expression("order only", 2000, seed=3)
    X, y = found.X, found.y
    late = np.arange(50) - 24.5  # (T,)
    lag = (X[:, :, 2] - X[:, :, 1]) @ late  # gene 2's pulse after gene 1's
    assert roc_auc_score(y, lag) > 0.9
    assert abs(roc_auc_score(y, X[:, :, 0].mean(axis=1)) - 0.5) < 0.05
    both = simulate_expression("order-free", 2000, seed=3)
    level = both.X[:, :, 0].mean(axis=1)
    assert roc_auc_score(both.y, level) > 0.85


def test_pulses_stay_within_the_true_times():
    found = simulate_expression("order only", 4000, n_time_steps=100, seed=4)
    times = found.truth.times
    assert (min(times), max(times)) == (18, 82)
    gap = found.X[found.y == 1].mean(0) - found.X[found.y == 0].mean(0)
    strongest = np.argmax(np.abs(gap[:, 1]))
    assert strongest in times
    for setting in ("order-free", "nothing"):
        assert simulate_expression(setting, 20).truth.times == ()


def test_sibling_rule_is_the_published_one():
    found = simulate_expression("sibling rule", 500, 20, 10, seed=7)
    first, second = found.X[:, :10], found.X[:, 10:]
    for x1, x2, outcome in zip(first, second, found.y, strict=True):
        falls = x1[:, 0].mean() > x2[:, 0].mean()
        rises = x1[:, 1].mean() < x2[:, 1].mean()
        assert outcome == int(falls and rises)
    assert 0.2 < found.y.mean() < 0.3
    assert np.abs(found.X).max() <= 1
    assert set(found.truth.log_odds) == {np.inf, -np.inf}


def test_unusable_arguments_are_named():
    with pytest.raises(ValueError, match="setting must be one of"):
        simulate_expression("neither")
    with pytest.raises(ValueError, match="n_genes must be at least 3, got 2"):
        simulate_expression(n_genes=2)


def test_committed_file_is_the_simulation_byte_for_byte(tmp_path):
    write_csv(simulate_expression(**STAND_IN), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == COMMITTED.read_bytes()
    assert COMMITTED.stat().st_size < 5e6


def test_truth_is_known_for_the_stand_in_alone(tmp_path):
    truth = find_truth(load_expression_data(COMMITTED))
    assert truth.genes == (0, 1, 2)
    other = {**STAND_IN, "seed": STAND_IN["seed"] + 1}
    write_csv(simulate_expression(**other), tmp_path / "other.csv")
    assert find_truth(load_expression_data(tmp_path / "other.csv")) is None
