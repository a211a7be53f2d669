"""A simulation as plain data and back, for pickling and deep copies of a model."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.simulate import Simulation

_PLAIN = ("scenario", "seed", "recorder", "kinds", "parameters", "names")


def packed(simulation: Simulation) -> dict[str, Any]:
    """Return everything a simulation knows, its state as NumPy arrays."""
    plain = {name: getattr(simulation, name) for name in _PLAIN}
    return plain | {"state": jax.tree.map(np.asarray, simulation.state)}


def unpacked(plain: dict[str, Any]) -> Simulation:
    """Return a simulation that goes on, bit for bit, from where `packed` was called."""
    simulation = Simulation.__new__(Simulation)
    for name in _PLAIN:
        setattr(simulation, name, plain[name])
    simulation._advance = engine.advance
    with prepared():
        # Copied: the device must not share memory that a user could write to.
        simulation.state = jax.tree.map(lambda leaf: jnp.array(leaf, copy=True), plain["state"])
    return simulation
