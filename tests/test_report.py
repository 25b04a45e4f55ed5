import html
import re
from pathlib import Path

import numpy as np
import pytest
from nbconvert.filters import markdown2html
from sklearn.metrics import roc_auc_score

from helpers import captions, findings, judge, report, summary, words
from helpers.compare import judge_winner
from helpers.data import ExpressionData
from helpers.simulate import simulate_expression

ROOT = Path(__file__).resolve().parents[1]


def grid(lead_p=0.5, lead=0.02, last_p=0.001):
    return {
        "best": {"num_heads": 3, "l2_reg": 0.01},
        "candidates": [{"num_heads": h, "l2_reg": 0.01} for h in (1, 2, 3)],
        "judgement": {
            "mean": 0.7, "sd": 0.02, "lead": lead, "lead_p": lead_p,
            "lead_over_last": 0.05, "last_p": last_p,
            "within_one_error": 4, "candidates": 16,
        },
    }  # fmt: skip


def training(tau=-0.8, p=0.0001, rise=0.0, after_p=0.001, end=0.3):
    return {
        "epochs": 60, "search_epochs": 20, "best_epoch": 2, "lowest": 0.6,
        "final": 0.61,
        "trend": {"tau": tau, "p": p}, "rise": rise,
        "trend_after": {"tau": 0.7, "p": after_p},
        "loss": [0.9, 0.5, end], "val_loss": [0.8, 0.6, 0.6 * (1 + rise)],
    }  # fmt: skip


VERDICTS = {  # probabilities of better, equal, worse by more than the ROPE
    "better": (0.97, 0.02, 0.01),
    "probably better": (0.85, 0.1, 0.05),
    "unclear": (0.6, 0.2, 0.2),
    "no": (0.3, 0.5, 0.2),
    "equal": (0.01, 0.98, 0.01),
    "probably worse": (0.05, 0.1, 0.85),
    "worse": (0.01, 0.02, 0.97),
}


def pair(verdict, mean=0.03):
    better, equal, worse = VERDICTS[verdict]
    return {"mean": mean, "p": 0.02, "better": better, "equal": equal,
            "worse": worse}  # fmt: skip


def comparison(verdict="better", signal_p=0.0002, auc=(0.75, 0.85, 0.89)):
    models = {
        name: {
            "roc_auc": {"mean": value}, "parameters": 1331,
            "multiply_adds": 210_010, "held_out": {"roc_auc": value},
            "log_loss": {"mean": 1 - value},
        }
        for name, value in zip(words.NAMES, auc, strict=True)
    }  # fmt: skip
    for name, value in (("means", 0.75), ("values", 0.88)):
        view = {"means": "time means", "values": "all values"}[name]
        models[f"logistic, {view}"] = {
            "roc_auc": {"mean": value}, "log_loss": {"mean": 0.6},
        }  # fmt: skip
    models["best possible"] = {"held_out": {"roc_auc": 0.95}}
    return {
        "resamples": 10,
        "models": models,
        "pairs": {"LSTM - attention": pair(verdict)},
        "signal": {
            "best": 0.89,
            "model": "LSTM",
            "null_99": 0.6,
            "p": signal_p,
            "least_p": 0.0,
        },
    }


def order(verdict="better", largest=1e-7):
    moves = {"attention": {"largest": largest, "mean": largest / 2},
             "LSTM": {"largest": 0.5, "mean": 0.2}}  # fmt: skip
    return {"moves": moves, "model": "LSTM", "with_order": 0.85,
            "without_order": 0.7, "loss": pair(verdict)}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (grid(lead_p=0.01), "**It stands out:**"),
        (grid(lead_p=0.01, lead=0.002), "**It does not stand out:**"),
        (grid(), "**It does not stand out:**"),
        (grid(), "4 of 16 settings are within one standard error"),
        (grid(), "Best and last are 0.050 apart. The largest `num_heads` won"),
    ],
)
def test_winner_is_judged(found, says):
    text = findings.say_winner(found)
    assert says in text
    assert "`num_heads` = 3, `l2_reg` = 0.01" in text


def test_a_winner_inside_the_grid_or_of_two_is_not_at_its_edge():
    found = grid()
    found["candidates"] = [{"num_heads": h, "l2_reg": 0.01} for h in (2, 3)]
    assert judge.at_the_edge(found) == []
    found["candidates"] += [{"num_heads": 4, "l2_reg": 0.01}]
    assert judge.at_the_edge(found) == []
    found["judgement"]["lead"] = 0.0004
    text = findings.say_winner(found)
    assert "leads the runner-up by less than 0.001" in text
    assert "won:" not in text


