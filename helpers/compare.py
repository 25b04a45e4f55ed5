"""Measure models alike: scores, their differences, what a model can see."""

import math

import numpy as np
from scipy import stats
from sklearn import metrics

from helpers.search import SequenceClassifier

# The region of practical equivalence, in ROC AUC: fixed before any result.
ROPE = 0.01


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


def compare_scores(
    first: np.ndarray, second: np.ndarray, test_share: float
) -> dict[str, float]:
    """Compare two models' scores (n_resamples,) on the same splits.

    Returns the mean of first minus second, the p value of
    `corrected_t_test`, and from the Bayesian correlated t-test the
    probabilities that the first is `better` or `worse` by more than `ROPE`,
    or that the two are practically `equal`. `test_share` = n_test / n_train.
    Source: Benavoli et al. (2017), JMLR 18(77); equal to baycomp's.
    """
    differences = np.asarray(first) - np.asarray(second)
    mean, p = corrected_t_test(differences, test_share)
    n = len(differences)
    error = np.sqrt(differences.var(ddof=1) * (1 / n + test_share))
    posterior = stats.t(n - 1, mean, max(error, np.finfo(float).tiny))
    worse, better = posterior.cdf(-ROPE), posterior.sf(ROPE)
    return {
        "mean": mean,
        "p": p,
        "better": float(better),
        "equal": float(1 - better - worse),
        "worse": float(worse),
    }


def find_signal(
    y: np.ndarray, predictions: dict[str, np.ndarray], *, seed: int,
    n_permutations: int = 5000,
) -> dict[str, float]:  # fmt: skip
    """Test whether any of the predictions (n,) tells outcomes `y` (n,) apart.

    The best ROC AUC is compared with the best after permuting the outcomes,
    which makes up for having tried several. `y` must not have been trained
    on. Returns it, whose it is, the 99th percentile of its null, the p value,
    and the least p value that so many samples could give.
    """
    rng = np.random.default_rng(seed)
    scores = {name: _roc_auc(y, p) for name, p in predictions.items()}
    model = max(scores, key=scores.get)
    best = scores[model]
    ranks = np.stack([stats.rankdata(p) for p in predictions.values()])
    n1 = y.sum()
    n0 = len(y) - n1
    permuted = rng.permuted(np.tile(y, (n_permutations, 1)), axis=1)
    sums = permuted @ ranks.T  # (n_permutations, n_models)
    null = ((sums - n1 * (n1 + 1) / 2) / (n0 * n1)).max(axis=1)
    return {
        "best": float(best),
        "model": model,
        "null_99": float(np.quantile(null, 0.99)),
        "p": float((1 + (null >= best).sum()) / (1 + n_permutations)),
        "least_p": 1 / math.comb(len(y), int(n1)),
    }


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
    and over the last, each with a corrected p value, and how many candidates
    are within one standard error of it.
    """
    order = np.argsort(-scores.mean(axis=1), kind="stable")
    best, second, last = scores[order[0]], scores[order[1]], scores[order[-1]]
    sd = float(best.std(ddof=1))
    error = sd * np.sqrt(1 / len(best) + test_share)
    lead, lead_p = corrected_t_test(best - second, test_share)
    lead_over_last, last_p = corrected_t_test(best - last, test_share)
    near = scores.mean(axis=1) >= best.mean() - error
    return {
        "mean": float(best.mean()),
        "sd": sd,
        "lead": lead,
        "lead_p": lead_p,
        "lead_over_last": lead_over_last,
        "last_p": last_p,
        "within_one_error": int(near.sum()),
        "candidates": len(scores),
    }
