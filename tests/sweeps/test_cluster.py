"""Sweeps over processes: whatever is killed, the same command runs what is missing, and no more."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ecosim.errors import ScenarioError, StoreError
from ecosim.sweeps import environment, worker
from ecosim.sweeps.batching import MOST, Batch
from ecosim.sweeps.cluster import dashboard
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, WorkerDied, carry_out, shared
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.jobqueue import Jobs, options, read

WAIT = 400  # seconds after which a test that waits has failed
SET = {"run.steps": 6, "population.size": 40, "record.every": 2}
RUNS = 40
SOURCE = ["soft-selection", "--grid", "tradeoff.exponent=0.5:2:4", "--replicates", "10",
          *(f"--set={key}={value}" for key, value in SET.items())]  # fmt: skip


def begun(folder, *words, cwd=None, **env):
    """Start `ecosim sweep` of the runs above, and return the process."""
    return subprocess.Popen(
        [sys.executable, "-m", "ecosim.cli", "sweep", *SOURCE, "--batch", "2", "--json",
         "--out", str(folder.path), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd, env=os.environ | env,
        start_new_session=True,
    )  # fmt: skip


def ended(process):
    """Wait for a sweep; return its exit code, its counts and what it told."""
    try:
        out, err = process.communicate(timeout=WAIT)
    finally:
        process.kill()
    return process.returncode, json.loads(out) if out.strip() else {}, err


def until(condition, process=None):
    end = time.monotonic() + WAIT
    while not (found := condition()):
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def table(folder):
    """Return all results in one order."""
    frame = pq.read_table([str(path) for path in folder.batch_files()]).to_pandas()
    return frame.sort_values(["point", "replicate", "step"]).reset_index(drop=True)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Return the results of the same sweep in one process."""
    folder = SweepFolder(tmp_path_factory.mktemp("reference"))
    given = {"scenario": "soft-selection", "set": SET, "replicates": 10,
             "grid": {"tradeoff.exponent": "0.5:2:4"}}  # fmt: skip
    assert carry_out(validate(given), folder, Here()).counts["done"] == RUNS
    return table(folder)


def same(folder, reference, without=()):
    found = table(folder)
    expected = reference[~reference["point"].isin(without)].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def missing_told(err):
    told = re.search(r"^(\d+) of (\d+) runs are missing", err, re.MULTILINE)
    assert told, err
    return int(told[1])


def children(pid):
    """Return the processes below one, with their command lines."""
    listed = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    found, fresh = [], {str(pid)}
    while fresh:
        below = [(int(row[0]), row[2]) for row in rows if row[1] in fresh]
        found += below
        fresh = {str(child) for child, _ in below}
    return found


def workers_of(pid):
    return [child for child, words in children(pid) if "spawn_main" in words]


def gone(pids):
    """Wait until processes have ended (one that nobody has waited for is a zombie, Z)."""

    def all_ended():
        listed = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True)
        rows = [line.split() for line in listed.stdout.splitlines()]
        return not [row for row in rows if int(row[0]) in pids and not row[1].startswith("Z")]

    return until(all_ended)


class Processes:
    """A scheduler and its workers, as processes on the loopback interface."""

    def __init__(self, folder):
        self.folder, self.running = folder, {}

    def start(self, name, *words):
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=self.folder, env=os.environ | {
                "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}, start_new_session=True,
        )  # fmt: skip

    def scheduler(self, port=0):
        file = self.folder / "scheduler.json"
        file.unlink(missing_ok=True)
        self.start("scheduler", "scheduler", "--host", "127.0.0.1", "--port", str(port),
                   "--no-dashboard", "--scheduler-file", str(file))  # fmt: skip
        until(file.exists)
        return until(lambda: read_address(file))

    def worker(self, name, address):
        self.start(name, "worker", address, "--nthreads", "1", "--name", name, "--no-dashboard",
                   "--host", "127.0.0.1", "--local-directory", str(self.folder))  # fmt: skip

    def kill(self, name):
        """Kill -9 a process and what it has started."""
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def read_address(file):
    try:
        return json.loads(file.read_text())["address"]
    except ValueError:
        return None


