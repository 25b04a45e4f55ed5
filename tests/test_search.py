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

from helpers.data import DataError
from helpers.models import MODELS
from helpers.search import (
    PARAM_GRID,
    GeneScaler,
    SequenceClassifier,
    fold_scores,
    run_grid_search,
    tabulate_search,
)
from helpers.simulate import simulate_expression
from helpers.training import build_seeded

ROOT = Path(__file__).resolve().parents[1]
CANDIDATE = {"num_heads": 1, "key_dim": 2, "dropout_rate": 0.2, "l2_reg": 0.01}
GRID = {name: [value] for name, value in CANDIDATE.items()}
GRID["key_dim"] = [2, 3]


@pytest.fixture(scope="module")
def data():
    simulation = simulate_expression("order-free", 90, 8, 3, seed=1)
    return simulation.X.astype(np.float32), simulation.y


def make(epochs=3, seed=0, **changes):
    return SequenceClassifier(
        seed=seed, epochs=epochs, **(CANDIDATE | changes)
    )


def test_grids_have_as_many_candidates_as_the_assignments():
    assert PARAM_GRID == {
        "num_heads": [2, 3],
        "key_dim": [5, 10],
        "dropout_rate": [0.1, 0.3],
        "l2_reg": [0.01, 0.02],
    }
    for entry in MODELS.values():
        assert np.prod([len(v) for v in entry.grid.values()]) == 16


def test_classifier_is_one_for_scikit_learn(data):
    classifier = make()
    assert is_classifier(classifier)
    scores = cross_val_score(clone(classifier), *data, scoring="roc_auc", cv=3)
    assert np.isfinite(scores).all()


def test_same_seed_same_model_whatever_ran_before(data):
    X, y = data
    expected = make(seed=5).fit(X, y).predict_proba(X)
    make(seed=6, key_dim=4).fit(X[:50], y[:50])
    keras.utils.set_random_seed(99)
    again = make(seed=5).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(again, expected)
    other = make(seed=6).fit(X, y).predict_proba(X)
    assert not np.allclose(other, expected)


def test_scaling_divides_each_gene_and_keeps_zeros():
    X = np.zeros((4, 5, 3))
    X[:, :, 1] = 1e6
    X[:, :, 2] = [0, 3, 0, 4, 0]
    scaled = GeneScaler().fit(X).transform(X)
    np.testing.assert_allclose((scaled**2).mean((0, 1)), [0, 1, 1], rtol=1e-6)
    assert ((X == 0) == (scaled == 0)).all()


def test_scaling_sees_the_training_part_of_each_fold_alone(data):
    X, y = data
    result = cross_validate(
        make(epochs=1), X, y, cv=3, return_estimator=True, return_indices=True
    )
    for fitted, train in zip(
        result["estimator"], result["indices"]["train"], strict=True
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
    return {"one": one, "two": two, "turned": turned}


@pytest.mark.parametrize("other", ["two", "turned"])
def test_scores_do_not_depend_on_the_way_of_running(searches, other):
    one, other_search = searches["one"], searches[other]
    place = {str(p): i for i, p in enumerate(one.cv_results_["params"])}
    order = [place[str(p)] for p in other_search.cv_results_["params"]]
    for score, tolerance in (
        ("accuracy", 0),
        ("roc_auc", 0),
        ("log_loss", 1e-6),
    ):
        np.testing.assert_allclose(
            fold_scores(one, score)[order],
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
    assert search.best_score_ == search.cv_results_["mean_test_roc_auc"].max()


def test_the_winner_built_in_plain_sight_is_the_refitted_one(searches, data):
    X, y = data
    search = searches["one"]
    build = MODELS["attention"].build
    model = build_seeded(build, 2, X.shape[1:], **search.best_params_)
    scaled = GeneScaler().fit(X).transform(X)
    model.fit(scaled, y, epochs=3, batch_size=32)
    np.testing.assert_array_equal(
        model.predict(scaled)[:, 0], search.predict_proba(X)[:, 1]
    )


def test_table_has_a_row_per_candidate_best_first(searches):
    search = searches["one"]
    table = tabulate_search(search)
    assert list(table["rank"]) == sorted(table["rank"])
    assert table.loc[0, "roc_auc_mean"] == search.best_score_
    best = fold_scores(search)[search.best_index_]
    assert table.loc[0, "roc_auc_sd"] == pytest.approx(np.std(best, ddof=1))
    assert (table["log_loss_mean"] > 0).all()


def test_too_few_samples_for_the_folds():
    X, y = np.zeros((8, 4, 3), np.float32), np.array([0] * 4 + [1] * 4)
    with pytest.raises(DataError, match="5-fold cross-validation"):
        run_grid_search(X, y, cv=5)


MEMORY = """
import psutil
from tests.test_search import PARAM_GRID, make, simulate_expression
from sklearn.model_selection import ParameterGrid

data = simulate_expression("order-free", 90, 8, 3, seed=1)
X, y = data.X.astype("float32"), data.y
sizes, candidates = [], list(ParameterGrid(PARAM_GRID))
for candidate in [*candidates, *[candidates[-1]] * 4]:
    for fold in range(5):
        make(epochs=1, **candidate).fit(X, y).predict_proba(X)
        sizes.append(psutil.Process().memory_info().rss / 1e6)
print(sizes[79] - sizes[9], sizes[99] - sizes[79])
"""


def test_memory_is_bounded():
    printed = subprocess.run(
        [sys.executable, "-c", MEMORY],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    ).stdout
    by_candidates, by_folds = map(float, printed.split())
    assert by_candidates < 200  # MB
    assert by_folds < 10
