"""Planes with part of a world replaced by another's, and controls of two crowding planes.

Selection swapped: agents of optimisation and learning under the market's exit and capital, entrants
copying a firm drawn by its revenue as descent does. Ecology and market *are* their selection: with
the other's each would be the other, so the two are not swapped; a market whose entrants copy, and
an ecology that does not mutate, are controls. Competition swapped: where niches divide their own
supply (contest), payoffs add instead (hard selection, T2); where nobody competes (grain), the
supply of each step is divided whole.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ecosim.studies import classic_planes as classic
from ecosim.studies import found_returns as returns
from ecosim.studies import measured_planes as found
from ecosim.studies.planes import Axis, Boundary, Plane, Point, Variant
from ecosim.theory.returns import projected_claim

_STEP = classic.MUTATION["step"]  # of mutants, and of entrants that copy
_IMITATION = {
    "exit": {"standard": 0.8, "patience": 5},
    "entry": {"kind": "imitation", "copying_error": _STEP},
}
_WHOLE = (
    "M1 counts what each earns by itself; where all of a step's supply is divided among those who "
    "are there, rarity pays and M1 need not hold: agreement with it is not expected."
)
_LIKE_T3 = "The boundary of T3 says nothing about how selection works: it is expected to hold."
_OWN = {plane.name: plane for plane in (*classic.PLANES, *found.PLANES)}


def _market(scenario: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a scenario under the market's selection: no life cycle, no mutation."""
    kept = {k: v for k, v in scenario.items() if k not in ("selection", "mutation")}
    return kept | {"world": "market"} | changes


def _firms(point: Point) -> Point:
    size = point["population.size"]
    return point | {"population.limit": size, "market.entry.rate": size / 100}


def _searching(r: float, crowding: float) -> Point:
    return _firms(found.searching(r, crowding))


def _learning(r: float, crowding: float) -> Point:
    return _firms(found.learning(r, crowding))


def _selection(name: str, **changes: Any) -> Plane:
    own = _OWN[name]
    given: dict[str, Any] = {
        "variant": "selection", "expects": _LIKE_T3, "note": "", "before": "",
        "history": own.history.replace(found.MUTANTS, ""),  # there are none
    }  # fmt: skip
    return replace(own, **given | changes)


def _selections() -> tuple[Plane, ...]:
    own = classic.MARKET
    entry = {"run": {"steps": 800}, "record": {"every": 40}, "market": _IMITATION}
    money: dict[str, Any] = {"metric": classic.MONEY["metric"], "rest": True}
    return (
        _selection(
            "optimisation-crowding", title="Searches, market's selection",
            scenario=_market(found.SEARCH, **entry), point=_searching,
            own=(*found.SEARCHED, *own), shares=found.COMMON, **money,
        ),
        _selection(
            "learning-crowding", title="Learners, market's selection",
            scenario=_market(found.LEARN, **entry), point=_learning,
            own=(*found.TRAINED, *own), shares=found.COMMON, **money,
        ),
        _selection(
            "optimisation-grain", title="Searches, capital by a window's gains",
            scenario=_capital(found.SEARCH_WINDOWS), point=_search_capital,
            own=(*found.SEARCHED, *own), shares=found.COMMON, expects="", **money,
        ),
        _selection(
            "learning-grain", title="Learners, capital by a window's gains",
            scenario=_capital(found.LEARN_WINDOWS), point=_learning_capital,
            own=(*found.TRAINED, *own), shares=found.COMMON, expects="", **money,
        ),
    )  # fmt: skip


def _capital(windows: dict[str, Any]) -> dict[str, Any]:
    population = windows["population"] | {"size": 40, "stock_variation": 0.0}
    run = {"steps": windows["run"]["steps"], "precision": "float64"}
    return _market(windows, population=population, run=run, market=classic.CAPITAL["market"])


def _search_capital(c: float, spell: float) -> Point:
    # What a generalist finds, so that its capital neither grows nor shrinks; measured, see there.
    point = found.search_grain(c, spell)
    claim = returns.SEARCH_WHOLE[c] * 2**-c
    return point | {"niches.productivity": 2.0 / claim / classic.WINDOW}


