"""Individuals in continuous time, event by event: `selection.kind = "birth-death"`.

The direct method of Gillespie (1977) for the individual-based model of Dieckmann & Doebeli (1999):
each individual gives birth at rate r and dies at rate r sum_j alpha(x_i - x_j) / K(x_i). The sum
counts the individual itself, so that N alike with K(x) = K die at rate r N^2 / K together and
number K - 1 on average, not K. A step is one unit of time; what has not happened by its end is
drawn anew in the next, which changes nothing, since waiting times have no memory.

The living stand in slots 0 .. N-1, in order of id when a step begins; the last one takes the place
of the dead, and a newborn comes after the last. So neither the slots nor their number show.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import environment, exact, kernel, niches, randomness, response, tally
from ecosim.model.competition import Exchange
from ecosim.model.population import Agents, Population, Rows, chosen, newborn, taken
from ecosim.model.randomness import Stream
from ecosim.model.slots import by_id
from ecosim.model.step import Parameters, State, Status, World, flows_of
from ecosim.model.structure import Kinds
from ecosim.model.traced import traced
from ecosim.scenario import Scenario

_ONE = 2.0**40  # units of load in alpha = 1: integers, so that sums of loads do not drift
_BLOCK = 64  # slots whose weights are added up, to find a slot in two looks
_SWIFT = 1e12  # a death rate beyond this is this: at once
_AHEAD = 256  # events whose random numbers are drawn together


class Numbers(NamedTuple):
    """Traced numbers of birth and death."""

    growth_rate: Array  # float64
    stock: Array  # what a newborn has


class Crowd(NamedTuple):
    """The individuals while events go on; only the first `size` of C slots mean anything."""

    time: Array  # float64 since the start of the step
    event: Array  # int64 events drawn so far
    size: Array  # int64 living
    births: Array  # int64
    full: Array  # bool: a birth found no slot
    place: Array  # float64[C]
    load: Array  # int64[C] sum_j alpha_ij, itself included, in units of 1/_ONE
    thinness: Array  # float64[C] r / K(x_i)
    id: Array  # uint64[C]
    parent: Array  # uint64[C]
    origin: Array  # int64[C] slot, at the start of the step, of itself or of its ancestor
    born: Array  # bool[C] in this step


class Draws(NamedTuple):
    """Random numbers of the next events, `[_AHEAD]` each."""

    waiting: Array  # float64 exponential, mean 1
    kind: Array  # float64 uniform
    who: Array  # float64 uniform
    move: Array  # float64 what mutation adds to a newborn's position
    id: Array  # uint64


def parameters(scenario: Scenario) -> Numbers:
    """Return the numbers of a scenario's births and deaths."""
    return Numbers(
        traced(scenario.selection.growth_rate, "float64"),
        traced(scenario.population.stock, scenario.run.precision),
    )


def step(world: World, kinds: Kinds, parameters: Parameters, state: State) -> State:
    """Return the state one unit of time later; held where births do not fit the slots."""
    p = parameters
    env, supply = environment.advance(p.environment, state.environment, state.clock, state.key)
    population = response.respond(
        kinds, p.response, p.agents,
        population=state.population, positions=env.positions, price=state.price,
    )  # fmt: skip
    order = by_id(population.id, population.alive)
    population = taken(population, order)
    crowd = _unit_of_time(kinds, p, population, state)
    settled = _settled(kinds, p.agents, p.selection, population, crowd, env.positions)
    none = jnp.zeros(supply.shape, jnp.float64)
    exchange = Exchange(jnp.zeros_like(settled.stock), jnp.zeros_like(supply), none, none)
    flows = flows_of(exchange, settled.alive)  # the world has none to add
    deaths = jnp.sum(population.alive) + crowd.births - crowd.size
    done = state._replace(
        population=settled, tally=tally.counted(kinds, settled, state.tally.most),
        environment=env, clock=state.clock + 1, supply=supply, flows=flows,
        births=state.births + crowd.births, deaths=state.deaths + deaths,
    )  # fmt: skip
    kept = jax.tree.map(lambda new, old: jnp.where(crowd.full, old, new), done, state)
    status = jnp.where(crowd.full, jnp.int32(Status.FULL), jnp.int32(Status.RUNNING))
    return kept._replace(status=status, wanted=jnp.ones((), jnp.int64))


