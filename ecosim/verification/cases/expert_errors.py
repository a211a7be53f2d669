"""What the learners of L3 miss: one linear model, one network, routed experts, dedicated ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from ecosim.verification.case import Parameter, Values
from ecosim.verification.cases.observing import Numbers, batched

SOURCE = "the mechanism: Fedus, Zoph & Shazeer 2022, JMLR 23:120; statement 10"
# Numbers found before ecosim by another program of this mechanism, in one toy setting.
PUBLISHED = f"medians of 24 runs of another program; {SOURCE}"
TEST = 1000  # held-out inputs of each task
SETTING = ("T", "d", "n", "norm", "sigma", "steps")

TASKS = (
    Parameter("T", 4, "tasks, and experts", least=2, most=8, whole=True),
    Parameter("d", 8, "inputs", least=4, most=32, whole=True),
)
EXAMPLES = Parameter("n", 100, "examples of each task", least=20, most=400, whole=True)
TRAINING = (
    Parameter("sigma", 0.3, "noise", least=0.01, most=0.5),
    Parameter("steps", 1500, "of Adam at .01", least=1000, most=5000, whole=True),
)
NORM = Parameter("norm", 4.0, "of the centres of the tasks' inputs", least=4, most=8)


class Errors(NamedTuple):
    """Squared error beyond the noise on held-out inputs, an array `[seeds, replicates]` each."""

    joint: Numbers  # one linear model
    network: Numbers  # one perceptron with as many numbers as the mixture; empty where left out
    routed: Numbers
    dedicated: Numbers  # a linear model for each task, told which is which
    least: Numbers  # what no function of x can undercut where all centres are 0
    information: Numbers  # of expert and task, over ln T


def too_long(v: Values) -> str | None:
    """Return the rule that work of a case breaks."""
    work = v["T"] ** 2 * v["d"] * v["n"] * v["steps"]
    return f"T^2 d n steps <= 3e8 (here {work:g}): more takes too long" if work > 3e8 else None


def errors(
    v: Values,
    seeds: Sequence[int],
    *,
    replicates: int = 1,
    noise: float = 1.0,
    factor: float | None = None,
    network: bool = False,
) -> Errors:
    """Return what the learners miss; the same seeds have the same tasks and examples.

    Args:
        v: the values of SETTING.
        seeds: of JAX; with one replicate they go side by side, as replicates of the first.
        replicates: of each seed, side by side.
        noise: standard deviation of the router's noise in training.
        factor: capacity factor in training; None: no limit.
        network: whether the perceptron is trained too.

    """
    numbers = tuple(v[name] for name in SETTING)
    if replicates == 1:  # one at a time would be slow
        found = _trained(*numbers, noise, factor, network, tuple(seeds[:1]), len(seeds))
        return Errors(*(part.T for part in found))
    return _trained(*numbers, noise, factor, network, tuple(seeds), replicates)


@cache
def _trained(
    count: int, dimension: int, size: int, norm: float, sigma: float, steps: int,
    noise: float, factor: float | None, network: bool, seeds: tuple[int, ...], replicates: int,
) -> Errors:  # fmt: skip
    """Train all learners; several cases read one training."""
    import jax
    import jax.numpy as jnp

    from ecosim.training import least_squares, mixture, networks, tasks

    hidden = max(1, round((2 * dimension * count - 1) / (dimension + 2)))
    label = jnp.repeat(jnp.eye(count, dtype="float32"), TEST, axis=0)

    def in32[M](model: M) -> M:
        return jax.tree.map(lambda leaf: leaf.astype("float32"), model)

    def one(key: jax.Array) -> tuple[jax.Array, ...]:
        drawn, placed, seen, met, first, second, third = jax.random.split(key, 7)
        weights = tasks.related_weights(drawn, count, dimension, relatedness=0.0)
        centres = tasks.centres(placed, count, dimension, norm)
        world = tasks.Tasks(in32(weights), in32(centres), jnp.asarray(sigma, "float32"))
        given = tasks.examples(seen, world, size)
        x, y = given.inputs.reshape(-1, dimension), given.outputs.ravel()
        inputs = tasks.examples(met, world, TEST).inputs
        clean, test = tasks.answers(world, inputs), inputs.reshape(-1, dimension)
        if factor is not None:  # experts take the first that come: of any task
            order = jax.random.permutation(jax.random.fold_in(third, 1), count * size)
            x, y = x[order], y[order]

        def error(found: jax.Array) -> jax.Array:
            return jnp.mean((found.ravel() - clean.ravel()) ** 2)

        def misses(model: networks.Perceptron, _: jax.Array) -> jax.Array:
            return jnp.mean((networks.output(model, x) - y) ** 2)

        def routing(model: mixture.Mixture, step: jax.Array) -> jax.Array:
            return mixture.loss(model, x, y, key=step, noise=noise, factor=factor)

        halves = jax.random.split(third)
        missed = jnp.zeros((0,))
        if network:
            start = in32(networks.perceptron(first, dimension, hidden))
            found = networks.trained(misses, start, halves[0], steps=steps)
            missed = error(networks.output(found, test))
        experts = in32(mixture.mixture(second, dimension, count))
        experts = networks.trained(routing, experts, halves[1], steps=steps)
        result = mixture.routed(experts, test)
        told = tasks.answers(world._replace(weights=least_squares.dedicated(given)), inputs)
        return (
            error(test @ least_squares.pooled(given)), missed, error(result.outputs), error(told),
            tasks.excess(world.weights.mean(axis=0), world.weights).mean(),
            mixture.specialisation(result.chosen, label),
        )  # fmt: skip

    return Errors(*batched(one, seeds, replicates))
