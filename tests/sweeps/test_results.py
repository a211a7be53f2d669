"""Results read back: as pandas, polars and xarray, after compaction and in the middle of one."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import ecosim
from ecosim.errors import StoreError
from ecosim.sweeps import compaction
from ecosim.sweeps.batching import Batch
from ecosim.sweeps.computing import compute
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import expand, runs

SMALL = {"run.steps": 6, "population.size": 40, "record.every": 2}
NAMES = ("breadth_mean", "births")


def sweep(**changes):
    base = {"scenario": "soft-selection", "set": SMALL, "replicates": 2, "batch": 2,
            "grid": {"tradeoff.exponent": [0.5, 1.0, 2.0]}}  # fmt: skip
    return validate(base | changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of a sweep that was run; not to be changed."""
    path = tmp_path_factory.mktemp("made")
    carry_out(sweep(), SweepFolder(path), Here())
    return path


@pytest.fixture
def mine(made, tmp_path):
    """Return a copy that may be changed."""
    import shutil

    shutil.copytree(made, tmp_path / "sweep")
    return tmp_path / "sweep"


def same(one, two):
    keys = ["point", "replicate", "step"]
    tables = [frame.assign(point=frame["point"].astype(str)).sort_values(keys, ignore_index=True)
              for frame in (one, two)]  # fmt: skip
    pd.testing.assert_frame_equal(*tables)


def test_a_metric_is_one_row_a_recording_with_the_values(made):
    table = ecosim.load_sweep(made).metric(*NAMES)
    assert list(table.columns) == ["point", "replicate", "seed", "step", *NAMES,
                                   "tradeoff.exponent"]  # fmt: skip
    assert len(table) == 3 * 2 * 4
    assert table.groupby("tradeoff.exponent").size().to_dict() == {0.5: 8, 1.0: 8, 2.0: 8}
    # Wright and Fisher replace all 40 in each of the two steps between recordings.
    assert set(table["births"]) == {0.0, 80.0}


def test_some_points_are_all_that_is_read(made):
    results = ecosim.load_sweep(made)
    point = results.points.index[1]
    table = results.metric("births", points=[point])
    assert set(table["point"]) == {point} and len(table) == 8
    assert len(results.final("births", points=[point])) == 2


def test_the_end_is_the_last_record_or_the_mean_over_a_window(made):
    results = ecosim.load_sweep(made)
    every = results.metric("breadth_mean").astype({"point": str})
    every = every.sort_values(["point", "replicate", "step"])
    grouped = every.groupby(["point", "replicate"], observed=True)["breadth_mean"]
    last = results.final("breadth_mean")
    assert np.array_equal(last["breadth_mean"], grouped.last()) and set(last["steps"]) == {6}
    half = results.final("breadth_mean", window=0.5)["breadth_mean"]
    assert np.allclose(half, grouped.apply(lambda x: x.iloc[-2:].mean()))
    whole = results.final("breadth_mean", window=1.0)["breadth_mean"]
    assert np.allclose(whole, grouped.mean())


def test_a_summary_has_mean_and_error_of_each_point(made):
    results = ecosim.load_sweep(made)
    table, final = results.summary("breadth_mean"), results.final("breadth_mean")
    point = table.index[0]
    values = final.loc[final["point"] == point, "breadth_mean"]
    assert table.loc[point, "breadth_mean"] == pytest.approx(values.mean())
    assert table.loc[point, "breadth_mean_se"] == pytest.approx(values.std() / np.sqrt(2))
    assert list(table["replicates"]) == [2, 2, 2]


def test_the_breadth_at_the_end_counts_all_agents(made):
    counts = ecosim.load_sweep(made).breadth()
    assert counts.shape == (6, 64) and (counts.sum(axis=1) == 40).all()


def test_a_metric_that_is_not_there_names_the_nearest(made):
    with pytest.raises(StoreError, match="did you mean breadth_mean"):
        ecosim.load_sweep(made).metric("breadht_mean")
    with pytest.raises(StoreError, match="not the folder of a sweep"):
        ecosim.load_sweep(made / "batches")


def test_polars_and_xarray_have_the_same_numbers(made):
    results = ecosim.load_sweep(made)
    plain = results.metric("breadth_mean")
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = results.to_polars("breadth_mean")
    assert isinstance(table, polars.DataFrame)
    assert np.array_equal(table["breadth_mean"].to_numpy(), plain["breadth_mean"])
    pytest.importorskip("xarray", reason="xarray is not installed")
    cube = results.to_xarray("breadth_mean")
    assert dict(cube.sizes) == {"tradeoff.exponent": 3, "replicate": 2, "step": 4}
    row = plain.iloc[5]
    place = {key: row[key] for key in ("tradeoff.exponent", "replicate", "step")}
    assert float(cube["breadth_mean"].sel(place)) == row["breadth_mean"]


