"""Niche width of firms in spells of two states (M1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecosim.theory import grain
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import recordings

HANNAN = "Freeman & Hannan 1983, Am J Sociol 88:1116"


def _firms(v: Values, windows: int, order: str) -> dict[str, Any]:
    """A specialist and a generalist whose capital after a window is what they earned in it.

    Upkeep uses up all capital in a window, and revenue per capital is 1/window times competence.
    """
    return {
        "world": "market",
        "niches": {"count": 2, "productivity": 2.0 * v["g"] / v["W"]},
        "environment": {"switching": {"spell": v["L"], "amplitude": 1.0, "order": order}},
        "population": {
            "size": 2,
            "stock_variation": 0.0,
            "groups": [
                {"name": "specialist", "allocation": [1.0, 0.0]},
                {"name": "generalist", "allocation": [0.5, 0.5]},
            ],
        },
        "tradeoff": {"exponent": v["c"], "floor": v["eps"]},
        "competition": {"kind": "independent"},
        "market": {
            "entry": {"rate": 0.0},
            "exit": {"enabled": False},
            "costs": {"upkeep": 1.0 / v["W"]},
            "investment": {"period": v["W"]},
        },
        "run": {"steps": windows * v["W"], "precision": "float64"},
        "record": {"every": windows * v["W"]},
    }


def _observed_width(v: Values, seeds: Sequence[int], order: str = "random") -> Any:
    # With g = 2^c the generalist's capital neither grows nor shrinks.
    raw = _firms({**v, "g": 1 / max(0.5 ** v["c"], v["eps"])}, v["T"], order)
    margins = []
    for recording in recordings(raw, seeds):
        capital = recording.population.sort_values("group")["stock"].to_numpy()
        margins.append(np.log(capital[0] / capital[1]) / v["T"])
    return np.array(margins)


def _width_refuses(v: Values) -> str | None:
    if v["W"] % v["L"]:
        return "L must divide the window W (windows and spells are aligned)"
    if v["T"] * abs(np.log(v["eps"])) > 600:
        return "T |ln eps| must be at most 600, or a firm's capital may leave float64"
    return None


def _width(name: str, spell: int) -> Case:
    return Case(
        name=name,
        labels=("M1",),
        family="market",
        title=f"specialist's margin over a generalist per window, spells of {spell} by default",
        source=HANNAN,
        parameters=(
            Parameter("L", spell, "steps of a spell", least=1, most=200, whole=True),
            Parameter("eps", 0.05, "competence off the niche", above=1e-6, below=1),
            Parameter("c", 1.2, "exponent of fitness x^c", above=0, most=6),
            Parameter("W", 20, "steps of a window", least=1, most=200, whole=True),
            Parameter("T", 200, "windows", least=20, most=10_000, whole=True),
        ),
        expected=lambda v: grain.width_margin(v["c"], v["eps"], v["L"], v["W"]),
        observe=_observed_width,
        refuses=_width_refuses,
        rounding=1e-6,
        note="states drawn for each spell; alternating, the margin is +.187 at L = 10 too "
        "(ln((1+eps)/2) + c ln 2, whatever L): the specialist wins",
        curve=Curve("L", (1, 2, 4, 5, 10, 20), "specialist's margin per window")
        if spell == 2
        else None,
    )


def _alternating() -> Case:
    drawn = _width("niche-width-coarse", 10)
    return replace(
        drawn,
        name="niche-width-alternating",
        title="specialist's margin where spells alternate instead of being drawn",
        expected=lambda v: grain.alternating_width_margin(v["c"], v["eps"], v["L"], v["W"]),
        observe=lambda v, seeds: _observed_width(v, seeds, "alternating"),
        seeds=1,
        parameters=(replace(drawn.parameters[0], most=100), *drawn.parameters[1:]),
        refuses=lambda v: (
            _width_refuses(v) or ("2 L must divide the window W" if v["W"] % (2 * v["L"]) else None)
        ),
        note="Freeman & Hannan's grain is a matter of chance: where spells take turns and a window "
        "holds both states equally often, its length says nothing, and the specialist wins also "
        "where it loses in drawn spells (L = 10: +.187 against -.239).",
    )


CASES = (_width("niche-width-fine", 2), _width("niche-width-coarse", 10), _alternating())
