import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import roc_auc_score

from helpers import experiments
from helpers.data import make_folds
from helpers.experiments import ALL_VALUES, BEST, GENE_MEANS
from helpers.explain import shuffle_time
from helpers.search import SequenceClassifier

PLAN = {"n_folds": 2, "n_repeats": 2, "seed": 3, "n_jobs": 1}


def make_data(n=120, T=6, G=2):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, T, G)).astype(np.float32)
    return X, (X[:, :, 0].mean(axis=1) > 0).astype(int)


def small_network():
    return SequenceClassifier(
        epochs=2, num_heads=1, key_dim=2, dropout_rate=0.1, l2_reg=0.01
    )


def test_baselines_see_what_they_should():
    X, level = make_data(n=300)
    change = (X[:, 5, 1] > X[:, 0, 1]).astype(int)
    for y, seen in ((level, True), (change, False)):
        aucs = {}
        for name, model in experiments.make_baselines().items():
            p = model.fit(X[:200], y[:200]).predict_proba(X[200:])[:, 1]
            aucs[name] = roc_auc_score(y[200:], p)
        assert (aucs[GENE_MEANS] > 0.9) == seen
        assert aucs[ALL_VALUES] > 0.9


def test_resamples_are_paired_seeded_and_equal_in_any_company():
    X, y = make_data()
    network = small_network()
    models = {
        "attention": network,
        "linear": experiments.make_baselines()[GENE_MEANS],
    }
    how = PLAN | {"genes": [1]}
    result = experiments.resample_models(models, X, y, windows=True, **how)
    again = {"again": network}
    alone = experiments.resample_models(again, X, y, **how)["again"]
    assert result["attention"].keys() - alone.keys() == {"windows"}
    for key, values in alone.items():
        assert len(values) == 4
        np.testing.assert_array_equal(values, result["attention"][key])
    assert alone["genes"].shape == (4, 1)
    assert result["attention"]["windows"].shape == (4, 2)
    assert len(set(alone["roc_auc"])) > 1
    assert not {"genes", "windows"} & result["linear"].keys()
    assert not hasattr(network, "model_")  # clones are trained


SEEN = []  # the samples of a fit, those of its prediction, of the next fit


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes which samples, told apart by their first value, it sees."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        SEEN.append({*X[:, 0, 0]})
        return self

    def predict_proba(self, X):
        SEEN.append({*X[:, 0, 0]})
        return np.full((len(X), 2), 0.5)


@pytest.mark.parametrize("groups", [None, np.arange(60) // 5])
def test_resamples_are_scored_on_what_was_left_out(groups):
    SEEN.clear()
    X, y = np.arange(60.0).reshape(60, 1, 1), np.arange(60) // 5 % 2
    found = experiments.resample_models(
        {"": Recorder()},
        X,
        y,
        groups=groups,
        possible={BEST: 0.1 + 0.8 * y},
        **PLAN,
    )
    search = make_folds(2, groups, seed=PLAN["seed"])
    searched = [{*train} for train, _ in search.split(X, y, groups)]
    assert len(SEEN) == 8
    for fitted, predicted in zip(SEEN[::2], SEEN[1::2], strict=True):
        assert not fitted & predicted
        assert fitted | predicted == set(range(60))
        assert fitted not in searched
        whole = {row // 5 for row in fitted} & {row // 5 for row in predicted}
        assert bool(whole) == (groups is None)
    assert found[BEST]["roc_auc"].tolist() == [1] * 4
    assert found[BEST]["brier"] == pytest.approx(0.01)
    assert found[""].keys() == found[BEST].keys()


def test_folds_within_a_baseline_keep_groups_whole():
    X, y = make_data()
    rows = np.arange(90)[::-1]
    for groups in (None, np.arange(120) // 3):
        known = np.arange(120) if groups is None else groups
        for model in experiments.make_baselines().values():
            folds = experiments.fit_clone(model, X, y, groups, rows, 7)[-1].cv
            assert len(folds) == 5
            for train, test in folds:
                assert {*train} | {*test} == {*range(90)}
                assert not {*known[rows[train]]} & {*known[rows[test]]}
                assert 0.2 < y[rows[test]].mean() < 0.8
            assert model[-1].cv == 5


def test_a_clone_takes_its_rows_and_seed_and_leaves_the_model_alone():
    X, y = make_data()
    network, rows = small_network(), np.arange(80)
    shuffled = experiments.without_order(network, seed=5)
    p = experiments.fit_clone(shuffled, X, y, None, rows, 7).predict_proba(X)
    again = network.set_params(seed=7).fit(
        shuffle_time(X[:80], seed=5), y[:80]
    )
    expected = again.predict_proba(shuffle_time(X, seed=5))
    np.testing.assert_array_equal(p, expected)
    assert not hasattr(shuffled[-1], "model_")
