"""Ways to do the same cross-validated grid search, each run and timed in a
process of its own: `python -m benchmarks.contenders '{"name": ...}'`."""

import json
import sys
import time

import numpy as np
from joblib import Parallel, delayed
from scikeras.wrappers import KerasClassifier
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedKFold,
)
from sklearn.utils import ClassifierTags

from helpers.models import build_attention_model
from helpers.search import PARAM_GRID, GeneScaler, run_grid_search
from helpers.simulate import simulate_expression


class PlainClassifier(KerasClassifier):
    """scikeras as it is, but for the tags that scikit-learn 1.9 needs, and
    the scaling of genes."""

    @property
    def feature_encoder(self):
        return GeneScaler()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        return tags


def grid_of(n: int) -> dict[str, list]:
    """Return a grid of `n` candidates, a power of two up to 32: part of the
    assignment's grid, all of it (16), or more dropout rates besides."""
    grid = PARAM_GRID | {"dropout_rate": [0.1, 0.3, 0.2, 0.4]}
    for name in ("key_dim", "num_heads", "l2_reg", "dropout_rate"):
        grid[name] = grid[name][:n]
        n = max(1, n // len(grid[name]))
    return grid


def candidates(n: int) -> list[dict]:
    return list(ParameterGrid(grid_of(n)))


def ours(X, y, *, n, cv, epochs, n_jobs):
    search = run_grid_search(
        X, y, param_grid=grid_of(n), cv=cv, epochs=epochs, n_jobs=n_jobs
    )
    return search.cv_results_["mean_test_score"]


def build_plain_model(input_shape, num_heads, key_dim, dropout_rate, l2_reg):
    """The same network as a plain Keras model, with Keras's own `fit`."""
    import keras

    model = build_attention_model(
        input_shape, num_heads, key_dim, dropout_rate, l2_reg
    )
    plain = keras.Model(model.inputs, model.outputs)
    plain.compile(model.optimizer, model.loss)
    return plain


def plain(X, y, *, n, cv, epochs, n_jobs):
    """scikeras and GridSearchCV as their manuals have it."""
    classifier = PlainClassifier(
        build_plain_model,
        input_shape=X.shape[1:],
        epochs=epochs,
        batch_size=32,
        random_state=0,
        verbose=0,
        **candidates(1)[0],
    )
    search = GridSearchCV(
        classifier,
        grid_of(n),
        scoring="roc_auc",
        cv=_folds(cv),
        n_jobs=n_jobs,
    )
    return search.fit(X, y).cv_results_["mean_test_score"]


def skorch(X, y, *, n, cv, epochs, n_jobs):
    """The same network in PyTorch; joblib gives each worker one thread."""
    import torch
    from skorch import NeuralNetBinaryClassifier

    from benchmarks.torch_model import Attention

    net = NeuralNetBinaryClassifier(
        Attention,
        module__n_genes=X.shape[2],
        max_epochs=epochs,
        batch_size=32,
        lr=1e-3,
        optimizer=torch.optim.Adam,
        verbose=0,
        iterator_train__shuffle=True,
        train_split=None,
    )
    params = grid_of(n)
    decays = [{"weight_decay": 2 * l2} for l2 in params.pop("l2_reg")]
    grid = {f"module__{name}": values for name, values in params.items()}
    grid["optimizer__param_groups"] = [
        [("probability.weight", decay)] for decay in decays
    ]
    search = GridSearchCV(
        net,
        grid,
        scoring="roc_auc",
        cv=_folds(cv),
        n_jobs=n_jobs,
    )
    X = GeneScaler().fit_transform(X)
    return search.fit(X, y.astype("f")).cv_results_["mean_test_score"]


def floor(X, y, *, n, cv, epochs, n_jobs):
    """The trainings alone, as a bare TensorFlow loop in `n_jobs` processes:
    no folds scored, nothing recorded, nothing restored but the weights."""
    X = GeneScaler().fit_transform(X)
    size = len(X) * (cv - 1) // cv
    parts = [candidates(n)[i::n_jobs] for i in range(n_jobs)]
    Parallel(n_jobs=n_jobs)(
        delayed(_train_bare)(part, X[:size], y[:size], cv, epochs)
        for part in parts
    )
    return np.full(n, np.nan)


def _train_bare(settings, X, y, times, epochs):
    import tensorflow as tf

    X = tf.constant(X, tf.float32)
    y = tf.constant(y.reshape(-1, 1), tf.float32)
    for setting in settings:
        model = build_attention_model(X.shape[1:], **setting)
        start = [v.numpy() for v in model.trainable_variables]
        epoch = tf.function(_bare_epoch(model, X, y))
        for _ in range(times):
            for variable, value in zip(
                model.trainable_variables, start, strict=True
            ):
                variable.assign(value)
            for _ in range(epochs):
                epoch(tf.random.shuffle(tf.range(len(X))))


def _bare_epoch(model, X, y):
    import tensorflow as tf

    weights, adam = model.trainable_variables, model.optimizer
    adam.build(weights)

    def epoch(order):
        for i in tf.range(0, tf.size(order), 32):
            batch = order[i : i + 32]
            with tf.GradientTape() as tape:
                p = model(tf.gather(X, batch), training=True)
                loss = model.compute_loss(y=tf.gather(y, batch), y_pred=p)
            adam.apply(tape.gradient(loss, weights), weights)

    return epoch


def _folds(cv):
    return StratifiedKFold(cv, shuffle=True, random_state=0)


def main(task: dict) -> None:
    """Run and time one contender; print seconds and mean scores as JSON."""
    data = simulate_expression(
        "level + rhythm",
        task["samples"],
        task["time_points"],
        task.get("genes", 10),
        seed=2024,
    )
    X = data.X.astype(np.float32)
    options = {key: task[key] for key in ("n", "cv", "epochs", "n_jobs")}
    start = time.perf_counter()
    scores = globals()[task["name"]](X, data.y, **options)
    seconds = time.perf_counter() - start
    if len(scores) != task["n"]:
        raise RuntimeError(f"{len(scores)} candidates scored, not {task['n']}")
    print(json.dumps({"seconds": seconds, "scores": list(map(float, scores))}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
