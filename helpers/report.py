"""Sentences computed from results: findings and conclusions."""

import re

import numpy as np
from scipy import stats

from helpers.compare import ROPE
from helpers.experiments import ABLATION, MODELS, N_TEST

TOO_LIKELY = 0.05  # p values below this count as evidence
UNLIKELY = 0.01  # and below this, of any signal at all
SURE, LIKELY = 0.95, 0.8  # probabilities of a difference beyond the ROPE
TURNED_UP = 0.01  # a rise of 1 % from the lowest loss counts as one
BLIND = 1e-4  # probabilities that move by less do so by rounding
NAMES = {
    "attention": "the prescribed attention model",
    "LSTM": "the LSTM",
    "attention + time": "attention with time features",
}


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
    )


def say_winner(grid: dict) -> str:
    """Say which setting won and whether it stands out."""
    found, best = grid["judgement"], grid["best"]
    setting = ", ".join(f"`{k}` = {v:g}" for k, v in best.items())
    lead = f"{_lead(found['lead'])} ({_p(found['lead_p'])})"
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
    text += f" Best and last are {_lead(found['lead_over_last'])} apart."
    for name in at_the_edge(grid):
        text += f" The largest `{name}` won: a larger one might do better."
    return text


def at_the_edge(grid: dict) -> list[str]:
    """Return the parameters whose largest of several values won."""
    values = {
        name: sorted({row[name] for row in grid["candidates"]})
        for name in grid["best"]
    }
    return [
        name for name, tried in values.items()
        if len(tried) > 2 and grid["best"][name] == tried[-1]
    ]  # fmt: skip


def stands_out(grid: dict) -> bool:
    """Whether the winner leads by more than chance, and enough to matter."""
    found = grid["judgement"]
    return found["lead_p"] < TOO_LIKELY and found["lead"] > ROPE


def tuning_matters(grid: dict) -> bool:
    """Whether best and last differ: by more than chance gives a pair that was
    picked for its difference, hence the small p value, and enough to matter.
    """
    found = grid["judgement"]
    return found["last_p"] < UNLIKELY and found["lead_over_last"] > ROPE


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


def judge(pair: dict) -> str:
    """Put a Bayesian comparison in words."""
    for side in ("better", "worse"):
        if pair[side] >= SURE:
            return side
        if pair[side] >= LIKELY:
            return f"probably {side}"
    return "equal" if pair["equal"] >= SURE else "unclear"


def say_pair(first: str, second: str, pair: dict) -> str:
    """Say which of two models is better, if either."""
    verdict = judge(pair)
    if verdict.endswith("worse"):
        return say_pair(second, first, _swap(pair))
    one, other = _start(NAMES[first]), NAMES[second]
    if verdict.endswith("better"):
        text = f"{one} is {verdict} than {other}"
        odds = f"better by more than {ROPE:g}: {pair['better']:.0%}"
    elif verdict == "equal":
        text = f"{one} and {other} are practically equal"
        odds = f"within {ROPE:g}: {pair['equal']:.0%}"
    else:
        text = f"{one} and {other} cannot be told apart"
        odds = f"better, equal, worse: {_three(pair)}"
    mean = f"{pair['mean']:+.3f} ROC AUC on average, {_p(pair['p'])}"
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


def has_signal(comparison: dict) -> bool:
    return comparison["signal"]["p"] < UNLIKELY