def _unit_of_time(kinds: Kinds, p: Parameters, population: Population, state: State) -> Crowd:
    place = population.trait[:, 0].astype(jnp.float64)
    count, zero = jnp.sum(population.alive).astype(jnp.int64), jnp.zeros((), jnp.int64)
    load = jax.lax.fori_loop(
        0, count, lambda j, load: load + _felt(p.kernel, place, place[j]),
        jnp.zeros(place.shape, jnp.int64),
    )  # fmt: skip
    crowd = Crowd(
        time=jnp.zeros(()), event=zero, size=count, births=zero, full=jnp.zeros((), bool),
        place=place, load=load, thinness=_thinness(p, place), id=population.id,
        parent=population.parent, origin=jnp.arange(place.shape[0]),
        born=jnp.zeros(place.shape, bool),
    )  # fmt: skip

    def goes_on(crowd: Crowd) -> Array:
        return (crowd.time < 1) & ~crowd.full

    def some(crowd: Crowd) -> Crowd:
        first = crowd.event
        draws = _drawn(p, state, first)
        return jax.lax.while_loop(
            lambda crowd: goes_on(crowd) & (crowd.event < first + _AHEAD),
            lambda crowd: _event(
                kinds, p, crowd, jax.tree.map(lambda column: column[crowd.event - first], draws)
            ),
            crowd,
        )

    return jax.lax.while_loop(goes_on, some, crowd)


def _drawn(p: Parameters, state: State, first: Array) -> Draws:
    key, clock, number = state.key, state.clock, first + jnp.arange(_AHEAD)
    numbers = number.astype(jnp.uint64)
    kind, who, waiting = (
        randomness.fine_uniform(key, clock, stream, numbers)
        for stream in (Stream.EVENT, Stream.EVENT_AGENT, Stream.EVENT_TIME)
    )
    mutates = randomness.happens(key, clock, Stream.MUTATES, numbers, p.mutation.rate)
    noise = randomness.normals(key, clock, Stream.STEP, numbers, count=1, dtype="float64")[:, 0]
    # Ids come from step and event, each of which has one newborn at most.
    ids = randomness.child_id(jnp.zeros_like(numbers), clock, number)
    return Draws(
        -jnp.log(waiting), kind, who, jnp.where(mutates, p.mutation.step * noise, 0), ids
    )  # fmt: skip


