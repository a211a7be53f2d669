import errno
import hashlib
import json
import logging
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import fake_simulation
import numpy as np
import pandas as pd
import pytest

from ecosim.errors import RunError, ScenarioError, StoreError
from ecosim.experiments import attempt, manifest
from ecosim.experiments.checkpoint import Stopped
from ecosim.experiments.folders import slug, temporary_name
from ecosim.experiments.store import execute, list_runs, load, place_of
from ecosim.scenario import digest, validate


def scenario(**changes):
    return validate(
        {"world": "ecology", "name": "small", "run": {"steps": 60}, "population": {"size": 40},
         **changes}
    )  # fmt: skip


@pytest.fixture
def calls(monkeypatch):
    fake_simulation.no_pictures(monkeypatch)
    return fake_simulation.install(monkeypatch)


def everything(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))


def test_a_run_lies_where_scenario_digest_and_seed_say(calls, tmp_path):
    given = scenario(record={"snapshots": 20, "events": True})
    run, reused = execute(given, seed=3, out=tmp_path)
    assert not reused
    assert run.path == tmp_path / "small" / f"{digest(given)}-3"
    assert everything(run.path) == [
        "breadth.parquet", "events.parquet", "figure.png", "founders.parquet", "manifest.json",
        "metrics.parquet", "population.parquet", "report.html", "scenario.toml", "snapshots",
        "snapshots/step-00000020.parquet", "snapshots/step-00000040.parquet",
        "snapshots/step-00000060.parquet",
    ]  # fmt: skip
    assert everything(tmp_path / "small")[0] == run.path.name
    assert len(list((tmp_path / "small").iterdir())) == 1


def test_the_manifest_says_what_was_run_and_with_what(calls, tmp_path):
    run, _ = execute(scenario(), out=tmp_path)
    told = json.loads((run.path / "manifest.json").read_text())
    assert told["finished"] is True
    assert told["seed"] == 0 and told["steps"] == 60 and told["engine"] == "headless"
    assert set(told["versions"]) == {"python", "ecosim", "jax", "numpy", "mesa", "pandas"}
    assert told["conservation"] == 0
    assert told["files"]["metrics.parquet"] == (run.path / "metrics.parquet").stat().st_size
    assert told["started"].endswith("+00:00") and told["wall_s"] >= 0
    assert {"commit", "device", "platform", "digest", "result_digest"} <= set(told)
    assert str(tmp_path) not in json.dumps(told)


def test_a_finished_run_is_reported_not_repeated(calls, tmp_path):
    first, _ = execute(scenario(), out=tmp_path)
    again, reused = execute(scenario(), out=tmp_path)
    assert reused and again.path == first.path and len(calls) == 1
    assert again.result_digest == first.result_digest
    assert execute(scenario(), seed=1, out=tmp_path)[0].result_digest != first.result_digest


def test_an_expectation_stated_after_the_run_is_judged_and_said_to_be_late(calls, tmp_path, caplog):
    execute(scenario(), out=tmp_path)
    asked = {"metric": "breadth_mean", "direction": "below", "value": 1.5}
    run, reused = execute(scenario(expectation=[asked]), out=tmp_path)
    assert reused and run.expectation[0]["met"] is True
    assert "stated after the run" in caplog.text
    assert load(run.path).expectation == []


def test_forcing_repeats_with_the_same_bytes(tmp_path, monkeypatch):
    fake_simulation.no_pictures(monkeypatch)
    given = scenario(record={"events": True, "snapshots": 30})
    first, _ = execute(given, out=tmp_path)
    before = {p.name: p.read_bytes() for p in first.path.rglob("*.parquet")}
    mark = first.path / "mark"
    mark.touch()
    second, reused = execute(given, out=tmp_path, force=True)
    assert not reused and not mark.exists()
    assert {p.name: p.read_bytes() for p in second.path.rglob("*.parquet")} == before
    assert everything(tmp_path / "small")[0] == first.path.name


def test_the_tables_come_back_as_they_were(calls, tmp_path):
    given = scenario(record={"events": True, "snapshots": 30})
    run = load(execute(given, out=tmp_path)[0].path)
    made = fake_simulation.simulate(given)
    pd.testing.assert_frame_equal(run.metrics, made.metrics)
    pd.testing.assert_frame_equal(run.population, made.population)
    pd.testing.assert_frame_equal(run.founders, made.founders)
    pd.testing.assert_frame_equal(run.events, made.events, check_dtype=False)
    assert list(run.snapshots) == [30, 60]
    np.testing.assert_array_equal(run.breadth.filter(like="bin_"), made.breadth)
    assert run.scenario == given
    assert run.final == pytest.approx(made.metrics.iloc[-1].to_dict())
    assert run.result_digest == manifest.result_digest(run.metrics)
    assert 0 < run.survival()["survival"].iloc[-1] < 1
    assert "small" in repr(run)


