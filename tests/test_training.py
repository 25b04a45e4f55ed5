"""The fast loop gives what Keras's own gives."""

from collections import defaultdict

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.models import build_attention_model, build_lstm_model
from helpers.training import build_seeded


def build_plain(shape, units=1):
    inputs = keras.Input(shape)
    hidden = keras.layers.Dense(units)(keras.layers.Flatten()(inputs))
    outputs = keras.layers.Dense(1, "sigmoid")(
        keras.layers.Dropout(0.2)(hidden)
    )
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return model


ATTENTION = (build_attention_model, (2, 3, 0.2, 0.01))
LSTM = (build_lstm_model, (3, 0.2, 0.01))
PLAIN = (build_plain, (4,))


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(71, 8, 3)).astype(np.float32)
    return X, (X[:, :, 0].mean(axis=1) > 0).astype(int)


def build(kind=PLAIN, seed=0):
    return build_seeded(kind[0], seed, (8, 3), *kind[1])


def fit_by_hand(model, X, y, epochs, validation_data):
    """Keras's own `fit`, epoch by epoch, fed in the order that ours takes."""
    history = defaultdict(list)
    for _ in range(epochs):
        order = model.draw_order(len(X)).numpy()
        logs = keras.Model.fit(
            model,
            X[order],
            y[order],
            batch_size=32,
            shuffle=False,
            verbose=0,
            validation_data=validation_data,
        ).history
        for name, values in logs.items():
            history[name] += values
    return history


def slow_fit(model, *args, **options):
    with pytest.warns(UserWarning, match="Keras's own fit trains"):
        return model.fit(*args, **options)


@pytest.mark.parametrize(
    ("kind", "n"), [(ATTENTION, 64), (LSTM, 71), (PLAIN, 71)]
)
def test_equal_to_keras(data, kind, n):
    X, y = data[0][:n], data[1][:n]
    ours, keras_own = build(kind), build(kind)
    watched = X[:20], y[:20]
    history = ours.fit(X, y, epochs=2, validation_data=watched).history
    expected = fit_by_hand(keras_own, X, y, 2, watched)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-6)
    np.testing.assert_allclose(
        ours.predict(X),
        keras.Model.predict(keras_own, X, verbose=0),
        atol=1e-6,
    )


def test_every_epoch_has_a_fresh_order_that_follows_from_the_seed():
    orders = [[*build(seed=s).draw_order(50).numpy()] for s in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    model = build(seed=1)
    first, second = (model.draw_order(50).numpy() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert list(first) != list(second)


def test_training_can_be_continued(data):
    X, y = data
    once, twice = build(), build()
    whole = once.fit(X, y, epochs=5, validation_data=data).history
    first = twice.fit(X, y, epochs=3, validation_data=data).history
    rest = twice.fit(X, y, epochs=5, initial_epoch=3, validation_data=data)
    for name in ("loss", "val_loss"):
        assert first[name] + rest.history[name] == whole[name]
    np.testing.assert_array_equal(once.predict(X), twice.predict(X))


def test_validation_data_are_watched_and_not_learned_from(data):
    X, y = data
    fitted = [build(), build(), build()]
    histories = [
        model.fit(X, y, epochs=3, validation_data=watched).history
        for model, watched in zip(
            fitted, (None, data, (100 * X[:9], 1 - y[:9])), strict=True
        )
    ]
    assert all(h["loss"] == histories[0]["loss"] for h in histories)
    assert histories[1]["val_loss"] != histories[2]["val_loss"]
    for model in fitted[1:]:
        np.testing.assert_array_equal(model.predict(X), fitted[0].predict(X))


def test_models_share_a_graph_and_nothing_else(data):
    X, y = data
    first = build()
    first.fit(X, y, epochs=2)
    before = first.predict(X)
    second = build(seed=1)
    second.fit(X, 1 - y, epochs=2)
    assert not np.allclose(second.predict(X), before)
    np.testing.assert_array_equal(first.predict(X), before)
    np.testing.assert_allclose(first(X).numpy(), before, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"callbacks": [keras.callbacks.EarlyStopping("loss")]},
        {"class_weight": {0: 1.0, 1: 5.0}},
        {"sample_weight": np.arange(71.0)},
        {"verbose": 2},
    ],
)
def test_what_the_graph_cannot_do_keras_does(data, options, capsys):
    plain, other = build(), build()
    plain.fit(*data, epochs=3)
    slow_fit(other, *data, epochs=3, **options)
    changes = set(options) <= {"class_weight", "sample_weight"}
    p, q = (model.predict(data[0]) for model in (plain, other))
    equal = np.allclose(p, q, atol=1e-6)
    assert equal != changes
    assert ("Epoch 3/3" in capsys.readouterr().out) == ("verbose" in options)


def test_a_part_can_be_split_off_for_validation(data):
    X, y = data
    split, by_hand = build(), build()
    history = split.fit(X, y, epochs=2, validation_split=0.2).history
    n = int(0.8 * len(X))
    expected = by_hand.fit(
        X[:n], y[:n], epochs=2, validation_data=(X[n:], y[n:])
    ).history
    assert history == expected


def test_unknown_arguments_are_refused_with_the_nearest_name(data):
    with pytest.raises(TypeError, match="did you mean 'class_weight'"):
        build().fit(*data, class_weights={0: 1, 1: 2})


def test_samples_that_are_no_array_are_trained_on_by_keras(data):
    X, y = data
    how = {"batch_size": 16, "validation_split": 0.2, "shuffle": False}
    one, other = build(), build()
    expected = one.fit(X, y, **how).history
    tensors = tf.constant(X), tf.constant(y[:, None])
    for name, values in slow_fit(other, *tensors, **how).history.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-5)
