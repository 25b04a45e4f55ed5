"""Verdicts at their thresholds, and results.json."""

import json
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from fakes import (
    ASSIGNED,
    AWARE,
    KINDS,
    LSTM,
    PAIRS,
    SCORES,
    TRAININGS,
    make_comparison,
    make_controls,
    make_data,
    make_moves,
    make_order,
    make_results,
    make_search,
    make_training,
)
from sklearn.metrics import roc_auc_score

from helpers import evaluate, report
from helpers.experiments import (
    ALL_VALUES,
    BEST,
    CHECKS,
)
from helpers.models import MODELS
from helpers.report import Answer
from helpers.text import say


def test_searches_are_judged_by_size_and_by_chance():
    for near in (1, 2, 4):
        search = make_search(near=near, distance=0.02)
        assert (search.near, search.stands_out) == (near, near == 1)
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


def test_candidates_of_a_search_are_listed_best_first():
    scores = np.array([[0.5, 0.6, 0.7], [0.1, 0.3, 0.2], [0.6, 0.7, 0.8]])
    results = {f"split{k}_test_score": scores[:, k] for k in range(3)}
    results |= {"mean_test_score": scores.mean(axis=1)}
    results["params"] = [{"units": n, "epochs": 5} for n in (8, 16, 32)]
    search = SimpleNamespace(
        cv_results_=results,
        n_splits_=3,
        param_grid={"units": [8, 16, 32]},
        best_params_={"units": 32},
    )
    found = report.describe_search(search)
    assert [row["units"] for row in found.candidates] == [32, 8, 16]
    behind = [row["behind"] for row in found.candidates]
    assert behind == pytest.approx([0, 0.1, 0.5])
    assert (found.best, found.near) == ({"units": 32}, 1)
    assert found.distance == pytest.approx(0.5)
    assert found.p == pytest.approx(np.exp(-3))


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
    assert (training.best_epoch, training.lowest) == (4, 0.5)
    assert (training.change, training.tau) == (-0.5, pytest.approx(-1))
    assert training.later == [0.51, 0.52, 0.53, 0.54, 0.55]
    stopped = report.describe_training(history, search_epochs=20)
    assert stopped.change == pytest.approx(-0.45)
    history["val_loss"] = [1.0, 0.8, np.nan]
    with pytest.raises(FloatingPointError, match="not finite at epoch 3"):
        report.describe_training(history, search_epochs=4)


def test_order_carries_signal_only_where_there_is_some():
    said = say("order", "moves", make_moves(9e-5, 1e-4))
    assert "attention model cannot see" in said
    assert "LSTM can see" in said
    answers = "yes", "probably", "no", "unclear", "no", "no"
    for verdict, answer in zip(PAIRS, answers, strict=True):
        order = make_order(verdict)
        assert order.carries_signal(Answer.YES) == answer
        assert order.carries_signal(Answer.WEAK) == Answer.UNCLEAR
        assert order.carries_signal(Answer.NO) == Answer.NO


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
    assert table[LSTM]["held_out"] == "0.900 (0.65–0.99)"
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
    networks = {m: MODELS[m].build((10, 3)) for m in MODELS}
    rng = np.random.default_rng(1)
    y = rng.permutation(np.repeat([0, 1], 50))
    p = {name: rng.random(100) for name in resamples}
    pairs = [(AWARE, LSTM), (AWARE, ASSIGNED)]
    resamples = resamples | {"not asked for": resamples[LSTM]}
    describe = partial(
        *(report.describe_comparison, resamples, networks, y, p, pairs),
        test_train_ratio=0.25,
        seed=0,
    )
    compared, grouped = describe(), describe(groups=np.arange(100) // 10)
    lstm, drawn = compared.models[LSTM], resamples[LSTM]
    assert lstm["roc_auc"]["mean"] == drawn["roc_auc"].mean()
    assert lstm["roc_auc"]["sd"] == drawn["roc_auc"].std(ddof=1)
    assert lstm["brier"] == drawn["brier"].mean()
    assert lstm["parameters"] == networks[LSTM].count_params()
    scores = compared.models[ASSIGNED]["held_out"]
    assert scores["roc_auc"] == roc_auc_score(y, p[ASSIGNED])
    assert scores["low"] < scores["roc_auc"] < scores["high"]
    assert scores != grouped.models[ASSIGNED]["held_out"]
    assert "parameters" not in compared.models[ALL_VALUES]
    assert (compared.n_resamples, len(compared.pairs)) == (10, 2)
    assert (compared.best_network, compared.linear.verdict) == (
        AWARE,
        "better",
    )
    assert compared.pairs[AWARE, LSTM].better > 0.99
    assert [*compared.models] == [AWARE, LSTM, ASSIGNED, ALL_VALUES]


def test_importance_is_given_by_gene_and_by_window(resamples):
    genes = [4, 5, 7]
    found = report.describe_importance(resamples, genes, 0.25)
    assert found["genes"].keys() == MODELS.keys()
    drops = found["genes"][AWARE]
    assert (drops["index"], drops["significant"]) == (genes, [5])
    assert found["windows"].keys() == {AWARE}
    assert found["windows"][AWARE]["significant"] == [1]
    few = {name: {"genes": resamples[name]["genes"]} for name in MODELS}
    assert report.describe_importance(few, genes, 0.25).keys() == {"genes"}


def test_order_is_asked_of_the_best_model_that_sees_it(resamples):
    assert report.choose_order_reader(resamples) == AWARE
    scores = resamples | {"shuffled": resamples[ASSIGNED]}
    order = report.describe_order(scores, AWARE, 0.25)
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
