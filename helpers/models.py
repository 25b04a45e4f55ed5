"""Q2: the assigned attention model, the LSTM it is compared with, and the
registry of all models."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from helpers.training import GraphModel


def build_attention_model(
    input_shape: tuple[int, int],
    num_heads: int = 3,
    key_dim: int = 10,
    dropout_rate: float = 0.1,
    l2_reg: float = 0.01,
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


def build_time_aware_model(
    input_shape: tuple[int, int],
    num_heads: int = 3,
    key_dim: int = 10,
    dropout_rate: float = 0.1,
    l2_reg: float = 0.01,
    time_features: str = "clock + trend",
    times: tuple[float, ...] | None = None,
) -> keras.Model:
    """Build and compile the model of Q2 for genes that come with the time.

    Arguments and output as in `build_attention_model`, whose layers these
    are; `time_features` is one of `TIME_FEATURES`; `times` (T,) are those of
    the time points, None if they are evenly spaced.
    """
    inputs = keras.Input(shape=input_shape, name="expression")  # (n, T, G)
    x = TimeFeatures(time_features, times, name="with_time")(inputs)
    compiled = build_attention_model(
        x.shape[1:], num_heads, key_dim, dropout_rate, l2_reg
    )
    stack = keras.Model(compiled.inputs, compiled.outputs, name="attention")
    return _compile(GraphModel(inputs, stack(x), name="time_aware_attention"))


def build_dense_model(
    input_shape: tuple[int, int],
    num_heads: int = 3,
    key_dim: int = 10,
    dropout_rate: float = 0.1,
    l2_reg: float = 0.01,
    time_features: str = "clock + trend",
    times: tuple[float, ...] | None = None,
) -> keras.Model:
    """Build and compile `build_time_aware_model` without attention: a dense
    layer, with no more parameters, looks at each time point by itself.

    Arguments and output are the same.
    """
    inputs = keras.Input(shape=input_shape, name="expression")  # (n, T, G)
    x = TimeFeatures(time_features, times, name="with_time")(inputs)
    replaced = build_attention_model(
        x.shape[1:], num_heads, key_dim, dropout_rate, l2_reg
    )
    units = (replaced.count_params() - 1) // (x.shape[2] + 4)
    x = layers.Dense(units, activation="relu", name="dense")(x)
    for layer in replaced.layers[2:]:  # those behind attention, anew
        x = type(layer).from_config(layer.get_config())(x)
    return _compile(GraphModel(inputs, x, name="dense"))


TIME_FEATURES = ("none", "clock", "trend", "clock + trend")


@keras.saving.register_keras_serializable("assignment7")
class TimeFeatures(layers.Layer):
    """Append features of time to X (n, T, G); nothing is learned.

    "clock" tells the time: six slow waves, the same for every sample.
    "trend" tells where each gene is going: its slope at each time point.
    """

    def __init__(
        self, kind: str, times: tuple[float, ...] | None = None, **kwargs
    ):
        super().__init__(**kwargs)
        if kind not in TIME_FEATURES:
            raise ValueError(
                f"time_features must be one of {TIME_FEATURES}, got {kind!r}"
            )
        self.kind = kind
        self.times = times

    def call(self, X):
        T = X.shape[1]
        times = space_times(range(T) if self.times is None else self.times)
        parts = [X]
        if "clock" in self.kind:
            clock = keras.ops.cast(encode_clock(times), X.dtype)  # (T, 6)
            parts.append(keras.ops.zeros_like(X[:, :, :1]) + clock)
        if "trend" in self.kind:
            slopes = keras.ops.cast(weigh_slopes(times), X.dtype)  # (T, T)
            parts.append(keras.ops.einsum("st,ntg->nsg", slopes, X))
        return keras.ops.concatenate(parts, axis=2)

    def get_config(self):
        config = {"kind": self.kind, "times": self.times}
        return {**super().get_config(), **config}


def space_times(times: Sequence[float]) -> np.ndarray:
    """Return times (T,) from 0 to T - 1, whatever their unit was."""
    t = np.asarray(times, dtype=float) - times[0]
    # float32 is coarse enough to forget how the unit was rounded
    return np.float32(t / max(t[-1], 1e-300) * (len(t) - 1)).astype(float)


def encode_clock(times: np.ndarray) -> np.ndarray:
    """Return sine and cosine (T, 6) of pi m t / 2, m = 1, 2, 3, where t runs
    from 0 to 2: the positional encoding of Vaswani et al. (2017), section
    3.5, with slow waves."""
    t = 2 * times / max(times[-1], 1)
    angle = np.pi / 2 * t[:, None] * np.array([1, 2, 3])
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def weigh_slopes(times: np.ndarray, width: int = 11) -> np.ndarray:
    """Return weights (T, T) that make of a series (T,) its local slopes, by
    least squares over `width` time points, times that many steps."""
    T = len(times)
    width = min(width, T)
    weights = np.zeros((T, T))
    for point in range(T):
        start = int(np.clip(point - width // 2, 0, T - width))
        t = times[start : start + width]
        t = t - t.mean()
        weights[point, start : start + width] = width * t / max(t @ t, 1e-12)
    return weights


def build_lstm_model(
    input_shape: tuple[int, int],
    units: int = 48,
    dropout_rate: float = 0.1,
    l2_reg: float = 0.01,
) -> keras.Model:
    """Build and compile an LSTM (Hochreiter & Schmidhuber 1997) with the same
    head, for the same shapes; `units` is the size of its state."""
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
        optimizer=keras.optimizers.Adam(1e-3, name="adam"),
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
        """The largest candidate of the grid, with all time features and the
        least dropout and penalty: what simulations train."""
        return {
            name: values[0] if name in REGULARISATION else values[-1]
            for name, values in self.grid.items()
        }

    @property
    def quick_grid(self) -> dict[str, list]:
        """The largest candidate, with each kind of time features, and few
        epochs: what a quick run searches."""
        grid = {name: [value] for name, value in self.largest.items()}
        if "time_features" in grid:
            grid["time_features"] = self.grid["time_features"]
        return grid | {"epochs": [5]}


REGULARISATION = {"dropout_rate": [0.1, 0.3], "l2_reg": [0.01, 0.02]}
PARAM_GRID = {"num_heads": [2, 3], "key_dim": [5, 10], **REGULARISATION}

# A fourth model also needs a place in notebook and `make benchmark`.
# 16 candidates each. Okabe & Ito's colours differ for colour-blind readers;
# markers and line styles differ in greyscale too.
MODELS = {
    "attention": ModelEntry(
        name="the assigned attention model",
        color="#0072B2",
        marker="o",
        linestyle="-",
        build=build_attention_model,
        grid=PARAM_GRID,
    ),
    "LSTM": ModelEntry(
        name="the LSTM",
        color="#D55E00",
        marker="s",
        linestyle="--",
        build=build_lstm_model,
        grid={
            "units": [24, 48],
            "dropout_rate": [0.1, 0.3],
            "l2_reg": [0.01],
            "learning_rate": [0.001, 0.003],
            "epochs": [10, 20],
        },
    ),
    "attention + time": ModelEntry(
        name="attention with time features",
        color="#009E73",
        marker="^",
        linestyle="-.",
        build=build_time_aware_model,
        grid={
            "time_features": list(TIME_FEATURES),
            "num_heads": [3],
            "key_dim": [5, 10],
            "dropout_rate": [0.1],
            "l2_reg": [0.01],
            "epochs": [10, 20],
        },
    ),
}
