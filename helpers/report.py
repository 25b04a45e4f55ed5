"""Results, what they mean, and results.json.

`describe_...` gives the numbers of a section, as results.json holds them. A
dataclass where something follows from them: its properties are the verdicts.
"""

import importlib.metadata
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass, is_dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from sklearn.model_selection import GridSearchCV

from helpers import evaluate
from helpers.data import ExpressionData
from helpers.evaluate import (
    ALPHA_STRICT,
    CHANGE,
    ROPE,
    Answer,
    Comparison,
    Verdict,
)
from helpers.experiments import ALL_VALUES, BEST, N_TEST
from helpers.models import MODELS, space_times
from helpers.search import fold_scores
from helpers.simulate import Simulation
from helpers.text import number

ASSIGNED, LSTM, TIME_AWARE = MODELS  # their keys


def describe_data(data: ExpressionData, truth: Simulation | None) -> dict:
    """Describe a file; the `truth` is known for the stand-in alone."""
    n, T, G = data.X.shape
    return {
        "source": "stand-in" if truth else "file",
        "samples": n,
        "time_points": T,
        "genes": G,
        "evenly_spaced": len(set(np.diff(space_times(data.times)).round(3)))
        < 2,
        "classes": data.classes,
        "positive_share": float(data.y.mean()),
        "zero_share": float((data.X == 0).mean()),
    }


def describe_split(
    y: np.ndarray, rows: dict[str, np.ndarray], groups: np.ndarray | None
) -> dict[str, dict]:
    """Count the samples of either part, given by its `rows`, and their
    outcomes; and the groups of either outcome if there are any."""
    split = {}
    for part, chosen in rows.items():
        split[part] = {
            "samples": len(chosen),
            "outcome_1": int(y[chosen].sum()),
            "share_of_1": float(y[chosen].mean()),
        }
        if groups is not None:
            for c in (0, 1):
                members = groups[chosen][y[chosen] == c]
                split[part][f"groups_{c}"] = len(np.unique(members))
    return split


@dataclass(frozen=True)
class Search:
    """The `candidates` of a grid search, best first: their mean ROC AUC over
    folds, how far it lies `behind` the first one's, and half the 95% interval
    of that; the `best` parameters; `p` of a Friedman test of all."""

    candidates: list[dict]
    best: dict
    p: float

    @property
    def distance(self) -> float:
        """How far the last candidate lies behind the first."""
        return self.candidates[-1]["behind"]

    @property
    def near(self) -> int:
        """How many candidates, the best among them, are behind it by less
        than the ROPE, or by a difference that may be 0 (95%)."""
        return sum(
            row["behind"] <= max(ROPE, row["half_interval"])
            for row in self.candidates
        )

    @property
    def stands_out(self) -> bool:
        """Whether no other candidate is near the winner."""
        return self.near == 1

    @property
    def tuning_mattered(self) -> bool:
        """Whether the candidates differ by more than the ROPE, and by more
        than chance."""
        return self.distance > ROPE and self.p < ALPHA_STRICT

    @property
    def varied(self) -> dict[str, list]:
        """The values of each parameter that has several."""
        tried = {
            name: list(dict.fromkeys(row[name] for row in self.candidates))
            for name in self.best
        }
        return {name: v for name, v in tried.items() if len(v) > 1}

    @property
    def at_the_edge(self) -> list[str]:
        """The parameters of which the largest of several values won."""
        return [
            name
            for name, values in self.varied.items()
            if name != "time_features" and self.best[name] == max(values)
        ]

    @property
    def by_time_features(self) -> dict[str, float]:
        """The best mean ROC AUC with each kind of time features."""
        best = {}
        for row in self.candidates:
            best.setdefault(row["time_features"], row["roc_auc_mean"])
        return best


def describe_search(search: GridSearchCV) -> Search:
    """Describe a finished search."""
    scores = fold_scores(search)
    ratio = 1 / (search.n_splits_ - 1)  # test : training
    table = pd.DataFrame(search.cv_results_["params"])
    means = search.cv_results_["mean_test_score"]
    table["roc_auc_mean"], table["behind"] = means, means.max() - means
    table["half_interval"] = evaluate.half_intervals(scores, ratio)
    table = table.sort_values("roc_auc_mean", ascending=False, kind="stable")
    return Search(
        candidates=table.to_dict("records"),
        best={name: search.best_params_[name] for name in search.param_grid},
        p=evaluate.friedman_p(scores),
    )


