import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.compare import (
    bootstrap_roc_auc,
    corrected_t_test,
    count_multiply_adds,
    find_trend,
    judge_winner,
    measure_order_sensitivity,
    predict_with_baselines,
    score_predictions,
    shuffle_time,
)
from helpers.models import build_attention_model, build_lstm_model


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


def test_multiply_adds_of_known_models():
    # 4 projections of 50 x 10 x 10, scores and sums of 50 x 50 x 10, head
    attention = build_attention_model((50, 10), 2, 5, 0.1, 0.01)
    assert count_multiply_adds(attention) == 20_000 + 50_000 + 10
    # 50 steps of 4 gates of (10 + 8) x 8, head
    lstm = build_lstm_model((50, 10), 8, 0.1, 0.01)
    assert count_multiply_adds(lstm) == 50 * 4 * 18 * 8 + 8


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


def test_baselines_see_what_they_should():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6, 2)).astype(np.float32)
    level = (X[:, :, 0].mean(axis=1) > 0).astype(int)
    change = (X[:, 5, 1] > X[:, 0, 1]).astype(int)
    for y, seen in ((level, True), (change, False)):
        found = predict_with_baselines(X[:200], y[:200], X[200:], cv=3)
        means, values = found.values()
        assert (roc_auc_score(y[200:], means) > 0.9) == seen
        assert roc_auc_score(y[200:], values) > 0.9


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
    assert found["within_one_error"] == 1


def test_winner_by_luck():
    rng = np.random.default_rng(1)
    found = judge_winner(0.6 + rng.normal(0, 0.02, (16, 5)), 0.25)
    assert found["lead_p"] > 0.05
    assert found["within_one_error"] > 1
    assert found["candidates"] == 16
