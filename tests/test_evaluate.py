import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from helpers.evaluate import (
    Comparison,
    SignalTest,
    adjust_holm,
    average_drops,
    bootstrap_roc_auc,
    compare_pairs,
    friedman_p,
    group_outcomes,
    half_interval_of_guessing,
    half_intervals,
    kendall_tau,
    permutation_test,
    score_predictions,
)


def test_scores_of_known_predictions():
    y = np.array([0, 0, 1, 1])
    result = score_predictions(y, np.array([0.1, 0.6, 0.4, 0.9]))
    assert result["roc_auc"] == 0.75
    assert result["accuracy"] == 0.5
    assert result["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)
    logs = np.log([0.9, 0.4, 0.4, 0.9])
    assert result["log_loss"] == pytest.approx(-logs.mean())


def test_bootstrap_is_paired_seeded_and_centred():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    p = {"a": y + rng.normal(0, 1, 200), "b": rng.normal(size=200)}
    p["c"] = p["a"] * 2 + 1
    draws = bootstrap_roc_auc(y, p, seed=1, n_resamples=400)
    again = bootstrap_roc_auc(y, p, seed=1, n_resamples=400)
    np.testing.assert_array_equal(draws["a"], draws["c"])  # the same ranks
    np.testing.assert_array_equal(draws["b"], again["b"])
    for name in "ab":
        exact = roc_auc_score(y, p[name])
        assert draws[name].mean() == pytest.approx(exact, abs=0.01)


def draw_groups(rng, varies):
    """Return outcomes (n,), a score that tells groups, and 12 of these."""
    groups = np.repeat(np.arange(12), np.arange(4, 16))
    share = rng.permutation(12) % 2  # of outcome 1, by group
    if varies:
        share = 0.1 + 0.8 * share
    y = (rng.random(len(groups)) < share[groups]).astype(int)
    return y, rng.normal(size=12)[groups] + rng.normal(0, 0.1, len(y)), groups


def test_bootstrap_draws_whole_groups_of_either_outcome():
    y, p, groups = draw_groups(np.random.default_rng(0), varies=False)
    how = {"seed": 1, "n_resamples": 400}
    grouped = bootstrap_roc_auc(y, {"": p}, groups=groups, **how)[""]
    copies = {"groups": np.repeat(groups, 5), **how}  # nothing new
    y5, p5 = np.repeat(y, 5), np.repeat(p, 5)
    again = bootstrap_roc_auc(y5, {"": p5}, **copies)[""]
    np.testing.assert_allclose(grouped, again)
    assert grouped.std() > 2 * bootstrap_roc_auc(y, {"": p}, **how)[""].std()
    y, p = np.array([1, 0, 0, 0]), np.array([0.5, 0.2, 0.3, 0.8])
    thirds = 3 * bootstrap_roc_auc(y, {"": p}, **how)[""]
    assert {*thirds.round(9)} == {0, 1, 2, 3}  # three of outcome 0, always
    groups = np.array([*"aabc"])  # both outcomes are there each time
    draws = bootstrap_roc_auc(y, {"": y}, groups=groups, **how)[""]
    assert set(draws) == {1.0}


def test_outcomes_belong_to_groups_or_vary_in_them():
    y, groups = np.array([0, 1, 1, 0]), np.array([*"zaaz"])
    group, outcome = group_outcomes(y, groups)
    assert (group.tolist(), outcome.tolist()) == ([1, 0, 0, 1], [1, 0])
    assert group_outcomes(1 - y, groups)[1].tolist() == [0, 1]
    assert group_outcomes(y, np.array([*"zzaa"]))[1].tolist() == [0.5, 0.5]
    assert group_outcomes(y, None)[0].tolist() == [0, 1, 2, 3]


def test_corrected_test_keeps_its_promise_where_the_plain_one_fails():
    # Five-fold scores of equal models correlate by about the test share.
    rng = np.random.default_rng(2)
    shared = rng.normal(0, np.sqrt(0.2), (400, 1))
    scores = shared + rng.normal(0, np.sqrt(0.8), (400, 5))

    def share_found(ratio):
        pair = ("a", "b")
        found = [
            compare_pairs({"a": row, "b": 0 * row}, [pair], ratio)[pair]
            for row in scores
        ]
        return np.mean([comparison.p < 0.05 for comparison in found])

    assert share_found(0.25) < 0.07
    assert share_found(0.0) > 0.1


def test_pairs_are_compared_as_baycomp_does():
    scores = {"a": np.array([0.82, 0.84, 0.83, 0.85, 0.81]), "b": [0.8] * 5}
    scores |= {"c": scores["b"], "d": scores["a"] + 0.5}
    pairs = [("a", "b"), ("b", "c"), ("d", "a")]
    found, same, apart = compare_pairs(scores, pairs, 0.25).values()
    # CorrelatedTTest(second, first, rope=0.01).probs() of baycomp 1.0.3
    assert found.worse == pytest.approx(0.009791762301900713)
    assert found.equal == pytest.approx(0.056417698808224226)
    assert found.better == pytest.approx(0.9337905388898751)
    # variance 0.00025 * (1/5 + 1/4); t = 0.03 / sqrt(0.0001125) = 2.828;
    # two-sided p of Student's t with 4 degrees of freedom, which is 2.776 at
    # 95 %; p is adjusted for its being the second smallest of three
    assert found.mean == pytest.approx(0.03)
    assert found.p == pytest.approx(2 * 0.04742, abs=1e-5)
    half = 2.776 * 0.010607
    assert (found.low, found.high) == pytest.approx(
        (0.03 - half, 0.03 + half), abs=1e-5
    )
    assert (same.better, same.equal, same.worse, same.p) == (0, 1, 0, 1)
    assert (same.verdict, apart.verdict) == ("equal", "better")


def test_holm_against_a_calculation_by_hand():
    # 4 * 0.01, 3 * 0.02, then 2 * 0.025 = 0.05, but not below 0.06
    found = adjust_holm([0.4, 0.02, 0.01, 0.025])
    assert found == pytest.approx([0.4, 0.06, 0.04, 0.06])
    assert (adjust_holm([0.7, 0.6]), adjust_holm([0.03])) == ([1, 1], [0.03])


def test_verdicts_need_the_posterior_and_the_p_value():
    for p, posterior, verdict in (
        (0.049, (0.95, 0.05, 0.0), "better"),
        (0.05, (0.95, 0.05, 0.0), "probably better"),
        (0.001, (0.94, 0.06, 0.0), "probably better"),
        (0.001, (0.79, 0.21, 0.0), "unclear"),
        (0.001, (0.02, 0.95, 0.03), "equal"),
    ):
        assert Comparison(0, 0, 0, p, *posterior).verdict == verdict
        turned = verdict.replace("better", "worse")
        assert Comparison(0, 0, 0, p, *posterior[::-1]).verdict == turned


def share_of_false_alarms(draw):
    """Return how often p < 0.05 where there is no signal; `draw` gives
    outcomes, predictions and groups."""
    rng, alarms = np.random.default_rng(0), 0
    for _ in range(200):
        y, p, groups = draw(rng)
        how = {"seed": 0, "groups": groups, "n_permutations": 199}
        alarms += permutation_test(y, p, **how).p < 0.05
    return alarms / 200


def test_signal_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], 100))
    noise = {name: rng.random(200) for name in "abcdef"}
    result = permutation_test(y, noise | {"g": y + rng.random(200)}, seed=1)
    assert (result.answer, result.model, result.best) == ("yes", "g", 1)
    found = share_of_false_alarms(
        lambda rng: (rng.permutation(y), noise, None)
    )
    assert 0.005 < found < 0.12  # 5 %, though the best of six is tested


