"""A stand-in for ecosim.simulate: same interface, milliseconds long, no JAX.

The store and the command line are tested with it where what matters is what becomes of a
recording, not what is in it.
"""

from __future__ import annotations

import pickle
import sys
import types
from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass
class Recording:
    metrics: pd.DataFrame
    breadth: np.ndarray
    population: pd.DataFrame
    snapshots: dict
    events: pd.DataFrame | None
    founders: pd.DataFrame
    steps: int
    complete: bool


def agents(rng, *, size, niches, concentration):
    allocation = rng.dirichlet(np.full(niches, concentration), size)
    entropy = -(allocation * np.log(np.maximum(allocation, 1e-12))).sum(axis=1)
    columns = {
        "id": np.arange(1, size + 1, dtype=np.uint64),
        "lineage": np.arange(1, size + 1, dtype=np.uint64),
        "group": np.zeros(size, np.int32),
        "patch": np.zeros(size, np.int32),
        "age": np.zeros(size, np.int32),
        "stock": rng.uniform(0.5, 1.5, size),
        "breadth": np.exp(entropy),
        "depth": allocation.max(axis=1),
        "niche": allocation.argmax(axis=1).astype(np.int32),
    }
    columns |= {f"allocation_{k}": allocation[:, k] for k in range(niches)}
    return pd.DataFrame(columns)


def metrics_of(scenario, rng, steps):
    niches, size = scenario.niches.count, scenario.population.size
    time = steps / max(scenario.run.steps, 1)
    noise = rng.normal(0, 0.01, len(steps))
    filled = 1 / (1 + np.exp(-(time[:, None] * 12 - np.linspace(2, 8, niches))))
    born, died = ("births", "deaths") if scenario.world == "ecology" else ("entries", "exits")
    columns = {
        "step": steps,
        "population": size * (1 + noise),
        born: rng.poisson(size * 0.01, len(steps)),
        died: rng.poisson(size * 0.01, len(steps)),
        "breadth_mean": 1 + (niches - 1) * np.exp(-5 * time) + np.abs(noise),
        "depth_mean": 1 - 0.8 * np.exp(-5 * time),
        "specialist_share": filled.mean(axis=1),
        "coverage": (filled > 0.5).mean(axis=1),
        "evenness": 1 - np.abs(noise),
        "hill_1": 1 + niches * time,
        "hill_2": 1 + niches * time * 0.8,
        "overlap": np.where(steps == 0, np.nan, 0.5),
        "emitted": np.full(len(steps), 100.0),
        "received": np.full(len(steps), 75.0),
        "unclaimed": np.full(len(steps), 25.0),
    }
    if scenario.world == "market":
        columns |= {"hhi": 0.1 + 0.2 * time, "c4": 0.3 + 0.4 * time, "generalist_c4": 0.2 * time}
    for k in range(niches):
        columns[f"allocation_{k}"] = np.full(len(steps), 1 / niches) * (1 + noise)
        columns[f"specialists_{k}"] = filled[:, k] / niches
    return pd.DataFrame({name: np.asarray(v, float) for name, v in columns.items()})


def simulate(
    scenario, *, seed=None, progress=None, should_stop=None, checkpoint=None, keep_checkpoint=None,
    devices=1,
):
    seed = scenario.run.seed if seed is None else seed
    size, niches, total = scenario.population.size, scenario.niches.count, scenario.run.steps
    begin = pickle.loads(checkpoint)["step"] if checkpoint else 0
    CALLS.append({"seed": seed, "begin": begin})
    steps = np.arange(0, total + 1, scenario.record.every)
    full = metrics_of(scenario, np.random.default_rng(seed), steps)
    done, complete = total, True
    for step in range(begin, total, 10):
        if progress is not None:
            progress(step, total, {"population": 1.0, "breadth_mean": 2.0, "coverage": 0.5})
        if should_stop is not None and should_stop():
            keep_checkpoint(pickle.dumps({"step": step}))
            done, complete = step, False
            break
    rng = np.random.default_rng([seed, 1])
    founders = agents(rng, size=size, niches=niches, concentration=50.0)
    population = agents(rng, size=size, niches=niches, concentration=0.05)
    counts = np.stack(
        [
            np.histogram(rng.normal(m, 0.3, size).clip(1, niches), 64, (1, max(niches, 2)))[0]
            for m in full["breadth_mean"]
        ]
    )
    every = scenario.record.snapshots
    return Recording(
        metrics=full[full["step"] <= done],
        breadth=counts[(steps <= done)].astype(np.int64),
        population=population,
        snapshots={s: founders for s in range(every, done + 1, every)} if every else {},
        events=_events(founders, total) if scenario.record.events else None,
        founders=founders,
        steps=done,
        complete=complete,
    )


def _events(founders, steps):
    dead = founders.iloc[: len(founders) // 2]
    return pd.DataFrame(
        {
            "step": np.linspace(1, steps, len(dead)).astype(np.int64),
            "kind": "death",
            "id": dead["id"].to_numpy(),
            "parent": np.zeros(len(dead), np.uint64),
            **{name: dead[name].to_numpy() for name in ("lineage", "niche", "breadth", "stock")},
            "age": np.linspace(1, steps, len(dead)).astype(np.int64),
        }
    )


CALLS: list[dict] = []


def no_pictures(monkeypatch):
    """Write empty pictures: drawing takes a second, which only tests of pictures should."""

    def illustrate(run):
        (run.path / "figure.png").touch()
        (run.path / "report.html").touch()

    monkeypatch.setattr("ecosim.experiments.pictures.illustrate", illustrate)


def install(monkeypatch, **replacements):
    """Put this in the place of ecosim.simulate and of the Mesa engine; return the list of calls."""
    CALLS.clear()
    module = types.ModuleType("ecosim.simulate")
    module.simulate = replacements.get("simulate", simulate)
    module.Recording = Recording
    mesa = types.ModuleType("ecosim.agents")
    mesa.simulate_mesa = replacements.get("simulate_mesa", simulate)
    monkeypatch.setitem(sys.modules, "ecosim.simulate", module)
    monkeypatch.setitem(sys.modules, "ecosim.agents", mesa)
    return CALLS
