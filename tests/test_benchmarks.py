"""Each benchmark runs, at a tiny size, and tells what it says it does. Nothing is timed."""

import importlib
import math
import os
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


MEASURED = {
    "training",
    "step",
    "peers",
    "sweep",
    "sweep_store",
    "start",
    "worlds",
    "many",
    "memory",
}
MEASURED |= {"mesa_front", "many_niches", "spent"}


def test_every_benchmark_has_a_test_here_and_its_place_on_the_page(benchmark):
    scripts = {p.stem for p in FOLDER.glob("*.py") if "__main__" in p.read_text()}
    # What devices exchange is counted, for docs/devices.md: tests/test_devices.py.
    assert scripts == MEASURED | {"all", "crossing"}
    # What a store takes on disk is no speed.
    assert {s.name for s in benchmark("page").SECTIONS} == MEASURED - {"sweep_store"}


def test_training_measures_every_learner(benchmark):
    from ecosim.scenario.measured import LEARNERS

    rates = benchmark("training").measure(3, rounds=1, steps=2)
    assert set(LEARNERS) < set(rates) and real(rates.values())


def numbers(rows, *names):
    return [value for row in rows for key, value in row.items() if key not in names]


def test_turns_are_taken_in_order_and_counted_by_step(benchmark):
    turns, done = benchmark("turns"), []
    ways = {name: lambda count, name=name: done.append((name, count)) for name in "ab"}
    spent = turns.turns(ways, rounds=2, seconds=0.0)
    assert done == [(n, c) for n in "ab" for c in (2, 1)] + [(n, 1) for _ in range(2) for n in "ab"]
    assert set(spent) == {"a", "b"}
    three = [turns.Spent(1.0, 30.0), turns.Spent(9.0, 10.0), turns.Spent(2.0, 20.0)]
    assert turns.median(three) == (2.0, 20.0)


@pytest.mark.slow
def test_step(benchmark):
    found = benchmark("step").measure(50, rounds=1, seconds=0.0)
    assert found["agents"] == 50 and real(found.values())
    living = found["agent_steps_per_s"] * found["ns_per_agent_step"]
    assert living == pytest.approx(1e9)


@pytest.mark.slow
def test_spent(benchmark):
    found = benchmark("spent", STEPS=3).measure(20_000, rounds=1, seconds=0.0)
    shares = {key: value for key, value in found.items() if key.startswith("share_")}
    assert len(shares) == 5 and sum(shares.values()) == pytest.approx(1)
    assert real(shares.values()) and real(found.values())
    # 16 claims of 4 bytes and 29 besides, of a fourth more slots than began, of fewer that live.
    assert found["least_bytes_an_agent"] > 93 * 1.25


def test_kinds_of_operations_are_told_by_their_shapes(benchmark):
    text = """
%paid (p.0: f32[16,1280], p.1: f32[16]) -> f32[1280] {
  ROOT %sum = f32[1280]{0} add(%a, %b)
}
ENTRY %main (a: f32[]) -> f32[] {
  %gain = f32[1280]{0} fusion(%claims, %price), kind=kLoop, calls=%paid
  %who = pred[160]{0} fusion(%x), kind=kLoop, calls=%other
  %rows = f32[64,16]{1,0} gather(%x)
  %my_scatter.3 = f32[1280]{0} fusion(%x), kind=kLoop, calls=%other
  %loop = (f32[1280]{0}) while(%x)
  %one = s64[] add(%x, %x)
}
"""
    times = {"gain": 1, "who": 2, "rows": 4, "my_scatter.3": 8, "one": 15, "loop": 99, "gone": 2}
    found = benchmark("spent").shares(times, text, 1280, 64)
    assert [round(32 * share) for share in found.values()] == [1, 2, 4, 8, 17]


def test_many_niches(benchmark):
    small = {"ROUNDS": 1, "STEPS": 1, "FEW": 3, "MANY": 20, "USED": 2}
    found = benchmark("many_niches", **small).measure(50)
    assert found["agents"] == 50 and real(found.values())
    ratio = found["many, dense"] / found["many, sparse"]
    assert math.isclose(found["dense over sparse"], ratio)


