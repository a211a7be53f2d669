"""E1: how many consumers coexist on explicit resources."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ecosim.theory import consumers
from ecosim.verification.case import Case, Parameter, Values
from ecosim.verification.cases.consumers import last_record, records

_LASTING = 0.99  # share of its abundance that a survivor keeps over the second half
_TIES = 5e-6  # growth, a unit of time, that a loser may lack and still seem to survive


def _survivors(v: Values, seeds: Sequence[int]) -> list[float]:
    """Return survivors of random preferences in (0, 1), one draw a seed.

    Who loses by little is still there at the end, but declines: it does not survive.
    """
    count, niches = v["consumers"], v["resources"]
    result = []
    for seed in seeds:
        drawn = np.random.default_rng([17, seed]).uniform(0, 1, (count, niches))
        table = records(
            drawn, supply=[10.0] * niches, upkeep=1.0, steps=4000, every=2000, resources={},
            extinction=1e-6,
        )  # fmt: skip
        before, last = (
            table[[f"group_abundance_{i}" for i in range(count)]].iloc[i].to_numpy() for i in (1, 2)
        )
        result.append(float(np.sum(last > _LASTING * before)))
    return result


def _too_many(v: Values, seeds: Sequence[int]) -> list[float]:
    most = consumers.survivors_at_most(v["resources"])
    return [float(number > most) for number in _survivors(v, seeds)]


_CIRCLE = (
    Parameter("strategies", 10, "strategies, evenly on a circle", least=4, most=60, whole=True),
    Parameter("radius", 0.2, "of that circle in the simplex, centre to corner = 0.8165",
              least=0.1, most=0.4),
    Parameter("m", 1.0, "upkeep", least=0.5, most=10.0),
    Parameter("loss", 0.5, "omega", least=0.0, most=10.0),
)  # fmt: skip
_PLANE = np.array([[1, -1, 0], [1, 1, -2]]) / np.sqrt([[2], [6]])
_MARGIN = 0.1  # how near, relative to the radius, the supply may lie to the border


def _strategies(v: Values) -> np.ndarray:
    angle = 2 * np.pi * np.arange(v["strategies"]) / v["strategies"]
    return 1 / 3 + v["radius"] * np.stack([np.cos(angle), np.sin(angle)], axis=1) @ _PLANE


def _corrected(v: Values, factor: float = 1.0) -> np.ndarray:
    """Return kappa - omega m / E, E = 1: a point of the plane, 10 times as much as one upkeep."""
    place = 1 / 3 + factor * v["offset"] * v["radius"] * _PLANE[1]
    return 10 * v["m"] * place


def _cone_refuses(v: Values, inside: bool) -> str | None:
    try:
        there = [consumers.in_cone(_strategies(v), _corrected(v, 1 + e)) < 1e-9
                 for e in (-_MARGIN, 0.0, _MARGIN)]  # fmt: skip
    except ValueError as error:
        return str(error)
    if there != [inside] * 3:
        side = "inside" if inside else "outside"
        return f"the supply must lie {side} the cone of the strategies, {_MARGIN:.0%} from its edge"
    return None


def _posfai(v: Values) -> list[float]:
    """Return survivors; differences in growth are of the order of m radius^2."""
    supply = _corrected(v) + v["loss"] * v["m"]
    steps = math.ceil(10_000 * max(1.0, 1 / v["m"]) * max(1.0, (0.2 / v["radius"]) ** 2))
    last = last_record(
        _strategies(v),
        supply=[float(s) for s in supply],
        upkeep=v["m"],
        steps=steps,
        resources={"supply": "external", "rate": max(v["loss"], 1e-9), "start": v["m"]},
        extinction=1e-6,
    )
    return [float(last["population"])]


def _posfai_case(name: str, offset: float, inside: bool) -> Case:
    ends = "all strategies live on" if inside else "two at most live on"
    return Case(
        name=name,
        labels=("E1",),
        family="ecology",
        title=f"Supply {'inside' if inside else 'outside'} the cone of the strategies: {ends}",
        source="Posfai, Taillefumier & Wingreen 2017, Phys. Rev. Lett. 118:028103",
        parameters=(
            *_CIRCLE,
            Parameter("offset", offset, "supply's distance from the centre, in radii", least=0.0),
        ),
        expected=lambda v: float(v["strategies"]) if inside else 3.0,
        observe=lambda v, seeds: _posfai(v),
        relation="equal" if inside else "below",
        rounding=1e-9,
        seeds=1,
        refuses=lambda v: _cone_refuses(v, inside),
        note=""
        if inside
        else "Survivors, fewer than three: the ends of an edge remain at equilibrium.",
    )


CASES = (
    Case(
        name="competitive-exclusion",
        labels=("E1",),
        family="ecology",
        title="Share of communities with more survivors at equilibrium than resources",
        source="Levin 1970, Am. Nat. 104:413-423",
        parameters=(
            Parameter("consumers", 10, "at the start, of random preferences", least=2, most=60,
                      whole=True),
            Parameter("resources", 3, "number of resources", least=1, most=20, whole=True),
        ),
        expected=lambda v: 0.0,
        observe=_too_many,
        # Only the community is drawn; losers lack between 0 and about 1 in growth.
        failure=lambda v: v["consumers"] * _TIES,
        seeds=50,
        refuses=lambda v: None if v["consumers"] > v["resources"]
        else "shows something only with more consumers than resources",
        note="Holds at equilibrium: cycles can hold more (Armstrong & McGehee 1980).",
    ),
    _posfai_case("posfai-coexistence", 0.5, inside=True),
    _posfai_case("posfai-exclusion", 1.5, inside=False),
)  # fmt: skip
