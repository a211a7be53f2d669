"""The market: firms with capital; exit, entry and investment; no inheritance, no mutation."""

from __future__ import annotations

import jax.numpy as jnp
from jax import Array

from ecosim.model import conduct, exact, maxima
from ecosim.model.births import Turnover
from ecosim.model.competition import Exchange
from ecosim.model.population import Population
from ecosim.model.powers import power
from ecosim.model.selection import exit_entry, free_entry
from ecosim.model.selection.capital import mean_performance, performance
from ecosim.model.step import World
from ecosim.model.structure import Kinds
from ecosim.model.surroundings import Surroundings
from ecosim.model.tally import SPECIALIST, niche_totals
from ecosim.scenario import Scenario


def parameters(scenario: Scenario) -> exit_entry.Parameters:
    """Return the traced numbers of the market's selection."""
    return exit_entry.parameters(scenario)


def _size(numbers: exit_entry.Parameters, population: Population) -> Array:
    """A firm's output: capital^scale (scale 1: constant returns; above 1: scale economies)."""
    capital = exact.those(population.alive, population.stock)
    return power(capital, numbers.scale)


def _flows(
    numbers: exit_entry.Parameters, population: Population, exchange: Exchange, turnover: Turnover
) -> dict[str, Array]:
    """Performance of the market, its covariance with capital, and how selection moves it.

    The covariance is the capital-weighted mean performance minus the plain mean (Olley & Pakes
    1996). The change is that of the weighted mean of this period's performances from the shares of
    capital before investment, exit and mergers to those after (Price 1970).
    """
    alive = population.alive
    own = performance(population, exchange.gain)
    plain = _ratio(exact.total(own, alive), exact.count(alive).astype(jnp.float64))
    weighted = mean_performance(population, exchange.gain)
    # In float64: what changes is small beside what is.
    before, own = population.stock.astype(jnp.float64), own.astype(jnp.float64)
    stay, after = alive & ~turnover.dies, turnover.population.stock.astype(jnp.float64)
    richest = maxima.largest(exact.those(alive, before))
    later = maxima.largest(exact.those(stay, after))
    capital, left = exact.total(before, alive, richest), exact.total(after, stay, later)
    spread = _ratio(exact.total((own - weighted) ** 2 * before, alive), capital)
    mean = _ratio(exact.total(own * before, alive), capital)
    then = _ratio(exact.total(own * after, stay), left)
    return {
        "performance_mean": weighted,
        "performance_variance": spread,
        "performance_change": then - mean,
        "capital_performance_covariance": weighted - plain,
        **conduct.flows(population, exchange, numbers.capital.fixed),
    }


def _counts(before: Population, turnover: Turnover, after: Population) -> dict[str, Array]:
    """Return entries and exits of specialists, and mergers; the other firms are the rest."""
    special = after.alive & (after.age == 0) & (after.depth >= SPECIALIST)
    gone = turnover.dies & (before.depth >= SPECIALIST)
    sold = turnover.acquirer
    merged = jnp.zeros(()) if sold is None else exact.count(turnover.dies & (sold > 0))
    numbers = {
        "specialist_entries": exact.count(special),
        "specialist_exits": exact.count(gone),
        "mergers": merged,
    }
    return {name: number.astype(jnp.int64) for name, number in numbers.items()}


def _measure(
    kinds: Kinds, numbers: exit_entry.Parameters, population: Population
) -> dict[str, Array]:
    """Capital, its concentration, and how it is spread over niches (`capital`, `[K]`)."""
    alive = population.alive
    capital = exact.total(population.stock, alive)
    share = exact.those(alive, population.stock.astype(jnp.float64))
    share = share / jnp.where(capital > 0, capital, 1)
    general = alive & (population.depth < SPECIALIST)
    most, most_general = (maxima.largest(exact.those(who, share)) for who in (alive, general))
    generalists = exact.total(share, general, most_general)
    whole = jnp.where(capital > 0, 1.0, jnp.nan)  # shares of no capital are undefined
    breadth = population.breadth.astype(jnp.float64)
    return {
        "capital_total": capital,
        "hhi": exact.total(share**2, alive, most**2) * whole,
        "c4": _held_by(share, 4) * whole,
        "generalist_c4": _ratio(_held_by(exact.those(general, share), 4), generalists),
        "generalist_hhi": _ratio(exact.total(share**2, general, most_general**2), generalists**2),
        "generalist_capital_share": generalists * whole,
        # Breadth is no more than K, but for rounding.
        "breadth_mean_by_capital": exact.total(breadth * share, alive, 2 * kinds.niches * most)
        * whole,
        "capital": niche_totals(kinds, population, share, most) * whole,
    }


def _held_by(share: Array, count: int) -> Array:
    """Return what the largest so many hold, added exactly: several devices add in another order."""
    return exact.total(maxima.top(share, count), jnp.ones(count, bool))


def _ratio(part: Array, whole: Array) -> Array:
    """Return part / whole, or NaN where there is nothing to divide."""
    return jnp.where(whole > 0, part / jnp.where(whole > 0, whole, 1), jnp.nan)


def _decide(
    kinds: Kinds, numbers: exit_entry.Parameters, population: Population, around: Surroundings
) -> Turnover:
    way = free_entry if kinds.entry == "free" else exit_entry
    return way.decide(kinds, numbers, population, around)


WORLD = World(size=_size, decide=_decide, flows=_flows, counts=_counts, measure=_measure)