@pytest.fixture
def processes(tmp_path):
    (tmp_path / "dask").mkdir()
    found = Processes(tmp_path / "dask")
    yield found
    for name in list(found.running):
        found.kill(name)


@pytest.mark.slow
def test_worker_scheduler_and_client_are_killed_in_turn(tmp_path, processes, reference):
    folder = SweepFolder(tmp_path / "sweep")
    address = processes.scheduler()
    for name in ("one", "two"):
        processes.worker(name, address)

    client = begun(folder, "--scheduler", address)
    until(lambda: len(folder.batch_files()) >= 2, client)
    processes.kill("one")
    first = len(folder.done())
    until(lambda: len(folder.done()) > first + 4, client)  # the rest goes on at the other
    client.kill()
    client.communicate()
    processes.kill("two")
    second = len(folder.done())
    assert first < second < RUNS

    processes.worker("three", address)
    client = begun(folder, "--scheduler", address)
    until(lambda: len(folder.done()) > second, client)
    processes.kill("scheduler")
    code, told, err = ended(client)
    assert code == 3 and "scheduler" in told["error"], err
    assert missing_told(err) == RUNS - second
    processes.kill("three")
    third = len(folder.done())
    assert second < third < RUNS

    before = {path: path.stat().st_mtime_ns for path in folder.batch_files()}
    address = processes.scheduler()
    processes.worker("four", address)
    code, told, err = ended(begun(folder, "--scheduler", address))
    assert (code, told["done"], told["missing"], told["failed"]) == (0, RUNS, 0, 0), err
    assert missing_told(err) == RUNS - third
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    same(folder, reference)


def only_counts(err):
    """Nothing but the counts is told, how often depends on the machine: no trace, no warning."""
    first, *later = err.splitlines()
    assert first == f"{RUNS} of {RUNS} runs are missing; 0 done, 0 failed", err
    assert all(f" of {RUNS} runs done, 0 failed" in line for line in later), err


@pytest.mark.slow
def test_a_killed_worker_of_a_local_cluster_is_replaced(tmp_path, reference):
    folder = SweepFolder(tmp_path / "sweep")
    working = tmp_path / "working"
    working.mkdir()
    client = begun(folder, "--workers", "2", cwd=working, TMPDIR=str(tmp_path / "sweep"))
    until(lambda: len(folder.batch_files()) >= 2, client)
    workers = until(lambda: workers_of(client.pid), client)
    os.kill(workers[0], signal.SIGKILL)
    code, told, err = ended(client)
    assert (code, told["done"], told["failed"]) == (0, RUNS, 0), err
    same(folder, reference)
    # Nothing is left behind.
    only_counts(err)
    assert not list(working.iterdir())
    assert gone(workers)
    assert {path.name for path in folder.path.iterdir()} == {
        "manifest.json", "points.parquet", "asked.parquet", "report.html",
        "batches", "failures", "attempts", "points", "workers", "pictures"}  # fmt: skip
    assert not list((folder.path / "attempts").iterdir()) or len(folder.attempts()) <= 1


@pytest.mark.slow
def test_workers_end_with_a_client_that_is_killed(tmp_path, reference):
    folder = SweepFolder(tmp_path / "sweep")
    client = begun(folder, "--workers", "2")
    until(lambda: len(folder.batch_files()) >= 2, client)
    below = [pid for pid, _ in children(client.pid)]
    client.kill()
    client.communicate()
    assert gone(below)
    done = len(folder.done())
    code, told, err = ended(begun(folder, "--workers", "1"))
    assert (code, told["done"], missing_told(err)) == (0, RUNS, RUNS - done), err
    same(folder, reference)


KILLER = """
import os
import ecosim.batch

real = ecosim.batch.run_batch

def run_batch(scenarios, seeds):
    if any(scenario.tradeoff.exponent == 1.0 for scenario in scenarios):
        os._exit(9)
    return real(scenarios, seeds)

ecosim.batch.run_batch = run_batch
"""


