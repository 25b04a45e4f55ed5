"""Verdicts at their thresholds, results.json, and every sentence."""

import html
import json
import re
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest
from conftest import ROOT
from jinja2 import UndefinedError, nodes
from nbconvert.filters import markdown2html
from sklearn.metrics import roc_auc_score

from helpers import evaluate, report
from helpers.data import ExpressionData
from helpers.experiments import (
    ALL_VALUES,
    BEST,
    BLIND,
    CHECKS,
    CURES,
    DENSE,
    GENE_MEANS,
)
from helpers.models import MODELS, TIME_FEATURES
from helpers.report import Answer, Controls, Moves
from helpers.simulate import Truth, simulate_expression
from helpers.text import TEMPLATES, join_lines, safe_name, say, say_figure

PAIRS = {  # probabilities of better, equal, worse by more than the ROPE
    "better": (0.97, 0.02, 0.01),
    "probably better": (0.85, 0.1, 0.05),
    "equal": (0.01, 0.98, 0.01),
    "unclear": (0.6, 0.2, 0.2),
    "probably worse": (0.05, 0.1, 0.85),
    "worse": (0.01, 0.02, 0.97),
}
HOSTILE = ("<script>alert(1)</script>", "![x](https://a.org/x.png) *b*", "$_")
SCORES = ("roc_auc", "accuracy", "log_loss", "brier")
ASSIGNED, LSTM, AWARE = MODELS


def make_pair(verdict):
    mean = -0.03 if "worse" in verdict else 0.03
    pair = evaluate.Comparison(mean, -0.01, 0.07, 0.002, *PAIRS[verdict])
    assert pair.verdict == verdict
    return pair


def make_search(best=3, kinds=(0.7, 0.7, 0.7, 0.7), n=4, **spread):
    """`n` candidates with as many units, epochs and kinds of time features,
    `best` of the former two; `kinds` are the scores of the latter."""
    rows = [
        {"units": i, "l2_reg": 0.01, "epochs": i, "time_features": kind}
        | {"roc_auc_mean": mean, "roc_auc_sd": 0.02, "half_interval": 0.02}
        for i, kind, mean in zip(range(4), TIME_FEATURES, kinds, strict=True)
    ][:n]
    found = max(rows, key=lambda row: row["roc_auc_mean"])
    found = dict([*found.items()][:4]) | {"units": best, "epochs": best}
    spread = {"lead": 0.02, "distance": 0.05, "p": 0.5, "near": 4} | spread
    spread = evaluate.CandidateSpread(0.7, candidates=n, **spread)
    return report.Search(rows, found, spread)


def make_training(val_loss=(0.8, 0.6, 0.63), loss=(0.9, 0.5, 0.3)):
    return report.Training(2, -0.8, list(loss), list(val_loss))


TRAININGS = {  # fell, turned up, over-fits
    (True, True, True): make_training(),
    (True, True, False): make_training(loss=(0.9, 0.5, 0.6)),
    (True, False, False): make_training((1, 0.989, 0.998)),
    (False, True, True): make_training((0.6, 0.62, 0.8)),
    (False, False, False): make_training((1, 0.991, 1)),
}


def make_drops(significant=(0, 1), n=3, **truth):
    mean = [0.1, 0.05, -0.01][:n]
    drops = {"mean": mean, "low": mean, "high": mean, "index": [*range(n)]}
    return drops | {"significant": list(significant)} | truth


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
    models = {
        name: {score: {"mean": auc, "sd": 0.01} for score in SCORES}
        | {"held_out": {"roc_auc": auc, "roc_auc_high": 0.99}}
        | {"parameters": 1331}
        for name, auc in (known | aucs).items()
    }
    for model in models.values():
        model["held_out"]["roc_auc_low"] = model["roc_auc"]["mean"] - 0.2
    models[LSTM]["held_out"]["roc_auc"] = held_out
    pairs = (ASSIGNED, LSTM), (AWARE, LSTM), (AWARE, ASSIGNED)
    pairs = *pairs, (AWARE, DENSE), (ASSIGNED, GENE_MEANS)
    pairs = dict.fromkeys(pairs, make_pair(verdict))
    best = max(MODELS, key=lambda name: models[name]["roc_auc"]["mean"])
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
    return data, simulated.truth


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
        "order": {"value": make_order(order), "moves": Moves()},
    } | more
    return results | {"verdicts": report.conclude(results)}


