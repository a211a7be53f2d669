"""The agents' axis divided over devices: what a step under trace knows of it.

The devices stand in a mesh that `jax.set_mesh` makes known while a program is traced. Each holds a
run of slots; all else is on every device. A result does not depend on slots, so work that each
device can do on its own slots is done there (`on_each`), and only its totals are exchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import AxisType, PartitionSpec

AXIS = "agents"
EVERYWHERE = PartitionSpec()


def _kind() -> AxisType | None:
    mesh = jax.sharding.get_abstract_mesh()
    return dict(zip(mesh.axis_names, mesh.axis_types, strict=True)).get(AXIS)


def parts() -> int:
    """Return the number of devices that arrays traced here are divided over; 1: none is."""
    if _kind() != AxisType.Auto:
        return 1
    return int(jax.sharding.get_abstract_mesh().shape[AXIS])


def along(axis: int) -> PartitionSpec:
    """Return the specification of an array whose `axis` runs along the slots."""
    return PartitionSpec(*[None] * axis, AXIS)


def kept(array: Array, spec: PartitionSpec) -> Array:
    """Return an array that lies on the devices as its specification says."""
    return array if parts() == 1 else jax.lax.with_sharding_constraint(array, spec)


def replicated(tree: Any) -> Any:
    """Return arrays of which every device holds the whole."""
    return jax.tree.map(lambda array: kept(array, EVERYWHERE), tree)


def on_each(local: Callable[..., Any], *operands: Any, specs: tuple[Any, ...], out: Any) -> Any:
    """Return `local(*operands)`, each device with its own slots, or once where nothing is divided.

    Args:
        local: the work on the slots of one device; may call `summed`, `largest` and `before`.
        operands: trees of arrays.
        specs: for each operand the specification of its leaves.
        out: the same of the result.

    """
    if parts() == 1:
        return local(*operands)
    return jax.shard_map(local, in_specs=specs, out_specs=out, check_vma=False)(*operands)


def _inside() -> bool:
    return _kind() == AxisType.Manual


def summed(tree: Any) -> Any:
    """Return sums over the devices; only in `on_each`, and only of integers: these are exact."""
    return jax.lax.psum(tree, AXIS) if _inside() else tree


def largest(tree: Any) -> Any:
    """Return the largest over the devices; only in `on_each`."""
    return jax.lax.pmax(tree, AXIS) if _inside() else tree


def before(number: Array) -> tuple[Array, Array, Array]:
    """Return the place of this device, and the sum of a number over those before it and over all.

    Only in `on_each`, where something is divided.
    """
    place, each = jax.lax.axis_index(AXIS), jax.lax.all_gather(number, AXIS)
    earlier = jnp.arange(each.shape[0]) < place
    return place, jnp.sum(jnp.where(earlier, each, 0)), jnp.sum(each)


def split(array: Array, axis: int) -> Array:
    """Return an array whose axis along the slots is two: devices, and slots of each."""
    shape = array.shape
    return array.reshape(*shape[:axis], parts(), shape[axis] // parts(), *shape[axis + 1 :])


def joined(array: Array, axis: int) -> Array:
    """Return what `split` was given, perhaps with more slots a device."""
    shape = array.shape
    whole = array.reshape(*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :])
    return kept(whole, along(axis))
