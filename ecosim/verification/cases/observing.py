"""Ways of observing the core model that several cases share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Numbers = NDArray[np.float64]

MUTATION = {"rate": 0.1, "step": 0.02}
VARIANCE_RATE = MUTATION["rate"] * MUTATION["step"] ** 2  # that mutation adds a generation


def recordings(raw: dict[str, Any], seeds: Sequence[int]) -> Iterator[Any]:
    """Yield the recording of a scenario for each seed."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    scenario = validate(raw)
    for seed in seeds:
        yield simulate(scenario, seed=seed)


def late_mean(raw: dict[str, Any], seeds: Sequence[int], metric: str, after: int = 0) -> Numbers:
    """Return the mean of a metric over the records later than step `after`, for each seed."""
    means = []
    for recording in recordings(raw, seeds):
        table = recording.metrics
        means.append(float(table.loc[table["step"] > after, metric].mean()))
    return np.array(means)


def gains(
    raw: dict[str, Any], steps: int, seeds: Sequence[int], read: Callable[[Any], float]
) -> Numbers:
    """Return for each seed what is read from a table of agents whose `stock` is gain so far.

    A Wright-Fisher window longer than the run: gains add up and nobody is replaced.
    """
    whole = raw | {
        "world": "ecology",
        "selection": {"kind": "wright-fisher", "window": steps + 1},
        "run": {"steps": steps, "precision": "float64"},
        "record": {"every": steps},
    }
    return np.array([read(recording.population) for recording in recordings(whole, seeds)])


def wright_fisher(
    *, supply: Sequence[float], size: int, exponent: float, steps: int, **tables: Any
) -> dict[str, Any]:
    """Return a Wright-Fisher scenario on a set of niches, recorded every 20 steps.

    `supply` is one number a niche, not read where `patches` has its own.
    """
    niches: dict[str, Any] = {"count": len(supply)}
    if "supply" not in tables.get("patches", {}):
        niches["supply"] = list(supply)
    return {
        "world": "ecology",
        "niches": niches,
        "population": {"size": size} | tables.pop("population", {}),
        "tradeoff": {"exponent": exponent},
        "selection": {"kind": "wright-fisher"},
        "mutation": MUTATION,
        "run": {"steps": steps},
        "record": {"every": 20},
    } | tables


def batched(
    one: Callable[[Any], Any], seeds: Sequence[int], replicates: int
) -> tuple[Numbers, ...]:
    """Return what a compiled function of a JAX key yields, an array `[seeds, replicates]` each.

    Replicates of a seed go side by side, seeds one after another, in 64-bit arithmetic.
    """
    import jax

    from ecosim.compilation import prepared

    with prepared():
        side_by_side = jax.jit(jax.vmap(one))
        # Called seed by seed: XLA does not use several cores inside a loop of its own.
        found = [side_by_side(jax.random.split(jax.random.key(s), replicates)) for s in seeds]
        return tuple(np.asarray(part, np.float64) for part in zip(*found, strict=True))
