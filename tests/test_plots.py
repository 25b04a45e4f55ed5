"""What figures show, and what cells display."""

import warnings
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_report import (
    make_comparison,
    make_controls,
    make_drops,
    make_search,
    make_training,
)

from helpers import explain, notebook, plots, report
from helpers.data import ExpressionData
from helpers.experiments import ABLATION
from helpers.models import MODELS


@pytest.fixture(autouse=True)
def nothing_left_open():
    yield
    plt.close("all")


@pytest.fixture
def shown(monkeypatch):
    """What cells displayed."""
    displayed = []
    monkeypatch.setattr(notebook, "display", displayed.append)
    return displayed


def make_data(n_genes, names=None):
    rng = np.random.default_rng(0)
    X = rng.random((8, 5, n_genes)).astype(np.float32)
    X[4:, :, -1] += 5  # the last gene tells the outcomes apart
    names = names or tuple(f"Gene_{g}" for g in range(n_genes))
    y = np.repeat([0, 1], 4)
    return ExpressionData(X, y, names, (0, 1, 2, 3, 4), ("0", "1"))


def values_of(ax):
    return np.concatenate([line.get_ydata() for line in ax.lines])


def labels_of(legend):
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize("n_genes", [1, 7, 24])
def test_profiles_show_the_genes_that_differ_most(n_genes):
    data = make_data(n_genes)
    gaps = report.describe_data(data, None)["mean_gaps"]
    figure = plots.plot_profiles(data, gaps)
    titles = [ax.get_title() for ax in figure.axes if ax.axison]
    assert len(titles) == min(10, n_genes)
    assert titles[-1] == data.genes[-1]
    assert labels_of(figure.legends[0]) == ["Outcome 0", "Outcome 1"]


def test_names_are_not_read_as_formulas():
    data = replace(make_data(1, ("$\\frac{$",)), classes=("$a$", "$\\wt$"))
    gaps = report.describe_data(data, None)["mean_gaps"]
    figure = plots.plot_profiles(data, gaps)
    figure.canvas.draw()
    labels = labels_of(figure.legends[0])
    assert labels == ["Outcome \\$a\\$", "Outcome \\$\\wt\\$"]


def test_training_marks_the_best_epoch():
    late = replace(make_training(), best_epoch=3)
    figure = plots.plot_training({"attention": make_training(), "LSTM": late})
    for ax, best in zip(figure.axes, (2, 3), strict=True):
        assert ax.get_title().endswith(f"\nlowest at epoch {best}")
        marked = [line for line in ax.lines if line.get_marker() == "v"]
        assert list(marked[0].get_xdata()) == [best]


def test_search_frames_the_winner():
    names = ["num_heads", "key_dim", "dropout_rate", "l2_reg"]
    rows = [
        dict(zip(names, values, strict=True))
        for values in np.ndindex(2, 2, 2, 2)
    ]
    for row, auc in zip(rows, np.linspace(0.5, 0.8, 16), strict=True):
        row |= {"roc_auc_mean": auc, "roc_auc_sd": 0.02}
    best = {name: rows[6][name] for name in names}  # 0, 1, 1, 0
    search = replace(make_search(), candidates=rows, best=best)
    ax, *_ = plots.plot_search(search).axes
    frame, *_ = (patch for patch in ax.patches if not patch.get_fill())
    x, y = frame.get_xy()
    assert (int(y), int(x)) == (1, 2)
    assert "0.620" in [text.get_text() for text in ax.texts]


def test_controls_and_ablation_show_every_seed():
    controls = make_controls()
    seen = values_of(plots.plot_controls(controls).axes[0])
    for row in controls.values():
        assert all(np.isin(row[name], seen).all() for name in MODELS)
    seen = values_of(plots.plot_ablation(controls).axes[0])
    for name in ABLATION.values():
        assert np.isin(controls["order only"][name], seen).all()


@pytest.mark.parametrize("known", [{}, {"known": [2]}])
def test_importance_shows_the_genes_that_matter_most(known):
    drops = make_drops([0], **known)
    drops |= {key: [0.0, 0.01, 0.1] for key in ("mean", "low", "high")}
    importance = {name: {"genes": drops, "windows": drops} for name in MODELS}
    names, times = ("a", "b", "$c$"), tuple(range(15))
    figure = plots.plot_importance(importance, names, times, most=2)
    figure.canvas.draw()
    left, right = figure.axes
    labels = left.get_xticklabels()
    assert [label.get_text() for label in labels] == ["b", "\\$c\\$"]
    assert labels[0].get_fontweight() == "normal"
    assert (labels[1].get_fontweight() == "bold") == bool(known)
    for ax in figure.axes:
        assert ("known to matter" in ax.get_title()) == bool(known)
    assert len(right.patches) == bool(known)


