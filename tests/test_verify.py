"""Which numbers of another run may differ from the committed ones."""

import json
import shutil

import outputs
import pytest
import verify

COMMITTED = {
    "data": {"samples": 1000, "classes": ["0", "1"]},
    "grid": {
        "LSTM": {
            "candidates": [
                {"rank": 1, "units": 9, "roc_auc_mean": 0.8},
                {"rank": 2, "units": 3, "roc_auc_mean": 0.7},
            ],
            "best": {"units": 9},
            "spread": {"p": 0.04},
        }
    },
    "training": {"LSTM": {"epochs": 60, "val_loss": [0.7, 0.6]}},
    "controls": {"both": {"LSTM": [0.8, 0.9]}},
    "verdicts": {"signal": "yes"},
    "conclusions": {"why": "words"},
    "environment": {"quick": False, "keras": "3"},
}


def change(results, path, value):
    """Return `results` with another value; None removes it."""
    *outer, last = [int(k) if k.isdecimal() else k for k in path.split()]
    results = inner = json.loads(json.dumps(results))
    for key in outer:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return results


@pytest.mark.parametrize(
    ("path", "value", "is_wrong"),
    [
        ("grid LSTM candidates 0 roc_auc_mean", 0.81, False),
        ("grid LSTM candidates 0 roc_auc_mean", 0.85, True),
        ("grid LSTM candidates 0 roc_auc_mean", None, True),
        ("grid LSTM candidates 0 units", 8, True),
        ("grid LSTM candidates", [], True),
        ("grid LSTM best units", 3, True),
        ("training LSTM val_loss 1", 0.65, True),
        ("training LSTM val_loss", [0.7], True),
        ("training LSTM epochs", 61, True),
        ("controls both LSTM 0", 0.79, False),
        ("controls both LSTM 0", 0.7, True),
        ("controls both", {}, True),
        ("controls new", {"LSTM": []}, True),
        ("data samples", 1001, True),
        ("data classes 0", "no", True),
        ("verdicts signal", None, True),
        ("environment quick", True, True),
        ("environment keras", "4", False),
        ("environment keras", None, True),
    ],
)
def test_verify_tells_what_may_differ(path, value, is_wrong):
    wrong, otherwise = verify.compare(
        COMMITTED, change(COMMITTED, path, value)
    )
    assert bool(wrong) == is_wrong
    assert all(line.startswith(path.split()[0]) for line in wrong)
    assert otherwise == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("grid LSTM candidates 0 rank", 2),
        ("grid LSTM spread p", 0.4),
        ("verdicts signal", "no"),
        ("conclusions why", "other words"),
    ],
)
def test_what_scores_decide_may_differ_only_where_they_do(path, value):
    changed = change(COMMITTED, path, value)
    wrong, otherwise = verify.compare(COMMITTED, changed)
    assert len(wrong) == 1
    assert otherwise == []
    changed = change(changed, "controls both LSTM 0", 0.801)
    assert verify.compare(COMMITTED, changed) == ([], wrong)


def test_candidates_may_change_places():
    changed = change(COMMITTED, "controls both LSTM 0", 0.801)
    changed["grid"]["LSTM"]["candidates"].reverse()
    assert verify.compare(COMMITTED, changed) == ([], [])


def test_verify_compares_a_run_with_what_is_committed(finished, capsys):
    results = finished / "results.json"
    shutil.copy(finished / "build" / "results.json", results)
    verify.verify(finished / "build")
    assert "2 of 2 committed values are equal" in capsys.readouterr().out
    results.write_text(results.read_text().replace("false", "true"))
    with pytest.raises(outputs.Refusal, match="environment/quick: True"):
        verify.verify(finished / "build")
