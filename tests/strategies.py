"""Hypothesis strategies shared by the tests: valid scenarios of a few compiled shapes.

Each entry of KINDS fixes the kinds of parts and the counts of things, which are static in a
compiled step; `scenarios` draws all numbers, which are not. So a test over hundreds of scenarios
compiles as many programs as it uses entries.
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

from ecosim.scenario import Scenario, validate

SIZE = 40

# A value that is None marks a table whose numbers are drawn; other values stay as they are.
KINDS: dict[str, dict[str, Any]] = {
    "energy-contest": {
        "niches": {"count": 4},
        "environment": {"seasonal": {}},
    },
    "energy-additive-limit": {
        "niches": {"count": 3},
        "population": {"limit": SIZE + 4, "start": "random"},
        "patches": {"count": 3, "graph": "star"},
        "tradeoff": {"kind": "saturating"},
        "competition": {"kind": "additive", "unclaimed": 0.0},
        "environment": {"switching": {}},
    },
    "energy-graph": {
        "niches": {"count": 5, "space": "graph", "graph": "cycle"},
        "tradeoff": {"kind": "threshold"},
        "competition": {"unclaimed": 0.0},
        "environment": {"shocks": {}},
    },
    "energy-patches": {
        "niches": {"count": 3},
        "population": {"start": "specialists"},
        "patches": {"count": 4, "graph": [[0, 1, 1.0], [1, 2, 3.0]]},
        "environment": {"switching": {"order": "alternating"}, "opening": {}},
    },
    "energy-axis-drift": {
        "niches": {"count": 6, "space": "axis"},
        "environment": {"drift": {}},
    },
    "moran-birth-death": {
        "niches": {"count": 4},
        "population": {"groups": 3},
        "selection": {"kind": "moran", "order": "birth-death"},
    },
    "moran-death-birth": {
        "niches": {"count": 2},
        "selection": {"kind": "moran", "order": "death-birth"},
        "competition": {"kind": "additive"},
    },
    "wright-fisher-axis": {
        "niches": {"count": 5, "space": "axis"},
        "selection": {"kind": "wright-fisher"},
        "environment": {"seasonal": {}, "shocks": {}},
    },
    "wright-fisher-window": {
        "niches": {"count": 3},
        "selection": {"kind": "wright-fisher", "window": 3},
        "tradeoff": {"floor": True},
        "competition": {"kind": "independent"},
        "environment": {"switching": {}},
    },
    "wright-fisher-patches": {
        "niches": {"count": 3},
        "patches": {"count": 3, "graph": "path"},
        "selection": {"kind": "wright-fisher"},
        "environment": {"opening": {}},
    },
    "moran-global": {
        "niches": {"count": 2},
        "patches": {"count": 3, "graph": "star", "regulation": "global"},
        "selection": {"kind": "moran"},
        "competition": {"kind": "additive", "unclaimed": 0.0},
    },
    "energy-standard": {
        "niches": {"count": 3},
        "tradeoff": {"kind": "standard"},
        "competition": {"unclaimed": 0.0},
    },
    "market-period": {
        "world": "market",
        "niches": {"count": 4},
        "population": {"groups": 2},
        "tradeoff": {"floor": True},
        "competition": {"kind": "independent"},
        "market": {"investment": {"period": 3}},
    },
    "market-random": {
        "world": "market",
        "niches": {"count": 4},
        "population": {"groups": 2},
    },
    "market-unmet": {
        "world": "market",
        "niches": {"count": 4},
        "patches": {"count": 2},
        "competition": {"unclaimed": 0.0},
        "market": {
            "entry": {"kind": "unmet"},
            "incumbents": {"adaptation": "toward-demand"},
            "exit": {"basis": "absolute"},
        },
    },
    "market-imitation": {
        "world": "market",
        "niches": {"count": 3},
        "population": {"limit": SIZE + 6, "start": "random"},
        "competition": {"kind": "additive", "unclaimed": 0.0},
        "market": {"entry": {"kind": "imitation"}, "controls": {"shuffle_capital": True}},
    },
    "market-firms": {
        "world": "market",
        "niches": {"count": 3},
        "patches": {"count": 2},
        "population": {"start": "random"},
        "market": {
            "entry": {"kind": "imitation", "form": "power", "replacement": True},
            "exit": {"hazard": None},
            "growth": {"form": "log-normal"},
            "mergers": {"partner": "overlap"},
        },
    },
    "market-mergers": {
        "world": "market",
        "niches": {"count": 4},
        "population": {"limit": SIZE + 3, "start": "random"},
        "market": {
            "entry": {"replacement": True},
            "growth": {"form": "arithmetic"},
            "mergers": {"partner": "capital"},
        },
    },
    "market-axis": {
        "world": "market",
        "niches": {"count": 5, "space": "axis"},
        "market": {"exit": {"enabled": False}},
        "environment": {"drift": {}},
    },
}


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_subnormal=False)


def weights(count: int, low: float = 0.1) -> st.SearchStrategy[list[float]]:
    return st.lists(real(low, 1.0), min_size=count, max_size=count)


@st.composite
def scenarios(
    draw: st.DrawFn, name: str, *, precision: str = "float64", steps: int = 8, events: bool = True
) -> Scenario:
    """Draw all numbers of the kind of this name."""
    raw = copy.deepcopy(KINDS[name])
    raw.setdefault("world", "ecology")
    count = raw["niches"]["count"]
    for part in (_niches, _environment, _population, _tradeoff):
        part(draw, raw, count)
    (_market if raw["world"] == "market" else _life_cycle)(draw, raw)
    raw["name"] = name
    raw["run"] = {"steps": steps, "seed": draw(st.integers(0, 2**63 - 1)), "precision": precision}
    raw["record"] = {"events": events}
    return validate(raw)


def _niches(draw: st.DrawFn, raw: dict[str, Any], count: int) -> None:
    patches = raw.get("patches")
    if patches is None:
        raw["niches"]["supply"] = draw(weights(count))
    else:
        if raw["world"] == "ecology":
            patches["dispersal"] = draw(real(0, 1))
        rows = st.lists(weights(count), min_size=patches["count"], max_size=patches["count"])
        patches["supply"] = draw(rows)


def _environment(draw: st.DrawFn, raw: dict[str, Any], count: int) -> None:
    for name, table in raw.get("environment", {}).items():
        if name == "seasonal":
            table |= {"amplitude": draw(real(0.1, 1)), "period": draw(real(1.5, 20))}
            table["staggered"] = draw(st.booleans())
        elif name == "switching":
            table |= {"spell": draw(st.integers(1, 4)), "amplitude": draw(real(0.1, 0.9))}
            if table.get("order") != "alternating":
                table["probability"] = draw(real(0, 1))
        elif name == "shocks":
            table |= {"probability": draw(real(0, 0.6)), "severity": draw(real(0.1, 0.9))}
            table["recovery"] = draw(real(0.1, 1))
        elif name == "drift":
            table |= {"velocity": draw(real(-0.05, 0.05)), "noise": draw(real(0, 0.05))}
        elif name == "opening":
            table |= {"initial": draw(st.integers(1, count)), "interval": draw(st.integers(1, 4))}


def _population(draw: st.DrawFn, raw: dict[str, Any], count: int) -> None:
    population = raw.setdefault("population", {})
    population |= {
        "size": SIZE,
        "budget": draw(real(0.2, 4)),
        "variation": draw(real(0.01, 0.4)),
        "stock": draw(real(0.3, 1.2)),
        "stock_variation": draw(real(0, 1)),
    }
    if raw["niches"].get("space") == "axis":
        population |= {"position": draw(real(0, 1)), "width": draw(real(0.1, 1))}
    if "groups" in population:
        population["groups"] = [
            {"name": f"group {i}", "allocation": simplex(draw(weights(count, 0.01))),
             "share": draw(real(0.1, 1)), "budget": draw(real(0.5, 2))}
            for i in range(population["groups"])
        ]  # fmt: skip


def simplex(values: list[float]) -> list[float]:
    return [value / sum(values) for value in values]


def _tradeoff(draw: st.DrawFn, raw: dict[str, Any], count: int) -> None:
    tradeoff = raw.setdefault("tradeoff", {})
    tradeoff |= {"exponent": draw(real(0.3, 3)), "breadth_cost": draw(real(0, 0.3))}
    if tradeoff.get("kind") == "saturating":
        tradeoff["half_saturation"] = draw(real(0.1, 2))
    if tradeoff.get("kind") == "threshold":
        tradeoff["threshold"] = draw(real(1e-4, 0.2))
    if tradeoff.get("kind") == "standard":
        tradeoff |= {"threshold": draw(real(1e-2, 1.0)), "noise": draw(real(0, 1))}
    if "floor" in tradeoff:
        tradeoff["floor"] = draw(real(1e-3, 0.5))
    if raw["niches"].get("space") == "graph":
        tradeoff["transfer"] = draw(real(-0.5, 0.5))
    competition = raw.setdefault("competition", {})
    if tradeoff.get("kind") != "standard" and competition.get("kind") != "independent":
        competition["exponent"] = draw(real(0.4, 2))
    if "unclaimed" in competition:
        competition["unclaimed"] = draw(real(0.01, 5))


def _life_cycle(draw: st.DrawFn, raw: dict[str, Any]) -> None:
    selection, population = raw.setdefault("selection", {}), raw["population"]
    plenty = draw(st.none() | real(0.5, 3))  # None: what the population needs
    energy, upkeep = selection.get("kind", "energy") == "energy", draw(real(0.02, 0.4))
    if energy or plenty is None:
        selection["upkeep"] = upkeep
    if energy:
        selection |= {"mortality": draw(real(0, 0.15)), "division": draw(real(0.9, 3))}
        population["stock"] = min(population["stock"], 1.5 * selection["division"])
    raw["mutation"] = {"rate": draw(real(0, 1)), "step": draw(real(0, 0.4))}
    if raw["niches"].get("space", "set") == "set" and draw(st.booleans()):
        raw["mutation"] = {
            "kind": "repertoire", "gain": draw(real(0, 1)), "narrowing": draw(real(0, 1)),
        }  # fmt: skip
    if raw["niches"].get("space") == "axis":
        raw["mutation"]["width_step"] = draw(real(0, 0.3))
    if plenty is not None:
        raw["niches"]["productivity"] = plenty * SIZE * upkeep


def _market(draw: st.DrawFn, raw: dict[str, Any]) -> None:
    market = raw.setdefault("market", {})
    left, entry = market.setdefault("exit", {}), market.setdefault("entry", {})
    left |= {"standard": draw(real(0, 1.2)), "noise": draw(real(0, 0.2))}
    if left.get("enabled", True):
        left["patience"] = draw(st.integers(1, 3))
    if market["exit"].get("basis") == "absolute":
        market["exit"]["standard"] *= 0.1
    entry |= {
        "rate": draw(real(0, 5)), "density": draw(real(-0.03, 0.01)),
        "density_squared": draw(real(-1e-3, 0)), "capital": draw(real(0.3, 2)),
    }  # fmt: skip
    if raw["competition"].get("kind") != "independent":
        entry["unmet_demand"] = draw(real(0, 3))
    if entry.get("kind") == "imitation":
        entry["copying_error"] = draw(real(0, 0.3))
    market.setdefault("investment", {}).update({
        "reinvestment": draw(real(0, 1)), "flow": draw(real(0, 0.5)),
        "defunding": draw(real(0, 0.9)),
    })  # fmt: skip
    market["costs"] = {
        "fixed": draw(real(0, 0.1)), "upkeep": draw(real(0.02, 0.3)), "scale": draw(real(0, 1.5)),
    }  # fmt: skip
    if "incumbents" in market:
        market["incumbents"]["inertia"] = draw(real(0, 1))
    if market["entry"].get("form") == "power":
        market["entry"]["density"] = draw(real(0, 0.5))
    if "hazard" in market["exit"]:
        market["exit"] |= {
            "hazard": draw(real(0, 0.2)), "density": draw(real(-0.02, 0.02)),
            "density_squared": draw(real(-1e-3, 1e-3)),
        }  # fmt: skip
    if "growth" in market:
        market["growth"] |= {"drift": draw(real(-0.2, 0.1)), "volatility": draw(real(0, 0.4))}
    if "mergers" in market:
        market["mergers"]["rate"] = draw(real(0, 0.5))
