"""Sentences computed from results: captions, findings, conclusions."""

from html import escape

import numpy as np
import pandas as pd

from helpers.data import ExpressionData
from helpers.summary import mean_gaps

TOO_LIKELY = 0.05  # p values below this count as evidence
TURNED_UP = 0.01  # a rise of 1 % from the lowest loss counts as one


def say_data(data: dict) -> str:
    """Say what was loaded and whether it is the stand-in."""
    zero, one = map(escape, data["classes"])
    if data["source"] == "stand-in":
        origin = (
            "This run uses the **stand-in data**: simulated, with a known "
            "truth, because the course's own file is not public. Results "
            "say something about the models, nothing about biology. The "
            "outcome was made from the level of Gene_0 and from whether "
            "Gene_1 or Gene_2 peaks first, so a model that cannot see order "
            "can find only half of it (see `data/README.md`)"
        )
    else:
        origin = "This run uses **your file**; no truth is known for it"
    return (
        f"{origin}. {data['samples']} samples x {data['time_points']} time "
        f"points x {data['genes']} genes; {data['positive_share']:.0%} of "
        f"the samples have Outcome {one}; "
        f"{data['zero_share']:.0%} of the values are zero."
        + (f" Coded 0: {zero}; coded 1: {one}." if one != "1" else "")
    )


def say_winner(grid: dict) -> str:
    """Say which setting won and whether it stands out."""
    found, best = grid["judgement"], grid["best"]
    setting = ", ".join(f"`{k}` = {v:g}" for k, v in best.items())
    lead = f"{found['lead']:.3f} ({_p(found['lead_p'])})"
    text = (
        f"**Winner:** {setting}, with a mean ROC AUC of {found['mean']:.3f} "
        f"(SD over folds {found['sd']:.3f}). "
    )
    if stands_out(grid):
        return f"{text}**It stands out:** it leads the runner-up by {lead}."
    return text + (
        f"**It does not stand out:** it leads the runner-up by {lead}, and "
        f"{found['within_one_error']} of {found['candidates']} settings are "
        "within one standard error of it. Best and last are "
        f"{found['lead_over_last']:.3f} apart."
    )


def stands_out(grid: dict) -> bool:
    return grid["judgement"]["lead_p"] < TOO_LIKELY


def say_training(training: dict) -> str:
    """Say whether validation loss fell, and whether it turned up again."""
    trend, losses = training["trend"], training["val_loss"]
    text = (
        f"**{say_trend(training)}** over the {training['search_epochs']} "
        f"epochs that the search used (Mann-Kendall tau = "
        f"{trend['tau']:.2f}, {_p(trend['p'])}). It started at "
        f"{losses[0]:.3f}, was lowest at epoch {training['best_epoch']} with "
        f"{training['lowest']:.3f} ({training['lowest'] / losses[0] - 1:+.1%})"
        f" and ended at {losses[-1]:.3f} after {training['epochs']} epochs. "
    )
    if not turned_up(training):
        return text + "It did not clearly rise after its lowest point."
    text += f"After its lowest point it rose, by {training['rise']:.1%}"
    if training["loss"][-1] < training["loss"][training["best_epoch"] - 1]:
        text += ", while training loss went on falling: the model over-fits"
    return text + ". Training for longer does not help."


def say_trend(training: dict) -> str:
    trend = training["trend"]
    if trend["p"] >= TOO_LIKELY:
        return "Validation loss shows no clear trend"
    return f"Validation loss went {'down' if trend['tau'] < 0 else 'up'}"


def turned_up(training: dict) -> bool:
    """Whether the loss rose after its lowest point: by more than noise, and
    by enough to matter."""
    after = training["trend_after"]
    rising = after["tau"] > 0 and after["p"] < TOO_LIKELY
    return rising and training["rise"] > TURNED_UP


def say_comparison(comparison: dict) -> str:
    """Say which model is better on the held-out samples, if either."""
    gap = comparison["difference"]
    return (
        f"**{say_better(comparison)}** ROC AUC on the held-out samples: "
        f"attention {comparison['attention']['roc_auc']:.3f}, LSTM "
        f"{comparison['LSTM']['roc_auc']:.3f}; difference "
        f"{gap['mean']:+.3f}, 95 % interval {gap['low']:+.3f} to "
        f"{gap['high']:+.3f} (bootstrap over the held-out samples)."
    )


def say_better(comparison: dict) -> str:
    gap = comparison["difference"]
    if gap["low"] > 0:
        return "The LSTM is better."
    if gap["high"] < 0:
        return "The attention model is better."
    return "The two cannot be told apart here."


def say_baselines(comparison: dict, controls: dict) -> str:
    """Compare the networks with logistic regressions, whose ROC AUC counts
    as reached within half the width of a network's 95 % interval."""
    names = {
        "logistic, time means": "one that sees only each gene's mean",
        "logistic, all values": "one that sees every value",
    }
    parts = []
    for model in ("attention", "LSTM"):
        found = comparison[model]
        margin = (found["roc_auc_high"] - found["roc_auc_low"]) / 2
        level = [
            text
            for name, text in names.items()
            if controls[name]["roc_auc"] > found["roc_auc"] - margin
        ]
        label = f"the {model}" + " model" * (model == "attention")
        reached = " and ".join(level) or "neither"
        parts.append(f"{label} is reached by {reached}")
    return (
        "Is a network needed at all? Of the two logistic regressions, "
        + "; ".join(parts)
        + "."
    )


