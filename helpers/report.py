"""Results, what they mean, and results.json.

`describe_...` gives the numbers of a section, as results.json holds them. A
dataclass where something follows from them: its properties are the verdicts.
"""

import importlib.metadata
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from helpers import evaluate
from helpers.data import ExpressionData
from helpers.evaluate import ALPHA, ALPHA_STRICT, ROPE, Comparison, Verdict
from helpers.experiments import ABLATION, N_TEST
from helpers.explain import count_multiply_adds, describe_costs, list_windows
from helpers.models import MODELS
from helpers.search import fold_scores, tabulate_search
from helpers.simulate import Truth
from helpers.text import say

PRESCRIBED, LSTM = "attention", "LSTM"  # keys of MODELS
TURNED_UP = 0.01  # a rise of 1 % from the lowest loss counts as one
ROUNDING = 1e-4  # probabilities that change by less do so by rounding


class Answer(StrEnum):
    """An answer to a yes-or-no question, as sure as the data allow."""

    YES = "yes"
    PROBABLY = "probably"
    WEAK = "weak"
    UNCLEAR = "unclear"
    NO = "no"

    @classmethod
    def of(cls, is_true: bool) -> "Answer":
        return cls.YES if is_true else cls.NO


def describe_data(
    data: ExpressionData, truth: Truth | None, copies: int = 0
) -> dict:
    """Describe a file; its `mean_gaps` say how far the outcomes' mean time
    courses are apart in each gene. `truth` is known for the stand-in alone;
    `copies` are held-out samples that are training samples, too."""
    n, T, G = data.X.shape
    means = [
        data.X[data.y == c].mean(axis=0, dtype=np.float64) for c in (0, 1)
    ]  # (T, G)
    gaps = np.abs(means[1] - means[0]).mean(axis=0)  # (G,)
    return {
        "source": "stand-in" if truth else "file",
        "samples": n,
        "time_points": T,
        "genes": G,
        "classes": data.classes,
        "positive_share": float(data.y.mean()),
        "zero_share": float((data.X == 0).mean()),
        "mean_gaps": dict(zip(data.genes, gaps, strict=True)),
        "copies_across_the_split": copies,
    }


def describe_split(y_train: np.ndarray, y_valid: np.ndarray) -> dict:
    """Count the samples of either part, and their outcomes."""
    return {
        part: {
            "samples": len(y),
            "outcome_1": int(y.sum()),
            "share_of_1": float(y.mean()),
        }
        for part, y in (("training", y_train), ("validation", y_valid))
    }


@dataclass(frozen=True)
class Search:
    """The `candidates` of a grid search, best first, with mean and SD over
    folds of each score; the `best` parameters; and how far they lead."""

    candidates: list[dict]
    best: dict
    judgement: evaluate.WinnerMargin

    @property
    def stands_out(self) -> bool:
        """Whether the winner leads by enough, and by more than chance."""
        return self.judgement.lead > ROPE and self.judgement.lead_p < ALPHA

    @property
    def tuning_mattered(self) -> Answer:
        """Whether best and last differ by enough, and by more than chance
        gives a pair that was picked for its difference."""
        margin = self.judgement
        if margin.lead_over_last <= ROPE or margin.last_p >= ALPHA:
            return Answer.NO
        return Answer.YES if margin.last_p < ALPHA_STRICT else Answer.UNCLEAR

    @property
    def at_the_edge(self) -> list[str]:
        """The parameters whose largest of several values won."""
        tried = {
            name: {row[name] for row in self.candidates} for name in self.best
        }
        return [
            name
            for name, values in tried.items()
            if len(values) > 2
            and not any(isinstance(value, str) for value in values)
            and self.best[name] == max(values)
        ]

    @property
    def fold_sd(self) -> float:
        """How much one candidate's ROC AUC varies over folds, on average."""
        return float(np.mean([row["roc_auc_sd"] for row in self.candidates]))

    def tabulate(self, top: int | None = None) -> dict[int, dict]:
        """Return by rank the parameters and scores of the `top` candidates
        (None: of all)."""
        return {
            rank: {name: str(row[name]) for name in self.best}
            | {
                score: {"mean": row[f"{score}_mean"], "sd": row[f"{score}_sd"]}
                for score in ("roc_auc", "accuracy", "log_loss")
            }
            for rank, row in enumerate(self.candidates[:top], 1)
        }


def describe_search(search: GridSearchCV) -> Search:
    """Describe a finished search."""
    test_train_ratio = 1 / (search.n_splits_ - 1)  # of k folds, 1 : (k - 1)
    return Search(
        candidates=tabulate_search(search).to_dict("records"),
        best={name: search.best_params_[name] for name in search.param_grid},
        judgement=evaluate.winner_margin(
            fold_scores(search), test_train_ratio
        ),
    )


