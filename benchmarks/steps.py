"""Time a training step of each model as series grow longer."""

import json
import statistics
import sys
import time

import numpy as np
import tensorflow as tf

from helpers.costs import LENGTHS
from helpers.experiments import MODELS
from helpers.graph import GraphRunner

STEPS = 20


def main(repeats: int = 7) -> None:
    """Print milliseconds a step (batches of 32 x T x 10), by model and T."""
    rng = np.random.default_rng(0)
    n = 32 * STEPS
    y = tf.constant(rng.integers(0, 2, (n, 1)), tf.float32)
    order = tf.range(n, dtype=tf.int64)
    found = {name: {} for name in MODELS}
    for T in LENGTHS:
        X = tf.constant(rng.normal(size=(n, T, 10)), tf.float32)
        runners = {
            name: GraphRunner(build((T, 10), **setting))
            for name, (build, setting) in MODELS.items()
        }
        for _ in range(repeats + 1):  # the first one traces
            for name, runner in runners.items():
                start = time.perf_counter()
                float(runner.epoch(X, y, order, 32))
                took = (time.perf_counter() - start) / STEPS * 1000
                found[name].setdefault(T, []).append(round(took, 3))
    print(json.dumps({
        name: {
            T: {"median": statistics.median(ms[1:]), "low": min(ms[1:]),
                "high": max(ms[1:])}
            for T, ms in by_length.items()
        }
        for name, by_length in found.items()
    }))  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[2:]))