def test_best_and_last_of_equal_settings_are_not_told_apart():
    rng = np.random.default_rng(0)
    misses = 0
    for _ in range(200):
        sizes = np.repeat(rng.normal(0, 0.03, (4, 5)), 4, axis=0)
        scores = 0.5 + sizes + rng.normal(0, 0.02, (16, 5))
        judged = {"judgement": judge_winner(scores, test_share=0.25)}
        misses += judge.judge_tuning(judged) == "yes"
    assert misses <= 8


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (training(), "**Validation loss went down**"),
        (training(tau=0.8), "**Validation loss went up**"),
        (training(p=0.2), "**Validation loss shows no clear trend**"),
        (training(), "lowest at epoch 2 with 0.600 (-25.0%)"),
        (training(), "did not clearly rise"),
        (training(rise=0.05, after_p=0.3), "did not clearly rise"),
        (training(rise=0.05), "it rose, by 5.0%, while training loss went on"),
        (training(rise=0.05, end=0.6), "it rose, by 5.0%. Training"),
    ],
)
def test_training_is_judged(found, says):
    assert says in findings.say_training(found)


@pytest.mark.parametrize(
    ("verdict", "says"),
    [
        ("better", "**The LSTM is better than the prescribed attention "
         "model** (+0.030 ROC AUC on average, p = 0.020; probability of "
         "better by more than 0.01: 97%)."),
        ("probably better", "**The LSTM is probably better than the presc"),
        ("worse", "**The prescribed attention model is better than the LSTM"
         "** (-0.030"),
        ("probably worse", "attention model is probably better than the LSTM"),
        ("equal", "LSTM and the prescribed attention model are practically "
         "equal** (+0.030 ROC AUC on average, p = 0.020; probability of "
         "within 0.01: 98%)."),
        ("unclear", "LSTM and the prescribed attention model cannot be told "
         "apart** (+0.030 ROC AUC on average, p = 0.020; probability of "
         "better, equal, worse: 60%, 20%, 20%)."),
    ],
)  # fmt: skip
def test_comparison_is_judged(verdict, says):
    text = findings.say_comparison(comparison(verdict))
    assert says in text
    assert text.startswith("- **")
    short = report.conclude(make_results(verdict))["comparison"]
    start = text[2:].split(" (")[0].replace("**", "")
    numbers = "0.750 and 0.850" if "worse" in verdict else "0.850 and 0.750"
    assert short.startswith(f"{start} (ROC AUC {numbers}). Held out: 0.750")


@pytest.mark.parametrize(
    ("p", "says"),
    [
        (0.0002, "**The outcome can be predicted:** the best of the held-out "
         "ROC AUCs is 0.890 (LSTM); with permuted outcomes it stays below"),
        (0.0099, "can be predicted"),
        (0.02, "**There is only weak evidence of a signal:** the best"),
        (0.06, "**There is no evidence of any signal:** the best"),
    ],
)  # fmt: skip
def test_signal_is_judged(p, says):
    assert says in findings.say_signal(comparison(signal_p=p))


def test_few_samples_are_no_evidence_of_no_signal():
    found = comparison(signal_p=0.17)
    found["signal"]["least_p"] = 1 / 6
    assert "**Too few samples are held out" in findings.say_signal(found)


@pytest.mark.parametrize(
    ("auc", "says"),
    [
        ((0.75, 0.85, 0.95), "one on time means (0.750) reaches the "
         "prescribed attention model; one on all values (0.880) reaches the "
         "prescribed attention model and the LSTM. Their log losses are 0.600 "
         "and 0.600; the best network's is 0.050."),
        ((0.9, 0.9, 0.9), "time means (0.750) reaches none of the networks"),
    ],
)  # fmt: skip
def test_baselines_are_judged(auc, says):
    assert says in findings.say_baselines(comparison(auc=auc))


@pytest.mark.parametrize(
    ("verdict", "signal_p", "says"),
    [
        ("better", 0.001, "**The order of time points carries signal:** tra"),
        ("probably better", 0.001, "time points probably carries signal:**"),
        ("unclear", 0.001, "**It stays open whether the order of time points"),
        ("no", 0.001, "**No signal in the order of time points is seen:**"),
        ("equal", 0.001, "**No signal in the order of time points is seen:"),
        ("probably worse", 0.001, "**No signal in the order of time points"),
        ("worse", 0.001, "**Order misleads more than it helps:**"),
        ("better", 0.2, "**No signal is sure, so none in the order of"),
    ],
)
def test_need_of_order_is_judged(verdict, signal_p, says):
    text = findings.say_order(order(verdict), comparison(signal_p=signal_p))
    assert says in text
    assert "the LSTM has a mean ROC AUC of 0.700 instead of 0.850" in text