@pytest.mark.slow
def test_a_point_that_kills_its_worker_is_isolated(tmp_path, reference, processes):
    """The fault is planted in what the workers import first; the client has nothing of it."""
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "planted.py").write_text(KILLER)
    path = f"{tmp_path / 'plant'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    folder = SweepFolder(tmp_path / "sweep")
    code, told, err = ended(
        begun(folder, "--replicates", "2", "--batch", "4", "--workers", "2", PYTHONPATH=path,
              DASK_DISTRIBUTED__WORKER__PRELOAD="['planted']")
    )  # fmt: skip
    assert (code, told["done"], told["failed"], told["missing"]) == (1, 6, 2, 0), err
    failures = pq.read_table(folder.path / "failures.parquet").to_pandas()
    assert set(failures["kind"]) == {"WorkerDied"}
    assert {json.loads(values)["tradeoff.exponent"] for values in failures["values"]} == {1.0}
    few = reference[reference["replicate"] < 2].reset_index(drop=True)
    same(folder, few, without=set(failures["point"]))
    # Without the fault, what failed is run again on request, and only then.
    code, told, err = ended(begun(folder, "--replicates", "2", "--workers", "1", "--retry-failed"))
    assert (code, told["done"], told["failed"], missing_told(err)) == (0, 8, 0, 2), err
    same(folder, few)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 3)], ids=["SIGINT", "SIGTERM"]
)
def test_a_signal_ends_what_has_begun_and_leaves_nothing_running(tmp_path, number, code):
    folder = SweepFolder(tmp_path / "sweep")
    client = begun(folder, "--workers", "2", "--batch", "1")
    until(lambda: len(folder.batch_files()) >= 2, client)
    below = [pid for pid, _ in children(client.pid)]
    os.killpg(client.pid, number)  # as a terminal does: to the workers too
    found, told, err = ended(client)
    assert found == code, err
    assert 2 <= told["done"] < RUNS and told["failed"] == 0
    assert told["done"] == len(folder.done())
    only_counts(err)
    assert not list((folder.path / "attempts").iterdir())
    assert gone(below)


@pytest.mark.slow
def test_a_lifetime_ends_a_cluster_whose_workers_never_come(tmp_path, processes):
    address = processes.scheduler()
    folder = SweepFolder(tmp_path / "sweep")
    code, told, err = ended(begun(folder, "--scheduler", address, "--lifetime", "3"))
    assert (code, told["done"], told["missing"]) == (3, 0, RUNS), err


@pytest.mark.slow
def test_fail_fast_ends_a_cluster_at_the_first_failure(tmp_path):
    (tmp_path / "planted.py").write_text(KILLER.replace("os._exit(9)", "raise MemoryError"))
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    code, told, err = ended(
        begun(SweepFolder(tmp_path / "sweep"), "--workers", "1", "--batch", "1", "--fail-fast",
              "--grid", "tradeoff.exponent=1.0,0.5,1.5,2.0", PYTHONPATH=path,
              DASK_DISTRIBUTED__WORKER__PRELOAD="['planted']")
    )  # fmt: skip
    assert code == 1 and told["failed"] >= 1 and told["missing"] > 0, (told, err)


@pytest.mark.slow
def test_tasks_of_an_array_at_once_make_the_whole(tmp_path, reference):
    folder = SweepFolder(tmp_path / "sweep")
    tasks = [begun(folder, "--array-task", f"{i}/3") for i in (1, 2, 3)]
    counts = []
    for task in tasks:
        code, told, err = ended(task)
        assert code == 0, err
        counts.append(told["total"])
    assert sum(counts) == RUNS
    same(folder, reference)
    code, told, err = ended(begun(folder, "--dry-run"))
    assert (told["done"], told["missing"]) == (RUNS, 0)


def test_no_scheduler_answers(tmp_path):
    code, told, err = ended(
        begun(SweepFolder(tmp_path), "--scheduler", "tcp://127.0.0.1:9",
              DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT="1s")
    )  # fmt: skip
    assert code == 2 and "dask scheduler" in told["error"], err


# What workers are started with


