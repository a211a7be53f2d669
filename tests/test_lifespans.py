"""Chance deaths: a lifespan is drawn once for life, and the hazard of each step is the same."""

import numpy as np
import pytest
from scipy import stats

from ecosim.simulate import simulate
from ecosim.scenario import validate

SIZE, STEPS = 4000, 60


def run(mortality, **selection):
    return simulate(validate({
        "world": "ecology", "niches": {"count": 2}, "population": {"size": SIZE, "limit": 2 * SIZE},
        "mutation": {"rate": 0.0}, "run": {"steps": STEPS, "seed": 5}, "record": {"every": 1},
        "selection": {"mortality": mortality, **selection},
    })).metrics  # fmt: skip


@pytest.mark.parametrize("mortality", [0.01, 0.2])
@pytest.mark.parametrize("births", [False, True])
def test_the_hazard_of_every_step_is_the_mortality(mortality, births):
    """Deaths of n are binomial in each step, whatever ages they have (chi-square, p > 1e-4).

    With 4,000 organisms and 60 steps, about 2,400 deaths or more: a hazard that is 15 % off, or
    half at the first step of a life, has p < 1e-6.
    """
    # Nobody starves: upkeep is a millionth of what is paid. Without births all have one age.
    found = run(mortality, upkeep=1e-6, division=2.0 if births else 1e9)
    before = found["population"].to_numpy()[:-1]
    deaths = found["deaths"].to_numpy()[1:]
    assert (found["births"].to_numpy()[1:].sum() > SIZE / 4) == births
    each = (deaths - before * mortality) ** 2 / (before * mortality * (1 - mortality))
    many = before * mortality > 5
    assert stats.chi2.sf(each[many].sum(), many.sum()) > 1e-4
    spread = np.sqrt((before * mortality * (1 - mortality)).sum())
    assert abs(deaths.sum() - (before * mortality).sum()) < 4.5 * spread


@pytest.mark.parametrize(("mortality", "left"), [(0.0, SIZE), (1.0, 0)])
def test_never_and_always(mortality, left):
    assert run(mortality, upkeep=1e-6, division=1e9)["population"].iloc[1] == left
