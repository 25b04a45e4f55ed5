"""Q2: the prescribed attention model, the LSTM it is compared with, and the
registry of all models."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from helpers.training import GraphModel

LEARNING_RATE = 1e-3  # Adam's default, the same for every model


def build_attention_model(
    input_shape: tuple[int, int],
    num_heads: int,
    key_dim: int,
    dropout_rate: float,
    l2_reg: float,
) -> keras.Model:
    """Build and compile the multi-head-attention classifier of Q2.

    `input_shape` is (n_time_steps, n_genes); the output (n, 1) is the
    probability of Outcome = 1. Attention after Vaswani et al. (2017).
    """
    inputs = keras.Input(shape=input_shape, name="expression")  # (n, T, G)
    attention = layers.MultiHeadAttention(
        num_heads=num_heads, key_dim=key_dim, name="self_attention"
    )
    x = attention(inputs, inputs)  # query = value = key: (n, T, G)
    x = layers.Dropout(dropout_rate, name="dropout_attended")(x)
    x = layers.LayerNormalization(epsilon=1e-6, name="normalised")(x)
    x = layers.GlobalAveragePooling1D(name="mean_over_time")(x)  # (n, G)
    x = layers.Dropout(dropout_rate, name="dropout_pooled")(x)
    outputs = layers.Dense(
        1,
        activation="sigmoid",
        kernel_regularizer=keras.regularizers.l2(l2_reg),
        name="probability",
    )(x)  # (n, 1)
    return _compile(GraphModel(inputs, outputs, name="attention"))


def build_positional_attention_model(
    input_shape: tuple[int, int],
    num_heads: int,
    key_dim: int,
    dropout_rate: float,
    l2_reg: float,
    time_features: str = "slow waves",
) -> keras.Model:
    """Build and compile the model of Q2 for genes that come with the time.

    Arguments and output as in `build_attention_model`, whose layers these
    are; `time_features` is a kind that `encode_time` knows.
    """
    inputs = keras.Input(shape=input_shape, name="expression")  # (n, T, G)
    x = TimeFeatures(time_features, name="with_time")(inputs)
    compiled = build_attention_model(
        x.shape[1:], num_heads, key_dim, dropout_rate, l2_reg
    )
    stack = keras.Model(compiled.inputs, compiled.outputs, name="attention")
    return _compile(GraphModel(inputs, stack(x), name="positional_attention"))


def encode_time(n_time_steps: int, kind: str, width: int = 6) -> np.ndarray:
    """Return features (T, width) of the time points 0 ... T - 1.

    "slow waves": sine and cosine of pi m t / 2, m = 1 ... width / 2, where t
    runs from 0 to 2. "sinusoids": those of Vaswani et al. (2017), section
    3.5, whose waves shorten from 10000 time points to 2 pi. "time": t alone,
    from -1 to 1. Raises ValueError for another kind.
    """
    half = np.arange((width + 1) // 2)
    steps = np.arange(n_time_steps)[:, None]  # (T, 1)
    t = 2 * steps / max(n_time_steps - 1, 1)
    if kind == "time":
        return t - 1
    if kind == "slow waves":
        angle = np.pi * (half + 1) * t / 2
    elif kind == "sinusoids":
        angle = steps / 10000.0 ** (2 * half / width)
    else:
        raise ValueError(f"unknown kind of time features: {kind!r}")
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)[:, :width]


@keras.saving.register_keras_serializable("assignment7")
class TimeFeatures(layers.Layer):
    """Append the features of `encode_time` to X (n, T, G), or, for "added
    sinusoids", add a third of the sinusoids to it. Nothing is learned."""

    def __init__(self, kind: str, **kwargs):
        super().__init__(**kwargs)
        self.kind = kind

    def call(self, X):
        n, T, G = keras.ops.shape(X)
        if self.kind == "added sinusoids":
            added = encode_time(T, "sinusoids", G) / 3
            return X + keras.ops.cast(added, X.dtype)
        features = keras.ops.cast(encode_time(T, self.kind), X.dtype)
        repeated = keras.ops.repeat(features[None], n, axis=0)
        return keras.ops.concatenate([X, repeated], axis=2)

    def compute_output_shape(self, input_shape):
        n, T, G = input_shape
        if self.kind != "added sinusoids":
            G += encode_time(T, self.kind).shape[1]
        return n, T, G

    def get_config(self):
        return {**super().get_config(), "kind": self.kind}


def build_lstm_model(
    input_shape: tuple[int, int],
    units: int,
    dropout_rate: float,
    l2_reg: float,
) -> keras.Model:
    """Build and compile an LSTM classifier with the same head.

    Shapes as in `build_attention_model`; `units` is the size of the state.
    LSTM after Hochreiter & Schmidhuber (1997).
    """
    inputs = keras.Input(shape=input_shape, name="expression")  # (n, T, G)
    x = layers.LSTM(units, name="lstm")(inputs)  # last state: (n, units)
    x = layers.Dropout(dropout_rate, name="dropout")(x)
    outputs = layers.Dense(
        1,
        activation="sigmoid",
        kernel_regularizer=keras.regularizers.l2(l2_reg),
        name="probability",
    )(x)  # (n, 1)
    return _compile(GraphModel(inputs, outputs, name="lstm"))


def _compile(model):
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE, name="adam"),
        loss="binary_crossentropy",
    )
    return model


@dataclass(frozen=True)
class ModelEntry:
    """A model as the project knows it: its `name` in sentences (its key
    stands in tables and figures), its look in figures (`color`, `marker`,
    `linestyle`), its build function, and the grid it is tuned over."""

    name: str
    color: str
    marker: str
    linestyle: str
    build: Callable[..., keras.Model]
    grid: dict[str, list]

    @property
    def largest(self) -> dict[str, object]:
        """The largest candidate of the grid, with the least dropout and
        penalty: what simulations train."""
        return {
            name: min(values) if name in REGULARISATION else max(values)
            for name, values in self.grid.items()
        }


REGULARISATION = {"dropout_rate": [0.1, 0.3], "l2_reg": [0.01, 0.02]}
ATTENTION_GRID = {"num_heads": [2, 3], "key_dim": [5, 10], **REGULARISATION}

# Okabe & Ito's colours differ for colour-blind readers; markers and line
# styles differ in greyscale too.
MODELS = {
    "attention": ModelEntry(
        name="the prescribed attention model",
        color="#0072B2",
        marker="o",
        linestyle="-",
        build=build_attention_model,
        grid=ATTENTION_GRID,
    ),
    "LSTM": ModelEntry(
        name="the LSTM",
        color="#D55E00",
        marker="s",
        linestyle="--",
        build=build_lstm_model,
        grid={"units": [8, 16, 24, 32], **REGULARISATION},
    ),
    "attention + time": ModelEntry(
        name="attention with time features",
        color="#009E73",
        marker="^",
        linestyle="-.",
        build=build_positional_attention_model,
        grid=ATTENTION_GRID,
    ),
}


def first_candidate(build: Callable[..., keras.Model]) -> dict[str, object]:
    """Return the first candidate of the grid of the model that `build`
    builds; {} if it is none of `MODELS`."""
    for entry in MODELS.values():
        if entry.build is build:
            return {name: values[0] for name, values in entry.grid.items()}
    return {}
