"""Supply in time: what each niche emits at a step, in each patch.

Parts that are absent are None in the parameters; those present multiply each other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import randomness
from ecosim.model.randomness import Stream
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of the environment."""

    supply: Array  # [P, K] what each niche emits a step before any change
    positions: Array  # [K] niche positions on the axis at step 0
    seasonal: tuple[Array, Array, Array] | None  # amplitude, period, staggered (0 or 1)
    switching: tuple[Array, Array, Array, Array] | None  # spell, amplitude, probability, random
    shocks: tuple[Array, Array, Array] | None  # probability, severity, recovery
    drift: tuple[Array, Array] | None  # velocity, noise
    opening: tuple[Array, Array] | None  # initial, interval
    fluctuation: tuple[Array, Array] | None  # range, tied (0 or 1)


class State(NamedTuple):
    """What the environment remembers between steps."""

    deficit: Array  # [K] share of supply lost to past shocks
    positions: Array  # [K]


def parameters(scenario: Scenario) -> Parameters:
    """Return the numbers of a scenario's environment."""
    niches, env, dtype = scenario.niches, scenario.environment, scenario.run.precision
    positions = (np.arange(niches.count) + 0.5) * niches.length / niches.count

    def numbers(part: Any, *names: str) -> Any:
        if part is None:
            return None
        return tuple(traced(float(getattr(part, name)), dtype) for name in names)

    switching = numbers(env.switching, "spell", "amplitude", "probability")
    if env.switching is not None:
        switching += (traced(float(env.switching.order == "random"), dtype),)
    fluctuation = numbers(env.fluctuation, "range")
    if env.fluctuation is not None:
        fluctuation += (traced(float(env.fluctuation.coupling == "tied"), dtype),)
    return Parameters(
        supply=traced(supply_matrix(scenario), dtype),
        positions=traced(positions, dtype),
        seasonal=numbers(env.seasonal, "amplitude", "period", "staggered"),
        switching=switching,
        shocks=numbers(env.shocks, "probability", "severity", "recovery"),
        drift=numbers(env.drift, "velocity", "noise"),
        opening=numbers(env.opening, "initial", "interval"),
        fluctuation=fluctuation,
    )


def supply_matrix(scenario: Scenario) -> np.ndarray:
    """Return the constant supply `[P, K]`, float64, that sums to the productivity."""
    niches, patches = scenario.niches, scenario.patches
    if patches.supply is not None:
        weights = np.array(patches.supply, float)
    else:
        row = np.ones(niches.count) if niches.supply is None else np.array(niches.supply)
        weights = np.tile(row, (patches.count, 1))
    return weights / weights.sum() * scenario.total_supply


def begin(parameters: Parameters) -> State:
    """Return the environment before step 0."""
    return State(deficit=jnp.zeros_like(parameters.positions), positions=parameters.positions)


def advance(parameters: Parameters, state: State, clock: Array, key: Array) -> tuple[State, Array]:
    """Return the environment of step `clock` and its supply `[P, K]`.

    Args:
        parameters: traced numbers.
        state: the environment one step before.
        clock: step number, int64 scalar.
        key: run key.

    """
    factor = jnp.ones_like(state.positions)
    niche = jnp.arange(factor.shape[0])
    if parameters.seasonal is not None:
        factor = factor * _season(parameters.seasonal, clock, niche)
    if parameters.switching is not None:
        factor = factor * _spell(parameters.switching, clock, niche, key)
    if parameters.opening is not None:
        initial, interval = parameters.opening
        opened = initial + jnp.floor(clock.astype(interval.dtype) / interval)
        factor = jnp.where(niche.astype(opened.dtype) < opened, factor, 0)
    if parameters.shocks is not None:
        state = state._replace(deficit=_shocked(parameters.shocks, state.deficit, clock, key))
        factor = factor * (1 - state.deficit)
    if parameters.drift is not None:
        velocity, noise = parameters.drift
        steps = randomness.normals(
            key, clock, Stream.DRIFT, niche.astype(jnp.uint64), count=1, dtype=factor.dtype
        )
        state = state._replace(positions=state.positions + velocity + noise * steps[:, 0])
    supply = parameters.supply
    if parameters.fluctuation is not None:
        supply = supply + _fluctuation(parameters.fluctuation, clock, niche, key)[None, :]
    return state, supply * factor[None, :]


def _season(parameters: tuple[Array, Array, Array], clock: Array, niche: Array) -> Array:
    amplitude, period, staggered = parameters
    dtype = amplitude.dtype
    # The phase is reduced in float64, so that a long float32 run keeps its seasons.
    turns = clock.astype(jnp.float64) / period.astype(jnp.float64)
    phase = (turns - jnp.floor(turns)).astype(dtype)
    phase = phase + staggered * niche.astype(dtype) / jnp.asarray(niche.shape[0], dtype)
    return 1 + amplitude * jnp.sin(jnp.asarray(2 * jnp.pi, dtype) * phase)


def _spell(
    parameters: tuple[Array, Array, Array, Array], clock: Array, niche: Array, key: Array
) -> Array:
    spell, amplitude, probability, random = parameters
    number = clock // spell.astype(jnp.int64)
    drawn = randomness.happens(key, number, Stream.SPELL, jnp.zeros((), jnp.uint64), probability)
    first = jnp.where(random > 0, drawn, number % 2 == 0)
    favoured = (niche < niche.shape[0] // 2) == first
    return jnp.where(favoured, 1 + amplitude, 1 - amplitude)


def _fluctuation(parameters: tuple[Array, Array], clock: Array, niche: Array, key: Array) -> Array:
    """Return what is added to the supply of each niche `[K]` in this step."""
    width, tied = parameters
    drawn = jnp.where(tied > 0, 0, niche).astype(jnp.uint64)
    unit = randomness.uniform(key, clock, Stream.FLUCTUATION, drawn, dtype=width.dtype)
    sign = jnp.where((tied > 0) & (niche >= niche.shape[0] // 2), -1, 1).astype(width.dtype)
    return width * (unit - 0.5) * sign


def _shocked(
    parameters: tuple[Array, Array, Array], deficit: Array, clock: Array, key: Array
) -> Array:
    probability, severity, recovery = parameters
    niche = jnp.arange(deficit.shape[0]).astype(jnp.uint64)
    hit = randomness.happens(key, clock, Stream.SHOCK, niche, probability)
    left = (1 - recovery) * deficit
    return jnp.where(hit, 1 - (1 - left) * (1 - severity), left)
