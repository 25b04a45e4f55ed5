"""What figures show."""

from dataclasses import replace

import fakes
import matplotlib.pyplot as plt
import numpy as np
import pytest
from fakes import AWARE

from helpers import plots
from helpers.experiments import ALL_VALUES, BEST, CURES
from helpers.explain import Attention
from helpers.models import MODELS

ODD, UNEVEN = ("$a$", "$\\wt$"), (0, 1, 2.5, 7, 20)  # no formulas


@pytest.fixture(autouse=True)
def nothing_left_open():
    yield
    plt.close("all")


def draw(figure):
    """Return what a figure shows: its panels and the words in it."""
    figure.canvas.draw()
    words = [text.get_text() for text in figure.findobj(plt.Text)]
    return figure.get_axes(), {word for word in words if word}


def values_of(ax, axis="x"):
    lines = [getattr(line, f"get_{axis}data")() for line in ax.lines]
    return np.concatenate(lines)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("genes", [ODD[:1], ("A", *ODD)])
def test_data_are_shown_by_sample_and_by_outcome(genes, known):
    data, truth = fakes.make_data(genes, ODD, UNEVEN)
    truth = replace(truth, genes=truth.genes[: len(genes)]) if known else None
    data = replace(data, time_unit="$h")
    axes, words = draw(plots.plot_data(data, truth))
    assert len(axes) == 4 + len(genes)
    assert {"Outcome \\$a\\$", "mean of \\$a\\$", "time point [\\$h]"} <= words
    for ax in axes[:4]:  # the values of one sample as dots
        dots = ax.lines[0].get_ydata()
        assert (data.X[:, :, -2:] == dots[:, None]).all(axis=1).any()
    mean = data.X[data.y == 1][:, :, 0].mean(axis=0)
    assert values_of(axes[4], "y")[-5:] == pytest.approx(mean)


def test_layers_are_boxes_with_shapes():
    model = MODELS["attention"].build((5, 3))
    _, words = draw(plots.plot_layers(model))
    assert {"self\nattention", "probability", "5 x 3", "1"} <= words


@pytest.mark.parametrize("n", [1, 4])
def test_search_shows_candidates_best_first(n):
    search = fakes.make_search(best=0, kinds=(0.8, 0.7, 0.6, 0.5), n=n)
    [ax], words = draw(plots.plot_search(search))
    winner = ax.lines[-1]
    assert (*winner.get_xdata(), *winner.get_ydata()) == (0, n - 1)
    assert n == 1 or "3, 3, clock + trend" in words
    ends = ax.collections[0].get_segments()[-1][:, 0]
    assert ends == pytest.approx([-0.001, 0.001])


def test_training_marks_the_best_epoch():
    late = fakes.make_training((1, 0.9, 0.8))
    trainings = {"attention": fakes.make_training(), "LSTM": late}
    [ax], words = draw(plots.plot_training(trainings))
    assert {"attention, validation", "LSTM, training"} <= words
    marked = [[*ax.lines[i].get_xdata()] for i in (2, 6)]
    assert marked == [[2], [3]]
    draw(plots.plot_training({"LSTM": late}))


def test_means_and_comparison_show_every_model_best_on_top():
    comparison = fakes.make_comparison(**{ALL_VALUES: 0.3})
    [ax], words = draw(plots.plot_means(comparison))
    assert {"0.89", "0.95", "0.30"} <= words
    assert ax.get_xlim()[0] < 0.3
    assert all(text.get_position()[0] > 0.5 for text in ax.texts)  # at bars
    rng = np.random.default_rng(0)
    aucs = {name: {"roc_auc": rng.random(3)} for name in comparison.models}
    [bx], _ = draw(plots.plot_comparison(comparison, aucs))
    for labels in (ax.get_yticklabels(), bx.get_yticklabels()):
        labels = [label.get_text() for label in labels]
        assert (labels[0], labels[-2:]) == (ALL_VALUES, [AWARE, BEST])
    for name, scores in aucs.items():
        held_out = comparison.models[name]["held_out"]["roc_auc"]
        assert np.isin([*scores["roc_auc"], held_out], values_of(bx)).all()


def test_controls_show_every_seed():
    controls = fakes.make_controls()
    axes, words = draw(plots.plot_controls(controls, [*controls]))
    for ax, kind in zip(axes, controls, strict=True):
        assert ax.get_title(loc="left") == kind
        seen = values_of(ax)
        assert controls.means[kind][BEST] in seen
        for name in controls[kind].keys() - {BEST}:
            assert np.isin(controls[kind][name], seen).all()
    assert {*CURES, *MODELS, ALL_VALUES} <= words


@pytest.mark.parametrize("n", [3, 14])
def test_importance_shows_genes_and_windows(n):
    drops = {"index": [*range(1, n + 1)], "significant": [2]}
    drops |= {key: np.arange(n) / 100 for key in ("mean", "low", "high")}
    importance = {"genes": dict.fromkeys(MODELS, drops)}
    names, times = (*"ab", "$i$", *"d" * n), (*range(10), 20, 21, 22, 23, 30)
    data = replace(fakes.make_data()[0], genes=names, times=times)
    [left], _ = draw(plots.plot_importance(importance, data))
    labels = [label.get_text() for label in left.get_xticklabels()]
    assert labels == ["b", "\\$i\\$", *"d" * (n - 2)]
    marks = [line for line in left.lines if line.get_marker() == "s"]
    assert [*marks[1].get_ydata()] == [0.01]  # filled: what is significant
    importance["windows"] = {AWARE: fakes.make_drops([1])}
    _, right = draw(plots.plot_importance(importance, data))[0]
    places = right.lines[1].get_xdata() - right.lines[1].get_xdata()[0]
    assert places == pytest.approx([0, 5, 21.2])  # means of times


def test_attention_is_shown_in_multiples_of_an_even_share():
    data = replace(fakes.make_data()[0], genes=("A", *ODD), times=UNEVEN)
    rows = np.array([3, 7, 9])
    related = {"genes": [0.1, -0.5, 0.3], "time_share": 0.125}
    maps, received = np.full((2, 5, 5), 0.2), np.ones((3, 5))
    even = {"attention": Attention(maps, received)}
    relations = dict.fromkeys(MODELS, related)
    uneven = maps + np.array([0.12, -0.03, -0.03, -0.03, -0.03])
    values = data.X[rows][:, :, 1]
    attention = even | {AWARE: Attention(uneven, 2 * values)}
    figure = plots.plot_attention(attention, relations, data, rows)
    axes, words = draw(figure)
    image = axes[2].collections[0]
    assert image.get_array()[0, 0] == pytest.approx(1.6)
    assert image.get_clim() == pytest.approx((1 / 1.6, 1.6))
    seen, means = axes[3].lines[0].get_data()
    assert np.array(means) == pytest.approx(2 * np.array(seen), rel=1e-5)
    assert {f"{AWARE} (time: 12%)", "expression of \\$a\\$"} <= words


def test_costs_are_drawn_for_every_model():
    axes, words = draw(plots.plot_costs(fakes.make_costs()))
    found = [[*values_of(ax, "y")] for ax in axes]
    assert found == [[10, 2560] * 3, [2, 2] * 3]
    assert {*MODELS} <= words