# Verdicts and numbers


def test_searches_are_judged_by_size_and_by_chance():
    assert make_search(lead=0.011, near=1).stands_out
    assert not make_search(lead=0.011, near=2).stands_out
    assert make_search(distance=0.011, p=0.0099).tuning_mattered
    assert not make_search(distance=0.011, p=0.01).tuning_mattered
    assert not make_search(distance=evaluate.ROPE, p=0.001).tuning_mattered
    for p, said in (
        (0.001, "Tuning did matter"),
        (0.5, "no clear effect"),
    ):
        assert said in say("search", "finding", make_search(p=p))
    assert make_search(best=3).at_the_edge == ["units", "epochs"]
    assert make_search(best=2).at_the_edge == []
    assert make_search(best=0, n=1).at_the_edge == []  # of one value
    assert "l2_reg" not in make_search().varied


KINDS = {
    (0.7, 0.719, 0.73, 0.7): "trend",
    (0.7, 0.7, 0.73, 0.74): "trend",
    (0.7, 0.73, 0.719, 0.7): "clock",
    (0.7, 0.721, 0.73, 0.74): "either",
    (0.7, 0.709, 0.709, 0.7): "none",
}


def test_the_kind_of_order_is_that_which_helps():
    for scores, kind in KINDS.items():
        search = make_search(kinds=scores)
        for answer in Answer:
            known = kind if answer in ("yes", "probably") else "none"
            assert report.find_order_kind(search, answer) == known


def test_the_course_of_the_loss_is_described_and_judged():
    for expected, training in TRAININGS.items():  # at 1 %
        found = training.fell, training.turned_up, training.over_fits
        assert found == expected
    losses = [1.0, 0.8, 0.6, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55]
    history = {"loss": losses, "val_loss": losses}
    training = report.describe_training(history, search_epochs=4)
    assert (training.best_epoch, training.final) == (4, 0.5)
    assert (training.change, training.tau) == (-0.5, pytest.approx(-1))
    assert training.later == [0.51, 0.52, 0.53, 0.54, 0.55]
    history["val_loss"] = [1.0, 0.8, np.nan]
    with pytest.raises(FloatingPointError, match="not finite at epoch 3"):
        report.describe_training(history, search_epochs=4)


def test_order_carries_signal_only_where_there_is_some():
    moves = make_moves(9e-5, 1e-4)
    assert (moves.blind, moves.seeing) == ([ASSIGNED], [LSTM])
    answers = "yes", "probably", "no", "unclear", "no", "no"
    for verdict, answer in zip(PAIRS, answers, strict=True):
        order = make_order(verdict)
        assert order.carries_signal(Answer.YES) == answer
        assert order.carries_signal(Answer.WEAK) == Answer.UNCLEAR
        assert order.carries_signal(Answer.NO) == Answer.NO


def make_moves(*largest):
    moves = zip(MODELS, largest, strict=False)
    return Moves({name: {"largest": x, "mean": x / 2} for name, x in moves})


def test_models_match_within_the_rope():
    for linear in PAIRS:
        expected = linear not in ("better", "probably better")
        assert make_comparison(linear=linear).linear_suffices == expected
    assert make_comparison(attention=0.69).may_guess(ASSIGNED)
    assert not make_comparison(attention=0.71).may_guess(ASSIGNED)


@pytest.mark.parametrize("verdict", PAIRS)
def test_validation_samples_contradict_what_resamples_decide(verdict):
    decided, worse = verdict not in ("equal", "unclear"), "worse" in verdict
    for held_out in (0.7, 0.8):  # the first model has 0.75
        comparison = make_comparison(verdict, held_out)
        contradicts = comparison.contradicts(ASSIGNED, LSTM)
        assert contradicts == (decided and worse != (held_out > 0.75))


