"""Words that nothing reads: each is refused, and the message says where it has an effect."""

import pytest

from ecosim.errors import ScenarioError
from ecosim.scenario import validate

ECOLOGY = {"world": "ecology"}
MARKET = {"world": "market"}
MORAN = {"selection": {"kind": "moran"}}
FISHER = {"selection": {"kind": "wright-fisher"}}
REPERTOIRE = {"mutation": {"kind": "repertoire"}}
RICKER = {"selection": {"kind": "ricker"}, "habitats": {}, "niches": {"productivity": 9.0}}
RESOURCES = {"competition": {"kind": "resources"}}
KERNEL = {
    "niches": {"space": "axis"}, "competition": {"kind": "lotka-volterra"},
    "selection": {"kind": "birth-death"},
}  # fmt: skip
COURNOT = {"niches": {"count": 1}, "competition": {"kind": "cournot"}}
CIRCLE = {
    "niches": {"count": 1}, "competition": {"kind": "circular"},
    "market": {"conduct": {"kind": "price"}},
}  # fmt: skip
FREE = COURNOT | {"market": {"entry": {"kind": "free"}}}
CLOSED = {"market": {"exit": {"enabled": False}}}
SUPPLIES = {"niches": {"count": 2}, "patches": {"count": 2, "supply": [[1.0, 2.0], [2.0, 1.0]]}}


