"""Phase diagrams: boundaries against second opinions, contours, agreement, resumption."""

import dataclasses
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from scipy import stats

from ecosim.cli import main
from ecosim.studies import agreement_registration as statement
from ecosim.studies import maps, own_axes_planes, plane_registration
from ecosim.studies.cells import cells
from ecosim.studies.classic_planes import (
    K,
    curvature_above,
    specialists_crowd_above,
    specialists_win_above,
)
from ecosim.studies.contours import contour, crossing, worded
from ecosim.studies.convergence import (
    agreement,
    between_worlds,
    calibrated,
    kappa,
    with_own,
    with_theory,
)
from ecosim.studies.phase_diagram import Diagram, simulated
from ecosim.studies.phase_pictures import draw
from ecosim.studies.planes import Axis, chosen
from ecosim.theory.returns import drawn_claim, returns_exponent

BY_NAME = {
    plane.name: plane for kind in ("own", "swapped", "control") for plane in chosen((), kind=kind)
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


def made(share):
    plane = small("ecology-crowding", (0.6, 2.6), (2.0, 8.0))
    return Diagram(plane, np.array([0.6, 2.6]), np.array([2.0, 8.0]), np.array(share), Path())


def of(name, share):
    """A diagram of two by two cells of a plane."""
    return dataclasses.replace(made(share), plane=small(name, (0.6, 2.6), (2.0, 8.0)))


def as_theory_says(name, *, flipped=False, form=0):
    """A diagram of all quick cells of a plane in which its closed form holds, or its opposite."""
    plane = BY_NAME[name]
    x, y = (np.array(axis.quick, float) for axis in (plane.across, plane.up))
    edge = np.array([plane.boundaries[form].at(value) for value in y])
    wins = (x[None, :] > edge[:, None]) != flipped
    share = np.where(wins, 0.9, 0.1)[..., None] + np.array([-0.01, 0.0, 0.01])
    return Diagram(plane, x, y, share, Path())


def at_random(diagram, random):
    """The same cells, each sure, of either sign at random."""
    wins = random.random(diagram.share.shape[:2]) < 0.5
    share = np.where(wins, 0.9, 0.1)[..., None] + np.array([-0.01, 0.0, 0.01])
    return dataclasses.replace(diagram, share=share)


SURE, LOW, UNSURE = [0.9, 0.91, 0.92], [0.1, 0.11, 0.1], [0.1, 0.5, 0.95]
NONE = [0.9, np.nan, 0.9]


def test_a_cell_is_decided_by_students_t():
    share = np.random.default_rng(0).normal(0.55, 0.05, (500, 4))
    found = cells(share)
    p = stats.ttest_1samp(share, 0.5, axis=1).pvalue
    assert 0 < found.decided.sum() < 500
    np.testing.assert_array_equal(found.decided, p <= 0.05)
    np.testing.assert_allclose(found.wrong, p / 2)
    # Beyond two standard errors, and yet not decided by four replicates.
    mean, error = share.mean(axis=1), share.std(axis=1, ddof=1) / 2
    assert np.any((np.abs(mean - 0.5) > 2 * error) & ~found.decided)


def test_of_cells_on_one_half_one_in_twenty_is_decided():
    share = np.random.default_rng(1).normal(0.5, 0.1, (20_000, 4))
    error = np.sqrt(0.05 * 0.95 / 20_000)
    assert cells(share).decided.mean() == pytest.approx(0.05, abs=4 * error)


def test_replicates_that_are_all_alike():
    # Fixation leaves 0 or 1: n of n on one side has the chance 2^-n.
    alike = [np.zeros(5), np.zeros(6), np.ones(6), np.full(6, 0.5)]
    assert [bool(cells(one).decided) for one in alike] == [False, True, True, False]
    assert bool(cells(np.ones(6)).above)


def test_a_cell_without_a_value_is_nobodys():
    diagram = made([[LOW, NONE], [LOW, NONE]])
    assert diagram.agreement() == {"cells": 4, "agree": 2, "no value": 2}
    assert diagram.signs()[0][1] == ("specialists", "no value")
    found = agreement((diagram, of("market-crowding", [[LOW, SURE], [LOW, LOW]])))
    assert (found.cells, found.empty, found.decided, found.alike) == (4, 2, 2, 2)
    assert with_theory(diagram).empty == 2


def test_where_a_row_crosses_one_half():
    x = np.array([1.0, 2.0, 3.0])
    assert crossing(x, np.array([0.0, 0.4, 0.6])) == pytest.approx(2.5)
    assert crossing(x, np.array([0.0, np.nan, 1.0])) == pytest.approx(2.0)
    assert crossing(x, np.array([0.8, 0.9, 1.0])) == -np.inf
    assert crossing(x, np.array([0.0, 0.1, 0.2])) == np.inf
    assert crossing(x, np.array([0.0, 1.0, 0.0])) == pytest.approx(1.5)  # the first rise
    assert np.isnan(crossing(x, np.full(3, np.nan)))
    words = [worded(value, x) for value in (-np.inf, np.inf, 2.5, np.nan)]
    assert words == ["<= 1", "> 3", "2.5", "no value"]


def test_the_contours_interval_holds_the_contour():
    random = np.random.default_rng(0)
    share = np.stack([random.uniform(0.0, 0.4, (2, 20)), random.uniform(0.6, 1.0, (2, 20))], axis=1)
    line = contour(made(share))
    assert np.all(line.low <= line.x)
    assert np.all(line.x <= line.high)
    assert np.all(line.high - line.low < 0.3)
    assert np.all(line.crosses == 1)


def test_rows_without_a_crossing_are_drawn_at_the_end_of_the_axis(recwarn):
    diagram = as_theory_says("learning-transfer")
    share = diagram.share.copy()
    share[0], share[1], share[2] = 0.9, 0.1, np.nan
    for rows in (share, diagram.share):
        axes = draw([dataclasses.replace(diagram, share=rows)]).axes[0]
        axes.figure.canvas.draw()
        arrows = [line for line in axes.lines if line.get_marker() in "<>"]
        at = {line.get_marker(): list(line.get_ydata()) for line in arrows}
        censored = rows is share
        assert at == {"<": [10.0] if censored else [], ">": [16.0] if censored else []}
    assert axes.get_xscale() == "log"
    assert not [str(one.message) for one in recwarn if "layout" in str(one.message)]


def test_draws_without_a_crossing_are_not_left_out():
    # The last cell lies on one half: half of the draws cross left of it, half never do.
    line = contour(made([[[0.1, 0.1, 0.1], [0.4, 0.5, 0.6]], [SURE, SURE]]))
    assert 0.4 < line.crosses[0] < 0.6
    assert line.high[0] == np.inf
    assert 0.6 < line.low[0] < 2.6
    assert (line.low[1], line.x[1], line.high[1], line.crosses[1]) == (-np.inf, -np.inf, -np.inf, 0)


def test_agreement_is_counted_by_sign():
    # Theory: generalists at .6, specialists at 2.6, in both rows.
    assert made([[LOW, SURE], [SURE, UNSURE]]).agreement() == {
        "cells": 4, "agree": 2, "disagree": 1, "undecided": 1,
    }  # fmt: skip


def test_kappa_by_hand():
    # 20 and 15 alike, 5 and 10 not: .7 observed, .5 by chance (.5 x .6 + .5 x .4).
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])
    assert kappa(np.array([first, second])) == pytest.approx(0.4)
    assert kappa(np.array([first, ~first])) == pytest.approx(-1)
    assert np.isnan(kappa(np.ones((2, 5), bool)))


