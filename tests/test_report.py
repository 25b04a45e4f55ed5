"""Verdicts at their thresholds, results.json, and every sentence."""

import html
import itertools
import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from jinja2 import UndefinedError
from nbconvert.filters import markdown2html
from sklearn.metrics import roc_auc_score

from helpers import report, text
from helpers.data import ExpressionData
from helpers.evaluate import (
    ROPE,
    Comparison,
    SignalTest,
    Trend,
    Verdict,
    WinnerMargin,
    half_interval_of_guessing,
    winner_margin,
)
from helpers.explain import count_multiply_adds
from helpers.models import MODELS
from helpers.report import Answer, Controls, Moves
from helpers.simulate import Truth, simulate_expression
from helpers.text import join_lines, safe_name, say, say_figure

POSTERIORS = {  # probabilities of better, equal, worse by more than the ROPE
    Verdict.BETTER: (0.97, 0.02, 0.01),
    Verdict.PROBABLY_BETTER: (0.85, 0.1, 0.05),
    Verdict.EQUAL: (0.01, 0.98, 0.01),
    Verdict.UNCLEAR: (0.6, 0.2, 0.2),
    Verdict.PROBABLY_WORSE: (0.05, 0.1, 0.85),
    Verdict.WORSE: (0.01, 0.02, 0.97),
}
HOSTILE = ("<script>alert(1)</script>", "![x](https://a.org/x.png) *b*", "$_")


def make_pair(verdict, mean=0.03):
    pair = Comparison(mean, 0.02, *POSTERIORS[verdict])
    assert pair.verdict == verdict
    return pair


def make_search(lead=0.02, lead_p=0.5, gap=0.05, last_p=0.001, best=3):
    margin = WinnerMargin(0.7, 0.02, lead, lead_p, gap, last_p, 4, 16)
    scores = ("roc_auc", "accuracy", "log_loss")
    numbers = {f"{s}_{k}": 0.7 for s in scores for k in ("mean", "sd")}
    tried = [best, *({1, 2, 3} - {best})]
    candidates = [{"units": n, "l2_reg": 0.01} | numbers for n in tried]
    best = {"units": best, "l2_reg": 0.01}
    return report.Search(candidates, best, margin)


def make_training(tau=-0.8, p=0.0001, rise=0.05, after_p=0.001, end=0.3):
    return report.Training(
        epochs=3,
        search_epochs=2,
        trend=Trend(tau, p, -0.2),
        trend_after=Trend(0.7, after_p, rise),
        final=0.61,
        best_epoch=2,
        lowest=0.6,
        rise=rise,
        loss=[0.9, 0.5, end],
        val_loss=[0.8, 0.6, 0.6 * (1 + rise)],
    )


def make_drops(significant, **truth):
    mean = [0.1, 0.05, -0.01]
    return {
        "mean": mean,
        "low": mean,
        "high": mean,
        "significant": significant,
        **truth,
    }


def make_importance(genes, windows, **truth):
    drops = {
        "genes": make_drops(genes, **truth),
        "windows": make_drops(windows, **truth),
    }
    return dict.fromkeys(MODELS, drops)


def make_costs(milliseconds=(1, 90)):
    times = zip((25, 400), milliseconds, strict=True)
    cost = {
        "multiply_adds": {25: 10, 400: 2560},
        "sequential_steps": {25: 1, 400: 1},
        "milliseconds": {
            T: {"median": ms, "low": ms, "high": ms} for T, ms in times
        },
    }
    return {"machine": "a machine", "models": dict.fromkeys(MODELS, cost)}


def make_comparison(
    verdict=Verdict.BETTER, p=0.0002, least_p=0.0, aucs=(0.75, 0.85, 0.89)
):
    """`verdict` is on LSTM - attention and the other pairs alike."""
    names = [*MODELS, "logistic, time means", "logistic, all values"]
    models = {
        name: {
            "roc_auc": {"mean": auc, "sd": 0.01},
            "log_loss": {"mean": 1 - auc, "sd": 0.01},
            "held_out": {"roc_auc": auc},
            "parameters": 1331,
            "multiply_adds": 210_010,
        }
        for name, auc in zip(names, (*aucs, 0.75, 0.88), strict=True)
    }
    models["best possible"] = {"held_out": {"roc_auc": 0.95}}
    return report.ModelComparison(
        resamples=10,
        models=models,
        pairs={
            (b, a): make_pair(verdict)
            for a, b in itertools.combinations(MODELS, 2)
        },
        signal=SignalTest(0.89, "LSTM", 0.6, p, least_p),
        importance=make_importance(
            [0, 1], [], known=[0], precision=0.5, recall=1.0
        ),
        costs=make_costs(),
    )


