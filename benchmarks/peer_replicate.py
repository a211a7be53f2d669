"""Replicates of the reference workload for `mesa.batch_run`, where its processes find them."""

from __future__ import annotations

from functools import cache

import numpy as np
from peer_models import ObjectModel, VectorisedModel, Workload

from ecosim.scenario import Scenario, read


@cache
def _scenario(agents: int) -> Scenario:
    return read("reference-workload").replace(population__size=agents)


def founded(agents: int, rng: int | None) -> Workload:
    """Return the founders of a replicate: even shares over niches at random."""
    s, draws = _scenario(agents), np.random.default_rng(rng)
    k = s.niches.count
    used = draws.random((agents, k)).argsort(1) < draws.integers(1, k + 1, (agents, 1))
    return Workload(
        allocation=(used / used.sum(1, keepdims=True)).astype(np.float32),
        stock=(0.5 + draws.random(agents)).astype(np.float32),
        supply=np.full(k, agents * s.selection.upkeep / k, np.float32),
        exponent=s.tradeoff.exponent,
        upkeep=s.selection.upkeep,
        mortality=s.selection.mortality,
        division=s.selection.division,
        mutation_rate=s.mutation.rate,
        mutation_step=s.mutation.step,
    )


class Replicate(VectorisedModel):
    """The model in columns, which draws its own founders."""

    def __init__(self, agents: int, rng: int | None = None) -> None:
        """Draw the founders of a replicate."""
        super().__init__(founded(agents, rng), rng=rng)


class Objects(ObjectModel):
    """The model of an object an organism, with founders like those."""

    def __init__(self, agents: int, rng: int | None = None) -> None:
        """Draw the founders of a replicate."""
        super().__init__(founded(agents, rng), rng=rng)