@pytest.mark.parametrize(
    ("largest", "says"),
    [
        (1e-7, "The prescribed attention model cannot see the order of time "
         "points; the LSTM can."),
        (0.3, "Every model sees the order of time points."),
    ],
)  # fmt: skip
def test_blindness_is_judged(largest, says):
    assert findings.say_blindness(order(largest=largest)) == says
    text = findings.say_moves(order(largest=largest))
    assert f"(largest {largest:.1g})" in text
    assert "the LSTM, 0.2 (largest 0.5)" in text
    one_time = order(largest=0)
    one_time["moves"]["LSTM"]["largest"] = 0
    assert findings.say_blindness(one_time) == (
        "No model sees the order of time points."
    )


def controls(blind=0.5, free=0.88, both=0.72):
    def row(*means):
        names = ("attention", "LSTM", "attention + time", "best possible")
        return {name: [m - 0.01, m, m + 0.01]
                for name, m in zip(names, means, strict=True)}  # fmt: skip

    features = {"time": [0.56], "sinusoids": [0.7], "added sinusoids": [0.54]}
    return {
        "both": row(both, 0.85, 0.91, 0.95),
        "order-free": row(free, 0.86, 0.88, 0.95),
        "order only": row(blind, 0.96, 0.97, 0.98) | features,
        "nothing": row(blind, 0.5, 0.5, 0.5),
        "sibling rule": row(0.51, 0.85, 0.88, 1.0),
    }


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({}, []),
        ({"blind": 0.6}, ["nothing to learn", "order only"]),
        ({"free": 0.8}, ["order-free"]),
        ({"both": 0.9}, ["both"]),
    ],
)
def test_controls_are_checked(change, fails):
    lines = findings.say_controls(controls(**change)).splitlines()
    assert len(lines) == 5
    found = [line.split("expected**: ")[1].split(":")[0] for line in lines
             if line.startswith("- **not as expected**")]  # fmt: skip
    assert found == fails


def test_guessing_stays_within_its_interval():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 1000)
    misses = 0
    for _ in range(200):
        means = rng.random((3, 3, 2000))  # models, seeds, samples
        aucs = [[roc_auc_score(y, p) for p in seeds] for seeds in means]
        worst = np.abs(np.mean(aucs, axis=1) - 0.5).max()
        misses += worst > judge.half_width_of_guessing(3)
    assert 2 <= misses <= 20  # 10 are expected


def test_ablation_names_the_best():
    text = findings.say_ablation(controls())
    assert "none 0.50, time 0.56, sinusoids 0.70" in text
    assert "**The chosen ones, slow waves, are as good as any" in text
    worse = controls()
    worse["order only"]["time"] = [0.99]
    text = findings.say_ablation(worse)
    assert "**The best are time, not the chosen ones, slow waves.**" in text
    table = captions.tabulate_controls(controls())
    assert table["LSTM"][0] == "0.850 ± 0.025"  # 4.303 x 0.01 / sqrt(3)


@pytest.mark.parametrize(
    "name", ["Gene_0", "HLA-A*02:01", "![x](https://a.org/b)", "_a_", "a`b",
             "<b>", "&lt;", "- a", "1. a", "$x$", "été", "# a", "a ~~b~~",
             "https://a.org", "[x](javascript:alert(1))", "\\*"],
)  # fmt: skip
def test_names_stay_what_they_are_in_markdown(name):
    page = markdown2html(f"finds {words.as_text(name)} and x")
    assert html.unescape(page) == f"<p>finds {name} and x</p>\n"


def falls(found, **judged):
    mean = [0.1, 0.05, -0.01]
    return {"mean": mean, "low": mean, "high": mean, "found": found, **judged}


def test_importance_is_judged_where_the_truth_is_known():
    judged = {"precision": 0.5, "recall": 1.0}
    genes = ("A", "<b>", "C")
    windows = falls([], precision=None, recall=0.0)
    known = {"LSTM": {"genes": falls([0, 1], **judged), "windows": windows}}
    text = findings.say_importance(known, genes)
    assert "**The LSTM** finds A and &#60;b&#62; (precision 0.50, rec" in text
    assert "from -0.010 to +0.100; 0 of 3 windows stand out" in text
    assert "(precision undefined, recall 0.00)." in text
    assert "No window stands out for any model" in text
    unknown = {"LSTM": {"genes": falls([]), "windows": falls([2])}}
    text = findings.say_importance(unknown, genes)
    assert "No window" not in text
    assert "finds nothing; its falls" in text
    assert "precision" not in text
    assert "No truth is known for this file" in text


