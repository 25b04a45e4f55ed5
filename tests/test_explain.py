from functools import partial

import keras
import numpy as np
import pytest

from helpers import explain
from helpers.models import (
    MODELS,
    build_attention_model,
    build_lstm_model,
    build_time_aware_model,
)
from helpers.training import build_seeded


def make_data(n=300, T=12, G=3):
    X = np.random.default_rng(0).random((n, T, G)).astype(np.float32)
    return X, (X[:, 6, 1] > 0.5).astype(int)  # gene 1 in the second window


class Fake:
    """A classifier that predicts what a function says."""

    def __init__(self, predict):
        self.predict = predict

    def predict_proba(self, X):
        p = self.predict(X)
        return np.stack([1 - p, p], axis=1)


def test_windows_cover_the_time_axis_once():
    for T in (1, 5, 12, 50):
        covered = [t for w in explain.list_windows(T) for t in range(T)[w]]
        assert covered == list(range(T))


def test_what_is_read_is_what_matters():
    X, y = make_data()
    before = X.copy()
    model = Fake(lambda X: X[:, 6, 1])
    measure = partial(explain.permutation_importance, model, X, y, seed=1)
    drops = measure(genes=[2, 1], windows=True)
    np.testing.assert_array_equal(X, before)
    assert drops["genes"][0] == 0  # in the order asked for
    assert drops["genes"][1] > 0.4
    assert drops["windows"][1] > 0.4
    assert drops["windows"][[0, 2]].tolist() == [0, 0]
    assert measure(genes=[], windows=False).keys() == {"genes"}


def weigh_genes(genes, weights):
    """Return a model of 40 genes that weighs some."""
    kernel = np.zeros((40, 1), np.float32)
    kernel[genes, 0] = weights
    return lambda X: X @ kernel


def test_promising_genes_are_those_that_any_model_uses():
    X, _ = make_data(T=7, G=40)
    models = [weigh_genes([7, 9], [-1e3, 10])]
    models.append(weigh_genes([31, 8], [1e-3, 1e-4]))
    assert explain.promising_genes(models, X, most=2) == [7, 31]
    assert explain.promising_genes(models, X, most=4) == [7, 8, 9, 31]
    assert len(explain.promising_genes(models, X)) == explain.MOST_GENES
    assert explain.promising_genes(models, X[:, :, :3]) == [0, 1, 2]


@pytest.mark.parametrize("name", ["attention", "LSTM"])
def test_promising_genes_are_found_in_a_trained_model(name):
    X, _ = make_data(n=400, T=7, G=40)
    y = (X[:, :, [7, 31]].mean(axis=(1, 2)) > 0.5).astype(int)
    model = build_seeded(MODELS[name].build, 0, (7, 40))
    model.optimizer.learning_rate = 0.01
    model.fit(X - 0.5, y, epochs=10)
    assert {7, 31} <= {*explain.promising_genes([model], X - 0.5, most=4)}


def test_shuffling_keeps_time_points_whole():
    X = np.arange(2 * 30 * 3).reshape(2, 30, 3)
    shuffled = explain.shuffle_time(X, seed=0)
    for sample, original in zip(shuffled, X, strict=True):
        assert not np.array_equal(sample, original)
        order = np.argsort(sample[:, 0])
        np.testing.assert_array_equal(sample[order], original)


def test_order_sensitivity_tells_what_reads_order():
    X = np.random.default_rng(0).random((50, 20, 2))
    mean, first = (
        Fake(lambda X: X[:, :, 0].mean(1)),
        Fake(lambda X: X[:, 0, 0]),
    )
    blind = explain.order_sensitivity(mean, X, seed=1)
    assert blind["largest"] < 1e-12
    reads = explain.order_sensitivity(first, X, seed=1)
    assert 0.2 < reads["mean"] < reads["largest"] <= 1


@pytest.mark.parametrize(
    "build", [build_attention_model, build_time_aware_model]
)
def test_attention_is_averaged_by_outcome(build):
    X, y = make_data(n=150)
    X *= 3
    model = build(X.shape[1:], 2, 3, 0.1, 0.01)
    maps, received = vars(explain.read_attention(model, X, y)).values()
    np.testing.assert_allclose(maps.sum(axis=2), 1, rtol=1e-5)  # weights
    np.testing.assert_allclose(received.mean(axis=1), 1, rtol=1e-5)
    assert np.ptp(maps) > 1e-3  # not uniform
    for outcome in (0, 1):
        mean = received[y == outcome].mean(axis=0)
        np.testing.assert_allclose(maps[outcome].sum(axis=0), mean, rtol=1e-4)
    one = explain.read_attention(model, X[:70], y[:70]).received
    np.testing.assert_allclose(one, received[:70], rtol=1e-4)


def relate(received, X):
    maps = np.full((2, 12, 12), 1 / 12)
    maps[1, 0, :2] += 0.02, -0.02
    return explain.relate_attention(explain.Attention(maps, received), X)


def test_attention_goes_with_time_or_with_a_gene():
    X, _ = make_data()
    X[:, :, 2] = 7  # a constant gene
    time = relate(np.tile(np.linspace(0.5, 1.5, 12), (300, 1)), X)
    assert time["time_share"] == pytest.approx(1)
    assert time["genes"] == pytest.approx([0, 0, 0], abs=1e-5)
    assert time["between_outcomes"] == pytest.approx(0.24)
    assert time["to_itself"] == pytest.approx(1.01)
    received = 1 - 0.1 * (X[:, :, 1] - X[:, :, 1].mean(axis=0))
    gene = relate(received, X)
    assert gene["time_share"] == pytest.approx(0)
    assert gene["genes"] == pytest.approx([0, -1, 0], abs=0.05)
    both = relate(received + 0.03 * np.linspace(-1, 1, 12), X)
    assert 0.1 < both["time_share"] < 0.9
    assert both["genes"] == pytest.approx(gene["genes"])


def test_multiply_adds_of_known_models():
    # 4 projections of 50 x 10 x 10, scores and sums of 50 x 50 x 10, head
    attention = build_attention_model((50, 10), 2, 5, 0.1, 0.01)
    assert explain.count_multiply_adds(attention) == 20_000 + 50_000 + 10
    # 50 steps of 4 gates of (10 + 8) x 8, head
    lstm = build_lstm_model((50, 10), 8, 0.1, 0.01)
    assert explain.count_multiply_adds(lstm) == 50 * 4 * 18 * 8 + 8
    # clock and trend: 16 features more in, and out of, every projection;
    # slopes of 10 genes by a 50 x 50 matrix
    aware = build_time_aware_model((50, 10), 2, 5, 0.1, 0.01)
    assert explain.count_multiply_adds(aware) == 25_000 + 52_000 + 50_000 + 26
    unknown = keras.Sequential([keras.Input((50, 10)), keras.layers.GRU(2)])
    with pytest.raises(TypeError, match="cannot count"):
        explain.count_multiply_adds(unknown)
