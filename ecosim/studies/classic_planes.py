"""The planes of ecology and market.

Map `crowding`: contest x returns exponent against rivals a niche, N/K. Map `grain`: curvature of
the trade-off against the length of a spell (Freeman & Hannan 1983).
"""

from __future__ import annotations

import math
from typing import Any

from ecosim.studies.planes import Axis, Boundary, Plane, Point
from ecosim.theory import budget, crowd, grain

K = 8
WINDOW, FLOOR = 20, 0.05

EXPONENT = Axis(
    "Contest × returns exponent r",
    (0.6, 0.8, 0.95, 1.05, 1.2, 1.5, 2.0, 2.6),
    (0.5, 0.6, 0.7, 0.8, 0.9, 0.96, 1.04, 1.1, 1.2, 1.35, 1.5, 1.7, 2.0, 2.3, 2.6, 3.0),
)
CROWDING = Axis(
    "Crowding: rivals a niche N/K",
    (1.0, 2.0, 4.0, 8.0, 32.0),
    (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
    log=True,
)
CURVATURE = Axis(
    "Curvature of the trade-off c",
    (0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.5),
)
SPELL = Axis(
    "Grain: steps of a spell", (1, 2, 4, 5, 10, 20), (1, 2, 4, 5, 10, 20), log=True, whole=True
)


def specialists_win_above(crowding: float, niches: int = K) -> float:
    """Return the exponent of T3 at the rivals that one of N agents meets in a niche, (N-1)/K."""
    rivals = crowding - 1 / niches
    return budget.specialist_exponent(rivals) if rivals > 0 else math.inf


def specialists_crowd_above(crowding: float, niches: int = K) -> float:
    """Return the exponent of T3 in a crowd of N agents on K niches, N between whole numbers too."""
    agents, part = divmod(niches * crowding, 1)
    least, most = (crowd.specialist_exponent(int(agents) + more, niches) for more in (0, 1))
    return least if part == 0 else least + part * (most - least)


def curvature_above(spell: float) -> float:
    """Return the curvature of M1 above which the specialist does better."""
    return grain.width_exponent(FLOOR, int(spell), WINDOW)


def crowded(r: float, crowding: float) -> Point:
    """Return the keys of a cell with as many organisms."""
    return {"tradeoff.exponent": r, "population.size": round(K * crowding)}


def crowded_market(r: float, crowding: float) -> Point:
    """Return the keys of a cell with as many firms, entry in proportion."""
    size = round(K * crowding)
    # A tenth of the firms are new in ten periods; they come when there is room.
    return crowded(r, crowding) | {"population.limit": size, "market.entry.rate": size / 100}


def grain_point(c: float, spell: float) -> Point:
    """Return the keys of a cell."""
    return {"tradeoff.exponent": c, "environment.switching.spell": int(spell)}


def grain_market(c: float, spell: float) -> Point:
    """Return the keys of a cell, with revenue that keeps capital within bounds."""
    # Revenue at which a generalist's capital neither grows nor shrinks: a float64 holds the run.
    pays = 2.0 / max(0.5**c, FLOOR) / WINDOW
    return grain_point(c, spell) | {"niches.productivity": pays}


_TWO: list[dict[str, Any]] = [
    {"name": "specialist", "allocation": [1.0, 0.0]},
    {"name": "generalist", "allocation": [0.5, 0.5]},
]
# T3 asks which breadth is best of all, not which neighbour is better: mutants differ enough (.3)
# to cross from one niche to another, and founders have any breadth.
MUTATION: dict[str, Any] = {"rate": 0.1, "step": 0.3}  # of all worlds that mutate
ORGANISMS = {
    "world": "ecology",
    "niches": {"count": K},
    "population": {"start": "random"},
    "selection": {"kind": "wright-fisher"},
    "mutation": MUTATION,
    "run": {"steps": 1000},
    "record": {"every": 25},
}
FIRMS = {
    "world": "market",
    "niches": {"count": K},
    "population": {"start": "random"},
    "market": {"exit": {"standard": 0.8, "patience": 5}},
    "run": {"steps": 1500},
    "record": {"every": 50},
}
WINDOWS = {
    "world": "ecology",
    "niches": {"count": 2},
    "environment": {"switching": {"amplitude": 1.0}},
    "population": {"size": 300, "groups": _TWO},
    "tradeoff": {"floor": FLOOR},
    "competition": {"kind": "independent"},
    "selection": {"kind": "wright-fisher", "window": WINDOW},
    "mutation": {"rate": 0.0},
    "run": {"steps": 100 * WINDOW},
    "record": {"every": WINDOW},
}
CAPITAL = {
    "world": "market",
    "niches": {"count": 2},
    "environment": {"switching": {"amplitude": 1.0}},
    "population": {"size": 2, "stock_variation": 0.0, "groups": _TWO},
    "tradeoff": {"floor": FLOOR},
    "competition": {"kind": "independent"},
    "market": {
        "entry": {"rate": 0.0}, "exit": {"enabled": False},
        "costs": {"upkeep": 1.0 / WINDOW}, "investment": {"period": WINDOW},
    },
    "run": {"steps": 100 * WINDOW, "precision": "float64"},
    "record": {"every": WINDOW},
}  # fmt: skip

SHARED = ("model.niches", "model.environment", "model.tradeoff", "model.competition",
           "model.population", "model.start", "model.founders", "model.tally")  # fmt: skip
ECOLOGY = ("model.selection.wright_fisher", "model.inheritance", "worlds.ecology")
MARKET = ("model.selection.exit", "model.selection.capital", "model.selection.founding",
           "worlds.market")  # fmt: skip
_SEEN = "Run, and changed after trial runs, before maps were registered."
_SURER = (
    "Since first registered: {}a cell is decided by Student's t at 5 % in place of two standard "
    "errors; cells and their expectations are what they were."
)
MORE, SURER = _SURER.format("6 replicates (quick) in place of 4; "), _SURER.format("")
_LOCAL_NOTE = (
    "With mutations of .03 instead of .3 small communities stay between niches: branching needs "
    "more agents than there are (8 a niche, r = 2.6: share of specialists about .2)."
)

CROWDED = (
    Boundary("T3 in a crowd of N agents", specialists_crowd_above),
    Boundary("T3, rivals (N-1)/K in every niche", specialists_win_above),
    Boundary("T1, r = 1", lambda _: 1.0),
)
WINDOWED = (Boundary("M1: windows of 20 steps, floor .05", curvature_above),)


def crowding_plane(world: str, title: str, **given: Any) -> Plane:
    """Return a plane of contest x returns exponent against rivals a niche."""
    return Plane(**{
        "world": world, "map": "crowding", "title": title, "across": EXPONENT, "up": CROWDING,
        "boundaries": CROWDED, "shares": SHARED, "replicates": {"quick": 6, "full": 16},
        "counted": True, "history": MORE, **given,
    })  # fmt: skip


def grain_plane(world: str, title: str, **given: Any) -> Plane:
    """Return a plane of the trade-off's curvature against the length of a spell."""
    return Plane(**{
        "world": world, "map": "grain", "title": title, "across": CURVATURE, "up": SPELL,
        "boundaries": WINDOWED, "shares": SHARED, "replicates": {"quick": 8, "full": 32},
        "counted": True, "history": SURER, **given,
    })  # fmt: skip


HEADS: dict[str, Any] = {"metric": "specialist_share", "rest": False, "own": ECOLOGY}
LINES: dict[str, Any] = {
    "metric": "specialist_share", "rest": False,
    "own": ("model.selection.wright_fisher", "worlds.ecology"),
}  # fmt: skip
MONEY: dict[str, Any] = {"metric": "generalist_capital_share", "rest": True, "own": MARKET}

PLANES = (
    crowding_plane(
        "ecology",
        "Ecology: contest, inheritance and mutation",
        scenario=ORGANISMS,
        point=crowded,
        note=_LOCAL_NOTE,
        before=_SEEN,
        **HEADS,
    ),
    grain_plane(
        "ecology",
        "Ecology: offspring by the gains of a window",
        scenario=WINDOWS,
        point=grain_point,
        before=_SEEN,
        **LINES,
    ),
    crowding_plane(
        "market",
        "Market: capital, exit and random entry",
        scenario=FIRMS,
        point=crowded_market,
        before=_SEEN,
        **MONEY,
    ),
    grain_plane(
        "market",
        "Market: capital by the gains of a window",
        scenario=CAPITAL,
        point=grain_market,
        before=_SEEN,
        **MONEY,
    ),
)
