"""Looking at a sweep: status from another shell, the live view, pictures and the page."""

import json
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from rich.console import Console

from ecosim.cli import main
from ecosim.commands import watching
from ecosim.errors import StoreError
from ecosim.experiments.folders import host
from ecosim.sweeps import dashboards, heartbeat, pictures
from ecosim.sweeps.batching import batches
from ecosim.sweeps.cleaning import left_in
from ecosim.sweeps.computing import compute
from ecosim.sweeps.definition import validate
from ecosim.sweeps.execution import Here, Progress, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.page import write_page
from ecosim.sweeps.points import expand, runs
from ecosim.sweeps.results import SweepResults
from ecosim.sweeps.status import status

SMALL = {"run.steps": 6, "population.size": 40, "record.every": 2}


def sweep(**changes):
    grid = {"tradeoff.exponent": [0.5, 1.0, 2.0], "mutation.rate": [0.1, 0.3]}
    base = {"scenario": "soft-selection", "set": SMALL, "replicates": 2, "batch": 2, "grid": grid}
    return validate(base | changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made")
    carry_out(sweep(), SweepFolder(path), Here())
    return path


def test_status_counts_what_the_sweep_asks_for(tmp_path):
    """Also after it was stopped, and after it was made smaller and larger."""
    folder = SweepFolder(tmp_path)
    carry_out(sweep(), folder, Here(), should_stop=lambda: len(folder.done()) >= 6)
    found = status(tmp_path)
    assert (found.total, found.done, found.failed, found.missing) == (12, 6, 0, 6)
    assert found.running == 0 and found.lost == 0
    assert found.rate > 0 and found.left_s == pytest.approx(6 / found.rate)
    (worker,) = found.workers
    assert worker["state"] == "ended" and worker["done"] == 6 and worker["batches"] == 3
    carry_out(sweep(grid={"tradeoff.exponent": [-1.0, 1.0]}), folder, Here())
    found = status(tmp_path)
    assert (found.total, found.done, found.failed, found.missing) == (4, 2, 2, 0)


def test_status_tells_what_runs_and_what_was_lost(tmp_path):
    folder = SweepFolder(tmp_path)
    given = sweep()
    carry_out(given, folder, Here(), should_stop=lambda: True)
    waiting = batches(runs(given, expand(given))[2:], 2)
    with folder.attempt(waiting[0]), heartbeat.beating(tmp_path, "x", 2):
        found = status(tmp_path)
        assert found.running == 2 and found.lost == 0
        assert [worker["state"] for worker in found.workers] == ["computing"]
    assert status(tmp_path).running == 0
    # A process that is no more: its mark stays, and its worker is lost.
    code = "import os; print(os.getpid())"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)
    (mine,) = heartbeat.workers(tmp_path)
    told = {"host": mine["host"], "pid": pid, "runs": 2}
    (tmp_path / "attempts" / f"{waiting[1].digest}.x").write_text(json.dumps(told))
    (tmp_path / "workers" / f"gone-{pid}.json").write_text(json.dumps(mine | {"pid": pid}))
    found = status(tmp_path)
    assert found.running == 0 and found.lost == 1
    assert {worker["pid"]: worker["state"] for worker in found.workers}[pid] == "lost"
    heartbeat.ended(tmp_path)


def test_status_tells_where_clusters_are_watched_as_long_as_they_are_up(tmp_path):
    folder = SweepFolder(tmp_path)
    carry_out(sweep(), folder, Here(), should_stop=lambda: True)
    # Of a client that was killed, and of one that runs on another machine.
    code = "import os; print(os.getpid())"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True).stdout)
    killed = tmp_path / f"dashboard.{host()}.{pid}.txt"
    killed.write_text("http://gone\n")
    (tmp_path / "dashboard.elsewhere.1.txt").write_text("http://there\n")
    with dashboards.shown(tmp_path, "http://here"):
        assert sorted(status(tmp_path).dashboards) == ["http://here", "http://there"]
        told = CliRunner().invoke(main, ["status", str(tmp_path)], prog_name="ecosim")
        assert "dashboard  http://here" in told.stdout and "gone" not in told.stdout
    assert status(tmp_path).dashboards == ["http://there"]
    assert left_in(folder) == [killed]


def test_a_worker_that_cannot_tell_computes_all_the_same(tmp_path):
    folder = SweepFolder(tmp_path)
    folder.make()
    (tmp_path / "workers").write_text("in the way")
    given = sweep()
    (batch, *_) = batches(runs(given, expand(given)), 2)
    compute(tmp_path, batch)
    assert len(folder.done()) == 2


