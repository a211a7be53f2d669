"""Runs of one shape in one program: one after the other, and in lockstep as on an accelerator."""

import copy

import numpy as np
import pytest

from ecosim import batch
from ecosim.scenario import read


class Device:
    platform = "gpu"

    def __init__(self, limit):
        self.limit = limit

    def memory_stats(self):
        return None if self.limit is None else {"bytes_limit": self.limit}


@pytest.mark.parametrize("name", ["soft-selection", "adaptive-radiation", "market-matching"])
def test_lockstep_differs_from_the_run_alone_in_last_bits_only(name, monkeypatch):
    few = read(name).replace(population__size=40, run__steps=15)
    runs = [few, few.replace(tradeoff__exponent=1.3), few.replace(run__steps=9), few, few]
    alone = batch.run_batch(runs, [1, 2, 3, 4, 5])
    asked = []
    monkeypatch.setattr(batch, "lockstep", lambda shape: asked.append(shape) or 3)
    together = batch.run_batch(runs, [1, 2, 3, 4, 5])
    assert asked
    for one, other in zip(alone, together, strict=True):
        assert list(one) == list(other) and len(one["step"]) == len(other["step"])
        for metric, values in one.items():
            np.testing.assert_allclose(other[metric], values, rtol=1e-12, atol=1e-12)


def test_as_many_runs_are_taken_in_lockstep_as_fit_half_of_a_devices_memory(monkeypatch):
    shape = batch.shape_of(read("soft-selection"))
    assert batch.lockstep(shape) == 1  # here is a CPU
    numbers = []
    for limit in (2**20, 2**33, 2**34, None):
        monkeypatch.setattr(batch.jax, "local_devices", lambda limit=limit: [Device(limit)])
        numbers.append(batch.lockstep(shape))
    assert numbers[0] >= 1 and numbers[2] == pytest.approx(2 * numbers[1], abs=2)
    assert numbers[3] == numbers[1]  # 8 GiB where a device does not tell


def test_what_replicates_share_is_prepared_once(monkeypatch):
    few = read("soft-selection").replace(population__size=40, run__steps=6)
    other = few.replace(tradeoff__exponent=1.3)
    apart = [copy.deepcopy(one) for one in (few, few, other, few, few)]
    expected = batch.run_batch(apart, [1, 2, 3, 4, 5])
    made, parameters_of = [], batch.engine.parameters_of
    monkeypatch.setattr(
        batch.engine, "parameters_of", lambda *given: made.append(given) or parameters_of(*given)
    )
    found = batch.run_batch([few, few, other, few, few], [1, 2, 3, 4, 5])
    assert len(made) == 2
    for one, same in zip(found, expected, strict=True):
        assert list(one) == list(same)
        assert all(np.array_equal(one[name], same[name], equal_nan=True) for name in one)


def test_searchers_on_instances_drawn_by_seed_share_nothing(monkeypatch):
    few = read("algorithms-specialise").replace(population__size=8, run__steps=2)
    made, parameters_of = [], batch.engine.parameters_of
    monkeypatch.setattr(
        batch.engine, "parameters_of", lambda *given: made.append(given) or parameters_of(*given)
    )
    batch.run_batch([few, few], [1, 2])
    assert [seed for _, seed in made] == [1, 2]