class OrderKind(StrEnum):
    """Which time features a file needs."""

    CLOCK = "clock"
    TREND = "trend"
    EITHER = "either"
    NONE = "none"


def find_order_kind(search: Search, order: Answer = Answer.YES) -> OrderKind:
    """Say which time features help by more than the ROPE, by the best
    candidate of each kind; none where `order` carries no signal.

    Where neither helps without the other, the file needs either.
    """
    scores = search.by_time_features
    if order not in (Answer.YES, Answer.PROBABLY) or len(scores) < 4:
        return OrderKind.NONE
    clock, trend = scores["clock"], scores["trend"]
    if max(clock, trend, scores["clock + trend"]) - scores["none"] <= ROPE:
        return OrderKind.NONE
    if abs(clock - trend) <= ROPE:
        return OrderKind.EITHER
    return OrderKind.CLOCK if clock > trend else OrderKind.TREND


@dataclass(frozen=True)
class Training:
    """The losses of a training by epoch, `loss` and `val_loss`. The final
    model is that after `search_epochs`; `tau` is Kendall's, of the validation
    loss up to there; all after it was only watched."""

    search_epochs: int
    tau: float
    loss: list[float]
    val_loss: list[float]

    @property
    def epochs(self) -> int:
        return len(self.val_loss)

    @property
    def lowest(self) -> float:
        return min(self.val_loss)

    @property
    def best_epoch(self) -> int:
        return 1 + self.val_loss.index(self.lowest)

    @property
    def change(self) -> float:
        """The relative change up to the final model."""
        return self.val_loss[: self.search_epochs][-1] / self.val_loss[0] - 1

    @property
    def later(self) -> list[float]:
        """The losses after the best epoch."""
        return self.val_loss[self.best_epoch :]

    @property
    def fell(self) -> bool:
        return self.change < -CHANGE

    @property
    def turned_up(self) -> bool:
        return self.val_loss[-1] / self.lowest - 1 > CHANGE

    @property
    def over_fits(self) -> bool:
        """Whether training loss went on falling while this one rose."""
        falling = self.loss[-1] < self.loss[self.best_epoch - 1]
        return self.turned_up and falling


def describe_training(
    history: dict[str, list[float]], search_epochs: int
) -> Training:
    """Describe the `loss` and `val_loss` of a training, one each per epoch.
    Raises FloatingPointError for a validation loss that is not finite."""
    losses = history["val_loss"]
    if not np.isfinite(losses).all():
        epoch = int(np.argmin(np.isfinite(losses))) + 1
        raise FloatingPointError(
            f"the validation loss is not finite at epoch {epoch}; look for "
            "extreme values in the data"
        )
    tau = evaluate.kendall_tau(losses[:search_epochs])
    return Training(search_epochs, tau, list(history["loss"]), list(losses))


class Controls(dict):
    """ROC AUCs on simulations with a known truth, by scenario and model (and
    the best possible), one for each seed."""

    n_test = N_TEST

    @property
    def means(self) -> dict[str, dict[str, float]]:
        tables = {name: pd.DataFrame(row) for name, row in self.items()}
        return {name: table.mean().to_dict() for name, table in tables.items()}

    @property
    def guessing(self) -> float:
        """Half the width of the 95% interval of models that guess."""
        models = self["nothing"]
        return evaluate.half_interval_of_guessing(
            N_TEST,
            n_seeds=len(models[ASSIGNED]),
            n_models=len(models) - 1,  # the best possible does not guess
        )

    @property
    def checks(self) -> dict[str, bool]:
        """By scenario, whether what theory expects came true."""
        means, at_chance = self.means, 0.05
        nothing, level = means["nothing"], means["level"]
        pulses, rhythm = means["pulses"], means["rhythm"]
        half_time = means["half-time rule"]
        blind = [rhythm[m] for m in (ASSIGNED, "attention + clock")]
        seeing = [rhythm[m] for m in (LSTM, "attention + trend")]
        return {
            "nothing": all(
                abs(auc - 0.5) <= self.guessing
                for name, auc in nothing.items()
                if name != BEST
            ),
            "level": level[ASSIGNED] >= level[LSTM] - ROPE,
            "pulses": abs(pulses[ASSIGNED] - 0.5) < at_chance
            and pulses["attention + clock"] > pulses["attention + trend"],
            "rhythm": max(*blind, rhythm[ALL_VALUES]) < 0.5 + at_chance
            and min(seeing) > 0.8,
            "half-time rule": half_time[ASSIGNED]
            < min(half_time[LSTM], half_time[TIME_AWARE]),
        }


