"""Sweeps carried out: nothing lost, nothing twice, and every run equal to the run alone."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from ecosim import machine
from ecosim.batch import run_batch
from ecosim.cli import main
from ecosim.errors import RunError
from ecosim.simulate import simulate
from ecosim.sweeps.batching import batches
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, WorkerDied, carry_out, todo
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import expand, runs
from ecosim.sweeps.results import SweepResults

SMALL = {"run.steps": 6, "population.size": 40, "record.every": 2}


def sweep(**changes):
    base = {"scenario": "soft-selection", "set": SMALL, "replicates": 3,
            "grid": {"tradeoff.exponent": "0.5:2:4"}}  # fmt: skip
    return validate(base | changes)


@pytest.mark.parametrize(
    ("scenario", "changes"),
    [("soft-selection", {}), ("adaptive-radiation", {}), ("market-shakeout", {}),
     ("patches", {}), ("soft-selection", {"selection.kind": "moran", "run.until": "fixed",
                                          "mutation.rate": 0.0, "run.steps": 400})],
)  # fmt: skip
def test_a_run_in_a_batch_is_the_run_alone(scenario, changes):
    given = sweep(scenario=scenario, set=SMALL | {"run.steps": 30} | changes, grid={},
                  points=[{"tradeoff.exponent": s} for s in (0.7, 1.5, 2.0)])  # fmt: skip
    every = runs(given, expand(given))
    found = run_batch([run.point.scenario for run in every], [run.seed for run in every])
    for run, columns in list(zip(every, found, strict=True))[::4]:
        alone = simulate(run.point.scenario, seed=run.seed).metrics
        assert list(alone.columns) == list(columns)
        for name in columns:
            assert np.array_equal(alone[name].to_numpy(float), columns[name], equal_nan=True), name


def test_runs_that_outgrow_the_arrays_are_run_with_more_room():
    given = sweep(scenario="adaptive-radiation", grid={}, replicates=2,
                  set={"population.size": 1000, "niches.productivity": 900.0, "run.steps": 60,
                       "record.every": 20})  # fmt: skip
    every = runs(given, expand(given))
    found = run_batch([run.point.scenario for run in every], [run.seed for run in every])
    assert found[0]["population"][-1] > 1280
    alone = simulate(every[1].point.scenario, seed=every[1].seed).metrics
    assert np.array_equal(alone["population"], found[1]["population"])


def test_runs_of_unlike_shapes_are_each_the_run_alone():
    given = sweep(grid={"tradeoff.floor": [0.0, 0.1]}, replicates=1)
    every = runs(given, expand(given))
    assert len(batches(every)) == 2  # a program each
    found = run_batch([run.point.scenario for run in every], [run.seed for run in every])
    for run, columns in zip(every, found, strict=True):
        alone = simulate(run.point.scenario, seed=run.seed).metrics
        assert np.array_equal(alone["breadth_mean"], columns["breadth_mean"])


def test_a_run_too_large_for_the_memory_is_an_error_in_a_batch_too(monkeypatch):
    given = sweep(scenario="adaptive-radiation", grid={}, replicates=1,
                  set={"population.size": 1000, "niches.productivity": 900.0, "run.steps": 60,
                       "record.every": 20})  # fmt: skip
    (run,) = runs(given, expand(given))
    monkeypatch.setattr(machine, "memory", lambda: 2**10)
    (found,) = run_batch([run.point.scenario], [run.seed])
    with pytest.raises(RunError, match="population.limit") as alone:
        simulate(run.point.scenario, seed=run.seed)
    assert str(found) == str(alone.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"scenario": "soft-selection", "set": SMALL, "grid": {"tradeoff.exponent": "0.5:2:4"}},
        # Training by gradient: compiled for two devices it differs in last bits.
        {"scenario": "mixture-of-experts", "set": SMALL | {"population.size": 8}},
    ],
    ids=["organisms", "learners"],
)
def test_virtual_devices_give_the_same_bytes(tmp_path, changes):
    given = {"replicates": 5, **changes}
    carry_out(validate(given), SweepFolder(tmp_path / "one"), Here())
    code = (
        "import json,sys\n"
        "from ecosim.sweeps.definition import validate\n"
        "from ecosim.sweeps.execution import Here, carry_out\n"
        "from ecosim.sweeps.folder import SweepFolder\n"
        "import jax\n"
        "carry_out(validate(json.loads(sys.argv[1])), SweepFolder(sys.argv[2]), Here())\n"
        "assert jax.local_device_count() == 2"
    )
    text = json.dumps(given)
    done = subprocess.run(
        [sys.executable, "-c", code, text, str(tmp_path / "two")], capture_output=True, text=True,
        env=os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, two = (sorted((tmp_path / n / "batches").iterdir()) for n in ("one", "two"))
    assert [p.name for p in one] == [p.name for p in two]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_what_is_done_is_not_repeated_and_more_reuses_it(tmp_path):
    folder = SweepFolder(tmp_path)
    after = carry_out(sweep(), folder, Here())
    assert after.counts == {"total": 12, "done": 12, "missing": 0, "failed": 0}
    before = {path.name: path.stat().st_mtime_ns for path in folder.batch_files()}
    carry_out(sweep(), folder, Here())
    assert {path.name: path.stat().st_mtime_ns for path in folder.batch_files()} == before
    wider = sweep(replicates=4, grid={"tradeoff.exponent": "0.5:2:4,3.0"})
    assert todo(wider, folder).counts["missing"] == 20 - 12
    carry_out(wider, folder, Here())
    assert todo(wider, folder).counts["done"] == 20
    assert len(folder.done()) == 20


def test_what_runs_have_searched_takes_room_in_a_batch():
    search = {"algorithms": ["sweep", "tabu"], "problems": ["smooth", "rugged"]}
    few, many = (
        batches(runs(given, expand(given)))[0].runs
        for given in (
            validate(
                {
                    "scenario": "algorithms-specialise",
                    "replicates": 64,
                    "set": {"population.budget": budget, "niches.count": 2, "run.steps": 2}
                    | {f"search.{key}": value for key, value in search.items()},
                }
            )
            for budget in (8.0, 1024.0)
        )
    )
    assert len(few) == 64 and len(many) == 2**28 // (2 * 2 * 512 * 1025 * 4 + 2**10 * 80)


def test_the_result_does_not_depend_on_the_size_of_batches(tmp_path):
    tables = []
    for size in (1, 5, 64):
        folder = SweepFolder(tmp_path / str(size))
        carry_out(sweep(batch=size), folder, Here())
        table = pq.read_table([str(p) for p in folder.batch_files()]).to_pandas()
        tables.append(table.sort_values(["point", "replicate", "step"]).reset_index(drop=True))
    for table in tables[1:]:
        assert table.equals(tables[0])


def test_parts_of_an_array_make_the_whole(tmp_path):
    folder = SweepFolder(tmp_path)
    for index in (3, 1, 2):
        after = carry_out(sweep(), folder, Here(), part=(index, 3))
        assert after.counts["missing"] == 0
    assert todo(sweep(), folder).counts["done"] == 12


BAD = {"points": [{"tradeoff.exponent": 2.0}, {"tradeoff.exponent": -1.0},
                  {"market.entry.rate": 2.0}], "grid": {}}  # fmt: skip


def test_a_refused_point_is_a_failure_and_the_rest_goes_on(tmp_path):
    folder = SweepFolder(tmp_path)
    after = carry_out(sweep(**BAD), folder, Here())
    assert after.counts == {"total": 9, "done": 3, "missing": 0, "failed": 6}
    table = pq.read_table(tmp_path / "failures.parquet").to_pandas()
    assert len(table) == 2 and table["error"].str.contains("exponent|market").all()


def fails_at(monkeypatch, exponent):
    """Let a run of this exponent raise when it is computed."""
    from ecosim import batch as module

    real = module.run_batch

    def fake(scenarios, seeds):
        if any(s.tradeoff.exponent == exponent for s in scenarios):
            raise MemoryError("no room")
        return real(scenarios, seeds)

    monkeypatch.setattr(module, "run_batch", fake)


def test_a_run_that_fails_is_a_row_with_its_traceback_and_can_be_retried(tmp_path, monkeypatch):
    folder = SweepFolder(tmp_path)
    with monkeypatch.context() as patch:
        fails_at(patch, 1.5)
        after = carry_out(sweep(), folder, Here())
    assert after.counts == {"total": 12, "done": 9, "missing": 0, "failed": 3}
    table = pq.read_table(tmp_path / "failures.parquet").to_pandas()
    assert set(table["kind"]) == {"MemoryError"} and table["traceback"].str.contains("fake").all()
    assert carry_out(sweep(), folder, Here()).counts["failed"] == 3  # not tried again by itself
    again = carry_out(sweep(), folder, Here(), retry_failed=True)
    assert again.counts == {"total": 12, "done": 12, "missing": 0, "failed": 0}
    assert not (tmp_path / "failures.parquet").exists()


def test_fail_fast_ends_at_the_first_failure(tmp_path, monkeypatch):
    fails_at(monkeypatch, 0.5)
    after = carry_out(sweep(batch=1), SweepFolder(tmp_path), Here(), fail_fast=True)
    assert after.counts["failed"] == 1 and after.counts["missing"] == 11


class Deadly(Here):
    """An engine whose process dies of one run."""

    def compute(self, folder, queue):
        for batch in queue:
            if any(run.replicate == 1 and run.point.values["tradeoff.exponent"] == 1.0
                   for run in batch.runs):  # fmt: skip
                yield batch, WorkerDied()
            else:
                yield from super().compute(folder, [batch])


def test_a_run_that_kills_its_process_is_isolated(tmp_path):
    after = carry_out(sweep(), SweepFolder(tmp_path), Deadly())
    assert after.counts == {"total": 12, "done": 11, "missing": 0, "failed": 1}


def test_marks_of_dead_processes_isolate_a_run_too(tmp_path):
    folder = SweepFolder(tmp_path)
    given = sweep(replicates=1, grid={}, points=[{"tradeoff.exponent": 1.0}])
    (batch,) = batches(runs(given, expand(given)))
    folder.make()
    for number in range(3):
        (tmp_path / "attempts" / f"{batch.digest}.{number}-x").touch()
    after = carry_out(given, folder, Here())
    assert after.counts["failed"] == 1


def test_marks_of_living_clients_elsewhere_are_no_deaths(tmp_path):
    folder = SweepFolder(tmp_path)
    given = sweep(replicates=1, grid={}, points=[{"tradeoff.exponent": 1.0}])
    (batch,) = batches(runs(given, expand(given)))
    folder.make()
    marks = [tmp_path / "attempts" / f"{batch.digest}.elsewhere.{n}-0a" for n in range(3)]
    for mark in marks:
        mark.touch()
    assert carry_out(given, folder, Here()).counts["done"] == 1
    assert all(mark.exists() for mark in marks)
    week = time.time() - 8 * 86400
    for mark in marks:
        os.utime(mark, (week, week))
    assert folder.attempts() == {batch.digest: 3}


def test_a_run_with_a_result_is_done_whatever_another_client_wrote(tmp_path):
    folder, given = SweepFolder(tmp_path), sweep()
    carry_out(given, folder, Here())
    folder.write_failure(runs(given, expand(given))[0].id, {"error": "seen dead"})
    after = carry_out(given, folder, Here())
    assert after.counts == {"total": 12, "done": 12, "missing": 0, "failed": 0}
    assert SweepResults(tmp_path).failures.empty
    assert not (tmp_path / "failures.parquet").exists()


def test_a_killed_client_leaves_only_what_was_missing(tmp_path):
    """Kill -9 in the middle; the same command runs the rest."""
    words = [sys.executable, "-m", "ecosim.cli", "sweep", "soft-selection", "--batch", "1",
             "--grid", "tradeoff.exponent=0.5:2:4", "--replicates", "10", "--out", str(tmp_path),
             *(f"--set={key}={value}" for key, value in SMALL.items())]  # fmt: skip
    client = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    folder = SweepFolder(tmp_path)
    try:
        while len(folder.batch_files()) < 3:
            assert client.poll() is None
    finally:
        client.kill()
        client.wait()
    done = len(folder.done())
    assert 3 <= done < 40
    again = CliRunner().invoke(main, [*words[3:], "--json"], prog_name="ecosim")
    assert again.exit_code == 0, again.output
    assert f"{40 - done} of 40 runs are missing" in again.stderr
    assert json.loads(again.stdout)["done"] == 40


def test_the_command_tells_what_is_missing_and_what_is_wrong(tmp_path):
    def command(*words):
        out = ["--out", str(tmp_path), *(f"--set={k}={v}" for k, v in SMALL.items())]
        return CliRunner().invoke(main, ["sweep", *words, *out, "--json"], prog_name="ecosim")

    dry = command("soft-selection", "--grid", "tradeoff.exponent=0.5:2:4", "--dry-run")
    assert json.loads(dry.stdout) == {"total": 4, "done": 0, "missing": 4, "failed": 0,
                                      "points": 4, "path": str(tmp_path)}  # fmt: skip
    assert not (tmp_path / "manifest.json").exists()
    assert command("soft-selectoin").exit_code == 2
    assert command("soft-selection", "--grid", "x").exit_code == 2
    assert command("soft-selection", "--array-task", "3/2").exit_code == 2
    assert command("soft-selection", "--sobol", "mutation.rate=0:1").exit_code == 2
    failed = command("soft-selection", "--grid", "tradeoff.exponent=-1,2")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout)["failed"] == 1
    assert command("hard-selection").exit_code == 2  # the folder is another scenario's
