"""Scores, intervals and tests, each a function of numbers alone."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats
from sklearn import metrics

ROPE = 0.01  # ROC AUC; smaller differences do not matter. Fixed beforehand.
ALPHA = 0.05
ALPHA_STRICT = 0.01  # for claims on which others rest, such as any signal
FDR = 0.05  # false discovery rate among many features
SURE, LIKELY = 0.95, 0.8  # posterior probabilities beyond the ROPE


class Verdict(StrEnum):
    """How a first model compares with a second."""

    BETTER = "better"
    PROBABLY_BETTER = "probably better"
    EQUAL = "equal"
    UNCLEAR = "unclear"
    PROBABLY_WORSE = "probably worse"
    WORSE = "worse"


@dataclass(frozen=True)
class Comparison:
    """Paired scores of two models: the `mean` of first minus second, the `p`
    value of the corrected t-test, and the posterior probabilities that the
    first is `better`, practically `equal` or `worse`."""

    mean: float
    p: float
    better: float
    equal: float
    worse: float

    @property
    def verdict(self) -> Verdict:
        for side in ("better", "worse"):
            if getattr(self, side) >= SURE:
                return Verdict(side)
            if getattr(self, side) >= LIKELY:
                return Verdict(f"probably {side}")
        return Verdict.EQUAL if self.equal >= SURE else Verdict.UNCLEAR

    def reversed(self) -> "Comparison":
        """Return the comparison of the second model with the first."""
        return Comparison(
            -self.mean, self.p, self.worse, self.equal, self.better
        )


@dataclass(frozen=True)
class SignalTest:
    """The `best` ROC AUC of several models and whose it is, the 99th
    percentile of the best after permuting the outcomes, the p value, and the
    smallest p value that so many samples could give."""

    best: float
    model: str
    null_99: float
    p: float
    least_p: float


@dataclass(frozen=True)
class Trend:
    """Kendall's `tau` of a series with time, its p value, and the relative
    `change` from the first value to the last."""

    tau: float
    p: float
    change: float


@dataclass(frozen=True)
class WinnerMargin:
    """The winning candidate's `mean` score and `sd` over folds, its lead over
    the runner-up and over the last, each with a corrected p value, and how
    many of the `candidates` are within one standard error of it."""

    mean: float
    sd: float
    lead: float
    lead_p: float
    lead_over_last: float
    last_p: float
    within_one_error: int
    candidates: int


def score_predictions(y: np.ndarray, p: np.ndarray) -> dict[str, float]:
    """Score probabilities `p` (n,) of Outcome = 1 against outcomes `y` (n,).

    For ROC AUC and accuracy, higher is better; for log loss (in nats) and
    the Brier score (mean squared error of the probability), lower is better.
    """
    p = p.astype(np.float64)  # float32 would clip to 0 and 1 sooner
    return {
        "roc_auc": float(metrics.roc_auc_score(y, p)),
        "accuracy": float(metrics.accuracy_score(y, p > 0.5)),
        "log_loss": float(metrics.log_loss(y, p)),
        "brier": float(metrics.brier_score_loss(y, p)),
    }


def bootstrap_roc_auc(
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    *,
    seed: int,
    n_resamples: int = 2000,
) -> dict[str, np.ndarray]:
    """Return each model's ROC AUC (n_resamples,) over bootstrap samples.

    All models see the same bootstrap samples, so their differences are
    paired. Each class is drawn by itself, so both are always present.
    """
    rng = np.random.default_rng(seed)
    classes = [np.flatnonzero(y == c) for c in (0, 1)]
    draws = [
        np.concatenate([rng.choice(c, len(c)) for c in classes])
        for _ in range(n_resamples)
    ]
    return {
        name: np.array([_rank_roc_auc(y[rows], p[rows]) for rows in draws])
        for name, p in predictions.items()
    }


def _rank_roc_auc(y, p):
    """ROC AUC as the Mann-Whitney statistic; in a loop much faster than
    scikit-learn's curve."""
    return _scale_rank_sums(stats.rankdata(p)[y == 1].sum(), y)


def _scale_rank_sums(sums, y):
    n1 = y.sum()
    n0 = len(y) - n1
    return (sums - n1 * (n1 + 1) / 2) / (n0 * n1)


def corrected_error(
    values: np.ndarray, test_train_ratio: float
) -> np.ndarray | float:
    """Return the standard error of the mean of resampled scores (n, ...).

    Resamples share training samples, which the plain standard error ignores.
    `test_train_ratio` = n_test / n_train. Source: Nadeau & Bengio (2003),
    Machine Learning 52, 239-281.
    """
    variance = np.var(values, axis=0, ddof=1)
    return np.sqrt(variance * (1 / len(values) + test_train_ratio))


def corrected_t_test(
    differences: np.ndarray, test_train_ratio: float
) -> tuple[float, float]:
    """Test whether paired resampled scores differ on average.

    Returns the mean of `differences` (n_resamples,) and the two-sided p
    value of a t-test with the `corrected_error`.
    """
    differences = np.asarray(differences, dtype=np.float64)
    mean = float(differences.mean())
    error = corrected_error(differences, test_train_ratio)
    if error == 0:
        return mean, 1.0 if mean == 0 else 0.0
    return mean, float(2 * stats.t.sf(abs(mean) / error, len(differences) - 1))


