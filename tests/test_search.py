import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_score,
    cross_validate,
)

from benchmarks.contenders import PlainClassifier
from helpers.data import DataError
from helpers.models import build_attention_model, build_lstm_model
from helpers.search import (
    LSTM_GRID,
    PARAM_GRID,
    SCORING,
    GeneScaler,
    fold_scores,
    make_classifier,
    run_grid_search,
    tabulate_search,
    train_winner,
)
from helpers.simulate import simulate_expression

ROOT = Path(__file__).resolve().parents[1]
GRID = {"num_heads": [1], "key_dim": [2, 3], "dropout_rate": [0.2],
        "l2_reg": [0.01]}  # fmt: skip
SETTING = {"num_heads": 1, "key_dim": 2, "dropout_rate": 0.2, "l2_reg": 0.01}
LSTM_SETTING = {"units": 3, "dropout_rate": 0.2, "l2_reg": 0.01}


@pytest.fixture(scope="module")
def data():
    found = simulate_expression("order-free", 90, 8, 3, seed=1)
    return found.X.astype(np.float32), found.y


def make(epochs=3, seed=0, build=build_attention_model, **changes):
    params = SETTING if build is build_attention_model else LSTM_SETTING
    return make_classifier(
        build, (8, 3), epochs=epochs, seed=seed, **(params | changes)
    )


def as_plain(classifier):
    return PlainClassifier(**classifier.get_params(deep=False))


def test_grids_are_those_of_the_assignment():
    assert PARAM_GRID == {
        "num_heads": [2, 3],
        "key_dim": [5, 10],
        "dropout_rate": [0.1, 0.3],
        "l2_reg": [0.01, 0.02],
    }
    sizes = [len(values) for values in LSTM_GRID.values()]
    assert np.prod(sizes) == 16


def test_classifier_is_one_for_scikit_learn(data):
    X, y = data
    classifier = make()
    assert is_classifier(classifier)
    scores = cross_val_score(clone(classifier), X, y, scoring="roc_auc", cv=3)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("build", [build_attention_model, build_lstm_model])
@pytest.mark.parametrize("n", [64, 71])
def test_training_equals_plain_scikeras(data, build, n):
    X, y = data
    ours = make(build=build, seed=3).fit(X[:n], y[:n])
    plain = as_plain(ours).fit(X[:n], y[:n])
    np.testing.assert_allclose(
        ours.predict_proba(X), plain.predict_proba(X), atol=1e-6
    )
    np.testing.assert_allclose(
        ours.history_["loss"], plain.history_["loss"], rtol=1e-5
    )


def test_watching_equals_keras_and_changes_nothing(data):
    X, y = data
    watched, plain, blind = make(), as_plain(make()), make()
    watched.fit(X[:60], y[:60], validation_data=(X[60:], y[60:]))
    scaled = GeneScaler().fit(X[:60]).transform(X[60:])
    plain.fit(X[:60], y[:60], validation_data=(scaled, y[60:]))
    blind.fit(X[:60], y[:60])
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(
            watched.history_[name], plain.history_[name], rtol=1e-5
        )
    np.testing.assert_array_equal(
        watched.predict_proba(X), blind.predict_proba(X)
    )


def test_fitted_classifiers_share_nothing(data):
    X, y = data
    first = make().fit(X, y)
    before = first.predict_proba(X)
    second = make(seed=1).fit(X, 1 - y)
    assert not np.allclose(second.predict_proba(X), before)
    np.testing.assert_array_equal(first.predict_proba(X), before)
    np.testing.assert_allclose(
        first.model_(first.feature_encoder_.transform(X)).numpy()[:, 0],
        before[:, 1],
        atol=1e-6,
    )


def test_same_seed_same_model_whatever_ran_before(data):
    X, y = data
    expected = make(seed=5).fit(X, y).predict_proba(X)
    make(seed=6, key_dim=4).fit(X[:50], y[:50])
    keras.utils.set_random_seed(99)
    found = make(seed=5).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(found, expected)
    other = make(seed=6).fit(X, y).predict_proba(X)
    assert not np.allclose(other, expected)


def test_what_is_not_supported_is_refused(data):
    X, y = data
    with pytest.raises(NotImplementedError, match="no sample weights"):
        make().fit(X, y, sample_weight=np.ones(len(y)))


def test_scaling_divides_each_gene_and_keeps_zeros():
    X = np.zeros((4, 5, 3))
    X[:, :, 1] = 1e6
    X[:, :, 2] = [0, 3, 0, 4, 0]
    scaled = GeneScaler().fit(X).transform(X)
    np.testing.assert_allclose((scaled**2).mean((0, 1)), [0, 1, 1], rtol=1e-6)
    assert ((X == 0) == (scaled == 0)).all()


def test_scaling_sees_the_training_part_of_each_fold_alone(data):
    X, y = data
    found = cross_validate(
        make(epochs=1), X, y, cv=3, return_estimator=True, return_indices=True
    )
    for fitted, train in zip(
        found["estimator"], found["indices"]["train"], strict=True
    ):
        square = np.square(X[train], dtype=float).mean(axis=(0, 1))
        scale = fitted.feature_encoder_.scale_
        np.testing.assert_allclose(scale, np.sqrt(square), rtol=1e-6)