def make_order(verdict=Verdict.BETTER, largest=1e-7):
    moves = {name: {"largest": 0.5, "mean": 0.2} for name in MODELS}
    moves["attention"] = {"largest": largest, "mean": largest / 2}
    loss = make_pair(verdict)
    return report.OrderValue(Moves(moves), "LSTM", 0.85, 0.7, loss)


def make_controls(blind=0.5, free=0.88, both=0.72, time=0.9):
    def make_row(*means):
        return {
            name: [mean - 0.01, mean, mean + 0.01]
            for name, mean in zip(
                (*MODELS, "best possible"), means, strict=True
            )
        }

    features = {"time": [time], "sinusoids": [0.7], "added sinusoids": [0.5]}
    return Controls(
        {
            "both": make_row(both, 0.85, 0.91, 0.95),
            "order-free": make_row(free, 0.86, 0.88, 0.95),
            "order only": make_row(blind, 0.96, 0.97, 0.98) | features,
            "nothing": make_row(blind, 0.5, 0.5, 0.5),
            "sibling rule": make_row(0.51, 0.85, 0.88, 1.0),
        }
    )


def make_data(genes=("A", "B", "C"), classes=("0", "1")):
    simulated = simulate_expression(n_samples=20, n_time_steps=5, n_genes=3)
    X = simulated.X[:, :, : len(genes)].astype(np.float32)
    data = ExpressionData(X, simulated.y, genes, (0, 1, 2, 3, 4), classes)
    return data, simulated.truth


def make_results(**changes):
    return {
        "data": report.describe_data(*make_data()),
        "split": report.describe_split(np.array([0, 1, 1]), np.array([0, 1])),
        "grid": dict.fromkeys(MODELS, make_search()),
        "training": dict.fromkeys(MODELS, make_training()),
        "comparison": make_comparison(),
        "order": make_order(),
        "controls": make_controls(),
    } | changes


# Verdicts


@pytest.mark.parametrize(
    ("lead", "lead_p", "stands_out"),
    [(0.011, 0.049, True), (0.011, 0.05, False), (ROPE, 0.001, False)],
)
def test_a_winner_stands_out_by_enough_and_by_more_than_chance(
    lead, lead_p, stands_out
):
    assert make_search(lead, lead_p).stands_out is stands_out


@pytest.mark.parametrize(
    ("gap", "last_p", "answer"),
    [
        (0.05, 0.0099, Answer.YES),
        (0.05, 0.01, Answer.UNCLEAR),
        (0.05, 0.05, Answer.NO),
        (ROPE, 0.001, Answer.NO),
    ],
)
def test_tuning_mattered_where_best_and_last_differ(gap, last_p, answer):
    assert make_search(gap=gap, last_p=last_p).tuning_mattered == answer


def test_best_and_last_of_equal_candidates_are_not_told_apart():
    rng = np.random.default_rng(0)
    misses = 0
    for _ in range(200):
        sizes = np.repeat(rng.normal(0, 0.03, (4, 5)), 4, axis=0)
        scores = 0.5 + sizes + rng.normal(0, 0.02, (16, 5))
        margin = winner_margin(scores, test_train_ratio=0.25)
        search = report.Search([], {}, margin)
        misses += search.tuning_mattered == Answer.YES
    assert misses <= 8


def test_only_the_largest_of_several_values_is_at_the_edge():
    assert make_search(best=3).at_the_edge == ["units"]
    assert make_search(best=2).at_the_edge == []
    search = make_search(best=3)
    two = replace(search, candidates=search.candidates[:2])
    assert two.at_the_edge == []


