"""Growth of rare mutants among residents (Metz et al. 1992; Geritz et al. 1998).

A mutant is paid the residents' own prices, which the model's competition or its explicit resources
give and which the mutant is too rare to move; how its gain becomes growth depends on the life
cycle.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import ArrayLike, NDArray

from ecosim.analysis.invasibility import Invasibility
from ecosim.compilation import prepared
from ecosim.errors import Problem, ScenarioError
from ecosim.model import competition, environment, exact, habitats, niches, resources
from ecosim.model.competition import Exchange
from ecosim.model.population import described
from ecosim.model.selection import capital
from ecosim.model.step import Parameters, State
from ecosim.model.structure import Kinds, kinds_of
from ecosim.model.traced import traced
from ecosim.scenario import Scenario, override, to_dict, validate
from ecosim.simulate import Simulation
from ecosim.worlds.registry import WORLDS

type Floats = NDArray[np.float64]


def invasion_fitness(community: Scenario | Simulation, mutants: ArrayLike) -> Floats:
    """Return the growth rate when rare of mutants among residents, less that of the residents.

    Wright-Fisher: ln(w / mean w) a generation, w being the gain. Moran: w / mean w - 1 a
    generation (as many steps as there are agents). Energy: (gain - mean gain) / mean stock a step,
    the rate at which the energy in a clone grows beyond that in the residents. Market: the rate at
    which the capital of a firm with the entrants' capital grows, less that of all capital. Ricker:
    the logarithm of the mean offspring, which is 0 for residents at rest.

    Args:
        community: a simulation at the state to invade, or a scenario, which is run to its end.
        mutants: allocations `[M, K]` (rows sum to 1); on an axis positions `[M]`, or positions
            and widths `[M, 2]`.

    Returns:
        Rates `[M]`, float64; +inf where a mutant alone uses a niche that emits.

    Raises:
        ScenarioError: mutants of a wrong shape, no residents, several patches, or a scenario in
            which no price decides what a mutant gains: growth and birth-death, competence that is
            found anew in each step, and firms that choose their conduct.

    """
    simulation = community
    if isinstance(simulation, Scenario):
        _answerable(kinds_of(simulation))
        simulation = Simulation(simulation)
        simulation.advance(simulation.scenario.run.steps)
    kinds = simulation.kinds
    _answerable(kinds)
    if not np.any(np.asarray(simulation.state.population.alive)):
        raise _refused("population", "nobody", "invasion analysis needs residents that are alive")
    rows = _rows(simulation.scenario, mutants)
    with prepared():
        budget = traced(simulation.scenario.population.budget, kinds.dtype)
        given = (traced(rows, kinds.dtype), budget)
        return np.asarray(_rates(kinds, simulation.parameters, simulation.state, given), float)


def pairwise_invasibility(
    scenario: Scenario, traits: ArrayLike, *, settle: int | None = None, window: int | None = None
) -> Invasibility:
    """Return the growth rate of each mutant among residents of each trait, a PIP.

    Each resident is alone, without mutation or entry (that which replaces firms included), and
    has `settle` steps to come to its attractor; rates are means over the next `window` steps.

    Args:
        scenario: two niches, and a trait is the share of the first; or an axis, and a trait is a
            position.
        traits: `[T]`, rising.
        settle: default 0 where numbers and supply are constant, otherwise the scenario's steps.
        window: default 1 where they are constant, otherwise 100.

    Raises:
        ScenarioError: as for `invasion_fitness`; a scenario of more niches; firms that adapt;
            traits that are not rising or not in [0, 1] (shares); residents that die out.

    """
    _answerable(kinds_of(scenario))
    if scenario.world == "market" and scenario.market.incumbents.adaptation != "none":
        rule = "firms that adapt do not keep the trait of the residents"
        raise _refused("market.incumbents.adaptation", "toward-demand", rule)
    values = np.asarray(traits, float)
    axis = scenario.niches.space == "axis"
    if not axis and scenario.niches.count != 2:
        rule = "a plot of pairs needs a trait in one dimension: two niches, or an axis"
        raise _refused("niches.count", str(scenario.niches.count), rule)
    if values.ndim != 1 or values.size < 3 or not np.all(np.diff(values) > 0):
        raise _refused("traits", str(values), "three traits or more, rising")
    steady = scenario.selection.kind in ("wright-fisher", "moran") and scenario.world == "ecology"
    steady = steady and all(v is None for v in vars(scenario.environment).values())
    settle = (0 if steady else scenario.run.steps) if settle is None else settle
    window = (1 if steady else 100) if window is None else window
    mutants = values if axis else np.stack([values, 1 - values], axis=1)
    rate = np.empty((values.size, values.size))
    for index, trait in enumerate(values):
        resident = Simulation(_resident(scenario, float(trait), settle + window))
        resident.advance(settle)
        rate[index] = _mean_rate(resident, mutants, window)
    return Invasibility(values, rate, "position" if axis else "share of niche 0")


def _mean_rate(resident: Simulation, mutants: Floats, window: int) -> Floats:
    total = np.zeros(len(mutants))
    for _ in range(window):
        total += invasion_fitness(resident, mutants)
        if window > 1:
            resident.advance(resident.clock + 1)
    return total / window


def _resident(scenario: Scenario, trait: float, steps: int) -> Scenario:
    """Return the scenario of one resident trait alone."""
    raw = to_dict(scenario)
    population = raw["population"]
    for word in (
        "start", "breadth_exponent", "allocation", "groups", "web", "community", "position",
    ):  # fmt: skip
        population.pop(word, None)
    for word in ("until", "branch_size", "branch_distance", "settled_steps"):
        raw["run"].pop(word, None)
    if scenario.niches.space == "axis":
        population["position"] = trait
    else:
        population["allocation"] = [trait, 1 - trait]
    alone: dict[str, Any] = {"population.variation": 0.0, "run.steps": steps}
    alone |= {"run.precision": "float64", "record.every": max(steps, 1), "record.events": False}
    if scenario.world == "market":
        alone |= {"market.entry.rate": 0.0, "market.entry.replacement": False}
    elif not scenario.densities:
        words = ("gain", "narrowing") if scenario.mutation.kind == "repertoire" else ("rate",)
        alone |= {f"mutation.{word}": 0.0 for word in words}
    return override(validate(raw), alone)


def _rows(scenario: Scenario, mutants: ArrayLike) -> Floats:
    """Return allocations `[M, K]`, or positions and log widths `[M, 2]` on an axis."""
    rows = np.asarray(mutants, float)
    if scenario.niches.space == "axis":
        p = scenario.population
        if rows.ndim == 1:
            width = scenario.niches.length if p.width is None else p.width
            rows = np.stack([rows, np.full(rows.shape, width)], axis=1)
        if rows.ndim != 2 or rows.shape[1] != 2 or not np.all(rows[:, 1] > 0):
            rule = "on an axis mutants are positions [M], or positions and widths > 0 [M, 2]"
            raise _refused("mutants", f"shape {rows.shape}", rule)
        return np.stack([rows[:, 0], np.log(rows[:, 1])], axis=1)
    count = scenario.niches.count
    sound = rows.ndim == 2 and rows.shape[1] == count and bool(np.all(rows >= 0))
    if not sound or not np.allclose(rows.sum(axis=1), 1, atol=1e-6):
        rule = f"mutants are allocations: rows of {count} shares >= 0 that sum to 1"
        raise _refused("mutants", f"shape {rows.shape}", rule)
    broadest = int((rows > 0).sum(axis=1).max(initial=0))
    if broadest > scenario.niches.most:
        rule = f"mutants use at most {scenario.niches.most} niches (niches.used)"
        raise _refused("mutants", f"shares above 0 on {broadest} niches", rule)
    return rows


def _answerable(kinds: Kinds) -> None:
    """Raise ScenarioError where a mutant's growth is not its gain at the residents' prices."""
    if kinds.patches > 1:
        raise _refused("patches.count", str(kinds.patches), "invasion analysis takes one patch")
    if kinds.selection not in _RATES:
        rule = (
            f"invasion analysis covers {', '.join(sorted(_RATES))}; in continuous time start a "
            "group of rare mutants instead and see it grow"
        )
        raise _refused("selection.kind", kinds.selection, rule)
    if kinds.tradeoff in ("standard", "measured"):
        rule = (
            "what a mutant can do is found anew in each step, so that no price says what it "
            "gains: start a group of rare mutants instead and see it grow"
        )
        raise _refused("tradeoff.kind", kinds.tradeoff, rule)
    if kinds.oligopoly:
        rule = (
            "a mutant firm would choose its own conduct and the residents would answer it: see "
            "market.entry.kind = 'free', in which a firm enters if it foresees a profit"
        )
        key = "competition.kind" if kinds.conduct == "none" else "market.conduct.kind"
        given = kinds.competition if kinds.conduct == "none" else kinds.conduct
        raise _refused(key, given, rule)


def _refused(key: str, value: str, rule: str) -> ScenarioError:
    return ScenarioError([Problem(key, value, rule)], "invasion analysis")


@partial(jax.jit, static_argnames=("kinds",))
def _rates(
    kinds: Kinds, parameters: Parameters, state: State, mutants: tuple[Array, Array]
) -> Array:
    """Return rates `[M]` of mutants (rows as `_rows` gives them, and their budget)."""
    p = jax.tree.map(jnp.asarray, parameters)
    env, supply = environment.advance(p.environment, state.environment, state.clock, state.key)
    rows, budget = mutants
    shares = niches.utilisation(rows, env.positions) if kinds.space == "axis" else rows
    claims = described(kinds, p.agents, jnp.broadcast_to(budget, rows.shape[:1]), shares)[0]
    return _RATES[kinds.selection](kinds, p, state, (claims, supply)).astype(jnp.float64)


type _Given = tuple[Array, Array]  # claims [M, K] of mutants, supply [P, K]


def _exchange(kinds: Kinds, p: Parameters, state: State, supply: Array) -> Exchange:
    """Return the exchange of the next step, as the model itself computes it."""
    if state.resources is not None and p.resources is not None:
        return resources.exchange(
            kinds, p.resources, state.population, tally=state.tally, supply=supply,
            stock=state.resources,
        )[0]  # fmt: skip
    world = WORLDS[kinds.world].world
    size = world.size(p.selection, state.population) if world.size else None
    return competition.exchange(
        kinds, p.competition, state.population, tally=state.tally, size=size, supply=supply
    )


def _relative(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    """Return gains of mutants relative to the residents' mean gain, `[M]`."""
    claims, supply = given
    now, alive = _exchange(kinds, p, state, supply), state.population.alive
    mean = exact.total(now.gain, alive) / jnp.sum(alive)
    return competition.offered(claims, now.price[0]) / mean


