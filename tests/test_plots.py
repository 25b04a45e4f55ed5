import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from helpers import plots, report
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
    text = report.caption_profiles(data)
    assert text["alt"].split("differences: ")[1].startswith(data.genes[-1])


def test_gene_names_are_not_read_as_formulas():
    figure = plots.plot_profiles(make_data(1, names=("$\\frac{$",)))
    figure.canvas.draw()


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
        assert ax.get_title().endswith(f": lowest at epoch {best}")
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
    assert "0.300" in report.caption_grid(table)["caption"]
