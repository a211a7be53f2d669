"""The compiled loop: steps and recordings, until a step number or until the host is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import (
    competition,
    conduct,
    division,
    ending,
    environment,
    events,
    inheritance,
    kernel,
    measured,
    observe,
    patches,
    randomness,
    resources,
    response,
    tally,
    tradeoff,
)
from ecosim.model.births import Turnover
from ecosim.model.clocks import stepper
from ecosim.model.founders import founders
from ecosim.model.population import Agents, Population, Rows, divided, padded
from ecosim.model.selection import energy
from ecosim.model.start import start_of
from ecosim.model.step import Parameters, State, Status, World, flows_of
from ecosim.model.structure import Kinds, capacity_for, kinds_of
from ecosim.model.traced import traced
from ecosim.programs import program
from ecosim.scenario import Scenario
from ecosim.worlds.registry import WORLDS

ROWS = 128  # recordings that one call can hold


class Table(NamedTuple):
    """Recordings of one call; rows beyond `used` are undefined."""

    used: Array  # int64 scalar
    step: Array  # int64[ROWS]
    metrics: Array  # float64[ROWS, M], columns as `named` names them
    breadth: Array  # int64[ROWS, 64]


class Schedule(NamedTuple):
    """Traced numbers of the loop: neither the length nor the interval is compiled in."""

    until: Array  # int64: stop after this many steps
    every: Array  # int64: record each so many steps
    last: Array  # int64: record after this step too


def schedule_of(scenario: Scenario, until: int | None = None) -> Schedule:
    """Return the schedule of a run up to a step, by default to its end, as NumPy numbers."""
    steps = scenario.run.steps
    numbers = (steps if until is None else until, scenario.record.every, steps)
    return Schedule(*(traced(number, "int64") for number in numbers))


def placed(state: State) -> State:
    """Return the state with its agents divided over the devices, if several; all else on each."""
    whole = {name: part for name, part in state._asdict().items() if name != "population"}
    return State(population=divided(state.population), **division.replicated(whole))


def from_outside(state: State) -> State:
    """Return a state that the host hands in: it may have written anything, see `agents`."""
    return state._replace(richest=jnp.full_like(state.richest, jnp.nan))


def goes_on(state: State, schedule: Schedule) -> Array:
    """Say whether a run is to do another step without the host."""
    return (state.status == Status.RUNNING) & (state.clock < schedule.until)


def parameters_of(scenario: Scenario, seed: int) -> Parameters:
    """Return all traced numbers of a run, as NumPy arrays of its precision.

    They depend on the seed only where `measured.sampled(scenario)` says so.
    """
    dtype = scenario.run.precision
    agents = Agents(
        tradeoff=tradeoff.parameters(scenario),
        contest=traced(scenario.competition.exponent, dtype),
    )
    return Parameters(
        environment=environment.parameters(scenario),
        agents=agents,
        competition=competition.parameters(scenario),
        dispersal=patches.parameters(scenario),
        mutation=inheritance.parameters(scenario),
        response=response.parameters(scenario),
        selection=WORLDS[scenario.world].parameters(scenario),
        ending=ending.parameters(scenario),
        resources=resources.parameters(scenario, environment.supply_matrix(scenario)),
        kernel=kernel.parameters(scenario),
        conduct=conduct.parameters(scenario),
        measured=measured.parameters(scenario, seed),
    )


def begin(scenario: Scenario, seed: int) -> tuple[Kinds, Parameters, State]:
    """Return the static structure, the numbers and the state at step 0 of a scenario."""
    kinds, parameters = kinds_of(scenario), parameters_of(scenario, seed)
    start_kind, start = start_of(scenario)
    capacity = capacity_for(kinds, scenario.population.size)
    key = randomness.run_key(seed)
    state = begun(kinds, start_kind, capacity, parameters=parameters, start=start, key=key)
    return kinds, parameters, state


@program(static=("kinds", "start_kind", "capacity"))
def begun(
    kinds: Kinds,
    start_kind: str,
    capacity: int,
    *,
    parameters: Parameters,
    start: object,
    key: Array,
) -> State:
    """Return the state at step 0 of the run with a key, uint32[2]; see `begin`."""
    parameters = jax.tree.map(jnp.asarray, parameters)
    zero = jnp.zeros((), jnp.int64)
    env = environment.begin(parameters.environment)
    population = founders(
        kinds,
        start_kind,
        capacity,
        start=start,
        agents=parameters.agents,
        choices=parameters.conduct,
        positions=env.positions,
        key=key,
    )
    if kinds.lifespans:
        population = energy.fated(parameters.selection, population, step=zero, key=key)
    # The supply of step 0 tells which niches are open; the environment itself has not moved yet.
    supply = environment.advance(parameters.environment, env, zero, key)[1]
    world = WORLDS[kinds.world].world
    exchange = competition.Exchange(
        gain=jnp.zeros_like(population.stock), price=jnp.zeros_like(supply), supply=supply,
        unclaimed=jnp.zeros(supply.shape, jnp.float64),
        cost=jnp.zeros(population.alive.shape) if kinds.oligopoly else None,
        split=jnp.zeros(max(kinds.groups, 1)) if kinds.demography else None,
        performance=jnp.zeros(kinds.niches) if kinds.measured else None,
        told={name: jnp.zeros(()) for name in measured.tells(kinds.measured)},
    )  # fmt: skip
    flows = flows_of(exchange, population.alive)
    nobody = jnp.zeros_like(population.alive)
    still = Turnover(population, nobody, zero, zero, nobody, _nobody_born)
    flows |= world.flows(parameters.selection, population, exchange, still)
    return placed(State(
        population=population,
        tally=tally.counted(kinds, population),
        environment=env,
        clock=zero,
        key=key,
        status=jnp.asarray(Status.RUNNING, jnp.int32),
        supply=supply,
        price=exchange.price,
        # Nothing has flowed yet: not a number, rather than a zero that looks like a result.
        flows={name: jnp.full(flow.shape, jnp.nan, jnp.float64) for name, flow in flows.items()},
        births=zero,
        deaths=zero,
        refused=zero,
        counts={name: zero for name in world.counts(population, still, population)},
        wanted=zero,
        log=events.empty(4 * capacity, kinds.dtype) if kinds.events else None,
        resources=None if parameters.resources is None else parameters.resources.start,
        richest=jnp.full((), jnp.nan, kinds.dtype),
    ))  # fmt: skip


def moved_on(
    world: World, kinds: Kinds, parameters: Parameters, state: State, schedule: Schedule
) -> tuple[State, Array]:
    """Return the state one step later, and whether it is due to be recorded."""
    state = placed(stepper(kinds)(world, kinds, parameters, state))
    ended = ending.ended(kinds, parameters.ending, state.population)
    ended &= state.status == Status.RUNNING
    state = state._replace(status=jnp.where(ended, jnp.int32(Status.ENDED), state.status))
    due = (state.clock % schedule.every == 0) | (state.clock == schedule.last) | ended
    # A broken state is recorded nowhere; a held one has not moved.
    return state, due & ((state.status == Status.RUNNING) | ended)


def counted_from_here(state: State, recorded: Array) -> State:
    """Return the state with the counts since the last recording begun anew after one."""
    zero = jnp.zeros((), jnp.int64)
    births, deaths, refused = (
        jnp.where(recorded, zero, count) for count in (state.births, state.deaths, state.refused)
    )
    counts = {name: jnp.where(recorded, zero, count) for name, count in state.counts.items()}
    return state._replace(births=births, deaths=deaths, refused=refused, counts=counts)


def _nobody_born(_: Population, __: Array) -> Rows:
    raise AssertionError("nobody is born before the first step")


@program(static=("kinds",), donate=("state",))
def advance(
    kinds: Kinds, parameters: Parameters, state: State, schedule: Schedule
) -> tuple[State, Table]:
    """Return the state after the schedule's steps, and what was recorded on the way.

    The loop ends early, with the state's status saying why, when the host must act first.
    """
    world = WORLDS[kinds.world].world
    parameters = jax.tree.map(jnp.asarray, parameters)
    schedule = Schedule(*(jnp.asarray(number) for number in schedule))
    state = from_outside(state)._replace(status=jnp.asarray(Status.RUNNING, jnp.int32))

    def more(carry: tuple[State, Table]) -> Array:
        state, table = carry
        return goes_on(state, schedule) & (table.used < ROWS)

    def one(carry: tuple[State, Table]) -> tuple[State, Table]:
        state, table = carry
        state, due = moved_on(world, kinds, parameters, state, schedule)
        table = _recorded(world, kinds, parameters, state, table, due)
        return counted_from_here(state, due), table

    state = placed(state)
    table = _empty_table(world, kinds, parameters, state)
    state, table = jax.lax.while_loop(more, one, (state, table))
    return state, division.replicated(table)


@program(static=("kinds",))
def measure(
    kinds: Kinds, parameters: Parameters, state: State
) -> tuple[dict[str, Array], Array, Array]:
    """Return a state's metrics by name, the same as a table's row `[M]`, and the histogram `[64]`.

    By name they tell `named` what stands in the row, with nothing traced anew.
    """
    parameters, state = jax.tree.map(jnp.asarray, parameters), from_outside(state)
    found, breadth = observe.measure(WORLDS[kinds.world].world, kinds, parameters.selection, state)
    told: tuple[dict[str, Array], Array, Array] = division.replicated(
        (found, _columns(found), breadth)
    )
    return told


def shapes(kinds: Kinds, parameters: Parameters, state: State) -> dict[str, Any]:
    """Return what has the shape of each metric of a state, by name; nothing is computed."""
    world = WORLDS[kinds.world].world
    found: dict[str, Any] = jax.eval_shape(
        lambda s: observe.measure(world, kinds, parameters.selection, s)[0], state
    )
    return found


def named(metrics: Mapping[str, Any]) -> list[str]:
    """Return the names of the M columns that metrics, or their shapes, have in a table."""
    result = []
    for name in sorted(metrics):
        shape = metrics[name].shape
        result += [f"{name}_{k}" for k in range(shape[0])] if shape else [name]
    return result


def _columns(metrics: Mapping[str, Array]) -> Array:
    return jnp.concatenate(
        [jnp.ravel(metrics[name]).astype(jnp.float64) for name in sorted(metrics)]
    )


def row(world: World, kinds: Kinds, parameters: Parameters, state: State) -> tuple[Array, Array]:
    """Return the metrics `[M]` and the histogram of breadth `[64]` of a state, inside a program."""
    metrics, breadth = observe.measure(world, kinds, parameters.selection, state)
    return _columns(metrics), breadth


def _empty_table(world: World, kinds: Kinds, parameters: Parameters, state: State) -> Table:
    shape = jax.eval_shape(lambda s: row(world, kinds, parameters, s)[0], state).shape
    return Table(
        used=jnp.zeros((), jnp.int64),
        step=jnp.zeros(ROWS, jnp.int64),
        metrics=jnp.zeros((ROWS, *shape), jnp.float64),
        breadth=jnp.zeros((ROWS, tally.BINS), jnp.int64),
    )


def _recorded(
    world: World, kinds: Kinds, parameters: Parameters, state: State, table: Table, due: Array
) -> Table:
    def record(table: Table) -> Table:
        metrics, breadth = row(world, kinds, parameters, state)
        place = table.used
        return Table(
            used=place + 1,
            step=table.step.at[place].set(state.clock),
            metrics=table.metrics.at[place].set(metrics),
            breadth=table.breadth.at[place].set(breadth),
        )

    return jax.lax.cond(due, record, lambda table: table, table)


@program(static=("kinds", "capacity"))
def enlarged(kinds: Kinds, state: State, capacity: int) -> State:
    """Return the state with room for more agents; the log, if any, must be empty."""
    log = events.empty(4 * capacity, kinds.dtype) if kinds.events else None
    return placed(state._replace(population=padded(state.population, capacity), log=log))
