"""The planes of ecology and market, each with its own selection and with the other's.

Map `crowding`: contest x returns exponent against rivals a niche, N/K. Map `grain`: curvature of
the trade-off against the length of a spell (Freeman & Hannan 1983).
"""

from __future__ import annotations

import math
from typing import Any

from ecosim.studies.planes import Axis, Boundary, Plane, Point
from ecosim.theory import budget, crowd, grain

K = 8
_WINDOW, _FLOOR = 20, 0.05

_EXPONENT = Axis(
    "Contest × returns exponent r",
    (0.6, 0.8, 0.95, 1.05, 1.2, 1.5, 2.0, 2.6),
    (0.5, 0.6, 0.7, 0.8, 0.9, 0.96, 1.04, 1.1, 1.2, 1.35, 1.5, 1.7, 2.0, 2.3, 2.6, 3.0),
)
_CROWDING = Axis(
    "Crowding: rivals a niche N/K",
    (1.0, 2.0, 4.0, 8.0, 32.0),
    (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
    log=True,
)
_CURVATURE = Axis(
    "Curvature of the trade-off c",
    (0.6, 0.8, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4),
    (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2.0, 2.2, 2.5),
)
_SPELL = Axis(
    "Grain: steps of a spell", (1, 2, 4, 5, 10, 20), (1, 2, 4, 5, 10, 20), log=True, whole=True
)


def specialists_win_above(crowding: float) -> float:
    """Return the exponent of T3 at the rivals that one of N agents meets in a niche, (N-1)/K."""
    rivals = crowding - 1 / K
    return budget.specialist_exponent(rivals) if rivals > 0 else math.inf


def specialists_crowd_above(crowding: float) -> float:
    """Return the exponent of T3 in a crowd of N agents on K niches, N between whole numbers too."""
    agents, part = divmod(K * crowding, 1)
    least, most = (crowd.specialist_exponent(int(agents) + more, K) for more in (0, 1))
    return least if part == 0 else least + part * (most - least)


def curvature_above(spell: float) -> float:
    """Return the curvature of M1 above which the specialist does better."""
    return grain.width_exponent(_FLOOR, int(spell), _WINDOW)


def _crowded(r: float, crowding: float) -> Point:
    return {"tradeoff.exponent": r, "population.size": round(K * crowding)}


def _crowded_market(r: float, crowding: float) -> Point:
    size = round(K * crowding)
    # A tenth of the firms are new in ten periods; they come when there is room.
    return _crowded(r, crowding) | {"population.limit": size, "market.entry.rate": size / 100}


def _grain(c: float, spell: float) -> Point:
    return {"tradeoff.exponent": c, "environment.switching.spell": int(spell)}


def _grain_market(c: float, spell: float) -> Point:
    # Revenue at which a generalist's capital neither grows nor shrinks: a float64 holds the run.
    pays = 2.0 / max(0.5**c, _FLOOR) / _WINDOW
    return _grain(c, spell) | {"niches.productivity": pays}


_TWO: list[dict[str, Any]] = [
    {"name": "specialist", "allocation": [1.0, 0.0]},
    {"name": "generalist", "allocation": [0.5, 0.5]},
]
# T3 asks which breadth is best of all, not which neighbour is better: mutants differ enough (.3)
# to cross from one niche to another, and founders have any breadth.
_ORGANISMS = {
    "world": "ecology",
    "niches": {"count": K},
    "population": {"start": "random"},
    "selection": {"kind": "wright-fisher"},
    "mutation": {"rate": 0.1, "step": 0.3},
    "run": {"steps": 1000},
    "record": {"every": 25},
}
_FIRMS = {
    "world": "market",
    "niches": {"count": K},
    "population": {"start": "random"},
    "market": {"exit": {"standard": 0.8, "patience": 5}},
    "run": {"steps": 1500},
    "record": {"every": 50},
}
_WINDOWS = {
    "world": "ecology",
    "niches": {"count": 2},
    "environment": {"switching": {"amplitude": 1.0}},
    "population": {"size": 300, "groups": _TWO},
    "tradeoff": {"floor": _FLOOR},
    "competition": {"kind": "independent"},
    "selection": {"kind": "wright-fisher", "window": _WINDOW},
    "mutation": {"rate": 0.0},
    "run": {"steps": 100 * _WINDOW},
    "record": {"every": _WINDOW},
}
_CAPITAL = {
    "world": "market",
    "niches": {"count": 2},
    "environment": {"switching": {"amplitude": 1.0}},
    "population": {"size": 2, "stock_variation": 0.0, "groups": _TWO},
    "tradeoff": {"floor": _FLOOR},
    "competition": {"kind": "independent"},
    "market": {
        "entry": {"rate": 0.0}, "exit": {"enabled": False},
        "costs": {"upkeep": 1.0 / _WINDOW}, "investment": {"period": _WINDOW},
    },
    "run": {"steps": 100 * _WINDOW, "precision": "float64"},
    "record": {"every": _WINDOW},
}  # fmt: skip

_SHARED = ("model.niches", "model.environment", "model.tradeoff", "model.competition",
           "model.population", "model.founders", "model.tally")  # fmt: skip
_ECOLOGY = ("model.selection.wright_fisher", "model.inheritance", "worlds.ecology")
_MARKET = ("model.selection.exit", "model.selection.capital", "model.selection.founding",
           "worlds.market")  # fmt: skip
_LOCAL_NOTE = (
    "With mutations of .03 instead of .3 small communities stay between niches: branching needs "
    "more agents than there are (8 a niche, r = 2.6: share of specialists about .2)."
)
_WHOLE_NOTE = (
    "M1 counts what each earns by itself; where all of a step's supply is divided among those who "
    "are there, rarity pays and M1 does not hold: it is drawn for comparison."
)


def _crowding_plane(world: str, title: str, **given: Any) -> Plane:
    return Plane(
        world=world, map="crowding", title=title, across=_EXPONENT, up=_CROWDING,
        boundaries=(
            Boundary("T3 in a crowd of N agents", specialists_crowd_above),
            Boundary("T3, rivals (N-1)/K in every niche", specialists_win_above),
            Boundary("T1, r = 1", lambda _: 1.0),
        ),
        shares=_SHARED,
        replicates={"quick": 4, "full": 16}, **given,
    )  # fmt: skip


def _grain_plane(world: str, title: str, **given: Any) -> Plane:
    return Plane(
        world=world, map="grain", title=title, across=_CURVATURE, up=_SPELL,
        boundaries=(Boundary("M1: windows of 20 steps, floor .05", curvature_above),),
        shares=_SHARED, replicates={"quick": 8, "full": 32}, **given,
    )  # fmt: skip


_HEADS: dict[str, Any] = {"metric": "specialist_share", "rest": False, "own": _ECOLOGY}
_LINES: dict[str, Any] = {
    "metric": "specialist_share", "rest": False,
    "own": ("model.selection.wright_fisher", "worlds.ecology"),
}  # fmt: skip
_MONEY: dict[str, Any] = {"metric": "generalist_capital_share", "rest": True, "own": _MARKET}

PLANES = (
    _crowding_plane("ecology", "Ecology: contest, inheritance and mutation",
                    scenario=_ORGANISMS, point=_crowded, note=_LOCAL_NOTE, **_HEADS),
    _grain_plane("ecology", "Ecology: offspring by the gains of a window",
                 scenario=_WINDOWS, point=_grain, **_LINES),
    _crowding_plane("market", "Market: capital, exit and random entry",
                    scenario=_FIRMS, point=_crowded_market, **_MONEY),
    _grain_plane("market", "Market: capital by the gains of a window",
                 scenario=_CAPITAL, point=_grain_market, **_MONEY),
    # The ecology's variation (descent with mutation from an even start of what there is) under
    # the market's selection: entrants copy a firm drawn by its revenue, with the same step.
    _crowding_plane(
        "ecology-swapped", "Ecology's descent with the market's selection",
        scenario=_FIRMS | {"market": {
            "exit": {"standard": 0.8, "patience": 5},
            "entry": {"kind": "imitation", "copying_error": 0.3},
        }},
        point=_crowded_market, **_MONEY,
    ),
    # The market's variation (scope drawn at random once, never changed) under the ecology's.
    _crowding_plane(
        "market-swapped", "Market's random scope with the ecology's selection",
        scenario=_ORGANISMS | {"mutation": {"rate": 0.0}}, point=_crowded, **_HEADS,
    ),
    # Competition swapped: not what each earns by itself counts, but its part of a supply that is
    # divided whole in every step, so that a rare type gains where its rivals are poor.
    _grain_plane(
        "ecology-swapped", "Ecology, the supply of each step divided whole",
        scenario=_WINDOWS | {"competition": {"kind": "additive"}}, point=_grain,
        note=_WHOLE_NOTE, **_LINES,
    ),
    _grain_plane(
        "market-swapped", "Market, the supply of each step divided whole",
        scenario=_CAPITAL | {"competition": {"kind": "additive"}}, point=_grain_market,
        note=_WHOLE_NOTE, **_MONEY,
    ),
)  # fmt: skip
