"""Compare a run with the committed results, value by value."""

import json
import re
import sys
from pathlib import Path

import outputs
from outputs import Refusal

# All is equal on one machine. Another processor sums in another order, and
# training magnifies the last digits: by 0.001 from Intel to AMD, on average.
TOLERANCE = 0.03
SOFTWARE = r"^environment/(?!quick|seed)"  # of the machine
# what comparing scores decides, and may differ where they do a little
DECIDED = (
    r"^(verdicts|conclusions)/|[/_](rank|p|tau|better|equal|worse|near"
    r"|index|model)$"
)


def flatten(value, path: str = "") -> dict[str, object]:
    """Return every value within nested results by its path; a list of names
    or counts is one value."""
    if isinstance(value, list) and any(
        isinstance(inner, dict | list | float) for inner in value
    ):
        value = dict(enumerate(value))
    if not isinstance(value, dict) or not value:
        return {path: value}
    leaves = {}
    for key, inner in value.items():
        leaves |= flatten(inner, f"{path}/{key}" if path else key)
    return leaves


def name_candidates(search: dict) -> dict:
    """Return a grid search with candidates by parameters, not by rank."""
    names = search["best"]
    rows = search["candidates"]
    rows = {str([row[name] for name in names]): row for row in rows}
    return search | {"candidates": rows, "best": str(names)}


def list_values(results: dict) -> dict[str, object]:
    """Return every value of results.json by its path."""
    searches = {
        model: name_candidates(search)
        for model, search in results.get("grid", {}).items()
    }
    return flatten(results | {"grid": searches} if searches else results)


def is_near(old, this) -> bool:
    are_numbers = all(isinstance(value, int | float) for value in (old, this))
    return are_numbers and abs(old - this) <= TOLERANCE


def compare(committed: dict, new: dict) -> tuple[list[str], list[str]]:
    """Return a line on each value that differs more than it may, and on each
    that was decided otherwise because scores differ a little."""
    then, now = list_values(committed), list_values(new)
    both, lines = then.keys() & now.keys(), {}
    for path in sorted(then.keys() | now.keys()):
        old, this = (values.get(path, "nothing") for values in (then, now))
        if old != this and not (path in both and re.search(SOFTWARE, path)):
            lines[path] = f"{path}: {old} committed, {this} here"
    decided = {path for path in lines if re.search(DECIDED, path)}
    if decided == lines.keys():  # all scores are equal
        return list(lines.values()), []
    otherwise = [lines.pop(path) for path in sorted(decided & both)]
    near = {path for path in both if is_near(then[path], now[path])}
    return [lines[path] for path in lines if path not in near], otherwise


def verify(out: Path) -> None:
    outputs.open_run(out)
    committed, new = (
        json.loads((folder / "results.json").read_text("utf-8"))
        for folder in (outputs.ROOT, out)
    )
    wrong, otherwise = compare(committed, new)
    if wrong:
        raise Refusal("\n".join(["Not as committed:", *wrong]))
    values, here = list_values(committed), list_values(new)
    equal = sum(here[path] == value for path, value in values.items())
    print(
        f"Verified: {equal} of {len(values)} committed values are equal here, "
        f"and no other score differs by more than {TOLERANCE}"
    )
    if otherwise:
        print("\n".join(["Close calls that went otherwise here:", *otherwise]))


if __name__ == "__main__":
    verify(outputs.locate(sys.argv[1]))
