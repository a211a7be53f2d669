"""Many seeds in one compiled program: each replicate is the run of its seed, bit for bit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import KINDS, scenarios

from ecosim import replication
from ecosim.errors import RunError
from ecosim.model.step import Status
from ecosim.scenario import validate
from ecosim.simulate import Simulation, replicates, simulate

BIRTH_DEATH = {
    "world": "ecology", "niches": {"count": 2, "space": "axis"},
    "competition": {
        "kind": "lotka-volterra", "kernel": {"width": 0.4, "capacity": 30.0, "capacity_width": 1.0},
    },
    "selection": {"kind": "birth-death"}, "mutation": {"rate": 0.2, "step": 0.2},
    "population": {"size": 20, "position": 0.1, "width": 1.0}, "run": {"steps": 12},
}  # fmt: skip
MORAN = {
    "world": "ecology", "niches": {"count": 1}, "selection": {"kind": "moran"},
    "tradeoff": {"exponent": 1.0}, "mutation": {"rate": 0.0},
    "population": {"size": 8, "groups": [
        {"name": "a", "allocation": [1.0], "budget": 1.5}, {"name": "b", "allocation": [1.0]},
    ]},
    "run": {"steps": 10**6, "until": "fixed"}, "record": {"every": 7},
}  # fmt: skip
STARVING = {
    "world": "ecology", "niches": {"productivity": 1e-6}, "population": {"size": 50},
    "run": {"steps": 1000, "until": "extinct"}, "record": {"every": 400},
}  # fmt: skip
BRANCHING = BIRTH_DEATH | {
    "run": {"steps": 60, "until": "branched", "branch_size": 2, "branch_distance": 0.2}
}


def same(scenario, seeds) -> pd.DataFrame:
    """Assert that replicates equal the last rows of single runs, bit by bit."""
    rows = replicates(scenario, seeds)
    assert rows["seed"].tolist() == list(seeds)
    for row, seed in zip(rows.to_dict("records"), seeds, strict=True):
        last = simulate(scenario, seed=seed).metrics.iloc[-1]
        assert list(row)[1:] == list(last.index)
        wrong = [
            name for name in last.index
            if np.float64(row[name]).tobytes() != np.float64(last[name]).tobytes()
        ]  # fmt: skip
        assert not wrong, f"seed {seed}: {wrong}"
    return rows


@pytest.mark.parametrize("name", KINDS)
@settings(max_examples=2)
@given(data=st.data())
def test_a_replicate_is_the_run_of_its_seed(name, data):
    scenario = data.draw(scenarios(name, precision="float32", steps=9)).replace(record__every=4)
    same(scenario, data.draw(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=3)))


@pytest.mark.parametrize("raw", [MORAN, STARVING, BIRTH_DEATH, BRANCHING])
def test_so_it_is_where_a_condition_ends_runs(raw):
    rows = same(validate(raw), [3, 1, 2**40])
    if "until" in raw["run"] and raw is not BRANCHING:
        assert rows["step"].max() < raw["run"]["steps"]


def test_a_run_that_outgrows_its_slots_is_finished_by_itself(monkeypatch):
    from ecosim import engine

    raw = BIRTH_DEATH | {"population": {"size": 20, "position": 0.1, "width": 1.0}}
    raw["competition"] = {"kind": "lotka-volterra", "kernel": {"width": 0.4, "capacity": 90.0}}
    scenario = validate(raw)
    roomy = replicates(scenario, [1, 2])
    assert roomy["population"].min() > 64
    for module in (engine, replication):
        monkeypatch.setattr(module, "capacity_for", lambda kinds, size: 64)
    pd.testing.assert_frame_equal(replicates(scenario, [1, 2]), roomy, check_exact=True)


def test_a_broken_run_is_named_by_its_seed(monkeypatch):
    def breaks(self, until):
        raise RunError("step 3: the stock of organism 4 is nan")

    run = replication.Replicates.run

    def broken(self, seeds):
        finals = run(self, seeds)
        return finals._replace(status=np.full_like(finals.status, Status.BROKEN))

    monkeypatch.setattr(replication.Replicates, "run", broken)
    monkeypatch.setattr(Simulation, "advance", breaks)
    with pytest.raises(RunError, match="seed 5: step 3"):
        replicates(validate(MORAN), [5])


def test_the_number_of_seeds_compiles_nothing_anew():
    scenario = validate(MORAN)
    replicates(scenario, range(3))
    before = replication.replicate._cache_size()
    replicates(scenario.replace(population__budget=2.0), range(40))
    assert replication.replicate._cache_size() == before


def test_no_seed_gives_no_row_and_a_wrong_one_an_error():
    assert len(replicates(validate(MORAN), [])) == 0
    with pytest.raises(ValueError, match=r"2\^63"):
        replicates(validate(MORAN), [2**63])
