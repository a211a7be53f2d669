"""The published numbers on mixtures of experts (L3), medians of 24 runs, held against medians."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ecosim.verification.case import Case
from ecosim.verification.cases.expert_errors import PUBLISHED, Errors, errors
from ecosim.verification.cases.observing import Numbers

_SETTING = {"T": 4, "d": 16, "n": 200, "norm": 4.0, "sigma": 0.3, "steps": 3000}
_RUNS = 9  # of one median; odd, so that one of them is the median
_PUBLISHED_RUNS = 24


class _Number(NamedTuple):
    """A published median, half of its last digit, and how runs spread about it."""

    value: float
    digit: float
    spread: float  # (third - first quartile)/1.349 of 24 runs of other seeds than the cases'

    @property
    def scatter(self) -> float:
        """Return two standard errors of a median of 24 normal numbers (variance pi/2 s^2/n)."""
        return 2 * math.sqrt(math.pi / 2 / _PUBLISHED_RUNS) * self.spread


# Excess errors; their spread is that of logarithms.
_ERRORS = {
    "joint": _Number(0.895, 0.0005, 0.25),
    "network": _Number(0.198, 0.0005, 0.42),
    "routed": _Number(0.081, 0.0005, 0.89),
    "dedicated": _Number(0.008, 0.0005, 0.19),
}
_SILENT = _Number(0.27, 0.005, 0.32)
# Shares of the gap to dedicated learners that routing closes.
_GAPS = {"joint": _Number(0.93, 0.005, 0.10), "network": _Number(0.66, 0.005, 0.27)}

_NOTE = (
    "medians of 9 runs each, 20 of them; the bias is two standard errors of a published median of "
    "24 runs, and its rounding; the published setting leaves the initial weights and the place of "
    "the tasks' origin open"
)


def _runs(seeds: Sequence[int], *, silent: bool = False) -> Errors:
    """Return the errors `[seeds, 9]` in the published setting; silent: without router noise."""
    noise = 0.0 if silent else 1.0
    return errors(_SETTING, seeds, replicates=_RUNS, noise=noise, network=not silent)


def _medians(observed: Numbers, published: float) -> Numbers:
    return np.asarray(np.log(np.median(observed, axis=1) / published))


def _closed(seeds: Sequence[int], upper: str) -> Numbers:
    """Return medians of the share of the gap from a learner to dedicated ones that is closed."""
    found = _runs(seeds)
    reference: Numbers = getattr(found, upper)
    shares = (reference - found.routed) / (reference - found.dedicated)
    return np.asarray(np.median(shares, axis=1))


def _case(
    name: str, title: str, observe: Callable[[Sequence[int]], Numbers], expected: float,
    **other: Any,
) -> Case:  # fmt: skip
    return Case(
        **{
            "name": name, "labels": ("L3",), "family": "learning", "title": title,
            "source": PUBLISHED, "parameters": (), "seeds": 20, "full": True, "note": _NOTE,
            "expected": lambda v: expected, "observe": lambda v, seeds: observe(seeds), **other,
        }
    )  # fmt: skip


def _error(name: str, title: str, kind: str, told: _Number, *, silent: bool = False) -> Case:
    bias = told.scatter + told.digit / told.value
    return _case(
        name, f"logarithm of the median excess error of {title} over {told.value:g}",
        lambda seeds: _medians(getattr(_runs(seeds, silent=silent), kind), told.value), 0.0,
        bias=lambda v: bias,
    )  # fmt: skip


def _gap(name: str, title: str, upper: str, told: _Number) -> Case:
    return _case(
        name, f"median share of the gap from {title} to dedicated learners that routing closes",
        lambda seeds: _closed(seeds, upper), told.value, bias=lambda v: told.scatter + told.digit,
    )  # fmt: skip


def _beats(seeds: Sequence[int]) -> Numbers:
    """Return for each seed the share of its runs in which routing misses less than the network."""
    found = _runs(seeds)
    return np.asarray((found.routed < found.network).mean(axis=1))


def _silent_loses(seeds: Sequence[int]) -> Numbers:
    """Return for each seed the share of its runs that miss more than the network without noise."""
    return np.asarray((_runs(seeds, silent=True).routed > _runs(seeds).network).mean(axis=1))


_SIGN = "a sign test of medians: in the mean badly routed runs rule"

CASES = (
    _error("experts-published-joint", "one linear model", "joint", _ERRORS["joint"]),
    _error("experts-published-network", "one perceptron", "network", _ERRORS["network"]),
    _error("experts-published-routed", "routed experts", "routed", _ERRORS["routed"]),
    _error("experts-published-dedicated", "dedicated models", "dedicated", _ERRORS["dedicated"]),
    _error("experts-published-silent", "experts trained without router noise", "routed", _SILENT,
           silent=True),
    _gap("routing-recovers-linear", "one linear model", "joint", _GAPS["joint"]),
    _gap("routing-recovers-network", "one perceptron of as many numbers", "network",
         _GAPS["network"]),
    _case("routing-gains", "share of runs in which routed experts beat one perceptron of as many "
          "numbers", _beats, 0.5, relation="above", note=_SIGN),
    _case("routing-loses-silent", "share of runs in which experts trained without router noise "
          "miss more than one perceptron", _silent_loses, 0.5, relation="above", note=_SIGN),
)  # fmt: skip
