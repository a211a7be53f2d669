"""The reference workload as each tool's expert would write it.

All do the same work in a step of N organisms on K niches: claims are paid (a niche divides its
supply by them), stock gains what is paid and loses upkeep, organisms die by chance or without
stock, divide from a stock on, and children inherit the shares with mutation. Every step yields the
same metrics. Children are projected on the simplex by clipping and dividing, which is cheaper than
ecosim's Euclidean projection, and fewer metrics are taken than ecosim takes: both favour the peers.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import mesa
import numpy as np

Metrics = dict[str, float]


class Workload(NamedTuple):
    """A population to begin with and the numbers of its life."""

    allocation: np.ndarray  # float32[N, K]
    stock: np.ndarray  # float32[N]
    supply: np.ndarray  # float32[K]
    exponent: float  # claims are allocation^exponent
    upkeep: float
    mortality: float
    division: float
    mutation_rate: float
    mutation_step: float


def breadth_of(allocation: np.ndarray) -> np.ndarray:
    """Return exp(entropy) of shares `[N, K]`."""
    logs = np.log(np.where(allocation > 0, allocation, 1))
    return np.exp(-(allocation * logs).sum(1))


def children_of(parents: np.ndarray, w: Workload, rng: np.random.Generator) -> np.ndarray:
    """Return the shares of children `[B, K]` of parents' shares `[B, K]`."""
    mutates = rng.random(len(parents), np.float32) < w.mutation_rate
    noise = rng.standard_normal(parents.shape, np.float32) * np.float32(w.mutation_step)
    child = np.maximum(parents + noise * mutates[:, None], 0)
    return child / child.sum(1, keepdims=True)


class Columns:
    """NumPy by hand: columns of fixed capacity, in place; matrix products for what is large."""

    def __init__(self, w: Workload) -> None:
        """Lay out a workload in columns with room for a quarter more."""
        size, niches = w.allocation.shape
        capacity = size + size // 4
        self.w, self.rng = w, np.random.default_rng(1)
        self.alive = np.zeros(capacity, bool)
        self.alive[:size] = True
        self.allocation = np.zeros((capacity, niches), np.float32)
        self.allocation[:size] = w.allocation
        self.claims = self.allocation**w.exponent  # rows of the dead are 0
        self.stock = np.zeros(capacity, np.float32)
        self.stock[:size] = w.stock
        self.breadth, self.depth = breadth_of(self.allocation), self.allocation.max(1)
        self.ones = np.ones(capacity, np.float32)

    def step(self) -> Metrics:
        """Do one step and return its metrics."""
        w, alive, stock = self.w, self.alive, self.stock
        price = w.supply / np.maximum(self.ones @ self.claims, 1e-30)
        gain = self.claims @ price
        stock += gain
        stock -= w.upkeep
        dies = self.rng.random(len(stock), np.float32) < w.mortality
        dies |= stock <= 0
        dies &= alive
        parents = np.flatnonzero(alive & ~dies & (stock >= w.division))
        dead = np.flatnonzero(dies)
        alive[dead] = False
        self.claims[dead] = 0
        slots = np.flatnonzero(~alive)[: len(parents)]
        parents = parents[: len(slots)]
        stock[parents] /= 2
        child = children_of(self.allocation[parents], w, self.rng)
        self.allocation[slots], self.claims[slots] = child, child**w.exponent
        stock[slots], alive[slots] = stock[parents], True
        self.breadth[slots], self.depth[slots] = breadth_of(child), child.max(1)
        number = int(np.count_nonzero(alive))
        weights = alive.astype(np.float32)
        return {
            "population": number, "births": len(slots), "deaths": len(dead),
            "received": float(gain @ weights), "stock_mean": float(stock @ weights) / number,
            "breadth_mean": float(self.breadth @ weights) / number,
            "depth_mean": float(self.depth @ weights) / number,
            "specialists": int(np.count_nonzero(alive & (self.depth >= 0.9))),
            "allocation_0": float(self.allocation[:, 0] @ weights) / number,
        }  # fmt: skip


