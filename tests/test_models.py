import inspect

import keras
import numpy as np
import pytest
from keras import layers
from scipy.special import logit

from helpers.models import (
    MODELS,
    TIME_FEATURES,
    TimeFeatures,
    build_attention_model,
    build_dense_model,
    build_time_aware_model,
    space_times,
    weigh_slopes,
)

SHAPES = [((50, 10), 2, 5), ((50, 10), 3, 10), ((20, 7), 1, 4), ((1, 1), 2, 3)]
PRESCRIBED = [
    layers.InputLayer,
    layers.MultiHeadAttention,
    layers.Dropout,
    layers.LayerNormalization,
    layers.GlobalAveragePooling1D,
    layers.Dropout,
    layers.Dense,
]
EVEN = tuple(range(14))
UNEVEN = (0, 1, 3, 4, 4.5, 9, 12, 13, 20, 21, 22, 40)


def build(shape=(50, 10), num_heads=2, key_dim=5):
    return build_attention_model(shape, num_heads, key_dim, 0.3, 0.02)


def build_aware(shape=(14, 3), kind="clock + trend", times=None):
    return build_time_aware_model(shape, 2, 5, 0.3, 0.02, kind, times)


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_layers_are_those_prescribed_in_a_row_and_attend_to_themselves():
    model = build()
    assert [type(layer) for layer in model.layers] == PRESCRIBED
    before = model.layers[0].output
    for layer in model.layers[1:]:
        inputs = (
            layer.input if isinstance(layer.input, list) else [layer.input]
        )
        assert all(x is before for x in inputs)
        before = layer.output
    assert model.output is before


def test_parameters_reach_their_layers():
    _, attention, drop1, norm, _, drop2, dense = build().layers
    assert (attention.num_heads, attention.key_dim) == (2, 5)
    assert drop1.rate == drop2.rate == 0.3
    assert norm.epsilon == 1e-6
    assert dense.units == 1
    assert dense.activation is keras.activations.sigmoid
    assert float(dense.kernel_regularizer.l2) == pytest.approx(0.02)
    assert dense.bias_regularizer is None


@pytest.mark.parametrize(("shape", "heads", "dim"), SHAPES)
def test_size_and_output_are_as_they_should(shape, heads, dim):
    genes, width = shape[1], heads * dim
    query_key_value = 3 * (genes * width + width)
    output = width * genes + genes
    normalisation, dense = 2 * genes, genes + 1
    expected = query_key_value + output + normalisation + dense
    assert build(shape, heads, dim).count_params() == expected
    p = build(shape, heads, dim)(draw(4, *shape)).numpy()
    assert p.shape == (4, 1)
    assert ((p > 0) & (p < 1)).all()


def test_models_are_compiled_for_a_binary_outcome():
    for entry in MODELS.values():
        model = entry.build((9, 2))
        assert model.loss == "binary_crossentropy"
        assert isinstance(model.optimizer, keras.optimizers.Adam)
        assert len(model.losses) == 1  # the l2 penalty
    model = MODELS["LSTM"].build((50, 10), 16, 0.1, 0.01)
    gates = 4 * (10 * 16 + 16 * 16 + 16)
    assert model.count_params() == gates + 16 + 1


# Time features


def test_cure_is_the_same_stack_behind_the_time():
    with_time, stack = build_aware().layers[1:]
    assert with_time.count_params() == 0
    assert [type(layer) for layer in stack.layers] == PRESCRIBED
    for kind, width in zip(TIME_FEATURES, (3, 9, 6, 12), strict=True):
        aware, plain = build_aware(kind=kind), build((14, width))
        assert aware.count_params() == plain.count_params()


@pytest.mark.parametrize("build", [build_dense_model, build_time_aware_model])
def test_only_attention_compares_time_points(build):
    """Else the log-odds of a series are the mean of those of its halves."""
    params = {"num_heads": 2, "key_dim": 5, "dropout_rate": 0, "l2_reg": 0}
    model = build((14, 3), **params, time_features="none")
    first, second = np.split(draw(4, 14, 3), 2, axis=1)
    whole, *halves = (
        logit(model(np.concatenate(pair, axis=1)))
        for pair in ((first, second), (first, first), (second, second))
    )
    is_mean = np.allclose(whole, np.mean(halves, axis=0), atol=1e-5)
    assert is_mean == (build is build_dense_model)


