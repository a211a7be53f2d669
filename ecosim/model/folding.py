"""Reductions over agents begun on the way: eighths put on top of each other, then reduced."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
from jax import Array

from ecosim.model import division

_PARTS = 8  # that are put on top of each other
_LARGE = 4096  # values from which on that is done once
_FEW = 32  # agents below which fewer values are not folded again


def folded(operation: Callable[[Array, Array], Array], values: Array, axis: int = 0) -> Array:
    """Return values with their eighths along the axis of agents combined, if that can be done.

    A reduction reads its operand from memory. What is folded first is computed on the way, so
    that an eighth of it is written; few values are folded again and again, since each reduction of
    more than some thirty is compiled to several. For operations whose result no order changes. On
    several devices the axis becomes two, devices and slots of each.
    """
    size, rest = divmod(values.shape[axis], division.parts())
    many = values.size >= _LARGE * division.parts()
    if division.parts() > 1:
        if not many or size % _PARTS or rest:
            return values
        # Eighths of what each device holds, so that nothing is moved for it.
        return _eighths(operation, division.split(values, axis), axis + 1)
    least = size if many else _FEW
    while size % _PARTS == 0 and size >= least:
        values, size = _eighths(operation, values, axis), size // _PARTS
    return values


def _eighths(operation: Callable[[Array, Array], Array], values: Array, axis: int) -> Array:
    part = values.shape[axis] // _PARTS
    parts = (jax.lax.slice_in_dim(values, i * part, (i + 1) * part, axis=axis)
             for i in range(_PARTS))  # fmt: skip
    return functools.reduce(operation, parts)