@pytest.mark.slow
def test_worlds(benchmark):
    rows = benchmark("worlds", SETTLED=1).measure(200, rounds=1, seconds=0.0)
    assert [row["scenario"] for row in rows][::6] == ["reference", "market"] and len(rows) == 7
    assert rows[0]["over_reference"] == 1
    assert real(numbers(rows, "scenario", "turnover"))
    assert rows[-1]["living"] == 200  # each firm that leaves is replaced


@pytest.mark.slow
def test_many(benchmark):
    module = benchmark("many")
    rows = module.measure(2, 40, 3, rounds=1)
    assert [row["way"] for row in rows] == list(module.WAYS)
    assert [row["runs"] * row["agents"] for row in rows] == [80, 80, 80, 40]
    assert real(numbers(rows, "way"))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory(benchmark, monkeypatch):
    memory = benchmark("memory")
    given = {16: 10.0, 2000: 30.0, 3000: 50.0}
    ran = []

    def one(agents, stock, steps):
        ran.append(agents)
        size = 3000 if stock > 2 else agents
        return {"peak": given[size] * 2**20, "state": 2**20, "slots at first": 1, "slots": 2}

    with monkeypatch.context() as patch:
        patch.setattr(memory, "_apart", one)
        steady, growing = memory.measure(2000)
    assert ran == [16, 2000, 2000] * 2  # compiled, then measured
    assert steady["peak_beyond_empty_over_state"] == 20.0
    assert growing["peak_beyond_empty_over_state"] == 40.0
    grown = memory.run(2000, memory._RICH, 3)
    assert grown["slots"] > grown["slots at first"] >= 2000  # what the name says
    assert grown["peak"] > grown["state"] > 2000 * 16 * 4


@pytest.mark.slow
def test_mesa_front(benchmark):
    rows = benchmark("mesa_front", SETTLED=1).measure(60, 50, rounds=1, seconds=0.0)
    ways = {row["way"]: row["over_headless"] for row in rows}
    assert ways.keys() >= {"model.step()", "allocate_columns", "allocate()", "mesa objects asked"}
    assert real(ways.values()) and ways["headless"] == ways["headless, few"] == 1