@dataclass(frozen=True)
class ModelComparison:
    """The scores of `models`, best first: means over `n_resamples`, that of
    ROC AUC with its SD; the `held_out` ROC AUC with its interval; the size of
    networks. The `pairs` of one table; and the `best_network` against the
    regression on all values, `linear`, if that is among the models."""

    n_resamples: int
    models: dict[str, dict]
    pairs: dict[tuple[str, str], Comparison]
    best_network: str
    linear: Comparison | None

    def auc(self, name: str) -> float:
        """Return a model's mean ROC AUC over resamples."""
        return self.models[name]["roc_auc"]["mean"]

    def held_out(self, name: str) -> float:
        return self.models[name]["held_out"]["roc_auc"]

    def contradicts(self, first: str, second: str) -> bool:
        """Whether validation samples rank a pair the other way round than the
        resamples, where these decide."""
        decided = self.pairs[first, second].verdict not in (
            Verdict.EQUAL,
            Verdict.UNCLEAR,
        )
        gap = self.held_out(first) - self.held_out(second)
        return decided and gap * self.pairs[first, second].mean < 0

    def tabulate(self) -> dict[str, dict]:
        """Return the scores of each model, as a table shows them."""
        shown = "{roc_auc:.3f} ({low:.2f}–{high:.2f})"
        return {
            name: scores | {"held_out": shown.format(**scores["held_out"])}
            for name, scores in self.models.items()
        }

    def tabulate_pairs(self) -> dict[str, dict]:
        """Return the comparisons by the two models of each pair."""
        words = {
            Verdict.UNCLEAR: "cannot be told apart",
            Verdict.EQUAL: "as good",
        }
        return {
            f"{first} against {second}": {
                "verdict": words.get(pair.verdict, str(pair.verdict)),
                "difference": number(pair.mean, "+.3f"),
                "95% interval": f"{number(pair.low, '+.3f')} to "
                f"{number(pair.high, '+.3f')}",
                "p": "< 0.001" if pair.p < 0.001 else f"{pair.p:.3f}",
                "P(better), P(worse)": f"{pair.better:.2f}, {pair.worse:.2f}",
            }
            for (first, second), pair in self.pairs.items()
        }

    def may_guess(self, name: str) -> bool:
        """Whether a model's interval on the validation samples holds 0.5."""
        return self.models[name]["held_out"]["low"] <= 0.5

    @property
    def linear_suffices(self) -> bool:
        """Whether no network is shown to be better than logistic regression
        on all values by more than the ROPE."""
        shown = (Verdict.BETTER, Verdict.PROBABLY_BETTER)
        return self.linear is not None and self.linear.verdict not in shown


def describe_comparison(
    resamples: dict[str, dict[str, np.ndarray]],
    networks: dict[str, keras.Model],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    pairs: Iterable[tuple[str, str]],
    *,
    test_train_ratio: float,
    seed: int,
    groups: np.ndarray | None = None,
) -> ModelComparison:
    """Compare models by their scores (n_resamples,) on `resamples`, and their
    `predictions` (n,) of validation samples with the outcomes `y` (n,), of
    which those of one of `groups` (n,) stand or fall together.

    `test_train_ratio` = n_test / n_train of the resamples.
    """
    draws = evaluate.bootstrap_roc_auc(
        y, predictions, seed=seed, groups=groups
    )
    aucs = {name: resamples[name]["roc_auc"] for name in predictions}
    models = {}
    for name in sorted(aucs, key=lambda m: aucs[m].mean(), reverse=True):
        auc = evaluate.score_predictions(y, predictions[name])["roc_auc"]
        low, high = np.percentile(draws[name], [2.5, 97.5])
        models[name] = {
            "roc_auc": {
                "mean": aucs[name].mean(),
                "sd": aucs[name].std(ddof=1),
            },
            "accuracy": resamples[name]["accuracy"].mean(),
            "log_loss": resamples[name]["log_loss"].mean(),
            "brier": resamples[name]["brier"].mean(),
            "held_out": {"roc_auc": auc, "low": low, "high": high},
        }
        if name in networks:
            models[name]["parameters"] = networks[name].count_params()
    best = next(name for name in models if name in MODELS)
    pair, linear = (best, ALL_VALUES), None
    if ALL_VALUES in aucs:
        linear = evaluate.compare_pairs(aucs, [pair], test_train_ratio)[pair]
    return ModelComparison(
        n_resamples=len(aucs[ASSIGNED]),
        models=models,
        pairs=evaluate.compare_pairs(aucs, pairs, test_train_ratio),
        best_network=best,
        linear=linear,
    )