def test_a_run_without_events_says_how_to_get_them(calls, tmp_path):
    run, _ = execute(scenario(), out=tmp_path)
    assert run.events is None
    with pytest.raises(StoreError, match="record.events = true"):
        run.survival()


@pytest.mark.parametrize("by", ["group", "lineage", "strategy"])
def test_a_web_has_niches_by_species_and_keeps_what_was_allocated(calls, tmp_path, by):
    run, _ = execute(scenario(), out=tmp_path)
    web = run.web(by)
    assert len(web) == 8
    assert web.to_numpy().sum() == pytest.approx(len(run.population))
    assert run.indices(by)["niches"] == 8
    with pytest.raises(ValueError, match="group, lineage, strategy"):
        run.web("colour")


def test_groups_name_the_species_of_a_web(calls, tmp_path):
    even = [1 / 8] * 8
    groups = [{"name": "ants", "allocation": even}, {"name": "bees", "allocation": even}]
    run, _ = execute(scenario(population={"size": 40, "groups": groups}), out=tmp_path)
    assert set(run.web().columns) == {"ants"}


def test_an_observed_web_is_kept_beside_the_scenario(calls, tmp_path):
    (tmp_path / "web.csv").write_text("plant,ant,bee\nx,3,0\ny,1,2\n")
    given = scenario(population={"size": 40, "web": str(tmp_path / "web.csv")})
    run, _ = execute(given, out=tmp_path / "runs")
    (tmp_path / "web.csv").unlink()
    assert str(tmp_path) not in (run.path / "scenario.toml").read_text()
    assert digest(load(run.path).scenario) == digest(given)


def test_the_result_digest_is_over_names_and_values():
    frame = pd.DataFrame({"step": [0, 1], "x": [0.0, np.nan]})
    digests = {
        manifest.result_digest(f)
        for f in (
            frame, frame.rename(columns={"x": "y"}), frame[["x", "step"]], frame.iloc[:1],
            frame.fillna(1e-300), pd.DataFrame({"step": [0.0, 1.0], "x": [-0.0, -np.nan]}),
        )
    }  # fmt: skip
    assert len(digests) == 5  # the last is the first: -0 is 0, a NaN is a NaN, 1 is 1.0
    sha = hashlib.sha256(json.dumps([["x"], 2]).encode() + np.array([1.0, 2.0]).tobytes())
    assert manifest.result_digest(pd.DataFrame({"x": [1, 2]})) == sha.hexdigest()


def break_manifest(folder):
    (folder / "manifest.json").unlink()


def unfinish(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"finished": true', '"finished": false'))


def cut_manifest(folder):
    path = folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:100])


def cut_table(folder):
    path = folder / "metrics.parquet"
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [break_manifest, unfinish, cut_manifest, cut_table])
def test_a_folder_without_a_finished_manifest_is_no_result(calls, tmp_path, damage):
    run, _ = execute(scenario(), out=tmp_path)
    damage(run.path)
    with pytest.raises(StoreError, match="not a finished run"):
        load(run.path)
    assert list_runs(tmp_path) == []
    again, reused = execute(scenario(), out=tmp_path)
    assert not reused and load(again.path).result_digest == run.result_digest


def test_loading_what_is_not_there(tmp_path):
    with pytest.raises(StoreError, match="no such folder"):
        load(tmp_path / "nothing")
    assert list_runs(tmp_path / "nothing") == []


def test_runs_are_listed_oldest_first(calls, tmp_path):
    made = [execute(scenario(), seed=seed, out=tmp_path)[0] for seed in (5, 2)]
    for second, run in enumerate(made):
        path = run.path / "manifest.json"
        path.write_text(path.read_text().replace(run.manifest["started"], f"2026-01-0{second + 1}"))
    assert [run.seed for run in list_runs(tmp_path)] == [5, 2]


@pytest.mark.parametrize("kind", ["file", "below-file"])
def test_an_out_folder_that_takes_no_files_is_found_before_simulating(calls, tmp_path, kind):
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" if kind == "file" else tmp_path / "file" / "below"
    with pytest.raises(StoreError, match="choose another folder"):
        execute(scenario(), out=out)
    assert calls == [] and everything(tmp_path) == ["file"]


def test_a_read_only_out_folder_is_left_as_it_was(calls, tmp_path, monkeypatch):
    real = Path.mkdir

    def mkdir(self, *args, **options):
        if self.name.endswith(".tmp"):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        real(self, *args, **options)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(StoreError, match="Permission denied"):
        execute(scenario(), out=tmp_path / "a" / "b")
    assert calls == [] and everything(tmp_path) == []