def test_the_status_command(made, monkeypatch):
    told = CliRunner().invoke(main, ["status", str(made), "--json"], prog_name="ecosim")
    table = json.loads(told.stdout)
    assert table["total"] == table["done"] == 12 and table["missing"] == 0
    plain = CliRunner().invoke(main, ["status", str(made)], prog_name="ecosim")
    assert "12 of 12 runs done, 0 failed" in plain.stdout
    wrong = CliRunner().invoke(main, ["status", str(made / "batches")], prog_name="ecosim")
    assert wrong.exit_code == 2 and "manifest.json" in wrong.stderr


def test_status_reads_no_results(made, monkeypatch):
    import pyarrow.parquet as pq

    real = pq.ParquetFile

    def guarded(path, *args, **kw):
        assert "batches" not in str(path)
        return real(path, *args, **kw)

    monkeypatch.setattr(pq, "ParquetFile", guarded)
    monkeypatch.setattr(pq, "read_table", None)
    assert status(made).done == 12


def test_the_pace_forgets_what_is_long_ago():
    now = [0.0]
    pace = watching.Pace(clock=lambda: now[0])
    pace.seen(100, 100)
    assert pace.rate is None
    now[0] = 10.0
    pace.seen(120, 100)
    assert pace.rate == pytest.approx(2)
    for second in range(20, 400, 10):
        now[0] = float(second)
        pace.seen(120 + second, 100)
    assert pace.rate == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (4.4, "4 s"), (61, "1 min 01 s"), (3 * 3600 + 60, "3 h 01 min")],
)
def test_durations(seconds, text):
    assert watching.duration(seconds) == text


