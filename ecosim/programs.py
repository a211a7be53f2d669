"""Compiled programs that a command finds on disk: neither traced nor lowered again.

JAX keeps compiled code too, but looks for it by what tracing and lowering a function gives, and
these two take longer than a small run. Here a program is looked for by all that they depend on:
the text of every module of ecosim, the versions of JAX, its settings, the machine, and what is
static and what has which shape in the call. A change that is made in a running process (a test
that breaks a function, a notebook with a world of its own) is in no text. So programs are kept
where `KEEP` is set in the environment, as the command line does, and not for `import ecosim`.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import os
import pickle
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
from jax.experimental.compilation_cache import compilation_cache
from jax.experimental.serialize_executable import deserialize_and_load, serialize

from ecosim.compilation import LOADED, cache_folder
from ecosim.machine import pool

KEEP = "ECOSIM_PROGRAMS"
KEPT = "-program"  # how the names of files end
_OWN = Path(__file__).parent


class Program[**P, R]:
    """A jitted function whose compiled forms are kept; called, it is as `jax.jit` makes it."""

    def __init__(
        self,
        function: Callable[P, R],
        static: Iterable[str],
        donate: Iterable[str],
        *,
        divides: bool,
    ) -> None:
        """Wrap a function; `static` and `donate` name arguments as for `jax.jit`.

        `divides`: whether, where there are several devices, it takes arguments that lie on none of
        them and divides its work over all; other programs of several devices are not kept.
        """
        self.jitted = jax.jit(function, static_argnames=static, donate_argnames=donate)
        self._divides = divides
        self._static, self._names = tuple(static), tuple(inspect.signature(function).parameters)
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function."""
        folder = cache_folder() if os.environ.get(KEEP) == "1" else None
        if folder is None or not _tried(self._divides):
            return self.jitted(*args, **kwargs)
        given = dict(zip(self._names, args, strict=False)) | kwargs
        fixed = {name: given.pop(name) for name in self._static}
        leaves, tree = jax.tree.flatten(given)
        # Where arrays lie is in no name of a file; what is traced lies nowhere.
        barred = jax.core.Tracer if jax.device_count() == 1 else jax.Array
        if any(isinstance(leaf, barred) for leaf in leaves):
            return self.jitted(*args, **kwargs)
        kinds = map(jax.typeof, leaves)
        shapes = tuple((kind.shape, kind.dtype, kind.weak_type) for kind in kinds)
        wide = jax.config.jax_enable_x64
        own = f"{self.__module__}.{self.__qualname__}"
        call = (own, tuple(fixed.items()), tree, shapes, wide)
        if call not in LOADED:
            told = "\n".join((*_surroundings(), *map(str, call)))
            if " at 0x" in told:  # an address, which no other process can look for
                return self.jitted(*args, **kwargs)
            name = f"{self.__name__}-{hashlib.sha256(told.encode()).hexdigest()}{KEPT}"
            path = folder / name
            LOADED[call] = _found(path) or _kept(path, self.jitted.lower(**fixed, **given))
        result: R = LOADED[call](**given)
        return result

    def __getattr__(self, name: str) -> Any:
        """Return what jitted functions have, as `lower`."""
        return getattr(self.__dict__["jitted"], name)


def program[**P, R](
    *, static: Iterable[str] = (), donate: Iterable[str] = (), divides: bool = False
) -> Callable[[Callable[P, R]], Program[P, R]]:
    """Return the decorator that makes a Program of a function."""
    return lambda function: Program(function, static, donate, divides=divides)


def _tried(divides: bool) -> bool:
    """Return whether a program may be kept: of one process, on a processor.

    Where that counts as several devices, only one that divides its work over them itself.
    """
    if jax.default_backend() != "cpu" or jax.process_count() > 1 or jax.config.jax_disable_jit:
        return False
    return divides or jax.device_count() == 1


def _found(path: Path) -> Any:
    """Return the program in a file; None: there is none that can be used."""
    try:
        return deserialize_and_load(*pickle.loads(path.read_bytes()))
    except Exception:  # none there, or one that was cut short, which is made again
        return None


def _kept(path: Path, lowered: Any) -> Any:
    """Compile a program and keep it where that can be done."""
    if "custom_call" in lowered.as_text():
        # It calls a library that is set up when it is lowered (LAPACK); JAX's own cache keeps it.
        return lowered.compile()
    with _without_cache():
        compiled = lowered.compile()
    if len(compiled.runtime_executable().local_devices()) != jax.device_count():
        return compiled  # it would be loaded for all devices
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(pickle.dumps(serialize(compiled)))
        temporary.replace(path)
    except OSError:  # A full or read-only disk costs time, nothing else.
        with suppress(OSError):
            temporary.unlink()
    return compiled


@contextmanager
def _without_cache() -> Iterator[None]:
    """Compile inside: what JAX read from its own cache cannot be written, its code is not in it."""
    before = jax.config.jax_enable_compilation_cache
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)
        compilation_cache.reset_cache()


@functools.cache
def _surroundings() -> tuple[str, ...]:
    """Return all that a program depends on besides its call."""
    text = hashlib.sha256()
    for path in sorted(_OWN.rglob("*.py")):
        text.update(path.read_bytes())
    device = jax.devices()[0]
    settings = {k: v for k, v in jax.config.values.items() if "cache" not in k}
    return (
        text.hexdigest(), jax.__version__, version("jaxlib"), platform.platform(),
        device.device_kind, _processor(), repr(settings),
        os.environ.get("XLA_FLAGS", ""), pool(),
    )  # fmt: skip


def _processor() -> str:
    """Return the instructions that the processor knows."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else [platform.processor()]
    return "\n".join({line for line in lines if line.startswith(("flags", "Features"))})
