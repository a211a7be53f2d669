"""Programs on disk: found by a later process, and never where anything is not the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from ecosim import compilation, programs
from ecosim.compilation import prepared

RUN = """
import hashlib, json, jax
compiled = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: compiled.append(event) if "backend_compile" in event else None)
from ecosim.scenario import read
from ecosim.simulate import simulate
done = simulate(read("soft-selection", {"population.size": 40, "run.steps": 7}))
told = done.metrics.to_csv() + done.population.to_csv()
print(json.dumps([len(compiled), hashlib.sha256(told.encode()).hexdigest()]))
"""


def run(folder, keep, code=RUN, devices=1):
    count = f"--xla_force_host_platform_device_count={devices}"
    environment = os.environ | {
        "ECOSIM_CACHE": str(folder), programs.KEEP: keep, "XLA_FLAGS": count,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return json.loads(done.stdout)


def kept(folder):
    return sorted(path for path in folder.iterdir() if path.name.endswith(programs.KEPT))


@pytest.mark.slow
def test_a_later_process_compiles_nothing_of_a_run_and_gets_the_same_bytes(tmp_path):
    without, result = run(tmp_path, "0")
    assert kept(tmp_path) == []
    first, same = run(tmp_path, "1")
    names = [path.name.split("-")[0] for path in kept(tmp_path)]
    assert names == ["advance", "begun", "measure"] and same == result
    before = [path.stat().st_mtime_ns for path in kept(tmp_path)]
    later, again = run(tmp_path, "1")
    assert again == result and later <= first - 3 and first == without
    assert [path.stat().st_mtime_ns for path in kept(tmp_path)] == before
    # One that was cut short is made again.
    broken = kept(tmp_path)[0]
    whole = broken.read_bytes()
    broken.write_bytes(whole[:1000])
    repaired, once_more = run(tmp_path, "1")
    assert repaired == later + 1 and once_more == result
    assert len(kept(tmp_path)[0].read_bytes()) > 1000
    assert not list(tmp_path.glob(".*"))  # nothing half-written


@pytest.fixture
def keeping(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path))
    monkeypatch.setenv(programs.KEEP, "1")
    monkeypatch.setattr(programs, "_surroundings", lambda: ("here",))
    compilation.LOADED.clear()
    yield tmp_path
    compilation.LOADED.clear()


def doubled():
    """Return a program and the list of its tracings."""
    traced = []

    @programs.program(static=("times",))
    def double(times, value):
        traced.append(value)
        return value * (2 * times)

    return double, traced


def test_what_is_static_shapes_types_and_surroundings_tell_programs_apart(keeping, monkeypatch):
    double, traced = doubled()
    one = jnp.ones(3)
    for _ in range(2):
        assert double(1, one).tolist() == [2, 2, 2]
    assert len(traced) == len(kept(keeping)) == 1
    double(3, one), double(1, jnp.ones(4)), double(1, jnp.ones(3, int)), double(1, 2.0)
    assert double(times=3, value=one).tolist() == [6, 6, 6]
    assert len(traced) == len(kept(keeping)) == 5
    with prepared():
        assert double(1, 2.0) == 4
    assert len(traced) == len(kept(keeping)) == 6

    compilation.LOADED.clear()  # as after `spare_memory_maps`, or in another process
    double, traced = doubled()
    assert double(1, one).tolist() == [2, 2, 2] and not traced
    compilation.LOADED.clear()
    monkeypatch.setattr(programs, "_surroundings", lambda: ("elsewhere",))
    assert double(1, one).tolist() == [2, 2, 2] and len(traced) == 1


def test_inside_a_trace_and_where_nothing_is_kept_it_is_an_ordinary_jitted_function(
    keeping, monkeypatch
):
    double, traced = doubled()
    assert jax.vmap(lambda x: double(1, x))(jnp.ones((2, 3))).shape == (2, 3)
    assert jax.eval_shape(lambda x: double(1, x), jnp.ones(3)).shape == (3,)
    assert kept(keeping) == []
    for name, value in ((programs.KEEP, "0"), ("ECOSIM_CACHE", "")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert double(1, jnp.ones(3)).tolist() == [2, 2, 2]
    assert kept(keeping) == [] and not compilation.LOADED


def test_a_program_that_calls_a_library_is_not_kept(keeping):
    @programs.program()
    def largest(matrix):
        return jnp.linalg.svd(matrix, compute_uv=False)[0]

    assert largest(jnp.eye(3) * 4) == pytest.approx(4)
    assert kept(keeping) == []


def test_what_calls_a_library_is_left_to_the_cache_of_jax(keeping, monkeypatch):
    """It was compiled anew by each command: kept here it is not, and that cache was off."""

    def off():
        raise AssertionError("the cache of JAX is off")

    monkeypatch.setattr(programs, "_without_cache", off)

    @programs.program()
    def largest(matrix):
        return jnp.linalg.svd(matrix, compute_uv=False)[0]

    assert largest(jnp.eye(3) * 4) == pytest.approx(4)


def test_the_largest_of_many_is_a_call_that_every_process_knows(keeping):
    """As few niches of many are found: XLA's own."""
    numbers = jnp.arange(5000.0) % 977

    def ranked():
        traced = []

        @programs.program()
        def first(values):
            traced.append(values)
            return jax.lax.top_k(values, 8)

        return first, traced

    first, traced = ranked()
    found = first(numbers)
    assert len(traced) == len(kept(keeping)) == 1
    compilation.LOADED.clear()  # as in another process
    again, traced = ranked()
    for one, same in zip(found, again(numbers), strict=True):
        assert one.tolist() == same.tolist()
    assert not traced


