"""The same total data, spread over T tasks or spent on one, as the total grows (L4)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecosim.theory import scaling
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import Numbers, batched

_SOURCE = "inverse-Wishart means; Sutton 2019, The Bitter Lesson; statement 12"
_SMALL, _LARGE = 400, 25_600
_DRAWS = 8e7  # Gaussian numbers of a case


def _replicates(v: Values, seeds: int = 20) -> int:
    return int(np.clip(_DRAWS / (seeds * 2 * v["N"] * (v["d"] + 1)), 8, 1000))


def _risks(v: Values, seeds: Sequence[int]) -> tuple[Numbers, Numbers]:
    """Return mean excess errors of generalist and specialist, one number for each seed."""
    import jax
    import jax.numpy as jnp

    from ecosim.training import least_squares, tasks

    def risk(key: jax.Array, count: int, examples: int) -> jax.Array:
        drawn, seen = jax.random.split(key)
        weights = tasks.related_weights(drawn, count, v["d"], relatedness=0.0)
        world = tasks.Tasks(weights, jnp.zeros_like(weights), jnp.asarray(v["sigma"]))
        fitted = least_squares.dedicated(tasks.examples(seen, world, examples))
        return tasks.excess(fitted, weights).mean()

    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        broad, narrow = jax.random.split(key)
        return risk(broad, v["T"], v["N"] // v["T"]), risk(narrow, 1, v["N"])

    broad, narrow = batched(one, seeds, _replicates(v, len(seeds)))
    return broad.mean(axis=1), narrow.mean(axis=1)


def _ratio(v: Values, seeds: Sequence[int]) -> Numbers:
    broad, narrow = _risks(v, seeds)
    return broad / narrow


def _ratio_bias(v: Values) -> float:
    """Bound E[a/b] - E a/E b of means of M replicates: (a/b) cv^2/M.

    The squared variation of one specialist's risk is 2/d from the noise and less than
    2/(N-d-3) from the design; half as much again allows for the next order.
    """
    spread = 2 / v["d"] + 2 / (v["N"] - v["d"] - 3)
    ratio = scaling.risk_ratio(v["N"], tasks=v["T"], dimension=v["d"])
    return 1.5 * ratio * spread / _replicates(v)


def _difference(v: Values, seeds: Sequence[int]) -> Numbers:
    broad, narrow = _risks(v, seeds)
    return broad - narrow


def _domain(v: Values) -> str | None:
    if v["N"] % v["T"]:
        return "T divides N"
    if v["N"] // v["T"] <= v["d"] + 3:
        return f"N/T > d + 3 = {v['d'] + 3}: with fewer the risk has no finite variance"
    size = v["N"] * v["d"]
    return f"N d <= 5e5 (here {size}): more takes too long" if size > 5e5 else None


def _parameters(total: int) -> tuple[Parameter, ...]:
    return (
        Parameter("N", total, "examples in all", least=5, most=100_000, whole=True),
        Parameter("T", 8, "tasks of the generalist", least=2, most=100, whole=True),
        Parameter("d", 10, "inputs", least=1, most=50, whole=True),
    )


def _ratio_at(name: str, total: int, curve: Curve | None = None) -> Case:
    return Case(
        name=name,
        labels=("L4",),
        family="learning",
        title=f"generalist's over specialist's risk at equal data, N = {total} by default",
        source=_SOURCE,
        parameters=_parameters(total),
        expected=lambda v: scaling.risk_ratio(v["N"], tasks=v["T"], dimension=v["d"]),
        observe=lambda v, seeds: _ratio({**v, "sigma": 1.0}, seeds),
        bias=_ratio_bias,
        refuses=_domain,
        note="tends to T: as a ratio the advantage of scope never goes away",
        curve=curve,
    )


def _difference_at(name: str, total: int, curve: Curve | None = None) -> Case:
    return Case(
        name=name,
        labels=("L4",),
        family="learning",
        title=f"generalist's minus specialist's risk at equal data, N = {total} by default",
        source=_SOURCE,
        parameters=(*_parameters(total), Parameter("sigma", 1.0, "noise", least=1e-3, most=100)),
        expected=lambda v: scaling.risk_difference(
            v["N"], tasks=v["T"], dimension=v["d"], sigma=v["sigma"]
        ),
        observe=_difference,
        refuses=_domain,
        note="tends to 0: as a difference the advantage of scope goes away",
        curve=curve,
    )


_GROWING = (200, 400, 800, 1600, 6400, 25_600)

CASES = (
    _ratio_at("scaling-ratio", _SMALL, Curve("N", _GROWING, "risk ratio", log=True)),
    _ratio_at("scaling-ratio-large", _LARGE),
    _difference_at("scaling-difference", _SMALL, Curve("N", _GROWING, "risk difference", log=True)),
    _difference_at("scaling-difference-large", _LARGE),
)
