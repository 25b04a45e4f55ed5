"""Compare the scores and counts of a run with the committed results."""

import json
import re
import sys
from pathlib import Path

import outputs
from outputs import Refusal

# All is equal on one machine. Another processor sums in another order, and
# training magnifies the last digits: by 0.001 from Intel to AMD, on average.
TOLERANCE = 0.03
SCORE = (
    r"^controls/|/(roc_auc|accuracy|log_loss|brier|(val_)?loss/\d)"
    r"|/(with|without)_order$|/importance/.*/mean/|/pairs/.*/mean$"
)
EXACT = (
    r"^(data|split)/|/(epochs|resamples|parameters|multiply_adds|quick|seed)\b"
)


def flatten(value, path: str = "") -> dict[str, object]:
    """Return every value within nested results by its path."""
    if not isinstance(value, dict | list):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    leaves = {}
    for key, inner in items:
        leaves |= flatten(inner, f"{path}/{key}" if path else key)
    return leaves


def find_wrong(committed: dict, new: dict) -> list[str]:
    """Return a line on each value that differs more than it may.

    P values, ranks, verdicts and sentences may differ: they rest on scores
    that are nearly equal.
    """
    then, now = flatten(committed), flatten(new)
    wrong = []
    for path in sorted(then.keys() | now.keys()):
        old, this = then.get(path), now.get(path)
        are_numbers = isinstance(old, float) and isinstance(this, float)
        is_near = are_numbers and abs(old - this) <= TOLERANCE
        is_score = re.search(SCORE, path) and not is_near
        if old != this and (is_score or re.search(EXACT, path)):
            wrong.append(f"{path}: {old} committed, {this} here")
    return wrong


def verify(out: Path) -> None:
    outputs.open_run(out)
    committed, new = (
        json.loads((folder / "results.json").read_text("utf-8"))
        for folder in (outputs.ROOT, out)
    )
    if wrong := find_wrong(committed, new):
        raise Refusal("\n".join(["Not as committed:", *wrong]))
    values, here = flatten(committed), flatten(new)
    equal = sum(here.get(path) == value for path, value in values.items())
    print(
        f"Verified: {equal} of {len(values)} committed values are equal here, "
        f"and no score differs by more than {TOLERANCE}"
    )


if __name__ == "__main__":
    verify(outputs.locate(sys.argv[1]))