def _wright_fisher(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    return jnp.log(_relative(kinds, p, state, given))


def _moran(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    return _relative(kinds, p, state, given) - 1


def _energy(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    claims, supply = given
    now, population = _exchange(kinds, p, state, supply), state.population
    received = exact.total(now.gain, population.alive)
    stock = exact.total(population.stock, population.alive)
    own = competition.offered(claims, now.price[0]) * jnp.sum(population.alive)
    return (own - received) / stock


def _exit_entry(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    claims, supply = given
    now, firms, numbers = _exchange(kinds, p, state, supply), state.population, p.selection
    stock = numbers.founding.capital.astype(claims.dtype)
    gain = competition.offered(claims * stock**numbers.scale, now.price[0])
    own = capital.kept(numbers.capital, stock, gain) / stock
    theirs = jnp.where(firms.alive, capital.kept(numbers.capital, firms.stock, now.gain), 0)
    return own - jnp.sum(theirs) / exact.total(firms.stock, firms.alive)


def _ricker(kinds: Kinds, p: Parameters, state: State, given: _Given) -> Array:
    claims, supply = given
    where = habitats.settled(
        kinds, p.selection, state.population, supply=supply, clock=state.clock, key=state.key
    )
    capacity = claims.astype(jnp.float64) * supply[0].astype(jnp.float64)
    choose = partial(habitats.least_crowded, jnp.asarray(1e-200))
    share = jax.vmap(lambda room: choose(room, where.total))(capacity)
    share = habitats.with_random(p.selection, share)
    mutants = habitats.Settled(share, where.total, capacity)
    return jnp.log(habitats.offspring_numbers(p.selection, mutants))


# One function a kind of selection, as Kinds has it: rates [M] of mutants with claims [M, K].
_RATES: dict[str, Callable[[Kinds, Parameters, State, _Given], Array]] = {
    "wright-fisher": _wright_fisher,
    "moran": _moran,
    "energy": _energy,
    "exit-entry": _exit_entry,
    "ricker": _ricker,
}
