"""Fast training: whole epochs inside one TensorFlow graph."""

import json
import random
import re
from collections.abc import Callable
from functools import lru_cache

import keras
import numpy as np
import tensorflow as tf

PREDICT_BATCH = 256  # bounds the memory that attention scores need


@keras.saving.register_keras_serializable("assignment7")
class GraphModel(keras.Model):
    """A Keras model whose `fit` and `predict` need one graph, not many.

    Keras's own `fit` feeds every batch through a data pipeline, and traces
    its graph anew for every model. Here a whole epoch is one graph, and
    models of equal configuration share it, which gives the same weights and
    losses several times sooner. What this `fit` cannot do, Keras's own does.

    Each epoch takes the samples in a fresh order. Its seed is drawn from
    Python's `random` when the model is built, as Keras draws its layers'.
    """

    def __init__(self, inputs, outputs, name=None, **kwargs):
        super().__init__(inputs, outputs, name=name, **kwargs)
        self.order_seeds = keras.random.SeedGenerator()

    def fit(
        self,
        x=None,
        y=None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: str | int = "auto",
        callbacks: list | None = None,
        validation_data: tuple[np.ndarray, np.ndarray] | None = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **options,
    ) -> keras.callbacks.History:
        """Train on x (n, ...), y (n,) as `keras.Model.fit` does, silently
        unless `verbose` is 1 or 2; arguments and result are the same."""
        batch_size = batch_size or 32
        is_plain = not callbacks and verbose in (0, "auto")
        if not is_plain or any(map(_is_set, options.values())):
            return super().fit(
                _Batches(self, (x, y), batch_size, shuffle),
                epochs=epochs,
                verbose=verbose,
                callbacks=callbacks,
                validation_data=validation_data,
                shuffle=False,  # the batches
                initial_epoch=initial_epoch,
                **options,
            )
        graphs = _graphs_of(self)
        x, y = _to_tensors(x, y)
        if validation_data is not None:
            validation_data = _to_tensors(*validation_data)
        history = keras.callbacks.History()
        history.set_model(self)
        history.on_train_begin()
        with graphs.lend(self):
            for epoch in range(initial_epoch, epochs):
                order = graphs.twin.draw_order(len(x), shuffle)
                logs = graphs.train(x, y, order, batch_size)
                logs = {name: float(value) for name, value in logs.items()}
                if validation_data is not None:
                    tests = graphs.test(*validation_data, batch_size)
                    logs |= {f"val_{k}": float(v) for k, v in tests.items()}
                history.on_epoch_end(epoch, logs)
        return history

    def predict(
        self, x, batch_size=None, verbose="auto", steps=None, callbacks=None
    ) -> np.ndarray:
        """Return the outputs for x (n, ...), as `keras.Model.predict`."""
        if not isinstance(x, np.ndarray) or steps or callbacks:
            return super().predict(x, batch_size, verbose, steps, callbacks)
        graphs = _graphs_of(self)
        x = tf.convert_to_tensor(x, tf.float32)
        batch_size = max(batch_size or 0, PREDICT_BATCH)  # as good as any
        starts = range(0, len(x), batch_size)
        with graphs.lend(self):
            return np.concatenate(
                [graphs.predict(x[i : i + batch_size]) for i in starts]
            )

    def draw_order(self, n: int, shuffle: bool = True) -> tf.Tensor:
        """Return the order (n,) of the samples in the next epoch."""
        rows = tf.range(n)
        if not shuffle:
            return rows
        seed = tf.cast(self.order_seeds.next(), tf.int32)  # (2,)
        return tf.random.experimental.stateless_shuffle(rows, seed)


class _Batches(keras.utils.PyDataset):
    """Feeds Keras's own `fit` in the order that ours would take."""

    def __init__(self, model, arrays, batch_size, shuffle):
        super().__init__()
        self.model, self.arrays = model, arrays
        self.batch_size, self.shuffle = batch_size, shuffle
        self.order = np.arange(len(arrays[0]))

    def __len__(self):
        return -(-len(self.arrays[0]) // self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return tuple(array[rows] for array in self.arrays)

    def on_epoch_begin(self):
        n = len(self.arrays[0])
        self.order = self.model.draw_order(n, self.shuffle).numpy()


class _Graphs:
    """One configuration's graphs, around a twin that belongs to no one. A
    model that is trained lends the twin its variables and gets them back."""

    def __init__(self, twin: keras.Model):
        self.twin = twin
        twin.optimizer.build(twin.trainable_variables)
        X = tf.TensorSpec((None, *twin.input_shape[1:]), tf.float32)
        y = tf.TensorSpec((None, *twin.output_shape[1:]), tf.float32)
        order = tf.TensorSpec((None,), tf.int32)
        size = tf.TensorSpec((), tf.int32)
        self.train = tf.function(self._train, [X, y, order, size])
        self.test = tf.function(self._test, [X, y, size])
        self.predict = tf.function(self._predict, [X])

    def _train(self, X, y, order, batch_size):
        """Train on every sample once; return the epoch's mean losses."""
        self.twin.reset_metrics()
        for start in tf.range(0, tf.size(order), batch_size):
            rows = order[start : start + batch_size]  # (b,)
            self.twin.train_step((tf.gather(X, rows), tf.gather(y, rows)))
        return self.twin.get_metrics_result()

    def _test(self, X, y, batch_size):
        self.twin.reset_metrics()
        for start in tf.range(0, tf.shape(X)[0], batch_size):
            end = start + batch_size
            self.twin.test_step((X[start:end], y[start:end]))
        return self.twin.get_metrics_result()

    def _predict(self, X):
        return self.twin(X, training=False)

    def lend(self, model: keras.Model):
        return _Loan(model, self.twin)


class _Loan:
    """Gives a twin the variables of a model while a block runs."""

    def __init__(self, model, twin):
        self.model, self.twin = _variables(model), _variables(twin)

    def __enter__(self):
        _copy(self.model, self.twin)

    def __exit__(self, *error):
        _copy(self.twin, self.model)


def build_seeded(
    build: Callable[..., keras.Model], seed: int, *args, **params
) -> keras.Model:
    """Return `build(*args, **params)`, all whose random numbers follow from
    `seed`; Python's own generator, from which Keras draws, stays as it was."""
    state = random.getstate()
    try:
        random.seed(seed)
        return build(*args, **params)
    finally:
        random.setstate(state)


def _graphs_of(model):
    """Return the graphs that models of this configuration share."""
    text = json.dumps(keras.saving.serialize_keras_object(model))
    names = [part.name for part in (*model.layers, model.optimizer)]
    numbered = [name for name in names if re.search(r"_\d+$", name)]
    for number, name in enumerate(
        numbered
    ):  # by Keras, which goes on counting
        text = text.replace(f'"{name}"', f'"numbered_{number}"')
    return _trace(text)


@lru_cache(maxsize=3)  # bounds a process's memory
def _trace(text):
    return _Graphs(keras.saving.deserialize_keras_object(json.loads(text)))


def _is_set(value):
    return not (value is None or (np.isscalar(value) and value in (0, 1)))


def _to_tensors(x, y):
    return (
        tf.convert_to_tensor(x, tf.float32),
        tf.convert_to_tensor(np.reshape(y, (len(y), -1)), tf.float32),
    )


def _variables(model):
    model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _copy(source, target):
    for old, new in zip(source, target, strict=True):
        new.assign(old)