def test_models_are_tabulated_best_first():
    table = make_comparison().tabulate()
    assert [*table][:2] == [BEST, AWARE]
    assert table[LSTM]["validation"] == "0.900 (0.65–0.99)"
    assert table[LSTM]["roc_auc"] == {"mean": 0.85, "sd": 0.01}
    pairs = make_comparison("worse").tabulate_pairs()
    names = "attention against LSTM", f"{AWARE} against LSTM"
    assert [*pairs][:2] == [*names]
    assert pairs[names[1]]["verdict"] == "worse"
    assert pairs[names[1]]["p"] == "0.002"


def test_controls_are_checked():
    half = evaluate.half_interval_of_guessing(2000, n_seeds=2, n_models=4)
    assert make_controls().guessing == half
    assert all(make_controls().checks.values())
    for change in (
        ("nothing", LSTM, 0.525),
        ("level", ASSIGNED, 0.84),
        ("pulses", ASSIGNED, 0.6),
        ("pulses", "attention + clock", 0.89),
        ("rhythm", "attention + clock", 0.56),
        ("rhythm", ALL_VALUES, 0.56),
        ("rhythm", "attention + trend", 0.79),
        ("half-time rule", AWARE, 0.5),
    ):
        checks = make_controls(change).checks
        assert checks == {name: name != change[0] for name in CHECKS}


def test_verdicts_have_the_words_that_others_read():
    verdicts = make_results()["verdicts"]
    assert " ".join(verdicts) == (
        "signal order order_kind linear_suffices best_network "
        "attention_vs_lstm best_attention_vs_lstm winner_stands_out "
        "loss_fell loss_turned_up"
    )
    words = ["yes", "yes", "trend", "yes", AWARE, "worse", "better"]
    assert [*verdicts.values()] == [*words, "no", "yes", "yes"]
    grid = {ASSIGNED: make_search(near=1), AWARE: make_search()}
    training = {ASSIGNED: make_training((1, 1, 1))}
    every = make_comparison("better", linear="better", attention=0.9)
    changes = {"grid": grid, "training": training}
    changed = make_results("equal", every, 0.02, **changes)["verdicts"]
    words = ["weak", "unclear", "none", "no", ASSIGNED, "equal", "equal"]
    assert [*changed.values()] == [*words, "yes", "no", "no"]


def test_gaps_between_means_are_exact_and_finite():
    X, y = np.full((20_000, 2, 2), 1e4, np.float32), np.arange(20_000) % 2
    X[y == 1, :, 0] += 0.0625
    X[:, :, 1] = 2.6e37
    data = ExpressionData(X, y, ("A", "B"), (0, 1), ("0", "1"))
    found = report.describe_data(data, None, copies=3)
    assert found["mean_gaps"] == pytest.approx({"A": 0.0625, "B": 0})
    assert (found["source"], found["copies_across_the_split"]) == ("file", 3)


def test_split_and_times_are_described():
    for times, even in (((1, 1.1, 1.2), True), ((0, 1, 2.1), False)):
        data = replace(make_data()[0], times=times)
        assert report.describe_data(data, None)["evenly_spaced"] is even
    y, groups = np.array([0, 0, 1, 1, 0]), np.array([*"aabbb"])
    rows = {"training": np.array([0, 1, 2]), "validation": np.array([3, 4])}
    first = {"samples": 3, "outcome_1": 1, "share_of_1": 1 / 3}
    assert report.describe_split(y, rows, None)["training"] == first
    split = report.describe_split(y, rows, groups)
    assert split["training"] == first | {"groups_0": 1, "groups_1": 1}