@pytest.mark.parametrize("varies", [True, False])
def test_groups_are_no_signal_if_only_they_are_known(varies):
    def draw(rng, known=True):
        y, p, groups = draw_groups(rng, varies)
        return y, {"": p}, groups if known else None

    assert 0.005 < share_of_false_alarms(draw) < 0.1
    assert share_of_false_alarms(lambda rng: draw(rng, known=False)) > 0.2


def test_signal_within_groups_is_found():
    y, p, groups = draw_groups(np.random.default_rng(0), varies=True)
    result = permutation_test(y, {"": p + y}, seed=0, groups=groups)
    assert result.answer == "yes"
    ways = [math.comb(4 + g, y[groups == g].sum()) for g in range(12)]
    assert result.least_p == pytest.approx(1 / math.prod(ways))


def test_signal_of_ties_is_none_and_few_groups_cannot_be_sure():
    y = np.tile([0, 1], 20)
    guess = {"majority": np.full(40, 0.5)}
    least_p = 1 / math.comb(40, 20)
    expected = SignalTest(0.5, "majority", 0.5, 1.0, least_p)
    assert permutation_test(y, guess, seed=0) == expected
    known = permutation_test(y, {"": y}, seed=0, groups=np.arange(40) % 8)
    assert known.least_p == 1 / math.comb(8, 4)
    assert known.p == pytest.approx(known.least_p, abs=0.006)


