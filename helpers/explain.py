"""What a trained model sees: order, genes and times, attention, and costs."""

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from helpers.models import MODELS, TimeFeatures

WINDOW = 5  # time points
LENGTHS = (25, 50, 100, 200, 400)  # time points at which costs are given
BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "results.json"

Predict = Callable[[np.ndarray], np.ndarray]  # X (n, T, G) -> p (n,)


def shuffle_time(X: np.ndarray, *, seed: int) -> np.ndarray:
    """Return X (n, T, G) with each sample's time points in an order of its
    own; all genes of a time point stay together."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(X.shape[1]), (len(X), 1)), axis=1)
    return np.take_along_axis(X, order[:, :, None], axis=1)


def order_sensitivity(
    predict: Predict, X: np.ndarray, *, seed: int
) -> dict[str, float]:
    """Shuffle the time points of every sample of X (n, T, G) and report the
    largest and the mean absolute change of the predicted probability."""
    before = predict(X).astype(np.float64)
    after = predict(shuffle_time(X, seed=seed))
    change = np.abs(before - after)
    return {"largest": float(change.max()), "mean": float(change.mean())}


def list_windows(n_time_steps: int) -> list[slice]:
    """Cut the time axis into windows of `WINDOW` points; the last may be
    shorter."""
    starts = range(0, n_time_steps, WINDOW)
    return [slice(t, min(t + WINDOW, n_time_steps)) for t in starts]


def permutation_importance(
    predict: Predict,
    X: np.ndarray,
    y: np.ndarray,
    *,
    seed: int,
    n_repeats: int = 5,
) -> dict[str, np.ndarray]:
    """Measure the drop in ROC AUC when a gene's whole series, or all genes in
    a window of time, are exchanged between samples.

    X (n, T, G), y (n,), not trained on. Returns `genes` (G,) and `windows`
    (n_windows,), means over `n_repeats`. Source: Breiman (2001), Machine
    Learning 45, for single features.
    """
    rng = np.random.default_rng(seed)
    full = roc_auc_score(y, predict(X))

    def drop(part):
        scores = []
        for _ in range(n_repeats):
            changed = X.copy()
            changed[part] = X[rng.permutation(len(X))][part]
            scores.append(roc_auc_score(y, predict(changed)))
        return full - np.mean(scores)

    genes = [np.s_[:, :, g] for g in range(X.shape[2])]
    windows = [np.s_[:, window] for window in list_windows(X.shape[1])]
    return {
        "genes": np.array([drop(part) for part in genes]),
        "windows": np.array([drop(part) for part in windows]),
    }


def average_attention(
    model: keras.Model, X: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the mean attention weights (2, T, T) of either outcome, over
    samples of the scaled X (n, T, G) and heads: row t is where time point t
    looks."""
    with_time = keras.layers.Identity()
    for layer in model.layers:
        if isinstance(layer, TimeFeatures):
            with_time, model = layer, model.get_layer("attention")
    attention = model.get_layer("self_attention")

    def total(samples):
        x = with_time(samples)
        _, weights = attention(x, x, return_attention_scores=True)
        return np.asarray(weights).mean(axis=1).sum(axis=0)  # (T, T)

    maps = []
    for outcome in (0, 1):
        chosen = X[y == outcome]
        parts = range(0, len(chosen), 64)  # bounds memory
        sums = [total(chosen[i : i + 64]) for i in parts]
        maps.append(np.sum(sums, axis=0) / len(chosen))
    return np.stack(maps)


def count_multiply_adds(model: keras.Model) -> int:
    """Count the multiply-adds of the matrix products for one sample.

    Knows MultiHeadAttention, LSTM and Dense; element-wise work (softmax,
    normalisation, gates) is left out, as is usual.
    """
    T, G = model.input_shape[1:]
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.MultiHeadAttention):
            width = layer.num_heads * layer.key_dim
            features = layer.query_dense.kernel.shape[0]
            projections = 4 * T * features * width  # query, key, value, out
            total += projections + 2 * T * T * width  # scores, weighted sum
        elif isinstance(layer, keras.layers.LSTM):
            total += T * 4 * layer.units * (G + layer.units)
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.Model):
            total += count_multiply_adds(layer)
    return total


def count_sequential_steps(model: keras.Model) -> int:
    """Count the steps along time that have to wait for each other: as many
    as time points where a state is handed on, else one."""
    recurrent = any(isinstance(x, keras.layers.LSTM) for x in model.layers)
    return model.input_shape[1] if recurrent else 1


def describe_costs(n_genes: int = 10) -> dict:
    """Return, by model of `MODELS` and number of time points, multiply-adds
    and sequential steps for one sample, and the milliseconds of a training
    step (32 samples: median, low, high) that `make benchmark` measured; and
    the machine it ran on."""
    measured = json.loads(BENCHMARK.read_text())
    costs = {"machine": measured["machines"]["steps"], "models": {}}
    for name, entry in MODELS.items():
        models = {
            T: entry.build((T, n_genes), **entry.largest) for T in LENGTHS
        }
        times = measured["steps"][name]
        costs["models"][name] = {
            "multiply_adds": {
                T: count_multiply_adds(m) for T, m in models.items()
            },
            "sequential_steps": {
                T: count_sequential_steps(m) for T, m in models.items()
            },
            "milliseconds": {T: times[str(T)] for T in LENGTHS},
        }
    return costs
