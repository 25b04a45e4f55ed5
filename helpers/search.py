"""Q3: the scikit-learn classifier and the grid search."""

import inspect
from collections.abc import Callable

import keras
import numpy as np
from scikeras.wrappers import KerasClassifier
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV, ParameterGrid
from sklearn.utils import ClassifierTags

from helpers.data import check_enough_samples, make_folds
from helpers.models import PARAM_GRID, build_attention_model
from helpers.parallel import use_workers
from helpers.training import KERAS_FIT, build_seeded, refuse_unknown


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
        optimizer: str | None = None,
        learning_rate: float | None = None,
        **params,
    ):
        super().__init__(
            epochs=epochs,
            batch_size=batch_size,
            verbose=verbose,
            optimizer=optimizer,
            **params,
        )
        self.build = build
        self.seed = seed
        self.learning_rate = learning_rate
        self.check_params()

    def check_params(self) -> None:
        """Raise TypeError for parameters that nothing would look at."""
        params = self.get_params(deep=False)
        for name, instead in REFUSED.items():
            if params[name] is not None and params[name] is not False:
                raise TypeError(f"{name} is not used here: {instead}.")
        known = {"build", "seed", "learning_rate"}
        for function in (KerasClassifier, self.build):
            known |= inspect.signature(function).parameters.keys()
        known -= {"kwargs", "input_shape", *REFUSED}
        routed = [name for name in params if name.startswith(ROUTED)]
        refuse_unknown(
            params.keys() - REFUSED.keys() - set(routed),
            known,
            f"parameter of {self.build.__name__} or the classifier",
        )
        for name in routed:
            start = name.split("__")[0]
            if start in ("optimizer", "callbacks") and not params[start]:
                raise TypeError(
                    f"{name} needs {start}=... beside it (a learning_rate "
                    "can stand alone)."
                )
        if "fit__validation_data" in routed:
            raise TypeError("give validation_data to fit, which scales them.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.estimator_type = "classifier"
        tags.classifier_tags = ClassifierTags()
        return tags

    @property
    def feature_encoder(self):
        """What scikeras fits on the samples of each fit, and then applies to
        all that the model sees."""
        return GeneScaler()

    def fit(self, X, y, sample_weight=None, **options) -> "SequenceClassifier":
        """Train on X (n, T, G), y (n,). `options` are those of Keras's `fit`,
        whose `validation_data` are scaled as X is."""
        self.check_params()
        refuse_unknown(options, KERAS_FIT, "argument of fit")
        if options.get("callbacks"):  # scikeras would drop them
            raise TypeError("name callbacks where you make the classifier")
        if options.get("validation_data") is not None:
            X_valid, y_valid = options["validation_data"]
            if not np.isin(y_valid, y).all():
                raise ValueError("y holds no such outcome as validation_data")
            goes_on = self.warm_start and self.initialized_
            scaler = self.feature_encoder_ if goes_on else GeneScaler().fit(X)
            X_valid = scaler.transform(X_valid)
            y_valid = np.searchsorted(np.unique(y), y_valid)
            options["validation_data"] = X_valid, y_valid
        return super().fit(X, y, sample_weight, **options)

    def _keras_build_fn(self, meta, compile_kwargs, params, **build_params):
        input_shape = meta["X_shape_"][1:]  # (T, G)
        model = build_seeded(
            self.build, self.seed, input_shape, **build_params
        )
        optimizer = compile_kwargs["optimizer"] or model.optimizer
        if self.learning_rate is not None:
            optimizer.learning_rate = self.learning_rate
        metrics = compile_kwargs["metrics"]
        if self.optimizer is not None or metrics:
            model.compile(optimizer, model.loss, metrics=metrics)
        return model


# of the parameters of scikeras: what to use instead
REFUSED = {
    "model": "name the function that builds it, as build",
    "build_fn": "it is called build",
    "random_state": "it is called seed",
    "run_eagerly": "models are trained as graphs",
    "loss": "the function that builds the model compiles it with its loss",
}
ROUTED = ("optimizer__", "fit__", "predict__", "callbacks__", "metrics__")


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
    groups: np.ndarray | None = None,
    build: Callable[..., keras.Model] = build_attention_model,
    **params,
) -> GridSearchCV:
    """Try every candidate of `param_grid` by stratified cross-validation.

    X (n, T, G), y (n,) of 0 and 1: training samples only. All candidates see
    the same `cv` folds, which keep `groups` (n,) whole; the best one is then
    trained on all of X. What neither the grid nor `params` name is as `build`
    has it by default. Raises DataError for too few samples or groups.
    """
    check_enough_samples(y, cv, groups)
    n_fits = cv * len(ParameterGrid(param_grid))
    classifier = SequenceClassifier(
        build,
        **{"seed": seed, "epochs": epochs, "batch_size": batch_size}
        | params
        | {name: values[0] for name, values in param_grid.items()},
    )
    search = GridSearchCV(
        classifier,
        param_grid,
        scoring="roc_auc",
        cv=make_folds(cv, groups, seed=seed),
        pre_dispatch="all",
        error_score="raise",
    )
    with use_workers("grid search", n_fits, n_jobs=n_jobs, tasks_per_batch=cv):
        return search.fit(X, y, groups=groups)


def fold_scores(search: GridSearchCV) -> np.ndarray:
    """Return the ROC AUCs (n_candidates, n_folds)."""
    names = [f"split{k}_test_score" for k in range(search.n_splits_)]
    return np.column_stack([search.cv_results_[name] for name in names])
