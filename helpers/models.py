"""Q2: the prescribed attention model, and the LSTM it is compared with."""

import keras
from keras import layers

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
    return _compile(keras.Model(inputs, outputs, name="attention"))


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
    return _compile(keras.Model(inputs, outputs, name="lstm"))


def _compile(model):
    model.compile(
        optimizer=keras.optimizers.Adam(LEARNING_RATE),
        loss="binary_crossentropy",
        metrics=["accuracy"],
    )
    return model
