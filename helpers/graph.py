"""Train and predict with whole epochs inside one TensorFlow graph."""

import gc
from collections.abc import Callable
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf
from scikeras.utils.random_state import tensorflow_random_state

PREDICT_BATCH = 256  # bounds the memory that attention scores need
gc.freeze()  # what was imported needs no looking through in `runner_for`


class GraphRunner:
    """Runs training and prediction for models of one configuration.

    Keras's own `fit` feeds every batch through a data pipeline and traces
    its graph anew for every model. Here one scratch model is traced once;
    a model to be trained lends it its variables and gets them back, so the
    result is that of `fit`, several times sooner.
    """

    def __init__(self, scratch: keras.Model):
        self.scratch = scratch
        scratch.optimizer.build(scratch.trainable_variables)
        self.optimizer_start = [v.numpy() for v in scratch.optimizer.variables]
        T, G = scratch.input_shape[1:]
        X = tf.TensorSpec((None, T, G), tf.float32)
        y = tf.TensorSpec((None, 1), tf.float32)
        order = tf.TensorSpec((None,), tf.int64)
        size = tf.TensorSpec((), tf.int64)
        self.epoch = tf.function(self._epoch, [X, y, order, size])
        self.probability = tf.function(self._probability, [X])
        self.evaluation = tf.function(self._evaluation, [X, y, size])

    def fit(
        self,
        model: keras.Model,
        X: np.ndarray,
        y: np.ndarray,
        epochs: int,
        batch_size: int,
        seed: int,
        validation_data: tuple[np.ndarray, np.ndarray] | None = None,
        watch_epochs: int = 0,
    ) -> dict[str, list[float]]:
        """Train a freshly built `model` in place as `model.fit` would, and
        return its losses by epoch. X (n, T, G) float32, y (n,). `seed` is that
        of the order in which samples are taken.

        With more `watch_epochs` than `epochs`, losses go on to be recorded
        that far; the model stays what it was after `epochs`.
        """
        _copy(model.variables, self.scratch.variables)
        for variable, start in zip(
            self.scratch.optimizer.variables, self.optimizer_start, strict=True
        ):
            variable.assign(start)
        X, y = _tensors(X, y)
        order = _shuffle(len(X), seed)
        history = {"loss": []}
        if validation_data is not None:
            validation_data = _tensors(*validation_data)
            history["val_loss"] = []
        for epoch in range(1, max(epochs, watch_epochs) + 1):
            loss = self.epoch(X, y, order, batch_size)
            history["loss"].append(float(loss))
            if validation_data is not None:
                loss = self.evaluation(*validation_data, batch_size)
                history["val_loss"].append(float(loss))
            if epoch == epochs:
                _copy(self.scratch.variables, model.variables)
        return history

    def predict(self, model: keras.Model, X: np.ndarray) -> np.ndarray:
        """Return `model`'s probabilities (n, 1) for X (n, T, G)."""
        _copy(model.variables, self.scratch.variables)
        batches = range(0, len(X), PREDICT_BATCH)
        X = tf.convert_to_tensor(X, tf.float32)
        return np.concatenate(
            [self.probability(X[i : i + PREDICT_BATCH]) for i in batches]
        )

    def _epoch(self, X, y, order, batch_size):
        """Train on every sample once; return their mean loss."""
        n = tf.size(order, tf.int64)
        total = 0.0
        for start in tf.range(0, n, batch_size):
            batch = order[start : start + batch_size]  # (b,)
            loss = self._step(tf.gather(X, batch), tf.gather(y, batch))
            total += loss * tf.cast(tf.size(batch), tf.float32)
        return total / tf.cast(n, tf.float32)

    def _step(self, X, y):
        """Train on one batch; return its mean loss."""
        with tf.GradientTape() as tape:
            p = self.scratch(X, training=True)  # (b, 1)
            loss = self.scratch.compute_loss(X, y, p)
        weights = self.scratch.trainable_variables
        gradients = tape.gradient(loss, weights)
        self.scratch.optimizer.apply(gradients, weights)
        return loss

    def _evaluation(self, X, y, batch_size):
        """Return the mean loss of the samples."""
        n = tf.shape(X, tf.int64)[0]
        total = 0.0
        for start in tf.range(0, n, batch_size):
            X_batch = X[start : start + batch_size]
            y_batch = y[start : start + batch_size]
            p = self.scratch(X_batch, training=False)
            loss = self.scratch.compute_loss(
                X_batch, y_batch, p, training=False
            )
            total += loss * tf.cast(tf.shape(X_batch)[0], tf.float32)
        return total / tf.cast(n, tf.float32)

    def _probability(self, X):
        return self.scratch(X, training=False)


@lru_cache(maxsize=3)  # bounds a process's memory
def runner_for(
    build: Callable[..., keras.Model], params: tuple[tuple[str, object], ...]
) -> GraphRunner:
    """Return the runner for `build(**dict(params))`, traced at most once
    while it stays among the latest three of this process."""
    gc.collect()  # frees the graphs of a runner that made room,
    with tensorflow_random_state(0):  # and seeding frees their kernels
        return GraphRunner(build(**dict(params)))


@lru_cache(maxsize=16)  # to seed TensorFlow costs all its graphs a second
def _shuffle(n, seed):
    """Return the order in which `fit` takes `n` samples: Keras's own recipe.
    Under a fixed seed it is the same in every epoch, there as here."""
    with tensorflow_random_state(seed):
        epochs = tf.data.Dataset.range(1)
        orders = epochs.map(
            lambda _: tf.random.shuffle(tf.range(n, dtype="int64"))
        )
        return next(iter(orders))


def _tensors(X, y):
    return (
        tf.convert_to_tensor(X, tf.float32),
        tf.convert_to_tensor(np.reshape(y, (-1, 1)), tf.float32),
    )


def _copy(source, target):
    for old, new in zip(source, target, strict=True):
        new.assign(old)
