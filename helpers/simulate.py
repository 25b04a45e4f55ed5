"""Simulate labelled expression time series whose ground truth is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from helpers.data import DEFAULT_PATH, OUTCOME, ExpressionData

# What the outcome depends on: the level of gene 0, which is visible in any
# order of the time points; what genes 1 and 2 do, one after the other.
LEVEL_AND_ORDER = {
    "nothing": (0, 0),
    "level": (1, 0),
    "pulses": (0, 1),
    "rhythm": (0, 1),
    "level + rhythm": (1, 1),
}
SCENARIOS = (*LEVEL_AND_ORDER, "half-time rule")
STAND_IN = {"seed": 2024}  # all else by default
DEPTH = 1.2  # mean counts a gene at log-mean 0; leaves about a third zeros
SIGNAL = 4.0  # log-odds at one standardised unit of signal


@dataclass(frozen=True)
class Simulation:
    """`X` (n_samples, n_time_steps, n_genes) float64, `y` (n_samples,) int,
    and the truth: `genes` are sorted indices of those that carry the signal,
    `p` (n_samples,) is the probability with which Outcome = 1 was drawn,
    `p_blind` what is left of it if nothing of the order is known."""

    X: np.ndarray
    y: np.ndarray
    genes: tuple[int, ...]
    p: np.ndarray
    p_blind: np.ndarray


def simulate_expression(
    scenario: str = "level + rhythm",
    n_samples: int = 1000,
    n_time_steps: int = 50,
    n_genes: int = 10,
    seed: int = 0,
) -> Simulation:
    """Simulate expression series and a binary outcome.

    `scenario` is one of `SCENARIOS`, which says what the outcome depends on.
    "level": how much of gene 0 there is. "pulses": which of genes 1 and 2
    peaks first, always near the middle. "rhythm": whether gene 2 runs a
    quarter of a period behind gene 1 or ahead of it, from a random phase.
    These are log1p of normalised counts. The "half-time rule" is that of a
    published file of the same course: uniform noise, in which the first half
    of gene 0 must exceed its second, and the other way round for gene 1.
    Equal arguments give equal results.

    Raises ValueError for an unknown scenario or a size that is too small.
    """
    if scenario not in SCENARIOS:
        raise ValueError(
            f"scenario must be one of {SCENARIOS}, got {scenario!r}"
        )
    shape = n_samples, n_time_steps, n_genes
    if np.less(shape, (2, 2, 3)).any():
        raise ValueError(
            "expected at least 2 samples, 2 time steps and 3 genes, got "
            f"{shape}"
        )
    rng = np.random.default_rng(seed)
    if scenario == "half-time rule":
        return _half_time_rule(*shape, rng)
    level = rng.normal(0, 0.5, (n_samples, 1, n_genes))
    log_mean = np.linspace(-0.5, 0.5, n_genes) + level  # (n, 1, G)
    log_mean = log_mean + _autoregression(*shape, rng)  # (n, T, G)
    add_waves = _add_rhythm if "rhythm" in scenario else _add_pulses
    order = add_waves(log_mean, rng)  # (n,) of +/-1
    X = _sequence(log_mean, rng)
    a, b = LEVEL_AND_ORDER[scenario]
    level = a * level[:, 0, 0] / 0.5  # standardised
    size = SIGNAL / max(np.hypot(a, b), 1)
    p = expit(size * (level + b * order))
    p_blind = (expit(size * (level - b)) + expit(size * (level + b))) / 2
    y = (rng.random(n_samples) < p).astype(int)
    genes = (0,) * a + (1, 2) * b
    return Simulation(X, y, genes, p, p_blind)


def _add_pulses(log_mean, rng):
    """Let genes 1 and 2 peak once, one before the other; return which: 1 for
    gene 1 first, else -1."""
    n, T, _ = log_mean.shape
    unit = T / 50  # pulses keep their place in a series of another length
    middle = rng.uniform(18, 32, n) * unit
    gap = rng.uniform(5, 9, n) * unit
    order = rng.choice([-1, 1], n)
    for gene, sign in ((1, -1), (2, 1)):
        centre = (middle + sign * order * gap)[:, None]  # (n, 1)
        distance = (np.arange(T) - centre) / (4 * unit)  # (n, T)
        log_mean[:, :, gene] += 1.5 * np.exp(-(distance**2) / 2)
    return order


def _add_rhythm(log_mean, rng):
    """Let genes 1 and 2 oscillate; return 1 where gene 2 is a quarter of a
    period behind gene 1, -1 where it is ahead."""
    n, T, _ = log_mean.shape
    period = rng.uniform(25, 40, n) * T / 50
    phase = rng.uniform(0, 2 * np.pi, n)
    order = rng.choice([-1, 1], n)
    angle = 2 * np.pi * np.arange(T) / period[:, None] + phase[:, None]
    log_mean[:, :, 1] += np.sin(angle)  # (n, T)
    log_mean[:, :, 2] += np.sin(angle - order[:, None] * np.pi / 2)
    return order


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


def _half_time_rule(n, T, G, rng):
    X = rng.uniform(-1, 1, (n, T, G))
    rise = X[:, T // 2 :].mean(axis=1) - X[:, : T // 2].mean(axis=1)  # (n, G)
    y = ((rise[:, 0] < 0) & (rise[:, 1] > 0)).astype(int)
    return Simulation(X, y, (0, 1), y.astype(float), np.full(n, 0.25))


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


def find_truth(data: ExpressionData) -> Simulation | None:
    """Return the simulation if `data` is the stand-in, None for any other."""
    simulated = simulate_expression(**STAND_IN)
    same = data.X.shape == simulated.X.shape and np.array_equal(
        data.y, simulated.y
    )
    if same and np.allclose(data.X, simulated.X, atol=1e-4):
        return simulated
    return None


if __name__ == "__main__":
    write_csv(simulate_expression(**STAND_IN), DEFAULT_PATH)