@pytest.mark.slow
def test_peers_all_take_their_turn_and_a_missing_one_is_a_row(benchmark, monkeypatch):
    peers = benchmark("peers", SETTLED=1)
    monkeypatch.setitem(peers.OTHERS, "absent", ("no_such_module", None))
    rows = peers.measure(50, rounds=1, seconds=0.0)
    skipped = {row["way"]: row["skipped"] for row in rows if "skipped" in row}
    rows = [row for row in rows if "skipped" not in row]
    ways = {row["way"] for row in rows}
    assert ways >= {"ecosim", "ecosim in mesa", "numpy", "mesa columns", "mesa objects"}
    assert ways | set(skipped) == {*peers.OTHERS} | ways and not ways & set(skipped)
    assert "no_such_module" in skipped["absent"]
    assert real(numbers(rows, "way"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["numba", "abmax", "agentpy objects"])
def test_other_peers_do_the_same_work(benchmark, name):
    """Their births balance their deaths at the same population as the step written by hand."""
    peers, models = benchmark("peers", SETTLED=40), benchmark("peer_models")
    package = peers.OTHERS[name][0]
    pytest.importorskip(name.split()[0])
    from ecosim.scenario import read

    scenario = read("reference-workload").replace(population__size=1000)
    run = peers.Simulation(scenario)
    run.advance(40)
    w, steps = peers.workload(run), 60
    hand, other = models.Columns(w), importlib.import_module(package)
    by_hand = [hand.step() for _ in range(steps)]
    if name == "numba":
        fused = other.Fused(w)
        rows = [fused.step() for _ in range(steps)]
    elif name == "abmax":
        model = other.Model(w)
        model.steps(steps)
        rows = [{k: float(v[i]) for k, v in model.metrics.items()} for i in range(steps)]
    else:
        model, rows = other.model_of(w), []
        for _ in range(steps):
            model.sim_step()
            rows.append({k: model.__dict__[k] for k in ("population", "births", "stock_mean")})

    def mean(rows, key):
        return sum(row[key] for row in rows) / steps

    assert mean(rows, "population") == pytest.approx(mean(by_hand, "population"), rel=0.05)
    assert mean(rows, "stock_mean") == pytest.approx(mean(by_hand, "stock_mean"), rel=0.05)
    assert mean(rows, "births") == pytest.approx(mean(by_hand, "births"), rel=0.3)


def test_the_page_is_what_was_measured(benchmark):
    page, docs = benchmark("page"), FOLDER.parent / "docs"
    text = (docs / "speed.md").read_text()
    results = page.kept(docs)
    for section in page.SECTIONS:
        assert page._section(section, results.get(section.name)) in text


def test_the_page_keeps_sections_that_were_not_measured_again(benchmark, tmp_path, monkeypatch):
    page, every = benchmark("page"), benchmark("all")
    machine = {"machine": "a", "rounds": 2}
    speed = {"agents": 10, "agent_steps_per_s": 2e6, "agent_steps_per_cpu_s": 1.5e6}
    rows = [machine, speed | {"way": "ecosim"}, speed | {"way": "y"}]
    rows.append({"agents": 10, "way": "x", "skipped": "not here"})
    page.write({"peers": rows}, tmp_path)
    assert page.kept(tmp_path) == {"peers": rows}

    class Done:
        returncode, stdout = 0, '{"machine": "b"}\n{"run": "steady",\n "agents": 5000}\n'

    monkeypatch.setattr(every.subprocess, "run", lambda *_, **__: Done)
    monkeypatch.setattr(sys, "argv", ["all", "memory", "--tiny", "--out", str(tmp_path)])
    every.main()
    text = (tmp_path / "speed.md").read_text()
    assert "| 10 | 2,000,000 | 1,500,000 | ecosim |" in text and "x, 10 agents: not here" in text
    assert "| run | steady |" in text and "| agents | 5,000 |" in text
    assert text.count(page.NOT_YET) == len(page.SECTIONS) - 2
    assert b"<svg" in (tmp_path / "images" / "speed.svg").read_bytes()

    Done.returncode = 1
    with pytest.raises(SystemExit, match="failed: memory"):
        every.main()
    assert (tmp_path / "speed.md").read_text() == text


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


@pytest.mark.slow
def test_start(benchmark, monkeypatch, tmp_path):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    monkeypatch.delenv("ECOSIM_PROGRAMS", raising=False)
    before = dict(os.environ)
    found = benchmark(
        "start", SMALL=["soft-selection", "population.size=8", "run.steps=2"]
    ).measure(1)
    assert dict(os.environ) == before  # else what is tested next would be set up differently
    assert [row["command"] for row in found] == list(benchmark("start").commands(tmp_path))
    assert real(numbers(found, "command")) and found[0]["clock_s"] < found[3]["clock_s"]
    assert {len(row) for row in found[:3]} == {3} and {len(row) for row in found[3:]} == {5}
    with pytest.raises(SystemExit, match="no scenario"):
        benchmark("start").spent(["-c", "import sys; sys.exit('no scenario')"])


@pytest.mark.parametrize("agents", [1000, 20_000])
def test_the_reference_workload_turns_over_1_to_2_percent_at_any_size(agents):
    """What it expects of itself says nothing of numbers that grow with it."""
    from ecosim.scenario import read
    from ecosim.simulate import simulate

    scenario = read("reference-workload").replace(population__size=agents)
    metrics = simulate(scenario, seed=1).metrics
    half = len(metrics) // 2
    exposed = metrics["population"].to_numpy()[half - 1 : -1].sum()
    deaths, births = (metrics[name].to_numpy()[half:].sum() for name in ("deaths", "births"))
    # Chance strikes each with the hazard; hunger only adds to it. Power: 4 standard deviations.
    hazard = scenario.selection.mortality
    assert hazard - 4 * (hazard / exposed) ** 0.5 < deaths / exposed < 0.02
    assert 0.01 < births / exposed < 0.02
