import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from helpers import report, show, summary
from helpers.data import ExpressionData
from helpers.simulate import simulate_expression


def grid(lead_p=0.5):
    return {
        "best": {"num_heads": 3, "l2_reg": 0.01},
        "judgement": {
            "mean": 0.7, "sd": 0.02, "lead": 0.01, "lead_p": lead_p,
            "lead_over_last": 0.05,
            "within_one_error": 4, "candidates": 16,
        },
    }  # fmt: skip


def training(tau=-0.8, p=0.0001, rise=0.0, after_p=0.001, end=0.3):
    return {
        "epochs": 60, "search_epochs": 20, "best_epoch": 2, "lowest": 0.6,
        "trend": {"tau": tau, "p": p}, "rise": rise,
        "trend_after": {"tau": 0.7, "p": after_p},
        "loss": [0.9, 0.5, end], "val_loss": [0.8, 0.6, 0.6 * (1 + rise)],
    }  # fmt: skip


def comparison(low, high, attention_low=0.6, lstm_low=0.6):
    cost = {"parameters": 1331, "multiply_adds": 210_010}
    return {
        "attention": {
            "roc_auc": 0.7,
            "roc_auc_low": attention_low,
            "roc_auc_high": 0.8,
            **cost,
        },
        "LSTM": {
            "roc_auc": 0.8,
            "roc_auc_low": lstm_low,
            "roc_auc_high": 0.9,
            **cost,
        },
        "difference": {"mean": 0.1, "low": low, "high": high},
    }


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (grid(lead_p=0.01), "**It stands out:**"),
        (grid(), "**It does not stand out:**"),
        (grid(), "4 of 16 settings are within one standard error"),
    ],
)
def test_winner_is_judged(found, says):
    text = report.say_winner(found)
    assert says in text
    assert "`num_heads` = 3, `l2_reg` = 0.01" in text


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
    assert says in report.say_training(found)


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.01, 0.2, "**The LSTM is better.**"),
        (-0.2, -0.01, "**The attention model is better.**"),
        (-0.1, 0.1, "**The two cannot be told apart here.**"),
    ],
)
def test_comparison_is_judged(low, high, says):
    assert says in report.say_comparison(comparison(low, high))


@pytest.mark.parametrize(
    ("attention_low", "lstm_low", "says"),
    [
        (0.6, 0.6, "Both models do better than guessing."),
        (0.4, 0.6, "Only the LSTM does better than guessing; the attention"),
        (0.6, 0.4, "Only the attention model does better than guessing"),
        (0.4, 0.4, "Neither model does better than guessing"),
    ],
)
def test_signal_is_judged(attention_low, lstm_low, says):
    found = comparison(0.1, 0.2, attention_low, lstm_low)
    assert says in report.say_signal(found)


@pytest.mark.parametrize(
    ("means", "values", "says"),
    [
        (0.7, 0.8, "the attention model is reached by one that sees only"),
        (0.7, 0.8, "the LSTM is reached by one that sees every value."),
        (0.5, 0.5, "the attention model is reached by neither"),
    ],
)
def test_baselines_are_judged(means, values, says):
    controls = {"logistic, time means": {"roc_auc": means},
                "logistic, all values": {"roc_auc": values}}  # fmt: skip
    found = comparison(0.1, 0.2, attention_low=0.6, lstm_low=0.7)
    assert says in report.say_baselines(found, controls)


@pytest.mark.parametrize(
    ("low", "high", "lstm_low", "says"),
    [
        (0.05, 0.2, 0.6, "the order of time points carries signal"),
        (-0.1, 0.1, 0.6, "no signal in the order of time points is seen"),
        (-0.2, -0.1, 0.6, "order misleads it"),
        (0.05, 0.2, 0.45, "it finds no signal that order could carry"),
    ],
)
def test_need_of_order_is_judged(low, high, lstm_low, says):
    order = {"without_order": {"mean": 0.1, "low": low, "high": high}}
    found = comparison(0.1, 0.2, lstm_low=lstm_low)
    assert says in report.say_without_order(order, found)


