"""Scores, intervals and tests, each a function of numbers alone."""

import math
from collections.abc import Iterable, Sequence
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
CHANGE = 0.01  # of the loss, relative; smaller changes do not count
ROUNDING = 1e-4  # probabilities that change by less do so by rounding


class Answer(StrEnum):
    """An answer to a yes-or-no question, as sure as the data allow."""

    YES = "yes"
    PROBABLY = "probably"
    WEAK = "weak"
    UNCLEAR = "unclear"
    NO = "no"

    @classmethod
    def of(cls, is_true: bool) -> "Answer":
        return cls.YES if is_true else cls.NO


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
    """Paired scores of two models: the `mean` of first minus second with its
    95% interval (`low`, `high`), the `p` value of the corrected t-test,
    adjusted for the pairs of its table (Holm), and the posterior
    probabilities that the first is `better`, practically `equal`, `worse`."""

    mean: float
    low: float
    high: float
    p: float
    better: float
    equal: float
    worse: float

    @property
    def verdict(self) -> Verdict:
        for side in ("better", "worse"):
            if getattr(self, side) >= SURE and self.p < ALPHA:
                return Verdict(side)
            if getattr(self, side) >= LIKELY:
                return Verdict(f"probably {side}")
        return Verdict.EQUAL if self.equal >= SURE else Verdict.UNCLEAR


@dataclass(frozen=True)
class SignalTest:
    """The `best` ROC AUC of several models and whose it is, the 99th
    percentile of the best after permuting the outcomes, the p value, and the
    smallest p value that so many samples, or groups, could give."""

    best: float
    model: str
    null_99: float
    p: float
    least_p: float

    @property
    def answer(self) -> Answer:
        if self.p < ALPHA_STRICT and not self.too_few:
            return Answer.YES
        return Answer.WEAK if self.p < ALPHA else Answer.NO

    @property
    def too_few(self) -> bool:
        """Whether no result could have been sure evidence of a signal."""
        return self.least_p >= ALPHA_STRICT


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
    groups: np.ndarray | None = None,
    n_resamples: int = 2000,
) -> dict[str, np.ndarray]:
    """Return each model's ROC AUC (n_resamples,) over bootstrap samples.

    All models see the same bootstrap samples, so their differences are
    paired. Whole `groups` (n,) are drawn, those of either outcome by
    themselves, and once more where only one outcome is present.
    """
    rng = np.random.default_rng(seed)
    group, outcome = group_outcomes(y, groups)
    rows_of = [np.flatnonzero(group == g) for g in range(len(outcome))]
    strata = [np.flatnonzero(outcome == o) for o in np.unique(outcome)]
    draws = []
    while len(draws) < n_resamples:
        drawn = np.concatenate([rng.choice(s, len(s)) for s in strata])
        rows = np.concatenate([rows_of[g] for g in drawn])
        if 0 < y[rows].sum() < len(rows):
            draws.append(rows)
    return {
        name: np.array([_rank_roc_auc(y[rows], p[rows]) for rows in draws])
        for name, p in predictions.items()
    }