def test_agreement_of_worlds_counts_decided_cells():
    first = of("ecology-crowding", [[LOW, SURE], [LOW, SURE]])
    second = of("market-crowding", [[LOW, LOW], [UNSURE, SURE]])
    found = agreement((first, second))
    assert (found.cells, found.decided, found.alike, found.empty) == (4, 3, 2, 0)
    assert found.kappa == pytest.approx((2 / 3 - 4 / 9) / (1 - 4 / 9))  # by chance 2/3 1/3 x 2
    assert found.low <= found.kappa <= found.high
    assert found.theory == 1.0


def test_the_interval_of_kappa():
    def interval(first, second):
        found = agreement((first, second))
        return found.low, found.high

    same = as_theory_says("ecology-crowding")
    other = as_theory_says("market-crowding")
    assert interval(same, other) == (1.0, 1.0)
    low, high = interval(same, as_theory_says("market-crowding", flipped=True))
    assert high < 0
    # Signs at random: most intervals of chance agreement hold 0.
    random, missed = np.random.default_rng(0), 0
    for _ in range(60):
        low, high = interval(*(at_random(d, random) for d in (same, other)))
        missed += not low <= 0 <= high
    assert missed <= 9  # 3 of 60 on average at 5 %; more than 9 has a chance below 1e-3
    # A sign that its replicates leave open widens the interval.
    sure = agreement((same, other))
    shaky = dataclasses.replace(other, share=0.5 + (other.share - 0.5) * [0.7, 1.0, 1.3])
    open_ = agreement((same, shaky))
    assert open_.alike == open_.decided == sure.decided
    assert (open_.kappa, open_.high) == (1.0, 1.0)
    assert open_.low < 1


