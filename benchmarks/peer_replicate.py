"""A replicate of the reference workload for `mesa.batch_run`, where its processes can find it."""

from __future__ import annotations

from functools import cache

import numpy as np
from peer_models import VectorisedModel, Workload

from ecosim.scenario import Scenario, read


@cache
def _scenario(agents: int) -> Scenario:
    return read("reference-workload").replace(population__size=agents)


class Replicate(VectorisedModel):
    """The model in columns, which draws its own founders: even shares over niches at random."""

    def __init__(self, agents: int, rng: int | None = None) -> None:
        """Draw the founders of a replicate."""
        s, draws = _scenario(agents), np.random.default_rng(rng)
        k = s.niches.count
        used = draws.random((agents, k)).argsort(1) < draws.integers(1, k + 1, (agents, 1))
        w = Workload(
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
        super().__init__(w, rng=rng)
