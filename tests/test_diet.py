"""Diet breadth: the law, its fit, the butterflies and founders that follow it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.theory import diet

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def test_the_butterflies_have_the_published_exponent():
    path = DATA / "butterfly_host_family_counts.csv"
    if not path.exists():
        pytest.skip(f"the counts {path.name} are not beside this checkout (../shared/data)")
    table = pd.read_csv(path)
    counts = np.zeros(29)
    counts[table["host_families"] - 1] = table["n_species"]
    exponent, error = diet.fit(counts)
    assert exponent == pytest.approx(1.883, abs=5e-4)
    assert error == pytest.approx(0.029, abs=5e-4)
    assert diet.pmf(exponent, 29)[0] == pytest.approx(0.730, abs=5e-4)
    assert 1 - diet.cdf(3, exponent, 29) == pytest.approx(0.072, abs=5e-4)
    assert counts.sum() * diet.pmf(exponent, 29)[1] == pytest.approx(727, abs=1)


@pytest.mark.parametrize(("exponent", "most"), [(0.3, 5), (1.883, 29), (4.0, 200)])
def test_the_law_sums_to_one_and_its_fit_is_consistent(exponent, most):
    law = diet.pmf(exponent, most)
    assert law.sum() == pytest.approx(1)
    assert diet.cdf(np.arange(1, most + 1), exponent, most) == pytest.approx(np.cumsum(law))
    assert diet.fit(1e6 * law)[0] == pytest.approx(exponent, rel=1e-9)
    # The score by which it is fitted is the derivative of the log-likelihood.
    step = 1e-5
    near = [np.log(diet.pmf(exponent + d, most)) for d in (-step, step)]
    assert diet._score(exponent, most) == pytest.approx((near[1] - near[0]) / 2 / step, rel=1e-4)


@pytest.mark.parametrize("counts", [[5], [-1, 2], [7, 0, 0], [0, 0, 9]])
def test_counts_without_an_estimate_are_refused(counts):
    with pytest.raises(ValueError, match="counts"):
        diet.fit(counts)


def founders(**population):
    raw = {"world": "ecology", "niches": {"count": 6}, "run": {"steps": 0},
           "population": {"size": 6000, "start": "pareto", **population}}  # fmt: skip
    return simulate(validate(raw)).founders


def test_founders_spread_evenly_over_niches_drawn_alike():
    table = founders(breadth_exponent=0.7)
    shares = table[[f"allocation_{k}" for k in range(6)]].to_numpy()
    used = (shares > 0).sum(axis=1)
    assert shares.max(axis=1) == pytest.approx(1 / used, rel=1e-6)
    assert table["breadth"].to_numpy() == pytest.approx(used, rel=1e-5)
    law = diet.pmf(0.7, 6)
    seen = np.bincount(used, minlength=7)[1:] / 6000
    assert seen == pytest.approx(law, abs=float(4.5 * np.sqrt(law / 6000).max()))
    alone = shares[used == 1].sum(axis=0, dtype=float)
    assert alone == pytest.approx(alone.mean(), abs=float(5 * alone.mean() ** 0.5))


@pytest.mark.parametrize("population", [{}, {"start": "even", "breadth_exponent": 1.0},
                                        {"breadth_exponent": 0.0}])  # fmt: skip
def test_the_exponent_goes_with_the_law(population):
    with pytest.raises(ScenarioError, match=r"population\.breadth_exponent"):
        founders(**population)