def test_signal_takes_a_small_p_value_that_enough_samples_gave():
    for p, answer in ((0.0099, "yes"), (0.01, "weak"), (0.05, "no")):
        assert SignalTest(0.9, "", 0.6, p, 0.0099).answer == answer
    few = SignalTest(0.9, "", 0.6, 0.0001, 0.01)
    assert (few.too_few, few.answer) == (True, "weak")


def test_kendall_tau_of_known_series():
    assert kendall_tau(np.array([4.0, 3.0, 2.5])) == pytest.approx(-1)
    assert kendall_tau([1, 2, 4, 3]) == pytest.approx(4 / 6)  # 5 up, 1 down
    assert kendall_tau(np.ones(9)) == kendall_tau(np.ones(1)) == 0


def test_known_candidates_are_told_apart():
    scores = np.array([[0.6, 0.7, 0.8], [0.5, 0.6, 0.7], [0.1, 0.3, 0.2]])
    # ranks 1, 2, 3 in each fold: chi2 = 6, with 2 degrees of freedom
    assert friedman_p(scores) == pytest.approx(np.exp(-3))
    # the second is 0.1 behind in every fold, the third 0.5, 0.4 and 0.6
    assert half_intervals(scores, 0.5) == pytest.approx(
        [0, 0, 4.302653 * 0.1 * (1 / 3 + 1 / 2) ** 0.5]
    )
    for equal in (np.full((4, 2), 0.5), np.full((1, 5), 0.5)):
        assert friedman_p(equal) == 1


def test_equal_candidates_are_seldom_told_apart():
    rng = np.random.default_rng(0)
    draws = 0.7 + 0.02 * rng.normal(size=(300, 16, 5))
    folds = 0.1 * rng.normal(size=(300, 1, 5))  # hard ones and easy ones
    p = np.array([friedman_p(scores) for scores in draws + folds])
    assert 0.005 < np.mean(p < 0.05) < 0.08
    draws[:, 8:] += 0.05
    p = np.array([friedman_p(scores) for scores in draws + folds])
    assert np.mean(p < 0.01) > 0.9


def test_importance_is_found_where_it_is_and_seldom_where_not():
    rng = np.random.default_rng(0)
    falls = rng.normal(0, 0.01, (10, 20))
    falls[:, 3] += 0.05
    index = range(10, 30)  # of the features
    result = average_drops(falls, index, test_train_ratio=0.25)
    assert (result["index"], result["significant"]) == ([*index], [13])
    assert result["low"][3] < result["mean"][3] < result["high"][3]
    noise = rng.normal(0, 0.01, (300, 10, 20))
    none = [
        average_drops(falls, index, 0.25)["significant"] for falls in noise
    ]
    assert np.mean([bool(features) for features in none]) < 0.05


def test_even_importance_stands_out_nowhere():
    rng = np.random.default_rng(0)
    even = rng.normal(0.1, 0.01, (10, 10)) + rng.normal(0, 0.02, (10, 1))
    assert len(average_drops(even, range(10), 0.25)["significant"]) == 10
    for expected in ([], [4]):
        above = average_drops(even, range(10), 0.25, above_average=True)
        assert above["significant"] == expected
        even[:, 4] += 0.05


def test_three_guessing_models_stay_within_the_interval():
    rng = np.random.default_rng(0)
    half = half_interval_of_guessing(200, n_seeds=3, n_models=3)
    ranks = rng.random((400, 3, 3, 200)).argsort().argsort()
    pairs = ranks[..., 100:].sum(axis=-1) - 99 * 100 / 2  # in the right order
    means = (pairs / 100**2).mean(axis=-1)  # ROC AUC over three seeds
    outside = (np.abs(means - 0.5) > half).any(axis=1).mean()
    assert 0.01 < outside < 0.1  # 5 %