def test_a_failing_run_leaves_nothing(monkeypatch, tmp_path):
    def fail(*args, **options):
        raise RunError("step 3: the stock of organism 7 is nan")

    fake_simulation.install(monkeypatch, simulate=fail)
    with pytest.raises(RunError, match="organism 7"):
        execute(scenario(), out=tmp_path / "runs")
    assert everything(tmp_path) == []


def test_a_full_disk_leaves_nothing_half_written(calls, tmp_path, monkeypatch):
    def fail(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(attempt, "sync_tree", fail)
    with pytest.raises(RunError, match="No space left"):
        execute(scenario(), out=tmp_path)
    assert everything(tmp_path) in ([], ["small"])


def test_a_picture_that_fails_does_not_cost_the_run(calls, tmp_path, monkeypatch):
    monkeypatch.setattr("ecosim.experiments.pictures.illustrate", lambda run: 1 / 0)
    with pytest.raises(RunError, match="finished and stored"):
        execute(scenario(), out=tmp_path)
    assert execute(scenario(), out=tmp_path)[1] is True


def test_an_unknown_metric_costs_no_run(calls, tmp_path):
    asked = {"metric": "breadth_meen", "direction": "below", "value": 1.5}
    with pytest.raises(ScenarioError, match="breadth_mean"):
        execute(scenario(expectation=[asked]), out=tmp_path)
    assert calls == []


def test_a_metric_that_was_not_recorded_after_all_does_not_cost_the_run(calls, tmp_path, caplog):
    asked = {"metric": "hill_0", "direction": "below", "value": 1.5}
    run, _ = execute(scenario(expectation=[asked]), out=tmp_path)
    assert run.expectation[0]["met"] is None
    assert "hill_0" in caplog.text


def test_names_of_scenarios_cannot_leave_the_root(calls, tmp_path):
    run, _ = execute(scenario(name="../../etc/x y"), out=tmp_path / "root")
    assert run.path.parent == tmp_path / "root" / "etc-x-y"
    assert [slug(name) for name in ("...", "", "a/b", "é")] == [
        "unnamed", "unnamed", "a-b", "unnamed",
    ]  # fmt: skip


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_leftovers_of_dead_attempts_are_cleared_and_living_ones_stay(calls, tmp_path):
    target = place_of(scenario(), tmp_path).folder
    living = temporary_name(target)
    pid = dead_pid()
    dead = Path(str(temporary_name(target)).replace(f".{os.getpid()}-", f".{pid}-"))
    other = Path(str(dead).replace(dead.name.split(".")[2], "another-machine"))
    for folder in (living, dead, other):
        folder.mkdir(parents=True)
        (folder / "part").touch()
    mine = target.parent / ".notes.tmp"
    mine.touch()
    execute(scenario(), out=tmp_path)
    assert not dead.exists()
    assert living.exists() and other.exists() and mine.exists()
    os.utime(other, (0, 0))
    execute(scenario(), out=tmp_path, force=True)
    assert not other.exists()


def test_a_whole_result_that_a_crash_kept_from_its_name_gets_it(calls, tmp_path):
    run, _ = execute(scenario(), out=tmp_path)
    dead = Path(str(temporary_name(run.path)).replace(f".{os.getpid()}-", f".{dead_pid()}-"))
    run.path.rename(dead)
    execute(scenario(), seed=1, out=tmp_path)
    assert load(run.path).result_digest == run.result_digest


def stop_at(step):
    polled = []

    def should_stop():
        polled.append(None)
        return len(polled) * 10 > step

    return should_stop


def test_a_stopped_run_goes_on_and_the_checkpoint_is_removed(calls, tmp_path):
    place = place_of(scenario(), tmp_path)
    with pytest.raises(Stopped, match="step 20 of 60") as stopped:
        execute(scenario(), out=tmp_path, should_stop=stop_at(20))
    assert stopped.value.checkpoint == place.checkpoint
    assert everything(tmp_path / "small") == [place.checkpoint.name]
    run, reused = execute(scenario(), out=tmp_path)
    assert not reused and [call["begin"] for call in calls] == [0, 20]
    assert run.manifest["attempts"] == 2
    assert not place.checkpoint.exists()


def flip(content):
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", [flip, lambda c: c[:40], lambda c: b"", lambda c: b"x" * 9])
def test_a_damaged_checkpoint_is_reported_and_ignored(calls, tmp_path, caplog, damage):
    place = place_of(scenario(), tmp_path)
    with pytest.raises(Stopped):
        execute(scenario(), out=tmp_path, should_stop=stop_at(20))
    place.checkpoint.write_bytes(damage(place.checkpoint.read_bytes()))
    execute(scenario(), out=tmp_path)
    assert calls[-1]["begin"] == 0
    assert "is damaged and is ignored" in caplog.text
    assert not place.checkpoint.exists()


def test_a_checkpoint_of_other_versions_is_not_continued(calls, tmp_path, caplog, monkeypatch):
    with pytest.raises(Stopped):
        execute(scenario(), out=tmp_path, should_stop=stop_at(20))
    monkeypatch.setattr(manifest, "computing_versions", lambda: {"jax": "0"})
    execute(scenario(), out=tmp_path)
    assert calls[-1]["begin"] == 0 and "other versions" in caplog.text


def test_forcing_starts_anew_unless_it_was_the_forced_run_that_stopped(calls, tmp_path):
    with pytest.raises(Stopped):
        execute(scenario(), out=tmp_path, should_stop=stop_at(20))
    with pytest.raises(Stopped):
        execute(scenario(), out=tmp_path, force=True, should_stop=stop_at(30))
    execute(scenario(), out=tmp_path, force=True)
    assert [call["begin"] for call in calls] == [0, 0, 30]


def test_the_mesa_engine_takes_its_own_path(monkeypatch, tmp_path):
    def simulate_mesa(given, *, seed, progress):
        return fake_simulation.simulate(given, seed=seed, progress=progress)

    def fail(*args, **options):
        raise AssertionError("headless")

    fake_simulation.install(monkeypatch, simulate=fail, simulate_mesa=simulate_mesa)
    run, _ = execute(scenario(), out=tmp_path, engine="mesa")
    assert run.manifest["engine"] == "mesa"


def _worker(out, barrier, results, force):
    import fake_simulation

    class Patch:
        setitem = staticmethod(lambda where, key, value: where.__setitem__(key, value))

    try:
        fake_simulation.install(Patch)
        barrier.wait(60)
        run, reused = execute(scenario(), out=out, force=force)
        results.put((run.result_digest, len(run.metrics), reused))
    except BaseException as error:
        results.put(repr(error))


@pytest.mark.parametrize("force", [False, True])
def test_processes_that_make_the_same_run_at_once_all_end_well(tmp_path, force):
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(3), context.Queue()
    arguments = (tmp_path, barrier, results, force)
    workers = [context.Process(target=_worker, args=arguments) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    # One that died says so here by its exit code; the others' barrier breaks, and tells too.
    codes = [worker.exitcode for worker in workers]
    for worker in workers:
        worker.kill()
    ended = [results.get(timeout=5) for code in codes if code == 0]
    assert codes == [0, 0, 0], ended
    assert {entry[:2] for entry in ended} == {(ended[0][0], 61)}
    (run,) = list_runs(tmp_path)
    assert everything(tmp_path / "small")[0] == run.path.name
    assert len(list((tmp_path / "small").iterdir())) == 1


class TestTheRealSimulator:
    """What becomes of a recording that ecosim.simulate made."""

    @pytest.fixture(autouse=True)
    def no_pictures(self, monkeypatch):
        fake_simulation.no_pictures(monkeypatch)

    def test_two_roots_agree_and_another_seed_does_not(self, tmp_path):
        digests = [
            execute(scenario(), seed=seed, out=tmp_path / out)[0].result_digest
            for seed, out in ((1, "a"), (1, "b"), (2, "a"))
        ]
        assert digests[0] == digests[1] != digests[2]

    @pytest.mark.parametrize("world", ["ecology", "market"])
    def test_a_stopped_run_ends_bit_for_bit_as_one_that_was_not(self, tmp_path, world):
        given = scenario(world=world, record={"events": True, "snapshots": 7, "every": 3})
        whole, _ = execute(given, out=tmp_path / "whole")
        stops = iter([False, True])
        with pytest.raises(Stopped) as stopped:
            execute(given, out=tmp_path / "parts", should_stop=lambda: next(stops))
        assert 0 < stopped.value.step < 60
        parts, _ = execute(given, out=tmp_path / "parts")
        for path in whole.path.rglob("*.parquet"):
            relative = path.relative_to(whole.path)
            assert (parts.path / relative).read_bytes() == path.read_bytes(), relative

    def test_conservation_is_in_the_manifest(self, tmp_path):
        run, _ = execute(scenario(run={"steps": 20, "precision": "float64"}), out=tmp_path)
        assert run.manifest["conservation"] < 1e-11
        assert run.manifest["device"].startswith("cpu")


def test_messages_of_the_log_reach_people_without_any_setup():
    assert logging.getLogger("ecosim").handlers == []
