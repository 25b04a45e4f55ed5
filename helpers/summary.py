"""The numbers that the notebook states, and results.json."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from helpers.compare import (
    bootstrap_roc_auc,
    compare_scores,
    find_signal,
    find_trend,
    judge_winner,
    score_predictions,
)
from helpers.costs import count_multiply_adds
from helpers.data import ExpressionData
from helpers.importance import (
    judge_found,
    list_windows,
    summarise_importance,
)
from helpers.search import (
    SequenceClassifier,
    fold_scores,
    tabulate_search,
)
from helpers.simulate import Truth

PAIRS = (
    ("LSTM", "attention"),
    ("attention + time", "attention"),
    ("attention + time", "LSTM"),
)


def describe_data(data: ExpressionData, truth: Truth | None) -> dict:
    """Describe a file; `truth` is known for the stand-in alone."""
    n, T, G = data.X.shape
    gaps = mean_gaps(data)
    return {
        "source": "stand-in" if truth else "file",
        "samples": n,
        "time_points": T,
        "genes": G,
        "classes": data.classes,
        "positive_share": float(data.y.mean()),
        "zero_share": float((data.X == 0).mean()),
        "mean_gaps": dict(zip(data.genes, gaps, strict=True)),
    }


def mean_gaps(data: ExpressionData) -> np.ndarray:
    """Return how far the outcomes' mean time courses are apart in each gene
    (G,), as the mean absolute difference over time."""
    means = [
        data.X[data.y == c].mean(axis=0, dtype=np.float64) for c in (0, 1)
    ]  # (T, G)
    return np.abs(means[1] - means[0]).mean(axis=0)


def describe_split(y_train: np.ndarray, y_valid: np.ndarray) -> dict:
    """Count the samples of either part, and their outcomes."""
    parts = {"training": y_train, "validation": y_valid}
    return {
        name: {
            "samples": len(y),
            "outcome_1": int(y.sum()),
            "share_of_1": float(y.mean()),
        }
        for name, y in parts.items()
    }


def describe_search(search: GridSearchCV) -> dict:
    """Return every candidate's scores, the winner, and how far it stands
    out."""
    test_share = 1 / (search.n_splits_ - 1)  # of k folds, 1 against k - 1
    return {
        "candidates": tabulate_search(search).to_dict("records"),
        "best": {k: search.best_params_[k] for k in search.param_grid},
        "judgement": judge_winner(fold_scores(search), test_share),
    }


def describe_training(history: pd.DataFrame, search_epochs: int) -> dict:
    """Describe the course of the validation loss: its trend over the epochs
    that the search used, its lowest point, its trend from there on, and its
    rise from there to the end, as a share of the lowest."""
    losses = history["val_loss"]
    if not np.isfinite(losses).all():
        epoch = int(np.argmin(np.isfinite(losses))) + 1
        raise FloatingPointError(
            f"the validation loss is not finite at epoch {epoch}; look for "
            "extreme values in the data"
        )
    best = int(losses.idxmin())
    return {
        "epochs": len(history),
        "search_epochs": search_epochs,
        "trend": find_trend(losses[:search_epochs]),
        "trend_after": find_trend(losses[best - 1 :]),
        "final": float(losses[min(search_epochs, len(losses))]),
        "best_epoch": best,
        "lowest": float(losses.min()),
        "rise": float(losses.iloc[-1] / losses.min() - 1),
        "loss": list(history["loss"]),
        "val_loss": list(losses),
    }


def describe_comparison(
    resamples: dict[str, dict[str, np.ndarray]],
    trained: dict[str, SequenceClassifier],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    *,
    test_share: float,
    seed: int,
) -> dict:
    """Compare models on resamples, and on held-out samples `y` (n,).

    Returns `models` (by name: mean and SD of each score over resamples, the
    `held_out` scores with a 95 % bootstrap interval of the ROC AUC, and, for
    networks, their size), `pairs` of networks, and the evidence of any
    `signal`. `test_share` = n_test / n_train of the resamples.
    """
    draws = bootstrap_roc_auc(y, predictions, seed=seed)
    models = {}
    for name, p in predictions.items():
        low, high = np.percentile(draws[name], [2.5, 97.5])
        held_out = score_predictions(y, p)
        held_out |= {"roc_auc_low": low, "roc_auc_high": high}
        models[name] = {"held_out": held_out}
        if name in resamples:
            models[name] |= {
                score: {"mean": values.mean(), "sd": values.std(ddof=1)}
                for score, values in resamples[name].items()
                if values.ndim == 1
            }
        if name in trained:
            network = trained[name].model_
            models[name]["parameters"] = network.count_params()
            models[name]["multiply_adds"] = count_multiply_adds(network)
    honest = {k: p for k, p in predictions.items() if k in resamples}
    return {
        "resamples": len(resamples["attention"]["roc_auc"]),
        "models": models,
        "pairs": {
            f"{first} - {second}": compare_scores(
                resamples[first]["roc_auc"],
                resamples[second]["roc_auc"],
                test_share,
            )
            for first, second in PAIRS
        },
        "signal": find_signal(y, honest, seed=seed),
    }


def describe_order(
    moves: dict[str, dict[str, float]],
    resamples: dict[str, dict[str, np.ndarray]],
    shuffled: dict[str, np.ndarray],
    test_share: float,
) -> dict:
    """Describe what order is worth: how far each model's predictions move,
    and what the best model that sees order loses without it."""
    best = find_best_reader(resamples)
    scores = resamples[best]["roc_auc"], shuffled["roc_auc"]
    return {
        "moves": moves,
        "model": best,
        "with_order": scores[0].mean(),
        "without_order": scores[1].mean(),
        "loss": compare_scores(*scores, test_share),
    }


def find_best_reader(resamples: dict[str, dict[str, np.ndarray]]) -> str:
    """Return which of the networks that see order has the best ROC AUC."""
    readers = ("LSTM", "attention + time")
    return max(readers, key=lambda name: resamples[name]["roc_auc"].mean())


def describe_importance(
    resamples: dict[str, dict[str, np.ndarray]],
    trained: dict[str, SequenceClassifier],
    n_time_steps: int,
    truth: Truth | None,
    test_share: float,
) -> dict[str, dict]:
    """Summarise, by network, which `genes` matter over resamples and which
    time `windows` matter more than others; where the `truth` is known, also
    which are `known` to matter, and a judgement of what was found."""
    true = {}
    if truth:
        windows = list_windows(n_time_steps)
        true = {
            "genes": list(truth.genes),
            "windows": [
                i for i, w in enumerate(windows)
                if set(truth.times) & set(range(w.start, w.stop))
            ],
        }  # fmt: skip
    importance = {}
    for name in trained:
        importance[name] = {}
        for kind in ("genes", "windows"):
            found = summarise_importance(
                resamples[name][kind],
                test_share,
                above_average=kind == "windows",
            )
            if truth:
                found |= judge_found(found["found"], true[kind])
                found["known"] = true[kind]
            importance[name][kind] = found
    return importance


def save_json(content: dict, path: Path) -> None:
    """Write numbers to 6 significant digits, keys in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_plain(content), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _plain(value):
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray | pd.Series):
        return [_plain(v) for v in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    return float(f"{value:.6g}")
