"""Compare every number of a finished run with the committed results."""

import json
import math
import os
import platform
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ROOT / "results.json"
# Another processor sums in another order, and training magnifies the last
# digits. Between an Intel and an AMD processor, mean scores moved by 0.001.
SCORES = {"roc_auc", "accuracy", "brier", "log_loss", "mean", "val_loss",
          "loss", "lowest", "roc_auc_mean", "accuracy_mean", "log_loss_mean",
          "with_order", "without_order", "best", "null_99", "roc_auc_low",
          "roc_auc_high"}  # fmt: skip
TOLERANCE = 0.03
NOT_SET = ("rank", "_mean", "_sd")  # the rest of a candidate is its setting
BLIND = ("order", "moves", "attention", "largest")  # rounding, no more
ROUNDING = 1e-4
EXACT = ("data", "split", "parameters", "multiply_adds", "costs", "epochs",
         "search_epochs", "resamples", "quick", "seed")  # fmt: skip
COUNT = ("judgement", "candidates")


def main(out: Path) -> int:
    found = compare(
        json.loads(COMMITTED.read_text()),
        json.loads((out / "results.json").read_text()),
    )
    print(state(found))
    return 1 if found["wrong"] else 0


def flatten(value, path=()):
    """Yield every leaf of nested results with its path."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flatten(inner, (*path, key))
    elif isinstance(value, list) and path[-1] == "candidates":
        for row in value:  # in order of rank, which may differ
            setting = ", ".join(f"{k} {row[k]:g}" for k in row
                                if not k.endswith(NOT_SET))  # fmt: skip
            yield from flatten(row, (*path, setting))
    elif isinstance(value, list):
        yield path, len(value)
        for number, inner in enumerate(value):
            yield from flatten(inner, (*path, str(number)))
    else:
        yield path, value


def compare(committed: dict, new: dict) -> dict:
    """Compare results, leaf by leaf.

    Returns how many were compared, how many are `equal`, the largest
    difference of a score and where it is, and what is `wrong`: a leaf that
    must be equal and is not, or a score that differs by more than
    `TOLERANCE`. Other leaves (p values, counts, sentences) follow from the
    scores and may differ with them; the versions are reported apart.
    """
    old, now = dict(flatten(committed)), dict(flatten(new))
    old, now = (
        {
            k: v
            for k, v in leaves.items()
            if k[:1] != ("environment",) or set(EXACT) & set(k)
        }
        for leaves in (old, now)
    )
    wrong, largest, where = [], 0.0, ""
    for path in old.keys() | now.keys():
        a, b = old.get(path), now.get(path)
        if a == b:
            continue
        name = " / ".join(path)
        lost = (path in old) != (path in now) and "found" not in path
        if lost or set(EXACT) & set(path) or path[-2:] == COUNT:
            wrong.append(f"{name}: {a} was expected, {b} was found")
        elif path == BLIND:
            if not b < ROUNDING:
                wrong.append(f"{name}: {a} was expected, {b} was found")
        elif is_score(path) and isinstance(a, float):
            size = abs(a - b) if isinstance(b, float) else math.inf
            if size > largest:
                largest, where = size, name
            if size > TOLERANCE:
                wrong.append(f"{name}: {a} was expected, {b} was found")
    return {
        "compared": len(old),
        "equal": sum(now.get(path) == value for path, value in old.items()),
        "largest": largest,
        "where": where,
        "wrong": sorted(wrong),
        "versions": {
            name: (value, new["environment"].get(name))
            for name, value in committed["environment"].items()
            if value != new["environment"].get(name)
        },
    }


def is_score(path: tuple[str, ...]) -> bool:
    names = [part for part in path if not part.isdecimal()]
    return bool(names) and (names[-1] in SCORES or names[0] == "controls")


def state(found: dict) -> str:
    """Put a comparison into a short statement of reproducibility."""
    if found["equal"] == found["compared"] and not found["wrong"]:
        verdict = "all equal"
    else:
        verdict = (
            f"{found['equal']} equal; the scores differ by at most "
            f"{found['largest']:.2g}"
            + (f" ({found['where']})" if found["where"] else "")
            + f"; {len(found['wrong'])} wrong"
        )
    versions = [
        f"{name} {there} there, {here} here"
        for name, (there, here) in found["versions"].items()
    ]
    lines = [
        f"make verify: {found['compared']} values compared, {verdict}.",
        f"Processor: {describe_processor()}; {os.cpu_count()} cores, one "
        "TensorFlow thread a process.",
        f"Versions: {'; '.join(versions) or 'as committed'}.",
        "Promised: equal bytes on one machine, for any number of workers; "
        f"on another processor, scores within {TOLERANCE} and counts and "
        "sizes equal.",
        "Not promised there: p values, winners among settings that are "
        "nearly equal, and sentences that rest on them.",
    ]
    return "\n".join([*lines, *(f"WRONG {text}" for text in found["wrong"])])


def describe_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [x.split(":")[1] for x in lines if x.startswith("model name")]
    return names[0].strip() if names else platform.machine()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
