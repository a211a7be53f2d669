"""What a scenario's population starts from: numbers of each founder, before any is drawn."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model.traced import traced
from ecosim.scenario import Scenario, community
from ecosim.scenario.measured import methods_of


class Start(NamedTuple):
    """Traced numbers of the start; one entry for each of N founders where `[N]`."""

    row: Array  # int32[N] row of the table of allocations
    group: Array  # int32[N]
    patch: Array  # int32[N]
    budget: Array  # float[N]
    stock: Array  # float[N] mean of the starting stock
    table: Array  # float[G, K] allocations to start from
    stock_variation: Array
    variation: Array
    position: Array  # float[] or [N], on an axis
    log_width: Array  # likewise
    breadth_exponent: Array
    method: Array  # int32[N]; -1: drawn at random


def start_of(scenario: Scenario) -> tuple[str, Start]:
    """Return the kind of start (table, a word of population.start, or axis) and its numbers."""
    if scenario.population.community is not None:
        return _community(scenario, scenario.population.community)
    p, k, dtype = scenario.population, scenario.niches.count, scenario.run.precision
    group = _group_of_each(scenario)
    factor = np.array([g.budget for g in p.groups] or [1.0])[group]
    abundance = np.array([g.stock for g in p.groups] or [1.0])[group]
    market = scenario.world == "market"
    kind, table, row = "table", np.full((1, k), 1.0 / k), np.zeros(p.size, int)
    if scenario.niches.space == "axis":
        kind = "axis"
    elif p.groups:
        table, row = np.array([g.allocation for g in p.groups], float), group
    elif p.start in ("random", "random-specialists", "pareto"):
        kind = p.start
    elif p.start == "specialists":
        row = np.arange(p.size) % k
        if scenario.niches.used is None:
            table = np.eye(k)
        else:  # each is described by itself: a table would be K x K
            kind = p.start
    elif p.allocation is not None:
        table = np.array([p.allocation])
    length = scenario.niches.length
    return kind, Start(
        row=traced(row, "int32"),
        group=traced(group, "int32"),
        patch=traced(_patch_of_each(scenario), "int32"),
        budget=traced(p.budget * (1.0 if market else factor) * np.ones(p.size), dtype),
        stock=traced(p.stock * abundance * _stock_factor(scenario, group, factor), dtype),
        table=traced(table / table.sum(axis=1, keepdims=True), dtype),
        stock_variation=traced(p.stock_variation, dtype),
        variation=traced(p.variation, dtype),
        position=traced(_of_each(scenario, "position", length / 2), dtype),
        log_width=traced(np.log(_of_each(scenario, "width", length)), dtype),
        breadth_exponent=traced(p.breadth_exponent or 1.0, "float64"),
        method=traced(_method_of_each(scenario, group), "int32"),
    )


def _community(scenario: Scenario, path: str) -> tuple[str, Start]:
    """Return the start from the agents of a table, as they are."""
    table, dtype = community.agents(path), scenario.run.precision
    axis, size = scenario.niches.space == "axis", len(table)
    shares = table[[f"allocation_{k}" for k in range(scenario.niches.count)]].to_numpy(float)
    place, width = (table["position"], table["width"]) if axis else (0.0, 1.0)
    return "axis" if axis else "table", Start(
        row=traced(np.arange(size), "int32"),
        group=traced(table["group"], "int32"),
        patch=traced(table["patch"], "int32"),
        budget=traced(table["budget"], dtype),
        stock=traced(table["stock"], dtype),
        table=traced(shares, dtype),
        stock_variation=traced(0.0, dtype),
        variation=traced(0.0, dtype),
        position=traced(place, dtype),
        log_width=traced(np.log(width), dtype),
        breadth_exponent=traced(1.0, "float64"),
        method=traced(table.get("method", np.full(size, -1)), "int32"),
    )


def _method_of_each(scenario: Scenario, group: np.ndarray) -> np.ndarray:
    """Return the index of each founder's method; -1 where it is drawn at random."""
    names = methods_of(scenario)
    own = [g.method for g in scenario.population.groups] or [None]
    return np.array([-1 if name is None else names.index(name) for name in own])[group]


def _of_each(scenario: Scenario, name: str, default: float) -> np.ndarray:
    """Return each founder's place or width on the axis: its group's, the population's, a default.

    One number for all where groups do not say otherwise.
    """
    own = getattr(scenario.population, name)
    common = default if own is None else own
    given = [getattr(group, name) for group in scenario.population.groups]
    if not any(value is not None for value in given):
        return np.array(common)
    return np.array([common if value is None else value for value in given])[
        _group_of_each(scenario)
    ]


def _stock_factor(scenario: Scenario, group: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Return what multiplies each founder's stock: a firm's size, or a density's exact quota."""
    if scenario.world == "market":
        return factor * np.ones(group.size)
    groups = scenario.population.groups
    if not scenario.densities or not groups:
        return np.ones(group.size)
    share = np.array([g.share for g in groups])
    heads = np.bincount(group, minlength=len(groups))
    return (share / share.sum() * group.size / heads)[group]


def _patch_of_each(scenario: Scenario) -> np.ndarray:
    """Return each founder's patch, in turn; specialists in turn of whole sets of niches."""
    place = np.arange(scenario.population.size)
    if scenario.population.start == "specialists":
        place = place // scenario.niches.count
    return place % scenario.patches.count


def _group_of_each(scenario: Scenario) -> np.ndarray:
    """Return each founder's group: numbers in proportion to shares, at least one of each.

    Largest remainders; what the smallest groups lack of one agent is taken from the largest.
    """
    groups, size = scenario.population.groups, scenario.population.size
    if not groups:
        return np.zeros(size, int)
    share = np.array([group.share for group in groups])
    exact = share / share.sum() * size
    whole = np.floor(exact + 1e-9)  # a quota that is whole but for rounding is whole
    counts = np.maximum(whole.astype(int), 1)
    order = np.argsort(-(exact - whole), kind="stable")
    counts[order[: max(size - counts.sum(), 0)]] += 1
    while counts.sum() > size:
        counts[np.argmax(counts)] -= 1
    return np.repeat(np.arange(len(groups)), counts)


def of_founders(start: Start, number: Array) -> Start:
    """Return the start of the founders of these numbers, counted from 0."""
    size = start.row.shape[0]
    own = ("row", "group", "patch", "budget", "stock", "position", "log_width", "method")
    of_each = {name: jnp.asarray(getattr(start, name)) for name in own}
    return start._replace(
        **{name: value[number] for name, value in of_each.items() if value.shape == (size,)}
    )
