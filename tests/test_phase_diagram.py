"""Phase diagrams: boundaries against second opinions, contours, agreement, resumption."""

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from ecosim.cli import main
from ecosim.studies import maps, measured_planes, plane_registration
from ecosim.studies.classic_planes import (
    K,
    curvature_above,
    specialists_crowd_above,
    specialists_win_above,
)
from ecosim.studies.convergence import agreement, between_worlds, with_own
from ecosim.studies.phase_diagram import Diagram, contour, crossing, simulated
from ecosim.studies.planes import Axis, chosen

BY_NAME = {
    plane.name: plane
    for kind in ("own", "swapped", "control")
    for plane in chosen((), kind=kind)
}
PLANES = tuple(BY_NAME.values())


def small(name, x, y, replicates=3, **changes):
    """The same plane with few cells."""
    plane = BY_NAME[name]
    across = dataclasses.replace(plane.across, quick=x)
    up = dataclasses.replace(plane.up, quick=y)
    given = {"across": across, "up": up, "replicates": {"quick": replicates, "full": replicates}}
    return dataclasses.replace(plane, **given | changes)


def invader(breadth, rivals, r):
    """What a budget of 1 over whole niches wins from rivals, niche by niche."""
    share = np.full(breadth, (1 / breadth) ** r)
    return float(np.sum(share / (share + rivals)))


@pytest.mark.parametrize("crowding", [0.5, 1.0, 2.0, 8.0, 32.0])
def test_the_crowding_boundary_is_where_one_niche_beats_two(crowding):
    rivals = (K * crowding - 1) / K
    low, high = 1.0, 10.0
    for _ in range(80):
        middle = (low + high) / 2
        one_wins = invader(1, rivals, middle) > invader(2, rivals, middle)
        low, high = (low, middle) if one_wins else (middle, high)
    assert specialists_win_above(crowding) == pytest.approx(high, abs=1e-9)
    above, below = high * 1.01, high * 0.99
    best = [max(range(1, K + 1), key=lambda k, r=r: invader(k, rivals, r)) for r in (above, below)]
    assert best[0] == 1
    assert best[1] > 1


@pytest.mark.parametrize("crowding", [2.0, 8.0, 32.0])
def test_the_crowd_boundary_is_where_spreading_a_little_stops_paying(crowding):
    agents, random = round(K * crowding), np.random.default_rng(0)
    rivals = random.binomial(agents - 1, 1 / K, 400_000)

    def gains_by_spreading(r):
        def payoff(k):
            claim = k**-r
            return np.mean(k * claim / (claim + rivals))

        return payoff(1.01) - payoff(0.99)

    edge = specialists_crowd_above(crowding)
    assert gains_by_spreading(edge * 0.97) > 0 > gains_by_spreading(edge * 1.03)


def test_in_a_crowd_the_boundary_is_that_of_soft_selection():
    # T1 by hand: the curvature of w(y) = sum kappa (y/kappa)^s at y = kappa changes sign.
    kappa, step = np.full(4, 0.25), 1e-3
    move = np.array([1.0, -1.0, 0.0, 0.0]) * step

    def curvature(s):
        def fitness(y):
            return np.sum(kappa * (y / kappa) ** s)

        return fitness(kappa + move) + fitness(kappa - move) - 2 * fitness(kappa)

    low, high = 0.2, 3.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if curvature(middle) > 0 else (middle, high)
    assert specialists_win_above(1e7) == pytest.approx(high, abs=1e-4)
    assert specialists_win_above(1 / K) == np.inf  # nobody to compete with
    assert specialists_crowd_above(1 / K) == np.inf
    assert specialists_crowd_above(1e3) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("spell", [5, 10, 20])
