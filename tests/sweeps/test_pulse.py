"""How long a process of another machine counts as running, by a clock that is set."""

import json
import os
import time

import pytest

from ecosim.experiments.folders import host
from ecosim.sweeps import heartbeat, pulse
from ecosim.sweeps.batching import batches
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import expand, runs
from ecosim.sweeps.status import status


def sweep():
    small = {"run.steps": 6, "population.size": 40, "record.every": 2}
    grid = {"tradeoff.exponent": [0.5, 1.0]}
    return validate({"scenario": "soft-selection", "set": small, "batch": 2, "grid": grid})


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = time.time()

    monkeypatch.setattr(pulse.time, "time", lambda: Clock.now)
    return Clock


@pytest.fixture
def begun(tmp_path):
    """A sweep of which another machine computes a batch."""
    folder, given = SweepFolder(tmp_path), sweep()
    carry_out(given, folder, Here(), should_stop=lambda: True)
    (batch, *_) = batches(runs(given, expand(given)), 2)
    mark = tmp_path / "attempts" / f"{batch.digest}.elsewhere.17-ab"
    mark.write_text(json.dumps({"host": "elsewhere", "pid": 17, "runs": 2}))
    (tmp_path / "workers").mkdir(exist_ok=True)
    worker = tmp_path / "workers" / "elsewhere-17.json"
    told = {"host": "elsewhere", "pid": 17, "state": "computing", "done": 0, "failed": 0,
            "batches": 0, "busy_s": 0.0, "began": 0.0, "seen": time.time()}  # fmt: skip
    worker.write_text(json.dumps(told))
    return folder, [mark, worker]


def test_a_process_of_another_machine_is_lost_after_a_quarter_of_an_hour(begun, clock):
    folder, files = begun
    clock.now += 890
    assert status(folder.path).running == 2
    for file in files:  # it beats
        os.utime(file, (clock.now, clock.now))
    clock.now += 890
    found = status(folder.path)
    assert (found.running, found.lost, found.workers[0]["state"]) == (2, 0, "computing")
    clock.now += 20
    found = status(folder.path)
    assert (found.running, found.lost, found.workers[0]["state"]) == (0, 1, "lost")
    assert len(folder.dead_marks()) == 1


def test_a_finished_sweep_tells_of_nothing_lost(begun, clock):
    folder, _ = begun
    clock.now += 10_000
    carry_out(sweep(), folder, Here())
    found = status(folder.path)
    assert (found.missing, found.lost) == (0, 0)
    assert {worker["state"] for worker in found.workers} == {"ended"}


def test_a_process_of_this_machine_is_asked(tmp_path):
    assert pulse.alive(tmp_path / "gone", host(), os.getpid())
    assert not pulse.alive(tmp_path / "gone", host(), 2**22 + 1)


def test_what_computes_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(pulse, "BEAT_S", 0.01)
    path = tmp_path / "mark"
    path.touch()
    os.utime(path, (1, 1))
    with pulse.beating(path):
        while path.stat().st_mtime < 2:
            time.sleep(0.01)
    os.utime(path, (1, 1))
    time.sleep(0.1)
    assert path.stat().st_mtime == 1  # it ended with the body


def test_marks_of_batches_and_workers_beat(tmp_path, monkeypatch):
    beaten = []
    real = pulse.beating
    monkeypatch.setattr(
        pulse, "beating", lambda path: beaten.append(path.parent.name) or real(path)
    )
    folder = SweepFolder(tmp_path)
    carry_out(sweep(), folder, Here())
    assert set(beaten) == {"attempts", "workers"}
    heartbeat.ended(tmp_path)
