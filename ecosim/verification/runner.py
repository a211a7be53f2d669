"""Cases carried out: one here, many side by side in processes of their own."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np

from ecosim.errors import EcosimError, Problem, ScenarioError
from ecosim.verification.case import Case
from ecosim.verification.judgement import Result, judged
from ecosim.verification.registry import named

type Told = Callable[[Result], None]


class Job(NamedTuple):
    """A case to check: its name, parameters that are not at their defaults, how many seeds."""

    name: str
    given: Mapping[str, Any] = {}  # never changed
    seeds: int | None = None  # None: the case's own number


def check(case: Case, given: Mapping[str, Any] | None = None, seeds: int | None = None) -> Result:
    """Simulate a case and hold it against its closed form.

    Args:
        case: what to check.
        given: parameters that are not at their defaults.
        seeds: how many seeds, counted from 0; a deterministic case takes one whatever is asked.

    Raises:
        ScenarioError: parameters outside the case's domain.

    """
    values = case.values(given)
    try:
        case.expected(values)
    except ValueError as error:  # the closed form itself refuses; nothing is simulated
        shown = ", ".join(f"{name}={value:g}" for name, value in values.items())
        raise ScenarioError([Problem("", shown, str(error))], f"verify {case.name}") from error
    count = case.seeds if seeds is None or case.seeds == 1 else seeds
    began = time.perf_counter()
    observations = np.atleast_1d(np.asarray(case.observe(values, range(count)), float))
    seconds = time.perf_counter() - began
    return judged(case, values, observations.ravel(), seconds, fewer=count < case.seeds)


def _checked(job: Job) -> Result:
    """Check a case by name; an error of the run is a failure of the case, not of the suite."""
    case = named(job.name)
    began = time.perf_counter()
    try:
        return check(case, job.given, job.seeds)
    except ScenarioError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, EcosimError) else f"{type(error).__name__}: "
        return _failed(case, job.given, f"{kind}{error}", time.perf_counter() - began)


def _failed(case: Case, given: Mapping[str, Any], error: str, seconds: float) -> Result:
    return Result(
        case=case.name, labels=case.labels, parameters=case.values(given), relation=case.relation,
        expected=math.nan, observed=math.nan, stderr=math.nan, tolerance=math.nan,
        detects=math.nan, passed=False, observations=0, source=case.source, seconds=seconds,
        note=case.note, error=error,
    )  # fmt: skip


def check_all(jobs: Sequence[Job], *, processes: int = 1, told: Told | None = None) -> list[Result]:
    """Check cases, in processes side by side, and return the results in the order given.

    Args:
        jobs: what to check.
        processes: how many at once; 1 stays in this process.
        told: called with each result as it comes.

    Raises:
        ScenarioError: parameters outside a case's domain.

    """
    for job in jobs:
        named(job.name).values(job.given)
    done: dict[int, Result] = {}
    for index, result in _results(jobs, min(processes, len(jobs))):
        done[index] = result
        if told is not None:
            told(result)
    return [done[index] for index in range(len(jobs))]


def _results(jobs: Sequence[Job], processes: int) -> Iterator[tuple[int, Result]]:
    if processes <= 1:
        for index, job in enumerate(jobs):
            yield index, _checked(job)
        return
    # Spawned, since a process that has run JAX must not be forked.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        # The long cases begin first, so that they do not run alone at the end.
        order = sorted(range(len(jobs)), key=lambda index: not named(jobs[index].name).full)
        futures: dict[Future[Result], int] = {
            pool.submit(_checked, jobs[index]): index for index in order
        }
        try:
            for future in as_completed(futures):
                yield futures[future], _outcome(future, jobs[futures[future]])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _outcome(future: Future[Result], job: Job) -> Result:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, ScenarioError):
        raise error
    return _failed(named(job.name), job.given, f"its process ended: {error}", math.nan)
