"""E2 and the deterministic part of E4: Lotka-Volterra competition on a trait axis."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import scipy

from ecosim.theory import kernels
from ecosim.verification.case import Case, Curve, Parameter, Values

_RARE = 1e-60  # an invader's density, too small to be felt
_K0 = 1.0


def _last(
    positions: Sequence[float],
    stocks: Sequence[float],
    *,
    kernel: dict[str, float],
    rate: float,
    steps: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return densities of strains after `steps` units of time, and their last rates of growth."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    groups = [
        {"name": f"strain {i}", "position": float(x), "stock": float(n)}
        for i, (x, n) in enumerate(zip(positions, stocks, strict=True))
    ]
    scenario = validate(
        {
            "world": "ecology",
            "niches": {"space": "axis", "count": 1},
            "population": {"size": len(groups), "stock_variation": 0.0, "groups": groups},
            "competition": {"kind": "lotka-volterra", "kernel": kernel},
            "selection": {
                "kind": "growth", "growth_rate": rate, "extinction": 0.0, "tolerance": 1e-10,
            },
            "run": {"steps": steps, "precision": "float64"},
            "record": {"every": 1 if steps < 200 else steps - 1},
        }
    )  # fmt: skip
    metrics = simulate(scenario).metrics
    names = [f"group_abundance_{i}" for i in range(len(groups))]
    before, after = metrics[names].to_numpy()[-2:]
    return after, np.log(after / before)


def _rest(rate: float) -> int:
    """Return a time in which residents that start alike come to rest: exp(-60) of the start."""
    return math.ceil(60 / rate)


_RATE = Parameter("r", 1.0, "growth rate; residents rest after 60 / r", least=1e-3, most=1.0)

# --- E2 ----------------------------------------------------------------------------------------


def _alpha(v: Values) -> float:
    return kernels.kernel(v["ratio"] * kernels.limiting_similarity() * v["w"], v["w"])


def _middle(v: Values) -> list[float]:
    distance = v["ratio"] * kernels.limiting_similarity() * v["w"]
    kernel = {"width": math.sqrt(2) * v["w"], "capacity": v["K"]}
    stocks = [v["K"] / 2, v["K"] * _RARE, v["K"] / 2]
    _, growth = _last(
        [-distance, 0.0, distance], stocks, kernel=kernel, rate=v["r"], steps=_rest(v["r"])
    )
    return [float(growth[1])]


def _similarity(name: str, ratio: float, curve: Curve | None = None) -> Case:
    return Case(
        name=name,
        labels=("E2",),
        family="ecology",
        title="Growth when rare of a species between two others, "
        + ("wide enough apart" if ratio > 1 else "too close"),
        source="MacArthur & Levins 1967, Am. Nat. 101:377-385",
        parameters=(
            Parameter("ratio", ratio, "distance d / w relative to the limiting one, 1.561253",
                      above=0.0, most=20.0),
            Parameter("w", 1.0, "width of a utilisation; the kernel's variance is 2 w^2",
                      least=1e-3, most=1e3),
            Parameter("K", 1.0, "carrying capacity", least=1e-6, most=1e9),
            _RATE,
        ),
        expected=lambda v: kernels.middle_growth_when_rare(_alpha(v), rate=v["r"]),
        observe=lambda v, seeds: _middle(v),
        bias=lambda v: 1e-8 * v["r"],
        rounding=1e-6,
        seeds=1,
        curve=curve,
    )  # fmt: skip


# --- E4 ----------------------------------------------------------------------------------------

_CAPACITY = Parameter("variance_K", 1.0, "variance of the capacity", least=1e-4, most=1e4)


def _kernel_variance(default: float) -> Parameter:
    return Parameter("variance_a", default, "variance of the kernel", least=1e-4, most=1e4)


def _kernel(v: Values) -> dict[str, float]:
    return {
        "width": math.sqrt(v["variance_a"]),
        "capacity": _K0,
        "capacity_width": math.sqrt(v["variance_K"]),
    }


def _curvature(v: Values) -> list[float]:
    """Return the second difference of order 4 of the invasion fitness, in units of r."""
    h = 0.02 * math.sqrt(min(v["variance_a"], v["variance_K"]))
    steps = _rest(v["r"])
    _, s = _last(
        [0.0, -2 * h, -h, h, 2 * h],
        [0.5 * _K0, *[_RARE] * 4],
        kernel=_kernel(v), rate=v["r"], steps=steps,
    )  # fmt: skip
    second = (-s[1] + 16 * s[2] - 30 * s[0] + 16 * s[3] - s[4]) / (12 * h**2)
    return [float(second / v["r"])]


def _branching(name: str, variance: float) -> Case:
    return Case(
        name=name,
        labels=("E4",),
        family="ecology",
        title="Curvature of the invasion fitness at the singular point, "
        + ("a branching point" if variance < 1 else "stable"),
        source="Dieckmann & Doebeli 1999, Nature 400:354-357",
        parameters=(_kernel_variance(variance), _CAPACITY, _RATE),
        expected=lambda v: kernels.singular_curvature(v["variance_a"], v["variance_K"]),
        observe=lambda v, seeds: _curvature(v),
        # Differences of numbers of order 1e-14 over h^2; truncation c^3 h^4 / 6, c <= 1/variance.
        bias=lambda v: 1e-6 * max(1 / v["variance_a"], 1 / v["variance_K"]),
        rounding=1e-6,
        seeds=1,
    )


@functools.lru_cache(maxsize=64)
def _pair(variance_a: float, variance_k: float, rate: float) -> tuple[float, float]:
    """Return the place without selection of a pair of residents, and their density there."""
    v = {"variance_a": variance_a, "variance_K": variance_k}
    sigma, steps = math.sqrt(variance_a), _rest(rate)
    h = 5e-3 * sigma

    def at(x: float) -> tuple[float, float]:
        places = [-x, x, x - 2 * h, x - h, x + h, x + 2 * h]
        room = 0.5 * _K0 * math.exp(-(x**2) / (2 * variance_k))
        stocks = [room, room, *[_RARE] * 4]
        n, s = _last(places, stocks, kernel=_kernel(v), rate=rate, steps=steps)
        gradient = (s[2] - 8 * s[3] + 8 * s[4] - s[5]) / (12 * h)
        return float(gradient * sigma / rate), float(n[0] + n[1])

    place = scipy.optimize.brentq(
        lambda x: at(x)[0], 0.05 * sigma, 3 * sigma, xtol=1e-12 * sigma, rtol=1e-12
    )
    return place, at(place)[1]


def _no_pair(v: Values) -> str | None:
    if not 0.001 <= v["variance_a"] / v["variance_K"] <= 0.9:
        return "needs 0.001 <= variance_a / variance_K <= 0.9, where two residents branch apart"
    return None


def _dimorphism(total: bool, curve: Curve | None = None) -> Case:
    what = "their density N_tot / K0" if total else "their place x*"
    return Case(
        name="dimorphism-density" if total else "dimorphism",
        labels=("E4",),
        family="ecology",
        title=f"Two residents without selection on either: {what}",
        source="Dieckmann & Doebeli 1999, Nature 400:354-357; derived in ecosim.theory.kernels",
        parameters=(_kernel_variance(0.25), _CAPACITY, _RATE),
        expected=lambda v: kernels.dimorphism(v["variance_a"], v["variance_K"])[total],
        observe=lambda v, seeds: [_pair(v["variance_a"], v["variance_K"], v["r"])[total] / (
            _K0 if total else 1)],
        rounding=1e-6,
        seeds=1,
        refuses=_no_pair,
        curve=curve,
    )  # fmt: skip


def _spread(v: Values, number: int) -> list[float]:
    """Return N_tot / K0 and the variance of densities on a grid of traits, as they settle.

    The grid is fine enough that sums of Gaussians on it are integrals to rounding. Deviations from
    the continuum decay at rates r rho^j, j = 0, 1 ..., rho = 1 - variance_a / variance_K (the
    kernel weighted by the densities is that of a Gaussian autoregression): after T = 2000 / r
    those are left for which rho^j < 1/T, and by then their weight is small.
    """
    step = 0.5 * math.sqrt(v["variance_a"])
    side = math.ceil(6.5 * math.sqrt(v["variance_K"]) / step)
    places = step * np.arange(-side, side + 1)
    stocks = _K0 * step * np.exp(-(places**2) / (2 * v["variance_K"]))
    n, _ = _last(
        list(places), list(stocks), kernel=_kernel(v), rate=v["r"],
        steps=math.ceil(2000 / v["r"]),
    )  # fmt: skip
    total = n.sum()
    return [float((total / _K0, (n * places**2).sum() / total)[number])]


def _no_continuum(v: Values) -> str | None:
    if not 0.02 <= v["variance_a"] / v["variance_K"] <= 0.5:
        return "needs 0.02 <= variance_a / variance_K <= 0.5, beyond which it settles too slowly"
    return None


def _continuum(number: int) -> Case:
    what = ("total density N_tot / K0", "variance of the trait")[number]
    return Case(
        name=("continuum-density", "continuum-variance")[number],
        labels=("E4",),
        family="ecology",
        title=f"Continuum of coexisting types: {what}",
        source="Roughgarden 1972, Am. Nat. 106:683-718",
        parameters=(
            _kernel_variance(0.25), _CAPACITY,
            Parameter("r", 1.0, "growth rate; densities settle for 2000 / r", least=0.1, most=1.0),
        ),
        expected=lambda v: kernels.continuum(v["variance_a"], v["variance_K"])[number],
        observe=lambda v, seeds: _spread(v, number),
        rounding=1e-6,
        seeds=1,
        refuses=_no_continuum,
        note="Densities on a grid; individuals settle on clusters instead.",
    )  # fmt: skip


CASES: tuple[Case, ...] = (
    _similarity(
        "limiting-similarity", 1.1,
        Curve("ratio", (0.5, 0.7, 0.85, 0.95, 1.05, 1.2, 1.4, 1.7), "growth when rare / r"),
    ),
    _similarity("limiting-similarity-below", 0.9),
    _branching("branching-point", 0.25),
    _branching("stable-point", 1.44),
    _dimorphism(
        False, Curve("variance_a", (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8), "place x*")
    ),
    _dimorphism(True),
    _continuum(0),
    _continuum(1),
)  # fmt: skip
