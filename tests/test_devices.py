"""One population over several devices and processes: the same bytes, and little that moves.

How many devices there are is settled when JAX starts, so each of these runs has a process of its
own, in which the processor counts as eight.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}{os.pathsep}{ROOT / 'benchmarks'}",
    "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
    "JAX_PLATFORMS": "cpu",
}
# Four times what it takes to live, so that the population outgrows its slots.
ENERGY = {
    "world": "ecology", "niches__count": 2, "niches__productivity": 400.0,
    "population__size": 900, "population__start": "random", "selection__mortality": 0.1,
    "mutation__rate": 0.5, "run__steps": 12,
    "record__events": True, "record__snapshots": 5,
}  # fmt: skip
COMPARED = """
import hashlib, json, sys
from test_invariance import pieces
from ecosim.scenario import Scenario
from ecosim.simulate import Simulation, simulate

given = json.loads(sys.argv[1])
devices = json.loads(sys.argv[2])
scenario = Scenario(world=given.pop("world")).replace(**given)

def read(recording):
    assert recording.complete
    return pieces(recording)

one = read(simulate(scenario))
def differs(recording):
    other = read(recording)
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]

found = {"differs": {}}
for number in devices:
    found["differs"][number] = differs(simulate(scenario, devices=number))
capacities = []
for begun, on in json.loads(sys.argv[3]):
    run = Simulation(scenario, devices=begun)
    capacities.append(run.state.population.alive.shape[0])
    if scenario.record.snapshots:
        run.snapshot()
    run.advance(5)
    if scenario.record.snapshots:
        run.snapshot()
    capacities.append(run.state.population.alive.shape[0])
    run = Simulation.restored(run.save(), devices=on)
    for step in range(10, scenario.run.steps + 1, 5):
        run.advance(step)
        if scenario.record.snapshots:
            run.snapshot()
    run.advance(scenario.run.steps)
    found["differs"][f"{begun} then {on}"] = differs(run.finished())
    capacities.append(run.state.population.alive.shape[0])
print(json.dumps(found | {"capacities": capacities}))
"""


def python(*arguments, timeout=900):
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=timeout,
        env=ENVIRONMENT, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def compared(devices, resumed, **scenario):
    given = (json.dumps(argument) for argument in (scenario, devices, resumed))
    return json.loads(python("-c", COMPARED, *given))


def test_growth_and_resumption_of_a_divided_population_change_no_byte():
    found = compared([2], [(2, 1)], **ENERGY)
    assert found["differs"] == {"2": [], "2 then 1": []}
    assert max(found["capacities"]) > min(found["capacities"])  # it did grow


KINDS = {
    "energy": {
        "world": "ecology", "niches__count": 3, "population__size": 100, "run__steps": 10,
        "niches__productivity": 40.0, "mutation__rate": 0.5,
    },
    "market": {
        "world": "market", "niches__count": 2, "population__size": 100, "run__steps": 10,
    },
    "moran": {
        "world": "ecology", "niches__count": 2, "selection__kind": "moran",
        "population__size": 40, "mutation__rate": 0.5, "run__steps": 10,
    },
    "wright-fisher": {
        "world": "ecology", "niches__count": 2, "selection__kind": "wright-fisher",
        "population__size": 40, "mutation__rate": 0.5, "run__steps": 10,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_selection_is_the_same_bytes_on_eight_devices(name):
    found = compared([8], [(1, 8)], **KINDS[name])
    assert found["differs"] == {"8": [], "1 then 8": []}


MOVED = """
import json, crossing
from ecosim.scenario import Scenario
base = Scenario(world="ecology").replace(niches__count=2, population__size=20_000)
state, text = crossing.compiled(base, 2)
print(json.dumps([state.population.alive.shape[0], *crossing.crossing(text)]))
"""


def test_a_step_of_the_energy_budget_moves_no_column():
    slots, step, *_ = json.loads(python("-c", MOVED))
    assert 0 < step < slots / 2  # a mask alone is as many bytes as slots


def test_the_bytes_of_an_agent_are_those_of_its_columns(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import crossing
    import jax

    from ecosim.compilation import prepared
    from ecosim.model.founders import _one_block
    from ecosim.model.structure import bytes_for, kinds_of
    from ecosim.scenario import Scenario

    kinds = kinds_of(Scenario(world="ecology").replace(niches__count=16))
    with prepared():
        block = _one_block(kinds)
        shapes = jax.eval_shape(lambda: _one_block(kinds))
    each = sum(crossing.agent_bytes(shapes).values())
    assert each * 64 == sum(column.nbytes for column in block) == bytes_for(kinds, 64)
    page = (ROOT / "docs" / "devices.md").read_text()
    assert f"{each:g} bytes a slot" in page
    assert f"{each * (1 + 1 / 32):g} GB" in page  # of 1e9 agents, with a 32nd more slots


def test_collectives_are_counted_where_they_run(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import crossing

    text = """
%add (a: s64[]) -> s64[] {
  ROOT %r = s64[] add(%a, %a)
}

%inner (p: (s64[])) -> (s64[]) {
  %g = s64[2,10]{1,0} all-gather(%x), to_apply=%add
}

%rare (p: (s64[])) -> (s64[]) {
  %g = (f32[4]{0}, /*index=1*/pred[8]{0}) all-reduce(%x, %y), to_apply=%add
}

%body (p: (s64[])) -> (s64[]) {
  %one = f32[16]{0} all-reduce(%x), to_apply=%add
  %w = (s64[]) while(%p), condition=%add, body=%inner
  %c = (s64[]) conditional(%i, %p, %p), branch_computations={%rare, %add}
}

