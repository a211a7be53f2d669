"""The processor as several devices, so that the runs of a batch go on side by side."""

from __future__ import annotations

import os
import sys

from ecosim.machine import cores

_FLAG = "--xla_force_host_platform_device_count"


def divide_processor() -> bool:
    """Let JAX see one device a core, if JAX has not begun; return whether it will.

    How a processor is divided is settled when JAX starts. Results are the same bytes either way.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if "jax" in sys.modules or _FLAG in flags:
        return False
    os.environ["XLA_FLAGS"] = f"{flags} {_FLAG}={cores()}".strip()
    return True
