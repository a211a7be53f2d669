"""Several processes that compute one population together: each runs the same program.

What a process decides by its clock, its signals or its files the others must know, or they would
wait for one another for ever: process 0 decides, or any of them does, through what is here. With
one process nothing is exchanged. Only process 0 keeps results.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ecosim.errors import DeviceError, RunError

_BEGIN, _NOTHING, _REFUSED = 1, 0, 2
_HEARTBEAT = 20  # seconds without a sign of life after which a process counts as lost


class LostProcess(RunError):
    """A run that had to stop because another of its processes is gone."""


def connect(coordinator: str, processes: int | None = None, process: int | None = None) -> None:
    """Join the processes of a run, before JAX starts.

    Args:
        coordinator: HOST:PORT where process 0 listens; `auto`: as Slurm, Open MPI or another
            system that started the processes says.
        processes: how many there are; with `auto` None.
        process: the number of this one, from 0; with `auto` None.

    Raises:
        DeviceError: the numbers do not fit, or the others do not come.

    """
    import jax

    given: dict[str, Any] = {}
    if coordinator != "auto":
        if processes is None or process is None or not 0 <= process < processes:
            raise DeviceError(
                f"processes {processes}, process {process} (rule: with a coordinator both are "
                "given, and processes are numbered from 0)"
            )
        if ":" not in coordinator:
            raise DeviceError(f"coordinator {coordinator!r} (rule: HOST:PORT, or auto)")
        given = {"coordinator_address": coordinator, "num_processes": processes,
                 "process_id": process}  # fmt: skip
    elif processes is not None or process is not None:
        raise DeviceError(
            "coordinator auto (rule: it knows the processes; leave their numbers out)"
        )
    _keep_stdout()
    try:
        jax.distributed.initialize(**given, heartbeat_timeout_seconds=_HEARTBEAT)
    except (RuntimeError, ValueError) as error:
        raise DeviceError(
            f"coordinator {coordinator}: the processes did not come together (rule: process 0 "
            "listens there, all are started with the same number of processes and within five "
            f"minutes). JAX says: {str(error).splitlines()[0]}"
        ) from error


def _keep_stdout() -> None:
    """Keep stdout for data: what connects the processes writes messages there from C++."""
    sys.stdout.flush()
    own = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(own, "w", encoding=sys.stdout.encoding)


def count() -> int:
    """Return how many processes compute together; JAX is not imported for it."""
    distributed = getattr(sys.modules.get("jax"), "distributed", None)
    if distributed is None or not distributed.is_initialized():
        return 1
    return int(sys.modules["jax"].process_count())


def several() -> bool:
    """Say whether this process is one of several."""
    return count() > 1


def first() -> bool:
    """Say whether this is process 0, or the only one."""
    return not several() or sys.modules["jax"].process_index() == 0


def agreed(number: int) -> int:
    """Return process 0's number."""
    if not several():
        return number
    import numpy as np
    from jax.experimental import multihost_utils

    # As bytes: outside of a run JAX cuts whole numbers off at 32 bits.
    own = np.frombuffer(number.to_bytes(8, "little"), np.uint8)
    told = np.asarray(_exchanged(multihost_utils.broadcast_one_to_all, own), np.uint8)
    return int.from_bytes(told.tobytes(), "little")


def any_of(flag: bool) -> bool:
    """Return whether the flag of any process is set."""
    if not several():
        return flag
    import numpy as np
    from jax.experimental import multihost_utils

    return bool(_exchanged(multihost_utils.process_allgather, np.array(flag)).any())


def handed(data: bytes | None) -> bytes | None:
    """Return process 0's bytes."""
    if not several():
        return data
    import numpy as np
    from jax.experimental import multihost_utils

    own = np.frombuffer(data or b"", np.uint8)
    size = agreed(own.size)
    if not first():
        own = np.zeros(size, np.uint8)
    return np.asarray(_exchanged(multihost_utils.broadcast_one_to_all, own)).tobytes() or None


@contextmanager
def together() -> Iterator[None]:
    """Say plainly, inside, when another process of the run is lost."""
    if not several():
        yield
        return
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        raise LostProcess(
            "another process of this run is lost (rule: all processes compute to the end; see what "
            "the others said, and start them all again: a run goes on from its last checkpoint). "
            f"JAX says: {str(error).splitlines()[0]}"
        ) from error


def _exchanged(exchange: Callable[[Any], Any], value: Any) -> Any:
    with together():
        return exchange(value)


@contextmanager
def leading() -> Iterator[Callable[[], None]]:
    """Yield, in process 0, what lets the others begin; without it they are let go at the end."""
    begun = False

    def begin() -> None:
        nonlocal begun
        begun = True
        agreed(_BEGIN)

    try:
        yield begin
    except BaseException:
        if not begun:
            agreed(_REFUSED)
        raise
    if not begun:
        agreed(_NOTHING)


def wanted() -> bool:
    """Return, in another process than 0, whether there is something to compute.

    Raises:
        RunError: process 0 gave up.

    """
    said = agreed(_NOTHING)
    if said == _REFUSED:
        raise RunError("process 0 gave up before the run began; see what it said")
    return said == _BEGIN