def test_the_grain_boundary_is_where_log_fitness_is_equal(spell):
    states = np.array(list(product((0.0, 1.0), repeat=20 // spell)))  # every window there is

    def margin(c):
        fitness = np.where(states == 1, 1.0, 0.05).mean(axis=1)
        return np.log(fitness).mean() - np.log(max(0.5**c, 0.05))

    edge = curvature_above(spell)
    assert margin(edge) == pytest.approx(0, abs=1e-9)
    assert margin(edge * 1.01) > 0 > margin(edge * 0.99)


def test_where_a_row_crosses_one_half():
    x = np.array([1.0, 2.0, 3.0])
    assert crossing(x, np.array([0.0, 0.4, 0.6])) == pytest.approx(2.5)
    assert crossing(x, np.array([0.8, 0.9, 1.0])) == 1.0
    assert np.isnan(crossing(x, np.array([0.0, 0.1, 0.2])))


def made(share):
    plane = small("ecology-crowding", (0.6, 2.6), (2.0, 8.0))
    return Diagram(plane, np.array([0.6, 2.6]), np.array([2.0, 8.0]), np.array(share), Path())


def test_agreement_is_counted_by_sign():
    # Theory: generalists at .6, specialists at 2.6, in both rows.
    sure, unsure = [0.9, 0.91, 0.92], [0.1, 0.5, 0.9]
    low = [0.1, 0.11, 0.1]
    assert made([[low, sure], [sure, unsure]]).agreement() == {
        "cells": 4, "agree": 2, "disagree": 1, "undecided": 1,
    }  # fmt: skip


def of(name, share):
    """A diagram of two by two cells of a plane."""
    return dataclasses.replace(made(share), plane=small(name, (0.6, 2.6), (2.0, 8.0)))


SURE, LOW, UNSURE = [0.9, 0.91, 0.92], [0.1, 0.11, 0.1], [0.1, 0.5, 0.95]


def test_agreement_of_worlds_counts_cells_of_one_sign():
    first = of("ecology-crowding", [[LOW, SURE], [LOW, SURE]])
    second = of("market-crowding", [[LOW, LOW], [UNSURE, SURE]])
    found = agreement((first, second))
    assert (found.cells, found.decided, found.alike) == (4, 3, 2)
    assert found.share == 0.5  # the mean of UNSURE lies above one half, the other's does not
    # Resampled, UNSURE falls on either side: 2 or 3 of 4 cells agree.
    assert (found.low, found.high) == (0.5, 0.75)
    assert found.theory == 1.0
    assert found.chance == pytest.approx(0.5)


def test_agreement_is_over_the_cells_that_both_have():
    first = of("ecology-crowding", [[LOW, SURE], [LOW, SURE]])
    plane = small("optimisation-crowding", (2.6, 4.0), (8.0, 9.0))
    x, y = np.array([2.6, 4.0]), np.array([8.0, 9.0])
    second = Diagram(plane, x, y, np.array([[LOW, SURE], [SURE, SURE]]), Path())
    found = agreement((first, second))
    assert (found.cells, found.share) == (1, 0.0)
    other = dataclasses.replace(second, x=np.array([7.0, 8.0]))
    assert agreement((first, other)) is None


def test_worlds_are_compared_within_a_map_and_swaps_with_their_own():
    share = [[LOW, SURE], [LOW, SURE]]
    names = ("ecology-crowding", "market-crowding", "learning-crowding",
             "ecology-crowding-selection", "ecology-crowding-mutation-off")  # fmt: skip
    diagrams = [of(name, share) for name in names]
    pairs = [one.names for one in between_worlds(diagrams)]
    assert pairs == [*((a, b) for i, a in enumerate(names[:3]) for b in names[i + 1 : 3]),
                     names[:3]]  # fmt: skip
    assert [one.names for one in with_own(diagrams)] == [
        (names[0], names[3]), (names[0], names[4]),
    ]  # fmt: skip


def test_the_contours_interval_holds_the_contour():
    random = np.random.default_rng(0)
    share = np.stack([random.uniform(0.0, 0.4, (2, 20)), random.uniform(0.6, 1.0, (2, 20))], axis=1)
    line = contour(made(share))
    assert np.all(line.low <= line.x)
    assert np.all(line.x <= line.high)
    assert np.all(line.high - line.low < 0.3)


def test_both_sides_of_the_boundary_are_shown(tmp_path, monkeypatch):
    plane = small("ecology-crowding", (0.6, 2.6), (8.0,))
    found = simulated(plane, "quick", tmp_path)
    assert found.mean[0, 0] < 0.3
    assert found.mean[0, 1] > 0.7
    assert found.agreement()["agree"] == 2

    def never(*given):
        raise AssertionError("nothing was missing")

    monkeypatch.setattr("ecosim.sweeps.execution.compute", never)
    again = simulated(plane, "quick", tmp_path)
    np.testing.assert_array_equal(again.share, found.share)


def test_grain_in_the_market(tmp_path):
    # At c = 1.5: above .93 and below 2.16, so that the length of a spell decides.
    plane = small("market-grain", (1.5,), (1, 20), replicates=8)
    found = simulated(plane, "quick", tmp_path)
    assert found.mean[0, 0] > 0.9
    assert found.mean[1, 0] < 0.5


def test_files_of_an_atlas(tmp_path):
    planes = [small(f"{world}-grain", (0.6, 2.4), (1, 20), 2) for world in ("ecology", "market")]
    atlas = maps.carry_out(planes, "quick", tmp_path)
    names = {path.name for path in atlas.files}
    assert names == {"phase-diagram.md", "phase-diagram.json", "cells.csv", "grain.png"}
    text = (tmp_path / "phase-diagram.md").read_text()
    assert "| ecology-grain | model.niches" in text
    assert "| grain | ecology-grain, market-grain |" in text
    assert "| ecology-grain | " in text.split("## Registered")[1]
    plain = json.loads((tmp_path / "phase-diagram.json").read_text())
    assert [one["world"] for one in plain] == ["ecology", "market"]
    assert len((tmp_path / "cells.csv").read_text().splitlines()) == 1 + 8


def test_worlds_are_chosen_by_name():
    four = {"ecology", "market", "optimisation", "learning"}
    assert {plane.world for plane in chosen(("all",))} == four
    for kind in ("swapped", "control"):
        found = chosen((), kind=kind)
        assert {plane.kind for plane in found} == {"own", kind}  # held against their own
    assert {plane.world for plane in chosen((), kind="swapped")} == four
    assert {plane.name for plane in chosen(("market",))} == {"market-crowding", "market-grain"}
    done = CliRunner().invoke(main, ["study", "phase-diagram", "--world", "mars"])
    assert done.exit_code == 2
    assert "worlds: all, ecology, market" in done.stderr


def test_what_was_registered_is_what_is_run():
    # Planes are not changed after their first run: a new plane gets a new name.
    for plane in PLANES:
        path = plane_registration.folder() / f"{plane.name}.toml"
        assert path.read_text() == plane_registration.document(plane), plane.name


def test_a_changed_plane_is_told_and_not_registered_again(tmp_path):
    from ecosim.errors import ScenarioError

    plane = BY_NAME["learning-crowding"]
    assert plane_registration.registered(plane, tmp_path).words == "not registered"
    written = plane_registration.register([plane], tmp_path)
    assert [path.name for path in written] == ["learning-crowding.toml"]
    assert plane_registration.register([plane], tmp_path) == []
    other = dataclasses.replace(plane, rest=True)
    assert "CHANGED SINCE" in plane_registration.registered(other, tmp_path).words
    with pytest.raises(ScenarioError, match="new name"):
        plane_registration.register([other], tmp_path)


def test_expectations_of_cells_follow_the_boundary():
    plane = small("ecology-crowding", (0.6, 1.1, 2.6), (1.0, 32.0))
    assert plane.expected("quick") == ["ggg", "gss"]  # T3 in a crowd: 4.56 and 1.03


def test_the_boundary_of_exact_means_is_where_one_niche_beats_two():
    # 8 evaluations, best of m by sampling, a large crowd of equals: rivals claim c(8)^g each.
    random = np.random.default_rng(0)
    found = random.integers(0, 100, (400_000, 8)) / 99
    whole, half = found.max(axis=1).mean(), found[:, :4].max(axis=1).mean()
    large = measured_planes.exact_exponent(8.0) / specialists_crowd_above(32.0, 4)
    assert large == pytest.approx(1 / np.log2(whole / half), rel=5e-3)


def test_searchers_and_learners_on_both_sides(tmp_path):
    for name in ("optimisation-crowding", "learning-crowding"):
        plane = small(name, (0.6, 2.0), (32.0,), replicates=2)
        plane = dataclasses.replace(plane, scenario=plane.scenario | {"run": {"steps": 150}})
        found = simulated(plane, "quick", tmp_path)
        assert found.mean[0, 0] < 0.3, name
        assert found.mean[0, 1] > 0.6, name


@pytest.mark.parametrize("plane", PLANES, ids=lambda plane: plane.name)
def test_every_cell_is_a_scenario(plane):
    from ecosim.scenario import override, validate

    base = validate(plane.scenario)
    for x, y in product(plane.across.full, plane.up.full):
        override(base, plane.point(x, y))


def test_axes_rise():
    for plane in PLANES:
        axis: Axis
        for axis in (plane.across, plane.up):
            assert list(axis.quick) == sorted(set(axis.quick))
            assert list(axis.full) == sorted(set(axis.full))