def say_signal(comparison: dict) -> str:
    """Say whether there is evidence that the outcome can be predicted."""
    found = comparison["signal"]
    against = (
        f"the best of the held-out ROC AUCs is {found['best']:.3f} "
        f"({found['model']}); with permuted outcomes it stays below "
        f"{found['null_99']:.3f} in 99 of 100 cases ({_p(found['p'])})"
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
            + (_join(level) if level else "none of the networks")
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
    seen = [k for k, m in order["moves"].items() if m["largest"] >= BLIND]
    if len(seen) == len(order["moves"]):
        return "Every model sees the order of time points."
    blind = [NAMES[k] for k in order["moves"] if k not in seen]
    reads = " and ".join(NAMES[k] for k in seen) or "no model"
    return (
        f"{_start(' and '.join(blind))} cannot see the order of time points; "
        f"{reads} can."
    )


def say_order(order: dict, comparison: dict) -> str:
    """Say whether the order of time points carries signal in this file."""
    loss = order["loss"]
    text = {
        "better": "The order of time points carries signal",
        "probably better": "The order of time points probably carries signal",
        "worse": "Order misleads more than it helps",
    }.get(judge(loss), "No signal in the order of time points is seen")
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


def check_controls(controls: dict) -> dict[str, bool]:
    """Check what is expected of every setting, by what that is."""
    mean = {
        setting: {name: np.mean(values) for name, values in row.items()}
        for setting, row in controls.items()
    }
    a, b, c = MODELS  # prescribed, LSTM, with time features
    none, order = mean["nothing"], mean["order only"]
    free, both = mean["order-free"], mean["both"]
    sibling = mean["sibling rule"]
    guess = half_width_of_guessing(len(controls["nothing"][a]))
    return {
        f"nothing to learn: every model at 0.5 ± {guess:.3f}, the band that "
        "holds three guessers in 95 of 100 cases": all(
            abs(none[m] - 0.5) <= guess for m in MODELS
        ),
        "order-free: the prescribed model at least as good as the LSTM": (
            free[a] >= free[b] - ROPE
        ),
        "order only: the prescribed model at chance, the others far above": (
            abs(order[a] - 0.5) < 0.05 and min(order[b], order[c]) > 0.8
        ),
        "both: prescribed < LSTM < attention with time features": (
            both[a] < both[b] < both[c]
        ),
        "sibling rule: prescribed near chance < LSTM < attention with time "
        "features": sibling[a] < 0.56 and sibling[a] < sibling[b] < sibling[c],
    }


def half_width(values: list[float]) -> float:
    """Return half the width of a mean's 95 % interval (Student's t)."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return float(stats.t.ppf(0.975, len(values) - 1) * error)


def half_width_of_guessing(n_seeds: int) -> float:
    """Return half the width of the simultaneous 95 % interval of all models'
    mean ROC AUC on new samples where nothing can be learned. Source of a
    single one's variance: Mann & Whitney (1947), Ann. Math. Stat. 18."""
    n = N_TEST / 2  # of either outcome
    error = np.sqrt((2 * n + 1) / (12 * n * n) / n_seeds)
    return float(stats.norm.isf(0.05 / 2 / len(MODELS)) * error)


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
        text = f"**{_start(NAMES[name])}** finds {_join(listed)}"
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
    where = f"at {_join(faster)} time points" if faster else "at no length"
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


def conclude(results: dict) -> dict[str, str]:
    """Answer the opening questions, by what they are about."""
    grids, comparison = results["grid"], results["comparison"]
    models = comparison["models"]
    scores = ", ".join(
        f"{models[name]['held_out']['roc_auc']:.3f} for {text}"
        for name, text in NAMES.items()
    )
    pairs = [
        say_pair_briefly(*key.split(" - "), pair, models)
        for key, pair in comparison["pairs"].items()
    ]
    why = say_order(results["order"], comparison)
    return {
        "prediction": _plain(say_signal(comparison)),
        "comparison": " ".join([*pairs, f"Held out: {scores}."]),
        "baselines": say_baselines(comparison),
        "why": _plain(f"{say_blindness(results['order'])} {why}"),
        "tuning": say_tuning(grids),
        "training": say_course(results["training"]["attention"]),
        "trust": say_trust(results["controls"]),
        "benefit": say_benefit(comparison, results["data"]["time_points"]),
    }


def say_tuning(grids: dict) -> str:
    """Say in short which setting won, by how much, and whether it matters."""
    found, best = grids["attention"]["judgement"], grids["attention"]["best"]
    setting = ", ".join(f"{k} {v:g}" for k, v in best.items())
    does = "stands" if stands_out(grids["attention"]) else "does not stand"
    apart = {"yes": [], "perhaps": [], "hardly": []}
    for name, grid in grids.items():
        gap, p = (grid["judgement"][k] for k in ("lead_over_last", "last_p"))
        answer = "hardly"
        if tuning_matters(grid):
            answer = "yes"
        elif p < TOO_LIKELY and gap > ROPE:
            answer = "perhaps"
        apart[answer].append(f"{NAMES[name]} ({gap:.3f}, {_p(p)})")
    answers = [f"{k} for {_join(v)}" for k, v in apart.items() if v]
    return (
        f"{_start(', '.join(answers))}: so far are best and last setting "
        f"apart. The best setting of {NAMES['attention']} is {setting}, with "
        f"a mean ROC AUC of {found['mean']:.3f}; it leads the runner-up by "
        f"{_lead(found['lead'])} and {does} out from the fold-to-fold spread "
        f"(SD {found['sd']:.3f})."
    )


def say_benefit(comparison: dict, n_time_steps: int) -> str:
    """Say what attention offers in practice, on a file of this size."""
    return (
        "Attention looks at all time points at once, in 1 sequential step "
        f"where the LSTM takes {n_time_steps}. {say_size(comparison)}"
    )


def say_course(training: dict) -> str:
    """Say in a sentence how validation loss went."""
    first, best = training["val_loss"][0], training["best_epoch"]
    n, final = training["search_epochs"], training["final"]
    up = ""
    if turned_up(training):
        end, epochs = training["val_loss"][-1], training["epochs"]
        up = f", then rose again to {end:.3f} by epoch {epochs}"
    return (
        f"{say_trend(training)}: {first:.3f} at first, "
        f"{training['lowest']:.3f} at its lowest (epoch {best}){up}. The "
        f"final model, after the search's {n} epochs, has {final:.3f}."
    )


def say_pair_briefly(first: str, second: str, pair: dict, models: dict) -> str:
    """Say which of two models is better, with their mean ROC AUCs."""
    text = _plain(say_pair(first, second, pair).split(" (")[0])
    if judge(pair).endswith("worse"):  # say_pair names the better one first
        first, second = second, first
    means = [models[name]["roc_auc"]["mean"] for name in (first, second)]
    return f"{text} (ROC AUC {means[0]:.3f} and {means[1]:.3f})."


def say_trust(controls: dict) -> str:
    """Say what speaks for the numbers."""
    checks = check_controls(controls).values()
    return (
        f"{sum(checks)} of {len(checks)} controls with a known truth came "
        "out as expected. Held-out samples were scored once; before, only "
        "their loss was watched, as asked, and nothing was chosen by it. "
        "`make verify` computes the published numbers again."
    )


def _plain(text):
    return text.replace("**", "")


def list_lines(lines) -> str:
    return "\n".join(f"- {text}" for text in lines)


def say_headline(results: dict) -> str:
    """Say in a few lines what the notebook found, linked to the evidence."""
    d, found = results["data"], results["conclusions"]
    stand_in = d["source"] == "stand-in"
    links = {
        "comparison": "[Attention or LSTM?](#8.-A-fair-comparison)",
        "baselines": "[Is a network needed?](#8.-A-fair-comparison)",
        "why": "[Why?](#6.-What-each-model-can-see)",
        "tuning": "[Does tuning matter?](#3.-Grid-search-(Q3))",
        "training": "[Does the loss fall?](#4.-Training-the-winner-(Q3))",
        "trust": "[Can it be trusted?](#7.-Controls-with-a-known-truth)",
    }
    return (
        f"**The answer in short**, for {d['samples']} samples x "
        f"{d['time_points']} time points x {d['genes']} genes"
        + (" (stand-in data, made to depend on order)" if stand_in else "")
        + ":\n\n"
        + list_lines(f"{link} {found[key]}" for key, link in links.items())
    )


def as_text(name: str) -> str:
    """Return a name out of the data as Markdown that shows just its letters,
    whatever they would mean in Markdown or HTML."""
    special = r"[^\w .-]|^_|_$|^[.-]"
    return re.sub(special, lambda found: f"&#{ord(found[0])};", name)


def _start(text):
    return text[:1].upper() + text[1:]


def _join(words):
    if len(words) < 2:
        return "".join(words) or "nothing"
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _lead(difference):
    return "less than 0.001" if difference < 0.001 else f"{difference:.3f}"


def _p(p):
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
