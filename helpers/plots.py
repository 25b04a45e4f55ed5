"""Every figure. Each function returns a Figure and shows nothing."""

import textwrap
from collections.abc import Sequence

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter
from scipy.ndimage import uniform_filter1d

from helpers.data import ExpressionData
from helpers.evaluate import ROPE
from helpers.experiments import ALL_VALUES, BEST, BLIND, CURES
from helpers.explain import Attention, list_windows
from helpers.models import MODELS
from helpers.report import (
    ASSIGNED,
    LSTM,
    TIME_AWARE,
    Controls,
    ModelComparison,
    Search,
    Training,
)
from helpers.simulate import Simulation

OUTCOMES = ({"color": "#CC79A7", "linestyle": "--"}, {"color": "#000000"})
GREY, BAND = "#595959", "#E8E8E8"
GUIDE = {"color": GREY, "linewidth": 1, "linestyle": ":"}
WIDTH = 8.0  # inches, the width of the page
NARROW = 4.8  # readable on a phone as well
SHIFTS = np.linspace(-0.22, 0.22, len(MODELS))  # side by side
STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "legend.frameon": False,
}
styled = plt.rc_context(STYLE)


@styled
def plot_layers(model: keras.Model) -> Figure:
    """A box per layer of the model, with the shape of its output."""
    figure, ax = plt.subplots(figsize=(WIDTH, 1.0))
    ax.set_axis_off()
    ax.set(xlim=(-0.5, len(model.layers) - 0.5), ylim=(-0.9, 0.6))
    for x, layer in enumerate(model.layers):
        learns = layer.count_params() > 0
        name = textwrap.fill(layer.name.replace("_", " "), 11)
        box = {
            "boxstyle": "round,pad=0.45",
            "facecolor": "#D6EAF5" if learns else "white",
            "edgecolor": GREY,
        }
        place = {"ha": "center", "va": "center", "fontsize": 9}
        ax.text(x, 0.15, name, bbox=box, **place)
        shape = " x ".join(str(size) for size in layer.output.shape[1:])
        ax.text(x, -0.75, shape, color=GREY, **place)
        if x:
            arrow = {"arrowstyle": "->", "color": GREY}
            ends = (x - 0.4, 0.15), (x - 0.6, 0.15)
            ax.annotate("", *ends, arrowprops=arrow)
    return figure


@styled
def plot_data(data: ExpressionData, truth: Simulation | None) -> Figure:
    """Left: two genes in two samples of either outcome, dots, and smoothed
    over 7 time points, lines. Right: means by outcome with 95% intervals, of
    the genes that the `truth` names, or of three whose means differ most."""
    ones = data.y == 1
    gaps = data.X[ones].mean(0, float) - data.X[~ones].mean(0, float)  # (T, G)
    most = np.argsort(-np.abs(gaps).mean(axis=0), kind="stable")[:3]
    chosen = sorted(truth.genes if truth else most)
    figure = plt.figure(figsize=(WIDTH, 4.0))
    left, right = figure.subfigures(1, 2, width_ratios=(1.2, 1))
    axes = left.subplots(2, 2, sharex=True, sharey=True)
    samples = _choose_samples(data, chosen[-2:])
    for ax, (sample, leader) in zip(axes.T.flat, samples, strict=True):
        for gene, look in zip(chosen[-2:], ("-", "--"), strict=False):
            values = data.X[sample, :, gene]
            color = "#882255" if look == "-" else "#808000"
            ax.plot(data.times, values, ".", color=color, ms=2, alpha=0.6)
            smooth = uniform_filter1d(values.astype(float), 7, mode="nearest")
            name = _literal(data.genes[gene])
            ax.plot(data.times, smooth, look, color=color, label=name)
        title = f"Outcome {_literal(data.classes[data.y[sample]])}"
        if truth:
            title += f": {_literal(data.genes[leader])} leads"
        ax.set_title(title, size=9)
    _add_legend(left, axes[0, 0])
    left.supylabel("expression", fontsize=10)
    axes = right.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
    for ax, gene in zip(axes, chosen, strict=True):
        for outcome, look in enumerate(OUTCOMES):
            X = data.X[data.y == outcome, :, gene].astype(np.float64)  # (n, T)
            mean, half = X.mean(axis=0), 1.96 * X.std(axis=0) / np.sqrt(len(X))
            label = f"Outcome {_literal(data.classes[outcome])}"
            ax.plot(data.times, mean, lw=1.3, label=label, **look)
            shade = {"color": look["color"], "alpha": 0.2, "lw": 0}
            ax.fill_between(data.times, mean - half, mean + half, **shade)
        ax.set_title(f"mean of {_literal(data.genes[gene])}", size=9)
    _add_legend(right, axes[0])
    unit = f" [{_literal(data.time_unit)}]" if data.time_unit else ""
    figure.supxlabel(f"time point{unit}", fontsize=10)
    return figure