def test_one_sign_only_shows_no_agreement():
    only = of("ecology-crowding", [[SURE, SURE], [SURE, SURE]])
    found = agreement((only, of("market-crowding", [[SURE, SURE], [SURE, SURE]])))
    assert (found.alike, found.decided) == (4, 4)
    assert np.isnan(found.kappa)
    assert statement.verdict_of(found) == "undecided"


def test_agreement_is_over_the_cells_that_both_have():
    first = of("ecology-crowding", [[LOW, SURE], [LOW, SURE]])
    plane = small("optimisation-crowding", (2.6, 4.0), (8.0, 9.0))
    x, y = np.array([2.6, 4.0]), np.array([8.0, 9.0])
    second = Diagram(plane, x, y, np.array([[LOW, SURE], [SURE, SURE]]), Path())
    found = agreement((first, second))
    assert (found.cells, found.decided, found.alike) == (1, 1, 0)
    other = dataclasses.replace(second, x=np.array([7.0, 8.0]))
    assert agreement((first, other)) is None


def test_cells_around_the_closed_forms_are_counted_by_themselves():
    diagram = as_theory_says("ecology-crowding")
    found = with_theory(diagram, "around")
    # Row by row: from 1/1.25 to the greatest of the forms times 1.25.
    greatest = [max(form.at(float(y)) for form in diagram.plane.boundaries) for y in diagram.y]
    expected = sum(int(((diagram.x >= 0.8) & (diagram.x <= 1.25 * high)).sum())
                   for high in greatest)  # fmt: skip
    assert (found.where, found.cells) == ("around", expected)
    assert expected < with_theory(diagram).cells
    # Right at r = 1, wrong between it and T3: all disagreement is around the boundary.
    by_one = as_theory_says("ecology-crowding", form=2)
    near, every = (with_theory(by_one, where) for where in ("around", "all"))
    assert near.decided - near.alike == every.decided - every.alike > 0


def test_what_is_compared_with_what():
    share = [[LOW, SURE], [LOW, SURE]]
    names = ("ecology-crowding", "market-crowding", "learning-crowding",
             "market-crowding-imitation", "ecology-crowding-mutation-off")  # fmt: skip
    diagrams = [of(name, share) for name in names]
    pairs = [tuple(d.plane.name for d in some) for some in between_worlds(diagrams)]
    assert pairs == [*((a, b) for i, a in enumerate(names[:3]) for b in names[i + 1 : 3]),
                     names[:3]]  # fmt: skip
    assert [tuple(d.plane.name for d in some) for some in with_own(diagrams)] == [
        (names[1], names[3]), (names[0], names[4]),
    ]  # fmt: skip


def test_maps_that_hold_by_construction_are_a_check_and_not_counted():
    grain = [as_theory_says(f"{world}-grain") for world in statement.WORLDS["crowding"]]
    compared = [tuple(d.plane.world for d in some) for some in between_worlds(grain)]
    assert compared == [("ecology", "market")]
    checked = [tuple(d.plane.world for d in some) for some in calibrated(grain)]
    assert checked == [("ecology", "optimisation"), ("ecology", "learning")]
    for plane in PLANES:
        measured = plane.world in ("optimisation", "learning")
        assert plane.counted == (plane.map == "crowding" or (plane.map == "grain" and not measured))
        if measured and plane.map in ("crowding", "grain"):
            assert "calibrated" in plane.given, plane.name


def test_a_world_that_is_its_selection_is_not_swapped():
    swapped = [plane.world for plane in PLANES if plane.variant == "selection"]
    assert set(swapped) == {"optimisation", "learning"}


