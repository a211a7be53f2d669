"""Contest exponents at which found competence has wanted returns to a budget.

Under a contest of exponent g a claim is worth E c^g, luck included. Returns to examples follow from
a closed form (`theory.returns`), the mean over all tasks; those to evaluations were measured once,
in 512 instances of their own, and stand here as numbers, which a test measures again. A run draws
other instances, and other tasks, from its seed. Where an exponent is solved so that k niches claim
k^-r of one, that r = 1 is break-even among many rivals is no finding.
"""

from __future__ import annotations

import functools
import math

from scipy import optimize

from ecosim.studies.classic_planes import FLOOR
from ecosim.theory.returns import projected_claim, returns_exponent

BUDGET = 16  # evaluations, or examples
DIMENSION = 20
FEW_EXAMPLES, FEW_DIMENSIONS = 8, 10  # of the grain plane of learning, which has most runs
ALGORITHMS = ["random-search", "bit-climber", "opposition", "nelder-mead"]

# Contest exponent g at which k niches of `separable`, k = 2, 3 or 4, whichever does best, and the
# best of the algorithms for it, claim k^-r in each of what all 16 evaluations claim in one. Luck
# bounds r below 2.4: so often does the better half of a budget find as much as the whole.
SEARCH_EXPONENT = {
    0.5: 2.518, 0.6: 3.053, 0.7: 3.603, 0.8: 4.191, 0.9: 4.814, 0.95: 5.137, 0.96: 5.202,
    1.04: 5.752, 1.05: 5.826, 1.1: 6.205, 1.2: 7.007, 1.35: 8.342, 1.5: 9.879, 1.7: 12.383,
    2.0: 18.016,
}  # fmt: skip
# For two niches of `separable` and the bit climber: contest exponent, and floor of competence,
# at which an idle niche is worth .05 of 16 evaluations and 8 are worth 2^-c of them.
SEARCH_CURVATURE = {
    0.5: (2.374, 0.2573), 0.6: (2.922, 0.3269), 0.7: (3.501, 0.3882), 0.8: (4.115, 0.4422),
    0.9: (4.769, 0.4899), 1.0: (5.473, 0.5325), 1.1: (6.233, 0.5708), 1.2: (7.064, 0.6057),
    1.3: (7.982, 0.6378), 1.4: (9.024, 0.6681), 1.5: (10.226, 0.697), 1.6: (11.649, 0.7251),
    1.7: (13.393, 0.7529), 1.8: (15.592, 0.7806), 2.0: (24.143, 0.847),
}  # fmt: skip
# What all 16 evaluations are worth there, E max(best, floor)^g.
SEARCH_WHOLE = {
    0.5: 0.7972, 0.6: 0.762, 0.7: 0.7283, 0.8: 0.6961, 0.9: 0.6652, 1.0: 0.6354, 1.1: 0.6068,
    1.2: 0.579, 1.3: 0.5521, 1.4: 0.5255, 1.5: 0.4992, 1.6: 0.473, 1.7: 0.4467, 1.8: 0.4206,
    2.0: 0.3628,
}  # fmt: skip


@functools.cache
def learning_exponent(r: float) -> float:
    """Return the contest exponent at which the best of 2, 3 or 4 tasks claims k^-r in each.

    Of 16 examples in 20 dimensions.
    """

    def excess(power: float) -> float:
        whole = examples_claim(BUDGET, power)
        parts = ((k, examples_claim(BUDGET / k, power)) for k in (2, 3, 4))
        return min(returns_exponent(whole, part, k) for k, part in parts) - r

    return round(float(optimize.brentq(excess, 0.05, 30.0)), 3)


def examples_claim(effort: float, power: float) -> float:
    """Return the mean claim of a task with that effort, over the rounding of what it buys.

    A part of an example is one with that probability, so the mean is the interpolation, exactly.
    """
    whole = math.floor(effort)
    few, more = (projected_claim(n, DIMENSION, power) for n in (whole, whole + 1))
    return few + (effort - whole) * (more - few)


@functools.cache
def learning_curvature(c: float) -> tuple[float, float]:
    """Return contest exponent and floor at which 4 examples are worth 2^-c of 8, none .05."""

    def worth(power: float) -> tuple[float, float]:
        def claim(examples: int, floor: float) -> float:
            return projected_claim(examples, FEW_DIMENSIONS, power, floor)

        def excess(floor: float) -> float:
            return floor**power - FLOOR * claim(FEW_EXAMPLES, floor)

        floor = float(optimize.brentq(excess, 1e-12, 1 - 1e-9))
        whole, half = claim(FEW_EXAMPLES, floor), claim(FEW_EXAMPLES // 2, floor)
        return returns_exponent(whole, half, 2), floor

    power = float(optimize.brentq(lambda g: worth(g)[0] - c, 0.2, 60.0))
    return round(power, 3), round(worth(power)[1], 4)
