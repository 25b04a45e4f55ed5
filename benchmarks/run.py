"""Time the grid search against its peers, and how costs grow; write
`benchmarks/results.json` and the table in README. Times of a training step go
to `benchmarks/steps.json`, which the notebook reads.

Every measurement is a process of its own. The contenders take turns, and
the ratios are medians of ratios within a round, because machines drift.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results.json"
STEPS = ROOT / "benchmarks" / "steps.json"
README = ROOT / "README.md"
MARKS = ("<!-- benchmark -->\n", "<!-- end of benchmark -->")
TASK = {
    "n": 16,
    "cv": 5,
    "epochs": 20,
    "n_jobs": 2,
    "samples": 800,
    "time_points": 50,
}
BEFORE = "328eaeb"  # the revision whose search is timed beside this one's
CONTENDERS = {
    "ours": "this project",
    "before": f"this project at {BEFORE}",
    "plain": "scikeras",
    "skorch": "PyTorch with skorch",
    "floor": "bare TensorFlow loop, unscored",
}
SMALL = {"name": "ours", "n": 2, "cv": 2, "epochs": 5}
GROWTH = {
    "fits": [SMALL | {"n": n, "cv": 5} for n in (4, 16, 32)],
    "samples": [SMALL | {"samples": n} for n in (500, 2000, 8000)],
    "time_points": [SMALL | {"time_points": n} for n in (25, 100, 400)],
    "genes": [SMALL | {"genes": n} for n in (10, 100, 500, 2000)],
    "n_jobs": [SMALL | {"n": 8, "cv": 5, "n_jobs": n} for n in (1, 2)],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="search,growth,steps,file")
    options = parser.parse_args()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    parts = options.only.split(",")
    if "search" in parts:
        results["search"] = time_contenders(options.rounds)
    if "growth" in parts:
        results["growth"] = time_growth(options.rounds)
    if "steps" in parts:
        steps = {"machine": describe_machine()}
        steps["steps"] = measure("benchmarks.steps", {})
        STEPS.write_text(json.dumps(steps, indent=1) + "\n")
    if "file" in parts:
        results["file"] = time_file(options.rounds)
    results.setdefault("machines", {}).update(
        dict.fromkeys(parts, describe_machine())
    )
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write_table(results)


def measure(module: str, task: dict, root: Path = ROOT) -> dict:
    """Run `python -m module task` in `root`, with TensorFlow's threads as a
    user of it would have them, and return what it prints as JSON."""
    env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(task)],
        cwd=root,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} {task}:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def time_contenders(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each contender by round."""
    names = list(CONTENDERS)
    if not importlib.util.find_spec("skorch"):
        print("skorch: not installed, left out", flush=True)
        names.remove("skorch")
    seconds = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        before = Path(folder, "before")
        git = ["git", "-C", ROOT, "worktree"]
        subprocess.run([*git, "add", "-q", before, BEFORE], check=True)
        try:
            for number in range(rounds):
                for name in names:
                    root = before if name == "before" else ROOT
                    task = TASK | {"name": "ours" if root == before else name}
                    result = measure("benchmarks.contenders", task, root)
                    seconds[name].append(result["seconds"])
                    print(
                        f"round {number + 1}: {name}: "
                        f"{seconds[name][-1]:.1f} s",
                        flush=True,
                    )
        finally:
            subprocess.run([*git, "remove", "--force", before], check=True)
    return seconds


def trainings(task: dict) -> int:
    return task["n"] * task["cv"]


def time_growth(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of our search as one size of it grows."""
    seconds = {kind: {} for kind in GROWTH}
    for _ in range(rounds):
        for kind, tasks in GROWTH.items():
            for changes in tasks:
                task = TASK | changes
                size = trainings(task) if kind == "fits" else task[kind]
                took = measure("benchmarks.contenders", task)["seconds"]
                seconds[kind].setdefault(str(size), []).append(took)
                print(f"{kind} {size}: {took:.1f} s", flush=True)
    return seconds


def time_file(rounds: int) -> dict[str, list[dict]]:
    """Return time and memory of loading 20,000 x 500 values."""
    runs = {"ours": [], "pandas": []}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/large.csv"
        measure("benchmarks.file", {"name": "write", "path": path})
        for _ in range(max(rounds, 5)):
            for name in runs:
                task = {"name": name, "path": path}
                runs[name].append(measure("benchmarks.file", task))
    return runs


def describe_machine() -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [s.partition(": ")[2] for s in lines if "model name" in s]
        model = names[0] if names else model
    return f"{os.cpu_count()} cores, {model}, Python {sys.version.split()[0]}"


def write_table(results: dict) -> None:
    """Write the results between the marks in README."""
    lines = []
    if "search" in results:
        lines += list_contenders(
            results["search"], results["machines"]["search"]
        )
    if "growth" in results:
        lines += ["", *list_growth(results["growth"])]
    if "file" in results:
        lines += ["", describe_file(results["file"])]
    text = "\n".join(lines)
    print(text)
    before, _, rest = README.read_text().partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    README.write_text(before + MARKS[0] + f"\n{text}\n\n" + MARKS[1] + after)


def list_contenders(search: dict, machine: str) -> list[str]:
    ours = search["ours"]
    lines = [
        f"| {trainings(TASK)} trainings and a refit ({machine}) "
        "| seconds: median (range) | times ours |",
        "|---|---|---|",
    ]
    for name, seconds in search.items():
        ratios = [s / o for s, o in zip(seconds, ours, strict=True)]
        lines.append(
            f"| {CONTENDERS[name]} | {spread(seconds, '.0f')} | "
            f"{spread(ratios, '.2f')} |"
        )
    return lines


def list_growth(growth: dict) -> list[str]:
    names = {
        "fits": "fits",
        "samples": "samples, 4 fits",
        "time_points": "time points, 4 fits",
        "genes": "genes, 4 fits",
        "n_jobs": "workers, 40 fits",
    }
    lines = ["| what grows (5 epochs) | seconds, median |", "|---|---|"]
    for kind, by_size in growth.items():
        text = ", ".join(
            f"{size}: {statistics.median(seconds):.0f}"
            for size, seconds in by_size.items()
        )
        lines.append(f"| {names[kind]} | {text} |")
    return lines


def describe_file(file: dict) -> str:
    ratios = [
        statistics.median(
            a[unit] / b[unit]
            for a, b in zip(file["ours"], file["pandas"], strict=True)
        )
        for unit in ("seconds", "megabytes")
    ]
    return (
        "Loading and checking 20,000 samples x 500 values takes "
        f"{ratios[0]:.2f} times as long as `pandas.read_csv` alone, and "
        f"{ratios[1]:.2f} times its memory."
    )


def spread(values: list[float], form: str) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


if __name__ == "__main__":
    main()
