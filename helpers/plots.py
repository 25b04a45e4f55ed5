"""Every figure. Each function returns a Figure and shows nothing."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import roc_curve

from helpers.data import ExpressionData
from helpers.experiments import ABLATION
from helpers.importance import list_windows
from helpers.summary import mean_gaps

# Okabe & Ito's colours differ for colour-blind readers; the line styles and
# markers differ in greyscale too.
MODELS = {
    "attention": {"color": "#0072B2", "marker": "o", "linestyle": "-"},
    "LSTM": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "attention + time": {"color": "#009E73", "marker": "^",
                         "linestyle": "-."},
}  # fmt: skip
CLASSES = ({"color": "#56B4E9", "linestyle": "--"}, {"color": "#000000"})
GREY = "#595959"
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1}
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
                name = f"Outcome {_plain(data.classes[label])}"
                line = {"lw": 1.3, "label": name} | CLASSES[label]
                ax.plot(data.times, m[:, gene], **line)
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
            grid, annot=True, fmt=".3f", linewidths=1, ax=ax,
            cmap=sns.light_palette("#56B4E9", as_cmap=True),
            annot_kws={"color": "black"},
            # at least as wide as the spread over folds: noise stays pale
            vmin=min(grid.min(axis=None), middle - sd),
            vmax=max(grid.max(axis=None), middle + sd),
            cbar_kws={"label": "mean ROC AUC over folds"},
        )  # fmt: skip
        best = table.iloc[0]
        row = list(grid.index).index(tuple(best[n] for n in axes_names[0]))
        col = list(grid.columns).index(tuple(best[n] for n in axes_names[1]))
        frame = plt.Rectangle(
            (col + 0.04, row + 0.04), 0.92, 0.92, fill=False, lw=3, ec="black"
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
        where = {"transform": axes[0, 0].get_xaxis_transform(), "va": "top"}
        label = f" {budget} epochs: the search"
        axes[0, 0].text(budget, 1, label, color=GREY, fontsize=9, **where)
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
    ax.set(title=f"{name}:\nlowest at epoch {best}", xlabel="epoch")
    ax.margins(y=0.12)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def plot_comparison(
    resamples: dict[str, dict[str, np.ndarray]],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    comparison: dict,
) -> Figure:
    """Left: ROC AUC of each resample, joined where it is the same one, and
    the means. Right: ROC curves on the held-out samples, with the area and
    its interval out of `comparison`."""
    values = np.array([resamples[name]["roc_auc"] for name in MODELS])
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, 3.8), width_ratios=(1, 1.15)
        )
        left.plot(values, color="#BBBBBB", lw=1, zorder=1)
        for x, (name, style) in enumerate(MODELS.items()):
            dots = style | {"linestyle": "none"}
            left.plot([x] * len(values[x]), values[x], alpha=0.6, **dots)
            mean = values[x].mean()
            left.hlines(mean, x - 0.25, x + 0.25, color="black", lw=2)
            left.annotate(f"{mean:.3f}", (x + 0.3, mean), va="center",
                          bbox=WHITE)  # fmt: skip
            height, width, _ = roc_curve(y, predictions[name])
            line = style | {"marker": "", "drawstyle": "steps-post"}
            found = comparison["models"][name]["held_out"]
            low, high = found["roc_auc_low"], found["roc_auc_high"]
            label = f"{name}: {found['roc_auc']:.3f} ({low:.2f}–{high:.2f})"
            right.plot(height, width, label=label, **line)
        _mark_chance(left)
        left.set_xticks(range(len(MODELS)), [_wrap(n) for n in MODELS])
        left.set_ylabel("ROC AUC of a resample")
        left.set_title("resamples of the training set")
        left.set_xlim(-0.5, len(MODELS) - 0.2)
        right.plot([0, 1], [0, 1], color=GREY, lw=1, ls=":")
        right.legend(title="ROC AUC (95 % interval)", loc="lower right")
        right.set_xlabel("false positive rate")
        right.set_ylabel("true positive rate")
        right.set_title("held-out samples")
    return figure


def plot_ablation(controls: dict) -> Figure:
    """ROC AUC of each seed by kind of time features, order-only data."""
    row = controls["order only"]
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 2.8))
        for x, name in enumerate(ABLATION.values()):
            style = MODELS["attention + time" if x else "attention"]
            dots = style | {"linestyle": "none"}
            ax.plot([x] * len(row[name]), row[name], alpha=0.7, **dots)
            mean = np.mean(row[name])
            ax.hlines(mean, x - 0.25, x + 0.25, color=style["color"], lw=2)
            ax.annotate(f"{mean:.2f}", (x, mean), (0, -8), ha="center",
                        va="top", textcoords="offset points",
                        bbox=WHITE)  # fmt: skip
        _mark_chance(ax)
        lstm = np.mean(row["LSTM"])
        ax.axhline(lstm, color=MODELS["LSTM"]["color"], lw=1, ls="--")
        ax.annotate(f"LSTM {lstm:.2f}", (0, lstm), (0, -3), va="top",
                    ha="center", textcoords="offset points")  # fmt: skip
        possible = np.mean(row["best possible"])
        ax.axhline(possible, color="black", lw=1)
        ax.annotate("best possible", (0, possible), (0, 2), va="bottom",
                    ha="center", textcoords="offset points")  # fmt: skip
        ax.set_xticks(range(len(ABLATION)), ABLATION)
        ax.set_xlabel("what the attention model knows of time")
        ax.set_ylabel("ROC AUC, new samples")
        ax.margins(y=0.16)
    return figure


def plot_controls(controls: dict) -> Figure:
    """ROC AUC of each seed by setting and model, beside the best one."""
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(WIDTH, 3.6))
        for x, row in enumerate(controls.values()):
            possible = np.mean(row["best possible"])
            ax.hlines(possible, x - 0.35, x + 0.35, color="black", lw=2,
                      label=None if x else "best possible")  # fmt: skip
            for i, (name, style) in enumerate(MODELS.items()):
                where = x + (i - 1) * 0.2
                label = name if x == 0 else None
                dots = style | {"linestyle": "none", "label": label}
                ax.plot([where] * len(row[name]), row[name], alpha=0.8, **dots)
        ax.axhline(0.5, color=GREY, lw=1, ls=":")
        ax.text(len(controls) - 0.5, 0.5, "chance", va="bottom", ha="right",
                color=GREY)  # fmt: skip
        ax.set_xticks(range(len(controls)), controls)
        ax.set_ylabel("ROC AUC, new samples")
        figure.legend(loc="outside upper center", ncols=4)
    return figure


def plot_importance(
    importance: dict,
    genes: tuple[str, ...],
    times: tuple[int, ...],
    most: int = 10,
) -> Figure:
    """Fall of ROC AUC by gene (the `most` important) and by time window,
    with intervals; found ones filled, those known to matter marked."""
    known = {
        kind: next(iter(importance.values()))[kind].get("known")
        for kind in ("genes", "windows")
    }
    means = np.array([found["genes"]["mean"] for found in importance.values()])
    chosen = np.sort(np.argsort(-means.max(axis=0), kind="stable")[:most])
    windows = list_windows(len(times))
    centres = [np.mean([times[w.start], times[w.stop - 1]]) for w in windows]
    step = (centres[1] - centres[0]) if len(centres) > 1 else 1
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, 3.6), sharey=False
        )
        for i, (name, found) in enumerate(importance.items()):
            shift = (i - 1) * 0.22
            at = np.arange(len(chosen)) + shift
            _plot_falls(left, name, found["genes"], at, chosen)
            at = np.array(centres) + shift * step
            _plot_falls(right, name, found["windows"], at)
        left.set_xticks(range(len(chosen)), [_plain(genes[g]) for g in chosen],
                        rotation=60, ha="right")  # fmt: skip
        for label, gene in zip(left.get_xticklabels(), chosen, strict=True):
            if gene in (known["genes"] or ()):
                label.set_fontweight("bold")
        for w in (windows[i] for i in known["windows"] or ()):
            ends = times[w.start] - 0.5, times[w.stop - 1] + 0.5
            right.axvspan(*ends, color="#E8E8E8", lw=0, zorder=0)
        left.set_title(_say_known("genes", "bold", known["genes"]))
        left.set_ylabel("fall of ROC AUC")
        right.set_title(_say_known("windows of time", "grey",
                                   known["windows"]))  # fmt: skip
        right.set_xlabel("time point")
        for ax in (left, right):
            ax.axhline(0, color=GREY, lw=1, ls=":")
        handles = left.get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=3)
    return figure


def _say_known(title, mark, known):
    return title if known is None else f"{title} ({mark}: known to matter)"


def _plot_falls(ax, name, found, at, chosen=None):
    style = MODELS[name]
    chosen = range(len(at)) if chosen is None else chosen
    mean, low, high = (
        np.array([found[key][i] for i in chosen])
        for key in ("mean", "low", "high")
    )
    ax.vlines(at, low, high, color=style["color"], lw=1.2)
    filled = np.isin(list(chosen), found["found"])
    for is_found, face in ((True, style["color"]), (False, "white")):
        ax.plot(
            at[filled == is_found], mean[filled == is_found], ms=5,
            linestyle="none", marker=style["marker"], color=style["color"],
            markerfacecolor=face,
        )  # fmt: skip
    ax.plot([], [], color=style["color"], marker=style["marker"], label=name)


def plot_attention(
    maps: dict[str, np.ndarray], classes: tuple[str, str]
) -> Figure:
    """Average attention (2, T, T) of each model by outcome, in multiples of
    uniform attention, and how much of it each time point receives."""
    relative = {name: m * m.shape[1] for name, m in maps.items()}
    low = min(m.min() for m in relative.values())
    high = max(m.max() for m in relative.values())
    spread = LogNorm(min(low, 0.99), max(high, 1.01))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(maps), 3, figsize=(WIDTH, 2.5 * len(maps)), squeeze=False
        )
        for row, (name, by_class) in zip(axes, relative.items(), strict=True):
            for c, ax in enumerate(row[:2]):
                image = ax.imshow(
                    by_class[c], origin="lower", norm=spread, cmap="cividis"
                )
                ax.set_title(f"{name}, Outcome {_plain(classes[c])}", size=9)
                ax.set(xlabel="time point looked at", ylabel="looking from")
                row[2].plot(
                    by_class[c].mean(axis=0), **CLASSES[c],
                    label=f"Outcome {_plain(classes[c])}",
                )  # fmt: skip
            row[2].sharey(axes[0, 2])
            row[2].axhline(1, color=GREY, lw=1, ls=":")
            row[2].set_title(f"{name}, received", size=9)
            row[2].set(xlabel="time point", ylabel="times uniform")
        axes[0, 2].legend(fontsize=8)
        bar = figure.colorbar(image, ax=axes[:, :2], shrink=0.7)
        bar.ax.set_title("times\nuniform", size=9)
        bar.minorticks_off()
        ticks = [spread.vmin, 1, spread.vmax]
        bar.set_ticks(ticks, labels=[f"{t:.2g}" for t in ticks])
    return figure


def plot_costs(costs: dict) -> Figure:
    """Multiply-adds, sequential steps and measured time of a training step,
    by number of time points and model."""
    titles = {
        "multiply_adds": "multiply-adds, one sample",
        "sequential_steps": "steps one after another",
        "milliseconds": "ms a training step",
    }
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(WIDTH, 3.0))
        for ax, (key, title) in zip(axes, titles.items(), strict=True):
            for name, found in costs["models"].items():
                style = MODELS[name] | {"label": name, "ms": 4}
                T, values = list(found[key]), list(found[key].values())
                if key == "milliseconds":
                    ends = [[v["low"] for v in values],
                            [v["high"] for v in values]]  # fmt: skip
                    ax.vlines(T, *ends, color=style["color"])
                    values = [v["median"] for v in values]
                ax.plot(T, values, **style)
            ax.set(xscale="log", yscale="log", title=title)
            ax.set_xlabel("time points")
            ax.set_xticks(T, T)
            ax.minorticks_off()
        handles = axes[0].get_legend_handles_labels()
        figure.legend(*handles, loc="outside upper center", ncols=3)
    return figure


def _mark_chance(ax):
    ax.axhline(0.5, color=GREY, lw=1, ls=":")
    ax.annotate("chance", (1, 0.5), (0, 2), ha="right", color=GREY,
                xycoords=ax.get_yaxis_transform(),
                textcoords="offset points")  # fmt: skip


def _wrap(name):
    return name.replace(" + ", "\n+ ")


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