ENTRY %main (p: (s64[])) -> (s64[]) {
  %before = f64[1000]{0} all-gather(%x), to_apply=%add
  ROOT %w = (s64[]) while(%p), condition=%add, body=%body
}
"""
    assert crossing.crossing(text) == (64, 160, 24, 1)


def run_cli(*arguments):
    from ecosim.cli import main

    return CliRunner().invoke(main, ["run", *arguments])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--devices", "4096"], "no more than are there"),
        (["--device", "gpu"], "a device that is asked for must be there"),
        (["--processes", "2"], "go with --coordinator"),
        (["--coordinator", "nowhere", "--processes", "2", "--process", "0"], "HOST:PORT"),
        (["--coordinator", "host:1", "--processes", "2", "--process", "2"], "numbered from 0"),
        (["--coordinator", "auto", "--process", "1"], "leave their numbers out"),
        (["--devices", "2", "--engine", "mesa"], "headless"),
    ],
)
def test_devices_that_cannot_be_had_are_usage_errors(arguments, words, tmp_path, monkeypatch):
    import jax

    if jax.default_backend() == "gpu" and "gpu" in arguments:
        pytest.skip("there is a GPU")
    monkeypatch.chdir(tmp_path)
    result = run_cli("soft-selection", "population.size=40", "run.steps=2", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_the_same_bytes_is_not_divided():
    from ecosim.devices import mesh_over
    from ecosim.errors import DeviceError

    with pytest.raises(DeviceError, match="whole number from 1"):
        mesh_over(0)
    done = python(
        "-c",
        "from ecosim.devices import mesh_for\n"
        "from ecosim.errors import DeviceError\n"
        "from ecosim.scenario import read\n"
        "for given in (['learners-specialise'], ['adaptive-radiation', ['niches.space=axis']]):\n"
        "    scenario = read(*given)\n"
        "    assert mesh_for(scenario, 1) is None\n"
        "    try:\n        mesh_for(scenario, 2)\n"
        "    except DeviceError as error:\n        print(error)",
    )
    assert "learners" in done and "axis" in done and done.count("the same bytes") == 2


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(folder, port, process, *more):
    arguments = [
        sys.executable, "-m", "ecosim", "run", "soft-selection", "population.size=60",
        "run.steps=8", "niches.supply=[0.6, 0.4]", "--json", "--out", str(folder),
        "--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process", str(process), *more,
    ]  # fmt: skip
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder.parent,
        env={**ENVIRONMENT, "XLA_FLAGS": ""},
    )  # fmt: skip


def ended(processes):
    """Output of processes, all ended: none outlives the test."""
    try:
        return [process.communicate(timeout=900) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_two_processes_compute_what_one_does_and_the_first_keeps_it(tmp_path):
    folders = [tmp_path / str(process) for process in range(2)]
    port = free_port()
    processes = [start(folder, port, number) for number, folder in enumerate(folders)]
    (first, errors), (second, others) = ended(processes)
    assert [process.returncode for process in processes] == [0, 0], errors + others
    assert json.loads(second) == {"complete": True, "kept_by_process": 0}
    assert not folders[1].exists()
    told = json.loads(first)
    alone = run_cli(
        "soft-selection", "population.size=60", "run.steps=8", "niches.supply=[0.6, 0.4]",
        "--json", "--out", str(tmp_path / "alone"),
    )  # fmt: skip
    assert json.loads(alone.stdout)["result_digest"] == told["result_digest"]
    manifest = json.loads((Path(told["run"]) / "manifest.json").read_text())
    assert manifest["devices"] == 2
    assert re.search(r"rank", errors + others, re.I)  # what connects them wrote to stderr


def test_what_one_process_refuses_ends_the_other(tmp_path):
    folders = [tmp_path / str(process) for process in range(2)]
    folders[0].write_text("no folder")
    port = free_port()
    processes = [start(folder, port, number) for number, folder in enumerate(folders)]
    (_, errors), (_, others) = ended(processes)
    assert [process.returncode for process in processes] == [2, 1], errors + others
    assert "process 0 gave up" in others


@pytest.mark.parametrize(
    ("given", "threads"),
    [
        (["reference-workload"], None),  # 100,000 on 16 niches
        (["reference-workload", ["population.size=10000"]], "1"),
        (["reference-workload", ["population.size=10000", "niches.productivity=1e5"]], None),
        (["reference-workload", ["population.size=100000", "niches.used=4"]], "1"),
        (["learners-specialise"], None),
        (["algorithms-specialise"], None),
    ],
)
def test_a_small_population_is_computed_by_one_thread(monkeypatch, given, threads):
    from ecosim.devices import suit
    from ecosim.machine import THREADS
    from ecosim.scenario import read

    own, other = THREADS
    for name in THREADS:
        monkeypatch.setenv(name, "")  # so that it is put back as it was
    assert suit(read(*given)) == (threads is not None)
    assert (os.environ[own] or None) == threads
    for name in (own, other):  # whoever has set a number keeps it
        monkeypatch.setenv(own, "")
        monkeypatch.setenv(name, "7")
        assert not suit(read(*given)) and os.environ[name] == "7"


@pytest.mark.parametrize(
    "given",
    [
        "reference-workload population.size=60000",
        "market-controls population.size=20000",
        "patches population.size=20000",
        "learners-specialise",
    ],
    ids=lambda given: given.split()[0],
)
def test_the_number_of_threads_changes_no_byte(tmp_path, given):
    told = set()
    for threads in ("1", "3"):
        environment = os.environ | {"PJRT_NPROC": threads, "ECOSIM_CACHE": str(tmp_path / threads)}
        words = ["run", *given.split(), "run.steps=5", "--json"]
        words += ["--no-pictures", "--out", str(tmp_path / f"runs-{threads}")]
        command = [sys.executable, "-m", "ecosim", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        told.add(json.loads(done.stdout)["result_digest"])
    assert len(told) == 1
