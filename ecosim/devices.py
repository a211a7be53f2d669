"""The devices that compute: which kind, how many, and how a run's arrays lie on them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecosim.errors import DeviceError
from ecosim.machine import THREADS, cores, threads

if TYPE_CHECKING:
    from jax.sharding import Mesh

    from ecosim.model.step import State
    from ecosim.scenario import Scenario

KINDS = ("auto", "cpu", "gpu")
_FLAG = "--xla_force_host_platform_device_count"
_SMALL = 2**20  # claims


def divide_processor(parts: int | None = None) -> bool:
    """Let JAX see one device a core, if JAX has not begun; return whether it will.

    How a processor is divided is settled when JAX starts. Results are the same bytes either way.

    Args:
        parts: how many devices to see, at most one a core; None: one a core.

    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "jax" in sys.modules or _FLAG in flags:
        return False
    number = cores() if parts is None else min(parts, cores())
    os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}={number}".strip()
    return True


def suit(scenario: Scenario) -> bool:
    """Ask for one thread for a small population, before JAX begins; return whether that was done.

    Up to a million claims (agents x niches of each; agents: those it begins with, or those whom
    all supply feeds, if they are more) a second thread takes as long to wake, a dozen
    times a step, as it then saves: a step of 10,000 agents takes 1.3 times as long with it, and one
    of 1,000 half as long again. With 100,000 on 16 niches it makes no difference. Results are the
    same bytes either way. Learners and searchers compute more than they move, and keep all threads,
    as does whoever has set their number.
    """
    agents: float = scenario.population.size
    if scenario.world == "ecology" and scenario.selection.upkeep > 0:
        agents = max(agents, scenario.total_supply / scenario.selection.upkeep)
    measured = scenario.search is not None or scenario.training is not None
    if agents * scenario.niches.most > _SMALL or measured or threads():
        return False
    os.environ[THREADS[0]] = "1"
    return True


def use(kind: str) -> None:
    """Compute on devices of a kind from now on: `cpu`, `gpu`, or `auto`, a GPU if there is one.

    Raises:
        DeviceError: there is none of this kind, or JAX has begun with another.

    """
    if kind not in KINDS:
        raise DeviceError(f"device {kind!r} (rule: one of {', '.join(KINDS)})")
    if kind == "auto":
        return
    import jax

    if kind == "cpu":
        # For processes that are started later, too.
        os.environ["JAX_PLATFORMS"] = "cpu"
        jax.config.update("jax_platforms", "cpu")
    try:
        first = jax.devices(kind)[0]
    except RuntimeError as error:
        raise DeviceError(_absent(kind, str(error).splitlines()[0])) from error
    if jax.devices()[0].platform != first.platform:
        raise DeviceError(
            f"device {kind!r}: JAX computes on {jax.devices()[0].platform} here (rule: a kind is "
            "chosen before the first run of a process; start a new one, and unset JAX_PLATFORMS)"
        )


def _absent(kind: str, reason: str) -> str:
    return (
        f"device {kind!r}: JAX finds none here (rule: a device that is asked for must be there; "
        "leave the choice to `auto`, or install JAX for it, as with pip install 'jax[cuda13]'; "
        f"JAX_PLATFORMS may hide it). JAX says: {reason}"
    )


def mesh_for(scenario: Scenario, devices: int) -> Mesh | None:
    """Return the mesh over so many devices of each process for a scenario; None: one device.

    Raises:
        DeviceError: fewer are there, or the scenario cannot be divided.

    """
    mesh = mesh_over(devices)
    untried = _untried(scenario)
    if mesh is not None and untried:
        raise DeviceError(
            f"devices {mesh.size}: no test compares {untried} on several devices with one (rule: a "
            "result is the same bytes on any number of devices; leave --devices out)"
        )
    reason = _undivided(scenario)
    if mesh is not None and reason:
        raise DeviceError(
            f"devices {mesh.size}: {reason} for several devices, and the last bits would differ "
            "(rule: a result is the same bytes on any number of devices; leave --devices out)"
        )
    return mesh