def say_signal(comparison: dict) -> str:
    """Say which models do better than guessing."""
    better = [
        name
        for name in ("attention", "LSTM")
        if comparison[name]["roc_auc_low"] > 0.5
    ]
    if len(better) == 2:
        return "Both models do better than guessing."
    if better:
        names = ("attention model", "LSTM")
        one, other = names if better == ["attention"] else names[::-1]
        return (
            f"Only the {one} does better than guessing; the {other} does not."
        )
    return "Neither model does better than guessing on these samples."


def say_order(order: dict) -> str:
    """Say how far predictions move when time points are shuffled."""
    blind = "no more than rounding" if is_blind(order) else "so it sees order"
    return (
        "Shuffle the time points of every held-out sample, and the attention "
        "model's probabilities move by at most "
        f"{order['attention']['largest']:.0e}, {blind}; the LSTM's move by "
        f"{order['LSTM']['mean']:.2f} on average and by up to "
        f"{order['LSTM']['largest']:.2f}."
    )


def is_blind(order: dict) -> bool:
    return order["attention"]["largest"] < 1e-4


def say_blindness(order: dict) -> str:
    if is_blind(order):
        return (
            "The prescribed attention model cannot see the order of time "
            "points; the LSTM can."
        )
    return "Both models see the order of time points."


def say_without_order(order: dict, comparison: dict) -> str:
    """Say what is left of the LSTM when order is taken from its data."""
    loss, full = order["without_order"], comparison["LSTM"]
    text = (
        "Trained and tested on shuffled series, the same LSTM has a ROC AUC "
        f"of {full['roc_auc'] - loss['mean']:.3f} instead of "
        f"{full['roc_auc']:.3f} (95 % interval of the loss {loss['low']:+.3f} "
        f"to {loss['high']:+.3f}): "
    )
    if full["roc_auc_low"] <= 0.5:
        return text + "it finds no signal that order could carry."
    if loss["low"] > 0:
        return text + (
            "the order of time points carries signal. The attention model, "
            f"without it, has {comparison['attention']['roc_auc']:.3f}."
        )
    if loss["high"] < 0:
        return text + "here order misleads it rather than helps."
    return text + "no signal in the order of time points is seen."


def say_cost(comparison: dict, training: dict, time_points: int) -> str:
    """Say what either model costs and how far it over-fits."""
    a, b = comparison["attention"], comparison["LSTM"]
    rises = [f"{training[name]['rise']:.0%}" for name in ("attention", "LSTM")]
    return (
        f"The attention model has {a['parameters']:,} parameters and needs "
        f"{a['multiply_adds']:,} multiply-adds for a prediction, the LSTM "
        f"{b['parameters']:,} and {b['multiply_adds']:,}. The attention "
        "model computes all time points at once, which parallel hardware "
        f"can use; the LSTM takes {time_points} steps one after another. "
        "From its lowest point to the last epoch, validation loss rose by "
        f"{rises[0]} for attention and by {rises[1]} for the LSTM."
    )


def _p(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def conclude(results: dict) -> dict[str, str]:
    """Answer the opening questions, by what they are about."""
    grid, comparison = results["grid"]["attention"], results["comparison"]
    training = results["training"]["attention"]
    setting = ", ".join(f"{k} {v:g}" for k, v in grid["best"].items())
    does = "stands" if stands_out(grid) else "does not stand"
    up = ", then rose again" if turned_up(training) else ""
    scores = [f"{comparison[k]['roc_auc']:.2f}" for k in ("attention", "LSTM")]
    return {
        "prediction": say_signal(comparison),
        "tuning": (
            f"The best setting is {setting}; it {does} out from the "
            "fold-to-fold spread."
        ),
        "training": f"{say_trend(training)}{up}.",
        "comparison": (
            f"{say_better(comparison)} ROC AUC {scores[0]} for attention, "
            f"{scores[1]} for the LSTM."
        ),
        "why": (
            f"{say_blindness(results['order'])} "
            + say_without_order(results["order"], comparison)
        ),
        "cost": say_cost(
            comparison, results["training"], results["data"]["time_points"]
        ),
    }


def list_conclusions(conclusions: dict[str, str]) -> str:
    return "\n".join(f"- {text}" for text in conclusions.values())


def say_headline(results: dict) -> str:
    """Say in a few lines what the notebook found, linked to the evidence."""
    d, found = results["data"], results["conclusions"]
    stand_in = d["source"] == "stand-in"
    return (
        f"**The answer in short**, for {d['samples']} samples x "
        f"{d['time_points']} time points x {d['genes']} genes"
        + (" (stand-in data, made to depend on order)" if stand_in else "")
        + ":"
        f"\n\n- [Search](#3.-Grid-search-(Q3)): {found['tuning']}"
        f"\n- [Training](#4.-Training-the-winner-(Q3)): {found['training']}"
        "\n- [Comparison](#5.-Comparison-with-an-LSTM): "
        f"{found['comparison']}"
        "\n- [Why](#6.-Why:-what-each-model-can-see): "
        f"{say_blindness(results['order'])}"
    )


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
            f"{table['roc_auc_sd'].mean():.3f}."
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
    return {
        "caption": (
            "Training and validation loss; the triangle marks the lowest "
            "validation loss, the grey line where the search stopped."
        ),
        "alt": "Line chart of loss over epochs. " + "; ".join(parts) + ".",
    }


def caption_comparison(comparison: dict) -> dict[str, str]:
    text = ", ".join(
        f"{name} {comparison[name]['cv_roc_auc']:.3f} in cross-validation "
        f"and {comparison[name]['roc_auc']:.3f} on the held-out samples"
        for name in ("attention", "LSTM")
    )
    return {
        "caption": (
            "Left: every line is a fold, both models on the same one. "
            "Right: ROC curves; the nearer to the top left, the better."
        ),
        "alt": f"ROC AUC of every fold, and held-out ROC curves: {text}.",
    }