def compare_scores(
    first: np.ndarray, second: np.ndarray, test_train_ratio: float
) -> Comparison:
    """Compare two models' scores (n_resamples,) on the same splits.

    The posterior is that of the Bayesian correlated t-test. Source: Benavoli
    et al. (2017), JMLR 18(77); equal to baycomp's.
    """
    differences = np.asarray(first) - np.asarray(second)
    mean, p = corrected_t_test(differences, test_train_ratio)
    error = corrected_error(differences, test_train_ratio)
    smallest = np.finfo(float).tiny
    posterior = stats.t(len(differences) - 1, mean, max(error, smallest))
    worse, better = posterior.cdf(-ROPE), posterior.sf(ROPE)
    return Comparison(
        mean, p, float(better), float(1 - better - worse), float(worse)
    )


def permutation_test(
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    *,
    seed: int,
    n_permutations: int = 5000,
) -> SignalTest:
    """Test whether any of the predictions (n,) tells outcomes `y` (n,) apart.

    The best ROC AUC is compared with the best after permuting the outcomes,
    which allows for having tried several. `y` must not have been trained on.
    """
    rng = np.random.default_rng(seed)
    scores = {name: _rank_roc_auc(y, p) for name, p in predictions.items()}
    model = max(scores, key=scores.get)
    best = scores[model]
    ranks = np.stack([stats.rankdata(p) for p in predictions.values()])
    permuted = rng.permuted(np.tile(y, (n_permutations, 1)), axis=1)
    sums = permuted @ ranks.T  # (n_permutations, n_models)
    null = _scale_rank_sums(sums, y).max(axis=1)
    return SignalTest(
        best=float(best),
        model=model,
        null_99=float(np.quantile(null, 0.99)),
        p=float((1 + (null >= best).sum()) / (1 + n_permutations)),
        least_p=1 / math.comb(len(y), int(y.sum())),
    )


def mann_kendall(values: np.ndarray) -> Trend:
    """Test a series for a monotone trend (Mann-Kendall test, two-sided).

    Source: Mann (1945), Econometrica 13. Neighbouring losses are correlated,
    so p is smaller than it should be.
    """
    values = np.asarray(values, dtype=np.float64)
    tau = p = 0.0
    if np.ptp(values) > 0:  # else no trend, and no test of one
        tau, p = stats.kendalltau(np.arange(len(values)), values)
    return Trend(
        tau=float(tau),
        p=float(p) if tau else 1.0,
        change=float(values[-1] / values[0] - 1),
    )


def winner_margin(scores: np.ndarray, test_train_ratio: float) -> WinnerMargin:
    """Say how far the best candidate stands out from fold-to-fold spread.

    `scores` (n_candidates, n_folds); the winner has the best mean.
    """
    order = np.argsort(-scores.mean(axis=1), kind="stable")
    best, last = scores[order[0]], scores[order[-1]]
    second = scores[order[min(1, len(order) - 1)]]
    error = corrected_error(best, test_train_ratio)
    lead, lead_p = corrected_t_test(best - second, test_train_ratio)
    lead_over_last, last_p = corrected_t_test(best - last, test_train_ratio)
    near = scores.mean(axis=1) >= best.mean() - error
    return WinnerMargin(
        mean=float(best.mean()),
        sd=float(best.std(ddof=1)),
        lead=lead,
        lead_p=lead_p,
        lead_over_last=lead_over_last,
        last_p=last_p,
        within_one_error=int(near.sum()),
        candidates=len(scores),
    )


def average_drops(
    drops: np.ndarray,
    test_train_ratio: float,
    *,
    above_average: bool = False,
) -> dict[str, list]:
    """Average the drops (n_resamples, n_features) that features cause.

    Returns means, 95 % intervals (`low`, `high`), and the indices that are
    `significant`: above 0, or `above_average` of all features, in a one-sided
    t-test with the `corrected_error`, at a false discovery rate of `FDR`.
    Source: Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57.
    """
    n = len(drops)
    mean = drops.mean(axis=0)
    half = stats.t.ppf(0.975, n - 1) * corrected_error(drops, test_train_ratio)
    base = drops.mean(axis=1, keepdims=True) if above_average else 0
    above = drops - base
    error = corrected_error(above, test_train_ratio)
    above = above.mean(axis=0)
    t = np.divide(above, error, out=np.zeros_like(above), where=error > 0)
    p = stats.false_discovery_control(stats.t.sf(t, n - 1))
    return {
        "mean": mean.tolist(),
        "low": (mean - half).tolist(),
        "high": (mean + half).tolist(),
        "significant": np.flatnonzero(p < FDR).tolist(),
    }


def precision_recall(
    chosen: list[int], true: list[int]
) -> dict[str, float | None]:
    """Return precision (None if nothing was chosen) and recall (None if there
    is nothing to find)."""
    hits = len(set(chosen) & set(true))
    return {
        "precision": hits / len(chosen) if chosen else None,
        "recall": hits / len(true) if true else None,
    }


def half_interval_of_guessing(
    n_samples: int, n_seeds: int, n_models: int
) -> float:
    """Return half the width of the simultaneous 95 % interval of `n_models`
    mean ROC AUCs over `n_seeds` on `n_samples` new samples, half of them of
    either outcome, where nothing can be learned.

    Source of a single one's variance: Mann & Whitney (1947), Ann. Math.
    Stat. 18.
    """
    n = n_samples / 2
    error = np.sqrt((2 * n + 1) / (12 * n * n) / n_seeds)
    return float(stats.norm.isf(0.05 / 2 / n_models) * error)
