"""What every case of verification must do, for the test modules of the families."""

from __future__ import annotations

import pytest

from ecosim.verification.registry import cases
from ecosim.verification.runner import check


def default_cases(family):
    """Return the default cases of a family as pytest parameters."""
    return [
        pytest.param(case, id=case.name)
        for case in cases()
        if case.family == family and not case.full
    ]


def must_pass(case):
    """Run a case at its defaults: it passes, with a spread that is real and the power declared."""
    result = check(case)
    assert result.passed, (
        f"{case.name}: expected {result.expected:.6g}, observed {result.observed:.6g} "
        f"+- {result.stderr:.2g}, tolerance {result.tolerance:.2g} {result.error}"
    )
    assert result.observations > 1 or case.seeds == 1
