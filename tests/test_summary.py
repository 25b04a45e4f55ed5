import json
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from helpers import judge, show, summary, words
from helpers.data import ExpressionData
from helpers.models import build_lstm_model
from helpers.simulate import Truth


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


def test_gaps_between_means_are_exact_and_finite():
    X = np.full((20_000, 1, 2), 1e4, np.float32)
    y = np.arange(20_000) % 2
    X[y == 1, 0, 0] += 0.0625
    X[:, 0, 1] = 2.6e37
    data = ExpressionData(X, y, ("A", "B"), (0,), ("0", "1"))
    assert summary.mean_gaps(data) == pytest.approx([0.0625, 0])


def test_training_summary_measures_the_course_of_the_loss():
    losses = [1.0, 0.8, 0.6, 0.5, 0.51, 0.52, 0.53, 0.54, 0.55]
    history = pd.DataFrame({"loss": losses, "val_loss": losses})
    history.index = pd.RangeIndex(1, 10)
    found = summary.describe_training(history, search_epochs=4)
    assert found["best_epoch"] == 4
    assert found["final"] == 0.5
    assert found["rise"] == pytest.approx(0.1)
    assert found["trend_after"]["tau"] == pytest.approx(1)
    assert found["trend"]["tau"] == pytest.approx(-1)
    assert judge.turned_up(found)
    history.loc[3, "val_loss"] = np.nan
    with pytest.raises(FloatingPointError, match="not finite at epoch 3"):
        summary.describe_training(history, search_epochs=4)


def make_resamples(seed=0):
    rng = np.random.default_rng(seed)
    scores = ("roc_auc", "accuracy", "log_loss", "brier")
    found = {
        name: {key: rng.normal(mean, 0.01, 10) for key in scores}
        for name, mean in (("attention", 0.7), ("LSTM", 0.8),
                           ("attention + time", 0.9), ("majority class", 0.5))
    }  # fmt: skip
    for name in words.NAMES:
        found[name]["genes"] = rng.normal((0.1, 0, 0), 0.001, (10, 3))
        found[name]["windows"] = rng.normal((0, 0.1), 0.001, (10, 2))
    return found


def test_comparison_holds_every_model_pair_and_score():
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat([0, 1], 50))
    resamples = make_resamples()
    p = {name: rng.random(100) for name in resamples}
    p["LSTM"] = (p["LSTM"] + 0.7 * y) / 2
    p["best possible"] = y.astype(float)
    model = build_lstm_model((10, 3), 4, 0.1, 0.01)
    trained = {name: SimpleNamespace(model_=model) for name in words.NAMES}
    found = summary.describe_comparison(
        resamples, trained, y, p, test_share=0.25, seed=0
    )
    lstm = found["models"]["LSTM"]
    assert lstm["roc_auc"]["mean"] == resamples["LSTM"]["roc_auc"].mean()
    assert lstm["brier"]["sd"] == resamples["LSTM"]["brier"].std(ddof=1)
    assert lstm["parameters"] == model.count_params()
    held_out = lstm["held_out"]
    assert held_out["roc_auc"] == roc_auc_score(y, p["LSTM"])
    assert held_out["roc_auc_low"] < held_out["roc_auc"] < 1
    assert "parameters" not in found["models"]["majority class"]
    assert list(found["models"]["best possible"]) == ["held_out"]
    assert len(found["pairs"]) == 3
    assert found["pairs"]["attention + time - LSTM"]["better"] > 0.99
    assert found["signal"]["p"] < 0.01
    del p["LSTM"]  # what is known of the truth is no evidence of signal
    again = summary.describe_comparison(
        resamples, trained, y, p, test_share=0.25, seed=0
    )
    assert again["signal"]["p"] > 0.01


def test_order_is_asked_of_the_best_model_that_sees_it():
    resamples = make_resamples()
    shuffled = {"roc_auc": resamples["attention"]["roc_auc"]}
    found = summary.describe_order({}, resamples, shuffled, 0.25)
    assert found["model"] == "attention + time"
    assert found["loss"]["better"] > 0.99
    assert found["with_order"] > 0.85 > 0.75 > found["without_order"]


def test_importance_is_compared_with_the_truth():
    truth = Truth((0, 1), (0, 1, 2), np.zeros(1))  # first window of two
    trained = dict.fromkeys(words.NAMES)
    found = summary.describe_importance(
        make_resamples(), trained, 10, truth, 0.25
    )["LSTM"]
    assert found["genes"]["found"] == [0]
    assert (found["genes"]["precision"], found["genes"]["recall"]) == (1, 0.5)
    assert found["windows"]["found"] == [1]
    assert found["windows"]["precision"] == 0
    assert found["windows"]["known"] == [0]
    found = summary.describe_importance(
        make_resamples(), trained, 10, None, 0.25
    )
    assert "recall" not in found["LSTM"]["genes"]


def test_figures_are_saved_and_their_text_is_escaped(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    figure, _ = plt.subplots()
    show.show_figure(figure, "x", "<script>", 'a "b" <i>', tmp_path)
    image, caption = shown
    assert (tmp_path / "x.png").read_bytes() == image.data
    assert image.metadata["alt"] == 'a "b" <i>'
    assert image.metadata["caption"] == "<script>"
    assert "&lt;script&gt;" in caption.data
    assert plt.get_fignums() == []


def test_tables_are_escaped_and_formatted(monkeypatch):
    shown = []
    monkeypatch.setattr(show, "display", shown.append)
    show.show_table(pd.DataFrame({"<b>": [0.12345]}), {"<b>": ".2f"})
    assert "&lt;b&gt;" in shown[0].data
    assert "0.12<" in shown[0].data
