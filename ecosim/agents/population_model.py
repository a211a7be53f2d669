"""A Mesa model whose agents are the rows of a simulation's population."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import mesa

from ecosim.agents.agent_set import ColumnAgentSet
from ecosim.agents.allocation import allocate, hook_of
from ecosim.agents.columns import Columns
from ecosim.agents.extra import ExtraColumns
from ecosim.agents.opening import scenario_of, seed_of
from ecosim.agents.reporting import collector_of
from ecosim.agents.row import RowAgent
from ecosim.recording import Recording
from ecosim.scenario import Scenario
from ecosim.simulate import Simulation

if TYPE_CHECKING:
    import os


class PopulationModel(mesa.Model):
    """What EcologyModel and MarketModel share.

    Attributes:
        setup: the scenario that runs (`model.scenario` is Mesa's own).
        seed: seed of the run and of `model.random` and `model.rng`.
        agent_class: the class of all agents.
        columns: the population's columns as NumPy arrays `[C]`.
        datacollector: reports every recorded metric at every recording by itself; a collector of
            your own you collect with, as in Mesa.

    """

    world: str  # of the scenarios that the model runs
    member: type[RowAgent]  # what its agents are

    def __init__(
        self,
        scenario: str | os.PathLike[str] | Scenario | None,
        *,
        rng: Any,
        agent_class: type[RowAgent],
        overrides: dict[str, Any],
    ) -> None:
        """Create the founders and record step 0; see EcologyModel."""
        if not (isinstance(agent_class, type) and issubclass(agent_class, self.member)):
            raise TypeError(
                f"the agents of {type(self).__name__} are views of its population's rows: give a "
                f"subclass of ecosim.{self.member.__name__} (given: {agent_class!r})"
            )
        given = overrides.keys() & {"organism", "firm", "algorithm", "learner"}
        if given:
            raise TypeError(
                f"{type(self).__name__} takes the class of its agents as "
                f"{self.member.__name__.lower()} (given: {', '.join(given)})"
            )
        self.setup = scenario_of(scenario, overrides, world=self.world)
        self.seed = seed_of(rng, self.setup)
        super().__init__(rng=self.seed)
        self.agent_class = agent_class
        self._hook = hook_of(agent_class)
        self.extra = ExtraColumns()
        self._attach(Simulation(self.setup, self.seed))
        if self._hook is not None:
            self.columns.check_free()
        self.datacollector = self._own_collector = collector_of(self.simulation.recorder.latest)
        self._after_step()

    def _attach(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.columns = Columns(simulation)
        self._agent_set = ColumnAgentSet(self)

    def step(self) -> None:
        """Advance by one step, the same as a step of the headless run.

        First the agents' own choices (`allocate`) and what was set or removed since the last step
        take effect, then the compiled step runs.

        Raises:
            RunError: when an invariant broke: the step, the quantity and the agent.
            AgentError: when weights that an agent returned break a rule.

        """
        columns, extra = self.columns, self.extra
        if self._hook is not None:
            allocate(self, self._hook)
        before = (columns["id"], columns["alive"]) if extra.values else None
        columns.apply()
        # Views are let go first: memory that nobody looks at is used again by the step.
        columns.renew()
        self.simulation.advance(self.simulation.clock + 1)
        columns.renew()
        if before is not None:
            extra.follow(columns, *before)
        self._after_step()

    def _after_step(self) -> None:
        simulation, every = self.simulation, self.setup.record.snapshots
        clock = simulation.clock
        if every and clock % every == 0:
            simulation.snapshot()
        self.running = not simulation.ended and (self.population > 0 or self._can_refill())
        if self.datacollector is self._own_collector and self.metrics["step"] == clock:
            self._own_collector.collect(self)

    def _can_refill(self) -> bool:
        """Return whether agents can come where none is left."""
        return False

    @property
    def agents(self) -> ColumnAgentSet:
        """All living agents."""
        return self._agent_set

    @property
    def agents_by_type(self) -> dict[type, ColumnAgentSet]:
        """The living agents by class, of which there is one."""
        return {self.agent_class: self._agent_set}

    @property
    def agent_types(self) -> list[type]:
        """The class of the agents."""
        return [self.agent_class]

    @property
    def population(self) -> int:
        """The number of living agents."""
        return self.columns.number

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics last recorded, by name, and the step they belong to."""
        return dict(self.simulation.recorder.latest)

    def metric(self, name: str) -> float:
        """Return one metric as last recorded, such as `coverage` or `breadth_mean`."""
        latest = self.simulation.recorder.latest
        if name not in latest:
            close = difflib.get_close_matches(name, latest, n=1)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(latest)}"
            raise KeyError(f"{type(self).__name__} records no metric {name!r}; {hint}")
        return latest[name]

    @property
    def breadth_mean(self) -> float:
        """Mean breadth as last recorded."""
        return self.metric("breadth_mean")

    @property
    def coverage(self) -> float:
        """Share of supplied niches that have a specialist, as last recorded."""
        return self.metric("coverage")

    def recording(self) -> Recording:
        """Return what was recorded so far, the same as a headless run's."""
        return self.simulation.finished()

    def add_column(self, name: str, default: Any = 0.0, *, inherit: bool = False) -> None:
        """Give every agent an attribute of your own, to be read and set like any other.

        Args:
            name: the attribute.
            default: the value everybody has at first, and newborns without `inherit`. One that
                can be changed in place is shared by all.
            inherit: newborns get their parent's value (imitators: that of the firm they copy).

        """
        if not name.isidentifier() or name.startswith("_"):
            raise ValueError(f"a column is named by a public Python name (given: {name!r})")
        if name in self.extra.values or hasattr(self.agent_class, name):
            raise ValueError(
                f"{self.agent_class.__name__} already has a {name!r}; choose another name"
            )
        self.extra.add(self.columns, name, default, inherit=inherit)

    def remove_all_agents(self) -> None:
        """Have all agents leave at the next step."""
        self.agents.do("remove")

    def register_agent(self, agent: Any) -> None:
        """Refuse: agents are rows of the population."""
        raise TypeError(
            f"the agents of {type(self).__name__} are the rows of its population: nothing else can "
            "be registered; keep other objects as attributes of the model"
        )

    @property
    def removes_by_mark(self) -> bool:
        """Whether removing an agent does nothing beyond marking it."""
        return self.agent_class.remove is RowAgent.remove

    def __getstate__(self) -> dict[str, Any]:
        """Return the model's data with the simulation as plain data."""
        state = dict(self.__dict__)
        for name in ("simulation", "columns", "_agent_set"):
            del state[name]
        return state | {"packed": (self.simulation, self.columns.pending())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the simulation again, on the device."""
        simulation, pending = state.pop("packed")
        self.__dict__.update(state)
        self._attach(simulation)
        self.columns.resume(pending)