def _choose_samples(data, genes):
    """Return two samples of outcome 0 and two of outcome 1 in which a gene
    leads clearly, and the index of that gene."""
    X = data.X[:, :, [genes[0], genes[-1]]].astype(np.float64)
    X = uniform_filter1d(X - X.mean(axis=1, keepdims=True), 7, axis=1)
    slope = np.diff(X, axis=1, append=X[:, -1:])
    turn = X[..., 0] * slope[..., 1] - X[..., 1] * slope[..., 0]  # (n, T)
    turn = turn.sum(axis=1)  # above 0 where the first gene leads
    for outcome in (0, 1):
        rows = np.flatnonzero(data.y == outcome)
        sign = 1 if turn[rows].mean() > 0 else -1
        for row in rows[np.argsort(-sign * turn[rows], kind="stable")[:2]]:
            yield row, genes[0] if sign > 0 else genes[-1]


@styled
def plot_search(search: Search) -> Figure:
    """How far each candidate's mean ROC AUC over folds lies behind that of
    the winner, best first, with 95% intervals."""
    rows = search.candidates[::-1]
    figure, ax = plt.subplots(figsize=(NARROW, 0.9 + 0.16 * len(rows)))
    halves = [row["half_interval"] for row in rows]
    places, ahead = np.arange(len(rows)), [-row["behind"] for row in rows]
    ax.axvspan(-ROPE, ROPE, color=BAND, lw=0)
    ax.axvline(0, **GUIDE)
    ax.errorbar(ahead, places, xerr=halves, fmt="o", color=GREY, ms=4)
    ax.plot(0, places[-1], "o", color=MODELS[ASSIGNED].color, ms=8)
    names = [", ".join(str(row[k]) for k in search.varied) for row in rows]
    ax.set_yticks(places, names, fontsize=8)
    figure.suptitle(", ".join(search.varied), x=0.01, ha="left", fontsize=9)
    ax.set_xlabel("mean ROC AUC over folds, minus the winner's")
    ax.xaxis.set_major_locator(MaxNLocator(5))
    return figure


@styled
def plot_training(trainings: dict[str, Training]) -> Figure:
    """Training loss (thin) and validation loss over epochs, with the best
    epoch and the last one of the search marked."""
    figure, ax = plt.subplots(figsize=(NARROW, 2.9))
    for name, training in trainings.items():
        epochs = np.arange(1, training.epochs + 1)
        look = _look(name) | {"marker": None}
        for kind, losses, width in (
            ("training", training.loss, 0.8),
            ("validation", training.val_loss, 2),
        ):
            ax.plot(epochs, losses, lw=width, label=f"{name}, {kind}", **look)
        circle = {"mfc": "none", "mec": look["color"], "clip_on": False}
        ax.plot(training.best_epoch, training.lowest, "o", ms=10, **circle)
        ax.axvline(training.search_epochs, **GUIDE)
    steps = MaxNLocator(integer=True, steps=[1, 2, 5, 10])
    ax.xaxis.set_major_locator(steps)
    ax.set(xlabel="epoch", ylabel="loss (cross-entropy + l2)")
    ax.legend(fontsize=9)
    return figure


