"""How many firms a market holds: Salop's circle and Sutton's sunk costs. Imports nothing of ecosim.

Numbers of firms are real; whole firms are their floor (`whole`).
"""

from __future__ import annotations

import math

import numpy as np


def _positive(**numbers: float) -> None:
    for name, value in numbers.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be a finite number > 0 (given: {value!r})")


def whole(number: float) -> int:
    """Return the floor of a number of firms; one that is whole but for rounding is whole."""
    return math.floor(number * (1 + 1e-9))


def salop_price(firms: int, transport: float, cost: float = 0.0, length: float = 1.0) -> float:
    """Return the price c + t L/n of n firms evenly spread over a covered circle (Salop 1979).

    It is also the mean price of firms at any sites: the first-order conditions
    p = (p- + p+)/4 + t (d- + d+)/4 + c/2 add up to it.

    Raises:
        ValueError: fewer than two firms, t or L not above 0, c < 0.

    """
    _positive(transport=transport, length=length)
    if firms < 2 or not cost >= 0:
        raise ValueError(f"needs n >= 2 and c >= 0 (given: {firms!r}, {cost!r})")
    return cost + transport * length / firms


def salop_firms(
    transport: float, fixed: float, *, length: float = 1.0, consumers: float = 1.0
) -> float:
    """Return Salop's number of firms sqrt(t L M/f) at zero profit, evenly spread.

    Raises:
        ValueError: a number not above 0.

    """
    _positive(transport=transport, fixed=fixed, length=length, consumers=consumers)
    return math.sqrt(transport * length * consumers / fixed)


def salop_band(
    transport: float, fixed: float, *, length: float = 1.0, consumers: float = 1.0
) -> tuple[float, float]:
    """Return the least and the greatest number of firms, evenly spread, at which entry rests.

    A firm earns (M/L) (p - c)^2/t - f, so no firm loses iff every p - c >= sqrt(t f L/M). The mean
    of p - c is t L/n at any sites: n <= n* = sqrt(t L M/f), whatever the spacing. An entrant
    halfway between two of many firms at distances D makes its neighbours lower their prices:
    with lambda = 2 - sqrt(3) the rate at which deviations fade from firm to firm, the neighbours
    go down by .75 t D/(3.5 - lambda) and the entrant asks c + (3 - sqrt(3))/2 t D. It is kept out
    iff D < 1.577 L/n*, that is n > .634 n*. Firms that cannot move therefore come to rest at any
    number between .634 n* and n*. The lower end is of an even spacing, the upper of any.

    Raises:
        ValueError: a number not above 0.

    """
    most = salop_firms(transport, fixed, length=length, consumers=consumers)
    return (3 - math.sqrt(3)) / 2 * most, most


def salop_sequential(
    transport: float, fixed: float, *, length: float = 1.0, consumers: float = 1.0
) -> float:
    """Return the mean number of firms at which sequential entry at random sites comes to rest.

    There is no closed form. Of n* = sqrt(t L M/f) firms, .7935 at n* = 10 and .798 at n* = 20 stay
    (simulations independent of this one, in which losers leave, worst first); the share is taken
    as linear in 1/n* between, and as constant beyond.

    Raises:
        ValueError: a number not above 0.

    """
    most = salop_firms(transport, fixed, length=length, consumers=consumers)
    return float(np.interp(1 / most, (1 / 20, 1 / 10), (0.798, 0.7935))) * most


def cournot_firms(revenue: float, fixed: float) -> float:
    """Return sqrt(S/F), the firms under an exogenous sunk cost F (Sutton 1991, ch. 2).

    Cournot competition for a revenue S that is spent whatever the price leaves each S/n^2.

    Raises:
        ValueError: a number not above 0, or F > S: not even one firm.

    """
    _positive(revenue=revenue, fixed=fixed)
    if fixed > revenue:
        raise ValueError(f"a fixed cost of {fixed:g} exceeds the revenue {revenue:g}: no firm")
    return math.sqrt(revenue / fixed)


def sutton_limit(cost_exponent: float) -> float:
    """Return the N >= 1 with N + 1/N - 2 = g/2: the most firms under a cost u^g of quality.

    In the symmetric equilibrium g u^g = 2 S (n - 1)^2/n^3 (first-order condition); S/n^2 = u^g at
    zero profit; S cancels (Sutton 1991, ch. 3).

    Raises:
        ValueError: g not above 0.

    """
    _positive(cost_exponent=cost_exponent)
    sum_of_roots = 2 + cost_exponent / 2
    return (sum_of_roots + math.sqrt(sum_of_roots**2 - 4)) / 2


def sutton_quality(firms: int, cost_exponent: float, revenue: float) -> float:
    """Return the quality [2 S (n - 1)^2/(g n^3)]^(1/g) in the symmetric equilibrium, at least 1.

    Raises:
        ValueError: fewer than two firms, or a number not above 0.

    """
    _positive(cost_exponent=cost_exponent, revenue=revenue)
    if firms < 2:
        raise ValueError(f"needs two firms or more (given: {firms!r})")
    spent = 2 * revenue * (firms - 1) ** 2 / (cost_exponent * firms**3)
    return float(max(spent, 1.0) ** (1 / cost_exponent))


def sutton_firms(cost_exponent: float, revenue: float) -> float:
    """Return the number of firms under a cost u^g of quality u >= 1 and a revenue S.

    The cost of a firm is the larger of 1 (u = 1) and what quality takes, so that S/n^2 covers it
    iff n <= sqrt(S) and n <= N: the smaller of the two. Once S >= N^2 it grows no more.

    Raises:
        ValueError: g or S not above 0, or S < 1: not even one firm.

    """
    return min(sutton_limit(cost_exponent), cournot_firms(revenue, 1.0))
