"""The one table of recorded metrics: name, one-line definition, unit, and the worlds that have it.

Report, README and `ecosim show` read it. A name that ends in `_k` stands for one column a niche.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

WORLDS = ("ecology", "market", "optimisation", "learning")


class Metric(NamedTuple):
    """What one recorded metric means; `unit` is empty where the number has none."""

    definition: str
    unit: str = ""
    worlds: tuple[str, ...] = WORLDS
    only: tuple[str, ...] = ()  # kinds of its parts, or learners, that record it; empty: all


_LIVING = ("ecology", "optimisation", "learning")
_MARKET = ("market",)
_CONDUCT = ("effort", "price", "quality", "cournot")

METRICS: dict[str, Metric] = {
    "step": Metric("Time of the record", "steps"),
    "population": Metric("Living agents", "agents"),
    "births": Metric("Births since the last record", "agents", _LIVING),
    "deaths": Metric("Deaths since the last record", "agents", _LIVING),
    "entries": Metric("Firms founded since the last record", "firms", _MARKET),
    "exits": Metric(
        "Firms that left since the last record, those acquired included", "firms", _MARKET
    ),
    "births_refused": Metric(
        "Births or foundings since the last record that population.limit turned away", "agents"
    ),
    "mergers": Metric("Firms acquired by others since the last record", "firms", _MARKET),
    "specialist_entries": Metric(
        "Specialists (at least 0.9 of the allocation in one niche) founded since the last record",
        "firms",
        _MARKET,
    ),
    "specialist_exits": Metric(
        "Specialists that left since the last record, those acquired included", "firms", _MARKET
    ),
    "breadth_mean": Metric(
        "Mean breadth: effective number of niches an agent uses, exp of the entropy of its "
        "allocation",
        "niches",
    ),
    "breadth_q05": Metric("5 % of the agents are no broader than this, told to 0.4 %", "niches"),
    "breadth_q50": Metric("Median breadth, told to 0.4 %", "niches"),
    "breadth_q95": Metric("95 % of the agents are no broader than this, told to 0.4 %", "niches"),
    "depth_mean": Metric(
        "Mean depth: the share of its allocation that an agent puts in its main niche",
        "share of allocation",
    ),
    "specialist_share": Metric(
        "Share of agents with at least 0.9 of their allocation in one niche", "share of agents"
    ),
    "coverage": Metric(
        "Share of supplied niches in which at least one agent has 0.9 of its allocation or more",
        "share of niches",
    ),
    "niches_used": Metric(
        "Share of supplied niches that are the main niche of at least one agent", "share of niches"
    ),
    "evenness": Metric("Pielou's evenness of the niches' mean use, 1 = all used alike"),
    "overlap": Metric("Mean niche overlap of two agents (Pianka), 1 = they use the niches alike"),
    "hill_0": Metric("Number of niches that are the main niche of an agent", "niches"),
    "hill_1": Metric(
        "Effective number of main niches: Hill number of order 1, exp of the entropy", "niches"
    ),
    "hill_2": Metric(
        "Effective number of main niches: Hill number of order 2, inverse Simpson index", "niches"
    ),
    "strategy_diversity": Metric(
        "Effective number of strategies, order 2, alike ones counted as one by their overlap "
        "(Leinster and Cobbold)",
        "strategies",
    ),
    "emitted": Metric("Supply that the niches emitted in the step", "supply a step"),
    "received": Metric("Supply that agents received in the step", "supply a step"),
    "unclaimed": Metric(
        "Supply that nobody received in the step; of explicit resources what was lost or, below 0 "
        "where stocks fall, put in stock",
        "supply a step",
    ),
    "stock_mean": Metric("Mean reserve of an organism, or capital of a firm", "stock"),
    "age_mean": Metric("Mean age", "steps"),
    "hhi": Metric("Herfindahl-Hirschman index: sum of squared shares of capital", "", _MARKET),
    "c4": Metric("Share of capital that the four largest firms hold", "share of capital", _MARKET),
    "generalist_c4": Metric(
        "Of the capital of generalists, the share that the four largest of them hold",
        "share of capital",
        _MARKET,
    ),
    "generalist_hhi": Metric(
        "Herfindahl-Hirschman index of the generalists alone: 1 where there is one, 1/n where n "
        "are equal",
        "",
        _MARKET,
    ),
    "generalist_capital_share": Metric(
        "Share of capital that firms hold that are no specialists", "share of capital", _MARKET
    ),
    "capital_total": Metric("Capital of all firms together", "capital", _MARKET),
    "capital_performance_covariance": Metric(
        "Mean performance weighted by capital minus the plain mean (Olley and Pakes); above 0, "
        "capital sits where performance is",
        "revenue a unit of capital",
        _MARKET,
    ),
    "performance_mean": Metric(
        "Mean performance of the firms, weighted by capital", "revenue a unit of capital", _MARKET
    ),
    "performance_variance": Metric(
        "Variance of performance among the firms, weighted by capital",
        "(revenue a unit of capital)^2",
        _MARKET,
    ),
    "performance_change": Metric(
        "Change of the mean performance weighted by capital through the step's investment, exits "
        "and mergers alone, each firm's performance held fixed (the selection term of Price's "
        "equation)",
        "revenue a unit of capital",
        _MARKET,
    ),
    "breadth_mean_by_capital": Metric(
        "Mean breadth of the firms, each weighted by its capital", "niches", _MARKET
    ),
    "conduct_mean": Metric(
        "Mean of what the firms chose: effort, price or quality", "", _MARKET, _CONDUCT
    ),
    "profit_mean": Metric(
        "Mean profit of a firm after the cost of its conduct and its fixed cost",
        "revenue a step",
        _MARKET,
        _CONDUCT,
    ),
    "active_firms": Metric("Firms that received revenue in the step", "firms", _MARKET, _CONDUCT),
    "allocation_k": Metric("Mean share of an agent's allocation on niche k", "share of allocation"),
    "specialists_k": Metric("Share of agents that are specialists of niche k", "share of agents"),
    "supply_k": Metric(
        "Supply of niche k in the step: what it emitted or, of an explicit resource, its supply s",
        "supply a step",
    ),
    "resource_k": Metric(
        "Stock of explicit resource k, all patches together", "supply", _LIVING, ("resources",)
    ),
    "abundance": Metric(
        "Abundance: densities of all strains summed, or members counted",
        "individuals",
        _LIVING,
        ("growth", "ricker"),
    ),
    "group_abundance_k": Metric(
        "Abundance of group k of the start (of all where there are no groups)",
        "individuals",
        _LIVING,
        ("growth", "ricker"),
    ),
    "group_share_k": Metric("Share of agents that are of group k of the start", "share of agents"),
    "method_share_k": Metric(
        "Share of agents of method k, in the order of search.algorithms or training.learners",
        "share of agents",
        WORLDS,
        ("measured",),
    ),
    "performance_k": Metric(
        "Mean measured performance in niche k of those who put effort there",
        "1 = the best there is",
        WORLDS,
        ("measured",),
    ),
    "performance_best": Metric(
        "The largest of the mean performances in the niches",
        "1 = the best there is",
        WORLDS,
        ("measured",),
    ),
    "expert_information": Metric(
        "Mutual information of expert and task over ln K, mean of the living learners of experts "
        "(mixture, routed): 1, each task has its expert; not defined where none is alive",
        "1 = all there is",
        ("learning",),
        ("mixture", "routed"),
    ),
    "split_k": Metric(
        "Share of group k (of all where there are no groups) that lived in habitat 0 in the step",
        "share of individuals",
        _LIVING,
        ("ricker",),
    ),
    "capital_k": Metric(
        "Share of all capital that is allocated to niche k", "share of capital", _MARKET
    ),
}

_PER_NICHE = re.compile(
    r"^(allocation|specialists|supply|capital|resource|group_share|group_abundance|split"
    r"|method_share|performance)_(\d+)$"
)

_PER_GROUP = ("group_share", "group_abundance", "split")


def describe(name: str) -> Metric:
    """Return the definition of a metric; for `allocation_3` that of niche 3."""
    matched = _PER_NICHE.match(name)
    if matched is None:
        return METRICS.get(name, Metric("Not in the glossary"))
    general = METRICS[f"{matched[1]}_k"]
    numbered = re.sub(r"\b(niche|group|method) k\b", rf"\1 {matched[2]}", general.definition)
    return general._replace(definition=numbered)


def ordered(names: Iterable[str]) -> list[str]:
    """Return metrics in the order of this table, those of niche 0 before those of niche 1.

    Names that it does not know come last.
    """
    place = {name: position for position, name in enumerate(METRICS)}

    def key(name: str) -> tuple[int, int]:
        matched = _PER_NICHE.match(name)
        if matched is not None:
            return place[f"{matched[1]}_k"], int(matched[2])
        return place.get(name, len(place)), 0

    return sorted(names, key=key)


def is_per_niche(name: str) -> bool:
    """Say whether a metric is one of those with one column a niche."""
    return _PER_NICHE.match(name) is not None


def known(
    name: str,
    world: str,
    niches: int,
    *,
    groups: int = 0,
    methods: int = 0,
    kinds: Collection[str] | None = None,
) -> bool:
    """Say whether a run of `world` with so many niches, groups and methods can have the metric.

    With `kinds`, its kinds of selection, competition and trade-off, also whether these record it.
    """
    if kinds is not None and name != "step":
        only = describe(name).only
        if only and not set(only) & set(kinds):
            return False
    matched = _PER_NICHE.match(name)
    if matched is not None:
        number = int(matched[2])
        count = groups if matched[1] in _PER_GROUP else niches
        count = methods if matched[1] == "method_share" else count
        if kinds is not None and "ricker" in kinds and matched[1] != "group_share":
            count = max(count, 1)  # all are one group where there are none
        given = number < count and matched[2] == str(number)
        return given and world in METRICS[f"{matched[1]}_k"].worlds
    return name in METRICS and not name.endswith("_k") and world in METRICS[name].worlds


def near(name: str, world: str) -> list[str]:
    """Return up to three metrics of `world` whose names are close to `name`."""
    names = [key for key, metric in METRICS.items() if world in metric.worlds]
    return difflib.get_close_matches(name, names, n=3, cutoff=0.5)
