"""Sentences computed from results: captions, findings, conclusions."""

from html import escape

import numpy as np
import pandas as pd

from helpers.data import ExpressionData

TOO_LIKELY = 0.05  # p values below this count as evidence
TURNED_UP = 0.01  # a rise of 1 % from the lowest loss counts as one


def say_data(data: dict) -> str:
    """Say what was loaded and whether it is the stand-in."""
    if data["source"] == "stand-in":
        origin = (
            "This run uses the **stand-in data**: simulated, with a known "
            "truth, because the course's own file is not public. Results "
            "say something about the models, nothing about biology"
        )
    else:
        origin = "This run uses **your file**; no truth is known for it"
    return (
        f"{origin}. {data['samples']} samples x {data['time_points']} time "
        f"points x {data['genes']} genes; {data['positive_share']:.0%} of "
        f"the samples have Outcome {escape(data['classes'][1])}; "
        f"{data['zero_share']:.0%} of the values are zero."
    )


def say_winner(grid: dict) -> str:
    """Say which setting won and whether it stands out."""
    found, best = grid["judgement"], grid["best"]
    setting = ", ".join(f"`{k}` = {v:g}" for k, v in best.items())
    text = (
        f"**Winner:** {setting}, with a mean ROC AUC of {found['mean']:.3f} "
        f"(SD over folds {found['sd']:.3f}). "
    )
    if found["lead_p"] < TOO_LIKELY:
        return text + (
            f"It stands out: it leads the runner-up by {found['lead']:.3f} "
            f"({_p(found['lead_p'])})."
        )
    text += (
        f"It does not stand out: it leads the runner-up by "
        f"{found['lead']:.3f} ({_p(found['lead_p'])}), and "
        f"{found['within_one_error']} of {found['candidates']} settings are "
        "within one standard error of it. "
    )
    if found["lead_over_last_p"] < TOO_LIKELY:
        return text + (
            "The grid still matters: the last setting is "
            f"{found['lead_over_last']:.3f} behind "
            f"({_p(found['lead_over_last_p'])})."
        )
    return text + (
        f"Even the last setting, {found['lead_over_last']:.3f} behind, "
        f"cannot be told from it ({_p(found['lead_over_last_p'])})."
    )


def say_training(training: dict) -> str:
    """Say whether validation loss fell, and whether it turned up again."""
    trend = training["trend"]
    test = (
        f"Mann-Kendall tau = {trend['tau']:.2f}, {_p(trend['p'])}; "
        f"{trend['change']:+.1%} from the first epoch to epoch "
        f"{training['search_epochs']}"
    )
    if trend["p"] >= TOO_LIKELY:
        text = "**Validation loss shows no clear trend**"
    elif trend["tau"] < 0:
        text = "**Validation loss went down**"
    else:
        text = "**Validation loss went up**"
    text += (
        f" over the {training['search_epochs']} epochs that the search used "
        f"({test}). It is lowest at epoch {training['best_epoch']} of "
        f"{training['epochs']}. "
    )
    if not turned_up(training):
        return text + (
            "It did not turn up again afterwards: no over-fitting is seen "
            "in this many epochs."
        )
    return text + (
        f"Then it turned up again, by {training['rise']:.1%} at the last "
        "epoch, while training loss kept falling: from there on the model "
        "learns the training samples by heart, and more epochs do not help."
    )


def turned_up(training: dict) -> bool:
    return training["rise"] > TURNED_UP


def say_comparison(comparison: dict) -> str:
    """Say which model is better on the held-out samples, if either."""
    gap = comparison["difference"]
    scores = {k: comparison[k]["roc_auc"] for k in ("attention", "LSTM")}
    text = (
        f"ROC AUC on the held-out samples: attention "
        f"{scores['attention']:.3f}, LSTM {scores['LSTM']:.3f}; difference "
        f"{gap['mean']:+.3f}, 95 % interval {gap['low']:+.3f} to "
        f"{gap['high']:+.3f}."
    )
    if gap["low"] > 0:
        return f"**The LSTM is better.** {text}"
    if gap["high"] < 0:
        return f"**The attention model is better.** {text}"
    return f"**The two cannot be told apart here.** {text}"


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
    return (
        "Shuffle the time points of every held-out sample, and the attention "
        f"model's probabilities move by at most "
        f"{order['attention']['largest']:.0e}, which is rounding; the LSTM's "
        f"move by {order['LSTM']['mean']:.2f} on average and by up to "
        f"{order['LSTM']['largest']:.2f}."
    )


def say_benefit(comparison: dict) -> str:
    """Say what either model costs."""
    a, b = comparison["attention"], comparison["LSTM"]
    return (
        f"The attention model has {a['parameters']:,} parameters and needs "
        f"{a['multiply_adds']:,} multiply-adds for a prediction, the LSTM "
        f"{b['parameters']:,} and {b['multiply_adds']:,}. The attention "
        "model computes all time points at once; the LSTM must take them "
        "one after another."
    )


def _p(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def conclude(results: dict) -> dict[str, str]:
    """Return the concluding sentences, by what they are about."""
    comparison = results["comparison"]
    return {
        "tuning": say_winner(results["grid"]["attention"]),
        "training": say_training(results["training"]["attention"]),
        "comparison": say_comparison(comparison),
        "signal": say_signal(comparison),
        "order": say_order(results["order"]),
        "cost": say_benefit(comparison),
    }


def list_conclusions(conclusions: dict[str, str]) -> str:
    return "\n".join(f"- {text}" for text in conclusions.values())


def say_headline(results: dict) -> str:
    """Say in a few lines what the notebook found, linked to the evidence."""
    d, training = results["data"], results["training"]["attention"]
    grid, comparison = results["grid"]["attention"], results["comparison"]
    setting = ", ".join(f"{k} {v:g}" for k, v in grid["best"].items())
    clear = grid["judgement"]["lead_p"] < TOO_LIKELY
    trend = training["trend"]
    fell = trend["tau"] < 0 and trend["p"] < TOO_LIKELY
    up = " and then turned up again" if turned_up(training) else ""
    return (
        f"**The answer in short.** {d['samples']} samples x "
        f"{d['time_points']} time points x {d['genes']} genes "
        f"({'stand-in data' if d['source'] == 'stand-in' else 'your file'})."
        f"\n\n- [Search](#3.-Grid-search-(Q3)): the best setting is "
        f"{setting}; it {'stands' if clear else 'does not stand'} out from "
        "the fold-to-fold spread."
        "\n- [Training](#4.-Training-the-winner-(Q3)): validation loss "
        f"{'fell' if fell else 'did not clearly fall'}{up}."
        "\n- [Comparison](#5.-Comparison-with-an-LSTM): ROC AUC "
        f"{comparison['attention']['roc_auc']:.2f} for attention, "
        f"{comparison['LSTM']['roc_auc']:.2f} for the LSTM. "
        f"{say_comparison(comparison).split('**')[1]}"
        "\n- [Why](#6.-Why:-what-each-model-can-see): the prescribed "
        "attention model cannot see the order of time points; the LSTM can."
    )


def caption_profiles(data: ExpressionData) -> dict[str, str]:
    gap = data.X[data.y == 1].mean(0) - data.X[data.y == 0].mean(0)  # (T, G)
    by_gene = np.abs(gap).mean(axis=0)
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
            "validation loss, the grey line the epochs that the search used."
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
        "caption": f"ROC AUC: {text}.",
        "alt": f"ROC AUC of every fold, and held-out ROC curves: {text}.",
    }