@pytest.mark.parametrize(
    ("change", "fell", "turned_up", "over_fits"),
    [
        ({}, True, True, True),
        ({"tau": 0.8}, False, True, True),
        ({"p": 0.05}, False, True, True),
        ({"rise": 0.01}, True, False, False),
        ({"after_p": 0.05}, True, False, False),
        ({"end": 0.5}, True, True, False),
    ],
)
def test_the_course_of_the_loss_is_judged(change, fell, turned_up, over_fits):
    training = make_training(**change)
    assert training.fell is fell
    assert training.turned_up is turned_up
    assert training.over_fits is over_fits


@pytest.mark.parametrize(
    ("p", "answer"), [(0.0099, "yes"), (0.01, "weak"), (0.05, "no")]
)
def test_signal_takes_a_small_p_value(p, answer):
    assert make_comparison(p=p).has_signal == answer


def test_few_samples_are_no_evidence_of_no_signal():
    assert make_comparison(least_p=1 / 6).too_few_samples
    assert not make_comparison(least_p=0.009).too_few_samples


@pytest.mark.parametrize(
    ("verdict", "signal", "answer"),
    [
        (Verdict.BETTER, "yes", "yes"),
        (Verdict.PROBABLY_BETTER, "yes", "probably"),
        (Verdict.UNCLEAR, "yes", "unclear"),
        (Verdict.EQUAL, "yes", "no"),
        (Verdict.WORSE, "yes", "no"),
        (Verdict.BETTER, "weak", "unclear"),
        (Verdict.BETTER, "no", "no"),
    ],
)
def test_order_carries_signal_only_where_there_is_some(
    verdict, signal, answer
):
    assert make_order(verdict).carries_signal(Answer(signal)) == answer


def test_blind_models_move_by_rounding_alone():
    blind = make_order(largest=9e-5).moves
    assert (blind.blind, len(blind.seeing)) == (["attention"], 2)
    assert make_order(largest=1e-4).moves.blind == []


def test_linear_models_suffice_within_the_rope():
    assert not make_comparison(aucs=(0.7, 0.8, 0.891)).linear_suffices
    assert make_comparison(aucs=(0.7, 0.8, 0.889)).linear_suffices
    comparison = make_comparison(aucs=(0.7, 0.9, 0.885))
    matched = comparison.matched_by("logistic, all values")
    assert matched == ["attention", "attention + time"]


def test_pairs_name_the_better_one_first_and_can_be_turned():
    worse = make_comparison(Verdict.PROBABLY_WORSE)
    first, second, pair = worse.pairs_best_first[0]
    assert (first, second, pair.verdict) == (
        "attention",
        "LSTM",
        "probably better",
    )
    assert worse.versus("attention", "LSTM") == pair
    assert worse.versus("LSTM", "attention").verdict == "probably worse"


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({}, set()),
        ({"blind": 0.6}, {"nothing", "order only"}),
        ({"free": 0.8}, {"order-free"}),
        ({"both": 0.9}, {"both"}),
    ],
)
def test_controls_are_checked(change, fails):
    checks = make_controls(**change).checks
    assert len(checks) == 5
    assert {name for name, passed in checks.items() if not passed} == fails


def test_chosen_features_are_best_within_the_rope():
    assert make_controls(time=0.979).best_features == "slow waves"
    assert make_controls(time=0.981).best_features == "time"
    assert make_controls().guessing == half_interval_of_guessing(2000, 3, 3)


def test_verdicts_have_the_words_that_others_read():
    weak = make_comparison(Verdict.WORSE, p=0.02, aucs=(0.9, 0.85, 0.89))
    training = make_training(rise=0, tau=0.5)
    changed = make_results(
        comparison=weak,
        grid={"attention": make_search(lead_p=0.01)},
        training={"attention": training},
    )
    assert report.conclude(make_results())["verdicts"] == {
        "signal": "yes",
        "order": "yes",
        "linear_suffices": "yes",
        "best_network": "attention + time",
        "attention_vs_lstm": "worse",
        "best_attention_vs_lstm": "better",
        "winner_stands_out": "no",
        "loss_fell": "yes",
        "loss_turned_up": "yes",
    }
    assert report.conclude(changed)["verdicts"] == {
        "signal": "weak",
        "order": "unclear",
        "linear_suffices": "no",
        "best_network": "attention",
        "attention_vs_lstm": "better",
        "best_attention_vs_lstm": "better",
        "winner_stands_out": "yes",
        "loss_fell": "no",
        "loss_turned_up": "no",
    }


