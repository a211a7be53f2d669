"""Measured competence of search algorithms: what real searches found, looked up by effort."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model import randomness
from ecosim.model.measured import Measure, Trial
from ecosim.model.randomness import Stream
from ecosim.model.spending import units
from ecosim.model.traced import traced
from ecosim.scenario import Scenario
from ecosim.scenario.measured import INSTANCES, evaluations
from ecosim.search import profile


class Numbers(NamedTuple):
    """What each algorithm found."""

    found: Array  # float32[G, K, R, M+1] performance after 0 .. M evaluations


def _sampled(scenario: Scenario) -> bool:
    assert scenario.search is not None
    return profile.sampled(scenario.search.problems)


def _parameters(scenario: Scenario, seed: int) -> Numbers:
    assert scenario.search is not None
    names = tuple(scenario.search.algorithms), tuple(scenario.search.problems)
    own = seed if _sampled(scenario) else 0
    return Numbers(traced(_measured(*names, evaluations(scenario), own), "float32"))


@functools.lru_cache(maxsize=4)
def _measured(
    algorithms: tuple[str, ...], problems: tuple[str, ...], budget: int, seed: int
) -> np.ndarray:
    """Run the searches of a run, on instances of its own.

    An algorithm that is lucky on those of one run has no more luck than others in the next: what
    a claim says over replicates holds for the class of problems, not for one sample of it.
    """
    with jax.enable_x64(True):
        key = jax.random.fold_in(jax.random.key(seed), Stream.MEASURED)
    found = profile.profiles(algorithms, problems, budget=budget, instances=INSTANCES, key=key)
    return np.asarray(found)


def _competence(static: Hashable, numbers: Numbers, trial: Trial) -> Array:
    """Return what agents reach `[C, K]` with as many evaluations as their effort.

    The instance is drawn for each step, agent and niche, so that luck is neither kept nor handed
    down.
    """
    count, reach = numbers.found.shape[2], numbers.found.shape[3] - 1
    niches = jnp.arange(trial.effort.shape[1])
    which, part = randomness.words(
        trial.key, trial.clock, Stream.MEASURED, trial.id[:, None], lane=niches
    )
    instance = (which.astype(jnp.uint64) * jnp.uint64(count) >> 32).astype(jnp.int32)
    bought = units(trial.effort, randomness.open_unit(part[:, 0], trial.effort.dtype))
    spent = jnp.minimum(bought, reach).astype(jnp.int32)
    return numbers.found[trial.method[:, None], niches[None, :], instance, spent]


SEARCH = Measure(evaluations, _parameters, _sampled, _competence)
