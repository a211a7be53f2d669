"""Exit: firms below a standard, the insolvent, and those that a random hazard strikes.

Exit and selection by performance: Nelson & Winter 1982. Density dependence of mortality: Hannan &
Carroll 1992, Dynamics of Organizational Populations.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import exact, randomness
from ecosim.model.population import Population
from ecosim.model.randomness import Stream
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of exit."""

    standard: Array
    relative: Array  # 1 when the standard is a share of the mean performance
    patience: Array
    noise: Array
    hazard: Array  # float64; this and the next two are read only where kinds.hazard
    density: Array  # float64
    density_squared: Array  # float64


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's exit."""
    e, dtype = scenario.market.exit, scenario.run.precision
    return Parameters(
        standard=traced(e.standard, dtype),
        relative=traced(float(e.basis == "relative"), dtype),
        patience=traced(float(e.patience), dtype),
        noise=traced(e.noise, dtype),
        hazard=traced(e.hazard or 0.0, "float64"),
        density=traced(e.density, "float64"),
        density_squared=traced(e.density_squared, "float64"),
    )


def below_standard(
    p: Parameters, population: Population, own: Array, mean: Array, around: Surroundings
) -> Array:
    """Return which firms are seen to perform below the standard, bool `[C]`.

    Args:
        p: traced numbers.
        population: the firms.
        own: their performance `[C]`.
        mean: the market's performance.
        around: the step and the draws' key.

    """

    def drawn() -> Array:
        noise = randomness.normals(
            around.key, around.clock, Stream.STANDARD, population.id, count=1, dtype=own.dtype
        )
        return own + p.noise * noise[:, 0]

    # Hashes and logarithms for all firms are most of a step.
    seen = jax.lax.cond(p.noise > 0, drawn, lambda: own)
    standard = jnp.where(p.relative > 0, p.standard * mean, p.standard)
    return population.alive & (seen < standard)


def leaves(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    *,
    strikes: Array,
    capital: Array,
    around: Surroundings,
) -> Array:
    """Return which firms leave in this period, bool `[C]`.

    Args:
        kinds: static structure.
        p: traced numbers.
        population: the firms at the start of the period.
        strikes: periods in a row below the standard, this one included, `[C]`.
        capital: capital after this period `[C]`; one that is not a number stays, and stops the run.
        around: the step and the draws' key.

    """
    alive = population.alive
    failed = alive & (strikes.astype(p.patience.dtype) >= p.patience) & kinds.exit
    gone = alive & (capital <= 0) | failed
    if kinds.hazard:
        chance = probability(p, exact.count(alive))
        gone |= alive & randomness.happens(
            around.key, around.clock, Stream.HAZARD, population.id, chance
        )
    return gone


def probability(p: Parameters, count: Array) -> Array:
    """Return the chance of random exit in a period with so many firms, float64 scalar."""
    n = count.astype(jnp.float64)
    rate = p.hazard * jnp.exp(p.density * n + p.density_squared * n * n)
    rate = jnp.where(p.hazard > 0, rate, 0)  # 0 times an infinite factor is no hazard
    return -jnp.expm1(-rate)