def test_piped_there_is_a_line_every_few_seconds_at_most(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(watching, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    with watching.watching(None, quiet=False) as told:
        progress = Progress(100, 0, 0, told=told)
        for _ in range(50):
            now[0] += 0.5
            progress.add(2, 0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5 and lines[-1].startswith("100 of 100 runs done, 0 failed")
    assert "left" in lines[0]
    with watching.watching(None, quiet=True) as told:
        assert told is None


def test_the_live_table_shows_counts_and_workers():
    workers = [
        {"host": "a", "pid": 1, "state": "computing", "runs": 8, "since": 0.0, "done": 4,
         "failed": 1, "busy_s": 10.0},
        {"host": "a", "pid": 2, "state": "lost", "done": 4, "failed": 0, "busy_s": 1.0},
    ]  # fmt: skip
    console = Console(width=100, record=True, file=open(os.devnull, "w"))
    console.print(watching.table({"total": 40, "done": 9, "failed": 1}, 2.0, workers))
    text = console.export_text()
    assert "9 of 40 runs done, 1 failed, 2 a second, 15 s left" in text
    assert re.search(r"a-1 +computing 8 for .* 4 +1 +0.5", text) and "a-2" not in text
    assert "1 ended" in text
    console.file.close()


# Pictures and the page


def test_the_page_stands_alone_and_shows_each_pair_and_key(made):
    page = write_page(SweepResults(made)).read_text()
    assert "12 of 12 runs done" in page and "breadth_mean" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert page.count("data:image/png;base64,") == 3
    names = {path.name for path in (made / "pictures").iterdir()}
    assert names == {"map-tradeoff.exponent-mutation.rate.png", "response-mutation.rate.png",
                     "response-tradeoff.exponent.png"}  # fmt: skip
    for name in names:
        pixels = matplotlib.image.imread(made / "pictures" / name)[..., :3]
        assert 0.02 < (pixels < 0.95).any(axis=2).mean() < 0.9


def test_the_report_command_takes_metrics_and_refuses_wrong_ones(made):
    def command(*words):
        return CliRunner().invoke(main, ["report", str(made), *words], prog_name="ecosim")

    told = json.loads(command("--metrics", "births,hill_1", "--json").stdout)
    assert len(told["pictures"]) == 3 and "hill_1" in (made / "report.html").read_text()
    wrong = command("--metrics", "hill_7")
    assert wrong.exit_code == 2 and "did you mean hill_" in wrong.stderr


def test_a_page_of_failures_only_says_so(tmp_path):
    given = sweep(grid={"tradeoff.exponent": [-1.0, -2.0]})
    carry_out(given, SweepFolder(tmp_path), Here())
    page = write_page(SweepResults(tmp_path)).read_text()
    assert "there is nothing to draw" in page and "greater than 0" in page


def final(**columns):
    return pd.DataFrame(columns)


def test_a_curve_is_the_mean_and_the_band_where_most_lie():
    rng = np.random.default_rng(0)
    x = np.repeat([1.0, 2.0, 3.0], 200)
    frame = final(key=x, y=x * 10 + rng.standard_normal(600))
    (ax,) = pictures.response(frame, ["y"], "key").axes
    (line,) = ax.lines
    assert np.allclose(line.get_ydata(), [10, 20, 30], atol=0.3)
    edges = ax.collections[0].get_paths()[0].vertices
    assert np.ptp(edges[edges[:, 0] == 2.0, 1]) == pytest.approx(2 * 1.645, abs=0.5)


def test_a_curve_for_each_value_of_another_key_and_words_as_places():
    frame = final(kind=["a", "b", "a", "b"], by=[1, 1, 2, 2], y=[1.0, 2.0, 3.0, 4.0])
    (ax,) = pictures.response(frame, ["y"], "kind", "by").axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 2], [3, 4]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b"]


def test_a_map_has_a_cell_for_each_pair_and_leaves_out_what_was_not_run():
    frame = final(a=[1, 2, 1], b=["x", "x", "y"], y=[1.0, 2.0, 3.0])
    values = pictures.heat(frame, ["y"], "a", "b").axes[0].collections[0].get_array()
    assert values.mask.tolist() == [[False, False], [False, True]]
    assert values.compressed().tolist() == [1, 2, 3]


def test_an_axis_that_was_sampled_is_put_in_classes():
    rng = np.random.default_rng(0)
    frame = final(a=rng.random(500), b=rng.random(500), y=rng.random(500))
    values = pictures.heat(frame, ["y"], "a", "b").axes[0].collections[0].get_array()
    assert values.shape == (12, 12)


def test_a_folder_whose_varied_key_changed_is_drawn(tmp_path):
    """Keys varied one at a time: a curve of each, no map; pictures of another time are gone."""
    folder = SweepFolder(tmp_path)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "map-of-old.png").touch()
    carry_out(sweep(grid={"tradeoff.exponent": [0.5, 2.5, 3.0]}), folder, Here())
    write_page(SweepResults(tmp_path))
    carry_out(sweep(grid={"mutation.rate": [0.2, 0.3, 0.4]}), folder, Here())
    write_page(SweepResults(tmp_path))
    found = status(tmp_path)
    assert found.others == found.done > 0
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["response-mutation.rate.png", "response-tradeoff.exponent.png"]


def test_keys_that_only_some_points_give_share_no_map():
    frame = final(a=[1.0, 2.0, None, None], b=[None, None, True, False], y=[1.0, 2.0, 3.0, 4.0])
    results = SimpleNamespace(keys=["a", "b"])
    assert [name for name, *_ in pictures.drawn(results, frame, ["y"])] == [
        "response a", "response b",
    ]  # fmt: skip
    frame = pd.concat([frame, final(a=[3.0, 3.0], b=[True, False], y=[5.0, 6.0])])
    found = {name: (text, figure) for name, text, figure in pictures.drawn(results, frame, ["y"])}
    text, figure = found["map a b"]
    assert "Without 4 runs" in text
    assert figure.axes[0].collections[0].get_array().compressed().tolist() == [6, 5]
    assert found["response a"][1].axes[0].lines[0].get_ydata().tolist() == [1, 2, 5.5]


def test_a_metric_that_is_undefined_everywhere_is_a_grey_map():
    frame = final(a=[1, 2], b=["x", "y"], y=[np.nan, np.nan])
    figure = pictures.heat(frame, ["y"], "a", "b")
    values = figure.axes[0].collections[0].get_array()
    assert values.shape == (2, 2) and values.mask.all()
    figure.savefig(os.devnull, format="png")
    pictures.response(frame, ["y"], "b").savefig(os.devnull, format="png")


def test_what_is_no_sweep_has_no_page(tmp_path):
    with pytest.raises(StoreError):
        write_page(SweepResults(tmp_path))


def test_a_sweep_ends_with_its_page_and_quiet_says_nothing_of_progress(tmp_path):
    words = ["sweep", "soft-selection", "--grid", "tradeoff.exponent=1,2", "--out", str(tmp_path),
             "--quiet", *(f"--set={key}={value}" for key, value in SMALL.items())]  # fmt: skip
    done = CliRunner().invoke(main, words, prog_name="ecosim")
    assert done.exit_code == 0 and done.stdout.strip() == str(tmp_path) and done.stderr == ""
    assert "2 of 2 runs done" in (tmp_path / "report.html").read_text()
    part = CliRunner().invoke(main, [*words, "--array-task", "1/2"], prog_name="ecosim")
    assert part.exit_code == 0
