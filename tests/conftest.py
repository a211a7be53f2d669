"""Set-up for all tests: repeatable Hypothesis examples, and fresh ones on request."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile("repeatable", max_examples=15, derandomize=True, database=None, **_COMMON)
# `HYPOTHESIS_PROFILE=fresh pytest` looks for new counterexamples.
settings.register_profile("fresh", max_examples=100, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))
