"""Populations as densities in continuous time: `selection.kind = "growth"`.

An agent is a strain and its stock its abundance n. A step integrates one unit of time:

    resources        dn_i/dt = n_i (sum_k c_ik a(R_k) - m_i)              (MacArthur 1970)
    Lotka-Volterra   dn_i/dt = n_i r (1 - sum_j alpha_ij n_j / K_i)

in ln n, so that no abundance becomes negative, in float64 whatever the run's precision.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import environment, exact, kernel, resources, response, tally
from ecosim.model.competition import Exchange
from ecosim.model.events import Kind, noted
from ecosim.model.integration import unit_of_time
from ecosim.model.population import Population
from ecosim.model.step import Parameters, State, Status, World, flows_of
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Numbers(NamedTuple):
    """Traced numbers of growth, float64."""

    growth_rate: Array
    upkeep: Array
    extinction: Array
    tolerance: Array


class Motion(NamedTuple):
    """What is integrated, float64; changes since the start of the step."""

    growth: Array  # [C] of ln n
    received: Array  # [C] by each strain
    flow: resources.Flow | None


def parameters(scenario: Scenario) -> Numbers:
    """Return the numbers of a scenario's growth."""
    s = scenario.selection
    numbers = (s.growth_rate, s.upkeep, s.extinction, s.tolerance)
    return Numbers(*(traced(number, "float64") for number in numbers))


def step(world: World, kinds: Kinds, parameters: Parameters, state: State) -> State:
    """Return the state one unit of time later."""
    p = parameters
    env, supply = environment.advance(p.environment, state.environment, state.clock, state.key)
    population = response.respond(
        kinds, p.response, p.agents,
        population=state.population, positions=env.positions, price=state.price,
    )  # fmt: skip
    before = population.stock.astype(jnp.float64)
    motion, failed = _integrated(kinds, p, population, state.resources, supply)
    after = before * jnp.exp(motion.growth)
    exchange, stocks = _exchanged(kinds, state.resources, supply, motion)
    dies = population.alive & (after <= p.selection.extinction)
    settled = population._replace(
        alive=population.alive & ~dies,
        stock=jnp.where(population.alive, after, before).astype(kinds.dtype),
        age=population.age + 1,
    )
    sound = jnp.isfinite(settled.stock) | ~settled.alive
    status = jnp.where(failed | ~jnp.all(sound), Status.BROKEN, Status.RUNNING)
    log, died = state.log, jnp.sum(dies).astype(jnp.int64)
    if log is not None:
        spilling = died > log.step.shape[0] - log.used
        status = jnp.where(spilling, Status.LOG_FULL, status)
        log = noted(log, population, dies & ~spilling, step=state.clock + 1, kind=Kind.END)
    flows = flows_of(exchange, population.alive)  # the world has none to add
    done = state._replace(
        population=settled, tally=tally.counted(kinds, settled, state.tally.most),
        environment=env, clock=state.clock + 1, supply=supply, price=exchange.price, flows=flows,
        deaths=state.deaths + died, resources=stocks, log=log,
    )  # fmt: skip
    # A step that does not fit the log is repeated once that is empty.
    hold = status == Status.LOG_FULL
    kept = jax.tree.map(lambda new, old: jnp.where(hold, old, new), done, state)
    return kept._replace(status=status.astype(jnp.int32))


def _integrated(
    kinds: Kinds, p: Parameters, population: Population, stocks: Array | None, supply: Array
) -> tuple[Motion, Array]:
    there = population.alive & (population.stock > 0)
    begun = jnp.where(there, population.stock.astype(jnp.float64), 0.0)
    zero = jnp.zeros_like(begun)
    if kinds.competition == "lotka-volterra":
        start = Motion(zero, zero, None)
        rate = _kernel_rate(p, population, there, begun)
    else:
        start = Motion(zero, zero, resources.still(supply))
        rate = _resource_rate(kinds, p, population, there, begun, stocks, supply)

    def error(wrong: Motion, motion: Motion) -> Array:
        largest = jnp.max(jnp.where(there, jnp.abs(wrong.growth), 0))
        if motion.flow is None or wrong.flow is None or stocks is None:
            return largest
        of_stocks = resources.largest_error(kinds, wrong.flow, stocks, motion.flow)
        return jnp.maximum(largest, of_stocks)

    motion, failed = unit_of_time(rate, start, tolerance=p.selection.tolerance, error=error)
    return motion, failed


def _kernel_rate(p: Parameters, population: Population, there: Array, begun: Array) -> Any:
    assert p.kernel is not None
    place = population.trait[:, 0].astype(jnp.float64)
    alike = kernel.overlap(p.kernel, place[:, None] - place[None, :])
    room = kernel.capacity(p.kernel, place)

    def rate(motion: Motion) -> Motion:
        now = begun * jnp.exp(motion.growth)
        load = exact.column_totals(alike * now[:, None], there, jnp.max(now))
        own = p.selection.growth_rate * (1 - load / room)
        return Motion(jnp.where(there, own, 0), jnp.zeros_like(now), None)

    return rate


def _resource_rate(
    kinds: Kinds,
    p: Parameters,
    population: Population,
    there: Array,
    begun: Array,
    stocks: Any,
    supply: Array,
) -> Any:
    r, given = p.resources, supply.astype(jnp.float64)
    assert r is not None
    competence = jnp.where(there[:, None], population.strength.astype(jnp.float64), 0)
    group = jnp.minimum(population.group, r.half_saturation.shape[0] - 1)
    half = r.half_saturation[group][:, None]

    def rate(motion: Motion) -> Motion:
        assert motion.flow is not None
        now = begun * jnp.exp(motion.growth)
        stock = resources.stocks_after(kinds, stocks, motion.flow)
        taken = competence * resources.availability(kinds, stock, half)
        each = taken * now[:, None]
        uptake = exact.column_totals(each, there, jnp.max(jnp.abs(each), axis=0))
        flow = resources.flowing(kinds, r.rate, stock, given, uptake=uptake)
        gain = exact.across(taken)
        return Motion(jnp.where(there, gain - p.selection.upkeep, 0), gain * now, flow)

    return rate


def _exchanged(
    kinds: Kinds, stocks: Array | None, supply: Array, motion: Motion
) -> tuple[Exchange, Array | None]:
    """Return what flowed in the step: nothing where agents meet without resources."""
    if stocks is None or motion.flow is None:
        none = jnp.zeros(supply.shape, jnp.float64)
        return Exchange(motion.received, jnp.zeros_like(supply), none, none), None
    left = resources.left_of(motion.flow)
    price = jnp.zeros_like(supply)
    after = jnp.maximum(resources.stocks_after(kinds, stocks, motion.flow), 0)
    return Exchange(motion.received, price, motion.flow.emitted, left), after
