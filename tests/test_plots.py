from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers import captions, costs, plots
from helpers.data import ExpressionData


@pytest.fixture(autouse=True)
def nothing_left_open():
    yield
    plt.close("all")


def make_data(n_genes, names=None):
    rng = np.random.default_rng(0)
    X = rng.random((8, 5, n_genes)).astype(np.float32)
    X[4:, :, -1] += 5  # the last gene tells the outcomes apart
    names = names or tuple(f"Gene_{g}" for g in range(n_genes))
    y = np.repeat([0, 1], 4)
    return ExpressionData(X, y, names, (0, 1, 2, 3, 4), ("0", "1"))


@pytest.mark.parametrize("n_genes", [1, 7, 24])
def test_profiles_show_the_genes_that_differ_most(n_genes):
    data = make_data(n_genes)
    figure = plots.plot_profiles(data)
    titles = [ax.get_title() for ax in figure.axes if ax.axison]
    assert len(titles) == min(10, n_genes)
    assert titles[-1] == data.genes[-1]
    text = captions.caption_profiles(data)
    assert text["alt"].split("differences: ")[1].startswith(data.genes[-1])


def test_names_are_not_read_as_formulas():
    data = make_data(1, names=("$\\frac{$",))
    figure = plots.plot_profiles(replace(data, classes=("$a$", "$\\wt$")))
    figure.canvas.draw()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["Outcome \\$a\\$", "Outcome \\$\\wt\\$"]


def make_history(values):
    history = pd.DataFrame({"loss": values, "val_loss": values})
    history.index = pd.RangeIndex(1, len(values) + 1)
    return history


def test_training_marks_the_best_epoch():
    histories = {"attention": make_history([3.0, 1.0, 2.0]),
                 "LSTM": make_history([3.0, 2.0, 1.5])}  # fmt: skip
    figure = plots.plot_training(histories, budget=2)
    assert isinstance(figure, Figure)
    for ax, best in zip(figure.axes, (2, 3), strict=True):
        assert ax.get_title().endswith(f"\nlowest at epoch {best}")
        assert ax.get_xlabel() == "epoch"


def test_grid_frames_the_winner():
    rows = [(h, k, d, r) for h in (2, 3) for k in (5, 10) for d in (0.1, 0.3)
            for r in (0.01, 0.02)]  # fmt: skip
    names = ["num_heads", "key_dim", "dropout_rate", "l2_reg"]
    table = pd.DataFrame(rows, columns=names)
    table["roc_auc_mean"] = np.linspace(0.8, 0.5, 16)
    table["roc_auc_sd"] = 0.02
    table = table.iloc[[6, *range(6), *range(7, 16)]]  # best: 2, 10, 0.3, 0.01
    figure = plots.plot_grid(table, names)
    frame = [p for p in figure.axes[0].patches if not p.get_fill()]
    x, y = frame[0].get_xy()
    assert (int(y), int(x)) == (1, 2)
    assert "0.300" in captions.caption_grid(table)["caption"]


def make_controls():
    rng = np.random.default_rng(0)
    names = {*plots.ABLATION.values(), *plots.MODELS, "best possible"}
    return {
        setting: {name: list(rng.uniform(0.5, 1, 3)) for name in sorted(names)}
        for setting in ("both", "order only", "nothing")
    }


def test_controls_and_ablation_show_every_seed():
    controls = make_controls()
    ax = plots.plot_controls(controls).axes[0]
    shown = np.concatenate([line.get_ydata() for line in ax.lines])
    for row in controls.values():
        for name in plots.MODELS:
            assert np.isin(row[name], shown).all()
    ax = plots.plot_ablation(controls).axes[0]
    shown = np.concatenate([line.get_ydata() for line in ax.lines])
    row = controls["order only"]
    assert all(np.isin(row[name], shown).all()
               for name in plots.ABLATION.values())  # fmt: skip
    text = captions.caption_controls(controls)["alt"]
    assert f"LSTM {np.mean(controls['both']['LSTM']):.2f}" in text
    text = captions.caption_ablation(controls)["alt"]
    assert f"slow waves {np.mean(row['attention + time']):.3f}" in text


