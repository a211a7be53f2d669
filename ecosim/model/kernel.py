"""Competition kernel and carrying capacity on a trait axis (Dieckmann & Doebeli 1999)."""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.model.traced import traced
from ecosim.scenario import Scenario


class Parameters(NamedTuple):
    """Traced numbers of kernel and capacity, float64."""

    width: Array
    capacity: Array
    capacity_width: Array  # infinite: the same capacity everywhere
    centre: Array


def parameters(scenario: Scenario) -> Parameters | None:
    """Return the numbers of a scenario's kernel; None without one."""
    k = scenario.competition.kernel
    if k is None:
        return None
    spread = np.inf if k.capacity_width is None else k.capacity_width
    numbers = (k.width, k.capacity, spread, k.centre)
    return Parameters(*(traced(number, "float64") for number in numbers))


def overlap(parameters: Parameters, distance: Array) -> Array:
    """Return alpha(d) = exp(-d^2 / (2 width^2)) at distances of any shape."""
    return jnp.exp(-0.5 * (distance / parameters.width) ** 2)


def capacity(parameters: Parameters, position: Array) -> Array:
    """Return K(x) = capacity exp(-(x - centre)^2 / (2 capacity_width^2)), any shape."""
    offset = (position - parameters.centre) / parameters.capacity_width
    return parameters.capacity * jnp.exp(-0.5 * offset**2)
