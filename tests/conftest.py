"""Set-up for all tests: repeatable Hypothesis examples, and fresh ones on request."""

from __future__ import annotations

import gc
import os
import sys

import pytest
from hypothesis import HealthCheck, Phase, settings

# The workers of pytest share the machine: a thread each, also for what they start.
os.environ.setdefault("PJRT_NPROC", "1")

_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
# Shrinking runs whole simulations many times over: only on request.
settings.register_profile(
    "repeatable", max_examples=15, derandomize=True, database=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate), **_COMMON,
)  # fmt: skip
# `HYPOTHESIS_PROFILE=fresh pytest` looks for new counterexamples.
settings.register_profile(
    "fresh", max_examples=100,
    phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink), **_COMMON,
)  # fmt: skip
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


@pytest.fixture(autouse=True, scope="module")
def few_compiled_programs():
    """Begin each module with few memory maps, so that none runs out of them in the middle."""
    yield
    jax = sys.modules.get("jax")
    if jax is not None:
        jax.clear_caches()
        gc.collect()
