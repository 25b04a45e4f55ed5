"""Fast training: whole epochs inside one TensorFlow graph."""

import difflib
import inspect
import json
import random
import re
import threading
import warnings
from collections.abc import Callable, Collection, Iterable
from contextlib import contextmanager
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
        validation_split: float = 0.0,
        validation_data: tuple[np.ndarray, np.ndarray] | None = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **options,
    ) -> keras.callbacks.History:
        """Train on x (n, ...), y (n,) as `keras.Model.fit` does, silently
        unless `verbose` is 1 or 2; arguments and result are the same."""
        refuse_unknown(options, KERAS_FIT, "argument of fit")
        if options.get("sample_weight") is not None:
            arrays = [x, y, options["sample_weight"]]
        else:
            arrays = [x, y]
        if validation_split:  # Keras takes the last ones, too
            start = int(len(x) * (1 - validation_split))
            validation_data = tuple(array[start:] for array in arrays)
            arrays = [array[:start] for array in arrays]
        batch_size = batch_size or 32
        slow = _find_obstacles(self, x) | {
            name
            for name, value in options.items()
            if value is not KERAS_FIT[name].default
        }
        if callbacks or verbose not in (0, "auto"):
            slow |= {"callbacks" if callbacks else "verbose"}
        if not slow and len(validation_data or "xy") == 2:
            epochs = range(initial_epoch, epochs)
            return self._fit_fast(
                arrays, batch_size, shuffle, epochs, validation_data
            )
        warnings.warn(
            f"with {', '.join(sorted(slow)) or 'such validation_data'}, "
            "Keras's own fit trains the model, several times as long",
            stacklevel=2,
        )
        if isinstance(x, np.ndarray):
            options |= {"sample_weight": None, "shuffle": False}
            options["x"] = _Batches(self, arrays, batch_size, shuffle)
        else:
            options |= {"x": x, "y": y, "shuffle": shuffle}
        return super().fit(
            epochs=epochs,
            verbose=0 if verbose == "auto" else verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            initial_epoch=initial_epoch,
            **options,
        )

    def _fit_fast(self, arrays, batch_size, shuffle, epochs, validation_data):
        arrays = _to_tensors(*arrays)
        if validation_data is not None:
            validation_data = _to_tensors(*validation_data)
        history = keras.callbacks.History()
        history.set_model(self)
        history.on_train_begin()
        with _borrow_graphs(self) as graphs:
            for epoch in epochs:
                order = graphs.twin.draw_order(len(arrays[0]), shuffle)
                logs = graphs.train(*arrays, order, batch_size)
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
        if _find_obstacles(self, x) or steps or callbacks:
            return super().predict(x, batch_size, verbose, steps, callbacks)
        x = tf.convert_to_tensor(x, tf.float32)
        batch_size = max(batch_size or 0, PREDICT_BATCH)  # as good as any
        starts = range(0, len(x), batch_size)
        with _borrow_graphs(self) as graphs:
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


KERAS_FIT = inspect.signature(keras.Model.fit).parameters


class _Batches(keras.utils.PyDataset):
    """Feeds Keras's own `fit` in the order that ours would take."""

    def __init__(self, model, arrays, batch_size, shuffle):
        super().__init__()
        self.model, self.arrays = model, arrays
        self.batch_size, self.shuffle = batch_size, shuffle
        self.order = np.arange(len(arrays[0]))

    def __len__(self):
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index):
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return tuple(array[rows] for array in self.arrays)

    def on_epoch_begin(self):
        self.order = self.model.draw_order(len(self.order), self.shuffle)
        self.order = self.order.numpy()


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


@contextmanager
def _borrow_graphs(model):
    """Yield the graphs that models of this configuration share, around the
    variables of this one, which gets them back with the end of the block."""
    graphs = _trace(*_describe(model))
    model.optimizer.build(model.trainable_variables)
    own, borrowed = _variables(model), _variables(graphs.twin)
    with LOCK:  # another thread must not borrow them meanwhile
        _copy(own, borrowed)
        try:
            yield graphs
        finally:
            _copy(borrowed, own)


LOCK = threading.RLock()


def _describe(model):
    """Return the configuration as JSON, in which names that Keras numbered,
    and goes on numbering, stand alike; and the classes of the layers, which
    differ where a cell that defines one was run again."""
    text = json.dumps(keras.saving.serialize_keras_object(model))
    names = [part.name for part in (model, *model.layers, model.optimizer)]
    numbered = [name for name in names if re.search(r"_\d+$", name)]
    for number, name in enumerate(numbered):
        text = text.replace(f'"{name}"', f'"numbered_{number}"')
    return text, tuple(type(layer) for layer in model.layers)


@lru_cache(maxsize=3)  # bounds a process's memory
def _trace(text, classes):
    with _python_seed(0):
        twin = keras.saving.deserialize_keras_object(json.loads(text))
    return _Graphs(twin)


def _find_obstacles(model, x):
    """Return in words what keeps a model from running as one graph."""
    if not isinstance(x, np.ndarray):
        return {"samples that are no array"}
    if not model.compiled or model.run_eagerly:
        return {"a model that runs eagerly, or is not compiled"}
    try:
        _trace(*_describe(model))
    except (TypeError, ValueError):  # Keras cannot make a copy
        return {"a layer or loss that is not registered with Keras"}
    return set()


def _variables(model):
    return [*model.variables, *model.optimizer.variables]


def _copy(source, target):
    for old, new in zip(source, target, strict=True):
        new.assign(old)


def _to_tensors(x, y):
    return (
        tf.convert_to_tensor(x, tf.float32),
        tf.convert_to_tensor(np.reshape(y, (len(y), -1)), tf.float32),
    )


def build_seeded(
    build: Callable[..., keras.Model], seed: int, *args, **params
) -> keras.Model:
    """Return `build(*args, **params)`, all whose random numbers follow from
    `seed`."""
    with _python_seed(seed):
        return as_graph_model(build(*args, **params))


@contextmanager
def _python_seed(seed):
    """Seed Python's own generator, from which Keras draws its seeds, while
    the block runs; afterwards it is what it was."""
    state = random.getstate()
    try:
        random.seed(seed)
        yield
    finally:
        random.setstate(state)


def as_graph_model(model: keras.Model) -> GraphModel:
    """Return a GraphModel of the layers of a compiled `model`, or the model
    itself if its class is not one of Keras's."""
    if type(model).__module__.split(".")[0] != "keras":
        return model
    graph_model = GraphModel(model.input, model.output, name=model.name)
    graph_model.compile_from_config(model.get_compile_config())
    return graph_model


def refuse_unknown(
    names: Iterable[str], known: Collection[str], what: str
) -> None:
    """Raise TypeError unless all `names` are `known`."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise TypeError(
                f"no {what} is called {name!r}: {hint}There are "
                f"{', '.join(sorted(known))}."
            )
