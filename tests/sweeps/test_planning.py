"""What a sweep will take, said beforehand; and what is cleaned up afterwards."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from ecosim import machine
from ecosim.cli import main
from ecosim.experiments.folders import host
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.planning import plan

SET = {"run.steps": 20, "population.size": 40, "record.every": 2}


def sweep(**changes):
    base = {"scenario": "soft-selection", "set": SET, "replicates": 6,
            "grid": {"tradeoff.exponent": "0.5:2:4"}}  # fmt: skip
    return validate(base | changes)


def command(*words):
    return CliRunner().invoke(main, list(words), prog_name="ecosim")


def test_a_pilot_foretells_files_and_disk(tmp_path):
    folder = SweepFolder(tmp_path / "sweep")
    found = plan(sweep(), folder, 1)
    assert not folder.path.exists()
    assert (found.points, found.total, found.missing, found.pilot) == (4, 24, 24, True)
    carry_out(sweep(), folder, Here())
    parts = [path for path in folder.path.rglob("*") if path.is_file()]
    assert len(folder.batch_files()) == found.batches
    assert found.files == len(parts) + 2  # no failures, as nothing failed; no report from here
    size = sum(path.stat().st_size for path in folder.batch_files())
    assert 0.2 * size < found.disk < 5 * size
    after = plan(sweep(), folder, 1)
    assert (after.missing, after.hours, after.files) == (0, 0.0, found.files)


def test_figures_follow_what_is_asked_for(tmp_path):
    folder = SweepFolder(tmp_path / "sweep")
    one = plan(sweep(), folder, 1, pilot=False)
    more = plan(sweep(replicates=60), folder, 1, pilot=False)
    # Steps enough that compiling, which more workers do not shorten, is little beside them.
    long = {"set": SET | {"run.steps": 20_000, "record.every": 2000}, "replicates": 60}
    narrow = plan(sweep(**long), folder, 1, pilot=False)
    wide = plan(sweep(**long), folder, 4, pilot=False)
    large = plan(sweep(set=SET | {"population.size": 400_000}), folder, 1, pilot=False)
    assert not one.pilot
    assert more.disk > 9 * one.disk and more.core_hours > one.core_hours
    assert wide.hours < narrow.hours / 3 and wide.disk == narrow.disk
    assert narrow.hours == pytest.approx(narrow.core_hours)
    assert large.core_hours > one.core_hours and large.memory_per_worker > one.memory_per_worker
    assert plan(sweep(), folder, 10**6, pilot=False).fits is False


def nominal(monkeypatch, cores, **changes):
    """Return the plan of batches of runs that take a second each, where nothing else takes time."""
    from ecosim.sweeps import planning

    monkeypatch.setattr(machine, "cores", lambda: cores)
    monkeypatch.setattr(planning._Rate, "seconds", lambda self, scenario: 1.0)
    rate = planning._Rate(1.0, 0.0, 40, 500.0, 0.0, 1)
    monkeypatch.setattr(planning, "_guessed", lambda scenarios: rate)
    workers = changes.pop("workers", 0)
    found = plan(sweep(**changes), SweepFolder("nowhere"), workers, pilot=False)
    return round(found.hours * 3600, 6), round(found.core_hours * 3600, 6)


@pytest.mark.parametrize(
    ("cores", "workers", "replicates", "batch", "clock"),
    [
        (1, 0, 6, 0, 24),  # 4 points x 6 replicates of a second, one after the other
        (2, 0, 8, 0, 16),  # 32 places, 16 a core
        (2, 0, 9, 0, 32),  # 36 runs in 64 places: the first core has 32 of them
        (2, 0, 2, 1, 8),  # batches of one run leave the second core idle
        (2, 1, 6, 0, 24),  # a worker has one core, whatever the machine has
        (2, 3, 2, 2, 4),  # 4 batches of 2 s among 3 workers: one takes two
    ],
)
def test_the_clock_is_that_of_the_core_with_the_most_to_do(
    monkeypatch, cores, workers, replicates, batch, clock
):
    given = {"replicates": replicates, "batch": batch, "workers": workers}
    assert nominal(monkeypatch, cores, **given) == (clock, 4 * replicates)


def test_compiling_is_not_divided_over_cores(monkeypatch, tmp_path):
    from ecosim.sweeps import planning

    hours = {}
    for cores in (1, 2):
        monkeypatch.setattr(machine, "cores", lambda cores=cores: cores)
        hours[cores] = plan(sweep(), SweepFolder(tmp_path), pilot=False).hours
    assert min(hours.values()) * 3600 > planning._COMPILE_S


def test_refused_points_are_files_too(tmp_path):
    bad = sweep(grid={"tradeoff.exponent": "-1,2"})
    found = plan(bad, SweepFolder(tmp_path), 1, pilot=False)
    assert (found.total, found.missing) == (12, 6)


def test_the_command_prints_one_object_or_a_table(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    words = ["sweep", "plan", "soft-selection", "--grid", "tradeoff.exponent=0.5:2:4", "--no-pilot",
             "--out", str(tmp_path / "out")]  # fmt: skip
    told = json.loads(command(*words, "--json").stdout)
    assert (told["points"], told["pilot"]) == (4, False)
    assert (told["cache"], told["temporary"]) == (str(tmp_path / "cache"), str(tmp_path))
    shown = command(*words).stdout
    assert "runs" in shown and "TMPDIR" in shown
    assert command("sweep", "plan", "soft-selectoin").exit_code == 2
    assert not (tmp_path / "out").exists()


# What may be used here


@pytest.fixture
def cgroup(tmp_path, monkeypatch):
    """A fake /sys/fs/cgroup in which this process is in job/task; nothing of Slurm."""
    inner = tmp_path / "job" / "task"
    inner.mkdir(parents=True)
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    monkeypatch.setattr(machine, "_own_cgroups", lambda: [inner, inner.parent, tmp_path])
    monkeypatch.setattr(machine, "_affinity", lambda: 64)
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_cores_are_those_of_the_tightest_limit(cgroup, monkeypatch):
    assert machine.cores() == 64
    (cgroup / "job" / "task" / "cpu.max").write_text("max 100000\n")
    assert machine.cores() == 64
    (cgroup / "job" / "cpu.max").write_text("350000 100000\n")
    assert machine.cores() == 4
    monkeypatch.setenv("SLURM_CPUS_ON_NODE", "3")
    assert machine.cores() == 3
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "2")
    assert machine.cores() == 2
    (cgroup / "job" / "task" / "cpu.max").write_text("20000 100000\n")
    assert machine.cores() == 1


def test_cores_of_the_older_cgroup(cgroup):
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert machine.cores() == 2
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert machine.cores() == 64


def test_memory_is_that_of_the_tightest_limit(cgroup, monkeypatch):
    whole = machine.memory()
    assert whole > 2**28
    (cgroup / "job" / "task" / "memory.max").write_text("max\n")
    assert machine.memory() == whole
    (cgroup / "job" / "memory.max").write_text(str(2**27))
    assert machine.memory() == 2**27
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "64")
    assert machine.memory() == 2**26


def test_the_processor_is_divided_as_far_as_it_may_be_used(monkeypatch):
    code = (
        "import os\n"
        "from ecosim import machine\n"
        "machine._affinity = lambda: 64\n"
        "from ecosim.devices import divide_processor\n"
        "assert divide_processor()\n"
        "print(os.environ['XLA_FLAGS'])"
    )
    env = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"} | {"SLURM_CPUS_PER_TASK": "1"}
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert told.stdout.strip() == "--xla_force_host_platform_device_count=1", told.stderr


# Cleaning


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_clean_removes_what_dead_processes_left_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    folder = SweepFolder(tmp_path / "runs" / "sweeps" / "one")
    given = sweep(replicates=1)
    carry_out(given, folder, Here())
    before = {path for path in folder.path.rglob("*") if path.is_file()}
    name, dead, living = host(), dead_pid(), os.getpid()
    left = [
        folder.path / "batches" / f".x.parquet.{name}.{dead}-0a.tmp",
        folder.path / "attempts" / f"abc.{name}.{dead}-0a",
        tmp_path / f".ecosim.{name}.{dead}-0a.tmp",
    ]
    stay = [
        folder.path / "batches" / f".y.parquet.{name}.{living}-0a.tmp",
        folder.path / "attempts" / f"abc.{name}.{living}-0a",
        folder.path / "attempts" / "abc.elsewhere.1-0a",
        tmp_path / f".other.{name}.{dead}-0a.tmp",
    ]
    for path in [*left, *stay]:
        path.write_text("x")
    (tmp_path / "cache").mkdir(exist_ok=True)
    mine, program = tmp_path / "cache" / "notes.txt", tmp_path / "cache" / "jit_f-0-cache"
    mine.write_text("x")
    program.write_text("x" * 10)
    assert folder.attempts() == {"abc": 1}  # who lives elsewhere cannot be told for a week

    told = json.loads(command("clean", "--json").stdout)
    assert set(told["removed"]) == {str(p.relative_to(tmp_path)) if "runs" in p.parts else str(p)
                                    for p in left}  # fmt: skip
    assert not any(path.exists() for path in left) and all(path.exists() for path in stay)
    assert {p for p in folder.path.rglob("*") if p.is_file()} == before | set(stay[:3])
    assert program.exists()
    assert str(program) in command("clean", str(folder.path), "--cache").stdout
    assert mine.exists() and not program.exists()
    assert command("clean", str(tmp_path / "cache")).exit_code == 2  # no sweep