class VectorisedModel(mesa.Model):
    """A Mesa model whose agents are rows of NumPy arrays that hold the living only."""

    def __init__(self, w: Workload, rng: int | None = 1) -> None:
        """Take a workload's arrays over."""
        super().__init__(rng=rng)
        self.w, self.allocation, self.stock = w, w.allocation.copy(), w.stock.copy()
        self.claims = self.allocation**w.exponent
        self.breadth, self.depth = breadth_of(self.allocation), self.allocation.max(1)
        self.births = self.deaths = 0
        self.gain = np.zeros_like(self.stock)
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "population": lambda m: len(m.stock),
                "births": "births",
                "deaths": "deaths",
                "received": lambda m: float(m.gain.sum()),
                "stock_mean": lambda m: float(m.stock.mean()),
                "breadth_mean": lambda m: float(m.breadth.mean()),
                "depth_mean": lambda m: float(m.depth.mean()),
                "specialists": lambda m: int((m.depth >= 0.9).sum()),
                "allocation_0": lambda m: float(m.allocation[:, 0].mean()),
            }
        )

    def step(self) -> None:
        """Do one step: rows of the dead are left out, rows of children appended."""
        w = self.w
        price = w.supply / np.maximum(self.claims.sum(0), 1e-30)
        self.gain = self.claims @ price
        stock = self.stock + self.gain - np.float32(w.upkeep)
        stays = (stock > 0) & (self.rng.random(len(stock), np.float32) >= w.mortality)
        divides = stays & (stock >= w.division)
        stock[divides] /= 2
        child = children_of(self.allocation[divides], w, self.rng)
        self.births, self.deaths = len(child), int((~stays).sum())

        def after(column: np.ndarray, new: np.ndarray) -> np.ndarray:
            return np.concatenate([column[stays], new])

        self.stock = after(stock, stock[divides])
        self.allocation = after(self.allocation, child)
        self.claims = after(self.claims, child**w.exponent)
        self.breadth = after(self.breadth, breadth_of(child))
        self.depth = after(self.depth, child.max(1))
        self.datacollector.collect(self)


class Organism(mesa.Agent):
    """One organism as a Python object; its shares are a row, what is read each step is cached."""

    def __init__(self, model: ObjectModel, allocation: np.ndarray, stock: float) -> None:
        """Describe an organism of these shares."""
        super().__init__(model)
        self.allocation, self.stock = allocation, stock
        claims = allocation**model.w.exponent
        self.claims = claims.tolist()
        self.breadth, self.depth = float(breadth_of(allocation[None, :])[0]), allocation.max()
        model.totals += claims

    def step(self) -> None:
        """Receive, pay, die or divide."""
        model, w = self.model, self.model.w
        self.stock += sum(map(operator.mul, self.claims, model.price)) - w.upkeep
        if self.stock <= 0 or model.random.random() < w.mortality:
            model.totals -= self.claims
            model.deaths += 1
            self.remove()
        elif self.stock >= w.division:
            self.stock /= 2
            child = children_of(self.allocation[None, :], w, model.rng)[0]
            model.births += 1
            Organism(model, child, self.stock)


class ObjectModel(mesa.Model):
    """Idiomatic Mesa: an object an organism, activated in the order of `agents.do`."""

    def __init__(self, w: Workload, rng: int | None = 1) -> None:
        """Create an organism for each row."""
        super().__init__(rng=rng)
        self.w, self.births, self.deaths = w, 0, 0
        self.totals = np.zeros(len(w.supply))
        self.price: list[float] = []
        for row, stock in zip(w.allocation, w.stock.tolist(), strict=True):
            Organism(self, row, stock)

        def mean(name: str) -> Any:
            return lambda m: m.agents.agg(name, np.mean)

        self.datacollector = mesa.DataCollector(
            model_reporters={
                "population": lambda m: len(m.agents),
                "births": "births",
                "deaths": "deaths",
                "stock_mean": mean("stock"),
                "breadth_mean": mean("breadth"),
                "depth_mean": mean("depth"),
            }
        )

    def step(self) -> None:
        """Set the prices and let everybody act."""
        self.births = self.deaths = 0
        self.price = (self.w.supply / np.maximum(self.totals, 1e-30)).tolist()
        self.agents.do("step")
        self.datacollector.collect(self)