@pytest.fixture(scope="module")
def resamples():
    rng, names = np.random.default_rng(0), (*MODELS, ALL_VALUES)
    drawn = {
        name: {score: rng.normal(mean, 0.01, 10) for score in SCORES}
        for name, mean in zip(names, (0.7, 0.8, 0.9, 0.5), strict=True)
    }
    for name in MODELS:
        drawn[name]["genes"] = rng.normal((0, 0.1, 0), 0.001, (10, 3))
    drawn[AWARE]["windows"] = rng.normal((0, 0.1), 0.001, (10, 2))
    return drawn


def test_comparison_holds_every_model_pair_and_score(resamples):
    networks = {m: MODELS[m].build_largest((10, 3)) for m in MODELS}
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat([0, 1], 50))
    p = {name: rng.random(100) for name in resamples}
    pairs = [(AWARE, LSTM), (AWARE, ASSIGNED)]
    describe = partial(
        *(report.describe_comparison, resamples, networks, y, p, pairs),
        test_train_ratio=0.25,
        seed=0,
    )
    compared, grouped = describe(), describe(groups=np.arange(100) // 10)
    lstm, drawn = compared.models[LSTM], resamples[LSTM]
    assert lstm["roc_auc"]["mean"] == drawn["roc_auc"].mean()
    assert lstm["brier"]["sd"] == drawn["brier"].std(ddof=1)
    assert lstm["parameters"] == networks[LSTM].count_params()
    scores = compared.models[ASSIGNED]["held_out"]
    assert scores["roc_auc"] == roc_auc_score(y, p[ASSIGNED])
    assert scores["roc_auc_low"] < scores["roc_auc"] < scores["roc_auc_high"]
    assert scores != grouped.models[ASSIGNED]["held_out"]
    assert "parameters" not in compared.models[ALL_VALUES]
    assert (compared.n_resamples, len(compared.pairs)) == (10, 2)
    assert (compared.best_network, compared.linear.verdict) == (
        AWARE,
        "better",
    )
    assert compared.pairs[AWARE, LSTM].better > 0.99
    assert [*compared.tabulate()] == [AWARE, LSTM, ASSIGNED, ALL_VALUES]


def test_importance_is_compared_with_the_truth(resamples):
    genes, truth = [4, 5, 7], Truth((0, 5), *np.zeros((2, 1)))
    found = report.describe_importance(resamples, genes, truth, 0.25)
    drops = found[AWARE]["genes"]
    assert (drops["index"], drops["significant"]) == (genes, [5])
    assert drops["known"] == [0, 5]
    assert found[AWARE]["windows"]["significant"] == [1]
    assert found[LSTM].keys() == {"genes"}
    without = report.describe_importance(resamples, genes, None, 0.25)
    assert "known" not in without[LSTM]["genes"]


def test_order_is_asked_of_the_best_model_that_sees_it(resamples):
    shuffled = {"roc_auc": resamples[ASSIGNED]["roc_auc"]}
    order = report.describe_order(resamples, shuffled, 0.25)
    assert order.model == AWARE
    assert order.with_order > 0.85 > 0.75 > order.without_order
    assert order.loss.verdict == "better"
    best = resamples | {ASSIGNED: resamples[AWARE]}
    assert report.choose_order_reader(best) != ASSIGNED


def test_json_is_stable_and_plain(tmp_path):
    path = tmp_path / "new" / "results.json"
    more = {"number": np.float32(1 / 3), "n": (np.int64(2), True, None)}
    report.save_json(make_results(**more), path)
    saved = json.loads(path.read_text())
    assert (saved["number"], saved["n"]) == (0.333333, [2, True, None])
    pair = saved["comparison"]["assigned"]["pairs"]["attention - LSTM"]
    assert (pair["mean"], pair["p"]) == (-0.03, 0.002)
    assert saved["training"]["attention"]["val_loss"] == [0.8, 0.6, 0.63]
    assert saved["verdicts"]["order"] == "yes"
    with pytest.raises(ValueError, match="not JSON compliant"):
        report.save_json({"a": float("nan")}, path)


# Sentences


def each(section, macros, *results):
    return [(section, macro, *results) for macro in macros.split()]


def every_text():
    """Yield section, macro and arguments: each macro, in each of its cases."""
    for genes, classes, times, groups in (
        (("A", "B", "C"), ("0", "1"), range(5), None),
        (HOSTILE[:1], HOSTILE[1:], (0, 1, 2, 3, 9), np.arange(20)),
    ):
        data, truth = make_data(genes, classes, times)
        for known in (truth, None):
            described = report.describe_data(data, known)
            rows = {"training": np.arange(15), "validation": np.arange(15, 20)}
            split = report.describe_split(data.y, rows, groups)
            yield "data", "finding", described, split
            yield from each("data", "caption alt", described)
    model = MODELS[ASSIGNED].build_largest((5, 3))
    yield from each("model", "caption alt", model)
    won = {"best": 2, "near": 1, "p": 0.001}
    near = {"near": 3, "lead": 0.001, "distance": 0.001}
    for spread in ({}, won, near, {"near": 3}, {"n": 1}):
        search = make_search(**spread)
        yield from each("search", "setting finding caption alt", search)
    back = make_training((1, 0.5, 0.6, 0.5))
    for training in (*TRAININGS.values(), back):
        yield from each("training", "finding afterwards rival", training)
        for models in ((ASSIGNED,), (ASSIGNED, LSTM)):
            trainings = dict.fromkeys(models, training)
            yield from each("training", "caption alt", trainings)
    for largest in ((1e-7, 1e-7), (1e-7, 0.3, 0.3), (0.3, 0.3)):
        yield "order", "moves", make_moves(*largest)
    for verdict, held_out in product(PAIRS, (0.7, 0.8)):
        pair = make_comparison(verdict, held_out), ASSIGNED, LSTM
        yield from each("comparison", "finding verdict baselines", *pair)
        hard = make_comparison(verdict, held_out, linear="better")
        yield "comparison", "baselines", hard, AWARE, LSTM
    captions = "caption alt means_caption means_alt"
    yield from each("comparison", captions, make_comparison())
    for p, least_p in product((0.001, 0.02, 0.2), (0.001, 0.02)):
        signal = evaluate.SignalTest(0.89, LSTM, 0.6, p, least_p)
        yield "comparison", "signal", signal, True
        yield "comparison", "signal", signal
    yield "controls", "checks", make_controls(("level", ASSIGNED, 0.8))
    captions = "checks caption alt cures_caption cures_alt"
    yield from each("controls", captions, make_controls())
    known = {"known": [0]}
    for genes, windows in (
        (make_drops(**known), make_drops([1])),
        (make_drops([0], **known), None),
        (make_drops([], n=2), make_drops([])),
        (make_drops([1]), None),
    ):
        drops = {"genes": genes} | ({"windows": windows} if windows else {})
        importance = dict.fromkeys(MODELS, drops), HOSTILE
        yield from each("importance", "finding caption alt", *importance)
    relation = {"time_share": 0.4, "genes": [0.1, -0.8, 0]}
    relation |= {"between_outcomes": 0.2, "to_itself": 1.1}
    relation = {ASSIGNED: relation, AWARE: relation | {"genes": [0, 0, 0.1]}}
    for genes in ((1,), (0,), None):
        truth = genes and Truth(genes, *np.zeros((2, 1)))
        yield "importance", "attention", relation, HOSTILE, truth
    for time_share, between in ((0.01, 0.6), (0.7, 0.01)):
        changes = {"time_share": time_share, "between_outcomes": between}
        relation = {ASSIGNED: relation[ASSIGNED] | changes}
        yield "importance", "attention", relation, HOSTILE, None
        captions = "attention_caption attention_alt"
        yield from each("importance", captions, relation)
    yield "importance", "names", [0, 1, 2], HOSTILE
    yield from each("costs", "caption alt", make_costs())
    for verdict, faster_up_to in zip(PAIRS, (100, *[0] * 5), strict=True):
        found = make_comparison(verdict), make_costs(faster_up_to), 50
        yield "costs", "benefits", *found
    yield from every_summary()


def every_summary():
    """Yield what depends on the results as a whole."""
    ps = 0.001, 0.02, 0.2
    for verdict, p, kind, hard in product(PAIRS, ps, KINDS, (True, False)):
        tuned = make_search(p=0.001 if hard else 0.5)
        grid = {ASSIGNED: tuned, AWARE: make_search(kinds=kind)}
        linear = {"linear": "better", GENE_MEANS: 0.6} if hard else {}
        every = make_comparison("unclear" if hard else "worse", **linear)
        results = make_results(verdict, every, p, verdict, grid=grid)
        order = results["order"]["value"], grid[AWARE], results["verdicts"]
        yield "order", "finding", *order, 0.75 if hard else 0.6
        yield from each("summary", "headline conclusion", results)
    data = report.describe_data(make_data()[0], None)
    for training in TRAININGS.values():
        results = make_results(data=data, training={ASSIGNED: training})
        yield "summary", "headline", results
    results = make_results()
    results["comparison"]["assigned"] = make_comparison(attention=0.5)
    results["grid"][ASSIGNED] = make_search(distance=0.001)
    yield "summary", "headline", results


EVERY_TEXT = list(every_text())


@pytest.mark.parametrize(
    "macro", sorted({case[:2] for case in EVERY_TEXT}), ids=" ".join
)
def test_every_sentence_is_whole(macro):
    for case in EVERY_TEXT:
        if case[:2] != macro:
            continue
        said = say(*case)
        assert "<" not in said
        assert "![" not in said
        said = re.sub(r"&#\d+;", "x", said)  # of names
        assert not re.search(r" [.,;:)]|\( |[,:;.]\.|None|nan|\{", said)
        assert said.count("**") % 2 == 0
        if "alt" not in macro[1]:  # which lists names of models
            cut = r"[a-z)]\** (?!Gene|Outcome)[A-Z][a-z]|\. [a-z]"
            assert not re.search(cut, said)
        if macro[1] not in ("setting", "names", "verdict"):  # parts of some
            assert not re.search(r"[^.*\n]\**$", said, re.MULTILINE)


def squeeze(text):
    return re.sub(r"[\s*]", "", text).lower()


def test_every_word_of_every_template_was_said():
    said, missing = squeeze("".join(say(*case) for case in EVERY_TEXT)), []
    for path in (ROOT / "helpers" / "text").glob("*.md.j2"):
        for macro in TEMPLATES.parse(path.read_text()).find_all(nodes.Macro):
            words = [node.data for node in macro.find_all(nodes.TemplateData)]
            for node in macro.find_all(nodes.Const):
                if " " in str(node.value) and node.value not in TIME_FEATURES:
                    words += node.value.split("%d")
            missing += [w for w in words if squeeze(w) not in said]
    assert missing == []


def test_captions_have_alternatives_and_no_gaps():
    parts = say_figure("controls", make_controls(), figure="cures")
    assert parts["alt"] == say("controls", "cures_alt", make_controls())
    with pytest.raises(UndefinedError, match="source"):
        say("data", "caption", {})


NAMES = [*HOSTILE, "__a__ b _c_", "- a", "1. a", "# a", "a ~~b~~", "&lt;"]
NAMES += ["Gene_0", "HLA-A*02:01", "_a_", "a`b", "<b>", "$x$", "été", "**b"]
NAMES += ["https://a.org", "[x](javascript:alert(1))", "\\*", "a , b (x) .5"]


@pytest.mark.parametrize("name", NAMES)
def test_names_stay_what_they_are(name):
    said = join_lines(f"Relies on\n{safe_name(name)}\n, and x")
    page = markdown2html(said)
    assert html.unescape(page) == f"<p>Relies on {name}, and x</p>\n"


def test_line_breaks_of_a_template_mean_nothing():
    assert join_lines("\n  a (\n b\n)\n,\n ** c\n**\n.\n") == "a (b), **c**."
    assert join_lines("\nx:\n - a\n b\n\n- c\n") == "x:\n\n- a b\n- c"
