"""Soft and hard selection over patches."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ecosim.errors import ScenarioError
from ecosim.scenario import validate
from ecosim.simulate import simulate
from ecosim.theory import grain, patches


def scenario(supply, *, size=400, kind="wright-fisher", competition="additive",
             regulation="local", dispersal=0.0, unclaimed=0.0, **tables):  # fmt: skip
    """Two types, the first three times as fit in niche 1, in as many patches as rows."""
    groups = [
        {"name": "one", "allocation": [0.75, 0.25]}, {"name": "two", "allocation": [0.25, 0.75]},
    ]  # fmt: skip
    return validate({
        "world": "ecology",
        "niches": {"count": 2, "productivity": 100.0},
        "patches": {
            "count": len(supply), "supply": supply, "regulation": regulation,
            "dispersal": dispersal,
        },
        "population": {"size": size, "groups": groups},
        "tradeoff": {"exponent": 1.0},
        "competition": {"kind": competition, "unclaimed": unclaimed},
        "selection": {"kind": kind},
        "mutation": {"rate": 0.0},
        "run": {"steps": 1, "precision": "float64"},
    } | tables)  # fmt: skip


def gains(given):
    """Gains of one step, which a window longer than the run adds up."""
    window = given.replace(selection__window=3)
    recording = simulate(window)
    row = recording.metrics.iloc[-1]
    return recording.population, row


THREE = [[3.0, 1.0], [1.0, 1.0], [2.0, 2.0]]


@pytest.mark.parametrize("competition", ["additive", "contest"])
def test_each_patch_divides_its_own_supply(competition):
    table, row = gains(scenario(THREE, size=30, competition=competition))
    np.testing.assert_allclose(table.groupby("patch")["stock"].sum(), [40, 20, 40], rtol=1e-12)
    assert row["unclaimed"] == 0


@pytest.mark.parametrize("competition", ["additive", "contest"])
def test_the_supply_of_an_empty_patch_is_unclaimed(competition):
    table, row = gains(scenario(THREE, size=2, competition=competition))
    assert sorted(table["patch"]) == [0, 1]
    np.testing.assert_allclose(table.sort_values("patch")["stock"], [40, 20], rtol=1e-12)
    np.testing.assert_allclose([row["unclaimed"], row["emitted"]], [40, 100], rtol=1e-12)


@given(
    supply=st.lists(st.lists(st.floats(0.1, 1), min_size=2, max_size=2), min_size=2, max_size=2),
    rival=st.floats(0, 5),
)
@settings(max_examples=10)
def test_global_regulation_divides_all_supply_by_all_payoffs(supply, rival):
    table, row = gains(scenario(supply, size=7, regulation="global", unclaimed=rival))
    share = np.array(supply) / np.sum(supply)
    competence = np.array([[0.75, 0.25], [0.25, 0.75]])[table["group"]]
    payoff = (share[table["patch"]] * competence).sum(axis=1)
    whole = payoff.sum() + rival
    np.testing.assert_allclose(table["stock"], 100 * payoff / whole, rtol=1e-12)
    np.testing.assert_allclose(row["unclaimed"], 100 * rival / whole, rtol=1e-12, atol=1e-12)


def test_global_regulation_of_independent_payoffs_draws_the_same_parents():
    # Patch 1 is rich and patch 2 poor; what is divided by all payoffs keeps their proportions.
    one, other = (
        simulate(scenario(THREE, competition=kind, regulation="global")).population
        for kind in ("additive", "independent")
    )
    assert one["parent"].tolist() == other["parent"].tolist()


@pytest.mark.parametrize(("regulation", "share"), [("local", 0.5), ("global", 0.75)])
def test_what_a_patch_contributes(regulation, share):
    """Equal supply, but patch 1 holds only the type that fits its niche, patch 2 the unfit."""
    size = 20_000
    given = scenario([[1.0, 0.0], [1.0, 0.0]], size=size, regulation=regulation)
    # Founders alternate between patches, and groups follow one another: half of each in each.
    groups = [
        {"name": f"{a}", "allocation": [x, 1 - x], "share": 1.0} for a, x in enumerate((0.75, 0.25))
    ]
    given = given.replace(population__groups=groups)
    born = simulate(given).population
    here = float((born["patch"] == 0).mean())
    first = float((born["group"] == 0).mean())
    se = np.sqrt(0.25 / size)
    assert abs(here - 0.5) < 5 * se  # the patches are alike: fitness within them decides
    assert abs(first - 0.75) < 5 * se
    # One type a patch: what local regulation hides and global regulation shows.
    table, _ = gains(scenario([[1.0, 0.0], [1.0, 0.0]], size=2, regulation=regulation).replace(
        population__groups=[groups[0], groups[1]]
    ))  # fmt: skip
    mine = float(table.loc[table["group"] == 0, "stock"].sum())
    assert mine == pytest.approx(100 * share)


@pytest.mark.parametrize("kind", ["wright-fisher", "moran"])
@pytest.mark.parametrize("regulation", ["local", "global"])
def test_the_total_is_constant_and_supply_is_accounted_for(kind, regulation):
    given = scenario(THREE, size=60, kind=kind, regulation=regulation, dispersal=0.3)
    recording = simulate(given.replace(run__steps=20))
    table = recording.metrics[1:]
    assert (table["population"] == 60).all()
    np.testing.assert_allclose(table["received"] + table["unclaimed"], table["emitted"], rtol=1e-12)


def test_numbers_in_patches_follow_supply_without_dispersal():
    size = 20_000
    born = simulate(scenario(THREE, size=size)).population
    found = born["patch"].value_counts(sort=False).sort_index().to_numpy()
    assert stats.chisquare(found, size * np.array([0.4, 0.2, 0.4])).pvalue > 1e-4


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"competition": {"kind": "independent"}}, "patches.regulation", "global"),
        ({"competition": {"kind": "contest"}, "patches": {"count": 2, "regulation": "global"}},
         "patches.regulation", "additive"),
        ({"patches": {"count": 1, "regulation": "global"}}, "patches.regulation", "count > 1"),
        ({"patches": {"count": 2, "regulation": "global"}, "selection": {"kind": "energy"}},
         "patches.regulation", "wright-fisher"),
        ({"competition": {"kind": "resources"}}, "patches.regulation", "contest"),
        ({"selection": {"kind": "growth"}, "competition": {"kind": "resources"}},
         "selection.kind", "energy"),
    ],
)  # fmt: skip
def test_what_regulation_refuses(changes, key, words):
    raw = {"world": "ecology", "niches": {"count": 2}, "patches": {"count": 2},
           "competition": {"kind": "additive"}, "selection": {"kind": "moran"}}  # fmt: skip
    with pytest.raises(ScenarioError) as error:
        validate(raw | changes)
    found = [p for p in error.value.problems if p.key == key]
    assert found
    assert words in str(found[0])


def test_a_market_has_no_global_regulation():
    with pytest.raises(ScenarioError, match=r"patches\.regulation"):
        validate({"world": "market", "patches": {"count": 2, "regulation": "global"}})


@pytest.mark.parametrize("count", [0, 1, 2, 5, 40])
def test_binomial_nodes_meet_five_moments(count):
    nodes, weights = patches.binomial_nodes(np.array([float(count)]))
    law, at = stats.binom(count, 0.5), np.arange(count + 1)
    assert nodes.min() >= -1e-12
    assert nodes.max() <= count + 1e-12
    for power in range(6):
        exact = float(law.pmf(at) @ at**power)
        assert float((weights * nodes**power).sum()) == pytest.approx(exact, rel=1e-9, abs=1e-12)


def chain_by_hand(c, s, size):
    """The same chain, summed over every way to settle."""
    table = np.zeros((size - 1, size + 1))
    for a in range(1, size):
        for i, j in itertools.product(range(a + 1), range(size - a + 1)):
            chance = stats.binom.pmf(i, a, 0.5) * stats.binom.pmf(j, size - a, 0.5)
            here = (1 + s) * i / ((1 + s) * i + j) if i + j else None
            x, y = a - i, size - a - j
            there = x / (x + (1 + s) * y) if x + y else None
            parts = [(w, q) for w, q in ((c, here), (1 - c, there)) if q is not None]
            q = sum(w * q for w, q in parts) / sum(w for w, _ in parts)
            table[a - 1] += chance * stats.binom.pmf(np.arange(size + 1), size, q)
    values, vectors = np.linalg.eig(table[:, 1:-1].T)
    top = np.argmax(values.real)
    law = np.abs(vectors[:, top].real)
    law /= law.sum()
    return law @ np.arange(1, size) / size, 1 / (law @ (table[:, 0] + table[:, -1]))


def test_the_chain_in_patches_sums_over_every_way_to_settle():
    # Exact for two agents; otherwise the sixth moment of how agents settle is left out, which
    # matters for the rare patterns that lead to a loss.
    for c, s, size, near, roughly in (
        (0.6, 1.0, 24, 1e-3, 0.05), (0.5, 3.0, 40, 1e-3, 1.0), (0.45, 0.5, 2, 1e-6, 1e-6),
    ):  # fmt: skip
        found, wanted = patches.levene_patches(c, s, size), chain_by_hand(c, s, size)
        np.testing.assert_allclose(found[0], wanted[0], rtol=near)
        np.testing.assert_allclose(found[1], wanted[1], rtol=roughly)


def test_many_agents_meet_the_closed_form():
    errors = [
        abs(patches.levene_patches(0.6, 1.0, n)[0] - grain.levene_equilibrium(0.6, 1.0))
        for n in (300, 600, 1200)
    ]
    # Of order 1/N.
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(2, rel=0.15)
    with pytest.raises(ValueError, match="needs 0 < c < 1"):
        patches.levene_patches(1.0, 1.0, 10)
