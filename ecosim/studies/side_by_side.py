"""Claims tried in processes of their own: most of a quick claim is compiling, on one core each."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

from ecosim.errors import StoreError
from ecosim.studies.claim import Claim, Size
from ecosim.studies.trying import Tried, attempt

_POLL_S = 0.5
_stop: Event | None = None  # of a worker


def attempts(
    claims: Sequence[Claim],
    size: Size,
    folder: Path,
    *,
    workers: int = 1,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, Tried]]:
    """Yield each claim's place and what came of it, as they come.

    Args:
        claims: what is tried.
        size: quick or full.
        folder: takes the runs.
        workers: processes; 1 stays in this one, and keeps the order.
        should_stop: asked between batches.

    Raises:
        ScenarioError: a claim whose scenario breaks rules.
        StoreError: the folder cannot be written, a run failed, or a process ended.
        Stopped: `should_stop` said so; what is done is kept.

    """
    if min(workers, len(claims)) <= 1:
        for place, claim in enumerate(claims):
            yield place, attempt(claim, size, folder, should_stop=should_stop)
        return
    context = get_context("spawn")  # a process that has run JAX must not be forked
    stop = context.Event()
    pool = ProcessPoolExecutor(
        min(workers, len(claims)), mp_context=context, initializer=_begin, initargs=(stop,)
    )
    try:
        places = {
            pool.submit(_attempt, claim, size, folder): place for place, claim in enumerate(claims)
        }
        for future in _ended(places, stop, should_stop):
            yield places[future], future.result()
    except BrokenProcessPool as error:
        raise StoreError(
            f"{folder}: a process that tried claims ended (out of memory?); the same command "
            "continues, and takes less memory with --workers 1"
        ) from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _ended(
    futures: dict[Future[Tried], int], stop: Event, should_stop: Callable[[], bool]
) -> Iterator[Future[Tried]]:
    waiting = set(futures)
    while waiting:
        if should_stop():
            stop.set()
        done, waiting = wait(waiting, timeout=_POLL_S, return_when="FIRST_COMPLETED")
        yield from sorted(done, key=futures.__getitem__)


def _begin(stop: Event) -> None:
    global _stop
    _stop = stop
    # An interrupt reaches the whole group; the process that began this one passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _attempt(claim: Claim, size: Size, folder: Path) -> Tried:
    assert _stop is not None
    return attempt(claim, size, folder, should_stop=_stop.is_set)
