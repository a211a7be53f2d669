"""Each benchmark runs, at a tiny size, and tells what it says it does. Nothing is timed."""

import importlib
import math
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    """Import a benchmark as the command does, with smaller numbers."""
    monkeypatch.syspath_prepend(FOLDER)

    def imported(name, **smaller):
        module = importlib.import_module(name)
        for key, value in smaller.items():
            monkeypatch.setattr(module, key, value)
        return module

    before = set(sys.modules)
    yield imported
    for path in FOLDER.glob("*.py"):
        if path.stem not in before:
            sys.modules.pop(path.stem, None)


def real(values):
    return all(math.isfinite(value) and value > 0 for value in values)


def test_every_benchmark_has_a_test_here():
    scripts = {p.stem for p in FOLDER.glob("*.py") if "__main__" in p.read_text()}
    assert scripts == {"training", "step", "peers", "sweep", "sweep_store", "many_niches"}


def test_training_measures_every_learner(benchmark):
    from ecosim.scenario.measured import LEARNERS

    rates = benchmark("training").measure(3, rounds=1, steps=2)
    assert set(LEARNERS) < set(rates) and real(rates.values())


def test_step(benchmark):
    found = benchmark("step", ROUNDS=1, STEPS=1).measure(50)
    assert found["agents"] == 50 and real(found.values())


def test_many_niches(benchmark):
    small = {"ROUNDS": 1, "STEPS": 1, "FEW": 3, "MANY": 20, "USED": 2}
    found = benchmark("many_niches", **small).measure(50)
    assert found["agents"] == 50 and real(found.values())
    ratio = found["many, dense"] / found["many, sparse"]
    assert math.isclose(found["dense over sparse"], ratio)


def test_peers_all_take_their_turn(benchmark):
    rows = benchmark("peers", SETTLED=1).measure(50, rounds=1, seconds=0.0)
    ways = {row["way"] for row in rows}
    assert ways >= {"ecosim", "ecosim in mesa", "numpy", "mesa columns", "mesa objects"}
    assert real(value for row in rows for key, value in row.items() if key != "way")


@pytest.mark.slow
def test_sweep(benchmark, monkeypatch, tmp_path):
    small = {"population.size": 8, "run.steps": 2, "record.every": 1}
    sweep = benchmark("sweep", AGENTS=8, STEPS=2, EVERY=1, REPLICATES=2, SAMPLE=1, _SET=small)
    monkeypatch.setattr(sweep, "_cores", lambda: 1)
    sweep._mesa(1)  # asserts as many results as there must be
    sweep._sweep(2, tmp_path / "sweep")
    sweep._alone(tmp_path / "alone")
    assert [path.name for path in (tmp_path / "sweep").rglob("*.parquet")]
    assert list((tmp_path / "alone").iterdir())


@pytest.mark.slow
def test_sweep_store(benchmark, monkeypatch, tmp_path, capsys):
    store = benchmark("sweep_store", PER_FILE=2, REPLICATES=2)
    name = "one metric, at the end"
    monkeypatch.setattr(store, "_READS", {name: store._READS[name]})
    words = ["sweep_store", "--runs", "4", "--steps", "3", "--metrics", "3"]
    monkeypatch.setattr(sys, "argv", [*words, "--noise", "--compact", "--keep", str(tmp_path)])
    store.main()
    told = capsys.readouterr().out
    assert told.startswith("4 runs x 3 records x 3 metrics") and told.count(name) == 2
    (columns, _) = store.real_columns(3, 3)
    assert len(columns) == 4 and len(columns["step"]) == 3
