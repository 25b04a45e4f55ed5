"""What a trained model sees: order, genes and times, attention, and costs."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.base import ClassifierMixin
from sklearn.metrics import roc_auc_score

from helpers.models import MODELS, TimeFeatures
from helpers.training import PREDICT_BATCH

WINDOW = 5  # time points
MOST_GENES = 20  # whose importance is measured
LENGTHS = (25, 50, 100, 200, 400)  # time points at which costs are given
BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "steps.json"

NORM = keras.layers.LayerNormalization  # its weights multiply no matrix


def shuffle_time(X: np.ndarray, *, seed: int) -> np.ndarray:
    """Return X (n, T, G) with each sample's time points in an order of its
    own; all genes of a time point stay together."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(X.shape[1]), (len(X), 1)), axis=1)
    return np.take_along_axis(X, order[:, :, None], axis=1)


def order_sensitivity(
    model: ClassifierMixin, X: np.ndarray, *, seed: int
) -> dict[str, float]:
    """Shuffle the time points of every sample of X (n, T, G) and report the
    largest and the mean absolute change of the predicted probability."""
    before = model.predict_proba(X).astype(np.float64)  # of either outcome
    after = model.predict_proba(shuffle_time(X, seed=seed))
    change = np.abs(before - after)[:, 1]
    return {"largest": float(change.max()), "mean": float(change.mean())}


def list_windows(n_time_steps: int) -> list[slice]:
    """Cut the time axis into windows of `WINDOW` points; the last may be
    shorter."""
    return [slice(t, t + WINDOW) for t in range(0, n_time_steps, WINDOW)]


def permutation_importance(
    model: ClassifierMixin,
    X: np.ndarray,
    y: np.ndarray,
    *,
    genes: Iterable[int],
    windows: bool,
    seed: int,
    n_repeats: int = 3,
) -> dict[str, np.ndarray]:
    """Measure the drop in ROC AUC when one gene's whole series, or all genes
    in a window of time, are exchanged between samples.

    X (n, T, G), y (n,), not trained on. Returns `genes` (n_genes,) and, if
    asked for, `windows` (n_windows,), means over `n_repeats`. Source: Breiman
    (2001), Machine Learning 45, for single features.
    """
    rng = np.random.default_rng(seed)
    full = roc_auc_score(y, model.predict_proba(X)[:, 1])

    def drop(part):
        changed = np.stack([X] * n_repeats)
        for copy in changed:
            copy[part] = X[rng.permutation(len(X))][part]
        changed = changed.reshape(-1, *X.shape[1:])  # at once is faster
        p = model.predict_proba(changed)[:, 1].reshape(n_repeats, len(X))
        return full - np.mean([roc_auc_score(y, row) for row in p])

    drops = {"genes": np.array([drop(np.s_[:, :, g]) for g in genes])}
    if windows:
        parts = list_windows(X.shape[1])
        drops["windows"] = np.array([drop(np.s_[:, part]) for part in parts])
    return drops


def promising_genes(
    networks: Iterable[keras.Model], X: np.ndarray, most: int = MOST_GENES
) -> list[int]:
    """Return the genes of the scaled X (n, T, G) that the networks' outputs
    change most with, by their mean absolute gradients: all, or `most` of
    them."""
    if X.shape[2] <= most:
        return list(range(X.shape[2]))
    X = tf.convert_to_tensor(X[:PREDICT_BATCH])
    total = 0
    for network in networks:
        with tf.GradientTape() as tape:
            tape.watch(X)
            output = network(X)
        slope = tf.abs(tape.gradient(output, X)).numpy().mean(axis=(0, 1))
        total = total + slope / max(slope.max(), 1e-12)  # (G,)
    return sorted(np.argsort(-total, kind="stable")[:most].tolist())


@dataclass(frozen=True)
class Attention:
    """Attention weights, means over heads: `maps` (2, T, T), those of either
    outcome, row t is where time point t looks; `received` (n, T), how much
    each sample's time points get, in multiples of uniform attention."""

    maps: np.ndarray
    received: np.ndarray


