import numpy as np
import pytest

from helpers.importance import (
    average_attention,
    judge_found,
    list_windows,
    permute_features,
    summarise_importance,
)
from helpers.models import (
    build_attention_model,
    build_positional_attention_model,
)
from helpers.search import make_classifier


class Reader:
    """A 'classifier' whose probability is a function of the series."""

    def __init__(self, read):
        self.read = read

    def predict_proba(self, X):
        p = self.read(X)
        return np.column_stack([1 - p, p])


def make_data(n=300, T=12, G=3):
    X = np.random.default_rng(0).random((n, T, G)).astype(np.float32)
    return X, (X[:, 6, 1] > 0.5).astype(int)  # gene 1 in the second window


def test_windows_cover_the_time_axis_once():
    for T in (1, 5, 12, 50):
        covered = [t for w in list_windows(T) for t in range(T)[w]]
        assert covered == list(range(T))
    assert len(list_windows(12)) == 3


def test_what_is_read_is_what_matters():
    X, y = make_data()
    before = X.copy()
    found = permute_features(Reader(lambda X: X[:, 6, 1]), X, y, seed=1)
    np.testing.assert_array_equal(X, before)
    assert found["genes"][1] > 0.4
    assert found["windows"][1] > 0.4
    assert found["genes"][[0, 2]].tolist() == [0, 0]
    assert found["windows"][[0, 2]].tolist() == [0, 0]


def test_a_reader_without_order_finds_no_window():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 1000)
    X = rng.random((2000, 10, 2)) + y[:, None, None]
    blind = Reader(lambda X: X[:, :, 0].mean(axis=1) / 2)
    falls = permute_features(blind, X, y, seed=1)["windows"]
    assert np.ptp(falls) < 0.02


def test_importance_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    falls = rng.normal(0, 0.01, (10, 20))
    falls[:, 3] += 0.05
    found = summarise_importance(falls, test_share=0.25)
    assert found["found"] == [3]
    assert found["low"][3] < found["mean"][3] < found["high"][3]
    none = [
        summarise_importance(rng.normal(0, 0.01, (10, 20)), 0.25)["found"]
        for _ in range(300)
    ]
    assert np.mean([bool(f) for f in none]) < 0.05


def test_even_importance_stands_out_nowhere():
    rng = np.random.default_rng(0)
    even = rng.normal(0.1, 0.01, (10, 10)) + rng.normal(0, 0.02, (10, 1))
    assert len(summarise_importance(even, 0.25)["found"]) == 10
    above = summarise_importance(even, 0.25, above_average=True)
    assert above["found"] == []
    even[:, 4] += 0.05
    above = summarise_importance(even, 0.25, above_average=True)
    assert above["found"] == [4]


def test_precision_and_recall_of_known_sets():
    found = judge_found([0, 1, 5], [0, 1, 2, 3])
    assert found == {"precision": pytest.approx(2 / 3), "recall": 0.5}
    assert judge_found([], [1]) == {"precision": None, "recall": 0.0}
    assert judge_found([1], []) == {"precision": 0.0, "recall": None}


@pytest.mark.parametrize(
    "build", [build_attention_model, build_positional_attention_model]
)
def test_attention_is_averaged_by_outcome(build):
    X, y = make_data(n=150)
    classifier = make_classifier(
        build, X.shape[1:], epochs=1, num_heads=2, key_dim=3,
        dropout_rate=0.1, l2_reg=0.01,
    )  # fmt: skip
    classifier.fit(X, y)
    maps = average_attention(classifier, X, y)
    assert maps.shape == (2, 12, 12)
    np.testing.assert_allclose(maps.sum(axis=2), 1, rtol=1e-5)  # weights
    assert np.ptp(maps) > 1e-3  # not uniform
    together = average_attention(classifier, np.tile(X, (2, 1, 1)),
                                 np.tile(y, 2))  # fmt: skip
    np.testing.assert_allclose(maps, together, rtol=1e-4)
