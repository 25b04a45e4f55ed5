"""Q3: the scikit-learn estimator, the grid search, the final training."""

import inspect
import random
from collections.abc import Callable
from numbers import Integral
from unittest.mock import patch

import keras
import numpy as np
import pandas as pd
from keras.src.random import seed_generator
from scikeras.wrappers import KerasClassifier
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedKFold,
)
from sklearn.utils import ClassifierTags
from sklearn.utils.validation import check_is_fitted

from helpers.data import check_enough_samples
from helpers.graph import runner_for
from helpers.models import build_attention_model
from helpers.runtime import progress
from helpers.workers import use_workers

PARAM_GRID = {
    "num_heads": [2, 3],
    "key_dim": [5, 10],
    "dropout_rate": [0.1, 0.3],
    "l2_reg": [0.01, 0.02],
}
LSTM_GRID = {  # as many candidates: four sizes, the same regularisation
    "units": [8, 16, 24, 32],
    "dropout_rate": [0.1, 0.3],
    "l2_reg": [0.01, 0.02],
}
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
    """scikeras's classifier for X (n, T, G), a classifier to scikit-learn.

    scikeras 0.13 predates scikit-learn's tags: without them folds are not
    stratified and ROC AUC is NaN (adriangb/scikeras issue 337). Genes are
    scaled with what each fit's own training samples give.
    """

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        return tags

    @property
    def feature_encoder(self):
        return GeneScaler()

    @property
    def _runner(self):
        return runner_for(self.model, tuple(sorted(self._setting.items())))

    @property
    def _setting(self):
        names = inspect.signature(self.model).parameters
        return {k: v for k, v in self.get_params().items() if k in names}

    def _build_keras_model(self):
        # As scikeras does, but without seeding TensorFlow, which would then
        # prepare every graph of this process again, nor Python's own
        # generator, from which other threads (Dask's) draw as well.
        draws = random.Random(self.random_state)
        with patch.object(seed_generator, "python_random", draws):
            return self.model(**self._setting)

    def _fit_keras_model(
        self, X, y, sample_weight, warm_start, epochs, initial_epoch, **kwargs
    ):
        if sample_weight is not None or initial_epoch or self._fit_callbacks:
            raise NotImplementedError(
                "SequenceClassifier.fit takes no sample weights, callbacks or "
                "earlier epochs; use scikeras's KerasClassifier for them."
            )
        if not isinstance(self.random_state, Integral):
            raise ValueError(
                "SequenceClassifier needs an integer random_state."
            )
        validation = kwargs.pop("validation_data", None)
        if validation is not None:
            validation = (
                self.feature_encoder_.transform(validation[0]),
                self.target_encoder_.transform(validation[1]),
            )
        self.history_ = self._runner.fit(
            self.model_,
            X,
            y,
            epochs,
            self.batch_size,
            self.random_state,
            validation,
            watch_epochs=kwargs.pop("watch_epochs", 0),
        )

    def __getstate__(self):
        if hasattr(self, "model_"):  # Keras reloads none but built optimisers
            self.model_.optimizer.build(self.model_.trainable_variables)
        return super().__getstate__()

    def _predict_raw(self, X, **kwargs):
        check_is_fitted(self, "model_")
        X, _ = self._validate_data(X=X)
        return self._runner.predict(
            self.model_, self.feature_encoder_.transform(X)
        )


def make_classifier(
    build: Callable[..., keras.Model],
    input_shape: tuple[int, int],
    *,
    epochs: int,
    batch_size: int = 32,
    seed: int = 0,
    **params,
) -> SequenceClassifier:
    """Return an unfitted classifier around `build(input_shape, **params)`;
    the same seed starts every fit alike."""
    return SequenceClassifier(
        model=build,
        input_shape=input_shape,
        epochs=epochs,
        batch_size=batch_size,
        random_state=seed,
        verbose=0,
        **params,
    )


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
    refit: bool = True,
) -> GridSearchCV:
    """Try every setting of `param_grid` by stratified cross-validation.

    X (n, T, G), y (n,) of 0 and 1: training samples only. Every candidate
    sees the same `cv` folds. The setting with the best mean ROC AUC wins and,
    with `refit`, is trained on all of X; accuracy and log loss are recorded
    beside it. Fits run in `n_jobs` processes.
    Raises DataError when a class has fewer samples than folds.
    """
    check_enough_samples(y, cv)
    params = {name: values[0] for name, values in param_grid.items()}
    search = GridSearchCV(
        make_classifier(
            build,
            X.shape[1:],
            epochs=epochs,
            batch_size=batch_size,
            seed=seed,
            **params,
        ),
        param_grid,
        scoring=SCORING,
        refit="roc_auc" if refit else False,
        cv=StratifiedKFold(cv, shuffle=True, random_state=seed),
        pre_dispatch="all",
        error_score="raise",
    )
    n_fits = cv * len(ParameterGrid(param_grid))
    workers = use_workers(n_jobs, together=cv)
    with workers, progress("grid search", n_fits):
        search.fit(X, y)
    if not refit:  # scikit-learn then leaves out what several scores decide
        found = search.cv_results_
        search.best_index_ = int(found["rank_test_roc_auc"].argmin())
        search.best_params_ = found["params"][search.best_index_]
        search.best_score_ = found["mean_test_roc_auc"][search.best_index_]
    return search


def tabulate_search(search: GridSearchCV) -> pd.DataFrame:
    """Return a row per candidate, best first: its setting, then mean and
    standard deviation over folds of each score."""
    found = search.cv_results_
    table = pd.DataFrame(found["params"], columns=list(search.param_grid))
    table.insert(0, "rank", found["rank_test_roc_auc"])
    for score, sign in (("roc_auc", 1), ("accuracy", 1), ("log_loss", -1)):
        table[f"{score}_mean"] = sign * found[f"mean_test_{score}"]
        table[f"{score}_sd"] = fold_scores(search, score).std(axis=1, ddof=1)
    return table.sort_values("rank", kind="stable", ignore_index=True)


def fold_scores(search: GridSearchCV, score: str = "roc_auc") -> np.ndarray:
    """Return the test scores (n_candidates, n_folds)."""
    names = [f"split{k}_test_{score}" for k in range(search.n_splits_)]
    return np.column_stack([search.cv_results_[name] for name in names])


def train_winner(
    search: GridSearchCV,
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_valid: np.ndarray,
    y_valid: np.ndarray,
    *,
    watch_epochs: int,
) -> tuple[SequenceClassifier, pd.DataFrame]:
    """Train the best setting on all training samples.

    Returns the classifier after the epochs of the search, which is what
    GridSearchCV's own refit gives, and a table of `loss` and `val_loss`
    (binary cross-entropy plus the l2 penalty) by epoch, from 1 on, for which
    training goes on to `watch_epochs`. The validation samples are watched,
    never learned from; nothing is stopped or chosen by them.
    """
    classifier = clone(search.estimator).set_params(**search.best_params_)
    classifier.fit(
        X_train,
        y_train,
        validation_data=(X_valid, y_valid),
        watch_epochs=watch_epochs,
    )
    history = pd.DataFrame(classifier.history_)
    history.index = pd.RangeIndex(1, len(history) + 1, name="epoch")
    return classifier, history