@pytest.mark.parametrize(
    ("largest", "says", "concludes"),
    [
        (1e-7, "no more than rounding", "cannot see the order"),
        (0.3, "so it sees order", "Both models see the order"),
    ],
)
def test_blindness_is_judged(largest, says, concludes):
    moves = {"largest": largest, "mean": largest / 2}
    order = {"attention": moves, "LSTM": {"largest": 0.5, "mean": 0.2}}
    assert says in report.say_order(order)
    assert concludes in report.say_blindness(order)


def test_conclusions_answer_every_question():
    moves = {"largest": 0.5, "mean": 0.2}
    results = {
        "data": {"source": "file", "samples": 9, "time_points": 50,
                 "genes": 3},
        "grid": {"attention": grid()},
        "training": {"attention": training(), "LSTM": training(rise=0.3)},
        "comparison": comparison(-0.2, -0.1),
        "order": {"attention": moves, "LSTM": moves,
                  "without_order": {"mean": 0.1, "low": 0.05, "high": 0.2}},
    }  # fmt: skip
    results["conclusions"] = found = report.conclude(results)
    assert list(found) == ["prediction", "tuning", "training", "comparison",
                           "why", "cost"]  # fmt: skip
    assert found["training"] == "Validation loss went down."
    assert found["comparison"].startswith("The attention model is better.")
    assert "50 steps one after another" in found["cost"]
    assert "by 0% for attention and by 30% for the LSTM" in found["cost"]
    headline = report.say_headline(results)
    assert "9 samples x 50 time points x 3 genes:" in headline
    assert found["tuning"] in headline


def test_data_tells_stand_in_from_file():
    simulated = simulate_expression(n_samples=20, n_time_steps=5, n_genes=3)
    data = ExpressionData(
        simulated.X, simulated.y, ("A", "B", "C"), (0, 1, 2, 3, 4),
        ("<b>no", "<b>yes"),
    )  # fmt: skip
    known = report.say_data(summary.describe_data(data, simulated.truth))
    unknown = report.say_data(summary.describe_data(data, None))
    assert "stand-in data" in known
    assert "your file" in unknown
    assert "20 samples x 5 time points x 3 genes" in known
    assert "&lt;b&gt;yes" in known


def test_json_is_stable_and_plain(tmp_path):
    path = tmp_path / "new" / "results.json"
    content = {"a": np.float32(1 / 3), "b": (np.int64(2), True, None, "x")}
    summary.save_json(content, path)
    assert json.loads(path.read_text()) == {
        "a": 0.333333,
        "b": [2, True, None, "x"],
    }
    with pytest.raises(ValueError, match="not JSON compliant"):
        summary.save_json({"a": float("nan")}, path)


def test_training_summary_measures_the_course_of_the_loss():
    losses = [1.0, 0.8, 0.6, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55]
    history = pd.DataFrame({"loss": losses, "val_loss": losses})
    history.index = pd.RangeIndex(1, 10)
    found = summary.describe_training(history, search_epochs=4)
    assert found["best_epoch"] == 4
    assert found["rise"] == pytest.approx(0.1)
    assert found["trend_after"]["tau"] == pytest.approx(1)
    assert found["trend"]["tau"] == pytest.approx(-1)
    assert report.turned_up(found)
    history.loc[3, "val_loss"] = np.nan
    with pytest.raises(FloatingPointError, match="not finite at epoch 3"):
        summary.describe_training(history, search_epochs=4)


def test_difference_is_paired():
    y = np.tile([0, 1], 50)
    p = (np.random.default_rng(0).random(100) + 0.3 * y) / 3
    same = summary.describe_difference(y, p, 2 * p, seed=0)
    assert same == {"mean": 0.0, "low": 0.0, "high": 0.0}
    worse = summary.describe_difference(y, p, np.zeros(100), seed=0)
    assert worse["low"] > 0


def test_figures_are_saved_and_their_text_is_escaped(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    figure, _ = plt.subplots()
    show.show_figure(figure, "x", "<script>", 'a "b" <i>', tmp_path)
    image, caption = shown
    assert (tmp_path / "x.png").read_bytes() == image.data
    assert image.alt == 'a "b" <i>'
    assert "&lt;script&gt;" in caption.data
    assert plt.get_fignums() == []


def test_tables_are_escaped_and_formatted(monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    show.show_table(pd.DataFrame({"<b>": [0.12345]}), {"<b>": ".2f"})
    assert "&lt;b&gt;" in shown[0].data
    assert "0.12<" in shown[0].data
