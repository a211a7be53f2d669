"""A second opinion: three models written once more in plain NumPy, sharing nothing with ecosim.

Each compares means over independent runs of the two programs. The power stated with a test is the
smallest true difference that it finds with a probability of 95 %.
"""

from __future__ import annotations

import numpy as np
import pytest

from ecosim.scenario import validate
from ecosim.simulate import replicates, simulate

Z = 3.5  # a two-sided chance of 5e-4 of a false alarm


def agree(first: np.ndarray, second: np.ndarray, power: float) -> None:
    """Assert equal means, and that a difference of `power` would have been found."""
    error = np.sqrt(first.var(ddof=1) / len(first) + second.var(ddof=1) / len(second))
    assert abs(first.mean() - second.mean()) <= Z * error, (first.mean(), second.mean(), error)
    assert (Z + 1.65) * error <= power, f"standard error {error:.3g} leaves less power"


def runs(raw, seeds, read):
    scenario = validate({"world": "ecology"} | raw)
    return np.array([read(simulate(scenario, seed=seed)) for seed in seeds])


# --- Haploid Levene model -------------------------------------------------------------------------


def plain_levene(c, s, size, steps, burn, rng):
    """Frequency of type 1: parents drawn niche by niche, children counted."""
    count, seen = size // 2, []
    for step in range(steps):
        first = rng.binomial(size, c)  # children fed by niche 1
        in_first = (1 + s) * count / ((1 + s) * count + size - count)
        in_second = count / (count + (1 + s) * (size - count))
        count = rng.binomial(first, in_first) + rng.binomial(size - first, in_second)
        if step >= burn:
            seen.append(count / size)
    return np.mean(seen)


def test_haploid_levene_model():
    """Power: .015 of a frequency of .80."""
    c, s, size, steps, burn = 0.6, 1.0, 600, 300, 100
    groups = [
        {"name": "a", "allocation": [2 / 3, 1 / 3]},
        {"name": "b", "allocation": [1 / 3, 2 / 3]},
    ]
    raw = {
        "niches": {"count": 2, "supply": [c, 1 - c]},
        "population": {"size": size, "groups": groups, "budget": 3.0},
        "tradeoff": {"exponent": 1.0},
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": steps},
    }
    ours = runs(raw, range(60), lambda r: r.metrics["group_share_0"][burn + 1 :].mean())
    rng = np.random.default_rng(1)
    plain = np.array([plain_levene(c, s, size, steps, burn, rng) for _ in range(200)])
    agree(ours, plain, 0.015)


# --- Moran fixation -------------------------------------------------------------------------------


def plain_moran(size, fitness, rng):
    """Whether the type that begins with half of the agents is fixed: birth, then death."""
    count = size // 2
    while 0 < count < size:
        born = rng.random() < fitness * count / (fitness * count + size - count)
        dead = rng.random() < count / size
        count += int(born) - int(dead)
    return count == size


def test_moran_fixation():
    """Power: .08 of a fixation probability of .81 (two halves of 20, fitness 1.15)."""
    size, fitness = 20, 1.15
    groups = [
        {"name": "a", "allocation": [1.0], "budget": fitness},
        {"name": "b", "allocation": [1.0]},
    ]
    raw = {
        "niches": {"count": 1},
        "population": {"size": size, "groups": groups},
        "tradeoff": {"exponent": 1.0},
        "selection": {"kind": "moran"},
        "mutation": {"rate": 0.0},
        "run": {"steps": 20_000, "until": "fixed"},
        "record": {"every": 20_000},
    }
    scenario = validate({"world": "ecology"} | raw)
    ours = replicates(scenario, range(2000))["group_share_0"].to_numpy()
    assert set(ours) <= {0.0, 1.0}
    rng = np.random.default_rng(2)
    plain = np.array([plain_moran(size, fitness, rng) for _ in range(2000)], float)
    agree(ours, plain, 0.08)


# --- Soft and hard selection (T1, T2) -------------------------------------------------------------


def plain_core(kappa, s, hard, size, steps, rng):
    """Mean allocation to niche 1 over the last half of a run."""
    x, seen = np.full(size, 0.5), []
    for step in range(steps):
        own = np.array([x**s, (1 - x) ** s])
        price = kappa if hard else kappa / own.sum(axis=1)
        weight = price @ own
        x = rng.choice(x, size, p=weight / weight.sum())
        mutants = rng.random(size) < 0.1
        x = np.where(mutants, np.clip(x + rng.normal(0, 0.02, size), 0, 1), x)
        if step >= steps // 2:
            seen.append(x.mean())
    return np.mean(seen)


@pytest.mark.parametrize("hard", [False, True])
def test_soft_and_hard_selection(hard):
    """Power: .03 of an allocation of .70 (soft) and of .69 (hard).

    Selection is weaker under hard selection, and means spread more: more runs are taken.
    """
    kappa = np.array([0.6, 0.4]) if hard else np.array([0.7, 0.3])
    size, steps, s = 300, 1200, 0.5
    raw = {
        "niches": {"count": 2, "supply": kappa.tolist()},
        "population": {"size": size},
        "tradeoff": {"exponent": s},
        "competition": {"kind": "additive" if hard else "contest"},
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.1, "step": 0.02},
        "run": {"steps": steps},
        "record": {"every": 10},
    }
    count = 48 if hard else 12
    ours = runs(raw, range(count), lambda r: r.metrics["allocation_0"][steps // 20 :].mean())
    rng = np.random.default_rng(3)
    plain = np.array([plain_core(kappa, s, hard, size, steps, rng) for _ in range(2 * count)])
    agree(ours, plain, 0.03)
