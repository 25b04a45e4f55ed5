import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score

from helpers import experiments
from helpers.experiments import make_baselines, resample_models
from helpers.explain import shuffle_time
from helpers.models import MODELS
from helpers.search import SequenceClassifier

PLAN = {"n_folds": 2, "n_repeats": 2, "seed": 3, "n_jobs": 2}


def make_data(n=120, T=6, G=2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, T, G)).astype(np.float32)
    return X, (X[:, :, 0].mean(axis=1) > 0).astype(int)


def small_network():
    return SequenceClassifier(
        epochs=2, num_heads=1, key_dim=2, dropout_rate=0.1, l2_reg=0.01
    )


def test_baselines_see_what_they_should():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 6, 2)).astype(np.float32)
    level = (X[:, :, 0].mean(axis=1) > 0).astype(int)
    change = (X[:, 5, 1] > X[:, 0, 1]).astype(int)
    for y, seen in ((level, True), (change, False)):
        scores = {
            name: roc_auc_score(
                y[200:],
                model.fit(X[:200], y[:200]).predict_proba(X[200:])[:, 1],
            )
            for name, model in make_baselines(cv=3).items()
        }
        assert scores["majority class"] == 0.5
        assert (scores["logistic, time means"] > 0.9) == seen
        assert scores["logistic, all values"] > 0.9


def test_resamples_are_paired_seeded_and_equal_in_any_company():
    X, y = make_data()
    network = small_network()
    models = {"attention": network, **make_baselines(cv=2)}
    result = resample_models(models, X, y, **PLAN)
    alone = resample_models({"again": network}, X, y, **PLAN)["again"]
    for key, values in result["attention"].items():
        assert len(values) == 4
        np.testing.assert_array_equal(values, alone[key])
    assert result["attention"]["genes"].shape == (4, 2)
    assert result["attention"]["windows"].shape == (4, 2)
    assert len(set(result["attention"]["roc_auc"])) > 1
    assert "genes" not in result["majority class"]
    assert result["majority class"]["roc_auc"].tolist() == [0.5] * 4
    assert not hasattr(network, "model_")  # clones are trained


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes which samples, told apart by their first value, it is fitted on,
    and which it predicts."""

    fitted, predicted = [], []

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.fitted.append(set(X[:, 0, 0]))
        return self

    def predict_proba(self, X):
        self.predicted.append(set(X[:, 0, 0]))
        return np.full((len(X), 2), 0.5)


def test_resamples_are_scored_on_what_was_left_out():
    X = np.arange(60.0).reshape(60, 1, 1) * np.ones((60, 6, 2))
    resample_models(
        {"recorder": Recorder()}, X, np.arange(60) % 2, **PLAN | {"n_jobs": 1}
    )
    pairs = list(zip(Recorder.fitted, Recorder.predicted, strict=True))
    assert len(pairs) == 4
    for fitted, predicted in pairs:
        assert not fitted & predicted
        assert fitted | predicted == set(range(60))


def test_without_order_is_what_shuffled_series_give():
    X, y = make_data()
    blind = experiments.without_order(
        make_baselines(2)["logistic, all values"], seed=5
    )
    p = blind.fit(X, y).predict_proba(X)
    again = make_baselines(2)["logistic, all values"]
    shuffled = shuffle_time(X, seed=5)
    np.testing.assert_array_equal(
        p, again.fit(shuffled, y).predict_proba(shuffled)
    )


@pytest.fixture(scope="module")
def controls():
    return experiments.run_controls(n_seeds=2, epochs=12, n_jobs=2)


@pytest.mark.stress
def test_models_see_what_theory_says(controls):
    assert list(controls) == list(experiments.SETTINGS)
    mean = {
        setting: {name: np.mean(scores) for name, scores in row.items()}
        for setting, row in controls.items()
    }
    blind, lstm, remedy = MODELS
    for name in MODELS:
        assert abs(mean["nothing"][name] - 0.5) < 0.05
    assert abs(mean["order only"][blind] - 0.5) < 0.05
    assert min(mean["order only"][m] for m in (lstm, remedy)) > 0.9
    assert mean["order-free"][blind] > mean["order-free"][lstm] - 0.02
    assert mean["both"][blind] < mean["both"][lstm] - 0.05
    assert mean["both"][lstm] < mean["both"][remedy]
    assert mean["sibling rule"][blind] < 0.56 < mean["sibling rule"][lstm]
    for row in mean.values():
        assert max(row[m] for m in MODELS) <= row["best possible"] + 0.05