def read_attention(
    model: keras.Model, X: np.ndarray, y: np.ndarray
) -> Attention:
    """Return where a model looks in the scaled X (n, T, G), y (n,)."""
    with_time = keras.layers.Identity()
    for layer in model.layers:
        if isinstance(layer, TimeFeatures):
            with_time, model = layer, model.get_layer("attention")
    attention = model.get_layer("self_attention")
    maps, received = np.zeros((2, X.shape[1], X.shape[1])), []
    for start in range(0, len(X), 64):  # bounds memory
        x, outcomes = with_time(X[start : start + 64]), y[start : start + 64]
        _, weights = attention(x, x, return_attention_scores=True)
        weights = np.asarray(weights).mean(axis=1)  # (n, T, T)
        received.append(weights.sum(axis=1))
        for outcome in (0, 1):
            maps[outcome] += weights[outcomes == outcome].sum(axis=0)
    counts = np.bincount(y, minlength=2)[:, None, None]
    return Attention(maps / counts, np.concatenate(received))


def relate_attention(
    attention: Attention, X: np.ndarray
) -> dict[str, float | list[float]]:
    """Say what the attention that time points receive goes with in X (n, T,
    G): `time_share` is the share of its variance that one profile over time,
    the same for all samples, explains; `genes` (G,) are the correlations of
    the rest with each gene, its own profile taken off; `to_itself` is the
    mean attention of a time point to itself, `between_outcomes` the largest
    difference of the outcomes' maps, both in multiples of uniform."""
    received = attention.received - 1  # 1 is uniform
    profile = received.mean(axis=0)
    rest = (received - profile).ravel()
    total = np.square(received).sum()
    genes = (X - X.mean(axis=0)).reshape(-1, X.shape[2]).astype(float)
    related = pd.DataFrame(genes).corrwith(pd.Series(rest)).fillna(0)  # (G,)
    first, second = attention.maps * len(profile)
    return {
        "time_share": float(
            len(received) * np.square(profile).sum() / max(total, 1e-12)
        ),
        "genes": related.tolist(),
        "to_itself": float(np.diagonal(first + second).mean() / 2),
        "between_outcomes": float(np.abs(second - first).max()),
    }


def count_multiply_adds(model: keras.Model) -> int:
    """Count the multiply-adds of the matrix products for one sample.

    Knows the layers of `MODELS`; element-wise work (softmax, normalisation,
    gates) is left out, as is usual.
    """
    T, G = model.input_shape[1:]
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.MultiHeadAttention):
            width = layer.num_heads * layer.key_dim
            projections = 4 * T * G * width  # query, key, value, out
            total += projections + 2 * T * T * width  # scores, weighted sum
        elif isinstance(layer, keras.layers.LSTM):
            total += T * 4 * layer.units * (G + layer.units)
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
        elif isinstance(layer, TimeFeatures):
            total += T * T * G * ("trend" in layer.kind)
        elif isinstance(layer, keras.Model):
            total += count_multiply_adds(layer)
        elif layer.weights and not isinstance(layer, NORM):
            raise TypeError(f"cannot count multiply-adds of {layer.name}")
    return total


def describe_costs(n_genes: int = 10) -> dict:
    """Return, by model of `MODELS` and number of time points, multiply-adds
    for one sample and the milliseconds of a training step (32 samples:
    median, low, high) that `make benchmark` measured; the machine it ran on;
    and the longest series for which attention was the faster."""
    measured = json.loads(BENCHMARK.read_text())
    models = {}
    for name, entry in MODELS.items():
        times = measured["steps"][name]
        models[name] = {
            "multiply_adds": {
                T: count_multiply_adds(entry.build((T, n_genes)))
                for T in LENGTHS
            },
            "milliseconds": {T: times[str(T)] for T in LENGTHS},
        }
    attention, lstm = (
        models[name]["milliseconds"] for name in ("attention + time", "LSTM")
    )
    faster = [T for T in LENGTHS if attention[T]["median"] < lstm[T]["median"]]
    return {
        "machine": measured["machine"],
        "models": models,
        "faster_up_to": max(faster, default=0),
    }
