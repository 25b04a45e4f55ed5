"""The numbers that the notebook states, and results.json."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from helpers.compare import (
    bootstrap_roc_auc,
    count_multiply_adds,
    find_trend,
    judge_winner,
    score_predictions,
)
from helpers.data import ExpressionData
from helpers.search import (
    SequenceClassifier,
    fold_scores,
    tabulate_search,
)
from helpers.simulate import Truth


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
    means = [data.X[data.y == c].mean(axis=0) for c in (0, 1)]  # (T, G)
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
        "best_epoch": best,
        "lowest": float(losses.min()),
        "rise": float(losses.iloc[-1] / losses.min() - 1),
        "loss": list(history["loss"]),
        "val_loss": list(losses),
    }


def describe_comparison(
    searches: dict[str, GridSearchCV],
    models: dict[str, SequenceClassifier],
    predictions: dict[str, np.ndarray],
    y_train: np.ndarray,
    y_valid: np.ndarray,
    baselines: dict[str, np.ndarray],
    log_odds: np.ndarray | None,
    *,
    seed: int,
) -> tuple[dict, dict]:
    """Score both trained models on the held-out samples.

    Returns the comparison (a dict per model, and the difference in ROC AUC,
    LSTM minus attention) and the controls that frame it: always predicting
    the training share of Outcome 1, what the `baselines` predict, and the
    true `log_odds` where known.
    """
    draws = bootstrap_roc_auc(y_valid, predictions, seed=seed)
    comparison = {}
    for name, search in searches.items():
        low, high = np.percentile(draws[name], [2.5, 97.5])
        model = models[name].model_
        comparison[name] = {
            **score_predictions(y_valid, predictions[name]),
            "roc_auc_low": float(low),
            "roc_auc_high": float(high),
            "cv_roc_auc": float(search.best_score_),
            "parameters": model.count_params(),
            "multiply_adds": count_multiply_adds(model),
        }
    comparison["difference"] = describe_difference(
        y_valid, predictions["LSTM"], predictions["attention"], seed=seed
    )
    share = np.full(len(y_valid), y_train.mean())
    controls = {"majority class": share, **baselines}
    if log_odds is not None:
        controls["best possible"] = 1 / (1 + np.exp(-log_odds))
    return comparison, {
        name: score_predictions(y_valid, p) for name, p in controls.items()
    }


def describe_difference(
    y: np.ndarray, first: np.ndarray, second: np.ndarray, *, seed: int
) -> dict[str, float]:
    """Return the difference in ROC AUC of two predictions (n,) of `y`, the
    first minus the second, with its paired 95 % bootstrap interval."""
    predictions = {"first": first, "second": second}
    draws = bootstrap_roc_auc(y, predictions, seed=seed)
    low, high = np.percentile(draws["first"] - draws["second"], [2.5, 97.5])
    scores = [score_predictions(y, p)["roc_auc"] for p in (first, second)]
    return {
        "mean": scores[0] - scores[1],
        "low": float(low),
        "high": float(high),
    }


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
