import pickle
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.model_selection import cross_validate

from helpers.data import DataError
from helpers.models import MODELS
from helpers.search import (
    PARAM_GRID,
    GeneScaler,
    SequenceClassifier,
    fold_scores,
    run_grid_search,
)
from helpers.simulate import simulate_expression
from helpers.training import GraphModel, build_seeded

CANDIDATE = {"num_heads": 1, "key_dim": 2, "dropout_rate": 0.2, "l2_reg": 0.01}
GRID = {name: [CANDIDATE[name]] for name in CANDIDATE} | {"key_dim": [2, 3]}


@pytest.fixture(scope="module")
def data():
    simulation = simulate_expression("level", 90, 8, 3, seed=1)
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


def test_folds_of_scikit_learn_are_scaled_and_scored_one_by_one(data):
    X, y = data
    how = {"return_estimator": True, "return_indices": True, "cv": 3}
    result = cross_validate(make(epochs=1), X, y, scoring="roc_auc", **how)
    assert is_classifier(make())
    assert np.isfinite(result["test_score"]).all()
    folds = result["indices"]["train"]
    for fitted, train in zip(result["estimator"], folds, strict=True):
        square = np.square(X[train], dtype=float).mean(axis=(0, 1))
        scale = fitted.feature_encoder_.scale_
        np.testing.assert_allclose(scale, np.sqrt(square), rtol=1e-6)


OPTIONS = {"cv": 3, "epochs": 3, "seed": 2}


@pytest.fixture(scope="module")
def search(data):
    return run_grid_search(*data, param_grid=GRID, **OPTIONS)


def test_scores_do_not_depend_on_the_order_of_candidates(search, data):
    grid = GRID | {"key_dim": GRID["key_dim"][::-1]}
    turned = run_grid_search(*data, param_grid=grid, **OPTIONS)
    expected = fold_scores(turned)[::-1]
    np.testing.assert_array_equal(fold_scores(search), expected)


def test_search_is_stratified_and_refitted(search, data):
    X, y = data
    assert type(search).__name__ == "GridSearchCV"
    shares = [y[test].mean() for _, test in search.cv.split(X, y)]
    assert np.ptp(shares) < 0.04
    means = fold_scores(search).mean(axis=1)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], means)
    assert search.best_score_ == pytest.approx(means.max())


def test_folds_keep_groups_whole_and_stratified(data):
    groups = np.arange(90) // 3
    X, y = data[0], data[1][groups]  # one outcome each
    how = {"param_grid": GRID | {"key_dim": [2]}, "cv": 3, "epochs": 1}
    search = run_grid_search(X, y, groups=groups, **how)
    for train, test in search.cv.split(X, y, groups):
        assert not {*groups[train]} & {*groups[test]}
        assert y[test].mean() == pytest.approx(y.mean(), abs=0.07)
    free = run_grid_search(X, y, **how)
    assert not np.array_equal(fold_scores(search), fold_scores(free))
    with pytest.raises(DataError, match=r"20-fold .* 20 groups of each"):
        run_grid_search(X, y, groups=groups, **how | {"cv": 20})
    with pytest.raises(DataError, match="60 samples of each"):
        run_grid_search(X, y, **how | {"cv": 60})


def test_the_winner_built_in_plain_sight_is_the_refitted_one(search, data):
    X, y = data
    build = MODELS["attention"].build
    model = build_seeded(build, 2, X.shape[1:], **search.best_params_)
    scaled = GeneScaler().fit(X).transform(X)
    model.fit(scaled, y, epochs=3, batch_size=32)
    expected = search.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(model.predict(scaled)[:, 0], expected)


def test_parameters_that_nothing_looks_at_are_refused():
    for changes, message in (
        ({"num_head": 7}, "did you mean 'num_heads'"),
        ({"random_state": 3}, "random_state is not used here: it is called"),
        ({"model": MODELS["LSTM"].build}, "as build"),
        ({"run_eagerly": True}, "graphs"),
        ({"optimizer__learning_rate": 0.1}, "needs optimizer"),
    ):
        with pytest.raises(TypeError, match=message):
            make(**changes)


def test_every_parameter_changes_the_result(data):
    X, y = data
    plain = make().fit(X, y).predict_proba(X)
    for changes in (
        *({"optimizer": "sgd"}, {"batch_size": 7}),
        *({"shuffle": False}, {"validation_split": 0.4}),
    ):
        changed = make(**changes).fit(X, y).predict_proba(X)
        assert not np.allclose(plain, changed), changes


def test_both_names_of_the_learning_rate_mean_the_same(data):
    X, y = data
    one, other = (
        make(optimizer="adam", **{name: 0.1}).fit(X, y).predict_proba(X)
        for name in ("learning_rate", "optimizer__learning_rate")
    )
    np.testing.assert_array_equal(one, other)


