"""Budget to competence: what an agent can do in each niche with what it puts there."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, graphs, randomness
from ecosim.model.powers import power
from ecosim.model.randomness import Stream
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the trade-off."""

    exponent: Array
    half_saturation: Array
    threshold: Array
    breadth_cost: Array
    floor: Array
    noise: Array  # standard deviation, kind `standard`
    transfer: Array | None  # [K, K] competence that a related niche lends; None: no graph


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's trade-off."""
    t, dtype = scenario.tradeoff, scenario.run.precision
    transfer = None
    if scenario.niches.space == "graph":
        graph = graphs.build(scenario.niches.graph, scenario.niches.count)
        transfer = traced(t.transfer * graphs.adjacency(graph), dtype)
    return Parameters(
        exponent=traced(t.exponent, dtype),
        half_saturation=traced(t.half_saturation or 1.0, dtype),
        threshold=traced(t.threshold or 0.0, dtype),
        breadth_cost=traced(t.breadth_cost, dtype),
        floor=traced(t.floor, dtype),
        noise=traced(t.noise or 0.0, dtype),
        transfer=transfer,
    )


def breadth(allocation: Array) -> Array:
    """Return the effective number of niches exp(H(x)) of allocations `[N, K]` (Hill 1973)."""
    logs = jnp.where(allocation > 0, jnp.log(jnp.where(allocation > 0, allocation, 1)), 0)
    return jnp.exp(-exact.across(allocation * logs))


def competence(
    kind: str, parameters: Parameters, budget: Array, *, allocation: Array, width: Array
) -> Array:
    """Return competence `[N, K]` of allocations `[N, K]` by agents of a budget `[N]`.

    Args:
        kind: power, saturating, threshold; standard or measured (the effort, which `passed` or
            `measured.competence` then judges).
        parameters: traced numbers.
        budget: what an agent divides, `[N]`.
        allocation: shares `[N, K]` on the simplex.
        width: breadth exp(H) of each allocation, `[N]`.

    """
    spent = budget * jnp.exp(-parameters.breadth_cost * (width - 1))
    effort = spent[:, None] * allocation
    if kind == "measured":
        return effort
    raised = power(effort, parameters.exponent)
    if kind == "saturating":
        own = raised / (raised + power(parameters.half_saturation, parameters.exponent))
    elif kind == "threshold":
        own = jnp.where(raised >= parameters.threshold, raised, 0)
    else:
        own = raised
    if parameters.transfer is None:
        return own
    lent = sum(own[:, j, None] * parameters.transfer[j][None, :] for j in range(own.shape[1]))
    return jnp.maximum(own + lent, 0)


def passed(parameters: Parameters, effort: Array, ids: Array, *, clock: Array, key: Array) -> Array:
    """Return competence 1 or 0 `[C, K]` of efforts `[C, K]` under a performance standard.

    An agent passes a niche in a step when effort + noise > threshold, the noise Gaussian and
    drawn anew for each step, agent and niche. Niches without effort are not tried.
    """
    drawn = randomness.normals(
        key, clock, Stream.PASSES, ids, count=effort.shape[1], dtype=effort.dtype
    )
    passes = effort + parameters.noise * drawn > parameters.threshold
    return (passes & (effort > 0)).astype(effort.dtype)
