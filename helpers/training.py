"""Fast training: whole epochs inside one TensorFlow graph."""

import difflib
import inspect
import json
import random
import re
import warnings
from collections.abc import Callable, Collection, Iterable
from contextlib import contextmanager
from functools import cache, lru_cache

import keras
import numpy as np
import tensorflow as tf

PREDICT_BATCH = 256  # bounds the memory that attention scores need


@keras.saving.register_keras_serializable("")  # as scikeras will, on pickling
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
        weights = options.get("sample_weight")
        arrays = [x, y] if weights is None else [x, y, weights]
        if validation_split and validation_data is None:  # the last, as Keras
            start = int(len(x) * (1 - validation_split))
            validation_data = tuple(array[start:] for array in arrays)
            arrays = [array[:start] for array in arrays]
        graphs, slow = _find_graphs(self, x)
        options["callbacks"] = callbacks or None
        slow |= {n for n in options if options[n] is not KERAS_FIT[n].default}
        verbose = 0 if verbose == "auto" else verbose
        slow |= {"verbose"} if verbose else set()
        is_pair = isinstance(validation_data, tuple | list)
        is_pair = is_pair and len(validation_data) == 2
        if not slow and (validation_data is None or is_pair):
            epochs = range(initial_epoch, epochs)
            how = epochs, batch_size or 32, shuffle
            return self._fit_fast(graphs, arrays, validation_data, *how)
        warnings.warn(
            f"with {', '.join(sorted(slow)) or 'such validation_data'}, "
            "Keras's own fit trains the model, several times as long",
            stacklevel=2,
        )
        if isinstance(x, np.ndarray):
            batches = _Batches(self, arrays, batch_size or 32, shuffle)
            options |= {"x": batches, "sample_weight": None, "shuffle": False}
        else:
            names = "x", "y", "sample_weight"
            options |= dict(zip(names, arrays, strict=False))
            options |= {"batch_size": batch_size, "shuffle": shuffle}
        return super().fit(
            epochs=epochs,
            verbose=verbose,
            validation_data=validation_data,
            initial_epoch=initial_epoch,
            **options,
        )

    def _fit_fast(self, graphs, arrays, watched, epochs, batch_size, shuffle):
        arrays = _to_tensors(*arrays)
        watched = watched and _to_tensors(*watched)
        batch_size = tf.constant(batch_size)
        history = keras.callbacks.History()
        history.set_model(self)
        history.on_train_begin()
        with graphs.lend(self):
            for epoch in epochs:
                order = graphs.twin.draw_order(len(arrays[0]), shuffle)
                logs = graphs.train(*arrays, order, batch_size)
                if watched:
                    tests = graphs.test(*watched, batch_size)
                    logs |= {f"val_{name}": tests[name] for name in tests}
                logs = {name: float(value) for name, value in logs.items()}
                history.on_epoch_end(epoch, logs)
        return history

    def predict(
        self, x, batch_size=None, verbose="auto", steps=None, callbacks=None
    ) -> np.ndarray:
        """Return the outputs for x (n, ...), as `keras.Model.predict`."""
        graphs, obstacles = _find_graphs(self, x)
        if obstacles or steps or callbacks:
            return super().predict(x, batch_size, verbose, steps, callbacks)
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
        self.train = _trace(self._train, X, y, order, size)
        self.test = _trace(self._test, X, y, size)
        self.predict = _trace(self._predict, X)

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
    def lend(self, model):
        """Let the twin have the variables of `model`, which gets them back
        with the end of the block."""
        model.optimizer.build(model.trainable_variables)
        own, borrowed = _variables(model), _variables(self.twin)
        _copy(own, borrowed)
        try:
            yield
        finally:
            _copy(borrowed, own)


def _trace(function, *specs):
    """Return `function` as a graph, made when it is needed. TensorFlow warns
    of the number of graphs where it makes them itself, call by call."""
    make_graph = cache(tf.function(function).get_concrete_function)
    return lambda *tensors: make_graph(*specs)(*tensors)


def _find_graphs(model, x):
    """Return the graphs that models of this configuration share, or None and
    in words what keeps `model` from running as a graph."""
    if not isinstance(x, np.ndarray):
        return None, {"samples that are no array"}
    if not model.compiled or model.run_eagerly:
        return None, {"a model that runs eagerly, or is not compiled"}
    try:
        return _make_graphs(*_describe(model)), set()
    except (TypeError, ValueError):  # Keras cannot make a copy
        return None, {"a layer or loss that is not registered with Keras"}


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


@lru_cache(maxsize=3)  # each takes some 13 MB
def _make_graphs(text, classes):
    load = keras.saving.deserialize_keras_object
    return _Graphs(build_seeded(load, 0, json.loads(text)))


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
    state = random.getstate()  # Keras draws its seeds from this generator
    try:
        random.seed(seed)
        return as_graph_model(build(*args, **params))
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
