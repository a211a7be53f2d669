"""Mutation alone: the variance that it adds in each generation."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import ArrayLike

from ecosim.theory import mutation
from ecosim.verification.case import Case, Curve, Parameter, Values


def _displacement(values: Values, seeds: Sequence[int]) -> ArrayLike:
    """Return the mean squared displacement from x = 1/2; with s = 1 nothing is selected."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": 2},
            "tradeoff": {"exponent": 1.0},
            "competition": {"kind": "additive"},
            "population": {"size": values["N"]},
            "selection": {"kind": "wright-fisher"},
            "mutation": {"rate": values["rate"], "step": values["step"]},
            "run": {"steps": values["t"], "precision": "float64"},
            "record": {"every": values["t"]},
        }
    )
    moved = (simulate(scenario, seed=seed).population["allocation_0"] - 0.5 for seed in seeds)
    return [float((distance**2).mean()) for distance in moved]


def _expected(values: Values) -> float:
    return mutation.squared_displacement(values["rate"], values["step"], values["t"])


def _stays_inside(values: Values) -> str | None:
    """Say why the walls of the simplex would be felt: four standard deviations must fit."""
    reach = 4 * (values["t"] * values["step"] ** 2) ** 0.5
    return None if reach < 0.5 else "needs 4 step sqrt(t) < 0.5: beyond, the simplex ends"


CASES = (
    Case(
        name="mutation-variance",
        labels=("T1", "E6"),
        family="core",
        title="Neutral mutation, s = 1: mean squared displacement after t generations",
        source="Lande 1976, Evolution 30:314",
        parameters=(
            Parameter("rate", 0.1, "chance of a mutation at birth", above=0, most=1),
            Parameter("step", 0.02, "standard deviation of a mutation", above=0, below=0.1),
            Parameter("t", 20, "generations", least=1, most=500, whole=True),
            Parameter("N", 5000, "individuals", least=100, most=20_000, whole=True),
        ),
        expected=_expected,
        observe=_displacement,
        refuses=_stays_inside,
        note="Equal budgets on equal niches with s = 1 and additive payoffs: all have one fitness.",
        curve=Curve("rate", (0.02, 0.05, 0.1, 0.2, 0.5, 1.0), "mean squared displacement"),
    ),
)
