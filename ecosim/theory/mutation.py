"""Mutation without selection: how far descendants move from where their founders were."""

from __future__ import annotations


def squared_displacement(rate: float, step: float, generations: int) -> float:
    """Return the mean of (x_t - x_0)^2 of a trait that mutates and is not selected.

    A line of descent collects t independent steps of variance step^2, each with probability
    `rate`: E[(x_t - x_0)^2] = t rate step^2, whatever the genealogy (Lande 1976, Evolution
    30:314, the variance that mutation adds in each generation).

    Args:
        rate: chance of a mutation at birth, 0..1.
        step: standard deviation of one.
        generations: t >= 0.

    Raises:
        ValueError: a number outside its range.

    """
    if not 0 <= rate <= 1 or step < 0 or generations < 0:
        raise ValueError(
            f"needs 0 <= rate <= 1, step >= 0, t >= 0 (given: {rate}, {step}, {generations})"
        )
    return generations * rate * step**2
