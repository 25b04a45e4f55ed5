import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.evaluate import (
    Comparison,
    SignalTest,
    Trend,
    Verdict,
    average_drops,
    bootstrap_roc_auc,
    compare_scores,
    corrected_t_test,
    half_interval_of_guessing,
    mann_kendall,
    permutation_test,
    precision_recall,
    score_predictions,
    winner_margin,
)


def test_scores_of_known_predictions():
    y = np.array([0, 0, 1, 1])
    result = score_predictions(y, np.array([0.1, 0.6, 0.4, 0.9]))
    assert result["roc_auc"] == 0.75
    assert result["accuracy"] == 0.5
    assert result["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    logs = np.log([0.9, 0.4, 0.4, 0.9])
    assert result["log_loss"] == pytest.approx(-logs.mean())


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
    mean, p = corrected_t_test(differences, test_train_ratio=0.25)
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
    corrected = [corrected_t_test(row, 0.25)[1] < 0.05 for row in scores]
    plain = [corrected_t_test(row, 0.0)[1] < 0.05 for row in scores]
    assert np.mean(corrected) < 0.07
    assert np.mean(plain) > 0.1


def test_bayesian_test_gives_what_baycomp_gives():
    first = np.array([0.82, 0.84, 0.83, 0.85, 0.81])
    result = compare_scores(first, np.full(5, 0.80), test_train_ratio=0.25)
    # CorrelatedTTest(second, first, rope=0.01).probs() of baycomp 1.0.3
    assert result.worse == pytest.approx(0.009791762301900713)
    assert result.equal == pytest.approx(0.056417698808224226)
    assert result.better == pytest.approx(0.9337905388898751)
    assert result.mean == pytest.approx(0.03)


def test_models_with_equal_scores_are_equal():
    scores = np.array([0.7, 0.8, 0.9])
    result = compare_scores(scores, scores, 0.25)
    assert (result.better, result.equal, result.worse) == (0, 1, 0)
    assert result.verdict == Verdict.EQUAL
    apart = compare_scores(scores + 0.5, scores, 0.25)
    assert apart.verdict == Verdict.BETTER
    assert apart.reversed().verdict == Verdict.WORSE


def test_signal_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], 100))
    noise = {name: rng.random(200) for name in "abcdef"}
    strong = noise | {"g": rng.random(200) + 0.6 * y}
    result = permutation_test(y, strong, seed=1)
    assert result.p < 0.001
    assert result.best == pytest.approx(roc_auc_score(y, strong["g"]))
    null = [
        permutation_test(rng.permutation(y), noise, seed=k, n_permutations=200)
        for k in range(200)
    ]
    share = np.mean([test.p < 0.05 for test in null])
    assert 0.005 < share < 0.12  # 5 %, though the best of six is tested


def test_signal_of_ties_is_none():
    y = np.tile([0, 1], 20)
    result = permutation_test(y, {"majority": np.full(40, 0.5)}, seed=0)
    least_p = 1 / math.comb(40, 20)
    assert result == SignalTest(0.5, "majority", 0.5, 1.0, least_p)


def test_trend_of_known_series():
    falling = mann_kendall(np.array([4.0, 3.0, 2.5, 2.2, 2.0]))
    assert falling.tau == pytest.approx(-1)
    assert falling.change == -0.5
    assert falling.p == pytest.approx(2 / 120)  # exact, 5! orders
    assert mann_kendall(np.ones(1)).p == 1
    assert mann_kendall(np.ones(9)) == Trend(0.0, 1.0, 0.0)
    noise = np.random.default_rng(0).normal(5, 1, 40)
    assert mann_kendall(noise).p > 0.05


def test_winner_that_stands_out():
    rng = np.random.default_rng(0)
    scores = 0.6 + rng.normal(0, 0.01, (4, 5))
    scores[2] += 0.2
    result = winner_margin(scores, test_train_ratio=0.25)
    assert result.mean == scores[2].mean()
    assert result.lead_p < 0.001
    last = scores[scores.mean(axis=1).argmin()]
    expected = corrected_t_test(scores[2] - last, 0.25)
    assert (result.lead_over_last, result.last_p) == expected
    assert result.within_one_error == 1


def test_winner_by_luck():
    rng = np.random.default_rng(1)
    result = winner_margin(0.6 + rng.normal(0, 0.02, (16, 5)), 0.25)
    assert result.lead_p > 0.05
    assert result.within_one_error > 1
    assert result.candidates == 16


def test_importance_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    falls = rng.normal(0, 0.01, (10, 20))
    falls[:, 3] += 0.05
    result = average_drops(falls, test_train_ratio=0.25)
    assert result["significant"] == [3]
    assert result["low"][3] < result["mean"][3] < result["high"][3]
    none = [
        average_drops(rng.normal(0, 0.01, (10, 20)), 0.25)["significant"]
        for _ in range(300)
    ]
    assert np.mean([bool(features) for features in none]) < 0.05


def test_even_importance_stands_out_nowhere():
    rng = np.random.default_rng(0)
    even = rng.normal(0.1, 0.01, (10, 10)) + rng.normal(0, 0.02, (10, 1))
    assert len(average_drops(even, 0.25)["significant"]) == 10
    above = average_drops(even, 0.25, above_average=True)
    assert above["significant"] == []
    even[:, 4] += 0.05
    above = average_drops(even, 0.25, above_average=True)
    assert above["significant"] == [4]


def test_precision_and_recall_of_known_sets():
    result = precision_recall([0, 1, 5], [0, 1, 2, 3])
    assert result == {"precision": pytest.approx(2 / 3), "recall": 0.5}
    assert precision_recall([], [1]) == {"precision": None, "recall": 0.0}
    assert precision_recall([1], []) == {"precision": 0.0, "recall": None}


@pytest.mark.parametrize(
    ("posterior", "verdict"),
    [
        ((0.95, 0.05, 0.0), Verdict.BETTER),
        ((0.94, 0.06, 0.0), Verdict.PROBABLY_BETTER),
        ((0.79, 0.21, 0.0), Verdict.UNCLEAR),
        ((0.02, 0.95, 0.03), Verdict.EQUAL),
        ((0.0, 0.2, 0.8), Verdict.PROBABLY_WORSE),
        ((0.0, 0.05, 0.95), Verdict.WORSE),
    ],
)
def test_verdicts_change_at_the_thresholds(posterior, verdict):
    assert Comparison(0.0, 0.5, *posterior).verdict == verdict


def test_three_guessing_models_stay_within_the_interval():
    rng = np.random.default_rng(0)
    half = half_interval_of_guessing(200, n_seeds=3, n_models=3)
    y = np.repeat([0, 1], 100)
    scores = [
        [roc_auc_score(y, rng.random(200)) for _ in range(3)]
        for _ in range(3 * 400)
    ]
    means = np.mean(scores, axis=1).reshape(400, 3)
    outside = (np.abs(means - 0.5) > half).any(axis=1).mean()
    assert 0.01 < outside < 0.1  # 5 %
