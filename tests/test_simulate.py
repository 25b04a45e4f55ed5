from dataclasses import replace

import numpy as np
import pytest
from conftest import ROOT
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from helpers.data import load_expression_data
from helpers.simulate import (
    SCENARIOS,
    STAND_IN,
    find_truth,
    simulate_expression,
    write_csv,
)

COMMITTED = ROOT / "data" / "gene_expression_data.csv"


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("size", [(2, 2, 3), (25, 20, 12)])
def test_equal_arguments_give_equal_results(scenario, size):
    first, again = (simulate_expression(scenario, *size, 5) for _ in "ab")
    other = simulate_expression(scenario, *size, seed=6)
    np.testing.assert_array_equal(first.X, again.X)
    np.testing.assert_array_equal(first.y, again.y)
    assert not np.array_equal(first.X, other.X)
    assert first.X.shape == size
    assert first.y.shape == first.p.shape == size[:1]


def test_truth_has_the_known_ceiling():
    """Bayes-optimal ROC AUC: of the logistic of a standard normal level, of a
    fair +/-1 order, 1 / (1 + e^-4), or of both, scaled to log-odds 4."""
    for scenario, genes, roc_auc, without_order in (
        ("level + rhythm", (0, 1, 2), 0.955, 0.770),
        ("level", (0,), 0.948, 0.948),
        ("pulses", (1, 2), 0.982, 0.5),
        ("rhythm", (1, 2), 0.982, 0.5),
        ("nothing", (), 0.5, 0.5),
    ):
        found = simulate_expression(scenario, 20_000, n_time_steps=4, seed=1)
        assert found.genes == genes
        measured = roc_auc_score(found.y, found.p)
        assert measured == pytest.approx(roc_auc, abs=0.006)
        assert 0.2 < (found.X == 0).mean() < 0.6  # as sparse as real counts
        blind = roc_auc_score(found.y, found.p_blind)
        assert blind == pytest.approx(without_order, abs=0.01)
        assert found.p_blind.mean() == pytest.approx(found.y.mean(), abs=0.02)


def test_level_and_pulses_are_where_the_truth_says():
    level = simulate_expression("level", 2000, seed=3)
    assert roc_auc_score(level.y, level.X[:, :, 0].mean(axis=1)) > 0.85
    found = simulate_expression("pulses", 4000, n_time_steps=100, seed=4)
    X, y = found.X, found.y
    late = np.arange(100) - 49.5  # (T,)
    lag = (X[:, :, 2] - X[:, :, 1]) @ late  # gene 2's pulse after gene 1's
    assert roc_auc_score(y, lag) > 0.9
    assert abs(roc_auc_score(y, X[:, :, 0].mean(axis=1)) - 0.5) < 0.05
    gap = X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)
    assert 18 <= np.argmax(np.abs(gap[:, 1])) <= 82


@pytest.fixture(scope="module")
def rhythm():
    """X (n, T, G) of either outcome, of a rhythm and nothing else."""
    found = simulate_expression("rhythm", 20_000, 50, 3, seed=8)
    return [found.X[found.y == outcome] for outcome in (0, 1)]


def compare_means(first, second):
    """Return the smallest p value of the differences between the means of
    two samples (n, ...), times their number."""
    p = stats.ttest_ind(first, second, axis=0, equal_var=False).pvalue
    return p.min() * p.size


def multiply_lagged(X, lag):
    """Return gene 1 times gene 2 that many steps later (n,), on average."""
    X = X - 0.9  # about the mean; the same for all
    first, second = X[:, :, 1], X[:, :, 2]
    if lag < 0:
        first, second, lag = second, first, -lag
    return (first[:, : 50 - lag] * second[:, lag:]).mean(axis=1)


def test_rhythm_of_one_outcome_is_that_of_the_other_reversed(rhythm):
    zeros, ones = rhythm
    for power in (1, 2):  # no mean and no variance tells them apart
        assert compare_means(zeros**power, ones**power) > 0.01
    for lag in range(-12, 13, 3):
        one = multiply_lagged(ones, lag)
        assert compare_means(multiply_lagged(zeros, -lag), one) > 0.001
        straight = compare_means(multiply_lagged(zeros, lag), one)
        assert (straight < 1e-9) == (lag != 0)  # the order is there


def test_rhythm_is_seen_by_nothing_linear_and_nothing_blind(rhythm):
    X = np.concatenate(rhythm)
    y = np.repeat([0, 1], [len(part) for part in rhythm])
    rows = np.random.default_rng(0).permutation(len(y))
    train, test = rows[:14_000], rows[14_000:]
    _, genes_1, genes_2 = centred = np.moveaxis(X - X.mean(1)[:, None], 2, 0)
    products = np.stack([*centred**2, genes_1 * genes_2])  # (4, n, T)
    blind = np.column_stack([X.mean(axis=1), products.mean(axis=2).T])
    for seen in (X.reshape(len(X), -1), blind):
        model = LogisticRegression(C=0.01).fit(seen[train], y[train])
        auc = roc_auc_score(y[test], model.decision_function(seen[test]))
        assert abs(auc - 0.5) < 0.025  # three standard errors


def test_half_time_rule_is_the_published_one():
    found = simulate_expression("half-time rule", 500, 20, 10, seed=7)
    first, second = found.X[:, :10], found.X[:, 10:]
    for x1, x2, outcome in zip(first, second, found.y, strict=True):
        falls = x1[:, 0].mean() > x2[:, 0].mean()
        rises = x1[:, 1].mean() < x2[:, 1].mean()
        assert outcome == int(falls and rises)
    assert 0.2 < found.y.mean() < 0.3
    assert np.abs(found.X).max() <= 1
    np.testing.assert_array_equal(found.p, found.y)


def test_unusable_arguments_are_named():
    with pytest.raises(ValueError, match="scenario must be one of"):
        simulate_expression("neither")
    with pytest.raises(ValueError, match=r"3 genes, got \(1000, 50, 2\)"):
        simulate_expression(n_genes=2)


def test_committed_file_is_the_simulation_byte_for_byte(tmp_path):
    write_csv(simulate_expression(**STAND_IN), tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == COMMITTED.read_bytes()
    assert COMMITTED.stat().st_size < 5e6
    assert find_truth(load_expression_data(COMMITTED)).genes == (0, 1, 2)
    loaded = load_expression_data(COMMITTED)
    assert find_truth(replace(loaded, X=loaded.X[::-1])) is None
