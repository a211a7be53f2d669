"""One step of every selection, agent by agent, in plain Python: slow, readable, independent.

The compiled step must make the same decisions and reach the same numbers on the same draws, which
are the one thing taken from the package (`ecosim.model.randomness`). Every comparison that decides
something reports how close it was (`closest`), so that a test can leave knife edges alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import numpy as np

from ecosim.compilation import prepared
from ecosim.model import randomness
from ecosim.model.randomness import Stream
from ecosim.scenario import Scenario

# --- Draws ---------------------------------------------------------------------------------------


@partial(jax.jit, static_argnames=("dtype",))
def _units(key: Any, step: Any, stream: Any, ids: Any, lane: Any, dtype: str) -> Any:
    first, second = randomness.words(key, step, stream, ids, lane)
    return randomness.open_unit(first, dtype), randomness.open_unit(second, dtype)


@partial(jax.jit, static_argnames=("count", "dtype"))
def _normals(key: Any, step: Any, stream: Any, ids: Any, count: int, dtype: str) -> Any:
    return randomness.normals(key, step, stream, ids, count=count, dtype=dtype)


_words = jax.jit(randomness.words)
_fine = jax.jit(randomness.fine_uniform)
_child = jax.jit(randomness.child_id)
_poisson = jax.jit(randomness.poisson)


class Draws:
    """The random numbers of a run, asked for by purpose, step and agent."""

    def __init__(self, seed: int, dtype: str) -> None:
        self.dtype = dtype
        with prepared():
            self.key = randomness.run_key(seed)

    def _asked(self, function: Any, step: int, stream: int, ids: Sequence[int], *rest: Any) -> Any:
        whole = np.zeros(-(-max(len(ids), 1) // 64) * 64, np.uint64)  # few shapes: few programs
        whole[: len(ids)] = ids
        with prepared():
            return function(self.key, np.int64(step), np.uint32(stream), whole, *rest)

    def units(
        self, step: int, stream: Stream, ids: Sequence[int], lane: int = 0
    ) -> list[tuple[float, float]]:
        """Two uniform numbers for each id."""
        first, second = self._asked(_units, step, stream, ids, np.int64(lane), self.dtype)
        return list(zip(_floats(first, ids), _floats(second, ids), strict=True))

    def uniform(self, step: int, stream: Stream, ids: Sequence[int]) -> list[float]:
        return [first for first, _ in self.units(step, stream, ids)]

    def normals(
        self, step: int, stream: Stream, ids: Sequence[int], count: int
    ) -> list[list[float]]:
        drawn = self._asked(_normals, step, stream, ids, count, self.dtype)
        return np.asarray(drawn, float)[: len(ids)].tolist()

    def fine(self, step: int, stream: Stream, ids: Sequence[int]) -> list[float]:
        return _floats(self._asked(_fine, step, stream, ids), ids)

    def lots(self, step: int, stream: Stream, ids: Sequence[int], lane: int = 0) -> list[int]:
        """One 64-bit integer for each id."""
        high, low = self._asked(_words, step, stream, ids, np.int64(lane))
        pairs = zip(np.asarray(high).tolist(), np.asarray(low).tolist(), strict=True)
        return [(h << 32) | w for h, w in pairs][: len(ids)]

    def child(self, parent: int, step: int, number: int) -> int:
        with prepared():
            return int(_child(np.uint64(parent), np.int64(step), np.int64(number)))

    def poisson(self, step: int, mean: float) -> int:
        with prepared():
            return int(_poisson(self.key, np.int64(step), np.float64(mean)))


def _floats(values: Any, ids: Sequence[int]) -> list[float]:
    return np.asarray(values, float)[: len(ids)].tolist()


# --- Agents --------------------------------------------------------------------------------------


@dataclass
class Agent:
    id: int
    parent: int
    lineage: int
    group: int
    patch: int
    age: int
    budget: float
    stock: float
    strikes: int
    trait: list[float]  # position and log width on an axis
    allocation: list[float]
    retained: list[float] = field(default_factory=list)  # firms that invest now and then
    lifespan: list[int] = field(default_factory=list)  # age at which chance strikes an organism


@dataclass
class Outcome:
    """What one step did."""

    born: list[Agent]
    dead: list[int]
    refused: int
    gain: dict[int, float]
    price: list[list[float]]
    supply: list[list[float]]
    unclaimed: list[list[float]]
    closest: float


def breadth(allocation: Sequence[float]) -> float:
    return math.exp(-math.fsum(x * math.log(x) for x in allocation if x > 0))


def pianka(one: Sequence[float], other: Sequence[float]) -> float:
    """Niche overlap: the cosine of two allocations."""
    product = math.fsum(x * y for x, y in zip(one, other, strict=True))
    return product / math.sqrt(math.fsum(x * x for x in one) * math.fsum(y * y for y in other))


def project(point: Sequence[float]) -> tuple[list[float], float]:
    """Nearest point of the simplex, dropping coordinates until those left stay positive (Michelot).

    Also how close a coordinate was to being kept or dropped.
    """
    active = list(range(len(point)))
    while True:
        shift = (math.fsum(point[k] for k in active) - 1) / len(active)
        left = [k for k in active if point[k] > shift]
        if left == active:
            break
        active = left
    clipped = [max(x - shift, 0.0) if k in active else 0.0 for k, x in enumerate(point)]
    total = math.fsum(clipped)
    return [x / total for x in clipped], min(abs(x - shift) for x in point)


def moved_on_simplex(
    allocation: Sequence[float], noise: Sequence[float], size: float
) -> tuple[list[float], float]:
    count = len(allocation)
    if count == 1:
        return list(allocation), math.inf
    mean = math.fsum(noise) / count
    scale = size * math.sqrt(count / (count - 1))
    return project([x + scale * (z - mean) for x, z in zip(allocation, noise, strict=True)])


def utilisation(trait: Sequence[float], positions: Sequence[float]) -> list[float]:
    z, width = trait[0], math.exp(trait[1])
    exponents = [-0.5 * ((a - z) / width) ** 2 for a in positions]
    raised = [math.exp(e - max(exponents)) for e in exponents]
    return [r / math.fsum(raised) for r in raised]


def neighbours(graph: Any, count: int) -> dict[tuple[int, int], float]:
    """Weights of the edges in both directions."""
    if graph == "complete":
        pairs = [(a, b, 1.0) for a in range(count) for b in range(a)]
    elif graph == "path":
        pairs = [(a, a + 1, 1.0) for a in range(count - 1)]
    elif graph == "cycle":
        pairs = [(a, (a + 1) % count, 1.0) for a in range(count)]
    elif graph == "star":
        pairs = [(0, a, 1.0) for a in range(1, count)]
    else:
        pairs = [(e[0], e[1], e[2] if len(e) > 2 else 1.0) for e in graph]
    return {(a, b): w for x, y, w in pairs for a, b in ((x, y), (y, x))}


# --- The world -----------------------------------------------------------------------------------


@dataclass
class Reference:
    scenario: Scenario
    draws: Draws
    agents: list[Agent] = field(default_factory=list)
    clock: int = 0
    deficit: list[float] = field(default_factory=list)
    positions: list[float] = field(default_factory=list)
    price: list[list[float]] = field(default_factory=list)
    closest: float = math.inf

    @classmethod
    def begin(cls, scenario: Scenario) -> Reference:
        self = cls(scenario, Draws(scenario.run.seed, scenario.run.precision))
        count = scenario.niches.count
        self.deficit = [0.0] * count
        self.positions = [(k + 0.5) * scenario.niches.length / count for k in range(count)]
        self.price = [[0.0] * count for _ in range(scenario.patches.count)]
        self.agents = list(self.founders())
        return self

    def adopt(self, state: Any) -> None:
        """Go on from the compiled step's state, so that differences do not add up."""
        self.clock = int(state.clock)
        self.deficit = np.asarray(state.environment.deficit, float).tolist()
        self.positions = np.asarray(state.environment.positions, float).tolist()
        self.price = np.asarray(state.price, float).tolist()
        p = state.population
        names = [name for name in Agent.__dataclass_fields__]
        columns = [np.asarray(getattr(p, name))[np.asarray(p.alive)].tolist() for name in names]
        self.agents = [
            Agent(**dict(zip(names, row, strict=True))) for row in zip(*columns, strict=True)
        ]

    def near(self, difference: float, scale: float = 1.0) -> None:
        """Note how close a decision was."""
        self.closest = min(self.closest, abs(difference) / max(abs(scale), 1e-300))

    def moved(
        self, allocation: Sequence[float], noise: Sequence[float], size: float
    ) -> list[float]:
        """An allocation after a Gaussian step."""
        point, margin = moved_on_simplex(allocation, noise, size)
        if self.draws.dtype == "float64":
            # A share of 1e-17 in place of 0 is a claim of 1e-4 at an exponent of a quarter.
            self.near(margin, 1e3)
        return point

    # Founders

    def founders(self) -> Iterable[Agent]:
        s, p = self.scenario, self.scenario.population
        count, ids, market = s.niches.count, list(range(1, p.size + 1)), s.world == "market"
        group = self.groups()
        stock = self.draws.uniform(0, Stream.STOCK, ids)
        axis = s.niches.space == "axis"
        noise = self.draws.normals(0, Stream.START, ids, 1 if axis else count)
        scope = self.scope(ids, [1.0] * count) if p.start == "random" else []
        lifespans = self.lifespans(ids)
        for i, name in enumerate(ids):
            trait: list[float] = []
            if axis:
                middle = s.niches.length / 2 if p.position is None else p.position
                width = s.niches.length if p.width is None else p.width
                trait = [middle + p.variation * noise[i][0], math.log(width)]
                allocation = utilisation(trait, self.positions)
            else:
                allocation = [1 / count] * count
                if p.groups:
                    allocation = list(p.groups[group[i]].allocation)
                elif p.start == "random":
                    allocation = scope[i]
                elif p.start == "specialists":
                    allocation = [float(k == i % count) for k in range(count)]
                elif p.allocation is not None:
                    allocation = list(p.allocation)
                if p.variation > 0:
                    allocation = self.moved(allocation, noise[i], p.variation)
            factor = p.groups[group[i]].budget if p.groups else 1.0
            start = p.stock * (factor if market else 1.0)
            yield Agent(
                lifespan=lifespans[i],
                id=name, parent=0, lineage=name, group=group[i], age=0,
                patch=(i // count if p.start == "specialists" else i) % s.patches.count,
                budget=p.budget * (1.0 if market else factor),
                stock=start * (1 + p.stock_variation * (2 * stock[i] - 1)),
                strikes=0, trait=trait, allocation=allocation, retained=self.nothing_retained(),
            )  # fmt: skip

    def lifespans(self, ids: Sequence[int]) -> list[list[int]]:
        """Whole steps that a constant hazard leaves: how many tosses come before one is lost."""
        s, endless = self.scenario.selection, 2**31 - 1
        if self.scenario.world == "market" or s.kind != "energy":
            return [[] for _ in ids]
        mortality = float(np.dtype(self.scenario.run.precision).type(s.mortality))
        if mortality == 0:
            return [[endless] for _ in ids]
        hazard = -math.log1p(-mortality)
        steps = [-math.log(u) / hazard for u in self.draws.fine(self.clock, Stream.DEATH, ids)]
        if any(abs(number - round(number)) < 1e-9 * number for number in steps):
            self.near(0.0)
        return [[min(math.floor(number), endless)] for number in steps]

    def nothing_retained(self) -> list[float]:
        """What a new firm retains: 0, where investment waits."""
        s = self.scenario
        return [0.0] if s.world == "market" and s.market.investment.period > 1 else []

    def groups(self) -> list[int]:
        """By shares, what is left to the largest rests; at least one each, from the largest."""
        groups, size = self.scenario.population.groups, self.scenario.population.size
        if not groups:
            return [0] * size
        whole = sum(g.share for g in groups)
        wanted = [g.share / whole * size for g in groups]
        quota = [math.floor(w + 1e-9) for w in wanted]
        counts = [max(n, 1) for n in quota]
        rest = sorted(range(len(groups)), key=lambda i: quota[i] - wanted[i])
        for i in rest[: max(size - sum(counts), 0)]:
            counts[i] += 1
        while sum(counts) > size:
            counts[counts.index(max(counts))] -= 1
        return [i for i, n in enumerate(counts) for _ in range(n)]

    def scope(self, ids: Sequence[int], weights: Sequence[float]) -> list[list[float]]:
        """m of the K niches by weight without replacement, m uniform; uniform shares of them."""
        count = len(weights)
        many = self.draws.uniform(self.clock, Stream.SCOPE, ids)
        segments = [self.draws.units(self.clock, Stream.SEGMENTS, ids, k) for k in range(count)]
        result = []
        for i, u in enumerate(many):
            keys = [-math.log(segments[k][i][0]) / max(weights[k], 1e-37) for k in range(count)]
            chosen = sorted(range(count), key=keys.__getitem__)[: math.floor(u * count) + 1]
            amount = [-math.log(segments[k][i][1]) if k in chosen else 0.0 for k in range(count)]
            result.append([a / math.fsum(amount) for a in amount])
        return result

    # Environment

    def supply(self) -> list[list[float]]:
        """What each niche emits in each patch, after moving the environment one step."""
        s, env, count = self.scenario, self.scenario.environment, self.scenario.niches.count
        factor = [1.0] * count
        for k in range(count):
            if env.seasonal is not None:
                turns = self.clock / env.seasonal.period
                phase = turns - math.floor(turns) + (k / count if env.seasonal.staggered else 0)
                factor[k] *= 1 + env.seasonal.amplitude * math.sin(2 * math.pi * phase)
            if env.opening is not None:
                opened = env.opening.initial + self.clock // env.opening.interval
                factor[k] *= k < opened
        if env.switching is not None:
            first = self.first_state()
            for k in range(count):
                favoured = (k < count // 2) == first
                sign = 1 if favoured else -1
                factor[k] *= 1 + sign * env.switching.amplitude
        if env.shocks is not None:
            drawn = self.draws.uniform(self.clock, Stream.SHOCK, range(count))
            for k in range(count):
                self.near(drawn[k] - env.shocks.probability)
                left = (1 - env.shocks.recovery) * self.deficit[k]
                hit = drawn[k] < env.shocks.probability
                self.deficit[k] = 1 - (1 - left) * (1 - env.shocks.severity) if hit else left
                factor[k] *= 1 - self.deficit[k]
        if env.drift is not None:
            noise = self.draws.normals(self.clock, Stream.DRIFT, range(count), 1)
            for k in range(count):
                self.positions[k] += env.drift.velocity + env.drift.noise * noise[k][0]
        rows = s.patches.supply or [s.niches.supply or [1.0] * count] * s.patches.count
        whole = math.fsum(x for row in rows for x in row)
        emitted = self.productivity()
        return [[emitted * x / whole * factor[k] for k, x in enumerate(row)] for row in rows]

    def first_state(self) -> bool:
        switching = self.scenario.environment.switching
        spell = self.clock // switching.spell
        if switching.order == "alternating":
            return spell % 2 == 0
        drawn = self.draws.uniform(spell, Stream.SPELL, [0])[0]
        self.near(drawn - switching.probability)
        return drawn < switching.probability

    def productivity(self) -> float:
        s = self.scenario
        if s.niches.productivity is not None:
            return s.niches.productivity
        if s.world == "market":
            costs = s.market.costs
            return s.population.size * (costs.upkeep * s.population.stock + costs.fixed)
        return s.population.size * s.selection.upkeep

    # Agents between births

    def respond(self) -> None:
        s = self.scenario
        if s.environment.drift is not None:
            for agent in self.agents:
                agent.allocation = utilisation(agent.trait, self.positions)
        elif s.world == "market" and s.market.incumbents.adaptation == "toward-demand":
            if not max(map(max, self.price)) > 0:
                return
            pace = 1 - s.market.incumbents.inertia
            for row in self.price:
                best, second = sorted(row)[-1], sorted(row)[-2]
                self.near(best - second, best)
            for agent in self.agents:
                row = self.price[agent.patch]
                goal = row.index(max(row))
                agent.allocation = [
                    x + pace * ((k == goal) - x) for k, x in enumerate(agent.allocation)
                ]

    # Competition

    def strength(self, agent: Agent) -> list[float]:
        """Competence in each niche, to the power of the contest's exponent."""
        s, t = self.scenario, self.scenario.tradeoff
        spent = agent.budget * math.exp(-t.breadth_cost * (breadth(agent.allocation) - 1))
        own = []
        for x in agent.allocation:
            raised = (spent * x) ** t.exponent
            if t.kind == "saturating":
                raised = raised / (raised + t.half_saturation**t.exponent)
            elif t.kind == "threshold":
                self.near(raised - t.threshold, t.threshold)
                raised = raised if raised >= t.threshold else 0.0
            own.append(raised)
        own = self.lent(own)
        return [max(c, t.floor) ** s.competition.exponent for c in own]

    def lent(self, own: list[float]) -> list[float]:
        """Competence with what related niches lend."""
        s, t = self.scenario, self.scenario.tradeoff
        if s.niches.space == "graph":
            edges = neighbours(s.niches.graph, s.niches.count)
            own = [
                max(c + t.transfer * math.fsum(
                    w * own[a] for (a, b), w in edges.items() if b == k
                ), 0.0)
                for k, c in enumerate(own)
            ]  # fmt: skip
        return own

    def competent(self, agent: Agent) -> list[float]:
        """Strength in this step: 1 or 0 where a noisy standard decides."""
        effort, t = self.strength(agent), self.scenario.tradeoff
        if t.kind != "standard":
            return effort
        noise = self.draws.normals(self.clock, Stream.PASSES, [agent.id], len(effort))[0]
        for e, z in zip(effort, noise, strict=True):
            self.near(e + t.noise * z - t.threshold)
        return [
            float(e > 0 and e + t.noise * z > t.threshold)
            for e, z in zip(effort, noise, strict=True)
        ]

    def exchange(self, supply: list[list[float]]) -> Outcome:
        """Who receives how much; what nobody claims is left."""
        s, rival = self.scenario, self.scenario.competition.unclaimed
        scale = s.market.costs.scale
        claims = {
            a.id: [w * (a.stock**scale if s.world == "market" else 1.0) for w in self.competent(a)]
            for a in self.agents
        }
        gain, price, unclaimed = {}, [], []
        for patch, emitted in enumerate(supply):
            here = [a for a in self.agents if a.patch == patch]
            divide = self.pay_all if s.competition.kind == "independent" else self.divide_each
            divide = self.divide_all if s.competition.kind == "additive" else divide
            paid, left = divide(emitted, [claims[a.id] for a in here], rival)
            if s.patches.regulation == "global" and s.competition.kind == "additive":
                paid, left = self.divide_pool(patch, supply, claims, rival)
            for agent in here:
                gain[agent.id] = math.fsum(
                    c * p for c, p in zip(claims[agent.id], paid, strict=True)
                )
            # Where supply meets no claim at all, the first claim would be paid without bound.
            price.append(
                [math.inf if e > 0 and p == 0 else p for e, p in zip(emitted, paid, strict=True)]
            )
            unclaimed.append(left)
        return Outcome([], [], 0, gain, price, supply, unclaimed, math.inf)

    @staticmethod
    def divide_each(
        emitted: list[float], claims: list[list[float]], rival: float
    ) -> tuple[list[float], list[float]]:
        """Contest: every niche divides its own supply by claims."""
        price, left = [], []
        for k, supply in enumerate(emitted):
            mass = math.fsum(row[k] for row in claims) + rival
            price.append(supply / mass if mass > 0 else 0.0)
            left.append(price[-1] * rival if mass > 0 else supply)
        return price, left

    @staticmethod
    def pay_all(
        emitted: list[float], claims: list[list[float]], rival: float
    ) -> tuple[list[float], list[float]]:
        """Independent: nobody's payoff depends on another's."""
        return emitted, [0.0] * len(emitted)

    @staticmethod
    def divide_all(
        emitted: list[float], claims: list[list[float]], rival: float
    ) -> tuple[list[float], list[float]]:
        """Additive: payoffs add up over niches and divide the whole supply."""
        whole = math.fsum(emitted)
        share = [supply / whole if whole > 0 else 0.0 for supply in emitted]
        payoff = [math.fsum(f * c for f, c in zip(share, row, strict=True)) for row in claims]
        mass = math.fsum(payoff) + rival
        rate = whole / mass if mass > 0 else 0.0
        left = rate * rival if mass > 0 else whole
        return [f * rate for f in share], [f * left for f in share]

    def divide_pool(
        self, patch: int, supply: list[list[float]], claims: dict[int, list[float]], rival: float
    ) -> tuple[list[float], list[float]]:
        """Additive over all patches: a payoff weighs niches by their part of the whole supply."""
        whole = math.fsum(x for row in supply for x in row)
        if not whole > 0:
            return [0.0] * len(supply[patch]), [0.0] * len(supply[patch])
        products = [
            emitted * claim / whole
            for a in self.agents
            for emitted, claim in zip(supply[a.patch], claims[a.id], strict=True)
        ]
        mass = math.fsum(products) + rival
        rate, rest = (1 / mass, rival / mass) if mass > 0 else (0.0, 1.0)
        return [e * rate for e in supply[patch]], [e * rest for e in supply[patch]]

    # Selection

    def step(self) -> Outcome:
        """Go one step on and say what happened."""
        self.closest = math.inf
        supply = self.supply()
        self.respond()
        outcome = self.exchange(supply)
        self.price = outcome.price
        decide = {
            "energy": self.energy, "moran": self.moran, "wright-fisher": self.wright_fisher,
        }[self.scenario.selection.kind]  # fmt: skip
        if self.scenario.world == "market":
            decide = self.market
        decide(outcome)
        outcome.closest = self.closest
        dead = set(outcome.dead)
        self.agents = [a for a in self.agents if a.id not in dead] + outcome.born
        self.clock += 1
        return outcome

    def energy(self, outcome: Outcome) -> None:
        s, living = self.scenario.selection, self.agents
        divides = []
        for agent in living:
            agent.stock = agent.stock + outcome.gain[agent.id] - s.upkeep
            struck = agent.age >= agent.lifespan[0]
            agent.age += 1
            self.near(agent.stock, s.upkeep)
            self.near(agent.stock - s.division, s.division)
            if agent.stock <= 0 or struck:
                outcome.dead.append(agent.id)
            elif agent.stock >= s.division:
                divides.append(agent)
        limit = self.scenario.population.limit
        if limit is not None:
            room = limit - (len(living) - len(outcome.dead))
            lots = self.draws.lots(self.clock, Stream.TURNED_AWAY, [a.id for a in divides])
            lot = {a.id: x for a, x in zip(divides, lots, strict=True)}
            outcome.refused = max(len(divides) - room, 0)
            divides = sorted(divides, key=lambda a: lot[a.id])[:room]
        for agent in divides:
            agent.stock /= 2
        outcome.born = self.offspring([(a, self.child(a), a.stock) for a in divides])

    def moran(self, outcome: Outcome) -> None:
        living = sorted(self.agents, key=lambda a: a.id)
        for agent in living:
            agent.age += 1
        unit = self.draws.fine(self.clock, Stream.VICTIM, [0])[0]
        dead = self.drawn(living, [1.0] * len(living), unit)
        outcome.dead.append(dead.id)
        candidates = living
        if self.scenario.selection.order == "death-birth" and len(living) > 1:
            candidates = [a for a in living if a is not dead]
        unit = self.draws.fine(self.clock, Stream.PARENT, [0])[0]
        parent = self.drawn(candidates, [outcome.gain[a.id] for a in candidates], unit)
        outcome.born = self.offspring(
            [(parent, self.child(parent), self.scenario.population.stock)]
        )

    def wright_fisher(self, outcome: Outcome) -> None:
        living = sorted(self.agents, key=lambda a: a.id)
        gains, window = [outcome.gain[a.id] for a in living], self.scenario.selection.window
        if window > 1:
            for agent in living:
                agent.stock = (agent.stock if self.clock % window else 0) + outcome.gain[agent.id]
                agent.age += 1
            if (self.clock + 1) % window:
                return
            gains = [a.stock for a in living]
        outcome.dead = [a.id for a in living]
        units = self.draws.fine(self.clock, Stream.PARENT, range(len(living)))
        stock = self.scenario.population.stock
        outcome.born = self.offspring(
            [
                # All are replaced at once: a newborn is told by its rank and its generation.
                (self.drawn(living, gains, unit), (rank << 32) + self.clock, stock)
                for rank, unit in enumerate(units, start=1)
            ]
        )

    def child(self, parent: Agent) -> int:
        """The id of the first child of a parent in this step."""
        return self.draws.child(parent.id, self.clock, 0)

    def drawn(self, agents: list[Agent], weights: list[float], unit: float) -> Agent:
        """Lay the agents end to end, each as long as its weight, and take the one at `unit`."""
        if not max(weights) > 0:
            weights = [1.0] * len(agents)
        total, end, found = math.fsum(weights), 0.0, None
        for agent, weight in zip(agents, weights, strict=True):
            end += weight
            self.near(end - unit * total, total)
            if found is None and unit * total < end:
                found = agent
        return found or agents[-1]

    def offspring(self, births: list[tuple[Agent, int, float]]) -> list[Agent]:
        """Newborns of (parent, id, starting stock)."""
        s, m = self.scenario, self.scenario.mutation
        axis = s.niches.space == "axis"
        ids = [identity for _, identity, _ in births]
        luck = self.draws.uniform(self.clock, Stream.MUTATES, ids)
        noise = self.draws.normals(self.clock, Stream.STEP, ids, 2 if axis else s.niches.count)
        patch = self.settled([parent.patch for parent, _, _ in births], ids)
        newborns, lifespans = [], self.lifespans(ids)
        for i, (parent, _, stock) in enumerate(births):
            self.near(luck[i] - m.rate)
            child = replace(
                parent, id=ids[i], parent=parent.id, patch=patch[i], age=0, stock=stock,
                strikes=0, trait=list(parent.trait), allocation=list(parent.allocation),
                lifespan=lifespans[i],
            )  # fmt: skip
            if axis:
                if luck[i] < m.rate:
                    child.trait[0] += m.step * noise[i][0]
                    child.trait[1] += m.width_step * noise[i][1]
                child.allocation = utilisation(child.trait, self.positions)
            elif m.kind == "repertoire":
                child.allocation = self.repertoire(child.allocation, ids[i])
            elif luck[i] < m.rate:
                child.allocation = self.moved(child.allocation, noise[i], m.step)
            newborns.append(child)
        return newborns

    def repertoire(self, allocation: list[float], identity: int) -> list[float]:
        """One niche of the parent's, or all and some more: gained one by one, in a drawn order."""
        m = self.scenario.mutation
        used = [k for k, share in enumerate(allocation) if share > 0]
        words = [
            divmod(self.draws.lots(self.clock, Stream.REPERTOIRE, [identity], k)[0], 2**32)
            for k in range(len(allocation))
        ]
        lot = self.draws.lots(self.clock, Stream.NARROWS, [identity])[0] >> 32
        by_lot = sorted(range(len(allocation)), key=lambda k: words[k][1])
        if lot / 2**32 < m.narrowing:
            taken = [next(k for k in by_lot if k in used)]
        else:
            gains = sum(words[k][0] / 2**32 < m.gain for k in used)
            taken = used + [k for k in by_lot if k not in used][:gains]
        return [1 / len(taken) if k in taken else 0.0 for k in range(len(allocation))]

    def settled(self, patches: list[int], ids: list[int]) -> list[int]:
        """Where newborns of these patches go: to a neighbour by weight, or nowhere."""
        spec = self.scenario.patches
        if spec.count == 1:
            return patches
        edges = neighbours(spec.graph, spec.count)
        result = []
        units = self.draws.units(self.clock, Stream.DISPERSAL, ids)
        for home, (moves, goal) in zip(patches, units, strict=True):
            self.near(moves - spec.dispersal)
            ways = [abs(edges.get((home, there), 0.0)) for there in range(spec.count)]
            if moves >= spec.dispersal or sum(ways) == 0:
                result.append(home)
                continue
            reached = [math.fsum(ways[: there + 1]) / sum(ways) for there in range(spec.count)]
            for end in reached:
                self.near(end - goal)
            result.append(next(there for there, end in enumerate(reached) if goal < end))
        return result

    def market(self, outcome: Outcome) -> None:
        m, living = self.scenario.market, self.agents
        capital = math.fsum(a.stock for a in living)
        mean = math.fsum(outcome.gain.values()) / capital if capital > 0 else 0.0
        standard = m.exit.standard * (mean if m.exit.basis == "relative" else 1.0)
        noise = self.draws.normals(self.clock, Stream.STANDARD, [a.id for a in living], 1)
        weights = [sum(row[k] for row in outcome.unclaimed) for k in range(len(self.positions))]
        # Entrants look at the market as it is before exits and investment.
        entrants = self.entrants(outcome, weights)
        for agent, z in zip(living, noise, strict=True):
            own = outcome.gain[agent.id] / agent.stock
            seen = own + m.exit.noise * z[0]
            self.near(seen - standard, mean)
            below = seen < standard
            agent.strikes = agent.strikes + 1 if below else 0
            agent.age += 1
            profit = outcome.gain[agent.id] - m.costs.fixed - m.costs.upkeep * agent.stock
            flow = m.investment.flow * agent.stock * (own / mean - 1 if mean > 0 else 0.0)
            before = agent.stock
            grown = self.growth(agent)
            kept = m.investment.reinvestment if profit > 0 else 1.0  # a loss is borne in full
            agent.stock = before + kept * profit + flow
            if below:
                agent.stock *= 1 - m.investment.defunding
            agent.stock *= grown
            worth = agent.stock
            if m.investment.period > 1:
                worth = before + agent.retained[0] + (agent.stock - before)
                invests = (self.clock + 1) % m.investment.period == 0
                agent.stock = worth if invests else before
                agent.retained = [0.0 if invests else worth - before]
            self.near(worth, before)
            failed = m.exit.enabled and agent.strikes >= m.exit.patience
            if failed or not worth > 0 or self.struck(agent, len(living)):
                outcome.dead.append(agent.id)
        survivors = [a for a in living if a.id not in set(outcome.dead)]
        if m.controls.shuffle_capital:
            self.shuffle(survivors)
        if m.mergers is not None:
            self.mergers(survivors, outcome)
            survivors = [a for a in survivors if a.id not in set(outcome.dead)]
        replaced = len(outcome.dead) if m.entry.replacement else 0
        entrants = entrants[: len(entrants) - len(living) + replaced]
        limit = self.scenario.population.limit
        if limit is not None:
            room = max(limit - len(survivors), 0)
            outcome.refused = max(len(entrants) - room, 0)
            entrants = entrants[:room]
        outcome.born = entrants

    def growth(self, firm: Agent) -> float:
        """The factor of growth by chance."""
        spec = self.scenario.market.growth
        if spec is None:
            return 1.0
        e = self.draws.normals(self.clock, Stream.GROWTH, [firm.id], 1)[0][0]
        if spec.form == "arithmetic":
            return max(1 + spec.drift + spec.volatility * e, 0.0)
        return math.exp(spec.drift - spec.volatility**2 / 2 + spec.volatility * e)

    def struck(self, firm: Agent, number: int) -> bool:
        """Whether a firm leaves by chance."""
        spec = self.scenario.market.exit
        if spec.hazard is None:
            return False
        rate = spec.hazard * math.exp(spec.density * number + spec.density_squared * number**2)
        luck = self.draws.uniform(self.clock, Stream.HAZARD, [firm.id])[0]
        self.near(luck - (1 - math.exp(-rate)))
        return luck < 1 - math.exp(-rate)

    def mergers(self, firms: list[Agent], outcome: Outcome) -> None:
        """Firms seek partners in the order of their lots; the larger takes the smaller over."""
        spec, ids = self.scenario.market.mergers, [a.id for a in firms]
        chance = self.draws.uniform(self.clock, Stream.MERGER, ids)
        units = self.draws.fine(self.clock, Stream.PARTNER, ids)
        lots = self.draws.lots(self.clock, Stream.PARTNER, ids, 1)
        seekers = []
        for firm, luck, unit, lot in zip(firms, chance, units, lots, strict=True):
            self.near(luck - (1 - math.exp(-spec.rate)))
            if luck < 1 - math.exp(-spec.rate):
                seekers.append((lot, unit, firm))
        free = set(ids)
        for _, unit, firm in sorted(seekers, key=lambda s: s[0]):
            others = sorted(
                (a for a in firms if a.id in free and a.id != firm.id and a.patch == firm.patch),
                key=lambda a: a.id,
            )
            weights = [
                a.stock if spec.partner == "capital" else pianka(a.allocation, firm.allocation)
                for a in others
            ]
            if firm.id not in free or not others or not max(weights) > 0:
                continue
            pair = [firm, self.drawn(others, weights, unit)]
            self.near(pair[0].stock - pair[1].stock, pair[0].stock)
            buyer, sold = sorted(pair, key=lambda a: (-a.stock, a.id))
            whole = buyer.stock + sold.stock
            buyer.allocation = [
                (buyer.stock * x + sold.stock * y) / whole
                for x, y in zip(buyer.allocation, sold.allocation, strict=True)
            ]
            buyer.budget = (buyer.stock * buyer.budget + sold.stock * sold.budget) / whole
            buyer.stock = whole
            outcome.dead.append(sold.id)
            free -= {buyer.id, sold.id}

    def shuffle(self, survivors: list[Agent]) -> None:
        """Deal the capital of the firms in order of ids out in the order of their lots."""
        lots = self.draws.lots(self.clock, Stream.SHUFFLE, [a.id for a in survivors])
        lot = {a.id: x for a, x in zip(survivors, lots, strict=True)}
        capital = [a.stock for a in sorted(survivors, key=lambda a: a.id)]
        goals = sorted(survivors, key=lambda a: lot[a.id])
        for agent, stock in zip(goals, capital, strict=True):
            agent.stock = stock

    def entrants(self, outcome: Outcome, unmet: list[float]) -> list[Agent]:
        s, entry, living = self.scenario, self.scenario.market.entry, self.agents
        emitted = math.fsum(x for row in outcome.supply for x in row)
        share = math.fsum(x for row in outcome.unclaimed for x in row) / emitted if emitted else 0
        n = len(living)
        rate = entry.rate * math.exp(entry.density * n + entry.density_squared * n * n)
        if entry.form == "power":
            rate = entry.rate * n**entry.density * math.exp(entry.density_squared * n * n)
        number = self.draws.poisson(self.clock, rate * (1 + entry.unmet_demand * share))
        number += n  # as many as could be replaced: who is, is known only after exits
        ids = [self.draws.child(0, self.clock, rank) for rank in range(number)]
        lots = self.draws.uniform(self.clock, Stream.DISPERSAL, ids)
        newborns = [
            Agent(
                id=name, parent=0, lineage=name, group=-1, patch=int(lot * s.patches.count), age=0,
                budget=s.population.budget, stock=entry.capital, strikes=0, trait=[],
                allocation=[], retained=self.nothing_retained(),
            )
            for name, lot in zip(ids, lots, strict=True)
        ]  # fmt: skip
        axis, count = s.niches.space == "axis", s.niches.count
        if entry.kind == "imitation" and living:
            order = sorted(living, key=lambda a: a.id)
            units = self.draws.fine(self.clock, Stream.PARENT, ids)
            noise = self.draws.normals(self.clock, Stream.STEP, ids, 2 if axis else count)
            for i, firm in enumerate(newborns):
                model = self.drawn(order, [outcome.gain[a.id] for a in order], units[i])
                firm.parent = model.id
                if axis:
                    firm.trait = [
                        t + entry.copying_error * z
                        for t, z in zip(model.trait, noise[i], strict=True)
                    ]
                    firm.allocation = utilisation(firm.trait, self.positions)
                else:
                    firm.allocation = self.moved(
                        model.allocation, noise[i], entry.copying_error
                    )
        elif axis:
            low, high = min(self.positions), max(self.positions)
            wide = s.population.width or s.niches.length
            units = self.draws.units(self.clock, Stream.SCOPE, ids)
            for firm, (where, width) in zip(newborns, units, strict=True):
                firm.trait = [low + (high - low) * where, math.log(wide * width)]
                firm.allocation = utilisation(firm.trait, self.positions)
        else:
            scopes = self.scope(ids, unmet if entry.kind == "unmet" else [1.0] * count)
            for firm, scope in zip(newborns, scopes, strict=True):
                firm.allocation = scope
        return newborns
