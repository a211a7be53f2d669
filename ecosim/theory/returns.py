"""Returns to a budget where competence is found, not postulated: what a claim c^g is worth on mean.

A learner with n < d noiseless examples of y = w.x, x ~ N(0, I_d), that fits with least norm finds
the projection of w on the n inputs' random subspace. The share of the signal that it explains is
X ~ beta(n/2, (d-n)/2) (the squared length of a uniform unit vector's first n coordinates: Muirhead
1982, Aspects of Multivariate Statistical Theory, sec. 1.5); its mean is n/d: returns to data are
linear up to d examples. A contest of exponent g pays by X^g.

A search of a function drawn from all functions finds the best of m independent draws.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special


def projected_claim(examples: int, dimension: int, power: float, floor: float = 0.0) -> float:
    """Return E max(X, f)^g of a learner with n examples in d dimensions.

    With a = n/2, b = (d-n)/2 and I the regularised incomplete beta function:
    f^g I_f(a, b) + B(a+g, b)/B(a, b) (1 - I_f(a+g, b)).

    Args:
        examples: n; none: f^g; d or more: 1.
        dimension: d.
        power: g > 0.
        floor: f in [0, 1), what anyone reaches.

    Raises:
        ValueError: numbers outside these domains.

    """
    if examples < 0 or dimension < 1 or not power > 0 or not 0 <= floor < 1:
        raise ValueError(
            f"needs n >= 0, d >= 1, g > 0 and 0 <= f < 1 "
            f"(given: {examples!r}, {dimension!r}, {power!r}, {floor!r})"
        )
    if examples == 0:
        return float(floor**power)
    if examples >= dimension:
        return 1.0
    a, b = examples / 2, (dimension - examples) / 2
    above = math.exp(special.betaln(a + power, b) - special.betaln(a, b))
    above *= 1 - special.betainc(a + power, b, floor)
    return float(floor**power * special.betainc(a, b, floor) + above)


def drawn_claim(draws: int, levels: int, power: float) -> float:
    """Return E (best/(|Y|-1))^g of m independent draws, uniform on |Y| levels 0 .. |Y|-1.

    sum_j (j/(|Y|-1))^g [((j+1)/|Y|)^m - (j/|Y|)^m]: over all functions, what any search without
    repetition claims with luck counted (O1). It is concave in m whatever g, as the mean of any
    rising f of the best of m draws is: one draw more adds E max(0, f(X) - f(best)), which falls as
    the best rises. Half of a budget claims at least half of what the whole of it does.

    Args:
        draws: m >= 0; none: 0.
        levels: |Y| >= 2.
        power: g > 0.

    Raises:
        ValueError: numbers outside these domains.

    """
    if draws < 0 or levels < 2 or not power > 0:
        raise ValueError(
            f"needs m >= 0, |Y| >= 2 and g > 0 (given: {draws!r}, {levels!r}, {power!r})"
        )
    if draws == 0:
        return 0.0
    level = np.arange(levels)
    chance = ((level + 1) / levels) ** draws - (level / levels) ** draws
    return float(chance @ (level / (levels - 1)) ** power)


def returns_exponent(whole: float, part: float, parts: int) -> float:
    """Return r for which a k-th of the budget claims k^-r of what the whole of it claims.

    A budget over k niches then does as well against large rivals as in T3 with r = contest x
    returns exponent; below r = 1 k niches pay more than one.

    Raises:
        ValueError: claims that are not positive, or k < 2.

    """
    if not (whole > 0 and part > 0) or parts < 2:
        raise ValueError(f"needs claims > 0 and k >= 2 (given: {whole:g}, {part:g}, {parts})")
    return math.log(whole / part) / math.log(parts)
