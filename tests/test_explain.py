import numpy as np
import pytest

from helpers.explain import (
    LENGTHS,
    average_attention,
    count_multiply_adds,
    count_sequential_steps,
    describe_costs,
    list_windows,
    order_sensitivity,
    permutation_importance,
    shuffle_time,
)
from helpers.models import (
    MODELS,
    build_attention_model,
    build_lstm_model,
    build_positional_attention_model,
)


def make_data(n=300, T=12, G=3):
    X = np.random.default_rng(0).random((n, T, G)).astype(np.float32)
    return X, (X[:, 6, 1] > 0.5).astype(int)  # gene 1 in the second window


def test_windows_cover_the_time_axis_once():
    for T in (1, 5, 12, 50):
        covered = [t for w in list_windows(T) for t in range(T)[w]]
        assert covered == list(range(T))
    assert len(list_windows(12)) == 3


def test_what_is_read_is_what_matters():
    X, y = make_data()
    before = X.copy()
    result = permutation_importance(lambda X: X[:, 6, 1], X, y, seed=1)
    np.testing.assert_array_equal(X, before)
    assert result["genes"][1] > 0.4
    assert result["windows"][1] > 0.4
    assert result["genes"][[0, 2]].tolist() == [0, 0]
    assert result["windows"][[0, 2]].tolist() == [0, 0]


def test_a_model_without_order_finds_no_window():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 1000)
    X = rng.random((2000, 10, 2)) + y[:, None, None]
    drops = permutation_importance(
        lambda X: X[:, :, 0].mean(axis=1) / 2, X, y, seed=1
    )["windows"]
    assert np.ptp(drops) < 0.02


def test_shuffling_keeps_time_points_whole():
    X = np.arange(2 * 30 * 3).reshape(2, 30, 3)
    shuffled = shuffle_time(X, seed=0)
    for sample, original in zip(shuffled, X, strict=True):
        assert not np.array_equal(sample, original)
        order = np.argsort(sample[:, 0])
        np.testing.assert_array_equal(sample[order], original)


def test_order_sensitivity_tells_what_reads_order():
    X = np.random.default_rng(0).random((50, 20, 2))
    blind = order_sensitivity(lambda X: X[:, :, 0].mean(axis=1), X, seed=1)
    assert blind["largest"] < 1e-12
    reads = order_sensitivity(lambda X: X[:, 0, 0], X, seed=1)
    assert 0.2 < reads["mean"] < reads["largest"] <= 1


@pytest.mark.parametrize(
    "build", [build_attention_model, build_positional_attention_model]
)
def test_attention_is_averaged_by_outcome(build):
    X, y = make_data(n=150)
    model = build(X.shape[1:], 2, 3, 0.1, 0.01)
    model.fit(X, y)
    maps = average_attention(model, X, y)
    assert maps.shape == (2, 12, 12)
    np.testing.assert_allclose(maps.sum(axis=2), 1, rtol=1e-5)  # weights
    assert np.ptp(maps) > 1e-3  # not uniform
    twice = average_attention(model, np.tile(X, (2, 1, 1)), np.tile(y, 2))
    np.testing.assert_allclose(maps, twice, rtol=1e-4)


def test_multiply_adds_of_known_models():
    # 4 projections of 50 x 10 x 10, scores and sums of 50 x 50 x 10, head
    attention = build_attention_model((50, 10), 2, 5, 0.1, 0.01)
    assert count_multiply_adds(attention) == 20_000 + 50_000 + 10
    # 50 steps of 4 gates of (10 + 8) x 8, head
    lstm = build_lstm_model((50, 10), 8, 0.1, 0.01)
    assert count_multiply_adds(lstm) == 50 * 4 * 18 * 8 + 8
    # the remedy: six features more in, and out of, every projection
    remedy = build_positional_attention_model((50, 10), 2, 5, 0.1, 0.01)
    assert count_multiply_adds(remedy) == 32_000 + 50_000 + 16


def test_only_the_lstm_waits_for_the_time_point_before():
    assert count_sequential_steps(build_lstm_model((50, 10), 8, 0, 0)) == 50
    for build in (build_attention_model, build_positional_attention_model):
        assert count_sequential_steps(build((50, 10), 2, 5, 0, 0)) == 1


def test_costs_were_measured_for_every_model_and_length():
    result = describe_costs()
    assert "cores" in result["machine"]
    assert list(result["models"]) == list(MODELS)
    for costs in result["models"].values():
        assert all(tuple(by_T) == LENGTHS for by_T in costs.values())
        for times in costs["milliseconds"].values():
            assert 0 < times["low"] <= times["median"] <= times["high"]
    lstm = result["models"]["LSTM"]["multiply_adds"]
    assert lstm[400] / lstm[25] == pytest.approx(16, rel=0.01)