# Numbers


def test_gaps_between_means_are_exact_and_finite():
    X = np.full((20_000, 1, 2), 1e4, np.float32)
    y = np.arange(20_000) % 2
    X[y == 1, 0, 0] += 0.0625
    X[:, 0, 1] = 2.6e37
    data = ExpressionData(X, y, ("A", "B"), (0,), ("0", "1"))
    described = report.describe_data(data, None, copies=3)
    assert described["mean_gaps"] == pytest.approx({"A": 0.0625, "B": 0})
    assert described["source"] == "file"
    assert described["copies_across_the_split"] == 3


def test_training_describes_the_course_of_the_loss():
    losses = [1.0, 0.8, 0.6, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55]
    history = pd.DataFrame({"loss": losses, "val_loss": losses})
    history.index = pd.RangeIndex(1, 10)
    training = report.describe_training(history, search_epochs=4)
    assert (training.best_epoch, training.final) == (4, 0.5)
    assert training.rise == pytest.approx(0.1)
    assert training.trend.tau == pytest.approx(-1)
    assert training.trend_after.tau == pytest.approx(1)
    history.loc[3, "val_loss"] = np.nan
    with pytest.raises(FloatingPointError, match="not finite at epoch 3"):
        report.describe_training(history, search_epochs=4)


@pytest.fixture(scope="module")
def resamples():
    rng = np.random.default_rng(0)
    means = (0.7, 0.8, 0.9, 0.5)
    scores = ("roc_auc", "accuracy", "log_loss", "brier")
    drawn = {
        name: {score: rng.normal(mean, 0.01, 10) for score in scores}
        for name, mean in zip((*MODELS, "majority class"), means, strict=True)
    }
    for name in MODELS:
        drawn[name]["genes"] = rng.normal((0.1, 0, 0), 0.001, (10, 3))
        drawn[name]["windows"] = rng.normal((0, 0.1), 0.001, (10, 2))
    return drawn


@pytest.fixture(scope="module")
def networks():
    return {
        name: entry.build((10, 3), **entry.largest)
        for name, entry in MODELS.items()
    }


@pytest.fixture(scope="module")
def held_out(resamples):
    """Outcomes, and predictions of which only the LSTM's are any good."""
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat([0, 1], 50))
    p = {name: rng.random(100) for name in resamples}
    p["LSTM"] = (p["LSTM"] + 0.7 * y) / 2
    return y, p | {"best possible": y.astype(float)}


@pytest.fixture(scope="module")
def compared(resamples, networks, held_out):
    truth = Truth((0, 1), (0, 1, 2), np.zeros(1))  # first window of two
    return report.describe_comparison(
        resamples,
        networks,
        *held_out,
        truth=truth,
        test_train_ratio=0.25,
        seed=0,
    )


def test_comparison_holds_every_model_pair_and_score(
    compared, resamples, networks, held_out
):
    lstm, drawn = compared.resampled["LSTM"], resamples["LSTM"]
    assert lstm["roc_auc"]["mean"] == drawn["roc_auc"].mean()
    assert lstm["brier"]["sd"] == drawn["brier"].std(ddof=1)
    assert lstm["parameters"] == networks["LSTM"].count_params()
    assert lstm["multiply_adds"] == count_multiply_adds(networks["LSTM"])
    y, p = held_out
    scores = compared.held_out["LSTM"]
    assert scores["roc_auc"] == roc_auc_score(y, p["LSTM"])
    assert scores["roc_auc_low"] < scores["roc_auc"] < 1
    assert "best possible" not in compared.resampled
    assert "parameters" not in compared.models["majority class"]
    assert compared.pairs["attention + time", "LSTM"].better > 0.99
    assert len(compared.pairs) == 3
    assert compared.has_signal == "yes"
    assert compared.signal.model == "LSTM"  # the truth is no evidence


def test_importance_is_compared_with_the_truth(compared):
    drops = compared.importance["LSTM"]
    assert drops["genes"]["significant"] == [0]
    assert drops["genes"]["precision"] == 1
    assert drops["genes"]["recall"] == 0.5
    assert drops["windows"]["significant"] == [1]
    assert drops["windows"]["precision"] == 0
    assert drops["windows"]["known"] == [0]


