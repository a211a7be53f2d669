"""Learning: agents are learners; what they reach is measured by training and testing them.

Selection is a life cycle of the ecology: who copies whom. The method and the division of the
budget are copied; what was learned is not: every step each learner starts anew on new examples of
the run's tasks.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import measured, randomness
from ecosim.model.measured import Measure, Reached, Trial
from ecosim.model.randomness import Stream
from ecosim.model.spending import units
from ecosim.model.step import World
from ecosim.model.traced import traced
from ecosim.scenario import Scenario
from ecosim.scenario.measured import OF_EXPERTS, most_bought
from ecosim.training import learners
from ecosim.training.tasks import Tasks, exact_tasks, normal
from ecosim.worlds import ecology

parameters = ecology.parameters
WORLD: World = ecology.WORLD


class Numbers(NamedTuple):
    """Traced numbers of the tasks and of training."""

    relatedness: Array
    noise: Array
    separation: Array
    rate: Array
    balance: Array
    capacity: Array  # not read where there is no limit
    router: Array


def _shapes(scenario: Scenario) -> learners.Shapes:
    t = scenario.training
    assert t is not None
    most = most_bought(scenario)
    return learners.Shapes(
        methods=t.learners, tasks=scenario.niches.count, dimension=t.dimension,
        resource=t.resource, most=most, examples=t.examples, rank=t.rank,
        hidden=(most - 1) // (t.dimension + 2) if t.resource == "parameters" else t.hidden,
        steps=most if t.resource == "compute" else t.steps, capped=t.capacity is not None,
    )  # fmt: skip


def _numbers(scenario: Scenario, seed: int) -> Numbers:
    t = scenario.training
    assert t is not None
    room = 1.0 if t.capacity is None else t.capacity
    given = (t.relatedness, t.noise, t.separation, t.rate, t.balance, room, t.router)
    return Numbers(*(traced(number, scenario.run.precision) for number in given))


def _key(trial: Trial, ids: Array, clock: Array, lane: int) -> Array:
    """Return keys of JAX, one for each id, counted as all draws of a run are."""
    pair = randomness.words(trial.key, clock, Stream.MEASURED, ids, lane)
    return jax.random.wrap_key_data(jnp.stack(pair, axis=-1), impl="threefry2x32")


def _reached(shapes: learners.Shapes, numbers: Numbers, trial: Trial) -> Reached:
    nobody, dtype = jnp.zeros((), jnp.uint64), trial.effort.dtype
    # The tasks are those of the run; held-out inputs those of the step.
    weights, centres = exact_tasks(
        _key(trial, nobody, jnp.zeros((), jnp.int64), 1), shapes.tasks, shapes.dimension,
        relatedness=numbers.relatedness, separation=numbers.separation,
    )  # fmt: skip
    tasks = Tasks(weights.astype(dtype), centres.astype(dtype), numbers.noise)
    shape = (shapes.tasks, learners.TESTED, shapes.dimension)
    drawn = normal(_key(trial, nobody, trial.clock, 2), shape, "float32").astype(dtype)
    world = learners.World(
        tasks, numbers.rate, drawn + tasks.centres[:, None], numbers.balance, numbers.capacity,
        numbers.router,
    )  # fmt: skip
    keys = _key(trial, trial.id, trial.clock, 0)
    part = randomness.words(trial.key, trial.clock, Stream.MEASURED, trial.id, 3)[0]
    bought = units(trial.effort, randomness.open_unit(part, dtype))
    found = learners.learned(shapes, world, trial.method, bought, keys, trial.alive)
    told = {name: jnp.asarray(found.information) for name in _tells(shapes)}
    return Reached(found.competence, told)


def _tells(shapes: learners.Shapes) -> tuple[str, ...]:
    return ("expert_information",) if set(OF_EXPERTS) & set(shapes.methods) else ()


measured.MEASURES["training"] = Measure(_shapes, _numbers, lambda scenario: False, _reached, _tells)
