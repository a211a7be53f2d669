"""The reference workload in Abmax: agents as a struct of arrays in JAX, a whole step compiled.

Children are computed together, for at most a sixteenth of the slots, and set by sort-count-iterate
(`set_agents_sci`); rank match would compare every agent with every child. Agents step under `vmap`;
many steps are one call.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from abmax.functions import select_agents, set_agents_sci, step_agents
from abmax.structs import Agent, Params, Set, Signal, State
from flax import struct
from peer_models import Workload

_SPECIALIST = 0.9
ROWS = 128  # of metrics kept
BIRTHS = 16  # at most one for so many slots in a step: four times as many as there are


def _breadth(allocation: jax.Array) -> jax.Array:
    return jnp.exp(-jnp.sum(jax.scipy.special.xlogy(allocation, allocation)))


@struct.dataclass
class Organism(Agent):
    """One organism: shares, claims, stock, and what is known of its breadth."""

    @staticmethod
    def create_agent(agent_type, params, id, active_state, key):  # type: ignore[no-untyped-def]
        """Describe an organism of the given shares; an inactive one has no claims."""
        allocation = params.content["allocation"]
        content = {
            "allocation": allocation,
            "claims": active_state * allocation ** params.content["exponent"],
            "stock": params.content["stock"],
            "breadth": _breadth(allocation),
            "depth": allocation.max(),
            "dies": jnp.zeros((), bool),
        }
        return Organism(
            id=id, active_state=active_state, age=jnp.zeros(()), agent_type=agent_type,
            params=None, state=State(content=content), policy=None, key=None,
        )  # fmt: skip

    @staticmethod
    def step_agent(agent, input, step_params):  # type: ignore[no-untyped-def]
        """Receive and pay; die by chance or without stock."""
        s, n = agent.state.content, step_params.content
        stock = s["stock"] + s["claims"] @ n["price"] - n["upkeep"]
        alive = agent.active_state == 1
        dies = alive & ((stock <= 0) | (input.content["chance"] < n["mortality"]))
        stays = alive & ~dies
        content = s | {
            "stock": jnp.where(stays, stock, 0), "dies": dies,
            "claims": jnp.where(stays, s["claims"], 0),
        }  # fmt: skip
        return agent.replace(
            active_state=stays.astype(agent.active_state.dtype), state=State(content=content)
        )


def _children(agents: Organism, parents: jax.Array, key: jax.Array, n: dict) -> dict:
    """Return the state of the children `[B]` of parents, whose stock is halved already."""
    shares, stock = (agents.state.content[name][parents] for name in ("allocation", "stock"))
    first, second = jax.random.split(key)
    mutates = jax.random.uniform(first, (len(parents), 1)) < n["mutation_rate"]
    noise = jax.random.normal(second, shares.shape) * n["mutation_step"]
    shares = jnp.maximum(shares + mutates * noise, 0)
    shares = shares / shares.sum(1, keepdims=True)
    return {
        "allocation": shares, "claims": shares ** n["exponent"], "stock": stock,
        "breadth": jax.vmap(_breadth)(shares), "depth": shares.max(1),
        "dies": jnp.zeros(len(parents), bool),
    }  # fmt: skip


def _set_child(agents, idx, set_params):  # type: ignore[no-untyped-def]
    """Return the child of that number; it reads nothing of the agents, which stay in place."""
    p = set_params.content
    content = {name: column[idx] for name, column in p["children"].items()}
    return Organism(
        id=p["set_indx"][idx], active_state=jnp.int32(1), age=jnp.zeros(()),
        agent_type=jnp.int32(0), params=None, policy=None, key=None, state=State(content=content),
    )  # fmt: skip


def _halved(agents: Organism, who: jax.Array) -> Organism:
    content = agents.state.content
    stock = jnp.where(who, content["stock"] / 2, content["stock"])
    return agents.replace(state=State(content=content | {"stock": stock}))


def _metrics(after: Organism, flows: dict) -> dict:
    s, alive = after.state.content, after.active_state == 1
    number = alive.sum()

    def mean(column: jax.Array) -> jax.Array:
        return jnp.where(alive, column, 0).sum() / number

    return {
        "population": number, **flows,
        "stock_mean": mean(s["stock"]), "breadth_mean": mean(s["breadth"]),
        "depth_mean": mean(s["depth"]), "allocation_0": mean(s["allocation"][:, 0]),
        "specialists": (alive & (s["depth"] >= _SPECIALIST)).sum(),
    }  # fmt: skip


class Model:
    """A set of organisms with a quarter of its slots free."""

    def __init__(self, w: Workload) -> None:
        """Create the organisms of a workload."""
        size = len(w.stock)
        spare = size // 4
        self.numbers = {
            name: jnp.float32(getattr(w, name))
            for name in ("exponent", "upkeep", "mortality", "division", "mutation_rate",
                         "mutation_step")
        } | {"supply": jnp.asarray(w.supply, jnp.float32)}  # fmt: skip
        shares = jnp.concatenate([w.allocation, jnp.repeat(w.allocation[:1], spare, 0)])
        params = Params(content={
            "allocation": shares,
            "stock": jnp.concatenate([w.stock, jnp.zeros(spare, w.stock.dtype)]),
            "exponent": jnp.full(size + spare, w.exponent, jnp.float32),
        })  # fmt: skip
        # `create_agents` of the library, without its Python loop over a key for each agent.
        ids = jnp.arange(size + spare)
        agents = jax.vmap(Organism.create_agent, in_axes=(None, 0, 0, 0, None))(
            0, params, ids, (ids < size).astype(jnp.int32), None
        )
        organisms = Set(
            num_agents=size + spare, num_active_agents=size, agents=agents, id=0, set_type=0,
            params=None, state=None, policy=None, key=jax.random.key(1),
        )  # fmt: skip
        shapes = jax.eval_shape(_step, organisms, self.numbers)[1]
        table = {name: jnp.zeros(ROWS, shape.dtype) for name, shape in shapes.items()}
        # Of strong types, so that the second call finds the program of the first.
        self.carry = jax.tree.map(lambda x: jnp.array(x, jnp.asarray(x).dtype), (organisms, table))

    @property
    def metrics(self) -> dict[str, jax.Array]:
        """Metrics of the last steps, a row a step, in a ring."""
        return self.carry[1]

    def steps(self, count: int) -> None:
        """Do so many steps, metrics in each; the number is traced, so it compiles once."""
        self.carry = jax.block_until_ready(_looped(self.carry, self.numbers, count))


def _step(organisms: Set, n: dict) -> tuple[Set, dict]:
    key, chance, birth = jax.random.split(organisms.key, 3)
    slots = organisms.num_agents
    claims = organisms.agents.state.content["claims"]
    price = n["supply"] / jnp.maximum(jnp.ones(len(claims)) @ claims, 1e-30)
    received = (claims @ price).sum()
    draws = Signal(content={"chance": jax.random.uniform(chance, (len(claims),))})
    organisms = step_agents(
        Organism.step_agent, Params(content=n | {"price": price}), draws, organisms
    )
    agents = organisms.agents
    divides = (agents.active_state == 1) & (agents.state.content["stock"] >= n["division"])
    wanted, parents = select_agents(lambda a, who: who, divides, organisms)
    free, places = select_agents(lambda a, _: a.active_state == 0, None, organisms)
    parents = parents[: max(64, len(claims) // BIRTHS)]
    births = jnp.minimum(jnp.minimum(wanted, free), len(parents))
    deaths = agents.state.content["dies"].sum()
    flows = {"births": births, "deaths": deaths, "received": received}
    # The parents' stock is halved first: a child then takes as much as is left to its parent.
    organisms = organisms.replace(agents=_halved(agents, divides))
    children = _children(organisms.agents, parents, birth, n)
    params = Params(content={"set_indx": places, "children": children})
    organisms = set_agents_sci(_set_child, params, births, organisms)
    alive = organisms.agents.active_state.sum()
    organisms = organisms.replace(num_active_agents=alive, num_agents=slots, key=key)
    return organisms, _metrics(organisms.agents, flows)


def _loop(carry: tuple[Set, dict], n: dict, count: jax.Array) -> tuple[Set, dict]:
    def one(number: jax.Array, carry: tuple[Set, dict]) -> tuple[Set, dict]:
        organisms, metrics = _step(carry[0], n)
        row = number % ROWS
        return organisms, {k: v.at[row].set(metrics[k]) for k, v in carry[1].items()}

    return jax.lax.fori_loop(0, count, one, carry)


_looped = jax.jit(_loop, donate_argnums=0)
