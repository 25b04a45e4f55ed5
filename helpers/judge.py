"""What counts as evidence: verdicts on results."""

import numpy as np
from scipy import stats

from helpers.compare import ROPE
from helpers.experiments import MODELS, N_TEST

TOO_LIKELY = 0.05  # p values below this count as evidence
UNLIKELY = 0.01  # and below this, of any signal at all
SURE, LIKELY = 0.95, 0.8  # probabilities of a difference beyond the ROPE
TURNED_UP = 0.01  # a rise of 1 % from the lowest loss counts as one
BLIND = 1e-4  # probabilities that move by less do so by rounding


def stands_out(grid: dict) -> bool:
    """Whether the winner leads by more than chance, and enough to matter."""
    found = grid["judgement"]
    return found["lead_p"] < TOO_LIKELY and found["lead"] > ROPE


def at_the_edge(grid: dict) -> list[str]:
    """Return the parameters whose largest of several values won."""
    values = {
        name: sorted({row[name] for row in grid["candidates"]})
        for name in grid["best"]
    }
    return [
        name for name, tried in values.items()
        if len(tried) > 2 and grid["best"][name] == tried[-1]
    ]  # fmt: skip


def judge_tuning(grid: dict) -> str:
    """Say whether tuning matters: "yes" where best and last setting differ by
    enough, and by more than chance gives a pair that was picked for its
    difference, hence the small p value; else "perhaps" or "hardly"."""
    found = grid["judgement"]
    if found["lead_over_last"] <= ROPE or found["last_p"] >= TOO_LIKELY:
        return "hardly"
    return "yes" if found["last_p"] < UNLIKELY else "perhaps"


def turned_up(training: dict) -> bool:
    """Whether the loss rose after its lowest point: by more than noise, and
    by enough to matter."""
    after = training["trend_after"]
    rising = after["tau"] > 0 and after["p"] < TOO_LIKELY
    return rising and training["rise"] > TURNED_UP


def judge_pair(pair: dict) -> str:
    """Put a Bayesian comparison in words."""
    for side in ("better", "worse"):
        if pair[side] >= SURE:
            return side
        if pair[side] >= LIKELY:
            return f"probably {side}"
    return "equal" if pair["equal"] >= SURE else "unclear"


def has_signal(comparison: dict) -> bool:
    """Whether there is evidence that the outcome can be predicted."""
    return comparison["signal"]["p"] < UNLIKELY


def check_controls(controls: dict) -> dict[str, bool]:
    """Check what is expected of every setting, by what that is."""
    mean = {
        setting: {name: np.mean(values) for name, values in row.items()}
        for setting, row in controls.items()
    }
    a, b, c = MODELS  # prescribed, LSTM, with time features
    none, order = mean["nothing"], mean["order only"]
    free, both = mean["order-free"], mean["both"]
    sibling = mean["sibling rule"]
    guess = half_width_of_guessing(len(controls["nothing"][a]))
    return {
        f"nothing to learn: every model at 0.5 ± {guess:.3f}, the band that "
        "holds three guessers in 95 of 100 cases": all(
            abs(none[m] - 0.5) <= guess for m in MODELS
        ),
        "order-free: the prescribed model at least as good as the LSTM": (
            free[a] >= free[b] - ROPE
        ),
        "order only: the prescribed model at chance, the others far above": (
            abs(order[a] - 0.5) < 0.05 and min(order[b], order[c]) > 0.8
        ),
        "both: prescribed < LSTM < attention with time features": (
            both[a] < both[b] < both[c]
        ),
        "sibling rule: prescribed near chance < LSTM < attention with time "
        "features": sibling[a] < 0.56 and sibling[a] < sibling[b] < sibling[c],
    }


def half_width(values: list[float]) -> float:
    """Return half the width of a mean's 95 % interval (Student's t)."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return float(stats.t.ppf(0.975, len(values) - 1) * error)


def half_width_of_guessing(n_seeds: int) -> float:
    """Return half the width of the simultaneous 95 % interval of all models'
    mean ROC AUC on new samples where nothing can be learned. Source of a
    single one's variance: Mann & Whitney (1947), Ann. Math. Stat. 18."""
    n = N_TEST / 2  # of either outcome
    error = np.sqrt((2 * n + 1) / (12 * n * n) / n_seeds)
    return float(stats.norm.isf(0.05 / 2 / len(MODELS)) * error)
