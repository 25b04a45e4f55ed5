import keras
import numpy as np
import pytest
from keras import layers

from helpers.models import (
    build_attention_model,
    build_lstm_model,
    build_positional_attention_model,
    encode_time,
)

KINDS = ("time", "sinusoids", "added sinusoids", "slow waves")
SHAPES = [((50, 10), 2, 5), ((50, 10), 3, 10), ((20, 7), 1, 4), ((1, 1), 2, 3)]


def build(shape=(50, 10), num_heads=2, key_dim=5):
    return build_attention_model(shape, num_heads, key_dim, 0.3, 0.02)


def test_attention_model_has_exactly_the_prescribed_layers():
    assert [type(layer) for layer in build().layers] == [
        layers.InputLayer,
        layers.MultiHeadAttention,
        layers.Dropout,
        layers.LayerNormalization,
        layers.GlobalAveragePooling1D,
        layers.Dropout,
        layers.Dense,
    ]


def test_layers_follow_each_other_and_attend_to_themselves():
    model = build()
    before = model.layers[0].output
    for layer in model.layers[1:]:
        inputs = (
            layer.input if isinstance(layer.input, list) else [layer.input]
        )
        assert all(x is before for x in inputs)
        before = layer.output
    assert model.output is before


def test_settings_reach_their_layers():
    _, attention, drop1, norm, _, drop2, dense = build().layers
    assert (attention.num_heads, attention.key_dim) == (2, 5)
    assert drop1.rate == drop2.rate == 0.3
    assert norm.epsilon == 1e-6
    assert dense.units == 1
    assert dense.activation is keras.activations.sigmoid
    assert float(dense.kernel_regularizer.l2) == pytest.approx(0.02)
    assert dense.bias_regularizer is None


def test_model_is_compiled_for_a_binary_outcome():
    for model in (build(), build_lstm_model((50, 10), 8, 0.1, 0.01)):
        assert model.loss == "binary_crossentropy"
        assert isinstance(model.optimizer, keras.optimizers.Adam)


@pytest.mark.parametrize(("shape", "heads", "dim"), SHAPES)
def test_attention_parameters_follow_the_formula(shape, heads, dim):
    genes, width = shape[1], heads * dim
    query_key_value = 3 * (genes * width + width)
    output = width * genes + genes
    normalisation, dense = 2 * genes, genes + 1
    expected = query_key_value + output + normalisation + dense
    assert build(shape, heads, dim).count_params() == expected


@pytest.mark.parametrize(("genes", "units"), [(10, 16), (3, 5)])
def test_lstm_parameters_follow_the_formula(genes, units):
    gates = 4 * (genes * units + units * units + units)
    model = build_lstm_model((50, genes), units, 0.1, 0.01)
    assert model.count_params() == gates + units + 1


@pytest.mark.parametrize(("shape", "heads", "dim"), SHAPES)
def test_output_is_one_probability_a_sample(shape, heads, dim):
    X = np.random.default_rng(0).normal(size=(4, *shape))
    p = build(shape, heads, dim)(X).numpy()
    assert p.shape == (4, 1)
    assert ((p > 0) & (p < 1)).all()


def build_positional(shape=(50, 10), heads=2, dim=5, **options):
    return build_positional_attention_model(
        shape, heads, dim, 0.3, 0.02, **options
    )


def test_remedy_is_the_same_stack_behind_the_time():
    model = build_positional()
    with_time, stack = model.layers[1:]
    assert with_time.count_params() == 0
    assert [type(layer) for layer in stack.layers] == [
        type(layer) for layer in build().layers
    ]
    plain = build((50, 16), 2, 5)
    assert model.count_params() == plain.count_params()
    assert build_positional(heads=3, dim=10).count_params() == 2075
    assert len(model.losses) == 1  # the l2 penalty still counts


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(50, 10), (7, 3), (1, 1)])
def test_every_kind_of_time_features_fits_every_shape(kind, shape):
    X = np.random.default_rng(0).normal(size=(4, *shape))
    p = build_positional(shape, time_features=kind)(X).numpy()
    assert p.shape == (4, 1)
    assert np.isfinite(p).all()


def test_only_the_remedy_sees_order():
    X = np.random.default_rng(0).normal(size=(4, 50, 10))
    for model, sees in ((build(), False), (build_positional(), True)):
        move = np.abs(model(X) - model(X[:, ::-1])).max()
        assert (move > 1e-3) == sees
        assert sees or move < 1e-6


def test_time_is_encoded_as_the_formulas_say():
    found = encode_time(5, "slow waves")
    assert found.shape == (5, 6)
    for t, row in zip((-1, -0.5, 0, 0.5, 1), found, strict=True):
        m = np.array([1, 2, 3])
        angle = np.pi * m * (t + 1) / 2
        np.testing.assert_allclose(row[:3], np.sin(angle), atol=1e-12)
        np.testing.assert_allclose(row[3:], np.cos(angle), atol=1e-12)
    classic = encode_time(50, "sinusoids", 4)
    np.testing.assert_allclose(classic[:, 0], np.sin(np.arange(50)))
    np.testing.assert_allclose(classic[:, 1], np.sin(np.arange(50) / 100))
    np.testing.assert_allclose(classic[:, 2], np.cos(np.arange(50)))
    assert encode_time(3, "time").tolist() == [[-1], [0], [1]]
    with pytest.raises(ValueError, match="unknown kind"):
        encode_time(5, "weeks")


def test_remedy_is_saved_and_loaded_in_safe_mode(tmp_path):
    X = np.random.default_rng(0).normal(size=(4, 50, 10))
    model = build_positional(time_features="sinusoids")
    model.optimizer.build(model.trainable_variables)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(again(X), model(X))
