"""What a model costs: counted, and as `make benchmark` measured it."""

import json
from pathlib import Path

import keras
import numpy as np

from helpers.experiments import MODELS

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "results.json"
LENGTHS = (25, 50, 100, 200, 400)  # time points


def count_multiply_adds(model: keras.Model) -> int:
    """Count the multiply-adds of the matrix products for one sample.

    Knows MultiHeadAttention, LSTM and Dense; element-wise work (softmax,
    normalisation, gates) is left out, as is usual.
    """
    T, G = model.input_shape[1:]
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.MultiHeadAttention):
            width = layer.num_heads * layer.key_dim
            features = layer.query_dense.kernel.shape[0]
            projections = 4 * T * features * width  # query, key, value, out
            total += projections + 2 * T * T * width  # scores, weighted sum
        elif isinstance(layer, keras.layers.LSTM):
            total += T * 4 * layer.units * (G + layer.units)
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
        elif isinstance(layer, keras.Model):
            total += count_multiply_adds(layer)
    return total


def count_sequential_steps(model: keras.Model) -> int:
    """Count the steps along time that have to wait for each other: as many
    as time points where a state is handed on, else one."""
    recurrent = any(isinstance(x, keras.layers.LSTM) for x in model.layers)
    return model.input_shape[1] if recurrent else 1


def describe_costs(n_genes: int = 10) -> dict:
    """Return, by model of `MODELS` and number of time points, multiply-adds
    and sequential steps for one sample, and the milliseconds of a training
    step (32 samples: median, low, high) that `make benchmark` measured; and
    the machine it ran on."""
    measured = json.loads(BENCHMARK.read_text())
    costs = {"machine": measured["machines"]["steps"], "models": {}}
    for name, (build, params) in MODELS.items():
        models = {T: build((T, n_genes), **params) for T in LENGTHS}
        times = measured["steps"][name]
        costs["models"][name] = {
            "multiply_adds": {
                T: count_multiply_adds(m) for T, m in models.items()
            },
            "sequential_steps": {
                T: count_sequential_steps(m) for T, m in models.items()
            },
            "milliseconds": {T: times[str(T)] for T in LENGTHS},
        }
    return costs
