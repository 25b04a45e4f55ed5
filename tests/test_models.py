import keras
import numpy as np
import pytest
from keras import layers

from helpers.models import build_attention_model, build_lstm_model

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
