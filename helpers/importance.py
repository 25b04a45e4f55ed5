"""Which genes and times matter to a trained model."""

import keras
import numpy as np
from scipy import stats
from sklearn.metrics import roc_auc_score

from helpers.models import TimeFeatures
from helpers.search import SequenceClassifier

WINDOW = 5  # time points
LEVEL = 0.05  # of the found ones, how many may be there by chance


def list_windows(n_time_steps: int) -> list[slice]:
    """Cut the time axis into windows of `WINDOW` points; the last may be
    shorter."""
    starts = range(0, n_time_steps, WINDOW)
    return [slice(t, min(t + WINDOW, n_time_steps)) for t in starts]


def permute_features(
    classifier: SequenceClassifier, X: np.ndarray, y: np.ndarray,
    *, seed: int, n_repeats: int = 5,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Measure how much ROC AUC falls when a gene's whole series, or all
    genes in a window of time, are exchanged between samples.

    X (n, T, G), y (n,), not trained on. Returns `genes` (G,) and `windows`
    (n_windows,), means over `n_repeats`. Source: Breiman (2001), Machine
    Learning 45, for single features.
    """
    rng = np.random.default_rng(seed)
    full = roc_auc_score(y, classifier.predict_proba(X)[:, 1])

    def fall(part):
        scores = []
        for _ in range(n_repeats):
            changed = X.copy()
            changed[part] = X[rng.permutation(len(X))][part]
            p = classifier.predict_proba(changed)[:, 1]
            scores.append(roc_auc_score(y, p))
        return full - np.mean(scores)

    genes = [np.s_[:, :, g] for g in range(X.shape[2])]
    windows = [np.s_[:, window] for window in list_windows(X.shape[1])]
    return {
        "genes": np.array([fall(part) for part in genes]),
        "windows": np.array([fall(part) for part in windows]),
    }


def summarise_importance(
    falls: np.ndarray, test_share: float, *, above_average: bool = False
) -> dict[str, list]:
    """Average falls (n_resamples, n_features) over resamples.

    Returns means, 95 % intervals (`low`, `high`), and the indices `found`:
    those above 0, or `above_average` of all features, in a one-sided t-test
    that is corrected for training samples that the resamples share, at a
    false discovery rate of `LEVEL`. Source of the latter: Benjamini &
    Hochberg (1995), J. R. Stat. Soc. B 57.
    """
    n = len(falls)

    def estimate(values):
        spread = np.sqrt(values.var(axis=0, ddof=1) * (1 / n + test_share))
        return values.mean(axis=0), spread

    mean, error = estimate(falls)
    half = stats.t.ppf(0.975, n - 1) * error
    base = falls.mean(axis=1, keepdims=True) if above_average else 0
    above, error = estimate(falls - base)
    t = np.divide(above, error, out=np.zeros_like(above), where=error > 0)
    p = stats.false_discovery_control(stats.t.sf(t, n - 1))
    return {
        "mean": mean.tolist(),
        "low": (mean - half).tolist(),
        "high": (mean + half).tolist(),
        "found": np.flatnonzero(p < LEVEL).tolist(),
    }


def judge_found(found: list[int], true: list[int]) -> dict[str, float]:
    """Return precision (None if nothing was found) and recall (None if there
    is nothing to find)."""
    hits = len(set(found) & set(true))
    return {
        "precision": hits / len(found) if found else None,
        "recall": hits / len(true) if true else None,
    }


def average_attention(
    classifier: SequenceClassifier, X: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Return the mean attention weights (2, T, T) of either outcome, over
    samples of X (n, T, G) and heads: row t is where time point t looks."""
    model = classifier.model_
    with_time = keras.layers.Identity()
    for layer in model.layers:
        if isinstance(layer, TimeFeatures):
            with_time, model = layer, classifier.model_.get_layer("attention")
    attention = model.get_layer("self_attention")
    X = classifier.feature_encoder_.transform(X)

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