@dataclass(frozen=True)
class Training:
    """The losses of a training by epoch: the `trend` of the validation loss
    while the search would have trained and its `final` value then; its trend
    after its lowest point; its `rise` to the end, as a share of the lowest."""

    epochs: int
    search_epochs: int
    trend: evaluate.Trend
    trend_after: evaluate.Trend
    final: float
    best_epoch: int
    lowest: float
    rise: float
    loss: list[float]
    val_loss: list[float]

    @property
    def has_trend(self) -> bool:
        return self.trend.p < ALPHA

    @property
    def fell(self) -> bool:
        return self.has_trend and self.trend.tau < 0

    @property
    def turned_up(self) -> bool:
        """Whether the loss rose again by enough, and by more than noise."""
        after = self.trend_after
        return self.rise > TURNED_UP and after.tau > 0 and after.p < ALPHA

    @property
    def over_fits(self) -> bool:
        """Whether training loss went on falling while this one rose."""
        falling = self.loss[-1] < self.loss[self.best_epoch - 1]
        return self.turned_up and falling


def describe_training(history: pd.DataFrame, search_epochs: int) -> Training:
    """Describe `history`: columns `loss` and `val_loss`, a row per epoch, from
    1. Raises FloatingPointError for a validation loss that is not finite."""
    losses = history["val_loss"]
    if not np.isfinite(losses).all():
        epoch = int(np.argmin(np.isfinite(losses))) + 1
        raise FloatingPointError(
            f"the validation loss is not finite at epoch {epoch}; look for "
            "extreme values in the data"
        )
    best = int(losses.idxmin())
    return Training(
        epochs=len(history),
        search_epochs=search_epochs,
        trend=evaluate.mann_kendall(losses[:search_epochs]),
        trend_after=evaluate.mann_kendall(losses[best - 1 :]),
        final=losses[min(search_epochs, len(losses))],
        best_epoch=best,
        lowest=losses.min(),
        rise=losses.iloc[-1] / losses.min() - 1,
        loss=history["loss"].tolist(),
        val_loss=losses.tolist(),
    )


class Controls(dict):
    """ROC AUCs on simulations with a known truth, by scenario and model (and
    the best possible), one for each seed."""

    n_test = N_TEST

    @property
    def means(self) -> dict[str, dict[str, float]]:
        return {
            scenario: {
                name: float(np.mean(aucs)) for name, aucs in row.items()
            }
            for scenario, row in self.items()
        }

    @property
    def guessing(self) -> float:
        """Half the width of the 95 % interval of models that guess."""
        n_seeds = len(self["nothing"][PRESCRIBED])
        return evaluate.half_interval_of_guessing(N_TEST, n_seeds, len(MODELS))

    @property
    def checks(self) -> dict[str, bool]:
        """By scenario, whether what theory expects came true."""
        means = {k: [row[m] for m in MODELS] for k, row in self.means.items()}
        free = means["order-free"]  # prescribed, LSTM, with time features
        blind, *others = means["order only"]
        both, sibling = means["both"], means["sibling rule"]
        return {
            "nothing": all(
                abs(auc - 0.5) <= self.guessing for auc in means["nothing"]
            ),
            "order-free": free[0] >= free[1] - ROPE,
            "order only": abs(blind - 0.5) < 0.05 and min(others) > 0.8,
            "both": both[0] < both[1] < both[2],
            "sibling rule": sibling[0] < 0.56
            and sibling[0] < sibling[1] < sibling[2],
        }

    @property
    def ablation(self) -> dict[str, float]:
        """Mean ROC AUC by kind of time features, where only order counts."""
        means = self.means["order only"]
        return {kind: means[name] for kind, name in ABLATION.items()}

    @property
    def best_features(self) -> str:
        """The best time features; "slow waves" if these are as good."""
        means = self.ablation
        best = max(means, key=lambda kind: means[kind])
        as_good = means["slow waves"] >= means[best] - ROPE
        return "slow waves" if as_good else best


