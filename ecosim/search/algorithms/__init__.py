"""Black-box search algorithms that run one evaluation at a time, and their names.

They are own code, compact, each after its source. Libraries were weighed: evosax evaluates whole
generations of continuous algorithms only, and scipy.optimize runs one problem at a time outside
compiled programs; neither stops after any number of evaluations, side by side on many instances.
"""

from __future__ import annotations

from ecosim.search.algorithms import annealing, climbers, evolution, models, sampling, simplex
from ecosim.search.algorithms.algorithm import Algorithm

ALGORITHMS: dict[str, Algorithm] = {
    "random-search": sampling.RANDOM,
    "sweep": sampling.SWEEP,
    "bit-climber": climbers.FIRST,
    "steepest-climber": climbers.STEEPEST,
    "tabu": climbers.TABU,
    "opposition": climbers.OPPOSITION,
    "annealing": annealing.ANNEALING,
    "one-plus-one-es": evolution.ONE_PLUS_ONE,
    "evolution-strategy": evolution.STRATEGY,
    "differential-evolution": evolution.DIFFERENTIAL,
    "nelder-mead": simplex.NELDER_MEAD,
    "pattern-search": simplex.PATTERN,
    "univariate-marginals": models.UNIVARIATE,
    "kernel-surrogate": models.KERNEL,
}
