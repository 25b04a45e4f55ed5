"""Q3: the scikit-learn classifier and the grid search."""

from collections.abc import Callable

import keras
import numpy as np
import pandas as pd
from scikeras.wrappers import KerasClassifier
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedKFold,
)
from sklearn.utils import ClassifierTags

from helpers.data import check_enough_samples
from helpers.models import ATTENTION_GRID, build_attention_model
from helpers.parallel import use_workers
from helpers.training import build_seeded

PARAM_GRID = ATTENTION_GRID
SCORING = {
    "roc_auc": "roc_auc",
    "accuracy": "accuracy",
    "log_loss": "neg_log_loss",
}


class GeneScaler(TransformerMixin, BaseEstimator):
    """Divide each gene of X (n, T, G) by its root mean square over the
    samples and times it was fitted on: units vanish, zeros stay zeros."""

    def fit(self, X: np.ndarray, y=None) -> "GeneScaler":
        square = np.square(X, dtype=np.float64).mean(axis=(0, 1))  # (G,)
        self.scale_ = np.sqrt(np.where(square > 0, square, 1.0))
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return (X / self.scale_).astype(np.float32)


class SequenceClassifier(KerasClassifier):
    """scikeras's classifier around `build(input_shape, **params)`, for X
    (n, T, G) and y (n,); `seed` fixes all its random numbers.

    Each fit scales the genes by what its own training samples give. The tags
    make it a classifier to scikit-learn, which scikeras 0.13 predates:
    without them folds are not stratified and ROC AUC is NaN (issue 337 of
    adriangb/scikeras). `seed` is not scikeras's `random_state`, which would
    leave TensorFlow in deterministic mode for as long as Python runs.
    """

    def __init__(
        self,
        build: Callable[..., keras.Model] = build_attention_model,
        *,
        seed: int = 0,
        epochs: int = 20,
        batch_size: int = 32,
        verbose: int = 0,
        **params,
    ):
        super().__init__(
            epochs=epochs, batch_size=batch_size, verbose=verbose, **params
        )
        self.build = build
        self.seed = seed

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        return tags

    @property
    def feature_encoder(self):
        return GeneScaler()

    def _keras_build_fn(self, meta, compile_kwargs, params, **build_params):
        input_shape = meta["X_shape_"][1:]  # (T, G)
        return build_seeded(self.build, self.seed, input_shape, **build_params)


def run_grid_search(
    X: np.ndarray,
    y: np.ndarray,
    *,
    param_grid: dict[str, list] = PARAM_GRID,
    cv: int = 5,
    epochs: int = 20,
    batch_size: int = 32,
    seed: int = 0,
    n_jobs: int | None = None,
    build: Callable[..., keras.Model] = build_attention_model,
) -> GridSearchCV:
    """Try every candidate of `param_grid` by stratified cross-validation.

    X (n, T, G), y (n,) of 0 and 1: training samples only. All candidates see
    the same `cv` folds. They are ranked by mean ROC AUC, which needs no
    threshold, and the best is trained on all of X; accuracy and log loss are
    recorded beside it. Fits run in `n_jobs` processes.
    Raises DataError when a class has fewer samples than folds.
    """
    check_enough_samples(y, cv)
    first = {name: values[0] for name, values in param_grid.items()}
    search = GridSearchCV(
        SequenceClassifier(
            build, seed=seed, epochs=epochs, batch_size=batch_size, **first
        ),
        param_grid,
        scoring=SCORING,
        refit="roc_auc",
        cv=StratifiedKFold(cv, shuffle=True, random_state=seed),
        pre_dispatch="all",
        error_score="raise",
    )
    n_fits = cv * len(ParameterGrid(param_grid))
    with use_workers("grid search", n_fits, n_jobs=n_jobs, tasks_per_batch=cv):
        return search.fit(X, y)


def tabulate_search(search: GridSearchCV) -> pd.DataFrame:
    """Return a row per candidate, best first: its parameters, then mean and
    standard deviation over folds of each score."""
    results = search.cv_results_
    table = pd.DataFrame(results["params"], columns=list(search.param_grid))
    table.insert(0, "rank", results["rank_test_roc_auc"])
    for score, sign in (("roc_auc", 1), ("accuracy", 1), ("log_loss", -1)):
        table[f"{score}_mean"] = sign * results[f"mean_test_{score}"]
        table[f"{score}_sd"] = fold_scores(search, score).std(axis=1, ddof=1)
    return table.sort_values("rank", kind="stable", ignore_index=True)


def fold_scores(search: GridSearchCV, score: str = "roc_auc") -> np.ndarray:
    """Return the test scores (n_candidates, n_folds)."""
    names = [f"split{k}_test_{score}" for k in range(search.n_splits_)]
    return np.column_stack([search.cv_results_[name] for name in names])
