"""One learner of each method, trained on the examples it bought, and what it then explains.

Each function takes one learner; `explained` carries a population. Competence on task k is
max(0, 1 - E(f(x) - w_k.x)^2 / E(w_k.x)^2) over held-out inputs: 1 is the noiseless task itself, 0
no better than answering 0. For linear learners the mean over inputs is exact; networks are tested
on inputs that all learners of a step share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.training import least_squares, mixture, networks
from ecosim.training.tasks import Tasks, normal


class Shapes(NamedTuple):
    """What is compiled in; hashable."""

    methods: tuple[str, ...]
    tasks: int  # K
    dimension: int  # d
    most: int  # examples a learner can buy
    rank: int
    hidden: int
    steps: int


class World(NamedTuple):
    """What all learners of a step meet."""

    tasks: Tasks
    rate: Array  # of Adam
    test: Array  # [K, m, d] held-out inputs


class Bought(NamedTuple):
    """The examples of one learner; those of no task weigh nothing."""

    inputs: Array  # [n, d]
    outputs: Array  # [n]
    task: Array  # [n, K], one-hot, or 0


TESTED = 64  # held-out inputs of each task


def bought(shapes: Shapes, tasks: Tasks, effort: Array, key: Array) -> Bought:
    """Return new examples: floor(e_k) of task k for efforts `[K]`."""
    counts = jnp.floor(effort + 1e-3).astype(jnp.int32)  # a share of 1/3 of 30 buys 10
    ends = jnp.cumsum(counts)
    number = jnp.arange(shapes.most)
    label = (number[:, None] < ends) & (number[:, None] >= ends - counts)
    task = label.astype(effort.dtype)
    drawn = normal(key, (shapes.most, shapes.dimension + 1), "float32").astype(effort.dtype)
    inputs = drawn[:, :-1] + task @ tasks.centres
    clean = jnp.sum(inputs * (task @ tasks.weights), axis=-1)
    return Bought(inputs, clean + tasks.noise * drawn[:, -1], task)


def explained_by(tasks: Tasks, fitted: Array) -> Array:
    """Return the competence `[K]` of linear coefficients `[K, d]`, exact over inputs."""

    def power(coefficients: Array) -> Array:
        along = jnp.sum(coefficients * tasks.centres, axis=-1)
        return jnp.sum(coefficients**2, axis=-1) + along**2

    return jnp.maximum(0, 1 - power(fitted - tasks.weights) / power(tasks.weights))


def _tested(world: World, found: Array) -> Array:
    """Return the competence `[K]` of answers `[K, m]` to the held-out inputs."""
    clean = jnp.einsum("kmd,kd->km", world.test, world.tasks.weights)
    missed = jnp.sum((found - clean) ** 2, axis=-1)
    return jnp.maximum(0, 1 - missed / jnp.sum(clean**2, axis=-1))


def _sums(given: Bought) -> tuple[Array, Array]:
    """Return X'X `[K, d, d]` and X'y `[K, d]` of each task."""
    of_task = jnp.einsum("nk,ni->kni", given.task, given.inputs)
    return (
        jnp.einsum("kni,nj->kij", of_task, given.inputs),
        jnp.einsum("kni,n->ki", of_task, given.outputs),
    )


def _ridge(tasks: Tasks) -> Array:
    """Return sigma^2 d, the Bayesian penalty for w ~ N(0, I/d); never quite 0."""
    return tasks.noise**2 * tasks.weights.shape[1] + 1e-4


def _each(world: World, given: Bought) -> Array:
    gram, moment = _sums(given)
    return least_squares.solved(gram, moment, _ridge(world.tasks))


def _dedicated(shapes: Shapes, world: World, given: Bought, key: Array) -> Array:
    return explained_by(world.tasks, _each(world, given))


def _pooled(shapes: Shapes, world: World, given: Bought, key: Array) -> Array:
    gram, moment = (part.sum(axis=0) for part in _sums(given))
    fitted = least_squares.solved(gram, moment, _ridge(world.tasks))
    return explained_by(world.tasks, jnp.broadcast_to(fitted, world.tasks.weights.shape))


def _low_rank(shapes: Shapes, world: World, given: Bought, key: Array) -> Array:
    fitted = least_squares.truncated(_each(world, given), shapes.rank)
    return explained_by(world.tasks, fitted)


def _weights(given: Bought) -> Array:
    """Return weights of the examples that add up to 1; all 0 where nothing was bought."""
    counts = given.task.sum(axis=-1)
    return counts / jnp.maximum(counts.sum(), 1)


def _perceptron(shapes: Shapes, world: World, given: Bought, key: Array) -> Array:
    begin, train = jax.random.split(key)
    weights, dtype = _weights(given), given.inputs.dtype
    start = networks.perceptron(begin, shapes.dimension, shapes.hidden)
    start = jax.tree.map(lambda leaf: leaf.astype(dtype), start)

    def loss(model: networks.Perceptron, _: Array) -> Array:
        return weights @ (networks.output(model, given.inputs) - given.outputs) ** 2

    model = networks.trained(loss, start, train, steps=shapes.steps, rate=world.rate)
    return _tested(world, networks.output(model, world.test))


def _mixture(shapes: Shapes, world: World, given: Bought, key: Array) -> Array:
    begin, train = jax.random.split(key)
    weights, dtype = _weights(given), given.inputs.dtype
    start = mixture.mixture(begin, shapes.dimension, shapes.tasks)
    start = jax.tree.map(lambda leaf: leaf.astype(dtype), start)

    def loss(model: mixture.Mixture, step: Array) -> Array:
        return mixture.loss(model, given.inputs, given.outputs, key=step, weights=weights)

    model = networks.trained(loss, start, train, steps=shapes.steps, rate=world.rate)
    found = mixture.routed(model, world.test.reshape(-1, shapes.dimension)).outputs
    return _tested(world, found.reshape(world.test.shape[:2]))


METHODS: dict[str, Callable[[Shapes, World, Bought, Array], Array]] = {
    "dedicated": _dedicated,
    "pooled": _pooled,
    "low-rank": _low_rank,
    "perceptron": _perceptron,
    "mixture": _mixture,
}


def explained(shapes: Shapes, world: World, method: Array, effort: Array, keys: Array) -> Array:
    """Train a population, each learner on its own new examples, and return its competence.

    Args:
        shapes: what is compiled in.
        world: tasks and held-out inputs.
        method: index in shapes.methods, int `[N]`. Every method is computed for every learner, as
            a vectorised branch must be.
        effort: of each learner on each task, `[N, K]`.
        keys: one of JAX for each learner, `[N]`.

    Returns:
        Competence `[N, K]` in [0, 1]; on a task without examples it says what the learner makes
        of it untaught.

    """

    def one(learner: tuple[Array, Array, Array]) -> Array:
        which, spent, key = learner
        buying, training = jax.random.split(key)
        given = bought(shapes, world.tasks, spent, buying)
        found = [METHODS[name](shapes, world, given, training) for name in shapes.methods]
        return jnp.select([which == i for i in range(len(found))], found)

    return jnp.asarray(jax.lax.map(one, (method, effort, keys), batch_size=BATCH))


BATCH = 1024  # learners side by side: bounds the memory that a population takes