@pytest.mark.parametrize("known", [[11], None])
@pytest.mark.parametrize("n_genes", [2, 12])
def test_importance_shows_the_genes_that_matter_most(n_genes, known):
    mean = np.linspace(0, 0.1, n_genes)
    genes = {"mean": mean, "low": mean - 0.01, "high": mean + 0.01,
             "found": [n_genes - 1]}  # fmt: skip
    windows = {key: [0.0, 0.1] for key in ("mean", "low", "high")}
    windows["found"] = []
    if known:
        genes["known"], windows["known"] = known, [1]
    found = {name: {"genes": genes, "windows": windows}
             for name in plots.MODELS}  # fmt: skip
    names = tuple(f"g_{i}$" for i in range(n_genes))
    figure = plots.plot_importance(found, names, tuple(range(10)))
    figure.canvas.draw()
    labels = figure.axes[0].get_xticklabels()
    assert len(labels) == min(10, n_genes)
    assert labels[-1].get_text() == f"g_{n_genes - 1}\\$"
    bold = labels[-1].get_fontweight() == "bold"
    assert bold == bool(known and n_genes == 12)
    titles = [ax.get_title() for ax in figure.axes]
    assert all(("known to matter" in t) == bool(known) for t in titles)
    assert len(figure.axes[1].patches) == bool(known)
    text = captions.caption_importance(found, names)["alt"]
    assert f"LSTM most of all g_{n_genes - 1}$ (0.100)" in text


def test_attention_is_shown_in_multiples_of_uniform():
    maps = {"attention": np.full((2, 4, 4), 0.25)}
    maps["attention"][:, :, 0] += 0.15
    maps["attention"][:, :, 1:] -= 0.05
    figure = plots.plot_attention(maps, ("no", "yes"))
    figure.canvas.draw()
    image = figure.axes[0].images[0]
    assert image.get_array()[0, 0] == pytest.approx(1.6)
    assert image.get_clim() == pytest.approx((0.8, 1.6))
    text = captions.caption_attention(maps)["alt"]
    assert "from 0.80 to 1.60 times uniform" in text


def test_uniform_attention_can_be_shown():
    maps = {"attention": np.full((2, 3, 3), 1 / 3)}
    plots.plot_attention(maps, ("0", "1")).canvas.draw()


def test_comparison_shows_every_resample_and_the_held_out_curve():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 20)
    resamples = {n: {"roc_auc": rng.random(10)} for n in plots.MODELS}
    predictions = {name: rng.random(40) for name in plots.MODELS}
    held_out = {"roc_auc": 0.8, "roc_auc_low": 0.7, "roc_auc_high": 0.9}
    models = {name: {"held_out": held_out} for name in plots.MODELS}
    figure = plots.plot_comparison(
        resamples, y, predictions, {"models": models}
    )
    left, right = figure.axes
    shown = np.concatenate([line.get_ydata() for line in left.lines])
    for found in resamples.values():
        assert np.isin(found["roc_auc"], shown).all()
    texts = [text.get_text() for text in right.get_legend().get_texts()]
    assert texts[1] == "LSTM: 0.800 (0.70–0.90)"
    assert len(texts) == 3


def test_costs_are_drawn_for_every_model():
    found = costs.describe_costs()
    figure = plots.plot_costs(found)
    for ax in figure.axes:
        assert ax.get_xlabel() == "time points"
        assert len(ax.lines) == 3
    ms = found["models"]["LSTM"]["milliseconds"][400]["median"]
    assert f"{ms:.0f} ms at 400" in captions.caption_costs(found)["alt"]
    assert found["machine"] in captions.caption_costs(found)["caption"]
