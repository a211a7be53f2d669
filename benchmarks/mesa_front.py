"""What Mesa's front costs: `python benchmarks/mesa_front.py [COLUMNS [OBJECTS]]`.

The reference workload, in turns. With a million agents in columns: headless; `model.step()`; and
`allocate_columns`, all agents' allocations given by one function of arrays. With ten thousand:
headless; `allocate()`, a Python call for each agent each step, in ecosim's Mesa model; and the same
call for each agent in an ordinary Mesa model. A call of `allocate` answers as an agent does that
looks at its stock and at times writes its weights anew: one in ten does.
"""

from __future__ import annotations

import numpy as np
from peer_models import ObjectModel
from peer_models import Organism as MesaOrganism
from peers import workload
from turns import Row, Way, each, machine, parser, tell, turns

import ecosim
from ecosim.scenario import Scenario, read
from ecosim.simulate import Simulation

COLUMNS, OBJECTS, SETTLED = 1_000_000, 10_000, 20
_BAND = (1.0, 1.1)  # of stock, in which an agent writes its weights anew


class Asking(ecosim.Organism):
    """An organism of ecosim that is asked in Python."""

    __slots__ = ()

    def allocate(self):  # type: ignore[no-untyped-def]
        """Keep to its allocation, written anew where its stock is in the band."""
        return self.allocation if _BAND[0] <= self.stock < _BAND[1] else None


class AskingAll(ecosim.Organism):
    """Organisms of ecosim that are asked all at once."""

    __slots__ = ()

    @classmethod
    def allocate_columns(cls, agents):  # type: ignore[no-untyped-def]
        """Keep to their allocations, all written anew."""
        return np.asarray(agents.get("allocation"))


class AskingModel(ObjectModel):
    """Ordinary Mesa: each object is asked, and its claims follow from its weights."""

    def step(self) -> None:
        """Ask everybody, then do a step."""
        for agent in self.agents:
            if _BAND[0] <= agent.stock < _BAND[1]:
                self.write(agent, agent.allocation)
        super().step()

    def write(self, agent: MesaOrganism, weights: np.ndarray) -> None:
        """Give an organism its weights."""
        self.totals -= agent.claims
        agent.allocation = weights / weights.sum()
        claims = agent.allocation**self.w.exponent
        agent.claims = claims.tolist()
        self.totals += claims


def _scenario(agents: int) -> Scenario:
    return read("reference-workload").replace(population__size=agents, run__steps=10**6)


def _headless(simulation: Simulation) -> Way:
    return lambda count: simulation.advance(simulation.clock + count)


def measure(columns: int, objects: int, rounds: int = 7, seconds: float = 0.5) -> list[Row]:
    """Return a row for each way."""
    large, small = Simulation(_scenario(columns)), Simulation(_scenario(objects))
    small.advance(SETTLED)
    groups: dict[int, dict[str, Way]] = {
        columns: {
            "headless": _headless(large),
            "model.step()": each(ecosim.EcologyModel(_scenario(columns)).step),
            "allocate_columns": each(
                ecosim.EcologyModel(_scenario(columns), organism=AskingAll).step
            ),
        },
        objects: {
            "headless, few": _headless(small),
            "allocate()": each(ecosim.EcologyModel(_scenario(objects), organism=Asking).step),
            "mesa objects": each(ObjectModel(workload(small)).step),
            "mesa objects asked": each(AskingModel(workload(small)).step),
        },
    }
    rows: list[Row] = []
    for agents, ways in groups.items():
        spent = turns(ways, rounds, seconds)
        base = next(iter(spent.values()))
        rows += [
            {
                "agents": agents,
                "way": name,
                "seconds_a_step": one.clock,
                "over_headless": one.clock / base.clock,
                "over_headless_by_cpu_time": one.processor / base.processor,
            }
            for name, one in spent.items()
        ]
    return rows


def main() -> None:
    """Measure and print a JSON row for each way."""
    arguments = parser(__doc__)
    arguments.add_argument("columns", nargs="?", type=int, default=COLUMNS)
    arguments.add_argument("objects", nargs="?", type=int, default=OBJECTS)
    given = arguments.parse_args()
    tell([{"machine": machine(), "rounds": given.rounds}])
    size = (60, 50) if given.tiny else (given.columns, given.objects)
    tell(measure(*size, given.rounds, 0.0 if given.tiny else 0.5))


if __name__ == "__main__":
    main()