def test_what_no_other_process_can_name_is_not_kept(keeping):
    @programs.program(static=("rule",))
    def applied(rule, value):
        return rule(value)

    assert applied(lambda x: x + 1, jnp.ones(3)).tolist() == [2, 2, 2]
    assert kept(keeping) == []


def test_several_devices_and_other_kinds_are_compiled_as_ever(keeping, monkeypatch):
    double, _ = doubled()
    for name, told in (("device_count", 2), ("process_count", 2), ("default_backend", "gpu")):
        with monkeypatch.context() as patch:
            patch.setattr(jax, name, lambda told=told: told)
            assert double(1, jnp.ones(3)).tolist() == [2, 2, 2]
    assert kept(keeping) == []


SWEPT = """
import hashlib, json, jax
traced = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: traced.append(event) if "jaxpr_trace" in event else None)
from ecosim.batch import run_batch
from ecosim.scenario import read
found = run_batch([read("soft-selection", {"population.size": 40, "run.steps": 7})] * 3, [1, 2, 3])
told = "".join(f"{name}{values.tolist()}" for one in found for name, values in one.items())
told += "".join(str(one.breadth.tolist()) for one in found)
print(json.dumps([len(traced), hashlib.sha256(told.encode()).hexdigest(), jax.device_count()]))
"""


@pytest.mark.slow
def test_a_batch_is_kept_for_each_number_of_devices_and_its_names_with_it(tmp_path):
    results = set()
    for number in (1, 2):
        first, result, devices = run(tmp_path, "1", SWEPT, number)
        later, again, _ = run(tmp_path, "1", SWEPT, number)
        assert devices == number and len(kept(tmp_path)) == number
        assert first > 0 and later == 0  # nothing is traced, to find the names neither
        results |= {result, again}
    _, plain, _ = run(tmp_path, "0", SWEPT, 2)
    assert results == {plain}


DIVIDED = """
import json, jax, jax.numpy as jnp
import numpy as np
from ecosim import compilation, programs
@programs.program(divides=True)
def on_one(value):
    return 2 * value
@programs.program(divides=True)
def on_all(value):
    mesh = jax.sharding.Mesh(np.array(jax.devices()), ("a",))
    spec = jax.sharding.PartitionSpec("a")
    return jax.shard_map(lambda x: 3 * x, mesh=mesh, in_specs=spec, out_specs=spec)(value)
found = []
for _ in range(2):
    for function in (on_one, on_all):
        found.append(function(np.arange(2.0)).tolist())
    # What lies on a device is no business of a program on disk.
    found.append(on_all(jnp.arange(2.0)).tolist())
    compilation.LOADED.clear()  # as in another process
print(json.dumps(found))
"""


def test_a_program_that_does_not_span_all_devices_is_not_kept(tmp_path):
    found = run(tmp_path, "1", DIVIDED, 2)
    assert found == [[0.0, 2.0], [0.0, 3.0], [0.0, 3.0]] * 2
    assert [path.name.split("-")[0] for path in kept(tmp_path)] == ["on_all"]


def test_a_disk_that_cannot_be_written_costs_time_only(keeping, monkeypatch):
    double, _ = doubled()
    monkeypatch.setenv("ECOSIM_CACHE", str(keeping / "file" / "below"))
    (keeping / "file").write_text("")
    assert double(1, jnp.ones(3)).tolist() == [2, 2, 2]


def test_a_disk_that_is_full_leaves_nothing_half_written(keeping, monkeypatch):
    def full(path, _):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    double, _ = doubled()
    assert double(1, jnp.ones(3)).tolist() == [2, 2, 2]
    assert list(keeping.iterdir()) == []


def test_every_module_tells_programs_apart(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.py").write_text(f"value = {name!r}")
    told = []
    for name in ("a", "b"):
        monkeypatch.setattr(programs, "_OWN", tmp_path / name)
        told.append(programs._surroundings.__wrapped__())
    assert told[0][0] != told[1][0] and told[0][1:] == told[1][1:]


def test_the_command_keeps_programs():
    import tomllib

    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())
    assert project["project"]["scripts"] == {"ecosim": "ecosim.__main__:start"}
    assert programs.KEEP == "ECOSIM_PROGRAMS"  # by name there: nothing heavy is imported for help
