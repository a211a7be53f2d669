"""Consumers and explicit resources: equilibria and who coexists.

Stocks R `[K]`, consumers' densities N `[S]`, preferences C `[S, K]` (per unit of time and stock),
upkeep m (per unit of time).
"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

type Vector = NDArray[np.float64]


def _preferences(preferences: ArrayLike) -> Vector:
    c = np.asarray(preferences, float)
    if c.ndim != 2 or c.size == 0 or not np.all(np.isfinite(c)) or np.any(c < 0):
        raise ValueError(f"preferences must be a table of finite numbers >= 0 (given: {c!r})")
    return c


def macarthur_stocks(preferences: ArrayLike, upkeep: ArrayLike) -> Vector:
    """Return R* = C^-1 m, the stocks at which as many consumers as resources are at rest.

    MacArthur (1970, Theor. Popul. Biol. 1:1), linear uptake.

    Raises:
        ValueError: C is not square and regular, or a stock would not be positive.

    """
    c = _preferences(preferences)
    if c.shape[0] != c.shape[1]:
        raise ValueError(f"needs as many consumers as resources (given: {c.shape})")
    if np.linalg.cond(c) > 1e12:
        raise ValueError("preferences must be linearly independent")
    stocks = np.linalg.solve(c, np.broadcast_to(np.asarray(upkeep, float), c.shape[:1]))
    if not np.all(stocks > 0):
        raise ValueError(f"no equilibrium with all resources present (R* = {stocks})")
    return np.asarray(stocks)


def macarthur_external(
    preferences: ArrayLike, upkeep: ArrayLike, supply: ArrayLike, *, loss: float
) -> Vector:
    """Return N* = (C^T)^-1 (kappa / R* - omega) under dR/dt = kappa - omega R - uptake.

    Args:
        preferences: C.
        upkeep: m, one number or one for each consumer.
        supply: kappa `[K]`.
        loss: omega.

    Raises:
        ValueError: where not all consumers and resources persist.

    """
    stocks = macarthur_stocks(preferences, upkeep)
    return _present(preferences, np.asarray(supply, float) / stocks - loss)


def macarthur_renewing(
    preferences: ArrayLike, upkeep: ArrayLike, capacity: ArrayLike, *, rate: float
) -> Vector:
    """Return N* = (C^T)^-1 r (1 - R*/K) under dR/dt = r R (1 - R/K) - uptake.

    Raises:
        ValueError: where not all consumers and resources persist.

    """
    stocks = macarthur_stocks(preferences, upkeep)
    return _present(preferences, rate * (1 - stocks / np.asarray(capacity, float)))


def _present(preferences: ArrayLike, demand: Vector) -> Vector:
    densities = np.linalg.solve(_preferences(preferences).T, demand)
    if not np.all(densities > 0):
        raise ValueError(f"no equilibrium with all consumers present (N* = {densities})")
    return np.asarray(densities)


def monod_stock(upkeep: float, maximum: float, half_saturation: float) -> float:
    """Return R* = m H / (mu - m), where growth mu R / (H + R) balances upkeep m (Monod 1949).

    In a chemostat of one resource the consumer of the lowest R* excludes all others
    (Hsu, Hubbell & Waltman 1977; Tilman 1982).

    Raises:
        ValueError: unless mu > m > 0 and H > 0.

    """
    if not (maximum > upkeep > 0 and half_saturation > 0):
        raise ValueError(
            f"needs maximum > upkeep > 0 and half_saturation > 0 (given: {maximum=}, {upkeep=}, "
            f"{half_saturation=})"
        )
    return upkeep * half_saturation / (maximum - upkeep)


def chemostat_density(
    upkeep: float, maximum: float, half_saturation: float, *, inflow: float, dilution: float
) -> float:
    """Return N* = omega (S - R*) / m of a consumer alone: what it takes up pays for its upkeep.

    Raises:
        ValueError: where it is washed out, S <= R*.

    """
    stock = monod_stock(upkeep, maximum, half_saturation)
    if not inflow > stock:
        raise ValueError(f"washed out: needs inflow > R* = {stock:g} (given: {inflow})")
    return dilution * (inflow - stock) / upkeep


def in_cone(strategies: ArrayLike, supply: ArrayLike) -> float:
    """Return how far, relative to its length, a supply lies from the cone of the strategies.

    0: inside. Posfai, Taillefumier & Wingreen (2017, Phys. Rev. Lett. 118:028103): with one upkeep
    m and sum_k c_ik = E for all, any number of strategies coexist iff kappa - omega m / E lies
    in their cone (no loss: the supply lies in the convex hull of the strategies).

    Args:
        strategies: `[S, K]`.
        supply: the corrected supply `[K]`.

    Raises:
        ValueError: a corrected supply that is not positive.

    """
    goal = np.asarray(supply, float)
    if not np.all(goal > 0):
        raise ValueError(f"every resource must be supplied faster than it is lost (given: {goal})")
    return float(scipy.optimize.nnls(_preferences(strategies).T, goal)[1] / np.linalg.norm(goal))


def survivors_at_most(resources: int) -> int:
    """Return how many consumers can be at rest on so many resources, generically: as many.

    Competitive exclusion (Levin 1970, Am. Nat. 104:413): more would have to share one zero of
    sum_k c_ik R_k - m_i than there are unknowns R. Not for cycles (Armstrong & McGehee 1980).
    """
    if resources < 1:
        raise ValueError(f"needs at least one resource (given: {resources})")
    return resources