@dataclass(frozen=True)
class ModelComparison:
    """The scores of all `models`: `held_out`, mean and SD over `resamples` of
    what was trained, and the size of networks. The `pairs` of networks, the
    evidence of any `signal`, the `importance` of genes and time windows by
    network, and what `explain.describe_costs` returns."""

    resamples: int
    models: dict[str, dict]
    pairs: dict[tuple[str, str], Comparison]
    signal: evaluate.SignalTest
    importance: dict[str, dict[str, dict]]
    costs: dict

    @property
    def has_signal(self) -> Answer:
        if self.signal.p < ALPHA_STRICT:
            return Answer.YES
        return Answer.WEAK if self.signal.p < ALPHA else Answer.NO

    @property
    def too_few_samples(self) -> bool:
        """Whether no result could have been evidence of a signal."""
        return self.signal.least_p >= ALPHA_STRICT

    @property
    def linear_suffices(self) -> bool:
        """Whether logistic regression on all values matches every network."""
        return self.matched_by("logistic, all values") == list(MODELS)

    @property
    def lowest_log_loss(self) -> float:
        """The lowest mean log loss of a network over resamples."""
        return min(self.models[name]["log_loss"]["mean"] for name in MODELS)

    @property
    def pairs_best_first(self) -> list[tuple[str, str, Comparison]]:
        """The pairs of networks, in each the better one first."""
        return [
            (second, first, pair.reversed())
            if pair.verdict in (Verdict.WORSE, Verdict.PROBABLY_WORSE)
            else (first, second, pair)
            for (first, second), pair in self.pairs.items()
        ]

    @property
    def held_out(self) -> dict[str, dict]:
        """Each model's scores on the held-out samples."""
        return {name: m["held_out"] for name, m in self.models.items()}

    @property
    def resampled(self) -> dict[str, dict]:
        """All else of each model that was resampled."""
        return {
            name: {key: value for key, value in m.items() if key != "held_out"}
            for name, m in self.models.items()
            if "roc_auc" in m
        }

    def auc(self, name: str) -> float:
        """Return a model's mean ROC AUC over resamples."""
        return self.models[name]["roc_auc"]["mean"]

    def best_of(self, names: Iterable[str]) -> str:
        return max(names, key=self.auc)

    def matched_by(self, name: str) -> list[str]:
        """Return the networks that a model matches or beats."""
        return [k for k in MODELS if self.auc(name) >= self.auc(k) - ROPE]

    def versus(self, first: str, second: str) -> Comparison:
        """Return the comparison of two networks, in this order."""
        if (first, second) in self.pairs:
            return self.pairs[first, second]
        return self.pairs[second, first].reversed()


def describe_comparison(
    resamples: dict[str, dict[str, np.ndarray]],
    networks: dict[str, keras.Model],
    y: np.ndarray,
    predictions: dict[str, np.ndarray],
    *,
    truth: Truth | None,
    test_train_ratio: float,
    seed: int,
) -> ModelComparison:
    """Compare models by their scores (n_resamples,) on `resamples`, and their
    `predictions` (n,) of held-out samples with the outcomes `y` (n,).

    `test_train_ratio` = n_test / n_train of the resamples. What was not
    trained there (the best possible) is no evidence of any signal.
    """
    trained = {k: p for k, p in predictions.items() if k in resamples}
    n_time_steps = networks[PRESCRIBED].input_shape[1]
    aucs = {name: scores["roc_auc"] for name, scores in resamples.items()}
    return ModelComparison(
        resamples=len(aucs[PRESCRIBED]),
        models=_describe_models(resamples, networks, y, predictions, seed),
        pairs={
            (b, a): evaluate.compare_scores(aucs[b], aucs[a], test_train_ratio)
            for a, b in combinations(MODELS, 2)
        },
        signal=evaluate.permutation_test(y, trained, seed=seed),
        importance=_describe_importance(
            resamples, n_time_steps, truth, test_train_ratio
        ),
        costs=describe_costs(),
    )


def _describe_models(resamples, networks, y, predictions, seed):
    draws = evaluate.bootstrap_roc_auc(y, predictions, seed=seed)
    models = {}
    for name, p in predictions.items():
        low, high = np.percentile(draws[name], [2.5, 97.5])
        held_out = evaluate.score_predictions(y, p)
        held_out |= {"roc_auc_low": low, "roc_auc_high": high}
        models[name] = {"held_out": held_out}
        models[name] |= {
            score: {"mean": values.mean(), "sd": values.std(ddof=1)}
            for score, values in resamples.get(name, {}).items()
            if values.ndim == 1  # else the importance of features
        }
    for name, network in networks.items():
        models[name]["parameters"] = network.count_params()
        models[name]["multiply_adds"] = count_multiply_adds(network)
    return models


def _describe_importance(resamples, n_time_steps, truth, test_train_ratio):
    """Average, by network, the drops `genes` (n_resamples, G) and `windows`
    (n_resamples, n_windows); where the `truth` is known, say which features
    are `known` to matter, and how the significant ones agree with them."""
    known = {}
    if truth:
        known["genes"] = list(truth.genes)
        known["windows"] = [
            i
            for i, window in enumerate(list_windows(n_time_steps))
            if any(window.start <= t < window.stop for t in truth.times)
        ]
    importance = {name: {} for name in MODELS}
    for name, kinds in importance.items():
        for kind in ("genes", "windows"):
            kinds[kind] = evaluate.average_drops(
                resamples[name][kind],
                test_train_ratio,
                above_average=kind == "windows",
            )
            if truth:
                kinds[kind] |= evaluate.precision_recall(
                    kinds[kind]["significant"], known[kind]
                )
                kinds[kind]["known"] = known[kind]
    return importance


