"""Weights over niches, as users give them, made into allocations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ecosim.errors import AgentError

_SUM = 1e-6  # how far the sum of an allocation may be from 1, as in a scenario file


def checked(weights: Any, niches: int, agents: int, subject: Callable[[int], str]) -> np.ndarray:
    """Return weights as float64[n, K], or raise AgentError with the rule that they break.

    Args:
        weights: `[K]` for all agents alike, or `[n, K]`.
        niches: K.
        agents: n.
        subject: what the weights of a row are, in words, for the error.

    """
    rows = _rows(weights, niches, agents, subject)
    # A sum of finite weights can overflow.
    with np.errstate(over="ignore"):
        total = rows.sum(axis=1)
    sound = np.isfinite(rows) & (rows >= 0)
    wrong = ~(sound.all(axis=1) & (total > 0) & np.isfinite(total))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise AgentError(
            f"{subject(row)} must be finite, not negative and not all zero "
            f"(given: {short(rows[row])})"
        )
    return rows


def _rows(weights: Any, niches: int, agents: int, subject: Callable[[int], str]) -> np.ndarray:
    try:
        rows = np.asarray(weights, np.float64)
    except (TypeError, ValueError):
        rows = None
    if rows is not None and rows.shape == (niches,):
        return np.broadcast_to(rows, (agents, niches))
    if rows is not None and rows.shape == (agents, niches):
        return rows
    rule = f"needs one number for each of the {niches} niches"
    if isinstance(weights, list) and len(weights) == agents:
        for row, one in enumerate(weights):
            if np.shape(one) != (niches,):
                raise AgentError(f"{subject(row)} {rule} (given: {short(one)})")
    rule = f"{rule}, or {agents} rows of them" if agents != 1 else rule
    shape = "" if rows is None else f", of shape {rows.shape}"
    raise AgentError(f"{subject(0)} {rule} (given: {short(weights)}{shape})")


def check_sum(rows: np.ndarray) -> None:
    """Raise AgentError unless every row `[n, K]` sums to 1."""
    total = rows.sum(axis=1)
    away = np.flatnonzero(np.abs(total - 1) > _SUM)
    if away.size:
        raise AgentError(
            f"an allocation sums to 1 (given: {short(rows[away[0]])}, which sums to "
            f"{total[away[0]]:g}); divide it by its sum"
        )


def check_used(shares: np.ndarray, most: int) -> None:
    """Raise AgentError unless every row `[n, K]` uses at most so many niches."""
    used = (shares > 0).sum(axis=1)
    if used.size and used.max() > most:
        row = int(used.argmax())
        raise AgentError(
            f"an agent uses at most {most} niches (niches.used; given: shares above 0 on "
            f"{used[row]} niches, {short(shares[row])}); leave the others at 0"
        )


def normalised(weights: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return shares of a precision; rows that sum to 1 within its rounding stay as they are."""
    total = weights.sum(axis=1, keepdims=True)
    exact = np.abs(total - 1) <= weights.shape[1] * float(np.finfo(dtype).eps)
    return np.asarray(np.where(exact, weights, weights / total), dtype)


def breadth(shares: np.ndarray) -> np.ndarray:
    """Return the effective number of niches exp(H) of allocations `[n, K]`."""
    logs = np.log(np.where(shares > 0, shares, 1))
    return np.asarray(np.exp(-(shares * logs).sum(axis=1)))


def short(value: Any) -> str:
    """Return a value as text of at most 60 characters."""
    text = np.array2string(value, threshold=8) if isinstance(value, np.ndarray) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
