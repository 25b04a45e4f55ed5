"""Simulate labelled expression time series whose ground truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.data import DEFAULT_PATH, OUTCOME, ExpressionData

# How much the label depends on the level of gene 0, which is visible in any
# order of the time points, and on the order in which genes 1 and 2 pulse.
LEVEL_AND_ORDER = {
    "nothing": (0, 0),
    "order-free": (1, 0),
    "order only": (0, 1),
    "both": (1, 1),
}
SETTINGS = (*LEVEL_AND_ORDER, "sibling rule")
STAND_IN = {
    "setting": "both",
    "n_samples": 1000,
    "n_time_steps": 50,
    "n_genes": 10,
    "seed": 2024,
}
DEPTH = 1.2  # mean counts a gene at log-mean 0; leaves about a third zeros
SIGNAL = 4.0  # log-odds at one standardised unit of signal


@dataclass(frozen=True)
class Truth:
    """What carries the signal: `genes` and `times` are sorted indices. Times
    are those that the order of pulses is read from, where their centres can
    lie; all for the sibling rule; none where order does not matter.
    `log_odds` (n_samples,) of Outcome = 1 given the signal, +/-inf where the
    outcome is certain."""

    genes: tuple[int, ...]
    times: tuple[int, ...]
    log_odds: np.ndarray


@dataclass(frozen=True)
class Simulation:
    """`X` (n_samples, n_time_steps, n_genes) float64, `y` (n_samples,) int."""

    X: np.ndarray
    y: np.ndarray
    truth: Truth


def simulate_expression(
    setting: str = "both",
    n_samples: int = 1000,
    n_time_steps: int = 50,
    n_genes: int = 10,
    seed: int = 0,
) -> Simulation:
    """Simulate expression series and a binary outcome.

    `setting` is one of `SETTINGS`. The first four are log1p of normalised
    counts, of which gene 0 (its level) and genes 1 and 2 (the order of their
    pulses) decide the outcome; the "sibling rule" is the rule of a published
    file of the same course (uniform noise, two half-time contrasts).
    Equal arguments give equal results.

    Raises ValueError for an unknown setting or a size that is too small.
    """
    if setting not in SETTINGS:
        raise ValueError(f"setting must be one of {SETTINGS}, got {setting!r}")
    sizes = {
        "n_samples": (n_samples, 2),
        "n_time_steps": (n_time_steps, 2),
        "n_genes": (n_genes, 3),
    }
    for name, (size, least) in sizes.items():
        if size < least:
            raise ValueError(f"{name} must be at least {least}, got {size}")
    rng = np.random.default_rng(seed)
    if setting == "sibling rule":
        return _sibling_rule(n_samples, n_time_steps, n_genes, rng)
    level, order, log_mean = _log_means(n_samples, n_time_steps, n_genes, rng)
    X = _sequence(log_mean, rng)
    a, b = LEVEL_AND_ORDER[setting]
    log_odds = SIGNAL * (a * level + b * order) / max(np.hypot(a, b), 1)
    y = (rng.random(n_samples) < 1 / (1 + np.exp(-log_odds))).astype(int)
    genes = (0,) * a + (1, 2) * b
    times = _pulse_centres(n_time_steps) if b else ()
    return Simulation(X, y, Truth(genes, tuple(times), log_odds))


def _log_means(n, T, G, rng):
    """Return level (n,), order (n,) of +/-1 and log-means (n, T, G)."""
    sample_level = rng.normal(0, 0.5, (n, 1, G))
    log_mean = np.linspace(-0.5, 0.5, G) + sample_level  # (n, 1, G)
    log_mean = log_mean + _autoregression(n, T, G, rng)  # (n, T, G)
    unit = T / 50  # pulses keep their place in a series of another length
    middle = rng.uniform(18, 32, n) * unit
    gap = rng.uniform(5, 9, n) * unit
    order = rng.choice([-1, 1], n)
    for gene, sign in ((1, -1), (2, 1)):
        centre = (middle + sign * order * gap)[:, None]  # (n, 1)
        distance = (np.arange(T) - centre) / (4 * unit)  # (n, T)
        log_mean[:, :, gene] += 1.5 * np.exp(-(distance**2) / 2)
    return sample_level[:, 0, 0] / 0.5, order, log_mean


def _autoregression(n, T, G, rng, rho=0.8, sd=0.4):
    """Return stationary AR(1) noise (n, T, G) along the time axis."""
    noise = rng.normal(0, sd, (n, T, G))
    for t in range(1, T):
        step = np.sqrt(1 - rho**2) * noise[:, t]
        noise[:, t] = rho * noise[:, t - 1] + step
    return noise


def _sequence(log_mean, rng):
    """Draw counts and return them normalised: log1p(count / size factor)."""
    n, T, _ = log_mean.shape
    size_factor = rng.lognormal(0, 0.25, (n, T, 1))
    counts = rng.poisson(size_factor * DEPTH * np.exp(log_mean))
    return np.log1p(counts / size_factor)


def _pulse_centres(T):
    """Return the times from a pulse's earliest centre to its latest."""
    first, last = (18 - 9) * T / 50, (32 + 9) * T / 50
    return range(int(np.floor(first)), min(T, int(np.ceil(last)) + 1))


def _sibling_rule(n, T, G, rng):
    X = rng.uniform(-1, 1, (n, T, G))
    rise = X[:, T // 2 :].mean(axis=1) - X[:, : T // 2].mean(axis=1)  # (n, G)
    y = ((rise[:, 0] < 0) & (rise[:, 1] > 0)).astype(int)
    log_odds = np.where(y == 1, np.inf, -np.inf)
    return Simulation(X, y, Truth((0, 1), tuple(range(T)), log_odds))


def write_csv(simulation: Simulation, path: str | Path) -> None:
    """Write a simulation in the course's format: columns `Gene_g_Time_t`,
    time-major, values to 4 decimals, and `Outcome` last, as 0.0 or 1.0."""
    n, T, G = simulation.X.shape
    names = [f"Gene_{g}_Time_{t}" for t in range(T) for g in range(G)]
    table = pd.DataFrame(simulation.X.reshape(n, T * G), columns=names)
    table = table.map("{:.4f}".format)
    table[OUTCOME] = simulation.y.astype(float)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, lineterminator="\n")


def find_truth(data: ExpressionData) -> Truth | None:
    """Return the truth if `data` is the stand-in, None for any other."""
    simulated = simulate_expression(**STAND_IN)
    same = data.X.shape == simulated.X.shape and np.array_equal(
        data.y, simulated.y
    )
    if same and np.allclose(data.X, simulated.X, atol=1e-4):
        return simulated.truth
    return None


if __name__ == "__main__":
    write_csv(simulate_expression(**STAND_IN), DEFAULT_PATH)