class Moves(dict):
    """By model, how far predictions move when time points are shuffled: the
    `largest` and the `mean` absolute change of the probability."""

    @property
    def blind(self) -> list[str]:
        """The models that cannot see the order of time points."""
        return [k for k, move in self.items() if move["largest"] < ROUNDING]

    @property
    def seeing(self) -> list[str]:
        return [name for name in self if name not in self.blind]


@dataclass(frozen=True)
class OrderValue:
    """What order is worth: the `moves` of predictions without it, the mean
    ROC AUC of the best `model` that sees it, with and without it, and the
    comparison of the two, its `loss`."""

    moves: Moves
    model: str
    with_order: float
    without_order: float
    loss: Comparison

    @property
    def misleads(self) -> bool:
        return self.loss.verdict == Verdict.WORSE

    def carries_signal(self, has_signal: Answer) -> Answer:
        """Say whether order carries signal, given that there is any."""
        if has_signal != Answer.YES:
            return Answer.UNCLEAR if has_signal == Answer.WEAK else Answer.NO
        if self.loss.verdict == Verdict.BETTER:
            return Answer.YES
        if self.loss.verdict == Verdict.PROBABLY_BETTER:
            return Answer.PROBABLY
        return Answer.UNCLEAR if self.loss.better > 0.5 else Answer.NO


def choose_order_reader(resamples: dict[str, dict[str, np.ndarray]]) -> str:
    """Return which of the networks that see order has the best ROC AUC."""
    readers = [name for name in MODELS if name != PRESCRIBED]
    return max(readers, key=lambda name: resamples[name]["roc_auc"].mean())


def describe_order(
    moves: Moves,
    resamples: dict[str, dict[str, np.ndarray]],
    shuffled: dict[str, np.ndarray],
    test_train_ratio: float,
) -> OrderValue:
    """Compare the best model that sees order with itself on `shuffled`
    series; scores are (n_resamples,)."""
    model = choose_order_reader(resamples)
    scores = resamples[model]["roc_auc"], shuffled["roc_auc"]
    return OrderValue(
        moves=moves,
        model=model,
        with_order=scores[0].mean(),
        without_order=scores[1].mean(),
        loss=evaluate.compare_scores(*scores, test_train_ratio),
    )


def conclude(results: dict) -> dict[str, dict[str, str]]:
    """Return the `verdicts` of a run, words for other programs to read, and
    its `conclusions`, sentences by what they are about.

    `results` has, as results.json will, `data`, `split`, `grid` and
    `training` (by model), `comparison`, `order`, `controls`.
    """
    comparison, order = results["comparison"], results["order"]
    search, training = (results[k][PRESCRIBED] for k in ("grid", "training"))
    attention = comparison.best_of(name for name in MODELS if name != LSTM)
    time_points = results["data"]["time_points"]
    verdicts = {
        "signal": comparison.has_signal,
        "order": order.carries_signal(comparison.has_signal),
        "linear_suffices": Answer.of(comparison.linear_suffices),
        "best_network": comparison.best_of(MODELS),
        "attention_vs_lstm": comparison.versus(PRESCRIBED, LSTM).verdict,
        "best_attention_vs_lstm": comparison.versus(attention, LSTM).verdict,
        "winner_stands_out": Answer.of(search.stands_out),
        "loss_fell": Answer.of(training.fell),
        "loss_turned_up": Answer.of(training.turned_up),
    }
    conclusions = {
        "prediction": say("comparison", "signal", comparison),
        "comparison": say("comparison", "finding", comparison, True),
        "baselines": say("comparison", "baselines", comparison),
        "why": say("order", "finding", order, comparison),
        "tuning": say("search", "tuning", results["grid"]),
        "training": say("training", "finding", training),
        "trust": say("controls", "trust", results["controls"]),
        "benefit": say("comparison", "benefit", comparison, time_points),
    }
    return {"verdicts": verdicts, "conclusions": conclusions}


def describe_environment(*, quick: bool, seed: int) -> dict:
    """Return what results depend on beside the data: parameters, versions,
    and the type of processor."""
    packages = ["tensorflow", "keras", "scikit-learn", "scikeras"]
    packages += ["numpy", "pandas", "scipy", "joblib"]
    return {
        "quick": quick,
        "seed": seed,
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _version(name):
    for package in (name, f"{name}-cpu"):  # tensorflow-cpu is tensorflow
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return "not installed"


def save_json(content: dict, path: Path) -> None:
    """Write numbers to 6 significant digits, keys in the order given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_to_json(content), indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def _to_json(value):
    if is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in fields(value)}
    if isinstance(value, dict):
        return {
            " - ".join(key) if isinstance(key, tuple) else str(key): _to_json(
                v
            )
            for key, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_to_json(inner) for inner in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    return float(f"{value:.6g}")