def test_without_a_truth_nothing_is_known(resamples, networks, held_out):
    y, p = held_out
    without = {name: p[name] for name in p if name != "best possible"}
    compared = report.describe_comparison(
        resamples,
        networks,
        y,
        without,
        truth=None,
        test_train_ratio=0.25,
        seed=0,
    )
    assert "known" not in compared.importance["LSTM"]["genes"]
    assert "best possible" not in compared.models


def test_order_is_asked_of_the_best_model_that_sees_it(resamples):
    shuffled = {"roc_auc": resamples["attention"]["roc_auc"]}
    order = report.describe_order(Moves(), resamples, shuffled, 0.25)
    assert order.model == "attention + time"
    assert order.with_order > 0.85 > 0.75 > order.without_order
    best = resamples | {"attention": resamples["attention + time"]}
    assert report.choose_order_reader(best) != "attention"


def test_json_is_stable_and_plain(tmp_path):
    path = tmp_path / "new" / "results.json"
    results = make_results(number=np.float32(1 / 3), n=(np.int64(2), True))
    report.save_json(results | report.conclude(results), path)
    saved = json.loads(path.read_text())
    assert (saved["number"], saved["n"]) == (0.333333, [2, True])
    assert saved["comparison"]["pairs"]["LSTM - attention"]["p"] == 0.02
    assert saved["order"]["moves"]["LSTM"]["largest"] == 0.5
    assert saved["controls"]["both"]["LSTM"] == [0.84, 0.85, 0.86]
    assert saved["training"]["LSTM"]["trend"]["tau"] == -0.8
    assert saved["grid"]["LSTM"]["judgement"]["candidates"] == 16
    assert saved["verdicts"]["order"] == "yes"
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.save_json({"a": float("nan")}, path)


# Sentences


def every_text():
    """Yield section, macro and arguments: each macro, in each of its cases."""
    for genes, classes in (
        (("A", "B", "C"), ("0", "1")),
        (HOSTILE[:1], HOSTILE[1:]),
    ):
        data, truth = make_data(genes, classes)
        for known in (truth, None):
            described = report.describe_data(data, known)
            for macro in ("finding", "caption", "alt"):
                yield "data", macro, described
    for search in (make_search(), make_search(0.02, 0.01, best=2)):
        for macro in ("setting", "finding", "caption", "alt"):
            yield "search", macro, search
    for last_ps in itertools.product((0.001, 0.02, 0.5), repeat=3):
        searches = [make_search(last_p=p) for p in last_ps]
        yield "search", "tuning", dict(zip(MODELS, searches, strict=True))
    for change in ({}, {"p": 0.5}, {"tau": 0.8}, {"end": 0.6}, {"rise": 0}):
        training = make_training(**change)
        yield "training", "finding", training
        for macro in ("caption", "alt"):
            yield "training", macro, {"attention": training, "LSTM": training}
    for largest in (1e-7, 0.3):
        for macro in ("moves", "blindness"):
            yield "order", macro, make_order(largest=largest).moves
    none = Moves({"attention": {"largest": 0.0, "mean": 0.0}})
    yield "order", "blindness", none
    for verdict, p in itertools.product(Verdict, (0.001, 0.02, 0.2)):
        comparison = make_comparison(verdict, p)
        yield "order", "finding", make_order(verdict), comparison
        for macro in ("signal", "finding", "baselines", "caption", "alt"):
            yield "comparison", macro, comparison
    yield "comparison", "signal", make_comparison(p=0.2, least_p=1 / 6)
    yield "comparison", "baselines", make_comparison(aucs=(0.9, 0.9, 0.9))
    yield "comparison", "benefit", make_comparison(), 50
    for change in ({}, {"both": 0.9}, {"time": 0.99}):
        controls = make_controls(**change)
        for macro in ("ablation", "checks", "trust", "caption", "alt"):
            yield "controls", macro, controls
        yield "controls", "ablation_caption", controls
        yield "controls", "ablation_alt", controls
    known = {"known": [0], "precision": None, "recall": 0.5}
    for importance in (
        make_importance([], []),
        make_importance([1], [2]),
        make_importance([0, 1, 2], [0], **known),
    ):
        for macro in ("finding", "caption", "alt"):
            yield "importance", macro, importance, HOSTILE
    maps = {"attention": np.full((2, 4, 4), 0.25)}
    yield "importance", "attention_caption", maps
    yield "importance", "attention_alt", maps
    for macro in ("finding", "caption", "alt"):
        yield "costs", macro, make_costs()
    results = make_results()
    conclusions = report.conclude(results)["conclusions"]
    yield "summary", "conclusions", conclusions
    yield "summary", "headline", results["data"], conclusions