def test_no_plane_repeats_the_runs_of_another():
    runs = {}
    for plane in PLANES:
        points = [plane.point(x, y) for x in plane.across.quick for y in plane.up.quick]
        runs.setdefault(json.dumps([plane.scenario, points], sort_keys=True), []).append(plane.name)
    assert not [names for names in runs.values() if len(names) > 1]


def test_mutation_is_the_same_wherever_it_means_the_same():
    crowding = [plane for plane in PLANES if plane.map == "crowding" and plane.kind != "control"
                and plane.scenario["world"] != "market"]  # fmt: skip
    assert {plane.world for plane in crowding} == {"ecology", "optimisation", "learning"}
    for plane in crowding:
        mutation = {k: v for k, v in plane.scenario["mutation"].items() if k != "switch"}
        assert mutation == {"rate": 0.1, "step": 0.3}, plane.name


def test_closed_forms_count_the_planes_own_niches():
    for plane in PLANES:
        if plane.map != "crowding":
            continue
        niches = plane.scenario["niches"]["count"]
        labels = [form.label for form in plane.boundaries]
        crowd = next(f for f in plane.boundaries if f.label.startswith("T3 in a crowd"))
        assert crowd.at(1.0) == specialists_crowd_above(1.0, niches), plane.name
        for form in plane.boundaries:
            if form.label.startswith("T3, rivals"):
                assert form.at(1.0) == specialists_win_above(1.0, niches), (plane.name, labels)


def all_worlds(**changes):
    names = [f"{world}-{kind}" for kind, worlds in statement.WORLDS.items() for world in worlds]
    return [changes.get(name.replace("-", "_")) or as_theory_says(name) for name in names]


def test_the_verdict_on_statement_16():
    verdicts = {one.expected.name: one.verdict for one in statement.judged(all_worlds())}
    assert verdicts == dict.fromkeys(("worlds", "theory", "worlds-around"), "met")
    wrong = as_theory_says("learning-crowding", flipped=True)
    found = {
        one.expected.name: one for one in statement.judged(all_worlds(learning_crowding=wrong))
    }
    assert {one.verdict for one in found.values()} == {"not met"}
    missed = {names for names, _, verdict in found["worlds"].rows if verdict == "not met"}
    assert missed == {(f"{world}-crowding", "learning-crowding")
                      for world in ("ecology", "market", "optimisation")}  # fmt: skip
    # Of some worlds only: no verdict on the whole.
    part = statement.judged([as_theory_says("ecology-crowding")])
    assert {one.verdict for one in part} == {"undecided"}


def test_what_is_expected_of_statement_16_is_registered():
    path = plane_registration.folder() / f"{statement.NAME}.toml"
    assert path.read_text() == statement.document()


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
    assert "| grain | ecology-grain, market-grain | all |" in text
    assert "| worlds | all |  |  |  | undecided |" in text  # two worlds are not all
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
    assert {plane.world for plane in chosen((), kind="control")} == {"ecology", "market"}
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


def test_the_boundary_of_mean_finds_is_where_one_niche_beats_two():
    # 8 evaluations, best of m by sampling, a large crowd of equals: rivals claim c(8)^g each.
    random = np.random.default_rng(0)
    found = random.integers(0, 100, (400_000, 8)) / 99
    whole, half = found.max(axis=1).mean(), found[:, :4].max(axis=1).mean()
    large = own_axes_planes.exact_exponent(8.0) / specialists_crowd_above(32.0, 4)
    assert large == pytest.approx(1 / np.log2(whole / half), rel=5e-3)


@pytest.mark.parametrize("evaluations", BY_NAME["optimisation-evaluations"].up.full)
def test_with_luck_counted_no_contest_makes_specialists_of_searches(evaluations):
    plane = BY_NAME["optimisation-evaluations"]
    assert plane.scenario["search"]["problems"] == ["uniform"] * 4  # really searched
    m = int(evaluations)
    for power in (*plane.across.full, 1e3, 1e6):
        whole, half = (drawn_claim(n, 100, power) for n in (m, m // 2))
        assert returns_exponent(whole, half, 2) < 1
    assert own_axes_planes.sampled_exponent(evaluations) == np.inf


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
