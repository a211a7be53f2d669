"""Performance profiles: what each algorithm has found after each number of evaluations."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ecosim.errors import Problem, ScenarioError
from ecosim.search import problems as classes
from ecosim.search.algorithms import ALGORITHMS
from ecosim.search.space import BITS, Space, space

_EXACT = "uniform-mean"  # the class that is enumerated, not run


def profiles(
    algorithms: Sequence[str],
    problems: Sequence[str],
    *,
    budget: int,
    instances: int,
    key: Array,
    length: int = BITS,
) -> Array:
    """Return performance float32 `[G, K, R, M+1]` after m = 0 .. M evaluations, really run.

    Performance is the true value, 0 to 1, of the point that looks best so far; 0 before the first
    evaluation. Where evaluations are noisy it can fall. All algorithms see the same R instances of
    a class; the draws of their own are independent. A point that was tried is not paid for again:
    the nearest untried one on the grid takes its place, so that none revisits and No Free Lunch
    holds on the classes that are closed under permutation (`uniform`, `needle`). On `uniform-mean`
    performance is the exact mean over all functions, the same for all algorithms.

    Args:
        algorithms: G names of `ecosim.search.algorithms.ALGORITHMS`.
        problems: K names of `ecosim.search.problems.PROBLEMS`.
        budget: M evaluations.
        instances: R of each class.
        key: of all draws.
        length: n, bits of a point; |X| = 2^n.

    Raises:
        ScenarioError: a name that is not known, or a budget beyond |X|.

    """
    known(algorithms, problems)
    if not 1 <= budget <= 2**length:
        rule = f"1 to {2**length} evaluations: there are no more points"
        raise ScenarioError([Problem("budget", f"{budget}", rule)], "search")
    with jax.enable_x64(True):  # draws depend on it; the caller's setting must not matter
        return _profiles(tuple(algorithms), tuple(problems), budget, instances, length, key)


def _profiles(
    algorithms: tuple[str, ...],
    problems: tuple[str, ...],
    budget: int,
    instances: int,
    length: int,
    key: Array,
) -> Array:
    shape = (len(algorithms), len(problems), instances, budget + 1)
    reached = jnp.broadcast_to(jnp.asarray(enumerated(budget), jnp.float32), shape)
    searched = [place for place, name in enumerate(problems) if name != _EXACT]
    if not searched:
        return reached
    drawn, searching = jax.random.split(key)
    names = tuple(problems[place] for place in searched)
    tables, noises = _instances(names, instances, length, drawn)
    flat, noise = tables.reshape(-1, tables.shape[-1]), jnp.repeat(noises, instances)
    found = []
    for name in algorithms:
        own = jax.random.fold_in(searching, list(ALGORITHMS).index(name))
        keys = jax.random.split(own, len(flat))
        found.append(_run(name, budget, length, flat, noise, keys))
    whole = jnp.stack(found).reshape(len(algorithms), len(names), instances, budget + 1)
    return reached.at[:, np.array(searched)].set(whole)


def sampled(problems: Sequence[str]) -> bool:
    """Return whether performance on classes of problems depends on which instances are drawn."""
    return any(name != _EXACT for name in problems)


def known(algorithms: Sequence[str], problems: Sequence[str]) -> None:
    """Refuse names of algorithms and of classes of problems that are not known.

    Raises:
        ScenarioError: all of them at once.

    """
    wrong = [
        Problem(f"search.{key}", name, "is not known", f"one of {', '.join(names)}")
        for key, given, names in (("algorithms", algorithms, ALGORITHMS),
                                  ("problems", problems, classes.PROBLEMS))
        for name in given if name not in names
    ]  # fmt: skip
    if wrong:
        raise ScenarioError(wrong, "search")


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _instances(
    problems: tuple[str, ...], count: int, length: int, key: Array
) -> tuple[Array, Array]:
    """Return tables `[K, R, X]` and the noise of an evaluation `[K]`."""
    own = space(length)
    tables = []
    for name in problems:
        # By its name: a class has the same instances whatever others are asked for.
        number = list(classes.PROBLEMS).index(name)
        keys = jax.random.split(jax.random.fold_in(key, number), count)
        tables.append(jax.vmap(functools.partial(classes.PROBLEMS[name], own))(keys))
    return jnp.stack(tables), jnp.array([classes.noise(name) for name in problems], jnp.float32)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def _run(name: str, budget: int, length: int, tables: Array, noise: Array, keys: Array) -> Array:
    """Return performance `[N, M+1]` of one algorithm on tables `[N, X]`."""
    own = space(length)
    return jax.vmap(functools.partial(_search, name, budget, own))(tables, noise, keys)


def _search(name: str, budget: int, own: Space, table: Array, noise: Array, key: Array) -> Array:
    algorithm = ALGORITHMS[name]
    start, key = jax.random.split(key)

    def evaluate(carry: Any, key: Array) -> Any:
        state, visited, best, true = carry
        asked, error = jax.random.split(key)
        point = _untried(own, algorithm.ask(own, state, asked), visited)
        value = table[point]
        seen = value + noise * jax.random.normal(error, (), jnp.float32)
        state = algorithm.tell(own, state, point, seen)
        better = seen > best
        best, true = jnp.where(better, seen, best), jnp.where(better, value, true)
        return (state, visited.at[point].set(True), best, true), true

    carry = (
        algorithm.begin(own, start), jnp.zeros(own.size, bool), jnp.float32(-jnp.inf),
        jnp.float32(0),
    )  # fmt: skip
    reached = jax.lax.scan(evaluate, carry, jax.random.split(key, budget))[1]
    return jnp.concatenate([jnp.zeros(1, jnp.float32), reached])


def _untried(own: Space, point: Array, visited: Array) -> Array:
    """Return the untried point nearest to a point: itself, where it is untried."""

    def taken(rank: Array) -> Array:
        return visited[own.beside(point, rank)]

    rank = jax.lax.while_loop(taken, lambda rank: rank + 1, jnp.int32(0))
    return own.beside(point, rank).astype(jnp.int32)


def enumerated(budget: int) -> np.ndarray:
    """Return the exact mean performance `[M+1]` of any algorithm on `uniform`, by enumeration.

    Over all functions the first m values are all sequences of m values of the levels, each equally
    often, so the best of them is at most level j in (j+1)^m of |Y|^m: summed, not sampled.
    """
    levels = classes.LEVELS
    below = (np.arange(1, levels + 1) / levels)[None, :] ** np.arange(budget + 1)[:, None]
    share = np.diff(below, axis=1, prepend=0)
    share[0] = np.arange(levels) == 0  # no evaluation, no value
    return share @ np.arange(levels) / (levels - 1)
