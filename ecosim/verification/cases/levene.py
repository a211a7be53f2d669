"""Levene's two types in two niches, as the cases of niches and of patches set them up (E3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ecosim.theory import grain
from ecosim.verification.case import Values
from ecosim.verification.cases.observing import late_mean, wright_fisher

STARTS = float(np.exp(-8) / 2)  # what is left of the start after the burn-in
SAFETY = 1000  # mean time to a loss in runs: of 20 runs one has a loss with probability 2 %


def _run(
    v: Values, tables: Mapping[str, Any], *, start: float, steps: int, every: int
) -> dict[str, Any]:
    """Two types of competence 1+s : 1 and 1 : 1+s, as budget 2+s times their allocations."""
    s, c = v["s"], v["c"]
    high, low = (1 + s) / (2 + s), 1 / (2 + s)
    groups = [
        {"name": "type 1", "allocation": [high, low], "share": start},
        {"name": "type 2", "allocation": [low, high], "share": 1 - start},
    ]
    return wright_fisher(
        supply=[c, 1 - c],
        size=v["N"],
        exponent=1.0,
        steps=steps,
        population={"groups": groups, "budget": 2 + s},
        mutation={"rate": 0.0},
        record={"every": every},
        **tables,
    )


def _burn_in(v: Values) -> int:
    """Eight relaxation times: what the start is off by, at most 1/2, has shrunk by e^-8."""
    return int(np.ceil(8 * grain.levene_relaxation(v["c"], v["s"])))


def _start(v: Values) -> float:
    """Return a frequency far from the equilibrium, a quarter or more: it must be found."""
    rest = grain.levene_equilibrium(v["c"], v["s"])
    return rest / 2 if rest > 0.5 else (1 + rest) / 2


def settled(v: Values, tables: Mapping[str, Any], seeds: Sequence[int]) -> Any:
    """Return the mean frequency of type 1 over T generations after the burn-in."""
    burn = _burn_in(v)
    raw = _run(v, tables, start=_start(v), steps=burn + v["T"], every=10)
    return late_mean(raw, seeds, "group_share_0", burn)


def ended(v: Values, tables: Mapping[str, Any], seeds: Sequence[int], *, rate: float) -> Any:
    """Return the frequency of type 1, from one half, once types part at `rate` a generation."""
    steps = int(np.ceil(4 * np.log(v["N"]) / rate))
    raw = _run(v, tables, start=0.5, steps=steps, every=steps)
    return late_mean(raw, seeds, "group_share_0", steps - 1)


def chain_bias(v: Values, mean: float) -> float:
    """Return how far the mean of a chain of N lies from the closed form, and what starts leave."""
    return abs(mean - grain.levene_equilibrium(v["c"], v["s"])) + STARTS


def lasting(chain: Callable[[float, float, int], tuple[float, float]]) -> Any:
    """Return the rule that both types persist, and are not lost by chance, in a `chain` of N."""

    def refuses(v: Values) -> str | None:
        low, high = grain.levene_band(v["s"])
        if not low < v["c"] < high:
            return f"both types persist only for {low:.4f} < c < {high:.4f} (1/(2+s), (1+s)/(2+s))"
        _, loss = chain(v["c"], v["s"], v["N"])
        run = _burn_in(v) + v["T"]
        if loss < SAFETY * run:
            return (
                f"a type is lost after {loss:.3g} generations on average (chain of N), which must "
                f"be {SAFETY} times the {run} generations of a run: take larger N or s, or c "
                "nearer to 1/2"
            )
        return None

    return refuses


def advantage(v: Values) -> float:
    """Return the size of the difference between the types' log fitness under hard selection."""
    return abs(grain.hard_advantage(v["c"], v["s"]))


def hard_refuses(v: Values) -> str | None:
    """Return why drift would win over selection under hard selection, if it would."""
    strength = v["N"] * advantage(v)
    if strength < 20:
        return f"N |log fitness ratio| = {strength:.3g} must be 20 or more, or drift wins"
    return None
