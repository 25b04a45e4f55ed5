import pytest

from helpers.costs import (
    LENGTHS,
    count_multiply_adds,
    count_sequential_steps,
    describe_costs,
)
from helpers.models import (
    build_attention_model,
    build_lstm_model,
    build_positional_attention_model,
)


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
    found = describe_costs()
    assert "cores" in found["machine"]
    assert list(found["models"]) == ["attention", "LSTM", "attention + time"]
    for costs in found["models"].values():
        assert all(tuple(by_T) == LENGTHS for by_T in costs.values())
        for times in costs["milliseconds"].values():
            assert 0 < times["low"] <= times["median"] <= times["high"]
    lstm = found["models"]["LSTM"]["multiply_adds"]
    assert lstm[400] / lstm[25] == pytest.approx(16, rel=0.01)
