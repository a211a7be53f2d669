"""E1: equilibria of consumers on explicit resources, as densities in continuous time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecosim.theory import consumers
from ecosim.verification.case import Case, Parameter, Values

_LONGEST = 200_000  # units of time that a case may take
_STEEPEST = 500.0  # growth of a consumer among full resources, a unit of time
_STIFFEST = 1e5  # ratio of the fastest to the slowest rate that it may have


def last_record(preferences: np.ndarray, *, steps: int, **given: Any) -> Any:
    """Return the last record of consumers of these preferences `[S, K]`, as `records` takes it."""
    return records(preferences, steps=steps, every=steps, **given).iloc[-1]


def records(
    preferences: np.ndarray,
    *,
    supply: Sequence[float],
    upkeep: float,
    steps: int,
    every: int,
    resources: dict[str, Any],
    stock: Sequence[float] | None = None,
    extinction: float = 0.0,
) -> Any:
    """Return what is recorded of consumers of these preferences `[S, K]`."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    count, niches = preferences.shape
    groups = [
        {
            "name": f"consumer {i}",
            "allocation": [float(c) for c in row / row.sum()],
            "budget": float(row.sum()),
            "stock": 1.0 if stock is None else stock[i],
        }
        for i, row in enumerate(preferences)
    ]
    total = float(sum(supply))
    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": niches, "supply": list(supply), "productivity": total},
            "population": {"size": count, "stock_variation": 0.0, "groups": groups},
            "tradeoff": {"exponent": 1.0},
            "competition": {"kind": "resources", "resources": resources},
            "selection": {
                "kind": "growth", "upkeep": upkeep, "extinction": extinction, "tolerance": 1e-10,
            },
            "run": {"steps": steps, "precision": "float64"},
            "record": {"every": every},
        }
    )  # fmt: skip
    return simulate(scenario).metrics


# --- MacArthur's equilibria ------------------------------------------------------------------


def _table(v: Values) -> np.ndarray:
    return np.array([[v["c11"], v["c12"]], [v["c21"], v["c22"]]])


def _rates(v: Values, renewing: bool) -> np.ndarray:
    """Return the rates of return to the equilibrium, of the Jacobian in (ln N, R)."""
    c, supply = _table(v), np.array([v["s1"], v["s2"]])
    stocks, densities = consumers.macarthur_stocks(c, v["m"]), _densities(v, renewing)
    own = v["rate"] * stocks / supply if renewing else supply / stocks
    uptake = -stocks[:, None] * c.T * densities[None, :]
    jacobian = np.block([[np.zeros((2, 2)), c], [uptake, -np.diag(own)]])
    return -np.linalg.eigvals(jacobian)


def _densities(v: Values, renewing: bool) -> np.ndarray:
    supply = [v["s1"], v["s2"]]
    if renewing:
        return consumers.macarthur_renewing(_table(v), v["m"], supply, rate=v["rate"])
    return consumers.macarthur_external(_table(v), v["m"], supply, loss=v["rate"])


def _too_far(v: Values, renewing: bool) -> str | None:
    """Say why an equilibrium does not exist, or cannot be reached in a case's time."""
    try:
        rates = _rates(v, renewing)
    except ValueError as error:
        return str(error)
    first = float(np.max(_table(v) @ [v["s1"], v["s2"]]))
    if renewing and first > _STEEPEST:
        return (
            f"consumers that grow by {first:.3g} a unit of time at first cannot be integrated: "
            f"sum_k c_ik s_k at most {_STEEPEST:g}"
        )
    slowest = float(np.min(rates.real))
    if _time(slowest) > _LONGEST:
        return f"the equilibrium attracts too slowly: rate {slowest:.2g} a unit of time"
    if np.max(np.abs(rates)) / slowest > _STIFFEST:
        return f"rates differ too much to integrate: {np.abs(rates).max():.2g} to {slowest:.2g}"
    return None


def _time(slowest: float) -> int:
    """Return a time after which a deviation has shrunk by exp(-40), with time to come near."""
    return 50 + math.ceil(min(40 / max(slowest, 1e-12), 1e9))


def _macarthur(v: Values, column: str, renewing: bool) -> list[float]:
    kind = "renewing" if renewing else "external"
    steps = _time(float(np.min(_rates(v, renewing).real)))
    # Far above their equilibrium consumers would graze a resource to nothing, which no integration
    # follows; they start half as many again, and at half.
    first, second = _densities(v, renewing)
    last = last_record(
        _table(v),
        supply=[v["s1"], v["s2"]],
        upkeep=v["m"],
        steps=steps,
        resources={"supply": kind, "rate": v["rate"]},
        stock=[1.5 * float(first), 0.5 * float(second)],
    )
    return [float(last[column])]


