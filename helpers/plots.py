"""Every figure. Each function returns a Figure and shows nothing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import GridSearchCV

from helpers.data import ExpressionData
from helpers.search import fold_scores
from helpers.summary import mean_gaps

# Okabe & Ito's colours differ for colour-blind readers; the line styles and
# markers differ in greyscale too.
MODELS = {
    "attention": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "LSTM": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
}
CLASSES = ({"color": "#56B4E9", "linestyle": "--"}, {"color": "#000000"})
GREY = "#595959"
WIDTH = 8.0  # inches, the width of the page
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.frameon": False,
}


def plot_profiles(data: ExpressionData, most: int = 10) -> Figure:
    """Mean expression over time by outcome, with 95 % intervals of the mean,
    for the `most` genes at which the outcomes differ most."""
    groups = [data.X[data.y == c].astype(np.float64) for c in (0, 1)]
    means = [g.mean(axis=0) for g in groups]  # (T, G)
    errors = [g.std(axis=0) / np.sqrt(len(g)) for g in groups]
    gaps = mean_gaps(data)
    chosen = np.sort(np.argsort(-gaps, kind="stable")[:most])
    columns = min(5, len(chosen))
    rows = -(-len(chosen) // columns)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows, columns, figsize=(WIDTH, 0.6 + 1.5 * rows), squeeze=False,
            sharex=True, sharey=True,
        )  # fmt: skip
        for ax, gene in zip(axes.flat, chosen, strict=False):
            for label, (m, e) in enumerate(zip(means, errors, strict=True)):
                low, high = m - 1.96 * e, m + 1.96 * e
                line = {"lw": 1.3, "label": f"Outcome {data.classes[label]}"}
                ax.plot(data.times, m[:, gene], **line, **CLASSES[label])
                ax.fill_between(
                    data.times, low[:, gene], high[:, gene], alpha=0.3, lw=0,
                    color=CLASSES[label]["color"],
                )  # fmt: skip
            ax.set_title(_plain(data.genes[gene]))
        for ax in axes.flat[len(chosen) :]:
            ax.set_axis_off()
        figure.supxlabel("time point", fontsize=10)
        figure.supylabel("mean expression", fontsize=10)
        handles = axes.flat[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=2)
    return figure


def plot_grid(table: pd.DataFrame, names: list[str]) -> Figure:
    """Heat map of mean ROC AUC over folds: the first two of the parameter
    `names` as rows, the other two as columns, the winner framed."""
    half = len(names) // 2
    axes_names = names[:half], names[half:]
    grid = table.pivot_table(
        "roc_auc_mean", *map(list, axes_names), sort=False
    )
    grid = grid.sort_index(axis=0).sort_index(axis=1)
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 3.2))
        middle = table["roc_auc_mean"].mean()
        sd = table["roc_auc_sd"].mean()
        sns.heatmap(
            grid, annot=True, fmt=".3f", cmap="cividis", linewidths=1, ax=ax,
            # at least as wide as the spread over folds: noise stays pale
            vmin=min(grid.min(axis=None), middle - sd),
            vmax=max(grid.max(axis=None), middle + sd),
            cbar_kws={"label": "mean ROC AUC over folds"},
        )  # fmt: skip
        best = table.iloc[0]
        row = list(grid.index).index(tuple(best[n] for n in axes_names[0]))
        col = list(grid.columns).index(tuple(best[n] for n in axes_names[1]))
        frame = plt.Rectangle(
            (col + 0.04, row + 0.04), 0.92, 0.92, fill=False, lw=3, ec="red"
        )
        ax.add_patch(frame)
        ax.set_yticklabels(_settings(grid.index), rotation=0)
        ax.set_xticklabels(_settings(grid.columns), rotation=0)
        ax.set(xlabel="", ylabel="")
    return figure


def plot_training(histories: dict[str, pd.DataFrame], budget: int) -> Figure:
    """Training and validation loss over epochs, a panel per model, with the
    best epoch and the epoch `budget` of the search marked."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(histories), figsize=(WIDTH, 3.4), squeeze=False, sharey=True
        )
        for ax, name in zip(axes.flat, histories, strict=True):
            _plot_losses(ax, name, histories[name])
            ax.axvline(budget, color="#BBBBBB", lw=1, zorder=0)
            where = {"transform": ax.get_xaxis_transform(), "va": "top"}
            label = f" {budget} epochs: the search"
            ax.text(budget, 1, label, color=GREY, fontsize=9, **where)
        axes.flat[0].set_ylabel("loss (cross-entropy + l2 penalty)")
    return figure


def _plot_losses(ax, name, history):
    color = MODELS[name]["color"]
    lines = {"loss": ("training", GREY, ":"),
             "val_loss": ("validation", color, "-")}  # fmt: skip
    for column, (label, dark, style) in lines.items():
        ax.plot(history[column], color=dark, linestyle=style)
        end = history.index[-1], history[column].iloc[-1]
        ax.annotate(label, end, (4, 0), textcoords="offset points",
                    va="center", color=dark)  # fmt: skip
    best = history["val_loss"].idxmin()
    lowest = history["val_loss"][best]
    ax.plot(best, lowest, "v", color=color, ms=8, clip_on=False)
    ax.set(title=f"{name}: lowest at epoch {best}", xlabel="epoch")
    ax.margins(y=0.12)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def plot_comparison(
    searches: dict[str, GridSearchCV],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
) -> Figure:
    """Left: ROC AUC of each fold at the best settings, joined where it is
    the same fold. Right: ROC curves on the held-out samples."""
    folds = {k: fold_scores(s)[s.best_index_] for k, s in searches.items()}
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, 3.8), width_ratios=(1, 1.25)
        )
        names = list(folds)
        values = np.array([folds[name] for name in names])  # (models, folds)
        left.plot(names, values, color="#BBBBBB", lw=1, zorder=1)
        for name in names:
            style = MODELS[name] | {"linestyle": "none"}
            left.plot([name] * len(folds[name]), folds[name], **style)
        left.axhline(0.5, color=GREY, lw=1, ls=":")
        left.text(0.5, 0.5, "chance", va="bottom", ha="center",
                  color=GREY)  # fmt: skip
        left.set_ylabel("ROC AUC of a fold")
        left.set_title("cross-validation, best settings")
        left.margins(x=0.3)
        for name in names:
            x, height, _ = roc_curve(y, predictions[name])
            style = MODELS[name] | {"marker": "", "drawstyle": "steps-post"}
            label = f"{name}: {roc_auc_score(y, predictions[name]):.3f}"
            right.plot(x, height, label=label, **style)
        right.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
        right.legend(title="ROC AUC", loc="lower right")
        right.set_xlabel("false positive rate")
        right.set_ylabel("true positive rate")
        right.set_title("held-out samples")
    return figure


def _settings(index):
    return [
        "\n".join(
            f"{k} {v:g}" for k, v in zip(index.names, values, strict=True)
        )
        for values in index
    ]


def _plain(name):
    """Keep matplotlib from reading a gene's name as mathematics."""
    return name.replace("$", r"\$")[:20]
