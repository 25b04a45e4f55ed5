import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.compare import (
    bootstrap_roc_auc,
    compare_scores,
    corrected_t_test,
    find_signal,
    find_trend,
    judge_winner,
    measure_order_sensitivity,
    score_predictions,
    shuffle_time,
)


def test_scores_of_known_predictions():
    y = np.array([0, 0, 1, 1])
    found = score_predictions(y, np.array([0.1, 0.6, 0.4, 0.9]))
    assert found["roc_auc"] == 0.75
    assert found["accuracy"] == 0.5
    assert found["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    logs = np.log([0.9, 0.4, 0.4, 0.9])
    assert found["log_loss"] == pytest.approx(-logs.mean())


def test_bootstrap_is_paired_seeded_and_centred():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    p = {"a": y + rng.normal(0, 1, 200), "b": rng.normal(size=200)}
    p["c"] = p["a"] * 2 + 1
    draws = bootstrap_roc_auc(y, p, seed=1, n_resamples=400)
    again = bootstrap_roc_auc(y, p, seed=1, n_resamples=400)
    np.testing.assert_array_equal(draws["a"], draws["c"])  # the same ranks
    np.testing.assert_array_equal(draws["b"], again["b"])
    for name in "ab":
        exact = roc_auc_score(y, p[name])
        assert draws[name].mean() == pytest.approx(exact, abs=0.01)


def test_corrected_t_test_against_a_calculation_by_hand():
    differences = np.array([0.02, 0.04, 0.03, 0.05, 0.01])
    mean, p = corrected_t_test(differences, test_share=0.25)
    # variance 0.00025 * (1/5 + 1/4); t = 0.03 / sqrt(0.0001125) = 2.828;
    # two-sided p of Student's t with 4 degrees of freedom
    assert mean == pytest.approx(0.03)
    assert p == pytest.approx(0.04742, abs=1e-5)


def test_corrected_t_test_of_equal_scores():
    assert corrected_t_test(np.zeros(5), 0.25) == (0.0, 1.0)


def test_corrected_test_keeps_its_promise_where_the_plain_one_fails():
    # Five-fold scores of equal models correlate by about the test share.
    rng = np.random.default_rng(2)
    shared = rng.normal(0, np.sqrt(0.2), (2000, 1))
    scores = shared + rng.normal(0, np.sqrt(0.8), (2000, 5))
    found = [corrected_t_test(row, 0.25)[1] < 0.05 for row in scores]
    plain = [corrected_t_test(row, 0.0)[1] < 0.05 for row in scores]
    assert np.mean(found) < 0.07
    assert np.mean(plain) > 0.1


def test_bayesian_test_gives_what_baycomp_gives():
    first = np.array([0.82, 0.84, 0.83, 0.85, 0.81])
    found = compare_scores(first, np.full(5, 0.80), test_share=0.25)
    # CorrelatedTTest(second, first, rope=0.01).probs() of baycomp 1.0.3
    assert found["worse"] == pytest.approx(0.009791762301900713)
    assert found["equal"] == pytest.approx(0.056417698808224226)
    assert found["better"] == pytest.approx(0.9337905388898751)
    assert found["mean"] == pytest.approx(0.03)


def test_models_with_equal_scores_are_equal():
    scores = np.array([0.7, 0.8, 0.9])
    found = compare_scores(scores, scores, 0.25)
    assert (found["better"], found["equal"], found["worse"]) == (0, 1, 0)
    apart = compare_scores(scores + 0.5, scores, 0.25)
    assert apart["better"] == 1


def test_signal_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], 100))
    noise = {name: rng.random(200) for name in "abcdef"}
    strong = noise | {"g": rng.random(200) + 0.6 * y}
    found = find_signal(y, strong, seed=1)
    assert found["p"] < 0.001
    assert found["best"] == pytest.approx(roc_auc_score(y, strong["g"]))
    null = [
        find_signal(rng.permutation(y), noise, seed=k, n_permutations=200)
        for k in range(200)
    ]
    share = np.mean([f["p"] < 0.05 for f in null])
    assert 0.005 < share < 0.12  # 5 %, though the best of six is tested


def test_signal_of_ties_is_none():
    y = np.tile([0, 1], 20)
    found = find_signal(y, {"majority": np.full(40, 0.5)}, seed=0)
    assert found.pop("least_p") == 1 / math.comb(40, 20)
    assert found.pop("model") == "majority"
    assert found == {"best": 0.5, "null_99": 0.5, "p": 1.0}


def test_shuffling_keeps_time_points_whole():
    X = np.arange(2 * 30 * 3).reshape(2, 30, 3)
    shuffled = shuffle_time(X, seed=0)
    for sample, original in zip(shuffled, X, strict=True):
        assert not np.array_equal(sample, original)
        order = np.argsort(sample[:, 0])
        np.testing.assert_array_equal(sample[order], original)


class Reader:
    """A 'classifier' whose probability is a function of the series."""

    def __init__(self, read):
        self.read = read

    def predict_proba(self, X):
        p = self.read(X)
        return np.column_stack([1 - p, p])


def test_order_sensitivity_tells_what_reads_order():
    X = np.random.default_rng(0).random((50, 20, 2))
    blind = Reader(lambda X: X[:, :, 0].mean(axis=1))
    found = measure_order_sensitivity(blind, X, seed=1)
    assert found["largest"] < 1e-12
    reads = Reader(lambda X: X[:, 0, 0])
    found = measure_order_sensitivity(reads, X, seed=1)
    assert 0.2 < found["mean"] < found["largest"] <= 1


def test_trend_of_known_series():
    falling = find_trend(np.array([4.0, 3.0, 2.5, 2.2, 2.0]))
    assert falling["tau"] == pytest.approx(-1)
    assert falling["change"] == -0.5
    assert falling["p"] == pytest.approx(2 / 120)  # exact, 5! orders
    assert find_trend(np.ones(1))["p"] == 1
    assert find_trend(np.ones(9)) == {"tau": 0.0, "p": 1.0, "change": 0.0}
    noise = np.random.default_rng(0).normal(5, 1, 40)
    assert find_trend(noise)["p"] > 0.05


def test_winner_that_stands_out():
    rng = np.random.default_rng(0)
    scores = 0.6 + rng.normal(0, 0.01, (4, 5))
    scores[2] += 0.2
    found = judge_winner(scores, test_share=0.25)
    assert found["mean"] == scores[2].mean()
    assert found["lead_p"] < 0.001
    last = scores[scores.mean(axis=1).argmin()]
    expected = corrected_t_test(scores[2] - last, 0.25)
    assert (found["lead_over_last"], found["last_p"]) == expected
    assert found["within_one_error"] == 1


def test_winner_by_luck():
    rng = np.random.default_rng(1)
    found = judge_winner(0.6 + rng.normal(0, 0.02, (16, 5)), 0.25)
    assert found["lead_p"] > 0.05
    assert found["within_one_error"] > 1
    assert found["candidates"] == 16