def merged(one, two):
    both = dict(one)
    for key, value in two.items():
        both[key] = merged(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


def scenario(world, tables, key, value):
    for name in reversed(key.split(".")):
        value = {name: value}
    return merged(merged(world, tables), value)


# World, tables, the word and what it is set to, what the message says, and tables beside which the
# same word is read (None: no other tables make it so).
WORDS = [
    (ECOLOGY, MORAN, "selection.mortality", 0.2, "'energy'", {}),
    (ECOLOGY, FISHER, "selection.division", 3.0, "'energy'", {}),
    (ECOLOGY, RICKER, "selection.mortality", 0.2, "'energy'", {}),
    (ECOLOGY, RICKER, "selection.upkeep", 0.2, "pays for gains", FISHER),
    (ECOLOGY, FISHER | {"niches": {"productivity": 9.0}}, "selection.upkeep", 0.2,
     "productivity is absent", MORAN),
    (ECOLOGY, MORAN | {"niches": {"productivity": 9.0}}, "selection.upkeep", 0.2,
     "productivity is absent", {"niches": {"productivity": 9.0}}),
    (ECOLOGY, KERNEL, "selection.upkeep", 0.2, "pays for gains", RESOURCES),
    (ECOLOGY, KERNEL, "niches.productivity", 9.0, "for a supply", MORAN),
    (ECOLOGY, KERNEL, "environment.seasonal", {}, "for a supply", {}),
    (ECOLOGY, KERNEL, "environment.switching", {}, "for a supply", {}),
    (ECOLOGY, KERNEL, "environment.shocks", {}, "for a supply", {}),
    (ECOLOGY, KERNEL, "environment.drift", {}, "for a supply", {"niches": {"space": "axis"}}),
    (ECOLOGY, KERNEL, "environment.opening", {}, "for a supply", {}),
    (ECOLOGY, KERNEL, "environment.fluctuation", {"range": 0.1}, "for a supply", RESOURCES),
    (ECOLOGY, KERNEL, "tradeoff.exponent", 1.5, "by competence", RESOURCES),
    (ECOLOGY, KERNEL, "tradeoff.floor", 0.1, "by competence", RICKER),
    (ECOLOGY, KERNEL, "tradeoff.breadth_cost", 0.1, "by competence", {}),
    (ECOLOGY, KERNEL, "tradeoff.kind", "standard", "by competence", None),
    (ECOLOGY, KERNEL, "population.budget", 2.0, "by competence", {}),
    (ECOLOGY, {}, "mutation.width_step", 0.2, "axis", {"niches": {"space": "axis"}}),
    (ECOLOGY, REPERTOIRE, "mutation.rate", 0.2, "'step'", {}),
    (ECOLOGY, REPERTOIRE, "mutation.step", 0.2, "'step'", {}),
    (ECOLOGY, {}, "mutation.gain", 0.2, "'repertoire'", REPERTOIRE),
    (ECOLOGY, {}, "mutation.narrowing", 0.2, "'repertoire'", REPERTOIRE),
    (ECOLOGY, KERNEL, "mutation.kind", "repertoire", "a set or a graph", {}),
    (ECOLOGY, {}, "patches.dispersal", 0.2, "patches.count > 1", {"patches": {"count": 2}}),
    (ECOLOGY, {}, "patches.graph", "cycle", "patches.count > 1", {"patches": {"count": 3}}),
    (MARKET, {"patches": {"count": 2}}, "patches.dispersal", 0.2, "firms do not disperse", None),
    (ECOLOGY, {}, "run.branch_size", 9, "'branched'",
     {"niches": {"space": "axis"}, "run": {"until": "branched"}}),
    (ECOLOGY, {"run": {"until": "fixed"}}, "run.branch_distance", 0.1, "'branched'",
     {"niches": {"space": "axis"}, "run": {"until": "branched"}}),
    (ECOLOGY, {}, "run.settled_steps", 9, "'settled'", {"run": {"until": "settled"}}),
    (ECOLOGY, {"environment": {"switching": {"order": "alternating"}}},
     "environment.switching.probability", 0.2, "'random'", {"environment": {"switching": {}}}),
    (ECOLOGY, SUPPLIES, "niches.supply", [1.0, 2.0], "no patches.supply",
     {"niches": {"count": 2}}),
    (ECOLOGY, {"niches": {"count": 1}}, "tradeoff.breadth_cost", 0.1, "two niches", {}),
    (ECOLOGY, {"niches": {"count": 1, "space": "graph", "graph": "cycle"}}, "tradeoff.transfer",
     0.1, "two niches", {"niches": {"space": "graph", "graph": "cycle"}}),
    (MARKET, CLOSED, "market.exit.patience", 9, "exit.enabled", {}),
    (MARKET, {}, "market.entry.copying_error", 0.1, "'imitation'",
     {"market": {"entry": {"kind": "imitation"}}}),
    (MARKET, {"competition": {"kind": "independent"}}, "market.entry.unmet_demand", 0.1,
     "unclaimed", {}),
    (MARKET, {}, "market.incumbents.inertia", 0.1, "toward-demand",
     {"market": {"incumbents": {"adaptation": "toward-demand"}}}),
    (MARKET, {"niches": {"count": 1}}, "market.incumbents.adaptation", "toward-demand",
     "two niches", {}),
    (MARKET, FREE, "market.entry.replacement", True, "without free entry", COURNOT),
    (MARKET, FREE, "market.entry.form", "power", "without free entry", COURNOT),
    (MARKET, FREE, "market.exit.hazard", 0.1, "without free entry", COURNOT),
    (MARKET, FREE, "market.growth", {}, "without free entry", COURNOT),
    (MARKET, FREE, "market.mergers", {}, "without free entry", COURNOT),
    (MARKET, COURNOT, "tradeoff.exponent", 1.5, "by competence", {}),
    (MARKET, CIRCLE, "tradeoff.exponent", 1.5, "by competence", {}),
    (MARKET, COURNOT, "population.budget", 2.0, "by competence", {}),
    (MARKET, COURNOT, "market.costs.scale", 2.0, "by capital", {}),
    (MARKET, CIRCLE, "market.costs.scale", 2.0, "by capital", {}),
]  # fmt: skip


@pytest.mark.parametrize(("world", "tables", "key", "value", "says", "reads"), WORDS)
def test_a_word_that_nothing_reads_is_refused(world, tables, key, value, says, reads):
    validate(merged(world, tables))  # sound without it
    with pytest.raises(ScenarioError) as caught:
        validate(scenario(world, tables, key, value))
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert "has an effect only with" in found[key] and says in found[key], found
    if reads is not None:
        validate(scenario(world, reads, key, value))


@pytest.mark.parametrize("tables", [RESOURCES, RICKER])
def test_standards_are_refused_where_nobody_is_held_to_them(tables):
    standard = {"tradeoff": {"kind": "standard", "threshold": 0.5, "noise": 0.1}}
    validate(merged(ECOLOGY, standard))
    with pytest.raises(ScenarioError, match="found anew in each step"):
        validate(merged(merged(ECOLOGY, tables), standard))


def test_budgets_of_groups_that_compete_by_distance_are_refused():
    groups = [{"name": "a", "position": 0.1, "budget": 2.0}]
    with pytest.raises(ScenarioError, match=r"groups.0.budget: has an effect only"):
        validate(merged(ECOLOGY, KERNEL) | {"population": {"groups": groups}})


def test_a_standard_that_only_counts_strikes_may_stay():
    """Firms below it are counted in the table of the population though nobody has to leave."""
    validate(merged(MARKET, merged(CLOSED, {"market": {"exit": {"standard": 0.9}}})))


def test_a_web_gives_no_supply_beside_that_of_patches(tmp_path):
    web = tmp_path / "web.csv"
    web.write_text(",a,b\nx,2,1\ny,1,2\n")
    rows = {"population": {"web": str(web)}, "patches": {"count": 2, "supply": [[1, 2], [2, 1]]}}
    assert validate(merged(ECOLOGY, rows)).niches.supply is None