def test_class_weights_count(data):
    X, y = data
    classifier = make(class_weight={0: 1, 1: 50}, epochs=9, learning_rate=0.1)
    with pytest.warns(UserWarning, match="with sample_weight"):
        classifier.fit(X, y)
    assert classifier.predict_proba(X)[:, 1].min() > 0.6


def test_a_fitted_classifier_can_be_kept_and_loaded_elsewhere(data):
    X, y = data
    name = keras.saving.get_registered_name(GraphModel)
    classifier = make().fit(X, y)
    kept = pickle.loads(pickle.dumps(classifier))
    assert keras.saving.get_registered_name(GraphModel) == name
    np.testing.assert_array_equal(
        kept.predict_proba(X), classifier.predict_proba(X)
    )


def test_warm_start_goes_on_from_where_it_was(data):
    X, y = data
    warm = make(warm_start=True).fit(X, y)
    warm.fit(5 * X, y, validation_data=(X, y))  # scaled as at first
    once = make(epochs=6).fit(X, y)
    loss = warm.model_.evaluate(GeneScaler().fit_transform(X), y, verbose=0)
    assert warm.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-5)
    again = make(warm_start=True).fit(X, y).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(again, once.predict_proba(X))


def test_validation_data_are_scaled_like_the_rest(data):
    X, y = data
    classifier = make()
    classifier.fit(1000 * X, y, validation_data=(1000 * X, y))
    scaled = GeneScaler().fit(X).transform(X)
    loss = classifier.model_.evaluate(scaled, y, verbose=0)
    assert classifier.history_["val_loss"][-1] == pytest.approx(loss, rel=1e-5)


def test_callbacks_of_the_classifier_are_called_and_others_refused(data):
    X, y = data
    epochs = []
    listen = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append(epoch)
    )
    with pytest.warns(UserWarning, match="with callbacks"):
        make(callbacks=[listen]).fit(X, y)
    assert epochs == [0, 1, 2]
    with pytest.raises(TypeError, match="where you make the classifier"):
        make().fit(X, y, callbacks=[listen])


def test_grids_may_name_what_they_like(data):
    grid = {"learning_rate": [0.01, 0.1], "epochs": [1, 4]}
    search = run_grid_search(*data, param_grid=grid, cv=2, key_dim=2)
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    attention = search.best_estimator_.model_.get_layer("self_attention")
    assert (attention.num_heads, attention.key_dim) == (3, 2)


def build_own(input_shape, seed=3, learning_rate=0.01, loss="mse"):
    inputs = keras.Input(input_shape)
    outputs = keras.layers.Dense(1, "sigmoid")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(learning_rate + seed), loss)
    return model


def test_a_build_function_of_ones_own_keeps_its_defaults(data):
    fitted = SequenceClassifier(build_own, epochs=1).fit(*data).model_
    assert float(fitted.optimizer.learning_rate) == pytest.approx(3.01)
    assert fitted.loss == "mse"


def test_a_wrong_grid_is_refused_in_one_line(data):
    for grid, message in (
        ({"num_heads": 2}, "needs to be a list"),
        ({"num_head": [2]}, "did you mean 'num_heads'"),
        ({"units": [2]}, "no parameter of build_attention_model"),
    ):
        with pytest.raises(TypeError, match=message):
            run_grid_search(*data, param_grid=grid, cv=2, n_jobs=2)


AFRESH = """
import random, warnings
import numpy as np
import psutil
import helpers
import keras, tensorflow as tf
from tests.test_search import GRID, make, run_grid_search, simulate_expression

data = simulate_expression("level", 90, 8, 3, seed=1)
X, y = data.X.astype("float32"), data.y
tf.random.set_seed(4)
expected = tf.random.uniform([3]).numpy().tolist()
tf.random.set_seed(4)
filters = list(warnings.filters)
random.seed(1); state = random.getstate()
np.random.seed(1); numbers = np.random.get_state()[1].tolist()
run_grid_search(X, y, param_grid=GRID, cv=2, epochs=1)
assert random.getstate() == state
assert np.random.get_state()[1].tolist() == numbers
assert tf.random.uniform([3]).numpy().tolist() == expected
assert warnings.filters == filters
tf.random.set_seed(None)
assert keras.mixed_precision.dtype_policy().name == "float32"
inputs = keras.Input((8, 3))
x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(inputs))
plain = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(x))
plain.compile("adam", "binary_crossentropy")
plain.fit(X, y, epochs=1, verbose=0)
tf.random.shuffle(tf.range(9))

sizes = []
for fold in range(10):
    make(epochs=1).fit(X, y).predict_proba(X)
    sizes.append(psutil.Process().memory_info().rss / 1e6)
print(sizes[-1] - sizes[0])
"""


def test_a_process_is_left_as_it_was_and_further_folds_need_no_memory():
    done = subprocess.run(
        [sys.executable, "-c", AFRESH],
        cwd=Path(__file__).parents[1],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "retracing" not in done.stderr
    assert float(done.stdout) < 10  # MB
