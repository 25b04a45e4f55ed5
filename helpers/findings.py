"""Sentences computed from results: the findings, section by section."""

import numpy as np

from helpers.compare import ROPE
from helpers.experiments import ABLATION
from helpers.judge import (
    BLIND,
    TOO_LIKELY,
    UNLIKELY,
    at_the_edge,
    check_controls,
    has_signal,
    judge_pair,
    stands_out,
    turned_up,
)
from helpers.words import (
    NAMES,
    as_text,
    capitalise,
    format_lead,
    format_p,
    join_words,
    list_lines,
)

LONELY = (
    " **With one gene, expect nothing of the prescribed model:** layer "
    "normalisation over a single value leaves a constant."
)


def say_data(data: dict) -> str:
    """Say what was loaded and whether it is the stand-in."""
    zero, one = map(as_text, data["classes"])
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
        + (LONELY if data["genes"] == 1 else "")
    )


def say_winner(grid: dict) -> str:
    """Say which setting won and whether it stands out."""
    found, best = grid["judgement"], grid["best"]
    setting = ", ".join(f"`{k}` = {v:g}" for k, v in best.items())
    lead = f"{format_lead(found['lead'])} ({format_p(found['lead_p'])})"
    text = (
        f"**Winner:** {setting}, with a mean ROC AUC of {found['mean']:.3f} "
        f"(SD over folds {found['sd']:.3f}). "
    )
    if stands_out(grid):
        text += f"**It stands out:** it leads the runner-up by {lead}."
    else:
        text += (
            f"**It does not stand out:** it leads the runner-up by {lead}, "
            f"and {found['within_one_error']} of {found['candidates']} "
            "settings are within one standard error of it (corrected for "
            "shared training samples)."
        )
    text += f" Best and last are {format_lead(found['lead_over_last'])} apart."
    for name in at_the_edge(grid):
        text += f" The largest `{name}` won: a larger one might do better."
    return text


