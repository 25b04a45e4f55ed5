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
from helpers.explain import list_windows
from helpers.models import MODELS
from helpers.report import Controls, ModelComparison, Search, Training

OUTCOMES = ({"color": "#56B4E9", "linestyle": "--"}, {"color": "#000000"})
GREY, PALE = "#595959", "#BBBBBB"
GUIDE = {"color": GREY, "linewidth": 1, "linestyle": ":"}
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1}
WIDTH = 8.0  # inches, the width of the page
SHIFTS = (-0.22, 0, 0.22)  # of the models, side by side
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.frameon": False,
}
styled = plt.rc_context(STYLE)


def _subplots(n_rows=1, n_columns=1, *, height, **options):
    """Return a figure, and its axes (n_rows, n_columns)."""
    options |= {"figsize": (WIDTH, height), "squeeze": False}
    return plt.subplots(n_rows, n_columns, **options)


@styled
def plot_profiles(
    data: ExpressionData, mean_gaps: dict[str, float], most: int = 10
) -> Figure:
    """Mean expression over time by outcome, with 95 % intervals of the mean,
    for the `most` genes at which the outcomes differ most."""
    gaps = np.array(list(mean_gaps.values()))
    chosen = np.sort(np.argsort(-gaps, kind="stable")[:most])
    n_columns = min(5, len(chosen))
    n_rows = -(-len(chosen) // n_columns)
    figure, axes = _subplots(
        n_rows, n_columns, height=0.6 + 1.5 * n_rows, sharex=True, sharey=True
    )
    for ax, gene in zip(axes.flat, chosen, strict=False):
        for outcome, look in enumerate(OUTCOMES):
            X = data.X[data.y == outcome, :, gene].astype(np.float64)  # (n, T)
            mean, half = X.mean(axis=0), 1.96 * X.std(axis=0) / np.sqrt(len(X))
            label = f"Outcome {_literal(data.classes[outcome])}"
            ax.plot(data.times, mean, lw=1.3, label=label, **look)
            band = mean - half, mean + half
            shade = {"color": look["color"], "alpha": 0.3, "lw": 0}
            ax.fill_between(data.times, *band, **shade)
        ax.set_title(_literal(data.genes[gene]))
    for ax in axes.flat[len(chosen) :]:
        ax.set_axis_off()
    figure.supxlabel("time point", fontsize=10)
    figure.supylabel("mean expression", fontsize=10)
    _add_legend(figure, axes[0, 0])
    return figure


@styled
def plot_search(search: Search) -> Figure:
    """Heat map of mean ROC AUC over folds: the first two parameters as rows,
    the other two as columns, the winner framed."""
    table = pd.DataFrame(search.candidates)
    names, best = list(search.best), list(search.best.values())
    grid = table.pivot_table("roc_auc_mean", names[:2], names[2:])
    middle = table["roc_auc_mean"].mean()
    figure, [[ax]] = _subplots(height=3.2)
    sns.heatmap(
        grid,
        annot=True,
        fmt=".3f",
        linewidths=1,
        ax=ax,
        cmap=sns.light_palette("#56B4E9", as_cmap=True),
        annot_kws={"color": "black"},
        # at least as wide as the spread over folds: noise stays pale
        vmin=min(grid.min(axis=None), middle - search.fold_sd),
        vmax=max(grid.max(axis=None), middle + search.fold_sd),
        cbar_kws={"label": "mean ROC AUC over folds"},
    )
    row = grid.index.get_loc(tuple(best[:2]))
    column = grid.columns.get_loc(tuple(best[2:]))
    corner = (column + 0.04, row + 0.04)
    frame = plt.Rectangle(corner, 0.92, 0.92, fill=False, lw=3, ec="black")
    ax.add_patch(frame)
    ax.tick_params(axis="y", rotation=0)
    return figure


@styled
def plot_training(trainings: dict[str, Training]) -> Figure:
    """Training and validation loss over epochs, a panel per model, with the
    best epoch and the last one of the search marked."""
    figure, axes = _subplots(1, len(trainings), height=3.4, sharey=True)
    for ax, (name, training) in zip(axes[0], trainings.items(), strict=True):
        epochs = np.arange(1, training.epochs + 1)
        color, best = MODELS[name].color, training.best_epoch
        ax.plot(epochs, training.loss, label="training", **GUIDE)
        ax.plot(epochs, training.val_loss, label="validation", color=color)
        marker = {"color": color, "ms": 8, "clip_on": False}
        ax.plot(best, training.lowest, "v", label="lowest", **marker)
        ax.axvline(training.search_epochs, color=PALE, lw=1, zorder=0)
        ax.set_title(f"{name}:\nlowest at epoch {best}")
        ax.set_xlabel("epoch")
        steps = MaxNLocator(integer=True, steps=[1, 2, 5, 10])
        ax.xaxis.set_major_locator(steps)
    axes[0, 0].legend()
    axes[0, 0].set_ylabel("loss (cross-entropy + l2 penalty)")
    return figure


@styled
def plot_comparison(
    resamples: dict[str, dict[str, np.ndarray]],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    comparison: ModelComparison,
) -> Figure:
    """Left: ROC AUC of each resample, joined where it is the same one, and
    the means. Right: ROC curves on the held-out samples, with the area and
    its interval out of `comparison`."""
    figure, [[left, right]] = _subplots(
        1, 2, height=3.8, width_ratios=(1, 1.15)
    )
    values = np.array([resamples[name]["roc_auc"] for name in MODELS])
    left.plot(values, color=PALE, lw=1, zorder=1)
    for x, name in enumerate(MODELS):
        _plot_dots(left, name, x, values[x], bar="black")
        mean = values[x].mean()
        beside = {"ha": "left", "va": "center"}
        _annotate(left, f"{mean:.3f}", (x + 0.3, mean), (0, 0), **beside)
        false, true, _ = roc_curve(y, predictions[name])
        score = "{roc_auc:.3f} ({roc_auc_low:.2f}–{roc_auc_high:.2f})"
        label = f"{name}: {score.format(**comparison.held_out[name])}"
        line = _look(name) | {"marker": "", "drawstyle": "steps-post"}
        right.plot(false, true, label=label, **line)
    _mark_chance(left)
    labels = [name.replace(" + ", "\n+ ") for name in MODELS]
    left.set_xticks(range(len(MODELS)), labels)
    left.set(ylabel="ROC AUC of a resample", xlim=(-0.5, len(MODELS) - 0.2))
    left.set_title("resamples of the training set")
    right.plot([0, 1], [0, 1], **GUIDE)
    right.legend(title="ROC AUC (95 % interval)", loc="lower right")
    right.set(xlabel="false positive rate", ylabel="true positive rate")
    right.set_title("held-out samples")
    return figure


@styled
def plot_ablation(controls: Controls) -> Figure:
    """ROC AUC of each seed by kind of time features, order-only data."""
    row, means = controls["order only"], controls.means["order only"]
    figure, [[ax]] = _subplots(height=2.8)
    for x, name in enumerate(ABLATION.values()):
        model = "attention + time" if x else "attention"
        _plot_dots(ax, model, x, row[name], bar=MODELS[model].color)
        _annotate(ax, f"{means[name]:.2f}", (x, means[name]), (0, -18))
    _mark_chance(ax)
    ax.axhline(means["LSTM"], color=MODELS["LSTM"].color, lw=1, ls="--")
    _annotate(ax, "LSTM", (0, means["LSTM"]), (0, -12))
    ax.axhline(means["best possible"], color="black", lw=1)
    _annotate(ax, "best possible", (0, means["best possible"]), (0, 3))
    ax.set_xticks(range(len(ABLATION)), ABLATION)
    ax.set_xlabel("what the attention model knows of time")
    ax.set_ylabel("ROC AUC, new samples")
    ax.margins(y=0.16)
    return figure


@styled
def plot_controls(controls: Controls) -> Figure:
    """ROC AUC of each seed by scenario and model, beside the best one."""
    figure, [[ax]] = _subplots(height=3.6)
    for x, (scenario, row) in enumerate(controls.items()):
        possible = controls.means[scenario]["best possible"]
        bar = {"color": "black", "lw": 2, "label": "best possible"}
        ax.hlines(possible, x - 0.35, x + 0.35, **bar)
        for shift, name in zip(SHIFTS, MODELS, strict=True):
            _plot_dots(ax, name, x + shift, row[name])
    _mark_chance(ax)
    ax.set_xticks(range(len(controls)), controls)
    ax.set_ylabel("ROC AUC, new samples")
    _add_legend(figure, ax)
    return figure


@styled
def plot_importance(
    importance: dict[str, dict[str, dict]],
    genes: tuple[str, ...],
    times: tuple[float, ...],
    most: int = 10,
) -> Figure:
    """Drop in ROC AUC by gene (the `most` important) and by time window, with
    intervals; significant ones filled, those known to matter marked."""
    figure, [[left, right]] = _subplots(1, 2, height=3.6)
    drops = np.max(
        [row["genes"]["mean"] for row in importance.values()], axis=0
    )
    chosen = np.sort(np.argsort(-drops, kind="stable")[:most])
    known = _plot_drops(left, importance, "genes", range(len(chosen)), chosen)
    names = [_literal(genes[gene]) for gene in chosen]
    left.set_xticks(range(len(chosen)), names, rotation=60, ha="right")
    for label, gene in zip(left.get_xticklabels(), chosen, strict=True):
        label.set_fontweight("bold" if gene in (known or ()) else "normal")
    left.set_title(_say_known("genes", "bold", known))
    left.set_ylabel("drop in ROC AUC")
    ends = [
        (times[w.start], times[w.stop - 1]) for w in list_windows(len(times))
    ]
    centres = np.mean(ends, axis=1)
    known = _plot_drops(
        right, importance, "windows", centres, np.arange(len(ends))
    )
    for first, last in (ends[i] for i in known or ()):
        right.axvspan(first - 0.5, last + 0.5, color="#E8E8E8", lw=0, zorder=0)
    right.set_title(_say_known("windows of time", "grey", known))
    right.set_xlabel("time point")
    _add_legend(figure, left)
    return figure


def _plot_drops(ax, importance, kind, places, chosen):
    """Draw the drops of the `chosen` features at their `places`; return those
    known to matter, or None."""
    places = np.asarray(places, dtype=float)
    step = places[1] - places[0] if len(places) > 1 else 1
    ax.axhline(0, **GUIDE)
    for shift, (name, row) in zip(SHIFTS, importance.items(), strict=True):
        drops, look = row[kind], _look(name) | {"linestyle": "none", "ms": 5}
        mean, low, high = (
            np.array(drops[key])[chosen] for key in ("mean", "low", "high")
        )
        at = places + shift * step
        ax.vlines(at, low, high, color=look["color"], lw=1.2)
        ax.plot(at, mean, markerfacecolor="white", **look)
        filled = np.isin(chosen, drops["significant"])
        ax.plot(at[filled], mean[filled], label=name, **look)
    return drops.get("known")


def _say_known(title, mark, known):
    return title if known is None else f"{title} ({mark}: known to matter)"


@styled
def plot_attention(
    maps: dict[str, np.ndarray], classes: tuple[str, str]
) -> Figure:
    """Mean attention (2, T, T) of each model by outcome, in multiples of
    uniform attention, and how much of it each time point receives."""
    relative = {name: m * m.shape[1] for name, m in maps.items()}
    low = min(m.min() for m in relative.values())
    high = max(m.max() for m in relative.values())
    colors = LogNorm(min(low, 0.99), max(high, 1.01))
    figure, axes = _subplots(len(maps), 3, height=2.5 * len(maps))
    for row, (name, weights) in zip(axes, relative.items(), strict=True):
        for outcome, look in enumerate(OUTCOMES):
            ax, label = row[outcome], f"Outcome {_literal(classes[outcome])}"
            square = {"origin": "lower", "norm": colors, "cmap": "cividis"}
            image = ax.imshow(weights[outcome], **square)
            ax.set_title(f"{name}, {label}", size=9)
            ax.set(xlabel="key time", ylabel="query time")
            row[2].plot(weights[outcome].mean(axis=0), label=label, **look)
        row[2].sharey(axes[0, 2])
        row[2].axhline(1, **GUIDE)
        row[2].set_title(f"{name}, received", size=9)
        row[2].set(xlabel="key time", ylabel="attention / uniform")
    axes[0, 2].legend(fontsize=8)
    bar = figure.colorbar(image, ax=axes[:, :2], shrink=0.7)
    bar.ax.set_title("attention\n/ uniform", size=9)
    bar.minorticks_off()
    ticks = [colors.vmin, 1, colors.vmax]
    bar.set_ticks(ticks, labels=[f"{tick:.2g}" for tick in ticks])
    return figure


@styled
def plot_costs(costs: dict) -> Figure:
    """Multiply-adds, sequential steps and measured time of a training step,
    by number of time points and model."""
    titles = {
        "multiply_adds": "multiply-adds, one sample",
        "sequential_steps": "sequential steps",
        "milliseconds": "ms a training step",
    }
    figure, axes = _subplots(1, 3, height=3.0)
    for ax, (key, title) in zip(axes[0], titles.items(), strict=True):
        for name, cost in costs["models"].items():
            lengths, values = list(cost[key]), list(cost[key].values())
            if key == "milliseconds":
                ends = np.array([[v["low"], v["high"]] for v in values]).T
                ax.vlines(lengths, *ends, color=MODELS[name].color)
                values = [v["median"] for v in values]
            ax.plot(lengths, values, label=name, ms=4, **_look(name))
        ax.set(xscale="log", yscale="log", title=title, xlabel="time points")
        ax.set_xticks(lengths, lengths)
        ax.minorticks_off()
    _add_legend(figure, axes[0, 0])
    return figure


def _look(name):
    entry = MODELS[name]
    return {
        key: getattr(entry, key) for key in ("color", "marker", "linestyle")
    }


def _plot_dots(ax, name, x, values, bar=None):
    """Draw `values` above x, and their mean as a line of the colour `bar`."""
    look = _look(name) | {"linestyle": "none", "alpha": 0.7}
    ax.plot([x] * len(values), values, label=name, **look)
    if bar:
        ax.hlines(np.mean(values), x - 0.25, x + 0.25, color=bar, lw=2)


def _annotate(ax, text, at, offset, **options):
    """Write `text` at a point, moved by an `offset` in points of type."""
    options = {"ha": "center", "bbox": WHITE} | options
    ax.annotate(text, at, offset, textcoords="offset points", **options)


def _mark_chance(ax):
    ax.axhline(0.5, **GUIDE)
    right = {"xycoords": ax.get_yaxis_transform(), "ha": "right"}
    _annotate(ax, "chance", (1, 0.5), (0, 3), color=GREY, **right)


def _add_legend(figure, ax):
    """Put a legend of what `ax` shows above all panels."""
    handles, labels = ax.get_legend_handles_labels()
    by_label = dict(zip(labels, handles, strict=True))
    where = {"loc": "outside upper center", "ncols": 4}
    figure.legend(by_label.values(), by_label.keys(), **where)


def _literal(name):
    """Keep matplotlib from reading a user's name as mathematics."""
    return name.replace("$", r"\$")[:20]