def describe_importance(
    resamples: dict[str, dict[str, np.ndarray]],
    genes: list[int],
    test_train_ratio: float,
) -> dict[str, dict[str, dict]]:
    """Average, by network, the drops of `genes`, whose indices these are, and
    of windows of time if they were measured."""
    average = partial(
        evaluate.average_drops, test_train_ratio=test_train_ratio
    )
    importance = {
        "genes": {m: average(resamples[m]["genes"], genes) for m in MODELS}
    }
    windows = resamples[TIME_AWARE].get("windows")  # (n_resamples, n_windows)
    if windows is not None:
        index = range(windows.shape[1])
        drops = average(windows, index, above_average=True)
        importance["windows"] = {TIME_AWARE: drops}
    return importance


@dataclass(frozen=True)
class OrderValue:
    """What order is worth: the mean ROC AUC of the best `model` that can see
    it, with and without it, and the comparison of the two, its `loss`."""

    model: str
    with_order: float
    without_order: float
    loss: Comparison

    def carries_signal(self, signal: Answer) -> Answer:
        """Say whether order carries signal, given that there is any."""
        if signal != Answer.YES:
            return Answer.UNCLEAR if signal == Answer.WEAK else Answer.NO
        if self.loss.verdict == Verdict.BETTER:
            return Answer.YES
        if self.loss.verdict == Verdict.PROBABLY_BETTER:
            return Answer.PROBABLY
        return Answer.UNCLEAR if self.loss.better > 0.5 else Answer.NO


def choose_order_reader(resamples: dict[str, dict[str, np.ndarray]]) -> str:
    """Return which of the networks that can see order has the best ROC
    AUC."""
    return max(
        (LSTM, TIME_AWARE), key=lambda name: resamples[name]["roc_auc"].mean()
    )


def describe_order(
    resamples: dict[str, dict[str, np.ndarray]],
    model: str,
    test_train_ratio: float,
) -> OrderValue:
    """Compare a `model` that can see order with itself on "shuffled" series;
    scores are (n_resamples,)."""
    pair = model, "shuffled"
    aucs = {name: resamples[name]["roc_auc"] for name in pair}
    loss = evaluate.compare_pairs(aucs, [pair], test_train_ratio)[pair]
    ordered, without = (aucs[name].mean() for name in pair)
    return OrderValue(model, ordered, without, loss)


def conclude(results: dict) -> dict[str, str]:
    """Return the verdicts of a run, words for other programs to read.

    `results` has, as results.json will, `grid` and `training` (by model),
    `comparison` (of the assigned models, of all, and the signal) and `order`.
    """
    first, every = (results["comparison"][k] for k in ("assigned", "all"))
    signal = results["comparison"]["signal"].answer
    search, training = (results[k][ASSIGNED] for k in ("grid", "training"))
    order = results["order"]["value"].carries_signal(signal)
    pair = first.pairs[ASSIGNED, LSTM]
    best_pair = pair
    if every.auc(TIME_AWARE) > every.auc(ASSIGNED):
        best_pair = every.pairs[TIME_AWARE, LSTM]
    return {
        "signal": signal,
        "order": order,
        "order_kind": find_order_kind(results["grid"][TIME_AWARE], order),
        "linear_suffices": Answer.of(every.linear_suffices),
        "best_network": every.best_network,
        "attention_vs_lstm": pair.verdict,
        "best_attention_vs_lstm": best_pair.verdict,
        "winner_stands_out": Answer.of(search.stands_out),
        "loss_fell": Answer.of(training.fell),
        "loss_turned_up": Answer.of(training.turned_up),
    }


def describe_environment(*, quick: bool, seed: int) -> dict:
    """Return what results depend on beside the data: parameters, versions,
    and the type of processor."""
    packages = ["keras", "scikit-learn", "scikeras"]
    packages += ["numpy", "pandas", "scipy", "joblib"]
    return {
        "quick": quick,
        "seed": seed,
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        **{name: importlib.metadata.version(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def save_json(content: dict, path: Path) -> None:
    """Write numbers to 6 significant digits, keys in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_round(content), indent=1, allow_nan=False, default=int)
    path.write_text(text + "\n", encoding="utf-8")


def _round(value):
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        keys = [" - ".join(k) if isinstance(k, tuple) else k for k in value]
        return dict(zip(keys, map(_round, value.values()), strict=True))
    if isinstance(value, list | tuple):
        return [_round(inner) for inner in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.6g}")
    return value