def say_training(training: dict) -> str:
    """Say whether validation loss fell, and whether it turned up again."""
    trend, losses = training["trend"], training["val_loss"]
    text = (
        f"**{say_trend(training)}** over the {training['search_epochs']} "
        f"epochs that the search used (Mann-Kendall tau = "
        f"{trend['tau']:.2f}, {format_p(trend['p'])}). It started at "
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


def say_pair(first: str, second: str, pair: dict) -> str:
    """Say which of two models is better, if either."""
    verdict = judge_pair(pair)
    if verdict.endswith("worse"):
        return say_pair(second, first, _swap(pair))
    one, other = capitalise(NAMES[first]), NAMES[second]
    if verdict.endswith("better"):
        text = f"{one} is {verdict} than {other}"
        odds = f"better by more than {ROPE:g}: {pair['better']:.0%}"
    elif verdict == "equal":
        text = f"{one} and {other} are practically equal"
        odds = f"within {ROPE:g}: {pair['equal']:.0%}"
    else:
        text = f"{one} and {other} cannot be told apart"
        odds = f"better, equal, worse: {_three(pair)}"
    mean = f"{pair['mean']:+.3f} ROC AUC on average, {format_p(pair['p'])}"
    return f"**{text}** ({mean}; probability of {odds})."


def _swap(pair):
    return {**pair, "mean": -pair["mean"],
            "better": pair["worse"], "worse": pair["better"]}  # fmt: skip


def _three(pair):
    return ", ".join(f"{pair[k]:.0%}" for k in ("better", "equal", "worse"))


def say_comparison(comparison: dict) -> str:
    """Say for each pair of networks which is better, a line each."""
    return list_lines(
        say_pair(*key.split(" - "), pair)
        for key, pair in comparison["pairs"].items()
    )


def say_signal(comparison: dict) -> str:
    """Say whether there is evidence that the outcome can be predicted."""
    found = comparison["signal"]
    against = (
        f"the best of the held-out ROC AUCs is {found['best']:.3f} "
        f"({found['model']}); with permuted outcomes it stays below "
        f"{found['null_99']:.3f} in 99 of 100 cases ({format_p(found['p'])})"
    )
    if has_signal(comparison):
        return f"**The outcome can be predicted:** {against}."
    if found["least_p"] >= UNLIKELY:
        return f"**Too few samples are held out to see a signal:** {against}."
    if found["p"] < TOO_LIKELY:
        return f"**There is only weak evidence of a signal:** {against}."
    return f"**There is no evidence of any signal:** {against}."


def say_baselines(comparison: dict) -> str:
    """Say which networks a linear model reaches, within the ROPE."""
    models = comparison["models"]
    auc = {name: m["roc_auc"]["mean"] for name, m in models.items()
           if "roc_auc" in m}  # fmt: skip
    parts = []
    for view in ("time means", "all values"):
        reached = auc[f"logistic, {view}"]
        level = [NAMES[k] for k in NAMES if reached >= auc[k] - ROPE]
        parts.append(
            f"one on {view} ({reached:.3f}) reaches "
            + (join_words(level) if level else "none of the networks")
        )
    loss = {name: models[name]["log_loss"]["mean"] for name in auc}
    best = min(NAMES, key=loss.get)
    return (
        f"Of the logistic regressions, {'; '.join(parts)}. Their log losses "
        f"are {loss['logistic, time means']:.3f} and "
        f"{loss['logistic, all values']:.3f}; the best network's is "
        f"{loss[best]:.3f}."
    )


def say_moves(order: dict) -> str:
    """Say how far predictions move when time points are shuffled."""
    parts = [
        f"{NAMES[name]}, {moves['mean']:.2g} (largest {moves['largest']:.1g})"
        for name, moves in order["moves"].items()
    ]
    return (
        "Mean move of the predicted probabilities when the time points of "
        "every sample are shuffled: " + "; ".join(parts)
        + f". {say_blindness(order)}"
    )  # fmt: skip


def say_blindness(order: dict) -> str:
    """Say which models see the order of time points."""
    seen = [k for k, m in order["moves"].items() if m["largest"] >= BLIND]
    if len(seen) == len(order["moves"]):
        return "Every model sees the order of time points."
    if not seen:
        return "No model sees the order of time points."
    blind = [NAMES[k] for k in order["moves"] if k not in seen]
    return (
        f"{capitalise(join_words(blind))} cannot see the order of time "
        f"points; {join_words([NAMES[k] for k in seen])} can."
    )


def say_order(order: dict, comparison: dict) -> str:
    """Say whether the order of time points carries signal in this file."""
    loss = order["loss"]
    text = {
        "better": "The order of time points carries signal",
        "probably better": "The order of time points probably carries signal",
        "worse": "Order misleads more than it helps",
    }.get(judge_pair(loss), "No signal in the order of time points is seen")
    if text.startswith("No") and loss["better"] > 0.5:
        text = "It stays open whether the order of time points carries signal"
    if not has_signal(comparison):
        text = "No signal is sure, so none in the order of time points"
    return (
        f"**{text}:** trained and tested on shuffled series, "
        f"{NAMES[order['model']]} has a mean ROC AUC of "
        f"{order['without_order']:.3f} instead of {order['with_order']:.3f} "
        f"(loss beyond {ROPE:g}: probability {loss['better']:.0%})."
    )


def say_ablation(controls: dict) -> str:
    """Say what each kind of time features reaches where only order counts."""
    row = controls["order only"]
    means = {kind: np.mean(row[name]) for kind, name in ABLATION.items()}
    best = max(means, key=means.get)
    if means["slow waves"] >= means[best] - ROPE:
        text = f"The chosen ones, slow waves, are as good as any to {ROPE:g}."
    elif best == "none":
        text = "No time features are best."
    else:
        text = f"The best are {best}, not the chosen ones, slow waves."
    listed = ", ".join(f"{kind} {mean:.2f}" for kind, mean in means.items())
    return (
        f"Mean ROC AUC: {listed}; the LSTM has {np.mean(row['LSTM']):.2f}. "
        f"**{text}**"
    )


def say_controls(controls: dict) -> str:
    """Say which expectations came true, a line each."""
    return list_lines(
        f"{'as expected' if true else '**not as expected**'}: {expected}"
        for expected, true in check_controls(controls).items()
    )


def say_importance(importance: dict, genes: tuple[str, ...]) -> str:
    """Say which genes were found, and which windows stand out."""
    lines = []
    for name, found in importance.items():
        listed = [as_text(genes[g]) for g in found["genes"]["found"]]
        text = f"**{capitalise(NAMES[name])}** finds {join_words(listed)}"
        if "recall" in found["genes"]:
            text += f" ({_precision(found['genes'])})"
        windows = found["windows"]["mean"]
        text += (
            f"; its falls by window range from {min(windows):+.3f} to "
            f"{max(windows):+.3f}; {len(found['windows']['found'])} of "
            f"{len(windows)} windows stand out"
        )
        if "recall" in found["windows"]:
            text += f" ({_precision(found['windows'])})"
        lines.append(text + ".")
    if not any(f["windows"]["found"] for f in importance.values()):
        lines.append(
            "No window stands out for any model: peaks in the figure are a "
            "hint at most, and tell the models' sight apart no further."
        )
    if not any("recall" in f["genes"] for f in importance.values()):
        lines.append("No truth is known for this file to judge these by.")
    return list_lines(lines)


def _precision(found):
    return ", ".join(
        f"{key} "
        + ("undefined" if found[key] is None else f"{found[key]:.2f}")
        for key in ("precision", "recall")
    )


def say_costs(costs: dict) -> str:
    """Say how costs grow with the number of time points."""
    a, b = (costs["models"][name] for name in ("attention", "LSTM"))
    lengths = list(a["milliseconds"])
    short, long = lengths[0], lengths[-1]
    faster = [
        str(T) for T in lengths
        if a["milliseconds"][T]["median"] < b["milliseconds"][T]["median"]
    ]  # fmt: skip
    times = [m["multiply_adds"][long] / m["multiply_adds"][short]
             for m in (a, b)]  # fmt: skip
    where = (
        f"at {join_words(faster)} time points" if faster else "at no length"
    )
    ms = [m["milliseconds"][long]["median"] for m in (a, b)]
    return (
        f"From {short} to {long} time points the multiply-adds of attention "
        f"grow {times[0]:.0f}-fold, for every time point looks at every "
        f"other; those of the LSTM {times[1]:.0f}-fold. On the processor "
        f"measured here, attention takes a training step sooner {where}; at "
        f"{long} it needs {ms[0]:.0f} ms, the LSTM {ms[1]:.0f}. Its "
        "advantage is the middle panel: nothing waits for the time point "
        "before. An accelerator, which computes thousands of products at "
        "once, turns that into time; the LSTM's steps stay one after another."
    )


def say_size(comparison: dict) -> str:
    """Say what each network needs for one prediction on this file."""
    parts = [
        f"{NAMES[name]}, {found['parameters']:,} parameters and "
        f"{found['multiply_adds']:,} multiply-adds"
        for name, found in comparison["models"].items() if name in NAMES
    ]  # fmt: skip
    return "For one prediction: " + "; ".join(parts) + "."
