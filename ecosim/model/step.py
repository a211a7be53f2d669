"""One step of any world, as a pure function from state to state."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import (
    births,
    competition,
    conduct,
    ending,
    environment,
    events,
    exact,
    habitats,
    inheritance,
    kernel,
    maxima,
    measured,
    patches,
    resources,
    response,
    tradeoff,
)
from ecosim.model.births import Turnover
from ecosim.model.competition import Exchange
from ecosim.model.population import Agents, Population, places_of
from ecosim.model.powers import power
from ecosim.model.slots import Marked, marked
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.tally import Tally, counted, largest_by_patch


class Status(IntEnum):
    """Why a run of steps ended."""

    RUNNING = 0
    FULL = 1  # the next step's births do not fit: enlarge and repeat that step
    LOG_FULL = 2  # the next step's events do not fit: empty the log and repeat that step
    BROKEN = 3  # an invariant does not hold after this step
    ENDED = 4  # the condition of run.until holds after this step


class World(NamedTuple):
    """What sets one world apart: functions of (selection parameters, population, ...)."""

    size: Callable[[Any, Population], Array] | None  # factor on claims, float[C]; None: all 1
    decide: Callable[[Kinds, Any, Population, Surroundings], Turnover]
    # Of a step: numbers that describe it (float64 scalars), and events that recordings add up
    # (int64 scalars), from the population before, the turnover and the population after it.
    flows: Callable[[Any, Population, Exchange, Turnover], dict[str, Array]]
    counts: Callable[[Population, Turnover, Population], dict[str, Array]]
    measure: Callable[[Kinds, Any, Population], dict[str, Array]]  # float64 scalars, at recordings


class Parameters(NamedTuple):
    """All traced numbers of a run."""

    environment: environment.Parameters
    agents: Agents
    competition: competition.Parameters
    dispersal: patches.Parameters
    mutation: inheritance.Parameters
    response: response.Parameters
    selection: Any
    ending: ending.Parameters
    resources: resources.Parameters | None
    kernel: kernel.Parameters | None
    conduct: conduct.Parameters
    measured: measured.Parameters | None = None


class State(NamedTuple):
    """Everything that the next step depends on, and what recordings need of the last one."""

    population: Population
    tally: Tally
    environment: environment.State
    clock: Array  # int64 steps done
    key: Array  # uint32[2]
    status: Array  # int32 Status
    supply: Array  # float[P, K] of the last step
    price: Array  # float[P, K] of the last step
    flows: dict[str, Array]  # float64, `[]`, `[G]` or `[K]`, of the last step
    births: Array  # int64 since the last recording
    deaths: Array  # int64 since the last recording
    refused: Array  # int64 since the last recording
    counts: dict[str, Array]  # int64 since the last recording, as the world defines them
    wanted: Array  # int64 births that the last step wanted, also where it was held
    log: events.Log | None
    resources: Array | None  # float64[P, K] stocks; None: supply is not stored
    # Largest stock as `step` left it and looked at it; NaN: written from outside, or other clocks'.
    richest: Array  # float scalar


def flows_of(exchange: Exchange, alive: Array, most: Array | None = None) -> dict[str, Array]:
    """Return what was emitted, received and left in a step, float64 scalars.

    `most`: the largest gain; None: it is looked for.
    """
    flows = dict(exchange.told)
    if exchange.performance is not None:
        flows["performance"] = exchange.performance
    gain = exchange.gain  # of the dead: 0
    most = maxima.largest(gain) if most is None else most
    return flows | {
        # In order: over niches alone jnp.sum is compiled one way in a run, another in a batch.
        "emitted": exact.across(exchange.supply.astype(jnp.float64).reshape(1, -1))[0],
        "received": exact.added_up(gain, most, exact.count(alive)),
        "unclaimed": exact.across(exchange.unclaimed.reshape(1, -1))[0],
    }


def step(world: World, kinds: Kinds, parameters: Parameters, state: State) -> State:
    """Return the state one step later, or the same state with a status that says why not."""
    p = parameters
    env, supply = environment.advance(p.environment, state.environment, state.clock, state.key)
    population = response.respond(
        kinds,
        p.response,
        p.agents,
        population=state.population,
        positions=env.positions,
        price=state.price,
    )
    compete = None
    adapts = kinds.drifting or kinds.adaptation != "none"
    tally = counted(kinds, population, state.tally.most) if adapts else state.tally
    stocks = state.resources
    if stocks is not None and p.resources is not None:
        exchange, stocks = resources.exchange(
            kinds, p.resources, population, tally=tally, supply=supply, stock=stocks
        )
    elif kinds.oligopoly:
        compete = partial(_compete, world, kinds, p, tally, supply)
        population, exchange = compete(population)
    elif kinds.selection == "ricker":
        exchange = habitats.exchange(
            kinds, p.selection, population, supply=supply, clock=state.clock, key=state.key
        )
    else:
        competence = None
        if kinds.tradeoff == "standard":
            competence = tradeoff.passed(
                p.agents.tradeoff, population.strength, population.id, clock=state.clock,
                key=state.key,
            )  # fmt: skip
        told: dict[str, Array] = {}
        reached = None
        if kinds.measured is not None and p.measured is not None:
            trial = measured.Trial(
                population.alive, population.id, population.method[:, 0], population.strength,
                state.clock, state.key,
            )  # fmt: skip
            reached, each = measured.competence(kinds.measured, p.measured, trial)
            told = {
                name: measured.mean_of_those(values, population.alive)
                for name, values in each.items()
            }
            worth = reached
            if kinds.floor:
                worth = jnp.maximum(reached, p.agents.tradeoff.floor)
            competence = power(worth, p.agents.contest)
        exchange = competition.exchange(
            kinds, p.competition, population, tally=tally, supply=supply, competence=competence,
            size=world.size(p.selection, population) if world.size else None,
        )  # fmt: skip
        if reached is not None:
            mean = measured.mean_performance(reached, population.strength, population.alive)
            exchange = exchange._replace(performance=mean, told=told)
    around = Surroundings(
        state.clock, state.key, exchange, env.positions, p.mutation, p.dispersal, p.agents,
        p.conduct, compete,
    )  # fmt: skip
    turnover = world.decide(kinds, p.selection, population, around)
    dead, free = marked(turnover.dies), marked(turnover.vacant)
    most, sound = maxima.largest_sound(exchange.gain)
    # What a step leaves it has looked at itself.
    sound &= jax.lax.cond(
        jnp.isnan(state.richest),
        lambda: maxima.largest_sound(exact.those(population.alive, population.stock))[1],
        lambda: jnp.ones((), bool),
    )
    spoilt = ~sound
    status = jnp.where(spoilt, jnp.int32(Status.BROKEN), _room(turnover, dead, free, state.log))
    hold, wanted = status != Status.RUNNING, turnover.births
    dead = dead.none_if(hold)
    turnover = turnover._replace(
        population=_unless(hold, state.population, turnover.population),
        births=jnp.where(hold, 0, turnover.births),
        dies=dead.mask,
        vacant=free.mask,
    )
    log = state.log
    if log is not None:
        before = turnover.population
        log = events.ended(log, before, turnover.dies, turnover.acquirer, step=state.clock + 1)
    settled, tally = births.settle(kinds, p.agents, turnover, tally, dead=dead, free=free)
    if log is not None:
        born = settled.alive & (settled.age == 0) & ~hold
        log = events.noted(log, settled, born, step=state.clock + 1, kind=events.Kind.START)
    flows = flows_of(exchange, population.alive, most)
    flows |= world.flows(p.selection, population, exchange, turnover)
    counts = world.counts(population, turnover, settled)
    after = state._replace(
        tally=tally, environment=env, clock=state.clock + 1, supply=supply, price=exchange.price,
        flows=flows, births=state.births + turnover.births, deaths=state.deaths + dead.number,
        refused=state.refused + turnover.refused, resources=stocks,
        counts={name: state.counts[name] + number for name, number in counts.items()},
    )  # fmt: skip
    # The population is held column by column and the log by its masks; the rest is small.
    whole = {"population": settled, "log": log}
    kept = jax.tree.map(
        lambda new, old: jnp.where(hold, old, new),
        {name: part for name, part in after._asdict().items() if name not in whole},
        {name: part for name, part in state._asdict().items() if name not in whole},
    )
    richest, sound = maxima.largest_sound(exact.those(settled.alive, settled.stock))
    status = jnp.where(hold | sound, status, jnp.int32(Status.BROKEN))
    kept["richest"] = richest
    # A step that cannot be taken is the one that is named.
    clock = kept.pop("clock") + spoilt.astype(jnp.int64)
    return State(**kept | whole | {"clock": clock, "status": status, "wanted": wanted})


def _compete(
    world: World, kinds: Kinds, p: Parameters, tally: Tally, supply: Array, population: Population
) -> tuple[Population, Exchange]:
    """Return firms at the conduct they settle on, and their exchange."""
    assert world.size is not None  # conduct is a market's
    size = world.size(p.selection, population)
    # A firm that is only foreseen is not in the tally, whose bound must cover all that compete.
    claims = exact.those(population.alive[None, :], population.claims)
    own = largest_by_patch(
        kinds, population.patch, claims, places_of(kinds, population), all_slots=True
    )
    tally = tally._replace(bound=jnp.maximum(tally.bound, own))
    return conduct.compete(
        kinds, p.conduct, p.competition, population, tally=tally, size=size, supply=supply
    )


def _room(turnover: Turnover, dead: Marked, free: Marked, log: events.Log | None) -> Array:
    full = turnover.births > free.number
    status = jnp.where(full, jnp.int32(Status.FULL), jnp.int32(Status.RUNNING))
    if log is None:
        return status
    spilling = dead.number + turnover.births > log.step.shape[0] - log.used
    return jnp.where(spilling & ~full, jnp.int32(Status.LOG_FULL), status)


def _unless(hold: Array, old: Population, new: Population) -> Population:
    """Return what was decided, or the old population where the step is held.

    Nobody dies and nobody is born in a held step, so a column that the step has not replaced
    stays as it is: it is not read here.
    """
    return Population(
        *(
            one if one is other else jnp.where(hold, other, one)
            for one, other in zip(new, old, strict=True)
        )
    )