def test_every_worker_has_one_card_and_takes_no_memory_in_advance(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3, 5")
    cards = environment.gpus()
    assert cards == ["3", "5"]
    given = [environment.pinned(index, cards)["CUDA_VISIBLE_DEVICES"] for index in range(3)]
    assert given == ["3", "5", "3"]
    assert environment.pinned(0, []) == {}
    assert environment.worker_environment()["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"


@pytest.mark.parametrize(("text", "cards"), [("", []), ("-1", []), ("GPU-a,GPU-b", 2)])
def test_cards_that_are_hidden_are_not_used(monkeypatch, text, cards):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", text)
    assert environment.gpus() == (cards or []) or len(environment.gpus()) == cards


def test_cards_are_counted_where_nothing_hides_them(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fake = tmp_path / "nvidia-smi"
    fake.write_text("#!/bin/sh\necho 'GPU 0: H (UUID: a)'\necho '  MIG'\necho 'GPU 1: H (UUID)'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert environment.gpus() == ["0", "1"]
    fake.write_text("#!/bin/sh\nexit 9\n")
    assert environment.gpus() == []


def test_workers_share_the_cache_and_have_one_thread(monkeypatch, tmp_path):
    monkeypatch.setenv("ECOSIM_CACHE", str(tmp_path / "cache"))
    given = environment.worker_environment()
    assert given["ECOSIM_CACHE"] == str(tmp_path / "cache")
    assert "multi_thread_eigen=false" in given["XLA_FLAGS"] and given["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("ECOSIM_CACHE", "")  # turned off: off for the workers too
    assert environment.worker_environment()["ECOSIM_CACHE"] == ""


def test_lines_of_the_job_script_survive_odd_paths(monkeypatch, tmp_path):
    odd = str(tmp_path / "it's a $HOME")
    monkeypatch.setenv("ECOSIM_CACHE", odd)
    lines = options("pbs", Jobs(), tmp_path)["job_script_prologue"]
    script = "\n".join([*lines, 'printf %s "$ECOSIM_CACHE"'])
    told = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert told.stdout == odd


@pytest.mark.parametrize("line", ["gpus = 2", 'walltime = "soon"', "cores = 0", "color = 1"])
def test_wrong_lines_of_a_configuration_are_told(tmp_path, line):
    path = tmp_path / "cluster.toml"
    path.write_text(f"[pbs]\n[slurm]\n{line}\n")
    with pytest.raises(ScenarioError, match=line.split()[0]):
        read(path, "slurm")
    assert read(path, "pbs") == Jobs()  # another table is not read


def test_batches_leave_work_for_all_workers():
    assert shared(2000, 1) == 0
    assert shared(2000, 10) == 50
    assert shared(3, 10) == 1
    assert shared(10**6, 2) == MOST


class Unlucky(Here):
    """An engine in which one batch waits on workers that die of others, again and again."""

    width = 1

    def compute(self, folder, queue):
        for number in range(10):
            yield next(iter(queue)), WorkerDied("", begun=number < 1)
        yield from super().compute(folder, queue)


def test_who_only_waited_on_a_dying_worker_is_not_blamed(tmp_path):
    one = validate({"scenario": "soft-selection", "set": SET})
    assert carry_out(one, SweepFolder(tmp_path), Unlucky()).counts["done"] == 1


@pytest.mark.parametrize("there", [True, False])
def test_a_dashboard_is_served_to_this_machine_only_and_where_bokeh_is(monkeypatch, there):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: there or None)
    assert dashboard("127.0.0.1") == {"dashboard_address": "127.0.0.1:0", "dashboard": there}


def test_a_worker_of_other_versions_or_without_the_folder_is_refused(tmp_path):
    with pytest.raises(StoreError, match="not seen by the worker"):
        worker.take(str(tmp_path), Batch(()), worker.versions())
    SweepFolder(tmp_path).make()
    with pytest.raises(StoreError, match="same environment"):
        worker.take(str(tmp_path), Batch(()), worker.versions() | {"ecosim": "0.0.0"})


def test_jobs_ask_for_what_the_file_says(tmp_path):
    jobs = Jobs(queue="gpu", walltime="00:10:00", gpus=1, prologue=("module load x",))
    given = options("slurm", jobs, tmp_path)
    assert given["queue"] == "gpu" and "--gres=gpu:1" in given["job_extra_directives"]
    assert given["job_script_prologue"][-1] == "module load x"
    assert any("PREALLOCATE=false" in line for line in given["job_script_prologue"])
    assert given["worker_extra_args"][-2:] == ["--lifetime", "540s"]
    assert given["processes"] == 1
