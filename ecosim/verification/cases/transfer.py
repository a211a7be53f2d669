"""Sharing between related tasks: one fit for all against one for each (L1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ecosim.theory import transfer
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import Numbers, batched

_SOURCE = "inverse-Wishart means (Muirhead 1982, ch. 3); negative transfer: Ruder 2017"
_NUMBERS = ("T", "d", "n", "sigma", "s")
_DRAWS = 2e7  # Gaussian numbers of a case: what its time goes with


def _replicates(v: Values, seeds: Sequence[int]) -> int:
    """Return how many sets of tasks each seed stands for."""
    wanted = _DRAWS / (len(seeds) * v["T"] * v["n"] * (v["d"] + 1))
    return int(np.clip(wanted, 4, 2000))


def _risks(v: Values, seeds: Sequence[int], rho: float) -> tuple[Numbers, Numbers]:
    """Return the mean excess error of dedicated and of pooled fits, `[seeds, replicates]` each."""
    import jax
    import jax.numpy as jnp

    from ecosim.training import least_squares, tasks

    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        drawn, seen = jax.random.split(key)
        weights = tasks.related_weights(drawn, v["T"], v["d"], relatedness=rho, scale=v["s"])
        world = tasks.Tasks(weights, jnp.zeros_like(weights), jnp.asarray(v["sigma"]))
        given = tasks.examples(seen, world, v["n"])
        alone, together = least_squares.dedicated(given), least_squares.pooled(given)
        return tuple(tasks.excess(fit, weights).mean() for fit in (alone, together))  # type: ignore[return-value]

    alone, together = batched(one, seeds, _replicates(v, seeds))
    return alone, together


def _theory(v: Values) -> dict[str, float]:
    return {
        "tasks": v["T"], "dimension": v["d"], "examples": v["n"], "sigma": v["sigma"],
        "scale": v["s"],
    }  # fmt: skip


def _dedicated(v: Values) -> float:
    return transfer.dedicated_risk(v["d"], v["n"], v["sigma"])


def _pooled(v: Values, rho: float | None = None) -> float:
    return transfer.pooled_risk(v["rho"] if rho is None else rho, **_theory(v))  # type: ignore[arg-type]


def _ratio(v: Values, seeds: Sequence[int]) -> Numbers:
    alone, together = _risks(v, seeds, v["rho"])
    return together.mean(axis=1) / alone.mean(axis=1)


def _ratio_bias(v: Values) -> float:
    """Bound E[a/b] - E a/E b = (a/b) cv_b^2/M: risks of M sets, each with cv^2 <= 2/(dT) + tail.

    The squared variation of one dedicated risk is 2/d from noise, and 2/(n-d-3) from its design
    (to leading order), over T tasks.
    """
    spread = (2 / v["d"] + 2 / (v["n"] - v["d"] - 3)) / v["T"]
    return 3 * _pooled(v) / _dedicated(v) * spread / _replicates(v, range(20))


def _rho_star(v: Values) -> float:
    return transfer.boundary(**_theory(v))  # type: ignore[arg-type]


def _crossing(v: Values, seeds: Sequence[int]) -> Numbers:
    """Return the relatedness at which the measured risks cross, from those at rho = 0 and 1.

    Both are linear in rho in the mean. The same draws serve both ends, so that what is fitted at
    rho = 1 is shared.
    """
    alone, unrelated = _risks(v, seeds, 0.0)
    _, same = _risks(v, seeds, 1.0)
    slope = unrelated.mean(axis=1) - same.mean(axis=1)
    return 1 - (alone - same).mean(axis=1) / slope


def _crossing_bias(v: Values) -> float:
    """Bound the bias of that quotient: cv^2 of its parts over the number of sets."""
    spread = 2 / (v["d"] * (v["T"] - 1)) + (2 / v["d"] + 2 / (v["n"] - v["d"] - 3)) / v["T"]
    return 3 * abs(1 - _rho_star(v)) * spread / _replicates(v, range(20))


def _beside(v: Values, side: int) -> float:
    """Return rho at which 1 - rho is off its boundary by the margin, below (-1) or above (+1)."""
    return 1 - (1 - _rho_star(v)) * (1 - side * float(v["margin"]))


def _difference(v: Values, seeds: Sequence[int], side: int) -> Numbers:
    alone, together = _risks(v, seeds, _beside(v, side))
    return (together - alone).mean(axis=1)


def _possible(v: Values, side: int) -> str | None:
    few = _few(v)
    if few:
        return few
    rho = _beside(v, side)
    if not 0 <= rho <= 1:
        return f"0 <= rho <= 1 at the margin (here {rho:.4g}): choose another sigma, n or margin"
    return None


def _few(v: Values) -> str | None:
    if v["n"] <= v["d"] + 3:
        return f"n > d + 3 = {v['d'] + 3}: with fewer the fit's error has no finite variance"
    size = v["T"] * v["n"] * v["d"]
    return f"T n d <= 2e5 (here {size}): more takes too long" if size > 2e5 else None


_T = Parameter("T", 8, "tasks", least=2, most=200, whole=True)
_D = Parameter("d", 20, "inputs", least=1, most=100, whole=True)
_N = Parameter("n", 60, "examples of each task", least=5, most=5000, whole=True)
_SIGMA = Parameter("sigma", 1.0, "noise", least=1e-3, most=100)
_S = Parameter("s", 1.0, "root of E|w|^2", least=1e-3, most=100)
_RHO = Parameter("rho", 0.3, "relatedness", least=0, most=1)
_MARGIN = Parameter("margin", 0.25, "of 1 - rho from its boundary", least=0.15, most=0.9)
_ALL = (_T, _D, _N, _SIGMA, _S)


def _side(name: str, side: int, title: str) -> Case:
    return Case(
        name=name,
        labels=("L1",),
        family="learning",
        title=title,
        source="boundary where dedicated and pooled risks are equal; statement 9; Ruder 2017",
        parameters=(_MARGIN, *_ALL),
        expected=lambda v: 0.0,
        observe=partial(_difference, side=side),
        relation="above" if side < 0 else "below",
        refuses=partial(_possible, side=side),
        note="observed: pooled minus dedicated risk; rho* = .487 at T=8, d=20, n=60, sigma=s=1",
    )


CASES = (
    Case(
        name="dedicated-risk",
        labels=("L1",),
        family="learning",
        title="excess error of least squares on a task's own examples",
        source=_SOURCE,
        parameters=_ALL,
        expected=_dedicated,
        observe=lambda v, seeds: _risks(v, seeds, 0.5)[0].mean(axis=1),
        refuses=_few,
    ),
    Case(
        name="pooled-risk",
        labels=("L1",),
        family="learning",
        title="excess error of one least squares fit to related tasks",
        source=_SOURCE,
        parameters=(_RHO, *_ALL),
        expected=_pooled,
        observe=lambda v, seeds: _risks(v, seeds, v["rho"])[1].mean(axis=1),
        refuses=_few,
        note="expected: exact for Gaussian inputs, by the moments of the matrix beta distribution; "
        "the usual (d+1) B/(nT-d-1) for the cost of unequal designs is its leading order",
    ),
    Case(
        name="transfer-ratio",
        labels=("L1",),
        family="learning",
        title="pooled over dedicated risk against relatedness",
        source=_SOURCE,
        parameters=(_RHO, *_ALL),
        expected=lambda v: _pooled(v) / _dedicated(v),
        observe=_ratio,
        bias=_ratio_bias,
        refuses=_few,
        curve=Curve("rho", (0.0, 0.2, 0.4, 0.487, 0.6, 0.8, 1.0), "pooled / dedicated risk"),
    ),
    Case(
        name="transfer-boundary",
        labels=("L1",),
        family="learning",
        title="relatedness rho* above which sharing pays",
        source="1 - rho* = d sigma^2/((n-d-1) s^2), and its exact form",
        parameters=_ALL,
        expected=_rho_star,
        observe=_crossing,
        bias=_crossing_bias,
        refuses=_few,
        note="negative: sharing pays even between unrelated tasks, the data are so few",
        curve=Curve("n", (45, 60, 90, 150, 300), "rho*", log=True),
    ),
    _side("negative-transfer", -1, "sharing between tasks that are too different hurts"),
    _side("positive-transfer", 1, "sharing between related tasks with scarce data helps"),
)