@pytest.mark.parametrize(
    "case", list(every_text()), ids=lambda case: " ".join(case[:2])
)
def test_every_sentence_is_whole(case):
    said = say(*case)
    assert said.rstrip("*")[-1] == "." or case[1] in ("checks", "setting")
    assert not re.search(r" [.,;:)]|\( |,\.|\.\.|\*\* \w+\*\*$|None|<b>", said)
    assert said.count("**") % 2 == 0
    assert "<script" not in said
    assert "![" not in said


def test_every_macro_that_a_cell_may_call_was_tried():
    tried = {case[:2] for case in every_text()}
    inner = {"agreement", "attention_range", "matched"}
    for path in (ROOT / "helpers" / "text").glob("*.md.j2"):
        section = path.name.removesuffix(".md.j2")
        for macro in re.findall(r"{% macro (\w+)", path.read_text()):
            assert macro in inner or (section, macro) in tried


def test_sentences_differ_where_the_verdicts_do():
    said = {say("comparison", "finding", make_comparison(v)) for v in Verdict}
    assert len(said) == len(Verdict)
    assert len({said.split("**")[1] for said in said}) == len(Verdict)
    order = {
        say("order", "finding", make_order(v), make_comparison())
        for v in Verdict
    }
    assert len({said.split("**")[1] for said in order}) == 5


def test_failed_checks_are_named():
    lines = say("controls", "checks", make_controls(free=0.8)).splitlines()
    failed = [line for line in lines if "**not as expected**" in line]
    assert len(lines) == 5
    assert len(failed) == 1
    assert "order-free" in failed[0]


def test_missing_numbers_are_an_error():
    data = report.describe_data(*make_data())
    del data["zero_share"]
    with pytest.raises(UndefinedError, match="zero_share"):
        say("data", "finding", data)


def test_every_link_of_the_headline_names_a_heading():
    results = make_results()
    conclusions = report.conclude(results)["conclusions"]
    headline = say("summary", "headline", results["data"], conclusions)
    notebook = (ROOT / "assignment7.ipynb").read_text().replace("-", " ")
    links = re.findall(r"\(#(\S+)\)", headline)
    assert len(links) == 6
    for target in links:
        assert f"## {target.replace('-', ' ')}" in notebook


@pytest.mark.parametrize(
    "name",
    [
        *HOSTILE,
        *("Gene_0", "HLA-A*02:01", "_a_", "__a__ b _c_", "a`b", "<b>", "&lt;"),
        *("- a", "1. a", "$x$", "été", "# a", "a ~~b~~", "https://a.org"),
        *("[x](javascript:alert(1))", "\\*", "a , b (x) .5", "**b"),
    ],
)
def test_names_stay_what_they_are(name):
    said = join_lines(f"Relies on\n{safe_name(name)}\n, and x")
    page = markdown2html(said)
    assert html.unescape(page) == f"<p>Relies on {name}, and x</p>\n"


def test_line_breaks_of_a_template_mean_nothing():
    assert join_lines("\n  a (\n b\n)\n,\n ** c\n**\n.\n") == "a (b), **c**."
    assert join_lines("\nx:\n - a\n b\n\n- c\n") == "x:\n\n- a b\n- c"


def test_captions_come_with_their_alternatives():
    parts = say_figure("controls", make_controls(), figure="ablation")
    assert parts["caption"] == say(
        "controls", "ablation_caption", make_controls()
    )
    assert "time 0.900" in parts["alt"]


@pytest.mark.parametrize(
    ("p", "said"),
    [
        (0.99951, "more than 99.9 %"),
        (0.9327, "93.3 %"),
        (0.0004, "less than 0.1 %"),
    ],
)
def test_probabilities_are_never_certain(p, said):
    assert text.probability(p) == said