@pytest.fixture(scope="module")
def searches(data):
    options = {"param_grid": GRID, "cv": 3, "epochs": 3, "seed": 2}
    one = run_grid_search(*data, n_jobs=1, **options)
    two = run_grid_search(*data, n_jobs=2, **options)
    grid = GRID | {"key_dim": GRID["key_dim"][::-1]}
    turned = run_grid_search(*data, **(options | {"param_grid": grid}))
    plain = GridSearchCV(
        as_plain(one.estimator), GRID, scoring=SCORING, refit=False, cv=one.cv
    ).fit(*data)
    return {"one": one, "two": two, "turned": turned, "plain": plain}


@pytest.mark.parametrize("other", ["two", "turned", "plain"])
def test_scores_do_not_depend_on_the_way_of_running(searches, other):
    ours, other_search = searches["one"], searches[other]
    mine = {str(p): i for i, p in enumerate(ours.cv_results_["params"])}
    theirs = [mine[str(p)] for p in other_search.cv_results_["params"]]
    for score, tolerance in (("accuracy", 0), ("roc_auc", 1e-6)):
        np.testing.assert_allclose(
            fold_scores(ours, score)[theirs],
            fold_scores(other_search, score),
            rtol=0,
            atol=tolerance,
        )


def test_search_is_stratified_and_refitted(searches, data):
    X, y = data
    search = searches["one"]
    assert isinstance(search, GridSearchCV)
    assert len(search.cv_results_["params"]) == 2
    shares = [y[test].mean() for _, test in search.cv.split(X, y)]
    assert np.ptp(shares) < 0.04
    best = search.cv_results_["mean_test_roc_auc"].max()
    assert search.best_score_ == best
    assert search.predict_proba(X).shape == (90, 2)


def test_table_has_a_row_per_candidate_best_first(searches):
    search = searches["one"]
    table = tabulate_search(search)
    assert list(table["rank"]) == sorted(table["rank"])
    assert table.loc[0, "roc_auc_mean"] == search.best_score_
    scores = fold_scores(search)
    best = scores[search.best_index_]
    assert table.loc[0, "roc_auc_sd"] == pytest.approx(np.std(best, ddof=1))
    assert (table["log_loss_mean"] > 0).all()


def test_search_without_refit_finds_the_same_winner(searches, data):
    search = searches["one"]
    other = run_grid_search(
        *data, param_grid=GRID, cv=3, epochs=3, seed=2, refit=False
    )
    assert not hasattr(other, "best_estimator_")
    assert other.best_params_ == search.best_params_
    assert other.best_index_ == search.best_index_
    assert other.best_score_ == search.best_score_


def test_final_training_gives_the_refit_and_goes_on_watching(searches, data):
    X, y = data
    search = searches["one"]
    winner, history = train_winner(search, X, y, X, y, watch_epochs=7)
    assert list(history.index) == list(range(1, 8))
    assert list(history) == ["loss", "val_loss"]
    np.testing.assert_array_equal(
        winner.predict_proba(X), search.best_estimator_.predict_proba(X)
    )
    longer = clone(winner).fit(X, y, epochs=7)
    assert longer.history_["loss"] == list(history["loss"])


def test_final_training_learns_nothing_from_watched_samples(searches, data):
    X, y = data
    trained = [
        train_winner(searches["one"], X, y, *watched, watch_epochs=7)
        for watched in ((X[:50], y[:50]), (100 * X[50:], 1 - y[50:]))
    ]
    (one, history), (other, other_history) = trained
    assert list(history["loss"]) == list(other_history["loss"])
    assert list(history["val_loss"]) != list(other_history["val_loss"])
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_fitted_classifier_survives_the_way_between_processes(searches, data):
    X, _ = data
    winner = searches["one"].best_estimator_
    again = pickle.loads(pickle.dumps(winner))
    np.testing.assert_array_equal(
        again.predict_proba(X), winner.predict_proba(X)
    )


MEMORY = """
import psutil
from tests.test_search import make, simulate_expression
from helpers.search import PARAM_GRID
from sklearn.model_selection import ParameterGrid

found = simulate_expression("order-free", 90, 8, 3, seed=1)
X, y = found.X.astype("float32"), found.y
sizes, changes = [], list(ParameterGrid(PARAM_GRID))
for change in [*changes, *[changes[-1]] * 4]:
    for fold in range(5):
        make(epochs=1, **change).fit(X, y).predict_proba(X)
        sizes.append(psutil.Process().memory_info().rss / 1e6)
print(sizes[79] - sizes[9], sizes[99] - sizes[79])
"""


def test_memory_is_bounded():
    done = subprocess.run(
        [sys.executable, "-c", MEMORY], cwd=ROOT, text=True,
        capture_output=True, check=True,
    )  # fmt: skip
    by_candidates, by_folds = map(float, done.stdout.split())
    assert by_candidates < 150  # MB
    assert by_folds < 5


def test_too_few_samples_for_the_folds():
    X, y = np.zeros((8, 4, 3), np.float32), np.array([0] * 4 + [1] * 4)
    with pytest.raises(DataError, match="5-fold cross-validation"):
        run_grid_search(X, y, cv=5)