def _untried(s: Scenario) -> str:
    """Return what of a scenario no test compares over devices; empty: nothing."""
    market = s.market
    found = {
        "[search]": s.search is not None,
        "[habitats]": s.habitats is not None,
        "niches.used": s.niches.used is not None,
        "competition.resources": s.competition.resources is not None,
        "environment.drift": s.environment.drift is not None,
        "market.incumbents.adaptation": market.incumbents.adaptation != "none",
        "market.conduct": market.conduct.kind != "none",
        "market.growth": market.growth is not None,
        "market.mergers": market.mergers is not None,
        f"selection.kind '{s.selection.kind}'": s.selection.kind
        not in ("energy", "moran", "wright-fisher"),
    }
    return ", ".join(name for name, there in found.items() if there)


def _undivided(scenario: Scenario) -> str:
    """Return what of a scenario keeps it on one device; empty: nothing does."""
    if scenario.training is not None:
        return "the training of learners is compiled otherwise"
    if scenario.niches.space == "axis":
        return "the exponentials that make shares of places on an axis are compiled otherwise"
    return ""


def mesh_over(devices: int) -> Mesh | None:
    """Return the mesh of a population divided over so many devices of each process; None: one.

    Raises:
        DeviceError: fewer are there, or a number below 1.

    """
    import jax
    import numpy as np
    from jax.sharding import AxisType, Mesh

    from ecosim.model.division import AXIS

    if devices < 1:
        raise DeviceError(f"devices {devices} (rule: a whole number from 1)")
    chosen = []
    for process in range(jax.process_count()):
        own = [device for device in jax.devices() if device.process_index == process]
        if len(own) < devices:
            raise DeviceError(_too_few(devices, len(own), own[0].platform))
        chosen += own[:devices]
    if len(chosen) == 1:
        return None
    return Mesh(np.array(chosen), (AXIS,), axis_types=(AxisType.Auto,))


def _too_few(devices: int, there: int, platform: str) -> str:
    text = f"devices {devices}, and {there} of kind {platform!r} (rule: no more than are there"
    if platform == "cpu":
        text += (
            f"; a processor counts as one a core, {cores()} here, and how many is settled when "
            f"JAX starts: XLA_FLAGS={_FLAG}={devices} makes more of it, for trials"
        )
    return f"{text})"


@contextmanager
def over(mesh: Mesh | None) -> Iterator[None]:
    """Trace and run inside with populations divided over a mesh."""
    if mesh is None:
        yield
        return
    import jax

    with jax.set_mesh(mesh):
        yield


def put(state: State, mesh: Mesh | None) -> State:
    """Return a state of NumPy arrays on the devices; the capacity must divide."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import NamedSharding

    from ecosim.model.division import EVERYWHERE
    from ecosim.model.population import SPECS

    # Copied: a device must not share memory that a user could write to.
    if mesh is None:
        return jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), state)
    everywhere = NamedSharding(mesh, EVERYWHERE)
    of = jax.tree.map(lambda _: everywhere, state)
    of = of._replace(population=SPECS._make(NamedSharding(mesh, spec) for spec in SPECS))
    copy: State = jax.tree.map(lambda leaf: leaf.copy(), state)
    placed: State = jax.device_put(copy, of)
    return placed


def on_host(tree: Any) -> Any:
    """Return arrays as NumPy arrays; all processes must ask for what is divided over them."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    def one(leaf: Any) -> np.ndarray:
        here = not isinstance(leaf, jax.Array) or leaf.is_fully_addressable
        if here or leaf.is_fully_replicated:
            return np.asarray(leaf)
        return np.asarray(multihost_utils.process_allgather(leaf, tiled=True))

    return jax.tree.map(one, tree)
