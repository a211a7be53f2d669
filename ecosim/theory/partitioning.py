"""Resource partitioning in a market of generalists on an axis of taste (Carroll 1985).

Generalists are Gaussian niches of one width, one centred on each segment; demand is thick in the
centre and thin in the periphery. Where capital matches demand the least demand is unmet; the more
of the generalists' capital the one in the centre has beyond that, the less the periphery is served.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

type Vector = NDArray[np.float64]


def gaussian_niches(segments: int, width: float) -> Vector:
    """Return allocations `[K, K]`: row i a niche of this width, in segments, centred on i.

    Raises:
        ValueError: width is not positive.

    """
    if not width > 0:
        raise ValueError(f"a niche's width must be positive (given: {width:g})")
    place = np.arange(segments)
    weight = np.exp(-((place[None, :] - place[:, None]) ** 2) / (2 * width**2))
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def centred_shares(demand: ArrayLike, centre: float) -> Vector:
    """Return shares of capital `[K]`: `centre` in the middle, the rest as demand is.

    Raises:
        ValueError: centre does not lie between the demand's own share there and 1.

    """
    share = np.asarray(demand, float) / np.asarray(demand, float).sum()
    middle = share.size // 2
    if not share[middle] <= centre < 1:
        raise ValueError(f"centre must lie in [{share[middle]:g}, 1) (given: {centre:g})")
    others = share * (1 - centre) / (1 - share[middle])
    others[middle] = centre
    return np.asarray(others)


def unmet_share(
    demand: ArrayLike, capital: ArrayLike, allocations: ArrayLike, *, scale: float, rival: float
) -> float:
    """Return the share of demand that firms leave unmet: sum_k d_k R / (R + claims_k).

    Args:
        demand: of each segment, `[K]`.
        capital: of each firm, `[N]`.
        allocations: their shares of each segment, `[N, K]`.
        scale: output goes with capital^scale.
        rival: R, the mass of what demand may do other than buy.

    """
    d = np.asarray(demand, float) / np.asarray(demand, float).sum()
    claims = np.asarray(capital, float) ** scale @ np.asarray(allocations, float)
    return float(np.sum(d * rival / (rival + claims)))
