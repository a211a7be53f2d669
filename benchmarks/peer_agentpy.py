"""The reference workload in AgentPy: an object an organism, in the list that is quick to leave.

`AgentDList` removes in constant time, and its `buffer()` allows leaving during a round; a plain
`AgentList` would search the whole list for each of the dead.
"""

from __future__ import annotations

import operator

import agentpy
import numpy as np
from peer_models import Workload, breadth_of, children_of


class Organism(agentpy.Agent):
    """One organism; its shares are a row, what is read each step is cached."""

    def setup(self, allocation: np.ndarray, stock: float) -> None:
        """Describe an organism of these shares."""
        self.allocation, self.stock = allocation, stock
        claims = allocation**self.model.w.exponent
        self.claims = claims.tolist()
        self.breadth, self.depth = float(breadth_of(allocation[None, :])[0]), allocation.max()
        self.model.totals += claims

    def act(self) -> None:
        """Receive, pay, die or divide."""
        model, w = self.model, self.model.w
        self.stock += sum(map(operator.mul, self.claims, model.price)) - w.upkeep
        if self.stock <= 0 or model.random.random() < w.mortality:
            model.totals -= self.claims
            model.deaths += 1
            model.organisms.remove(self)
        elif self.stock >= w.division:
            self.stock /= 2
            child = children_of(self.allocation[None, :], w, model.nprandom)[0]
            model.births += 1
            model.organisms.append(Organism(model, allocation=child, stock=self.stock))


class Model(agentpy.Model):
    """The model; `step` is what a run does in one step, recording included."""

    def setup(self) -> None:
        """Create an organism for each row of the workload."""
        self.w: Workload = self.p.workload
        self.births = self.deaths = 0
        self.totals = np.zeros(len(self.w.supply))
        self.price: list[float] = []
        self.organisms = agentpy.AgentDList(self)
        for row, stock in zip(self.w.allocation, self.w.stock.tolist(), strict=True):
            self.organisms.append(Organism(self, allocation=row, stock=stock))

    def step(self) -> None:
        """Set the prices and let everybody act who was there at the beginning of the step."""
        self.births = self.deaths = 0
        self.price = (self.w.supply / np.maximum(self.totals, 1e-30)).tolist()
        self.organisms.buffer().act()

    def update(self) -> None:
        """Record the metrics that Mesa's objects record too."""
        self.population = len(self.organisms)
        self.stock_mean = np.mean(list(self.organisms.stock))
        self.breadth_mean = np.mean(list(self.organisms.breadth))
        self.depth_mean = np.mean(list(self.organisms.depth))
        self.record(["population", "births", "deaths", "stock_mean", "breadth_mean", "depth_mean"])


def model_of(w: Workload) -> Model:
    """Return the model at step 0, ready for `sim_step`."""
    model = Model({"workload": w, "seed": 1})
    model.sim_setup()
    return model