def group_outcomes(
    y: np.ndarray, groups: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each sample's group (n,), and the outcome of each
    group (n_groups,), 0.5 for all if it varies within groups. Without
    `groups` every sample is one."""
    if groups is None:
        return np.arange(len(y)), y.astype(float)
    _, group = np.unique(groups, return_inverse=True)
    outcome = np.bincount(group, y) / np.bincount(group)
    if not np.isin(outcome, (0, 1)).all():
        outcome = np.full(len(outcome), 0.5)
    return group, outcome


def _rank_roc_auc(y, p):
    """ROC AUC as the Mann-Whitney statistic; in a loop much faster than
    scikit-learn's curve."""
    return _scale_rank_sums(stats.rankdata(p)[y == 1].sum(), y.sum(), len(y))


def _scale_rank_sums(sums, n1, n):
    return (sums - n1 * (n1 + 1) / 2) / ((n - n1) * n1)


def corrected_error(
    values: np.ndarray, test_train_ratio: float
) -> np.ndarray | float:
    """Return the standard error of the mean of resampled scores (n, ...).

    Resamples share training samples, which the plain standard error ignores.
    `test_train_ratio` = n_test / n_train. Source: Nadeau & Bengio (2003),
    Machine Learning 52, 239-281.
    """
    sd = np.std(values, axis=0, ddof=1)
    return sd * math.sqrt(1 / len(values) + test_train_ratio)


def compare_pairs(
    scores: dict[str, np.ndarray],
    pairs: Iterable[tuple[str, str]],
    test_train_ratio: float,
) -> dict[tuple[str, str], Comparison]:
    """Compare models, pair by pair, by their `scores` (n_resamples,) on the
    same splits.

    The posterior is that of the Bayesian correlated t-test. Source: Benavoli
    et al. (2017), JMLR 18(77); equal to baycomp's. The two-sided p values
    are of a t-test with the `corrected_error`, whose distribution is the
    same, adjusted as by Holm (1979), Scand. J. Stat. 6.
    """
    means, posteriors = {}, {}
    for first, second in pairs:
        differences = np.subtract(scores[first], scores[second])
        error = corrected_error(differences, test_train_ratio)
        error = max(error, np.finfo(float).tiny)
        means[first, second] = mean = differences.mean()
        posteriors[first, second] = stats.t(len(differences) - 1, mean, error)
    p_values = [2 * min(t.cdf(0), t.sf(0)) for t in posteriors.values()]
    comparisons = {}
    for (pair, posterior), p in zip(
        posteriors.items(), adjust_holm(p_values), strict=True
    ):
        low, high = posterior.interval(0.95)
        worse, better = posterior.cdf(-ROPE), posterior.sf(ROPE)
        numbers = means[pair], low, high, p, better, 1 - better - worse, worse
        comparisons[pair] = Comparison(*map(float, numbers))
    return comparisons


def adjust_holm(p_values: list[float]) -> list[float]:
    """Return p values adjusted for their number, by Holm's method."""
    adjusted, largest = list(p_values), 0.0
    for rank, i in enumerate(np.argsort(p_values, kind="stable")):
        factor = len(p_values) - rank
        largest = max(largest, min(1.0, factor * p_values[i]))
        adjusted[i] = largest
    return adjusted


def permutation_test(
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    *,
    seed: int,
    groups: np.ndarray | None = None,
    n_permutations: int = 5000,
) -> SignalTest:
    """Test whether any of the predictions (n,) tells outcomes `y` (n,) apart.

    The best ROC AUC is compared with the best after permuting the outcomes,
    which allows for having tried several. `y` must not have been trained on.
    Where `groups` (n,) have one outcome each, whole groups are permuted,
    where it varies in them, the samples within each group.
    """
    rng = np.random.default_rng(seed)
    scores = {name: _rank_roc_auc(y, p) for name, p in predictions.items()}
    model = max(scores, key=scores.get)
    best = scores[model]
    ranks = np.stack([stats.rankdata(p) for p in predictions.values()])
    permuted, n_ways = _permute_outcomes(y, groups, rng, n_permutations)
    n1 = permuted.sum(axis=1, keepdims=True)
    sums = permuted @ ranks.T  # (n_permutations, n_models)
    null = _scale_rank_sums(sums, n1, len(y)).max(axis=1)
    return SignalTest(
        best=float(best),
        model=model,
        null_99=float(np.quantile(null, 0.99)),
        p=float((1 + (null >= best).sum()) / (1 + n_permutations)),
        least_p=1 / n_ways,
    )


def _permute_outcomes(y, groups, rng, n):
    """Return outcomes (n, n_samples) in other orders, and how many there
    are."""
    group, outcome = group_outcomes(y, groups)
    if 0.5 not in outcome:
        labels = np.tile(outcome.astype(int), (n, 1))  # (n, n_groups)
        n_ways = math.comb(len(outcome), int(outcome.sum()))
        return rng.permuted(labels, axis=1)[:, group], n_ways
    permuted, n_ways = np.tile(y, (n, 1)), 1
    for g in range(len(outcome)):
        rows = np.flatnonzero(group == g)
        permuted[:, rows] = rng.permuted(permuted[:, rows], axis=1)
        n_ways *= math.comb(len(rows), int(y[rows].sum()))
    return permuted, n_ways


def kendall_tau(values: np.ndarray) -> float:
    """Return how far a series goes one way, from -1 (always down) to 1
    (always up). Source: Kendall (1938), Biometrika 30."""
    if np.ptp(values) == 0:
        return 0.0
    return float(stats.kendalltau(np.arange(len(values)), values).statistic)


def friedman_p(scores: np.ndarray) -> float:
    """Return the p value of a Friedman test of whether the candidates of a
    search, `scores` (n_candidates, n_folds), differ at all.

    It is too small, because folds share training samples, and 1 for fewer
    than three candidates. Source: Friedman (1937), JASA 32.
    """
    if len(scores) < 3 or not np.ptp(scores, axis=0).any():
        return 1.0
    return float(stats.friedmanchisquare(*scores).pvalue)


def half_intervals(scores: np.ndarray, test_train_ratio: float) -> np.ndarray:
    """Return half the 95% interval (n_candidates,) of each candidate's
    difference from the best, for `scores` (n_candidates, n_folds), by a t
    distribution with the `corrected_error`."""
    best = scores[scores.mean(axis=1).argmax()]
    errors = corrected_error((scores - best).T, test_train_ratio)
    return stats.t.ppf(0.975, scores.shape[1] - 1) * errors


def average_drops(
    drops: np.ndarray,
    index: Sequence[int],
    test_train_ratio: float,
    *,
    above_average: bool = False,
) -> dict[str, list]:
    """Average the drops (n_resamples, n_features) that features cause.

    Returns their `index`, means, 95% intervals (`low`, `high`), and which are
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
        "index": list(index),
        "mean": mean.tolist(),
        "low": (mean - half).tolist(),
        "high": (mean + half).tolist(),
        "significant": np.array(index)[p < FDR].tolist(),
    }


def half_interval_of_guessing(
    n_samples: int, n_seeds: int, n_models: int
) -> float:
    """Return half the width of the simultaneous 95% interval of `n_models`
    mean ROC AUCs over `n_seeds` on `n_samples` new samples, half of them of
    either outcome, where nothing can be learned.

    Source of a single one's variance: Mann & Whitney (1947), Ann. Math.
    Stat. 18.
    """
    n = n_samples / 2
    error = np.sqrt((2 * n + 1) / (12 * n * n) / n_seeds)
    return float(stats.norm.isf(0.05 / 2 / n_models) * error)