def _learning_capital(c: float, spell: float) -> Point:
    point = found.learning_grain(c, spell)
    claim = projected_claim(
        returns.FEW_EXAMPLES // 2, returns.FEW_DIMENSIONS, point["competition.exponent"],
        point["tradeoff.floor"],
    )  # fmt: skip
    return point | {"niches.productivity": 2.0 / claim / classic.WINDOW}


def _competition(name: str) -> Plane:
    plane = _OWN[name]
    crowding = plane.map == "crowding"
    # T3 of the plane itself: worlds differ in the number of niches.
    contest = replace(plane.boundaries[0], label=plane.boundaries[0].label + " (contest)")
    added = (Boundary("T2, r = 1 whatever the crowding", lambda _: 1.0), contest)
    given: dict[str, Any] = {
        "variant": "competition",
        "title": f"{plane.world.capitalize()}, "
                 + ("payoffs that add" if crowding else "supply divided whole"),
        "scenario": plane.scenario | {"competition": {"kind": "additive"}},
        "note": "" if crowding else _WHOLE, "expects": "", "before": "",
    }  # fmt: skip
    return replace(plane, **given | ({"boundaries": added} if crowding else {}))


def _control(
    variant: Variant, title: str, expects: str, *, of: str = "ecology", **changes: Any
) -> Plane:
    given: dict[str, Any] = {"variant": variant, "title": title, "expects": expects,
                             "note": "", "before": ""}  # fmt: skip
    return replace(_OWN[f"{of}-crowding"], **given | changes)


# The ecology's contour lies right of T3. With mutants at .1 and step .3, an infinite crowd at
# equal prices, fitness sum x_k^r, has .48, .72, .82 and .86 specialists at r = 1.2, 1.5, 2 and 2.6
# (numerical mutation-selection balance): its contour is at 1.21, with mutants at .02 at 1.04.
_CONTROLS = (
    _control(
        "mutation-rare",
        "Ecology, mutants at .02 in place of .1",
        "If mutation load moves the contour, it comes to 1.04 from 1.37 at 32 a niche; where "
        "drift does, at 4 a niche and fewer, it stays where it was, or goes further right.",
        scenario=classic.ORGANISMS | {"mutation": {"rate": 0.02, "step": _STEP}},
    ),
    _control(
        "mutation-off",
        "Ecology, no mutation",
        "No load: the contour comes to 1.03 to 1.1 at 32 a niche. Niches that drift empties stay "
        "empty: no specialists at 2 a niche and fewer.",
        scenario=classic.ORGANISMS | {"mutation": {"rate": 0.0}},
        history=classic.MORE + " The same runs had been registered a second time, as "
        "market-crowding-selection: a market of random scope under the ecology's selection.",
    ),
    _control(
        "numbers",
        "Ecology, mutants at .1, 256 a niche",
        "Load remains, drift goes: the contour comes from 1.37 to 1.21, not to T3's 1.003.",
        across=Axis(classic.EXPONENT.label, (1.05, 1.2, 1.35, 1.5), classic.EXPONENT.full),
        up=Axis(classic.CROWDING.label, (128.0, 256.0), (128.0, 256.0), log=True),
        replicates={"quick": 6, "full": 8},
        history=classic.SURER + " Replicates (quick) are 6 in place of 2.",
    ),
    _control(
        "imitation",
        "Market, entrants copy a firm drawn by its revenue",
        "The boundary of T3 says nothing about how firms come by their scope: it is expected to "
        "hold.",
        of="market",
        scenario=classic.FIRMS | {"market": _IMITATION},
        before="A run was begun, and not looked at, before maps were registered.",
        history=classic.MORE + " It was called ecology-crowding-selection, and stood for an "
        "ecology under the market's selection; nothing of an ecology is left in it.",
    ),
)

PLANES: tuple[Plane, ...] = (
    *_selections(),
    *(_competition(name) for name, plane in _OWN.items() if plane.map in ("crowding", "grain")),
    *_CONTROLS,
)
