"""Runs that end on a condition: run.until."""

import pytest

from ecosim.scenario import validate
from ecosim.simulate import simulate

TWO = [{"name": "a", "allocation": [1.0]}, {"name": "b", "allocation": [1.0]}]


def moran(**run):
    return validate(
        {
            "world": "ecology", "niches": {"count": 1}, "selection": {"kind": "moran"},
            "population": {"size": 10, "groups": TWO}, "mutation": {"rate": 0.0},
            "run": {"steps": 100000, **run}, "record": {"every": 1000},
        }
    )  # fmt: skip


def test_a_run_ends_when_one_group_is_fixed_and_records_that_step():
    done = simulate(moran(until="fixed"))
    assert done.complete and 1 < done.steps < 100000
    last = done.metrics.iloc[-1]
    assert last["step"] == done.steps
    assert sorted([last["group_share_0"], last["group_share_1"]]) == [0.0, 1.0]
    # Without the condition the same run goes on, and was not yet fixed one step earlier.
    before = simulate(moran().replace(run__steps=done.steps - 1)).metrics.iloc[-1]
    assert 0 < before["group_share_0"] < 1


def test_without_groups_fixed_means_one_founder():
    done = simulate(moran(until="fixed").replace(population__groups=()))
    assert done.population["lineage"].nunique() == 1


def test_a_run_ends_when_nobody_is_left():
    starving = validate(
        {
            "world": "ecology", "niches": {"productivity": 1e-6}, "population": {"size": 50},
            "run": {"steps": 1000, "until": "extinct"}, "record": {"every": 400},
        }
    )  # fmt: skip
    done = simulate(starving)
    assert done.complete and done.steps < 100 and len(done.population) == 0


def test_the_end_does_not_depend_on_how_the_run_is_cut():
    from ecosim.simulate import Simulation

    given = moran(until="fixed")
    whole, cut = Simulation(given, 3), Simulation(given, 3)
    whole.advance(100000)
    for step in range(7, 100000, 7):
        cut.advance(step)
        if cut.ended:
            break
    assert cut.clock == whole.clock


@pytest.mark.parametrize("until", ["never", 3])
def test_an_unknown_condition_is_refused(until):
    from ecosim.errors import ScenarioError

    with pytest.raises(ScenarioError, match=r"run\.until"):
        moran(until=until)


def test_mesa_ends_where_the_headless_run_does():
    from ecosim.agents import simulate_mesa

    mesa, plain = simulate_mesa(moran(until="fixed")), simulate(moran(until="fixed"))
    assert mesa.steps == plain.steps and mesa.metrics.equals(plain.metrics)
