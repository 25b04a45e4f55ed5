"""Results as a run might give them."""

import numpy as np

from helpers import evaluate, report
from helpers.data import ExpressionData
from helpers.experiments import (
    ALL_VALUES,
    BEST,
    BLIND,
    CURES,
    DENSE,
    GENE_MEANS,
)
from helpers.models import MODELS, TIME_FEATURES
from helpers.report import Controls
from helpers.simulate import simulate_expression

PAIRS = {  # probabilities of better, equal, worse by more than the ROPE
    "better": (0.97, 0.02, 0.01),
    "probably better": (0.85, 0.1, 0.05),
    "equal": (0.01, 0.98, 0.01),
    "unclear": (0.6, 0.2, 0.2),
    "probably worse": (0.05, 0.1, 0.85),
    "worse": (0.01, 0.02, 0.97),
}
KINDS = {  # scores without time features, with a clock, a trend, both
    (0.7, 0.719, 0.73, 0.7): "trend",
    (0.7, 0.7, 0.73, 0.74): "trend",
    (0.7, 0.73, 0.719, 0.7): "clock",
    (0.7, 0.721, 0.73, 0.74): "either",
    (0.7, 0.709, 0.709, 0.7): "none",
}
HOSTILE = ("<script>alert(1)</script>", "![x](https://a.org/x.png) *b*", "$_")
SCORES = ("roc_auc", "accuracy", "log_loss", "brier")
ASSIGNED, LSTM, AWARE = MODELS


def make_pair(verdict):
    mean = -0.03 if "worse" in verdict else 0.03
    pair = evaluate.Comparison(mean, -0.01, 0.07, 0.002, *PAIRS[verdict])
    assert pair.verdict == verdict
    return pair


def make_search(
    best=3, kinds=(0.7, 0.7, 0.7, 0.7), n=4, near=4, distance=0.05, p=0.5
):
    """`n` candidates with as many units, epochs and kinds of time features,
    `best` of the former two; `kinds` are the scores of the latter. As many
    as `near` are near the first; the last is `distance` behind it."""
    rows = [
        {"units": i, "l2_reg": 0.01, "epochs": i, "time_features": kind}
        | {"roc_auc_mean": mean, "behind": 0.011 * (i >= near)}
        | {"half_interval": 0.001}
        for i, kind, mean in zip(range(4), TIME_FEATURES, kinds, strict=True)
    ][:n]
    if n > 1:
        half = distance if near == n else 0.001
        rows[-1] |= {"behind": distance, "half_interval": half}
    found = max(rows, key=lambda row: row["roc_auc_mean"])
    found = dict([*found.items()][:4]) | {"units": best, "epochs": best}
    return report.Search(rows, found, p)


def make_training(val_loss=(0.8, 0.6, 0.63), loss=(0.9, 0.5, 0.3)):
    return report.Training(2, -0.8, list(loss), list(val_loss))


TRAININGS = {  # fell, turned up, over-fits
    (True, True, True): make_training(),
    (True, True, False): make_training(loss=(0.9, 0.5, 0.6)),
    (True, False, False): make_training((1, 0.989, 0.998)),
    (False, True, True): make_training((0.6, 0.62, 0.8)),
    (False, False, False): make_training((1, 0.991, 1)),
}


def make_drops(significant=(0, 1), n=3):
    mean = [0.1, 0.05, -0.01][:n]
    drops = {"mean": mean, "low": mean, "high": mean, "index": [*range(n)]}
    return drops | {"significant": list(significant)}


def make_costs(faster_up_to=100):
    time = {"median": 2.0, "low": 1.0, "high": 3.0}
    cost = {"multiply_adds": {25: 10, 400: 2560}}
    cost["milliseconds"] = {25: time, 400: time}
    models = dict.fromkeys(MODELS, cost)
    return {"machine": "m", "models": models, "faster_up_to": faster_up_to}


def make_comparison(verdict="worse", held_out=0.9, linear="equal", **aucs):
    """`verdict` is on every pair; `held_out` is that of the LSTM; `linear` is
    on the best network against logistic regression."""
    known = dict(zip(MODELS, (0.75, 0.85, 0.89), strict=True))
    known |= {GENE_MEANS: 0.75, ALL_VALUES: 0.88, BEST: 0.95, BLIND: 0.76}
    known |= {DENSE: 0.84}
    known = sorted((known | aucs).items(), key=lambda item: -item[1])
    models = {
        name: dict.fromkeys(SCORES, auc)
        | {"roc_auc": {"mean": auc, "sd": 0.01}, "parameters": 1331}
        | {"held_out": {"roc_auc": auc, "low": auc - 0.2, "high": 0.99}}
        for name, auc in known
    }
    models[LSTM]["held_out"]["roc_auc"] = held_out
    pairs = (ASSIGNED, LSTM), (AWARE, LSTM), (AWARE, ASSIGNED)
    pairs = *pairs, (AWARE, DENSE), (ASSIGNED, GENE_MEANS)
    pairs = dict.fromkeys(pairs, make_pair(verdict))
    best = next(name for name in models if name in MODELS)
    return report.ModelComparison(10, models, pairs, best, make_pair(linear))


def make_order(verdict="better"):
    return report.OrderValue(LSTM, 0.85, 0.7, make_pair(verdict))


def make_controls(*change):
    """A `change` is a scenario, a model, and its other ROC AUC there."""
    names = (*MODELS, ALL_VALUES, BEST, *CURES)
    means = {
        "nothing": (0.5, 0.5, 0.5, 0.5, 0.5),
        "level": (0.88, 0.86, 0.88, 0.87, 0.95),
        "pulses": (0.5, 0.96, 0.97, 0.96, 0.98, 0.95, 0.9),
        "rhythm": (0.5, 0.95, 0.96, 0.5, 0.98, 0.5, 0.9),
        "half-time rule": (0.51, 0.85, 0.88, 0.9, 1.0),
    }
    controls = {
        scenario: dict(zip(names, np.c_[row, row], strict=False))
        for scenario, row in means.items()
    }
    for scenario, model, auc in change:
        controls[scenario][model] = [auc, auc]
    return Controls(controls)


def make_data(genes=("A", "B", "C"), classes=("0", "1"), times=range(5)):
    simulated = simulate_expression("level + rhythm", 20, 5, 3)
    X = simulated.X[:, :, : len(genes)].astype(np.float32)
    data = ExpressionData(X, simulated.y, genes, tuple(times), classes)
    return data, simulated


def make_results(first="worse", every=None, p=0.001, order="better", **more):
    kinds = make_search(kinds=(0.7, 0.72, 0.74, 0.74))
    results = {
        "data": report.describe_data(*make_data()),
        "grid": {ASSIGNED: make_search(), AWARE: kinds},
        "training": {ASSIGNED: make_training()},
        "comparison": {
            "assigned": make_comparison(first),
            "all": every or make_comparison("better"),
            "signal": evaluate.SignalTest(0.89, LSTM, 0.6, p, 0.0),
            "costs": make_costs(),
        },
        "order": {"value": make_order(order), "moves": make_moves(1e-7, 0.3)},
    } | more
    return results | {"verdicts": report.conclude(results)}


def make_moves(*largest):
    moves = zip(MODELS, largest, strict=False)
    return {name: {"largest": x, "mean": x / 2} for name, x in moves}
