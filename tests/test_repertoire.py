"""Repertoires: how they are inherited, and Yule's law of their breadths."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from ecosim.compilation import prepared
from ecosim.model import randomness, repertoire
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.theory import repertoire as theory

GAIN, NARROWING = 0.08, 0.2


def newborns(allocation, gain, narrowing, number=4000):
    """Return the allocations of many newborns of one parent."""
    with prepared():
        rows = jnp.tile(jnp.asarray(allocation, jnp.float32), (number, 1))
        found = repertoire.inherited(
            rows, jnp.arange(number, dtype=jnp.uint64), step=jnp.int64(3),
            key=randomness.run_key(11), gain=jnp.float32(gain), narrowing=jnp.float32(narrowing),
        )  # fmt: skip
    return np.asarray(found)


def test_gains_are_binomial_and_fall_on_any_niche_that_is_not_in_use():
    found = newborns([0.5, 0, 0.5, 0, 0, 0], 0.3, 0.0)
    used = found > 0
    assert used[:, [0, 2]].all()
    gained = used.sum(axis=1) - 2
    # 5 sd of 4,000 draws.
    for k, share in enumerate(stats.binom.pmf([0, 1, 2], 2, 0.3)):
        assert np.mean(gained == k) == pytest.approx(share, abs=5 * (share / 4000) ** 0.5)
    assert used[:, [1, 3, 4, 5]].mean(axis=0) == pytest.approx([0.15] * 4, abs=0.03)
    assert found.sum(axis=1) == pytest.approx(1) and (found[used] == 1 / used.sum(axis=1).repeat(
        used.sum(axis=1)).astype(np.float32)).all()  # fmt: skip


def test_who_narrows_keeps_one_of_its_own_at_random():
    found = newborns([0.2, 0, 0.3, 0, 0.5, 0], 1.0, 0.4)
    alone = (found > 0).sum(axis=1) == 1
    assert alone.mean() == pytest.approx(0.4, abs=0.04)
    assert (found[~alone] > 0).all()  # three gains fill the three that were left
    assert found[alone].mean(axis=0) == pytest.approx([1 / 3, 0, 1 / 3, 0, 1 / 3, 0], abs=0.06)


def test_nothing_is_gained_where_all_is_in_use():
    assert (newborns([0.25] * 4, 1.0, 0.0, 50) == 0.25).all()


def test_closed_form_tends_to_yule_simons():
    small = theory.breadths(2e-4, 5e-4, 200)
    assert small[:20] == pytest.approx(stats.yulesimon.pmf(np.arange(1, 21), 2.5), rel=2e-3)
    assert theory.yule_simon(2.5, 200)[:20] == pytest.approx(small[:20], rel=2e-3)
    assert theory.tail_exponent(2e-4, 5e-4) == pytest.approx(2.5, rel=1e-3)
    far = theory.breadths(0.1, 0.2, 2000)
    above = far[::-1].cumsum()[::-1]
    slope = np.log(above[199] / above[49]) / np.log(200 / 50)
    assert slope == pytest.approx(-theory.tail_exponent(0.1, 0.2), rel=0.02)
    assert theory.breadths(0.1, 0.2, 20, births=300) == pytest.approx(
        theory.breadths(0.1, 0.2, 20), abs=1e-10
    )
    with pytest.raises(ValueError, match="narrowing must lie between 0 and 1"):
        theory.breadths(0.1, 1.0, 20)


@pytest.mark.parametrize("steps", [4, 40])
def test_breadths_without_selection_follow_the_closed_form(steps):
    # Additive payoffs of exponent 1 are the same for every breadth: no selection, only descent.
    scenario = validate({
        "world": "ecology", "niches": {"count": 12},
        "population": {"size": 400, "start": "specialists"}, "tradeoff": {"exponent": 1.0},
        "competition": {"kind": "additive"}, "selection": {"kind": "wright-fisher"},
        "mutation": {"kind": "repertoire", "gain": GAIN, "narrowing": NARROWING},
        "run": {"steps": steps}, "record": {"every": steps},
    })  # fmt: skip
    expected = theory.breadths(GAIN, NARROWING, 12, births=steps)
    found = []
    for seed in range(20):
        table = simulate(scenario, seed=seed).population
        many = (table[[f"allocation_{k}" for k in range(12)]] > 0).sum(axis=1)
        found.append(np.bincount(many, minlength=13)[1:] / len(many))
    for shares in (lambda row: row[0], lambda row: row[3:].sum()):
        values = [shares(row) for row in found]
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        assert abs(np.mean(values) - shares(expected)) < 3 * error
        assert 3 * error < 0.03  # what it would catch