def _event(kinds: Kinds, p: Parameters, crowd: Crowd, draw: Draws) -> Crowd:
    """Return the crowd after its next birth or death, or at the end of the unit of time."""
    count, capacity = crowd.size, crowd.place.shape[0]
    index = jnp.arange(capacity)
    swiftness = jnp.minimum(crowd.load.astype(jnp.float64) * crowd.thinness, _SWIFT)
    swiftness = jnp.where(index < count, swiftness, 0)
    unit = exact.quantum(jnp.max(swiftness), count, swiftness.dtype)
    weight = exact.rounded(swiftness, unit)
    blocks = jnp.sum(weight.reshape(-1, _BLOCK), axis=1)
    ends = jnp.cumsum(blocks)
    birth_rate = p.selection.growth_rate * count.astype(jnp.float64)
    rate = birth_rate + ends[-1].astype(jnp.float64) * unit
    time = jnp.where(count > 0, crowd.time + draw.waiting / rate, 1.0)
    birth = draw.kind * rate <= birth_rate
    parent = _share(draw.who, count)
    who = jnp.where(birth, parent, _by_weight(weight, blocks, ends, draw.who))
    full = (time < 1) & birth & (count == capacity)
    acts = (time < 1) & ~full
    # What changes: a newborn after the last, or the last in the place of the dead.
    fresh = (crowd.place[who] + draw.move).astype(kinds.dtype).astype(jnp.float64)
    where = jnp.where(birth, fresh, crowd.place[who])
    felt = _felt(p.kernel, crowd.place, where)
    load = crowd.load + jnp.where(acts, jnp.where(birth, felt, -felt), 0)
    # A newborn like its parent bears the parent's load; only that of a mutant is summed up.
    own = jax.lax.cond(
        where == crowd.place[who],
        lambda: load[who],
        lambda: jnp.sum(jnp.where(index < count, felt, 0)) + jnp.int64(_ONE),
    )
    last = jnp.maximum(count - 1, 0)
    goal = jnp.where(birth, jnp.minimum(count, capacity - 1), who)

    def put(column: Array, newborn: Array) -> Array:
        value = jnp.where(birth, newborn, column[last])
        value = jnp.where(acts, value, column[goal])
        return jax.lax.dynamic_update_index_in_dim(column, value, goal, 0)

    change = jnp.where(acts, jnp.where(birth, 1, -1), 0)
    return Crowd(
        time=time, event=crowd.event + 1, size=count + change,
        births=crowd.births + (acts & birth), full=full,
        place=put(crowd.place, where), load=put(load, own),
        thinness=put(crowd.thinness, _thinness(p, where)), id=put(crowd.id, draw.id),
        parent=put(crowd.parent, crowd.id[who]), origin=put(crowd.origin, crowd.origin[who]),
        born=put(crowd.born, jnp.ones((), bool)),
    )  # fmt: skip


def _share(unit: Array, count: Array) -> Array:
    """Return a whole number 0 .. count - 1 from a number in (0, 1]."""
    scaled = jnp.floor(unit * count.astype(jnp.float64)).astype(jnp.int64)
    return jnp.clip(scaled, 0, jnp.maximum(count - 1, 0))


def _by_weight(weight: Array, blocks: Array, ends: Array, unit: Array) -> Array:
    """Return a slot drawn in proportion to integer weights `[C]`, first its block of 64."""
    target = _share(unit, ends[-1])
    block = jnp.minimum(jnp.sum(ends <= target), blocks.shape[0] - 1)
    left = target - (ends[block] - blocks[block])
    inside = jax.lax.dynamic_slice(weight, (block * _BLOCK,), (_BLOCK,))
    return block * _BLOCK + jnp.minimum(jnp.sum(jnp.cumsum(inside) <= left), _BLOCK - 1)


def _felt(p: kernel.Parameters | None, place: Array, where: Array) -> Array:
    """Return alpha(x_i - x) in units of load, int64[C]."""
    assert p is not None
    return jnp.rint(kernel.overlap(p, place - where) * _ONE).astype(jnp.int64)


def _thinness(p: Parameters, place: Array) -> Array:
    """Return r / K(x) in the units of load; beyond all numbers where K(x) is 0."""
    assert p.kernel is not None
    room = kernel.capacity(p.kernel, place)
    each = p.selection.growth_rate / jnp.where(room > 0, room, 1) / _ONE
    return jnp.where(room > 0, each, jnp.finfo(jnp.float64).max / _ONE**2)


def _settled(
    kinds: Kinds, agents: Agents, numbers: Numbers, before: Population, crowd: Crowd,
    positions: Array,
) -> Population:  # fmt: skip
    """Return the population after the events: the newborn described, the others kept."""
    kept = taken(before, crowd.origin)
    alive = jnp.arange(crowd.place.shape[0]) < crowd.size
    trait = kept.trait.at[:, 0].set(crowd.place.astype(kinds.dtype))
    rows = Rows(
        id=crowd.id, parent=crowd.parent, lineage=kept.lineage, group=kept.group,
        patch=kept.patch, budget=kept.budget,
        stock=jnp.full_like(kept.stock, numbers.stock), trait=trait,
        allocation=niches.utilisation(trait, positions),
    )  # fmt: skip
    fresh, kept = newborn(kinds, agents, rows), kept._replace(age=kept.age + 1)
    return chosen(crowd.born, fresh, kept)._replace(alive=alive)