def test_costs_say_what_was_measured():
    def model(scale, ms):
        return {
            "multiply_adds": {25: 10, 400: 10 * scale},
            "sequential_steps": {25: 1, 400: 1},
            "milliseconds": {T: {"median": t, "low": t, "high": t}
                             for T, t in zip((25, 400), ms, strict=True)},
        }  # fmt: skip

    costs = {"models": {"attention": model(256, (1, 90)),
                        "LSTM": model(16, (2, 40))}}  # fmt: skip
    text = findings.say_costs(costs)
    assert "grow 256-fold" in text
    assert "the LSTM 16-fold" in text
    assert "takes a training step sooner at 25 time points; at 400" in text
    costs["models"]["attention"] = model(256, (3, 90))
    text = findings.say_costs(costs)
    assert "sooner at no length; at 400 it needs 90 ms, the LSTM 40." in text


def make_results(verdict="better"):
    return {
        "data": {"source": "file", "samples": 9, "time_points": 50,
                 "genes": 3},
        "grid": {name: grid() for name in words.NAMES},
        "training": {"attention": training()},
        "comparison": comparison(verdict),
        "order": order(),
        "controls": controls(),
    }  # fmt: skip


def test_conclusions_answer_every_question():
    results = make_results()
    results["grid"]["LSTM"] = grid(last_p=0.02)
    results["grid"]["attention + time"] = grid(last_p=0.06)
    results["conclusions"] = found = report.conclude(results)
    assert " ".join(found) == (
        "prediction comparison baselines why tuning training trust benefit"
    )
    assert found["tuning"] == (
        "Yes for the prescribed attention model (0.050, p = 0.001), perhaps "
        "for the LSTM (0.050, p = 0.020), hardly for attention with time "
        "features (0.050, p = 0.060): so far are best and last setting apart. "
        "The best setting of the prescribed attention model is num_heads 3, "
        "l2_reg 0.01, with a mean ROC AUC of 0.700; it leads the runner-up by "
        "0.020 and does not stand out from the fold-to-fold spread (SD 0.020)."
    )
    assert found["training"] == (
        "Validation loss went down: 0.800 at first, 0.600 at its lowest "
        "(epoch 2). The final model, after the search's 20 epochs, has 0.610."
    )
    assert found["comparison"].startswith("The LSTM is better than the")
    assert found["trust"].startswith("5 of 5 controls")
    assert "0.850 for the LSTM" in found["comparison"]
    assert "1,331 parameters and 210,010 multiply-adds" in found["benefit"]
    assert "where the LSTM takes 50." in found["benefit"]
    assert found["why"].startswith("The prescribed attention model cannot")
    assert "The order of time points carries signal: trained" in found["why"]
    headline = report.say_headline(results)
    assert "9 samples x 50 time points x 3 genes:" in headline
    assert found["tuning"] in headline
    assert "stand-in" not in headline
    results["training"]["attention"] = training(rise=0.05)
    results["controls"] = controls(both=0.9)
    found = report.conclude(results)
    assert "(epoch 2), then rose again to 0.630 by ep" in found["training"]
    assert found["trust"].startswith("4 of 5 controls")


def test_every_link_of_the_headline_names_a_heading():
    results = make_results()
    results["conclusions"] = report.conclude(results)
    text = (ROOT / "assignment7.ipynb").read_text()
    for target in re.findall(r"\(#(\S+)\)", report.say_headline(results)):
        assert f"## {target.replace('-', ' ')}" in text.replace("-", " ")


def test_data_tells_stand_in_from_file():
    simulated = simulate_expression(n_samples=20, n_time_steps=5, n_genes=3)
    data = ExpressionData(
        simulated.X, simulated.y, ("A", "B", "C"), (0, 1, 2, 3, 4),
        ("<b>no", "<b>yes"),
    )  # fmt: skip
    known = findings.say_data(summary.describe_data(data, simulated.truth))
    unknown = findings.say_data(summary.describe_data(data, None))
    assert "stand-in data" in known
    assert "your file" in unknown
    assert "20 samples x 5 time points x 3 genes" in known
    assert "&#60;b&#62;yes" in known
    assert "expect nothing" not in known
    single = ExpressionData(
        simulated.X[:, :, :1], simulated.y, ("A",), data.times, data.classes
    )
    text = findings.say_data(summary.describe_data(single, None))
    assert "expect nothing of the prescribed model" in text
