"""What parameters and steps of training buy, by learners of the world (L4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc

from ecosim.theory import learning_budget as theory
from ecosim.verification.case import Case, Curve, Parameter, Values

TASKS, DIMENSION, LEARNERS = 11, 12, 20


def _explained(v: Values, seeds: Sequence[int], each: int, **training: Any) -> ArrayLike:
    """Return for each seed the mean competence of learners that spend `each` on every task.

    Eleven unrelated tasks of twelve inputs span nearly all directions: what the first inputs
    have of them on average hardly depends on how they were drawn.
    """
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    scenario = validate({
        "world": "learning",
        "niches": {"count": TASKS},
        "population": {"size": LEARNERS, "budget": float(TASKS * each)},
        "tradeoff": {"kind": "measured"},
        "training": {"learners": ["dedicated"], "dimension": DIMENSION, "noise": v["sigma"],
                     "examples": v["n"]} | training,
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": 1},
    })  # fmt: skip
    names = [f"performance_{k}" for k in range(TASKS)]
    runs = (simulate(scenario, seed=seed).metrics[names].iloc[-1] for seed in seeds)
    return np.array([run.mean() for run in runs])


def _parameters_bias(v: Values) -> float:
    """Bound what the ridge sigma^2 d + 1e-4 does.

    It shrinks coefficients by r/n at most: that adds (r/n)^2 of the signal, and takes twice r/n of
    the variance. Competence below 0 counts as 0: what the first inputs have of a task is
    Beta(p/2, (d-p)/2), and seldom less than twice the variance.
    """
    p, rest = v["p"], DIMENSION - v["p"]
    shrunk = (v["sigma"] ** 2 * DIMENSION + 1e-4) / v["n"]
    variance = (v["sigma"] ** 2 + rest / DIMENSION) * p / (v["n"] - p - 1)
    below = float(betainc(p / 2, rest / 2, 2 * variance)) if rest else 0.0
    return shrunk**2 + 2 * shrunk * variance + 2 * variance * below


def _steps_bias(v: Values) -> float:
    """Bound it by the third moment of the spectrum, (d+3)/n^2 beyond that of the law."""
    reach = 2 * v["rate"] * v["t"]
    least = (1 - math.sqrt((DIMENSION + 1) / v["n"])) ** 2
    cubic = reach**3 / 6 * math.exp(-reach * least)
    return (DIMENSION + 3) / v["n"] ** 2 * (cubic + v["sigma"] ** 2) + 1e-4


_SIGMA = Parameter("sigma", 0.5, "noise", above=0.01, most=1.0)
_N = Parameter("n", 200, "examples of each task", least=50, most=370, whole=True)

CASES = (
    Case(
        name="learning-parameters", labels=("L4",), family="learning",
        title="Share of a task explained by a learner with p parameters for it",
        source="Belkin, Hsu & Xu 2020, SIAM J Math Data Sci 2:1167-1180",
        parameters=(Parameter("p", 4, "parameters for each of 11 tasks", least=1, most=12,
                              whole=True), _N, _SIGMA),
        expected=lambda v: theory.of_inputs(
            v["p"], dimension=DIMENSION, examples=v["n"], sigma=v["sigma"]
        ),
        observe=lambda v, seeds: _explained(v, seeds, v["p"], resource="parameters"),
        bias=_parameters_bias,
        curve=Curve("p", (1, 2, 4, 6, 8, 10, 12), "share explained", seeds=10),
    ),
    Case(
        name="learning-compute", labels=("L4",), family="learning",
        title="Share of a task explained after t steps of gradient descent",
        source="Advani, Saxe & Sompolinsky 2020, Neural Networks 132:428-446",
        parameters=(Parameter("t", 20, "steps for each of 11 tasks", least=1, most=300,
                              whole=True), _N,
                    Parameter("rate", 0.03, "of learning", least=0.001, most=0.3), _SIGMA),
        expected=lambda v: theory.of_steps(
            v["t"], v["rate"], dimension=DIMENSION, examples=v["n"], sigma=v["sigma"]
        ),
        observe=lambda v, seeds: _explained(
            v, seeds, v["t"], resource="compute", rate=v["rate"]
        ),
        bias=_steps_bias,
        curve=Curve("t", (1, 3, 10, 20, 40, 80, 160), "share explained", seeds=10, log=True),
    ),
)  # fmt: skip