def test_the_dense_model_has_nearly_as_many_parameters_and_no_more():
    for heads, dim in ((2, 5), (3, 10)):
        size = {"num_heads": heads, "key_dim": dim}
        params = {**size, "dropout_rate": 0, "l2_reg": 0}
        dense = build_dense_model((14, 3), **params).count_params()
        aware = build_time_aware_model((14, 3), **params).count_params()
        assert 0.9 * aware < dense <= aware


def test_clock_is_what_the_formula_says():
    X = draw(4, 5, 2)
    found = TimeFeatures("clock", (10, 15, 20, 25, 30))(X).numpy()
    np.testing.assert_array_equal(found[:, :, :2], X)
    for t, row in zip((0, 0.5, 1, 1.5, 2), found[3, :, 2:], strict=True):
        angle = np.pi * np.array([1, 2, 3]) * t / 2
        expected = [*np.sin(angle), *np.cos(angle)]
        np.testing.assert_allclose(row, expected, atol=1e-6)


@pytest.mark.parametrize("times", [EVEN, UNEVEN, UNEVEN[:4], (3, 7)])
def test_trend_of_a_straight_line_is_its_slope_times_the_width(times):
    steps, width = space_times(times), min(11, len(times))
    assert (steps[0], steps[-1]) == (0, len(times) - 1)
    X = np.stack([5 + 0.25 * steps, -steps, 0 * steps + 3], axis=1)[None]
    found = TimeFeatures("trend", times)(X.astype(np.float32)).numpy()
    expected = [[0.25 * width, -width, 0]] * len(times)
    np.testing.assert_allclose(found[0, :, 3:], expected, atol=1e-5)


def test_trend_is_that_of_least_squares_nearby():
    times, noise = space_times(UNEVEN), draw(12)
    slopes = weigh_slopes(times, width=5) @ noise
    for point, start in ((0, 0), (2, 0), (3, 1), (9, 7), (11, 7)):
        near = slice(start, start + 5)
        slope = 5 * np.polyfit(times[near], noise[near], 1)[0]
        assert slopes[point] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("times", [EVEN, UNEVEN])
def test_unit_and_origin_of_time_change_no_bit(times):
    X = draw(4, len(times), 3)
    expected = TimeFeatures("clock + trend", times)(X).numpy()
    for unit, start in ((60, 0), (1, 100), (60, 100), (1 / 24, -3)):
        other = [unit * t + start for t in times]
        found = TimeFeatures("clock + trend", other)(X).numpy()
        np.testing.assert_array_equal(found, expected)
    without = TimeFeatures("clock + trend")(X).numpy()
    assert np.array_equal(without, expected) == (times is EVEN)


@pytest.mark.parametrize("shape", [(50, 10), (7, 3), (2, 1)])
def test_only_clock_and_trend_see_order(shape):
    X = draw(4, *shape)
    models = {kind: build_aware(shape, kind) for kind in TIME_FEATURES}
    for kind, model in models.items():
        added = TimeFeatures(kind)(X)
        assert added.shape[1:] == model.layers[1].output.shape[1:]
        move = np.abs(model(X) - model(X[:, ::-1])).max()
        assert move < 1e-6 if kind == "none" else move > 1e-4
    with pytest.raises(ValueError, match=r"one of .* got 'weeks'"):
        build_aware(kind="weeks")


def test_cure_is_saved_and_loaded_in_safe_mode(tmp_path):
    model = build_aware((12, 3), times=UNEVEN)
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    X = draw(4, 12, 3)
    np.testing.assert_array_equal(again(X), model(X))


def test_quick_grids_hold_the_largest_candidate_with_each_kind_of_time():
    largest = [3, 10, 0.1, 0.01]  # heads, size, dropout, penalty
    assert [*MODELS["attention"].largest.values()] == largest
    aware = MODELS["attention + time"]
    assert aware.largest["time_features"] == "clock + trend"
    assert aware.quick_grid["time_features"] == list(TIME_FEATURES)
    for entry in MODELS.values():
        known = inspect.signature(entry.build).parameters
        for name in entry.largest.keys() & known:
            assert entry.largest[name] == known[name].default
        for name in entry.quick_grid.keys() - {"epochs", "time_features"}:
            assert entry.quick_grid[name] == [entry.largest[name]]
