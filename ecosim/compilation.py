"""How JAX is set up for ecosim: 64-bit arithmetic where asked for, and a cache of programs."""

from __future__ import annotations

import gc
import os
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jax

from ecosim.machine import pool

_MAPS = Path("/proc/self/maps")
MOST_MAPS = 30_000
LOADED: dict[Hashable, Any] = {}  # programs that came from files, see `programs`


def cache_folder() -> Path | None:
    """Return the folder of the compilation cache; ECOSIM_CACHE moves it, empty turns it off."""
    given = os.environ.get("ECOSIM_CACHE")
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ecosim" / "jax"


def _own_cache() -> Path | None:
    """Return the folder of JAX's own cache, by threads: it tells no programs apart by them.

    Over how many threads an operation is divided is compiled in.
    """
    folder = cache_folder()
    return None if folder is None else folder / f"threads-{pool()}"


def spare_memory_maps() -> bool:
    """Forget compiled programs when the process is about to run out of memory maps.

    A compiled run takes about a thousand of the 65,530 maps that Linux allows a process; beyond
    them JAX ends it with a segmentation fault. Programs are read again from the cache on disk.
    Returns whether anything was forgotten; elsewhere than on Linux nothing is.
    """
    if not _MAPS.exists() or _MAPS.read_bytes().count(b"\n") < MOST_MAPS:
        return False
    LOADED.clear()
    jax.clear_caches()
    gc.collect()
    return True


@contextmanager
def prepared() -> Iterator[None]:
    """Trace and run inside with 64-bit types allowed, leaving the caller's JAX as it was.

    State is float32 unless the scenario asks for float64; counts, ids and totals need 64 bits.
    """
    folder = _own_cache()
    if folder is not None and jax.config.jax_compilation_cache_dir is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            folder = None  # A read-only home costs compile time, nothing else.
        if folder is not None:
            jax.config.update("jax_compilation_cache_dir", str(folder))
            jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    with jax.enable_x64(True):
        yield
