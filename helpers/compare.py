"""Measure models alike: scores, costs, and what a model can see."""

import keras
import numpy as np
from scipy import stats
from sklearn import metrics
from sklearn.base import clone
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from helpers.search import SequenceClassifier


def score_predictions(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Score probabilities `p` (n,) of Outcome = 1 against outcomes `y` (n,).

    ROC AUC and accuracy are better high; log loss (in nats) and the Brier
    score (mean squared error of the probability) are better low.
    """
    p = p.astype(np.float64)  # float32 would clip to 0 and 1 sooner
    return {
        "roc_auc": float(metrics.roc_auc_score(y, p)),
        "accuracy": float(metrics.accuracy_score(y, p > 0.5)),
        "log_loss": float(metrics.log_loss(y, p)),
        "brier": float(metrics.brier_score_loss(y, p)),
    }


def bootstrap_roc_auc(
    y: np.ndarray, predictions: dict[str, np.ndarray], *, seed: int,
    n_resamples: int = 2000,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return each model's ROC AUC (n_resamples,) over resampled samples.

    All models see the same resamples, so that differences are paired. Each
    class is resampled by itself, so that both are always present.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(y == c) for c in (0, 1)]
    drawn = [
        np.concatenate([rng.choice(c, len(c)) for c in classes])
        for _ in range(n_resamples)
    ]
    return {
        name: np.array([_roc_auc(y[i], p[i]) for i in drawn])
        for name, p in predictions.items()
    }


def _roc_auc(y, p):
    """ROC AUC as the Mann-Whitney statistic; much faster in a loop than
    sklearn's curve."""
    ranks = stats.rankdata(p)
    n1 = y.sum()
    n0 = len(y) - n1
    return (ranks[y == 1].sum() - n1 * (n1 + 1) / 2) / (n0 * n1)


def corrected_t_test(
    differences: np.ndarray, test_share: float
) -> tuple[float, float]:
    """Test whether paired resampled scores differ on average.

    `differences` (n_resamples,) of two models' scores on the same splits,
    `test_share` = n_test / n_train. Splits share training samples, which
    the plain t-test ignores; the variance is corrected for it. Returns the
    mean difference and the two-sided p value. Source: Nadeau & Bengio
    (2003), Machine Learning 52, 239-281.
    """
    differences = np.asarray(differences, dtype=np.float64)
    n, mean = len(differences), float(differences.mean())
    variance = differences.var(ddof=1) * (1 / n + test_share)
    if variance == 0:
        return mean, 1.0 if mean == 0 else 0.0
    return mean, float(2 * stats.t.sf(abs(mean) / np.sqrt(variance), n - 1))


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


def predict_with_baselines(
    X_train: np.ndarray, y_train: np.ndarray, X: np.ndarray, *, cv: int
) -> dict[str, np.ndarray]:
    """Return what two logistic regressions predict for X (n, T, G): one that
    sees each gene's mean over time, and one that sees every value.

    Their penalty is tuned by `cv`-fold cross-validation on the training
    samples, as the networks are.
    """
    views = {
        "logistic, time means": lambda X: X.mean(axis=1),  # (n, G)
        "logistic, all values": lambda X: X.reshape(len(X), -1),
    }
    predictions = {}
    for name, view in views.items():
        model = make_pipeline(
            StandardScaler(),
            LogisticRegressionCV(
                Cs=np.logspace(-4, 1, 6), cv=cv, scoring="roc_auc",
                l1_ratios=(0,), use_legacy_attributes=False,
            ),
        )  # fmt: skip
        model.fit(view(X_train), y_train)
        predictions[name] = model.predict_proba(view(X))[:, 1]
    return predictions


def predict_without_order(
    search: GridSearchCV,
    X_train: np.ndarray,
    y_train: np.ndarray,
    X: np.ndarray,
    *,
    seed: int,
) -> np.ndarray:
    """Train the best setting on series whose time points are shuffled, and
    return its probabilities (n,) for X (n, T, G), shuffled likewise."""
    classifier = clone(search.estimator).set_params(**search.best_params_)
    classifier.fit(shuffle_time(X_train, seed=seed), y_train)
    return classifier.predict_proba(shuffle_time(X, seed=seed + 1))[:, 1]


def shuffle_time(X: np.ndarray, *, seed: int) -> np.ndarray:
    """Return X (n, T, G) with each sample's time points in an order of its
    own; all genes of a time point stay together."""
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(X.shape[1]), (len(X), 1)), axis=1)
    return np.take_along_axis(X, order[:, :, None], axis=1)


def measure_order_sensitivity(
    classifier: SequenceClassifier, X: np.ndarray, *, seed: int
) -> dict[str, float]:
    """Shuffle the time points of every sample of X (n, T, G) and report how
    far the predicted probabilities move: largest and mean absolute move."""
    before = classifier.predict_proba(X)[:, 1].astype(np.float64)
    after = classifier.predict_proba(shuffle_time(X, seed=seed))[:, 1]
    moves = np.abs(before - after)
    return {"largest": float(moves.max()), "mean": float(moves.mean())}


def find_trend(losses: np.ndarray) -> dict[str, float]:
    """Test a series for a monotone trend (Mann-Kendall, two-sided).

    Returns Kendall's tau with time, its p value, and the relative change
    from the first value to the last. Source: Mann (1945), Econometrica 13.
    Neighbouring losses are correlated, so p is smaller than it should be.
    """
    losses = np.asarray(losses, dtype=np.float64)
    tau = p = 0.0
    if np.ptp(losses) > 0:  # else no trend, and no test of one
        tau, p = stats.kendalltau(np.arange(len(losses)), losses)
    return {
        "tau": float(tau),
        "p": float(p) if tau else 1.0,
        "change": float(losses[-1] / losses[0] - 1),
    }


def judge_winner(scores: np.ndarray, test_share: float) -> dict[str, float]:
    """Say how far the best candidate stands out from fold-to-fold spread.

    `scores` (n_candidates, n_folds); the winner has the best mean. Returns
    its mean and standard deviation over folds, its lead over the runner-up
    with a corrected p value, its lead over the last, and how many candidates
    are within one standard error of it.
    """
    order = np.argsort(-scores.mean(axis=1), kind="stable")
    best, second, last = scores[order[0]], scores[order[1]], scores[order[-1]]
    sd = float(best.std(ddof=1))
    error = sd * np.sqrt(1 / len(best) + test_share)
    lead, lead_p = corrected_t_test(best - second, test_share)
    near = scores.mean(axis=1) >= best.mean() - error
    return {
        "mean": float(best.mean()),
        "sd": sd,
        "lead": lead,
        "lead_p": lead_p,
        "lead_over_last": float((best - last).mean()),
        "within_one_error": int(near.sum()),
        "candidates": len(scores),
    }