def test_points_of_equal_values_are_no_grid(mine):
    pytest.importorskip("xarray", reason="xarray is not installed")
    other = sweep(set=SMALL | {"mutation.rate": 0.2})
    carry_out(other, SweepFolder(mine), Here(), mixed=True)
    with pytest.raises(StoreError, match="same values"):
        ecosim.load_sweep(mine).to_xarray("births")


def test_compaction_changes_files_and_no_number(mine):
    results = ecosim.load_sweep(mine)
    before, breadth, final = results.metric(*NAMES), results.breadth(), results.final()
    assert compaction.compact(SweepFolder(mine)) == (3, 1)
    after = ecosim.load_sweep(mine)
    same(before, after.metric(*NAMES))
    pd.testing.assert_frame_equal(breadth, after.breadth())
    pd.testing.assert_frame_equal(final, after.final())
    assert compaction.compact(SweepFolder(mine)) == (1, 1)


def test_a_reader_that_began_before_compaction_reads_on(mine):
    results = ecosim.load_sweep(mine)
    assert len(results) == 6
    compaction.compact(SweepFolder(mine))
    assert len(results.metric("births")) == 24


def test_files_that_vanish_in_the_middle_of_reading_cost_no_row(mine):
    results = ecosim.load_sweep(mine)
    assert len(results.breadth()) == len(results) == 6  # the files are known
    tables = results.batches("births")
    first = next(tables)
    compaction.compact(SweepFolder(mine))
    assert len(results.breadth()) == 6
    assert len(first) + sum(len(table) for table in tables) == 24


def test_two_clients_that_write_points_at_once_lose_none(tmp_path, monkeypatch):
    folder, other = SweepFolder(tmp_path), SweepFolder(tmp_path)
    folder.make()
    one, two = (expand(sweep(grid={"tradeoff.exponent": [value]})) for value in (1.0, 2.0))
    real = folder.points

    def overtaken():
        found = real()
        monkeypatch.setattr(folder, "points", real)
        other.write_points(two)  # after the first has read, before it writes
        return found

    monkeypatch.setattr(folder, "points", overtaken)
    folder.write_points(one)
    assert {row["point"] for row in folder.points()} == {p.digest for p in one + two}
    # What is asked again in other words is shown in the words of the last.
    varied = expand(sweep(grid={"tradeoff.exponent": [1.0], "mutation.rate": [0.01]}))
    fixed = SMALL | {"mutation.rate": 0.01}
    fixed = expand(sweep(set=fixed, grid={"tradeoff.exponent": [1.0]}))
    assert varied[0].digest == fixed[0].digest
    for points in (fixed, varied, fixed):
        other.write_points(points)
        (row,) = [row for row in folder.points() if row["point"] == varied[0].digest]
        assert json.loads(row["values"]) == points[0].values
    whole = pd.read_parquet(tmp_path / "points.parquet")
    assert set(whole["point"]) == {row["point"] for row in folder.points()}


CRASH = """
import os, sys
from pathlib import Path
from ecosim.sweeps import compaction
from ecosim.sweeps.folder import SweepFolder
real, count = Path.unlink, [0]
def dying(self, *args, **kw):
    if self.parent.name == "batches" and not self.name.startswith("."):
        count[0] += 1
        if count[0] > int(sys.argv[2]):
            os._exit(9)
    return real(self, *args, **kw)
Path.unlink = dying
compaction.compact(SweepFolder(sys.argv[1]))
"""


@pytest.mark.parametrize("removed", [0, 2])
def test_a_crash_in_the_middle_of_compaction_loses_and_doubles_nothing(mine, removed):
    before = ecosim.load_sweep(mine).metric(*NAMES)
    done = subprocess.run([sys.executable, "-c", CRASH, str(mine), str(removed)])
    assert done.returncode == 9
    folder = SweepFolder(mine)
    assert len(folder.batch_files()) == 1 + 3 - removed
    same(before, ecosim.load_sweep(mine).metric(*NAMES))
    assert len(ecosim.load_sweep(mine)) == 6
    compaction.compact(folder)
    assert len(folder.batch_files()) == 1
    same(before, ecosim.load_sweep(mine).metric(*NAMES))


