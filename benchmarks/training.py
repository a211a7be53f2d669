"""Seconds that a generation of learners takes: `python benchmarks/training.py [LEARNERS ...]`.

One generation: every learner of a population is trained anew on the examples that its budget buys
and tested. Four tasks of 12 inputs, 40 examples, 100 steps of Adam where a method trains by
gradient. Medians of interleaved rounds, after one that compiles.
"""

from __future__ import annotations

import json
import statistics
import sys
import time

import jax
import jax.numpy as jnp
from turns import machine, tell

from ecosim.compilation import prepared
from ecosim.scenario.measured import LEARNERS
from ecosim.training import learners
from ecosim.training.tasks import Tasks, exact_tasks, normal

ROUNDS, TASKS, INPUTS, EXAMPLES, STEPS = 5, 4, 12, 40, 100


def _world() -> learners.World:
    weights, centres = exact_tasks(
        jax.random.key(0), TASKS, INPUTS, relatedness=jnp.asarray(0.0), separation=jnp.asarray(4.0)
    )
    tasks = Tasks(weights.astype("float32"), centres.astype("float32"), jnp.asarray(0.5, "float32"))
    test = normal(jax.random.key(1), (TASKS, learners.TESTED, INPUTS), "float32")
    return learners.World(tasks, jnp.asarray(0.02, "float32"), test + tasks.centres[:, None])


def measure(number: int, rounds: int = ROUNDS, steps: int = STEPS) -> dict[str, float]:
    """Return learners trained a second, for each method and for three of them together."""
    world, effort = _world(), jnp.full((number, TASKS), EXAMPLES / TASKS, "float32")
    some = {name: (name,) for name in LEARNERS}
    some["dedicated + pooled + perceptron"] = ("dedicated", "pooled", "perceptron")
    train = {}
    for name, methods in some.items():
        shapes = learners.Shapes(
            methods=methods, tasks=TASKS, dimension=INPUTS, resource="data", most=EXAMPLES,
            examples=EXAMPLES, rank=1, hidden=8, steps=steps,
        )  # fmt: skip
        which = jnp.arange(number) % len(methods)
        train[name] = (jax.jit(learners.explained, static_argnums=0), shapes, which)
    times: dict[str, list[float]] = {name: [] for name in some}
    for turn in range(rounds + 1):
        keys = jax.random.split(jax.random.key(turn), number)
        for name, (run, shapes, which) in train.items():
            began = time.perf_counter()
            run(shapes, world, which, effort, keys).block_until_ready()
            if turn:
                times[name].append(time.perf_counter() - began)
    return {name: number / statistics.median(values) for name, values in times.items()}


if __name__ == "__main__":
    tell([{"machine": machine(), "rounds": ROUNDS}])
    with prepared():
        for size in map(int, sys.argv[1:] or ["1000"]):
            rates = measure(size)
            seconds = {name: float(f"{size / rate:.3g}") for name, rate in rates.items()}
            each = {name: round(rate) for name, rate in rates.items()}
            print(json.dumps({"learners": size, "seconds": seconds, "per second": each}))
