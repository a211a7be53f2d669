"""One learner of each method, trained with what its effort bought, and what it then explains.

Each function takes one learner; `explained` carries a population. Competence on task k is
max(0, 1 - E(f(x) - w_k.x)^2 / E(w_k.x)^2) over held-out inputs: 1 is the noiseless task itself, 0
no better than answering 0. For linear learners the mean over inputs is exact; networks and what is
routed are tested on inputs that all learners of a step share.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ecosim.training import buying, least_squares, mixture, networks, routing
from ecosim.training.buying import Bought
from ecosim.training.tasks import Tasks


class Shapes(NamedTuple):
    """What is compiled in; hashable."""

    methods: tuple[str, ...]
    tasks: int  # K
    dimension: int  # d
    resource: str  # what effort buys: data, compute or parameters
    most: int  # units of it that a learner can buy
    examples: int  # of each task, where effort does not buy them
    rank: int
    hidden: int
    steps: int  # of training by gradient; the most, where effort buys them
    capped: bool = False  # whether an expert of a mixture has limited room in training


class World(NamedTuple):
    """What all learners of a step meet."""

    tasks: Tasks
    rate: Array  # of Adam, and of gradient descent
    test: Array  # [K, m, d] held-out inputs
    balance: Array | float = 0.01  # weight of the load-balance loss of a mixture
    capacity: Array | float = 1.0  # factor of the room of its experts, where it is capped
    router: Array | float = 0.25  # share of what is bought that a portfolio's router takes


class Learned(NamedTuple):
    """What a learner can do."""

    competence: Array  # [K] in [0, 1]
    # [], of expert and task on held-out inputs, over ln K; NaN of one without experts.
    information: Array | float = jnp.nan


TESTED = 64  # held-out inputs of each task


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


def _sums(given: Bought, width: Array | None) -> tuple[Array, Array]:
    """Return X'X `[K, d, d]` and X'y `[K, d]` of each task, of its first `width` inputs `[K]`."""
    inputs = given.inputs
    if width is not None:
        place = jnp.arange(inputs.shape[1])
        inputs = jnp.where(place < (given.task @ width)[:, None], inputs, 0)
    of_task = jnp.einsum("nk,ni->kni", given.task, inputs)
    return (
        jnp.einsum("kni,nj->kij", of_task, inputs),
        jnp.einsum("kni,n->ki", of_task, given.outputs),
    )


def _ridge(tasks: Tasks) -> Array:
    """Return sigma^2 d, the Bayesian penalty for w ~ N(0, I/d); never quite 0."""
    return tasks.noise**2 * tasks.weights.shape[1] + 1e-4


def _fitted(
    shapes: Shapes, world: World, sums: tuple[Array, Array], count: Array | int, units: Array
) -> Array:
    """Return coefficients `[..., d]`: ridge regression, or as many steps of descent as bought."""
    gram, moment = sums
    if shapes.resource != "compute":
        return least_squares.solved(gram, moment, _ridge(world.tasks))
    return least_squares.descended(
        gram / count, moment / count, world.rate, units, most=shapes.steps
    )


def _each(shapes: Shapes, world: World, given: Bought) -> Array:
    width = given.units if shapes.resource == "parameters" else None
    return _fitted(shapes, world, _sums(given, width), shapes.examples, given.units)


def _dedicated(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    return Learned(explained_by(world.tasks, _each(shapes, world, given)))


def _pooled(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    units = given.units.sum()
    width = jnp.full(shapes.tasks, units) if shapes.resource == "parameters" else None
    gram, moment = (jnp.einsum("k,k...->...", given.emphasis, part) for part in _sums(given, width))
    fitted = _fitted(shapes, world, (gram, moment), shapes.tasks * shapes.examples, units)
    alike = jnp.broadcast_to(fitted, world.tasks.weights.shape)
    return Learned(explained_by(world.tasks, alike))


def _low_rank(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    rank: Array | int = shapes.rank
    each = given
    if shapes.resource == "parameters":
        # A rank takes d + K numbers; each task's own model is not limited besides.
        rank = given.units.sum() // (shapes.dimension + shapes.tasks)
        each = given._replace(units=jnp.full(shapes.tasks, shapes.dimension))
    fitted = least_squares.truncated(_each(shapes, world, each), rank)
    return Learned(explained_by(world.tasks, fitted))


def _until(shapes: Shapes, given: Bought) -> Array | None:
    """Return how many steps of training were bought; None: all that are computed."""
    return given.units.sum() if shapes.resource == "compute" else None


def _perceptron(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    begin, train = jax.random.split(key)
    weights, dtype = buying.weights(given), given.inputs.dtype
    start = networks.perceptron(begin, shapes.dimension, shapes.hidden)
    start = jax.tree.map(lambda leaf: leaf.astype(dtype), start)
    units = None
    if shapes.resource == "parameters":  # d + 2 numbers each, and one for the output's shift
        units = (given.units.sum() - 1) // (shapes.dimension + 2)

    def loss(model: networks.Perceptron, _: Array) -> Array:
        return weights @ (networks.output(model, given.inputs, units) - given.outputs) ** 2

    model = networks.trained(
        loss, start, train, steps=shapes.steps, rate=world.rate, until=_until(shapes, given)
    )
    return Learned(_tested(world, networks.output(model, world.test, units)))


def _mixture(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    begin, train = jax.random.split(key)
    inputs, outputs, weights = given.inputs, given.outputs, buying.weights(given)
    start = mixture.mixture(begin, shapes.dimension, shapes.tasks)
    start = jax.tree.map(lambda leaf: leaf.astype(inputs.dtype), start)
    if shapes.capped:  # experts take the first that come: of any task
        order = jax.random.permutation(jax.random.fold_in(train, shapes.steps), len(weights))
        inputs, outputs, weights = inputs[order], outputs[order], weights[order]

    def loss(model: mixture.Mixture, step: Array) -> Array:
        return mixture.loss(
            model, inputs, outputs, key=step, weights=weights,
            balancing=world.balance, factor=world.capacity if shapes.capped else None,
        )  # fmt: skip

    model = networks.trained(
        loss, start, train, steps=shapes.steps, rate=world.rate, until=_until(shapes, given)
    )
    found = mixture.routed(model, world.test.reshape(-1, shapes.dimension))
    answers = found.outputs.reshape(world.test.shape[:2])
    return Learned(_tested(world, answers), _information(world, found.chosen))


def _information(world: World, chosen: Array) -> Array:
    """Return the information of expert and task from the experts `[K m, N]` of held-out inputs."""
    number, each = world.test.shape[:2]
    return mixture.specialisation(chosen, jnp.repeat(jnp.eye(number, dtype=chosen.dtype), each, 0))


def _routed(shapes: Shapes, world: World, given: Bought, key: Array) -> Learned:
    """Fit specialists and, of a share of what was bought, the router before them."""
    experts, routers = routing.divided(shapes.resource, given, world.router)
    width = routers.units if shapes.resource == "parameters" else None
    inputs = _sums(routers._replace(outputs=jnp.ones_like(given.outputs)), None)
    equations = routing.equations(*inputs, routers.task.sum(axis=0), width)
    count = shapes.tasks * shapes.examples
    router = _fitted(shapes, world, equations, count, routers.units)
    chosen = routing.chosen(router, world.test)
    every = jnp.einsum("kmd,nd->kmn", world.test, _each(shapes, world, experts))
    answers = jnp.sum(chosen * every, axis=-1)
    return Learned(
        _tested(world, answers), _information(world, chosen.reshape(-1, chosen.shape[-1]))
    )


METHODS: dict[str, Callable[[Shapes, World, Bought, Array], Learned]] = {
    "dedicated": _dedicated,
    "pooled": _pooled,
    "low-rank": _low_rank,
    "perceptron": _perceptron,
    "mixture": _mixture,
    "routed": _routed,
}


def explained(shapes: Shapes, world: World, method: Array, effort: Array, keys: Array) -> Array:
    """Return the competence `[N, K]` of a population that is trained; see `learned`."""
    return learned(shapes, world, method, effort, keys).competence


def learned(
    shapes: Shapes, world: World, method: Array, effort: Array, keys: Array,
    alive: Array | None = None,
) -> Learned:  # fmt: skip
    """Train a population, each learner on its own new examples, and say what it can do.

    Args:
        shapes: what is compiled in.
        world: tasks and held-out inputs.
        method: index in shapes.methods, int `[N]`. Every method is computed for every learner, as
            a vectorised branch must be.
        effort: of each learner on each task, whole units, `[N, K]`.
        keys: one of JAX for each learner, `[N]`.
        alive: who is trained, bool `[N]`; the others have 0. None: all.

    Returns:
        Competence `[N, K]` in [0, 1]; on a task that nothing was spent on it says what the
        learner makes of it untaught. Information `[N]`, NaN of learners without experts.

    """

    def one(which: Array, spent: Array, key: Array) -> Learned:
        drawn, training = jax.random.split(key)
        given = buying.bought(
            shapes.resource, world.tasks, spent, drawn, most=shapes.most, examples=shapes.examples
        )
        found = [METHODS[name](shapes, world, given, training) for name in shapes.methods]
        own = [which == i for i in range(len(found))]
        dtype = effort.dtype
        return Learned(
            jnp.select(own, [each.competence for each in found]),
            jnp.select(own, [jnp.asarray(each.information, dtype) for each in found]),
        )

    number = method.shape[0]
    width = min(number, max(-(-number // 4), 16), MOST)
    living = number if alive is None else jnp.sum(alive)
    order = jnp.arange(number) if alive is None else jnp.argsort(~alive, stable=True)

    def block(i: Array | int, found: Learned) -> Learned:
        # The last block begins early enough to be whole: some are trained twice, to the same end.
        some = jax.lax.dynamic_slice_in_dim(order, i * width, width)
        trained = jax.vmap(one)(method[some], effort[some], keys[some])
        return jax.tree.map(lambda column, rows: column.at[some].set(rows), found, trained)

    nothing = Learned(jnp.zeros_like(effort), jnp.full(number, jnp.nan, effort.dtype))
    return jax.lax.fori_loop(0, -(-living // width), block, nothing)


MOST = 1024  # learners side by side: bounds the memory that a population takes
