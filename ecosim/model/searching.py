"""Measured competence of search algorithms: what real searches found, looked up by effort."""

from __future__ import annotations

import functools
import math
from collections.abc import Hashable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import randomness
from ecosim.model.measured import Measure, Trial
from ecosim.model.randomness import Stream
from ecosim.model.traced import traced
from ecosim.scenario import Scenario
from ecosim.search import profile
from ecosim.search.space import BITS

INSTANCES = 512  # of each class of problems, of which an agent meets one a step


class Numbers(NamedTuple):
    """What each algorithm found."""

    found: Array  # float32[G, K, R, M+1] performance after 0 .. M evaluations


def evaluations(scenario: Scenario) -> int:
    """Return M: the most evaluations that an agent can spend on one niche.

    The largest budget of the start; a firm may grow to four times that. What it has beyond M, or
    beyond all points that there are, is idle.
    """
    shares = [group.budget for group in scenario.population.groups] or [1.0]
    room = 4 if scenario.world == "market" else 1
    most = scenario.population.budget * max(shares) * room
    return int(min(math.ceil(most - 1e-3), 2**BITS)) or 1


def _static(scenario: Scenario) -> Hashable:
    # Shapes alone matter to the program; names are checked here, before anything is compiled.
    assert scenario.search is not None
    profile.known(scenario.search.algorithms, scenario.search.problems)
    return evaluations(scenario)


def _parameters(scenario: Scenario) -> Numbers:
    assert scenario.search is not None
    names = tuple(scenario.search.algorithms), tuple(scenario.search.problems)
    return Numbers(traced(_measured(*names, evaluations(scenario)), "float32"))


@functools.lru_cache(maxsize=8)
def _measured(algorithms: tuple[str, ...], problems: tuple[str, ...], budget: int) -> np.ndarray:
    """Run the searches, once for each process and scenario; seeds of runs do not matter to it."""
    found = profile.profiles(
        algorithms, problems, budget=budget, instances=INSTANCES, key=jax.random.key(0)
    )
    return np.asarray(found)


def _competence(static: Hashable, numbers: Numbers, trial: Trial) -> Array:
    """Return what agents reach `[C, K]` with as many evaluations as their effort.

    The instance is drawn for each step, agent and niche, so that luck is neither kept nor handed
    down. A part of an evaluation is one with that probability, drawn likewise; an effort within a
    thousandth of a whole number counts as that number.
    """
    count, reach = numbers.found.shape[2], numbers.found.shape[3] - 1
    niches = jnp.arange(trial.effort.shape[1])
    which, part = randomness.words(
        trial.key, trial.clock, Stream.MEASURED, trial.id[:, None], lane=niches
    )
    instance = (which.astype(jnp.uint64) * jnp.uint64(count) >> 32).astype(jnp.int32)
    whole = jnp.round(trial.effort)
    near = jnp.abs(trial.effort - whole) < 1e-3
    drawn = jnp.floor(trial.effort + randomness.open_unit(part, trial.effort.dtype))
    spent = jnp.clip(jnp.where(near, whole, drawn), 0, reach).astype(jnp.int32)
    return numbers.found[trial.method[:, None], niches[None, :], instance, spent]


SEARCH = Measure(_static, _parameters, _competence)