def test_significant_drops_are_filled():
    drops = make_drops([1])
    importance = {name: {"genes": drops, "windows": drops} for name in MODELS}
    figure = plots.plot_importance(importance, ("a", "b", "c"), range(15))
    filled = [
        line.get_ydata()
        for line in figure.axes[1].lines
        if line.get_marker() == "s" and line.get_markerfacecolor() != "white"
    ]
    assert [list(values) for values in filled] == [[0.05]]


def test_attention_is_shown_in_multiples_of_uniform():
    maps = {"attention": np.full((2, 4, 4), 0.25)}
    plots.plot_attention(maps, ("0", "1")).canvas.draw()  # can be shown
    maps["attention"][:, :, 0] += 0.15
    maps["attention"][:, :, 1:] -= 0.05
    figure = plots.plot_attention(maps, ("no", "yes"))
    figure.canvas.draw()
    image = figure.axes[0].images[0]
    assert image.get_array()[0, 0] == pytest.approx(1.6)
    assert image.get_clim() == pytest.approx((0.8, 1.6))


def test_comparison_shows_every_resample_and_the_held_out_curve():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 20)
    resamples = {name: {"roc_auc": rng.random(10)} for name in MODELS}
    predictions = {name: rng.random(40) for name in MODELS}
    comparison = make_comparison()
    for scores in comparison.held_out.values():
        scores |= {"roc_auc_low": 0.7, "roc_auc_high": 0.9}
    figure = plots.plot_comparison(resamples, y, predictions, comparison)
    left, right = figure.axes
    for scores in resamples.values():
        assert np.isin(scores["roc_auc"], values_of(left)).all()
    labels = labels_of(right.get_legend())
    assert labels[1] == "LSTM: 0.850 (0.70–0.90)"
    assert len(labels) == 3


def test_costs_are_drawn_for_every_model():
    costs = explain.describe_costs()
    for ax in plots.plot_costs(costs).axes:
        assert ax.get_xlabel() == "time points"
        assert len(ax.lines) == 3
    median = costs["models"]["LSTM"]["milliseconds"][400]["median"]
    assert median in values_of(ax)


def test_figures_are_saved_and_their_text_is_escaped(tmp_path, shown):
    figure, _ = plt.subplots()
    texts = {"caption": "&#60;script&#62; < 1", "alt": 'a "b" &#60;i&#62;'}
    notebook.show_figure(figure, "x", **texts, folder=tmp_path)
    image, caption = shown
    assert (tmp_path / "x.png").read_bytes() == image.data
    assert image.metadata["alt"] == 'a "b" <i>'
    assert image.metadata["caption"] == "<script> < 1"
    assert "<em>&lt;script&gt; &lt; 1</em>" in caption.data
    assert plt.get_fignums() == []


def test_tables_are_escaped_and_formatted(shown):
    rows = {
        "<b>": {"n": 1234, "roc_auc": {"mean": 0.12345, "sd": 0.2}},
        "b": {"n": 5, "p": 0.5, "quick": True},
    }
    notebook.show_table(rows, "name")
    table = shown[0].data
    assert "&lt;b&gt;" in table
    for cell in ("ROC AUC", "1,234", "0.123 ± 0.200", "0.500", "True", ""):
        assert f">{cell}</t" in table


def test_layers_are_counted(shown):
    model = MODELS["LSTM"].build((5, 3), **MODELS["LSTM"].largest)
    notebook.show_summary(model)
    assert f">{model.count_params():,}<" in shown[0].data
    assert "(n, 5, 3)" in shown[0].data


def test_search_is_tabulated_best_first():
    table = make_search().tabulate(top=2)
    assert list(table) == [1, 2]
    assert table[1]["units"] == "3"
    assert table[1]["log_loss"] == {"mean": 0.7, "sd": 0.7}


def test_time_is_taken():
    timings = {}
    with notebook.timed(timings, "nothing"):
        pass
    assert timings == {"nothing": 0.0}


def test_warnings_become_notes(shown, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)
    notebook.show_warnings_as_notes()
    warnings.showwarning("a <b>", UserWarning, "file.py", 3)
    assert "a &lt;b&gt;" in shown[0].data
    assert "file.py" not in shown[0].data
