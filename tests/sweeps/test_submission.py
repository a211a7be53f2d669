"""A queue that refuses jobs: its words end the sweep, and nothing goes on waiting."""

import os
import subprocess
import sys
import time

import pytest

from ecosim.errors import RunError, ScenarioError
from ecosim.sweeps import jobqueue, submission
from ecosim.sweeps.cluster import _Flight
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.submission import Submissions, spoken

WORDS = ["sweep", "soft-selection", "--grid", "tradeoff.exponent=0.5:2:2", "--set", "run.steps=6",
         "--set", "population.size=40", "--slurm", "--json"]  # fmt: skip


def swept(path, folder):
    """Run a sweep whose jobs go to what is on PATH; return the finished process."""
    child = subprocess.Popen(
        [sys.executable, "-m", "ecosim", *WORDS, "--out", str(folder)], text=True,
        env={**os.environ, "PATH": str(path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    try:
        out, err = child.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        raise
    return child, out, err


def test_a_queue_that_refuses_ends_the_sweep_in_its_words(tmp_path):
    for name in ("sbatch", "scancel"):
        script = tmp_path / name
        script.write_text("#!/bin/sh\necho 'sbatch: error: invalid partition: nope' >&2\nexit 1\n")
        script.chmod(0o755)
    child, out, err = swept(f"{tmp_path}:/usr/bin:/bin", tmp_path / "sweep")
    assert child.returncode == 1, err
    assert "invalid partition: nope" in err and "--cluster-config" in err
    assert "Traceback" not in err and out.count("\n") <= 5
    with pytest.raises(ProcessLookupError):  # nothing of its session is left
        os.killpg(child.pid, 0)


def test_without_the_queues_command_nothing_is_begun(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        engine = jobqueue.queued("slurm", jobqueue.Jobs(), 1)
        with pytest.raises(ScenarioError, match="sbatch, which is not on"):
            list(engine.compute(tmp_path, iter(())))


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(submission.time, "monotonic", lambda: clock.now)
    return clock


def test_one_refusal_of_many_is_no_reason_to_end(clock):
    jobs = Submissions()
    jobs.refuse("too many jobs")
    assert jobs.trouble() is None
    jobs.took()
    jobs.refuse("too many jobs")
    jobs.refuse("too many jobs")
    assert jobs.trouble() is None
    clock.now += 601
    assert jobs.trouble() == "too many jobs"
    jobs.took()
    assert jobs.trouble() is None


def test_what_was_never_accepted_is_refused_soon(clock):
    jobs = Submissions()
    jobs.refuse("no such partition")
    jobs.refuse("no such partition")
    assert jobs.trouble() == "no such partition"


def test_the_words_are_found_in_the_error_of_the_library():
    error = "Command exited with non-zero exit code.\nExit code: 1\nCommand:\nsbatch x\nstdout:\n\n"
    assert spoken(RuntimeError(f"{error}stderr:\nsbatch: error: a\nsbatch: error: b\n\n")) == (
        "sbatch: error: a / sbatch: error: b"
    )
    assert spoken(OSError("no fork")) == "no fork"


class Nobody:
    """A client of a cluster without workers."""

    def nthreads(self):
        return {}


def test_trouble_matters_only_where_there_is_no_worker(tmp_path):
    folder = SweepFolder(tmp_path)
    with pytest.raises(RunError, match="full"):
        _Flight(Nobody(), folder, time.monotonic() + 99, lambda: "full").fill(iter(()))
    client = Nobody()
    client.nthreads = lambda: {"a": 1}
    assert _Flight(client, folder, 99, lambda: "full").fill(iter(())) is False


def test_a_file_without_the_queues_table_is_refused(tmp_path):
    path = tmp_path / "cluster.toml"
    path.write_text('[pbs]\nqueue = "long"\n')
    with pytest.raises(ScenarioError, match=r"\[slurm\].*has \[pbs\]") as caught:
        jobqueue.read(path, "slurm")
    assert "write [slurm]" in str(caught.value)
    path.write_text("")
    with pytest.raises(ScenarioError, match="no table"):
        jobqueue.read(path, "slurm")
