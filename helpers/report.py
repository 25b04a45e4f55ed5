"""Conclusions computed from results, and the headline."""

from helpers.findings import (
    say_baselines,
    say_blindness,
    say_order,
    say_pair,
    say_signal,
    say_size,
    say_trend,
)
from helpers.judge import (
    check_controls,
    judge_pair,
    judge_tuning,
    stands_out,
    turned_up,
)
from helpers.words import (
    NAMES,
    capitalise,
    format_lead,
    format_p,
    join_words,
    list_lines,
    plain,
)


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
        "prediction": plain(say_signal(comparison)),
        "comparison": " ".join([*pairs, f"Held out: {scores}."]),
        "baselines": say_baselines(comparison),
        "why": plain(f"{say_blindness(results['order'])} {why}"),
        "tuning": say_tuning(grids),
        "training": say_course(results["training"]["attention"]),
        "trust": say_trust(results["controls"]),
        "benefit": say_benefit(comparison, results["data"]["time_points"]),
    }


def say_pair_briefly(first: str, second: str, pair: dict, models: dict) -> str:
    """Say which of two models is better, with their mean ROC AUCs."""
    text = plain(say_pair(first, second, pair).split(" (")[0])
    if judge_pair(pair).endswith("worse"):  # the better one is named first
        first, second = second, first
    means = [models[name]["roc_auc"]["mean"] for name in (first, second)]
    return f"{text} (ROC AUC {means[0]:.3f} and {means[1]:.3f})."


def say_tuning(grids: dict) -> str:
    """Say in short which setting won, by how much, and whether it matters."""
    found, best = grids["attention"]["judgement"], grids["attention"]["best"]
    setting = ", ".join(f"{k} {v:g}" for k, v in best.items())
    does = "stands" if stands_out(grids["attention"]) else "does not stand"
    apart = {"yes": [], "perhaps": [], "hardly": []}
    for name, grid in grids.items():
        gap, p = (grid["judgement"][k] for k in ("lead_over_last", "last_p"))
        text = f"{NAMES[name]} ({gap:.3f}, {format_p(p)})"
        apart[judge_tuning(grid)].append(text)
    answers = [f"{k} for {join_words(v)}" for k, v in apart.items() if v]
    return (
        f"{capitalise(', '.join(answers))}: so far are best and last setting "
        f"apart. The best setting of {NAMES['attention']} is {setting}, with "
        f"a mean ROC AUC of {found['mean']:.3f}; it leads the runner-up by "
        f"{format_lead(found['lead'])} and {does} out from the fold-to-fold "
        f"spread (SD {found['sd']:.3f})."
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


def say_trust(controls: dict) -> str:
    """Say what speaks for the numbers."""
    checks = check_controls(controls).values()
    return (
        f"{sum(checks)} of {len(checks)} controls with a known truth came "
        "out as expected. Held-out samples were scored once; before, only "
        "their loss was watched, as asked, and nothing was chosen by it. "
        "`make verify` computes the published numbers again."
    )


def say_benefit(comparison: dict, n_time_steps: int) -> str:
    """Say what attention offers in practice, on a file of this size."""
    return (
        "Attention looks at all time points at once, in 1 sequential step "
        f"where the LSTM takes {n_time_steps}. {say_size(comparison)}"
    )


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
