"""Time a training step of each model as series grow longer."""

import json
import statistics
import sys
import time

import numpy as np

from helpers.explain import LENGTHS
from helpers.models import MODELS

STEPS = 40


def main(repeats: int = 7) -> None:
    """Print milliseconds a step (batches of 32 x T x 10), by model and T."""
    rng = np.random.default_rng(0)
    n = 32 * STEPS
    y = rng.integers(0, 2, n)
    times = {name: {} for name in MODELS}
    for T in LENGTHS:
        X = rng.normal(size=(n, T, 10)).astype(np.float32)
        models = {name: entry.build((T, 10)) for name, entry in MODELS.items()}
        for _ in range(repeats + 1):  # the first one traces
            for name, model in models.items():
                start = time.perf_counter()
                model.fit(X, y, batch_size=32)
                took = (time.perf_counter() - start) / STEPS * 1000
                times[name].setdefault(T, []).append(round(took, 3))
    summary = {
        name: {
            T: {
                "median": statistics.median(ms[1:]),
                "low": min(ms[1:]),
                "high": max(ms[1:]),
            }
            for T, ms in by_length.items()
        }
        for name, by_length in times.items()
    }
    print(json.dumps(summary))


if __name__ == "__main__":
    main(*map(int, sys.argv[2:]))
