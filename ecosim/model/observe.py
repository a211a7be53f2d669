"""What is recorded of a population: cheap statistics, the same in any order of agents."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.model import breadths, exact, habitats, maxima
from ecosim.model.step import State, World
from ecosim.model.structure import Kinds


def measure(
    world: World, kinds: Kinds, selection: object, state: State
) -> tuple[dict[str, Array], Array]:
    """Return metrics by name (float64, `[]` or `[K]`) and the histogram of breadth (int64[64])."""
    population, sums, unit = state.population, state.tally.sums, state.tally.share_unit
    alive = population.alive
    count = jnp.sum(sums.main).astype(jnp.float64)
    number = jnp.where(count > 0, count, jnp.nan)  # a mean of nobody is undefined
    use = sums.use.astype(jnp.float64) * unit / number
    special = jnp.sum(sums.specialists)
    supplied = jnp.sum(state.supply, axis=0) > 0
    kept = jnp.maximum(jnp.sum(supplied), 1).astype(jnp.float64)
    born, died = ("entries", "exits") if kinds.world == "market" else ("births", "deaths")
    metrics = {
        "population": count,
        born: state.births.astype(jnp.float64),
        died: state.deaths.astype(jnp.float64),
        "births_refused": state.refused.astype(jnp.float64),
        "breadth_mean": sums.breadth.astype(jnp.float64) * unit * kinds.niches / number,
        **breadths.quantiles(sums.breadths),
        "depth_mean": sums.depth.astype(jnp.float64) * unit / number,
        "specialist_share": special.astype(jnp.float64) / number,
        "coverage": jnp.sum(supplied & (sums.specialists > 0)).astype(jnp.float64) / kept,
        "niches_used": jnp.sum(supplied & (sums.main > 0)).astype(jnp.float64) / kept,
        "evenness": _evenness(use),
        **_overlap(sums.direction.astype(jnp.float64) * unit, count),
        **_hill(sums.main.astype(jnp.float64) / number),
        "stock_mean": exact.total(population.stock, alive, _richest(state)) / number,
        "age_mean": exact.whole(population.age, alive) / number,
        **{name: number.astype(jnp.float64) for name, number in state.counts.items()},
        **state.flows,
        **world.measure(kinds, selection, population),
        "allocation": use,
        "specialists": sums.specialists.astype(jnp.float64) / number,
        "supply": exact.across(state.supply.T).astype(jnp.float64),
    }
    if state.resources is not None:
        metrics["resource"] = exact.across(state.resources.T)
    if kinds.selection == "growth":
        metrics["abundance"] = exact.total(population.stock, alive)
    if kinds.groups:
        members = population.group[:, None] == jnp.arange(kinds.groups, dtype=jnp.int32)[None, :]
        heads = jnp.sum(members & alive[:, None], axis=0)
        metrics["group_share"] = heads.astype(jnp.float64) / number
        if kinds.selection == "growth":
            stock = population.stock.astype(jnp.float64)[:, None]
            # Each in units of its own, so that a rare one is as exact as a common one.
            held = jnp.where(members & alive[:, None], stock, 0)
            each = exact.column_totals(held, alive, jnp.max(held, axis=0))
            metrics["group_abundance"] = each
    if kinds.methods:
        of = population.method == jnp.arange(kinds.methods, dtype=jnp.int32)[None, :]
        users = jnp.sum(of & alive[:, None], axis=0)
        metrics["method_share"] = users.astype(jnp.float64) / number
    if kinds.measured is not None:
        metrics["performance_best"] = jnp.nanmax(state.flows["performance"])
    if kinds.demography:
        each = habitats.abundance(kinds, population)
        metrics |= {"group_abundance": each, "abundance": exact.across(each[None, :])[0]}
    return metrics, sums.histogram


def _richest(state: State) -> Array:
    """Return the largest stock of the living, as the step found it or looked for now."""
    stock, alive = state.population.stock, state.population.alive
    unknown = jnp.isnan(state.richest)
    found: Array = jax.lax.cond(
        unknown, lambda: maxima.largest(exact.those(alive, stock)), lambda: state.richest
    )
    return found


def _evenness(use: Array) -> Array:
    """Pielou's J = H / ln K of mean allocations `[K]`; not defined (NaN) for one niche."""
    if use.shape[0] == 1:
        return jnp.full((), jnp.nan)
    logs = jnp.where(use > 0, jnp.log(jnp.where(use > 0, use, 1)), 0)
    return -jnp.sum(use * logs) / jnp.log(jnp.asarray(use.shape[0], use.dtype))


def _overlap(direction: Array, count: Array) -> dict[str, Array]:
    """Mean Pianka overlap of all pairs, and Leinster-Cobbold diversity of order 2 with it.

    With u = x / |x| both follow from |sum u|^2: the pairs are never formed. Pianka 1973;
    Leinster & Cobbold 2012 (Ecology 93:477).
    """
    together = jnp.sum(direction**2)
    pairs = count * (count - 1)
    mean = jnp.where(pairs > 0, (together - count) / jnp.where(pairs > 0, pairs, 1), jnp.nan)
    diversity = jnp.where(together > 0, count**2 / jnp.where(together > 0, together, 1), 0)
    return {"overlap": mean, "strategy_diversity": diversity}


def _hill(shares: Array) -> dict[str, Array]:
    """Hill numbers of order 0, 1, 2 of agents by main niche (Hill 1973)."""
    present = shares > 0
    logs = jnp.where(present, jnp.log(jnp.where(present, shares, 1)), 0)
    some = jnp.any(present)
    square = jnp.where(some, jnp.sum(shares**2), 1)
    return {
        "hill_0": jnp.sum(present).astype(jnp.float64),
        "hill_1": jnp.where(some, jnp.exp(-jnp.sum(shares * logs)), 0),
        "hill_2": jnp.where(some, 1 / square, 0),
    }
