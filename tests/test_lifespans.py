"""Chance deaths: a lifespan is drawn once for life, and the hazard of each step is the same."""

import numpy as np
import pytest
from scipy import stats

from ecosim.scenario import validate
from ecosim.simulate import simulate

SIZE, STEPS = 4000, 60


def run(mortality, **selection):
    return simulate(validate({
        "world": "ecology", "niches": {"count": 2, "productivity": 0.1 * SIZE},
        "population": {"size": SIZE},
        "mutation": {"rate": 0.0}, "run": {"steps": STEPS, "seed": 5}, "record": {"every": 1},
        "selection": {"mortality": mortality, **selection},
    })).metrics  # fmt: skip


@pytest.mark.parametrize("mortality", [0.01, 0.2])
@pytest.mark.parametrize("births_too", [False, True])
def test_the_hazard_of_every_step_is_the_mortality(mortality, births_too):
    """Deaths of n are binomial in each step, whatever ages they have (chi-square, p > 1e-4).

    Of about 1,800 deaths or more in 60 steps: a hazard that is 15 % off misses the total by six
    standard errors.
    """
    # Nobody starves: upkeep is a millionth of what is paid. Without births all have one age.
    found = run(mortality, upkeep=1e-6, division=2.0 if births_too else 1e9)
    deaths, births = (found[name].to_numpy()[1:] for name in ("deaths", "births"))
    assert (births.sum() > SIZE / 4) == births_too
    expected = found["population"].to_numpy()[:-1] * mortality
    many = expected > 5
    assert deaths[many].sum() > 1700
    variance = (expected * (1 - mortality))[many]
    each = (deaths - expected)[many] ** 2 / variance
    assert stats.chi2.sf(each.sum(), many.sum()) > 1e-4
    assert abs((deaths - expected)[many].sum()) < 4.5 * np.sqrt(variance.sum())


@pytest.mark.parametrize(("mortality", "left"), [(0.0, SIZE), (1.0, 0)])
def test_never_and_always(mortality, left):
    assert run(mortality, upkeep=1e-6, division=1e9)["population"].iloc[1] == left