def test_a_run_in_two_files_is_taken_once(mine):
    """Two clients that cut the same runs differently: files that overlap in part."""
    before = ecosim.load_sweep(mine).metric(*NAMES)
    given = sweep()
    every = runs(given, expand(given))
    compute(mine, Batch((every[1], every[2], every[5])))
    folder = SweepFolder(mine)
    assert len(folder.batch_files()) == 4
    assert len(ecosim.load_sweep(mine)) == 6
    same(before, ecosim.load_sweep(mine).metric(*NAMES))
    assert compaction.compact(folder) == (4, 1)
    same(before, ecosim.load_sweep(mine).metric(*NAMES))
    assert len(ecosim.load_sweep(mine).breadth()) == 6


def test_points_may_record_different_metrics(tmp_path):
    """With more niches there are more columns: what a run has not is undefined there."""
    given = validate({"scenario": "adaptive-radiation", "set": SMALL, "replicates": 2,
                      "grid": {"niches.count": [2, 3]}})  # fmt: skip
    folder = SweepFolder(tmp_path)
    carry_out(given, folder, Here())
    results = ecosim.load_sweep(tmp_path)
    for _ in range(2):
        final = results.final("allocation_2", "population")
        missing = final.groupby("niches.count")["allocation_2"].apply(lambda x: x.isna().all())
        assert missing.to_dict() == {2: True, 3: False}
        assert final["population"].notna().all()
        assert results.metric("allocation_2").groupby("niches.count").size().to_dict() == {
            2: 8, 3: 8
        }  # fmt: skip
        compaction.compact(folder)
        results = ecosim.load_sweep(tmp_path)
    assert len(folder.batch_files()) == 2  # columns that differ stay apart


def test_failures_are_a_table_with_error_and_values(tmp_path):
    carry_out(sweep(grid={}, points=[{"tradeoff.exponent": 1.0}, {"tradeoff.exponent": -1.0}]),
              SweepFolder(tmp_path), Here())  # fmt: skip
    results = ecosim.load_sweep(tmp_path)
    (row,) = results.failures.to_dict("records")
    assert row["values"] == {"tradeoff.exponent": -1.0} and "greater than 0" in row["error"]
    assert len(results) == 2
    summary = results.summary("births")
    assert summary["replicates"].sort_values().tolist() == [0, 2]
    assert np.isnan(summary.loc[row["point"], "births"])


def test_a_sweep_of_which_nothing_is_done_reads_as_nothing(tmp_path):
    carry_out(sweep(), SweepFolder(tmp_path), Here(), should_stop=lambda: True)
    for path in SweepFolder(tmp_path).batch_files():
        path.unlink()
    results = ecosim.load_sweep(tmp_path)
    assert len(results) == 0 and results.metrics == [] and results.metric().empty
    assert results.final().empty and results.breadth().empty


def test_a_damaged_file_is_named(mine):
    path = SweepFolder(mine).batch_files()[0]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match=path.name):
        ecosim.load_sweep(mine).metric("births")


def test_the_footers_name_the_runs(made):
    import pyarrow.parquet as pq

    for path in SweepFolder(made).batch_files():
        ids = json.loads(pq.read_metadata(path).metadata[b"ecosim.runs"])
        table = pq.read_table(path).to_pandas()
        assert set(ids) == set(table["point"] + "-" + table["seed"].astype(str))


def test_a_window_is_a_share_of_the_records(made):
    results = ecosim.load_sweep(made)
    whole = results.final("births", window=1)
    runs = results.metric("births", values=False).groupby(["point", "replicate"], observed=True)
    assert np.allclose(whole["births"], runs["births"].mean().to_numpy())
    last = results.final("births", window=0.5)["births"].to_numpy()
    assert np.allclose(last, [part.tail(2).mean() for _, part in runs["births"]])


@pytest.mark.parametrize("window", [3, -1, float("nan"), 1.001])
def test_a_window_that_is_no_share_is_refused(made, window):
    results = ecosim.load_sweep(made)
    for ask in (results.final, results.summary):
        with pytest.raises(StoreError, match=r"from 0 to 1 \(given: "):
            ask("births", window=window)


def test_points_that_the_sweep_has_not_are_refused(made):
    results = ecosim.load_sweep(made)
    for ask in (lambda p: results.metric("births", points=p), results.breadth,
                lambda p: results.final("births", points=p)):  # fmt: skip
        with pytest.raises(StoreError, match=r"no point 'xx'; `\.points` lists them"):
            ask(["xx"])
    first = results.points.index[0]
    one = results.final("births", points=first)  # a digest by itself
    assert set(one["point"].astype(str)) == {first} and len(one) == 2