def _macarthur_case(renewing: bool, stock: bool) -> Case:
    supply, meaning, default = (
        ("renewing", "carrying capacity K of resource", 5.0)
        if renewing
        else ("external", "supply kappa of resource", 10.0)
    )
    rate = "renewal r" if renewing else "loss omega"
    expected: Callable[[Values], float] = (
        (lambda v: float(consumers.macarthur_stocks(_table(v), v["m"])[0]))
        if stock
        else (lambda v: float(_densities(v, renewing)[0]))
    )
    what = "stock of resource 1" if stock else "density of consumer 1"
    column = "resource_0" if stock else "group_abundance_0"
    return Case(
        name=f"macarthur-{supply}" + ("-stock" if stock else ""),
        labels=("E1",),
        family="ecology",
        title=f"MacArthur's consumers, {supply} supply: {what} at equilibrium",
        source="MacArthur 1970, Theor. Popul. Biol. 1:1-11",
        parameters=(
            *(
                Parameter(f"c{i}{k}", 1.0 if i == k else 0.5,
                          f"preference of consumer {i} for resource {k}", least=0.0, most=100.0)
                for i in (1, 2) for k in (1, 2)
            ),
            Parameter("m", 1.0, "upkeep", above=0.0),
            Parameter("s1", default, f"{meaning} 1", above=0.0),
            Parameter("s2", default, f"{meaning} 2", above=0.0),
            Parameter("rate", 1.0, rate, above=0.0),
        ),
        expected=expected,
        observe=lambda v, seeds: _macarthur(v, column, renewing),
        rounding=1e-6,
        seeds=1,
        refuses=lambda v: _too_far(v, renewing),
    )  # fmt: skip


# --- one resource: the lowest R* wins ----------------------------------------------------------

_MONOD = (
    Parameter("mu1", 1.0, "maximal uptake of consumer 1", above=0.0),
    Parameter("h1", 1.0, "half-saturation of consumer 1", above=0.0),
    Parameter("mu2", 2.0, "maximal uptake of consumer 2", above=0.0),
    Parameter("m", 0.5, "upkeep", above=0.0),
    Parameter("inflow", 10.0, "concentration S in the inflow", above=0.0),
    Parameter("dilution", 1.0, "dilution omega", above=0.0),
)


def _stocks(v: Values) -> tuple[float, float]:
    return (
        consumers.monod_stock(v["m"], v["mu1"], v["h1"]),
        consumers.monod_stock(v["m"], v["mu2"], v["h2"]),
    )


def _exclusion_rates(v: Values) -> tuple[float, float]:
    """Return how fast the winner comes to rest and how fast the loser declines."""
    stocks = _stocks(v)
    low = min(stocks)
    mu, half = (v["mu1"], v["h1"]) if low == stocks[0] else (v["mu2"], v["h2"])
    other, its = (v["mu2"], v["h2"]) if low == stocks[0] else (v["mu1"], v["h1"])
    density = consumers.chemostat_density(
        v["m"], mu, half, inflow=v["inflow"], dilution=v["dilution"]
    )
    slope = mu * half / (half + low) ** 2
    jacobian = [[0.0, slope], [-v["m"] * density, -v["dilution"] - density * slope]]
    rest = float(np.min(-np.linalg.eigvals(np.array(jacobian)).real))
    return rest, v["m"] - other * low / (its + low)


def _monod_refuses(v: Values) -> str | None:
    try:
        slowest = min(_exclusion_rates(v))
    except ValueError as error:
        return str(error)
    if _time(slowest) > _LONGEST:
        return f"the loser declines too slowly: {slowest:.2g} a unit of time; let R* differ more"
    return None


def _monod(v: Values, column: str) -> list[float]:
    last = last_record(
        np.array([[v["mu1"]], [v["mu2"]]]),
        supply=[v["inflow"]],
        upkeep=v["m"],
        steps=_time(min(_exclusion_rates(v))),
        resources={
            "supply": "chemostat", "rate": v["dilution"],
            "uptake": "monod", "half_saturation": [v["h1"], v["h2"]],
        },
    )  # fmt: skip
    if column == "resource_0":
        return [float(last[column])]
    return [float(last["group_abundance_0"] / last["abundance"])]


def _monod_case(name: str, h2: float, column: str) -> Case:
    stock = column == "resource_0"
    return Case(
        name=name,
        labels=("E1",),
        family="ecology",
        title="Two consumers in a chemostat: "
        + ("the stock falls to the lowest R*" if stock else "consumer 1's share at the end"),
        source="Monod 1949; Hsu, Hubbell & Waltman 1977, SIAM J. Appl. Math. 32:366-383",
        parameters=(*_MONOD, Parameter("h2", h2, "half-saturation of consumer 2", above=0.0)),
        expected=lambda v: min(_stocks(v)) if stock else float(np.argmin(_stocks(v)) == 0),
        observe=lambda v, seeds: _monod(v, column),
        bias=None if stock else (lambda v: 1e-6),
        rounding=1e-6 if stock else 0.0,
        seeds=1,
        refuses=_monod_refuses,
    )


CASES = (
    *(_macarthur_case(renewing, stock) for renewing in (False, True) for stock in (False, True)),
    _monod_case("monod-lowest-r", 4.0, "resource_0"),
    _monod_case("monod-first-wins", 4.0, "share"),
    _monod_case("monod-second-wins", 2.0, "share"),
)
