"""Rent seeking: effort in a contest for a prize (Tullock 1980). Imports nothing of ecosim.

n firms, prize V, share e_i^r / sum_j e_j^r, a unit of effort costs 1.
"""

from __future__ import annotations

import math


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number > 0 (given: {value!r})")


def _all_active(firms: int, exponent: float) -> None:
    if firms < 2:
        raise ValueError(f"a contest takes two firms or more (given: {firms!r})")
    if exponent * (firms - 1) > firms * (1 + 1e-12):
        raise ValueError(
            f"exponent {exponent:g} > n/(n-1) = {firms / (firms - 1):g}: beyond it no equilibrium "
            "in pure strategies has all firms active"
        )


def tullock_effort(firms: int, exponent: float, prize: float = 1.0) -> float:
    """Return each firm's effort r (n - 1)/n^2 V in the symmetric equilibrium.

    From the first-order condition r e^(r-1) (n-1) e^r / (n e^r)^2 V = 1; it is an equilibrium
    iff r <= n/(n - 1), where the payoff is not negative.

    Raises:
        ValueError: fewer than two firms, r > n/(n - 1), or numbers not above 0.

    """
    _positive(exponent=exponent, prize=prize)
    _all_active(firms, exponent)
    return exponent * (firms - 1) / firms**2 * prize


def tullock_payoff(firms: int, exponent: float, prize: float = 1.0) -> float:
    """Return each firm's payoff V/n - e = V (n - r (n - 1))/n^2 in the symmetric equilibrium.

    Raises:
        ValueError: as `tullock_effort`.

    """
    return prize / firms - tullock_effort(firms, exponent, prize)


def tullock_active(firms: int, exponent: float) -> int:
    """Return how many of n >= 3 firms are active where two at most can be: 3/2 < r <= 2.

    All active firms spend alike (Perez-Castrillo & Verdier 1992), and m of them can iff
    r <= m/(m - 1): two, but not three. A single one would spend next to nothing and be joined.

    Raises:
        ValueError: r outside (3/2, 2], where the number is not unique, or n < 3.

    """
    if firms < 3:
        raise ValueError(f"needs three firms or more (given: {firms!r})")
    if not 1.5 < exponent <= 2:
        raise ValueError(f"exponent must lie in (3/2, 2] (given: {exponent!r})")
    return 2


def tullock_firms(exponent: float, prize: float, fixed: float) -> float:
    """Return the number of firms n* that free entry leads to, to be floored.

    The payoff V (n - r (n - 1))/n^2 equals the cost f of being in:
    n* = [V (1 - r) + sqrt(V^2 (1 - r)^2 + 4 f V r)]/(2 f); r = 1: sqrt(V/f).

    Raises:
        ValueError: r > 1 (n* may exceed r/(r - 1)), n* < 2, or numbers not above 0.

    """
    _positive(exponent=exponent, prize=prize, fixed=fixed)
    if exponent > 1:
        raise ValueError(f"exponent must be at most 1 under free entry (given: {exponent!r})")
    rent = prize * (1 - exponent)
    number = (rent + math.sqrt(rent**2 + 4 * fixed * prize * exponent)) / (2 * fixed)
    if number < 2 - 1e-12:
        raise ValueError(f"n* = {number:g} < 2: no contest at a fixed cost of {fixed:g}")
    return number