@styled
def plot_means(comparison: ModelComparison) -> Figure:
    """The mean ROC AUC of every model over the resamples, worst first."""
    names = list(comparison.models)[::-1]
    aucs = np.array([comparison.auc(name) for name in names])
    colors = [_look(name)["color"] for name in names]
    figure, ax = plt.subplots(figsize=(NARROW, 0.6 + 0.25 * len(names)))
    ax.barh(names, aucs - 0.5, left=0.5, height=0.5, color=colors)
    for y, auc in enumerate(aucs):
        ax.text(max(auc, 0.5) + 0.01, y, f"{auc:.2f}", va="center", size=9)
    ax.set(xlim=(min(0.5, *aucs) - 0.02, 1), xlabel="ROC AUC (0.5: guessing)")
    return figure


@styled
def plot_comparison(
    comparison: ModelComparison, resamples: dict[str, dict[str, np.ndarray]]
) -> Figure:
    """ROC AUC of every model: each resample and their mean; validation
    samples with a 95% interval."""
    names = list(comparison.models)[::-1]
    figure, ax = plt.subplots(figsize=(NARROW, 0.9 + 0.55 * len(names)))
    for y, name in enumerate(names):
        look = _look(name) | {"linestyle": "none"}
        aucs = resamples[name]["roc_auc"]
        ax.plot(aucs, np.full(len(aucs), y + 0.28), ms=4, alpha=0.5, **look)
        ax.plot(aucs.mean(), y + 0.05, ms=9, **look)
        scores = comparison.models[name]["held_out"]
        ends = scores["low"], scores["high"]
        ax.hlines(y - 0.22, *ends, color=look["color"], lw=1.3)
        hollow = look | {"markerfacecolor": "white"}
        ax.plot(scores["roc_auc"], y - 0.22, ms=6, **hollow)
    ax.axvline(0.5, **GUIDE | {"linestyle": "--"})
    ax.set_yticks(range(len(names)), names)
    ax.set_xlabel("ROC AUC")
    return figure


@styled
def plot_controls(controls: Controls, scenarios: Sequence[str]) -> Figure:
    """ROC AUC of each seed by model, beside the best possible one and the
    band of guessing, a panel for each of the `scenarios`."""
    n, half = len(scenarios), controls.guessing
    figure, axes = plt.subplots(
        n, squeeze=False, figsize=(NARROW, 1 + 1.6 * n), sharex=True
    )
    for ax, scenario in zip(axes.flat, scenarios, strict=True):
        ax.axvspan(0.5 - half, 0.5 + half, color=BAND, lw=0, zorder=0)
        for name in (ALL_VALUES, ASSIGNED, *CURES, TIME_AWARE, LSTM):
            if name in controls[scenario]:
                values = controls[scenario][name]
                look = _look(name) | {"linestyle": "none", "alpha": 0.7}
                ax.plot(values, [name] * len(values), **look)
        ax.axvline(controls.means[scenario][BEST], color="black", lw=1)
        ax.set_title(scenario)
        ax.margins(y=0.15)
    ax.set_xlabel("ROC AUC, new samples")
    return figure


@styled
def plot_importance(
    importance: dict[str, dict[str, dict]], data: ExpressionData
) -> Figure:
    """Drop in ROC AUC by gene and, if measured, by time window, with
    intervals; significant ones filled."""
    genes, has_windows = importance["genes"], "windows" in importance
    names = [_literal(data.genes[i]) for i in genes[ASSIGNED]["index"]]
    width = WIDTH if has_windows or len(names) > 10 else NARROW
    figure, axes = plt.subplots(
        1, 1 + has_windows, squeeze=False, figsize=(width, 3.4)
    )
    left = axes[0, 0]
    _plot_drops(left, genes, np.arange(len(names)))
    look = {"rotation": 45, "ha": "right", "fontsize": 8}
    left.set_xticks(range(len(names)), names, **look)
    left.set(title="genes", ylabel="drop in ROC AUC")
    if has_windows:
        times, right = np.array(data.times), axes[0, 1]
        places = [times[w].mean() for w in list_windows(len(times))]
        _plot_drops(right, importance["windows"], np.array(places))
        right.set(title="windows of time", xlabel="time point")
    _add_legend(figure, left)
    return figure


