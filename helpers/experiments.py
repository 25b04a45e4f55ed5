"""Train models many times: on resamples of a file, and on simulations."""

from functools import partial

import numpy as np
from joblib import delayed
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from helpers.evaluate import score_predictions
from helpers.explain import permutation_importance, shuffle_time
from helpers.models import MODELS, build_positional_attention_model
from helpers.parallel import run_parallel
from helpers.search import SequenceClassifier
from helpers.simulate import SETTINGS, simulate_expression

N_TEST = 2000  # new samples that a simulation is scored on
OTHER_FEATURES = {
    kind: (
        build_positional_attention_model,
        {**MODELS["attention"].largest, "time_features": kind},
    )
    for kind in ("time", "sinusoids", "added sinusoids")
}
ABLATION = {  # what is known of time -> whose scores these are
    "none": "attention",
    **{kind: kind for kind in OTHER_FEATURES},
    "slow waves": "attention + time",
}


def make_baselines(cv: int) -> dict[str, BaseEstimator]:
    """Return the simplest classifiers for X (n, T, G): the majority class,
    and logistic regressions, with the penalty tuned by `cv`-fold
    cross-validation, on each gene's mean over time and on every value."""
    views = {
        "logistic, time means": lambda X: X.mean(axis=1),  # (n, G)
        "logistic, all values": lambda X: X.reshape(len(X), -1),
    }
    baselines = {"majority class": DummyClassifier(strategy="prior")}
    for name, view in views.items():
        baselines[name] = make_pipeline(
            FunctionTransformer(view),
            StandardScaler(),
            LogisticRegressionCV(
                Cs=np.logspace(-4, 1, 6),
                cv=cv,
                scoring="roc_auc",
                l1_ratios=(0,),
                use_legacy_attributes=False,
            ),
        )
    return baselines


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
) -> dict[str, dict[str, np.ndarray]]:
    """Train and score every model on the same splits of X (n, T, G), y (n,):
    `n_repeats` times `n_folds` stratified folds, with a seed of its own for
    the networks in each.

    Returns by model each score of `score_predictions` (n_resamples,) and,
    for networks, the importance of `genes` (n_resamples, G) and `windows`
    (n_resamples, n_windows) for the samples left out.
    """
    folds = RepeatedStratifiedKFold(
        n_splits=n_folds, n_repeats=n_repeats, random_state=seed + 1
    )
    splits = list(enumerate(folds.split(X, y)))
    calls = [
        delayed(_score_resample)(model, X, y, split, seed + k)
        for model in models.values()
        for k, split in splits
    ]
    scores = iter(
        run_parallel(
            "resamples", calls, n_jobs=n_jobs, tasks_per_batch=n_folds
        )
    )
    rows = {name: [next(scores) for _ in splits] for name in models}
    return {
        name: {key: np.array([r[key] for r in row]) for key in row[0]}
        for name, row in rows.items()
    }


def _score_resample(model, X, y, split, seed):
    train, test = split
    model = clone(model)
    names = model.get_params()
    seeds = [name for name in names if name.split("__")[-1] == "seed"]
    model.set_params(**dict.fromkeys(seeds, seed))
    model.fit(X[train], y[train])

    def predict(X):
        return model.predict_proba(X)[:, 1]

    scores = score_predictions(y[test], predict(X[test]))
    if isinstance(model, SequenceClassifier):
        scores |= permutation_importance(predict, X[test], y[test], seed=seed)
    return scores


def run_controls(
    *,
    n_seeds: int,
    epochs: int,
    n_jobs: int | None,
    settings: tuple[str, ...] = SETTINGS,
    n_train: int = 800,
    n_test: int = N_TEST,
) -> dict[str, dict]:
    """Train every model on `n_seeds` simulations of each of the settings.

    Returns ROC AUCs (n_seeds,) on `n_test` new samples, by setting and by
    model, and the best possible one; for "order only", also those of the
    attention model with each of `OTHER_FEATURES`.
    """
    models = {
        name: (entry.build, entry.largest) for name, entry in MODELS.items()
    } | OTHER_FEATURES
    plan = [(setting, name) for name in MODELS for setting in settings]
    plan += [("order only", kind) for kind in OTHER_FEATURES]
    calls = [
        delayed(_train_on_simulation)(
            setting, *models[name], epochs, seed, n_train, n_test
        )
        for setting, name in plan
        for seed in range(n_seeds)
    ]
    scores = iter(run_parallel("controls", calls, n_jobs=n_jobs))
    controls = {}
    for setting, name in plan:
        pairs = [next(scores) for _ in range(n_seeds)]
        reached, possible = zip(*pairs, strict=True)
        row = controls.setdefault(setting, {})
        row |= {name: list(reached), "best possible": list(possible)}
    return controls


def _train_on_simulation(
    setting, build, params, epochs, seed, n_train, n_test
):
    """Return the ROC AUC on new samples, and the best possible there."""
    data = simulate_expression(setting, n_train + n_test, seed=1000 + seed)
    X = data.X.astype(np.float32)
    classifier = SequenceClassifier(build, seed=seed, epochs=epochs, **params)
    classifier.fit(X[:n_train], data.y[:n_train])
    p = classifier.predict_proba(X[n_train:])[:, 1]
    y, log_odds = data.y[n_train:], data.truth.log_odds[n_train:]
    return (
        score_predictions(y, p)["roc_auc"],
        score_predictions(y, 1 / (1 + np.exp(-log_odds)))["roc_auc"],
    )
