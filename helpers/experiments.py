"""Train models many times: on resamples of a file, and on simulations."""

from collections.abc import Iterable
from functools import partial

import numpy as np
from joblib import delayed
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegressionCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from helpers.data import count_rarest, make_folds
from helpers.evaluate import score_predictions
from helpers.explain import permutation_importance, shuffle_time
from helpers.models import MODELS
from helpers.parallel import run_parallel
from helpers.search import SequenceClassifier
from helpers.simulate import simulate_expression

N_TRAIN = 800  # samples of a simulation
N_TEST = 2000  # new samples that it is scored on
ALL_VALUES = "logistic, all values"
GENE_MEANS = "logistic, gene means"
DENSE = "dense + time"  # attention + time without attention
BEST = "best possible"  # known of simulated data only, as is the next
BLIND = "best without order"
CHECKS = ("nothing", "level", "pulses", "rhythm", "half-time rule")
TWO_KINDS = ("pulses", "rhythm")  # of order: scenarios that show the cures
CURES = {  # models on these scenarios only -> their time features
    "attention + clock": "clock",
    "attention + trend": "trend",
}


def make_baselines() -> dict[str, BaseEstimator]:
    """Return logistic regressions for X (n, T, G), on each gene's mean over
    time and on every value. The penalty is tuned on log loss, over folds
    that `fit_clone` makes."""
    views = {
        GENE_MEANS: lambda X: X.mean(axis=1),  # (n, G)
        ALL_VALUES: lambda X: X.reshape(len(X), -1),
    }
    return {
        name: make_pipeline(
            FunctionTransformer(view),
            StandardScaler(),
            PCA(svd_solver="full"),  # fewer columns, the same regression
            LogisticRegressionCV(
                Cs=np.logspace(-5, 1, 7),
                cv=5,
                scoring="neg_log_loss",
                l1_ratios=(0,),
                use_legacy_attributes=False,
            ),
        )
        for name, view in views.items()
    }


def without_order(classifier: BaseEstimator, *, seed: int) -> BaseEstimator:
    """Return `classifier`, unfitted, behind a step that shuffles the time
    points of every sample, in training as in prediction."""
    shuffle = FunctionTransformer(partial(shuffle_time, seed=seed))
    return make_pipeline(shuffle, clone(classifier))


def resample_models(
    models: dict[str, BaseEstimator],
    X: np.ndarray,
    y: np.ndarray,
    *,
    n_folds: int,
    n_repeats: int,
    seed: int,
    n_jobs: int | None,
    groups: np.ndarray | None = None,
    genes: Iterable[int] = (),
    windows: bool = False,
    possible: dict[str, np.ndarray] | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Train and score every model on the same splits of X (n, T, G), y (n,):
    `n_repeats` times `n_folds` stratified folds, which keep `groups` (n,)
    whole, with a seed of its own for the networks in each. They are not the
    folds of a search with the same `seed`.

    Returns by model each score of `score_predictions` (n_resamples,) and,
    for networks, the importance of `genes` (n_resamples, n_genes) and, if
    asked for, `windows` (n_resamples, n_windows) for the samples left out.
    Where the truth is known, `possible` are probabilities (n,), by name, that
    are scored like those of a model.
    """
    splits = [
        split
        for repeat in range(1, n_repeats + 1)
        for split in make_folds(
            n_folds, groups, seed=seed + 1000 * repeat
        ).split(X, y, groups)
    ]
    explain = partial(permutation_importance, genes=genes, windows=windows)
    calls = [
        delayed(_score_resample)(
            clone(model), X, y, groups, split, explain, seed + 1 + k
        )
        for model in models.values()
        for k, split in enumerate(splits)
    ]
    scores = iter(
        run_parallel(
            "resampling", calls, n_jobs=n_jobs, tasks_per_batch=n_folds
        )
    )
    rows = {name: [next(scores) for _ in splits] for name in models}
    for name, p in (possible or {}).items():
        rows[name] = [
            score_predictions(y[test], p[test]) for _, test in splits
        ]
    return {
        name: {key: np.array([r[key] for r in row]) for key in row[0]}
        for name, row in rows.items()
    }


def _score_resample(model, X, y, groups, split, explain, seed):
    train, test = split
    model = fit_clone(model, X, y, groups, train, seed)
    scores = score_predictions(y[test], model.predict_proba(X[test])[:, 1])
    if isinstance(model, SequenceClassifier):
        scores |= explain(model, X[test], y[test], seed=seed)
    return scores


def fit_clone(
    model: BaseEstimator,
    X: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray | None,
    rows: np.ndarray,
    seed: int,
) -> BaseEstimator:
    """Return a copy of `model` trained on `rows` of X (n, T, G), y (n,). All
    its seeds are set to `seed`; folds within it keep `groups` (n,) whole."""
    model = clone(model)
    for name in model.get_params():
        ending = name.split("__")[-1]
        if ending == "seed":
            model.set_params(**{name: seed})
        if ending == "cv":
            inner = None if groups is None else groups[rows]
            n_folds = max(2, min(5, count_rarest(y[rows], inner)))
            folds = make_folds(n_folds, inner, seed=seed)
            folds = list(folds.split(X[rows], y[rows], inner))
            model.set_params(**{name: folds})
    return model.fit(X[rows], y[rows])


def run_controls(
    *,
    n_seeds: int,
    epochs: int,
    n_jobs: int | None,
) -> dict[str, dict]:
    """Train every model on `n_seeds` simulations of each of the `CHECKS`.

    Returns ROC AUCs (n_seeds,) on `N_TEST` new samples, by scenario and by
    model, and the best possible one; for `TWO_KINDS` of order, also those of
    attention with one of its time features only.
    """
    classifiers = {
        name: SequenceClassifier(m.build, **m.largest | {"epochs": epochs})
        for name, m in MODELS.items()
    }
    for name, kind in CURES.items():
        aware = clone(classifiers["attention + time"])
        classifiers[name] = aware.set_params(time_features=kind)
    classifiers[ALL_VALUES] = make_baselines()[ALL_VALUES]
    seeds = range(1000, 1000 + n_seeds)
    plan = [
        (scenario, name)
        for name in classifiers
        for scenario in CHECKS
        if name not in CURES or scenario in TWO_KINDS
    ]
    calls = [
        delayed(_score_simulation)(scenario, classifiers[name], seed)
        for scenario, name in plan
        for seed in seeds
    ]
    scores = iter(run_parallel("controls", calls, n_jobs=n_jobs))
    controls = {scenario: {} for scenario in CHECKS}
    for scenario, name in plan:
        controls[scenario][name] = [next(scores) for _ in seeds]
    for scenario, row in controls.items():
        row[BEST] = [_score_simulation(scenario, None, seed) for seed in seeds]
    return controls


def _score_simulation(scenario, model, seed):
    """Return the ROC AUC of a model on new samples; without a model, the best
    possible one."""
    data = simulate_expression(scenario, N_TRAIN + N_TEST, seed=seed)
    p = data.p[N_TRAIN:]
    if model is not None:
        X = data.X.astype(np.float32)
        model = fit_clone(model, X, data.y, None, np.arange(N_TRAIN), seed)
        p = model.predict_proba(X[N_TRAIN:])[:, 1]
    return score_predictions(data.y[N_TRAIN:], p)["roc_auc"]