def _plot_drops(ax, models, places):
    """Draw the drops that features cause in each of the models."""
    step = np.min(np.diff(places)) if len(places) > 1 else 1
    ax.axhline(0, **GUIDE)
    for shift, (name, drops) in zip(SHIFTS, models.items(), strict=False):
        look = _look(name) | {"linestyle": "none", "ms": 5}
        at, mean = places + shift * step, np.array(drops["mean"])
        ax.vlines(at, drops["low"], drops["high"], color=look["color"], lw=1.2)
        ax.plot(at, mean, markerfacecolor="white", **look)
        filled = np.isin(drops["index"], drops["significant"])
        ax.plot(at[filled], mean[filled], label=name, **look)


@styled
def plot_attention(
    attention: dict[str, Attention],
    relations: dict[str, dict],
    data: ExpressionData,
    rows: np.ndarray,
) -> Figure:
    """By model, the mean attention map of all samples, and the attention that
    time points get by the gene that it is most correlated with: mean, and
    middle half. `rows` of `data` are the samples it was read from."""
    times, T = data.times, len(data.times)
    figure, axes = plt.subplots(2, 2, sharey="col", figsize=(WIDTH, 5.4))
    maps = [found.maps.mean(axis=0) * T for found in attention.values()]
    most = max(1.05, *(max(m.max(), 1 / m.min()) for m in maps))
    for (left, right), weights, (name, found) in zip(
        axes, maps, attention.items(), strict=True
    ):
        image = left.pcolormesh(
            times, times, weights, norm=LogNorm(1 / most, most), cmap="PuOr_r"
        )
        left.set(xlabel="key time", ylabel="query time")
        share = relations[name]["time_share"]
        left.set_title(f"{name} (time: {share:.0%})", size=10)
        left.set_aspect("equal")
        gene = int(np.argmax(np.abs(relations[name]["genes"])))
        values = pd.Series(data.X[rows][:, :, gene].ravel())
        received = pd.Series(found.received.ravel())
        bins = pd.cut(values, 10)
        x = values.groupby(bins, observed=True).transform("mean")
        look = _look(name) | {"errorbar": ("pi", 50), "mew": 0}
        sns.lineplot(x=x, y=received, ax=right, **look)
        right.axhline(1, **GUIDE)
        right.set_xlabel(f"expression of {_literal(data.genes[gene])}")
        right.set_ylabel("attention received")
    ticks = {"ticks": [1 / most, 1, most], "format": "%.2f"}
    bar = figure.colorbar(image, ax=axes[:, 0], shrink=0.6, **ticks)
    bar.minorticks_off()
    return figure


@styled
def plot_costs(costs: dict) -> Figure:
    """Multiply-adds and measured time of a training step, by number of time
    points and model."""
    titles = {
        "multiply_adds": "multiply-adds for one sample",
        "milliseconds": "ms for one training step",
    }
    figure, axes = plt.subplots(2, figsize=(NARROW, 5.2), sharex=True)
    for ax, (key, title) in zip(axes, titles.items(), strict=True):
        for name, cost in costs["models"].items():
            lengths, values = list(cost[key]), list(cost[key].values())
            if key == "milliseconds":
                ends = np.array([[v["low"], v["high"]] for v in values]).T
                ax.vlines(lengths, *ends, color=MODELS[name].color)
                values = [v["median"] for v in values]
            ax.plot(lengths, values, label=name, ms=4, **_look(name))
        ax.set(xscale="log", yscale="log", title=title)
        ax.set_xticks(lengths, lengths)
        ax.minorticks_off()
        if key == "milliseconds":
            ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlabel("time points")
    _add_legend(figure, axes[0])
    return figure


def _look(name):
    """Return how a model looks: grey if it is none of `MODELS`."""
    if name in (BEST, BLIND):
        return {"color": "black", "marker": "*", "linestyle": "none"}
    key = TIME_AWARE if name in CURES else name
    if key not in MODELS:
        return {"color": GREY, "marker": "D", "linestyle": ":"}
    entry = MODELS[key]
    return {
        key: getattr(entry, key) for key in ("color", "marker", "linestyle")
    }


def _add_legend(figure: Figure, ax: Axes) -> None:
    """Put a legend of what `ax` shows above all panels."""
    shown = ax.get_legend_handles_labels()
    figure.legend(*shown, loc="outside upper center", ncols=4)


def _literal(name):
    """Keep matplotlib from reading a user's name as mathematics."""
    return name.replace("$", r"\$")[:20]
