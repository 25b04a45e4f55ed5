"""Captions and text alternatives of the figures, computed from results."""

import numpy as np
import pandas as pd

from helpers.data import ExpressionData
from helpers.experiments import ABLATION, MODELS, N_TEST
from helpers.judge import half_width
from helpers.summary import mean_gaps


def caption_profiles(data: ExpressionData) -> dict[str, str]:
    by_gene = mean_gaps(data)
    order = np.argsort(-by_gene, kind="stable")[:3]
    most = ", ".join(data.genes[g] for g in order)
    return {
        "caption": (
            "Mean expression over time by outcome; bands are 95 % intervals "
            f"of the mean. The outcomes differ most in {most}."
        ),
        "alt": (
            "Line charts of mean expression over time, a panel per gene, a "
            "line per outcome. Largest mean differences: "
            + ", ".join(f"{data.genes[g]} {by_gene[g]:.3f}" for g in order)
            + "."
        ),
    }


def caption_grid(table: pd.DataFrame) -> dict[str, str]:
    means = table["roc_auc_mean"]
    return {
        "caption": (
            "Mean ROC AUC of the settings; the winner is framed. From worst "
            f"to best they differ by {means.max() - means.min():.3f}, where "
            "one setting varies between folds by an SD of "
            f"{table['roc_auc_sd'].mean():.3f} on average, which the colours "
            "span at least."
        ),
        "alt": (
            f"Heat map of mean ROC AUC for {len(table)} settings, from "
            f"{means.min():.3f} to {means.max():.3f}."
        ),
    }


def caption_training(training: dict[str, dict]) -> dict[str, str]:
    parts = [
        f"{name}: validation loss {t['val_loss'][0]:.3f} at epoch 1, lowest "
        f"{t['lowest']:.3f} at epoch {t['best_epoch']}, "
        f"{t['val_loss'][-1]:.3f} at epoch {t['epochs']}"
        for name, t in training.items()
    ]
    lowest = "; ".join(
        f"{name} at epoch {t['best_epoch']}, then {t['rise']:+.0%} by epoch "
        f"{t['epochs']}"
        for name, t in training.items()
    )
    return {
        "caption": (
            f"Validation loss is lowest (triangle) for {lowest}. The grey "
            "line is where the search stopped."
        ),
        "alt": "Line chart of loss over epochs. " + "; ".join(parts) + ".",
    }


def caption_comparison(comparison: dict) -> dict[str, str]:
    parts = ", ".join(
        f"{name} {comparison['models'][name]['roc_auc']['mean']:.3f} "
        f"(held out {comparison['models'][name]['held_out']['roc_auc']:.3f})"
        for name in MODELS
    )
    return {
        "caption": (
            f"Left: each grey line is one of {comparison['resamples']} "
            f"resamples, every model on the same one; mean ROC AUC: {parts}. "
            "Right: the held-out samples; nearer to the top left is better."
        ),
        "alt": (
            "Dots of ROC AUC by model and resample, and ROC curves of the "
            f"held-out samples. Mean ROC AUC over resamples: {parts}."
        ),
    }


def caption_ablation(controls: dict) -> dict[str, str]:
    row = controls["order only"]
    parts = ", ".join(
        f"{kind} {np.mean(row[name]):.3f}" for kind, name in ABLATION.items()
    )
    blind, seeing = (
        np.mean(row[ABLATION[kind]]) for kind in ("none", "slow waves")
    )
    return {
        "caption": (
            "Where only order tells the outcomes apart, slow waves take the "
            f"attention model from {blind:.2f} to {seeing:.2f}. A dot a seed, "
            "the bar their mean; dashed: the LSTM's mean."
        ),
        "alt": f"Dot plot of ROC AUC by time features; means: {parts}.",
    }


def caption_controls(controls: dict) -> dict[str, str]:
    parts = "; ".join(
        f"{setting}: "
        + ", ".join(f"{name} {np.mean(row[name]):.2f}" for name in MODELS)
        for setting, row in controls.items()
    )
    order = [np.mean(controls["order only"][name]) for name in MODELS]
    return {
        "caption": (
            "Where only order counts, the prescribed model has a ROC AUC of "
            f"{order[0]:.2f}, the LSTM {order[1]:.2f}, attention with time "
            f"{order[2]:.2f}. On {N_TEST} new samples, a marker a seed; the "
            "black bar is the best that any model could reach."
        ),
        "alt": f"Dot plot of ROC AUC by simulator setting and model. {parts}.",
    }


def tabulate_controls(controls: dict) -> pd.DataFrame:
    """Return a row per setting: the best possible ROC AUC, and each model's
    mean with half the width of its 95 % interval over seeds."""
    rows = []
    for setting, found in controls.items():
        row = {"setting": setting}
        row["best possible"] = f"{np.mean(found['best possible']):.3f}"
        for name in MODELS:
            mean, half = np.mean(found[name]), half_width(found[name])
            row[name] = f"{mean:.3f} ± {half:.3f}"
        rows.append(row)
    return pd.DataFrame(rows)


def caption_importance(
    importance: dict, genes: tuple[str, ...]
) -> dict[str, str]:
    parts = []
    for name, found in importance.items():
        most = int(np.argmax(found["genes"]["mean"]))
        fall = found["genes"]["mean"][most]
        parts.append(f"{name} most of all {genes[most]} ({fall:.3f})")
    return {
        "caption": (
            f"Largest falls: {'; '.join(parts)}. Fall of ROC AUC "
            "when a gene's series (left) or a window of time points (right) "
            "is exchanged between left-out samples; 95 % "
            "intervals over resamples. Filled: genes above 0, and windows "
            "above the average of all, by more than chance."
        ),
        "alt": (
            "Dot plots of the importance of genes and of time windows by "
            "model. Largest falls of ROC AUC by gene: "
            + "; ".join(parts) + "."
        ),
    }  # fmt: skip


def caption_attention(maps: dict[str, np.ndarray]) -> dict[str, str]:
    parts = [
        f"{name} from {m.min() * m.shape[1]:.2f} to "
        f"{m.max() * m.shape[1]:.2f} times uniform"
        for name, m in maps.items()
    ]
    return {
        "caption": (
            f"Average attention: {'; '.join(parts)}. Left: by outcome, from "
            "each time point to each. Right: how much a time point receives "
            "from all; the dotted line is uniform attention."
        ),
        "alt": (
            "Heat maps of average attention weights by model and outcome: "
            + "; ".join(parts) + "."
        ),
    }  # fmt: skip


def caption_costs(costs: dict) -> dict[str, str]:
    parts = []
    for name, found in costs["models"].items():
        ms = {T: t["median"] for T, t in found["milliseconds"].items()}
        first, last = min(ms), max(ms)
        parts.append(
            f"{name} {ms[first]:.1f} ms at {first} time points and "
            f"{ms[last]:.0f} ms at {last}"
        )
    return {
        "caption": (
            f"A training step of 32 samples takes {'; '.join(parts)}. For the "
            "models of section 7; median and range, one thread, "
            f"{costs['machine']}."
        ),
        "alt": (
            "Line charts of multiply-adds, sequential steps and time by "
            "number of time points. A training step takes: "
            + "; ".join(parts) + "."
        ),
    }  # fmt: skip
