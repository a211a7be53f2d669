import gc
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_simulation
import pytest
from click.testing import CliRunner

from ecosim.cli import main
from ecosim.errors import RunError
from ecosim.experiments.pictures import illustrate

SMALL = """
world = "ecology"
[about]
title = "Small"
question = "Does it run?"
[[expectation]]
metric = "breadth_mean"
direction = "below"
value = 1.5
[run]
steps = 60
[population]
size = 40
"""
WEB = "plant,ant,bee,fly\nx,3,0,1\ny,1,2,0\nz,0,4,2\n"


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """Run each test in an empty folder with one scenario, and the stand-in for the simulator."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "small.toml").write_text(SMALL)
    (tmp_path / "web.csv").write_text(WEB)
    fake_simulation.no_pictures(monkeypatch)
    return fake_simulation.install(monkeypatch)


def invoke(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def one_object(result):
    """Return the one JSON object on stdout, strictly parsed: no NaN."""

    def refuse(name):
        raise AssertionError(name)

    return json.loads(result.stdout, parse_constant=refuse)


def test_run_prints_start_and_end_verdict_and_paths(here):
    result = invoke("run", "small.toml")
    assert result.exit_code == 0, result.output
    for part in ("small: 60 steps, seed 0", "expectation met: breadth_mean below 1.5", "coverage",
                 "runs/small/", "report.html"):  # fmt: skip
        assert part in result.stdout
    assert "\x1b" not in result.output
    assert result.stderr == ""


def test_run_json_is_one_object_with_what_scripts_need(here):
    result = invoke("run", "small.toml", "--json", "--seed", 4)
    told = one_object(result)
    assert set(told) == {
        "run", "scenario", "seed", "steps", "result_digest", "final", "expectation", "reused",
        "wall_s",
    }  # fmt: skip
    assert (told["scenario"], told["seed"], told["steps"]) == ("small", 4, 60)
    assert {"breadth_mean", "coverage"} <= set(told["final"])
    assert len(told["result_digest"]) == 64 and told["reused"] is False
    assert told["expectation"][0]["met"] is True


def test_what_is_undefined_is_null(here):
    told = one_object(invoke("run", "small.toml", "run.steps=0", "--json"))
    assert told["final"]["overlap"] is None


def test_a_finished_run_is_reported_and_force_repeats_it(here):
    first = one_object(invoke("run", "small.toml", "--json"))
    again = invoke("run", "small.toml", "--json")
    assert one_object(again)["reused"] is True and len(here) == 1
    assert "already finished" in invoke("run", "small.toml").stderr
    forced = one_object(invoke("run", "small.toml", "--json", "--force"))
    assert forced["reused"] is False and forced["result_digest"] == first["result_digest"]


def test_overrides_and_seed_name_another_run(here):
    paths = {
        one_object(invoke("run", "small.toml", "--json", *more))["run"]
        for more in ((), ("--seed", 1), ("tradeoff.exponent=0.8",), ("run.seed=2",))
    }
    assert len(paths) == 4


def test_quiet_prints_the_path_alone(here):
    result = invoke("run", "small.toml", "--quiet", "--out", "elsewhere")
    assert result.stdout.startswith("elsewhere") and result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_expect_turns_a_missed_expectation_into_exit_1(here):
    missed = ("run", "small.toml", "expectation.0.value=0.5")
    assert invoke(*missed).exit_code == 0
    assert "expectation missed" in invoke(*missed).stdout
    assert invoke(*missed, "--expect").exit_code == 1
    assert invoke("run", "small.toml", "--expect").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "small.toml", "tradeof.exponent=2"), "tradeoff"),
        (("run", "small.toml", "niches.count=0"), "niches.count"),
        (("run", "small.toml", "tradeoff.exponent=nan"), "tradeoff.exponent"),
        (("run", "small.toml", "population.web=nowhere.csv"), "population.web"),
        (("run", "small.toml", "expectation.0.metric=breadth_meen"), "breadth_mean"),
        (("run", "nothing.toml"), "no such file"),
        (("run", "small.toml", "--out", "small.toml"), "choose another folder"),
        (("run", "small.toml", "--seed", "-1"), "--seed"),
        (("run", "small.toml", "--engine", "mesa", "--time-limit", "3"), "--time-limit"),
        (("run",), "SCENARIO"),
        (("nonsense",), "nonsense"),
        (("check", "small.toml", "niches.count=two"), "niches.count"),
        (("check",), "SCENARIO"),
        (("show", "small"), "no scenario with runs"),
        (("report", "small"), "no scenario with runs"),
        (("metrics", "nowhere.csv"), "nowhere.csv"),
        (("metrics", "small.toml"), "small.toml"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_wrong_usage_exits_with_2_and_writes_nothing(here, tmp_path, arguments, words, as_json):
    before = sorted(tmp_path.rglob("*"))
    result = invoke(*arguments, *["--json"] * as_json)
    assert result.exit_code == 2, result.output
    assert words in result.stderr
    assert sorted(tmp_path.rglob("*")) == before and here == []
    if as_json:
        told = one_object(result)
        assert set(told) == {"error", "problems"} and words in json.dumps(told)
    else:
        assert result.stdout == ""


def test_all_problems_of_a_scenario_are_told_at_once():
    result = invoke("check", "small.toml", "niches.count=0", "run.stepz=3", "--json")
    problems = one_object(result)["problems"]
    assert {problem["key"] for problem in problems} == {"niches.count", "run.stepz"}
    assert all(set(problem) == {"key", "given", "rule", "fix"} for problem in problems)


@pytest.mark.parametrize("error", [RunError("step 3: the stock is nan"), ZeroDivisionError("bug")])
def test_a_run_that_fails_exits_with_1(monkeypatch, error):
    def fail(*args, **options):
        raise error

    fake_simulation.install(monkeypatch, simulate=fail)
    result = invoke("run", "small.toml", "--json")
    assert result.exit_code == 1
    assert str(error) in one_object(result)["error"]
    # A mistake of ecosim's own shows where it is; a broken run does not need to.
    assert ("Traceback" in result.stderr) == isinstance(error, ZeroDivisionError)


def test_a_time_limit_exits_with_3_and_the_same_command_continues(here):
    limited = invoke("run", "small.toml", "--time-limit", "1e-9")
    assert limited.exit_code == 3 and limited.stdout == ""
    assert "the same command continues" in limited.stderr
    told = one_object(invoke("run", "small.toml", "--time-limit", "1e-9", "--json"))
    assert told["checkpoint"].endswith(".checkpoint") and told["steps"] == 60
    assert invoke("run", "small.toml").exit_code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 3), (signal.SIGINT, 130)])
def test_signals_save_a_checkpoint(monkeypatch, tmp_path, number, code):
    def simulate(given, **options):
        os.kill(os.getpid(), number)
        return fake_simulation.simulate(given, **options)

    fake_simulation.install(monkeypatch, simulate=simulate)
    before = signal.getsignal(number)
    result = invoke("run", "small.toml")
    assert result.exit_code == code, result.output
    assert len(list(tmp_path.glob("runs/small/*.checkpoint"))) == 1
    assert signal.getsignal(number) is before


def test_a_second_interrupt_ends_at_once(monkeypatch, tmp_path):
    def simulate(given, **options):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    fake_simulation.install(monkeypatch, simulate=simulate)
    result = invoke("run", "small.toml")
    assert result.exit_code == 130 and not (tmp_path / "runs").exists()


def test_check_names_the_run_and_prints_what_is_asked(here):
    told = one_object(invoke("check", "small.toml", "--json"))
    assert told["valid"] is True and told["resolved"]["niches"]["count"] == 8
    assert told["digest"] in invoke("check", "small.toml").stdout
    assert one_object(invoke("check", "--schema"))["title"] == "ecosim scenario"
    resolved = invoke("check", "small.toml", "--toml").stdout
    Path("again.toml").write_text(resolved)
    assert one_object(invoke("check", "again.toml", "--json"))["digest"] == told["digest"]


def test_scenarios_lists_what_ships(monkeypatch, tmp_path):
    monkeypatch.setattr("ecosim.scenario.shipped.folder", lambda: tmp_path)
    (found,) = one_object(invoke("scenarios", "--json"))["scenarios"]
    expected = {"name": "small", "world": "ecology", "title": "Small", "question": "Does it run?"}
    assert found == expected
    assert "Does it run?" in invoke("scenarios").stdout


def test_runs_show_and_report_find_a_run_by_folder_and_by_name(here):
    assert invoke("runs").stdout == "" and invoke("runs").exit_code == 0
    assert one_object(invoke("runs", "--json")) == {"runs": []}
    made = one_object(invoke("run", "small.toml", "--json"))
    (listed,) = one_object(invoke("runs", "--json"))["runs"]
    assert listed["run"] == made["run"] and listed["met"] == [True]
    assert made["run"] in invoke("runs").stdout
    for name in ("small", made["run"]):
        shown = one_object(invoke("show", name, "--json"))
        assert shown["result_digest"] == made["result_digest"]
        assert shown["manifest"]["engine"] == "headless"
    assert "Living agents" in invoke("show", "small").stdout
    assert "did you mean small?" in invoke("show", "smal").stderr


def test_a_broken_run_is_named(here):
    made = one_object(invoke("run", "small.toml", "--json"))
    os.unlink(os.path.join(made["run"], "metrics.parquet"))
    result = invoke("show", made["run"])
    assert result.exit_code == 2 and "not a finished run" in result.stderr


def test_report_makes_the_pictures_again(monkeypatch, here):
    made = one_object(invoke("run", "small.toml", "--json"))
    monkeypatch.setattr("ecosim.experiments.pictures.illustrate", illustrate)
    path = invoke("report", made["run"]).stdout.strip()
    assert path == os.path.join(made["run"], "report.html") and os.path.getsize(path) > 50_000
    assert set(one_object(invoke("report", made["run"], "--json"))) == {"run", "report", "figure"}


def test_a_run_without_pictures_is_drawn_later(monkeypatch, here):
    """And is told so: where its report would be there is the command that makes it."""
    plain = invoke("run", "small.toml", "--no-pictures")
    (folder,) = (line.split()[1] for line in plain.stdout.splitlines() if line.startswith("run "))
    assert f"none: ecosim report {folder}" in plain.stdout
    assert not {"figure.png", "report.html"} & set(os.listdir(folder))
    monkeypatch.setattr("ecosim.experiments.pictures.illustrate", illustrate)
    assert invoke("report", folder).exit_code == 0
    assert {"figure.png", "report.html"} <= set(os.listdir(folder))
    os.remove(os.path.join(folder, "report.html"))
    assert f"report  {os.path.join(folder, 'report.html')}" in invoke("run", "small.toml").stdout
    assert os.path.exists(os.path.join(folder, "report.html"))


def test_a_command_hardly_looks_for_garbage():
    """What it loads is none: looked for as often as by default it was a fifth of a small run."""
    code = (
        "import atexit, gc, ecosim.__main__ as command\n"
        "command.main = lambda prog_name: print(gc.get_threshold()[0])\n"
        "command.start()\n"
        "atexit._run_exitfuncs()\n"
        "print(gc.get_freeze_count() > 1000)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, frozen = told.stdout.splitlines()
    assert frozen == "True"
    assert int(first) > gc.get_threshold()[0]


def test_metrics_measures_any_web(here):
    told = one_object(invoke("metrics", "web.csv", "--json"))
    assert {"h2", "nodf", "modularity"} <= set(told)
    assert [entry["species"] for entry in told["per_species"]] == ["ant", "bee", "fly"]
    assert all("d" in entry for entry in told["per_species"])
    text = invoke("metrics", "web.csv").stdout
    assert "nodf" in text and "bee" in text


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell):
    result = invoke("completion", shell)
    assert result.exit_code == 0 and "_ECOSIM_COMPLETE" in result.stdout
    assert invoke("completion", "tcsh").exit_code == 2


HEAVY = (
    "jax", "mesa", "pandas", "scipy", "matplotlib", "pydantic", "networkx", "numpy", "pyarrow",
    "optax", "rich", "jinja2", "distributed", "dask", "dask_jobqueue", "optuna", "polars", "xarray",
    "SALib",
)  # fmt: skip


def python(code, *arguments, **options):
    command = [sys.executable, "-c", code, *arguments]
    options.setdefault("timeout", 60)
    return subprocess.run(command, capture_output=True, text=True, **options)


LOADED = f"""
import sys
from ecosim.cli import main
try:
    main(sys.argv[1:], "ecosim")
except SystemExit as done:
    assert not done.code, done.code
loaded = [name for name in {HEAVY} if name in sys.modules]
print("loaded:", *loaded, file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["run", "--help"], set()),
        (["metrics", "--help"], set()),
        (["completion", "bash"], set()),
        (["scenarios"], {"pydantic", "rich"}),
    ],
)
def test_quick_commands_import_nothing_heavy(arguments, allowed):
    result = python(LOADED, *arguments)
    assert result.returncode == 0, result.stderr
    assert set(result.stderr.split("loaded:")[1].split()) <= allowed


def test_a_run_imports_only_what_it_needs(tmp_path):
    words = ["run", "soft-selection", "population.size=20", "run.steps=2", "-q"]
    words += ["--out", str(tmp_path)]
    needed = {"pydantic", "numpy", "pandas", "pyarrow"}
    for first in (True, False):  # computed and drawn, then found finished
        # The second time without -q, as its summary must not load more either.
        result = python(LOADED, *(words if first else words[:4] + words[5:]), timeout=300)
        assert result.returncode == 0, result.stderr
        loaded = set(result.stderr.split("loaded:")[1].split())
        assert loaded <= needed | ({"jax", "matplotlib", "jinja2"} if first else {"rich"})


def test_help_answers_at_once():
    def wall():
        began = time.perf_counter()
        python("from ecosim.cli import main; main(['--help'])")
        return time.perf_counter() - began

    assert min(wall() for _ in range(5)) < 0.3


LIVE = """
import sys, time
sys.path.insert(0, {tests!r})
import fake_simulation
class Patch:
    setitem = staticmethod(lambda where, key, value: where.__setitem__(key, value))
    setattr = staticmethod(lambda where, value: None)
def simulate(given, progress=None, **options):
    if progress:
        progress(30, 60, dict(population=1234.0, breadth_mean=2.5, coverage=0.5))
        time.sleep(0.3)
    return fake_simulation.simulate(given, **options)
fake_simulation.install(Patch, simulate=simulate)
from ecosim.cli import main
main(["run", "small.toml", "--force"], "ecosim")
"""


def on_a_terminal(code, **environment):
    """Run code with stderr on a terminal of its own; return (stdout, what the terminal got)."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
    )  # fmt: skip
    os.close(slave)
    seen = b""
    try:
        while part := os.read(master, 4096):
            seen += part
    except OSError:  # the other end is closed
        pass
    stdout = process.communicate(timeout=60)[0]
    os.close(master)
    assert process.returncode == 0, seen
    return stdout.decode(), seen.decode()


def test_a_terminal_sees_a_live_bar_with_n_breadth_and_coverage():
    code = LIVE.format(tests=os.path.dirname(__file__))
    stdout, seen = on_a_terminal(code)
    assert "N 1,234  breadth 2.50  coverage 0.50" in seen and "\x1b[" in seen
    assert "\x1b" not in stdout
    assert on_a_terminal(code, NO_COLOR="1")[1] == ""


def test_a_reader_that_leaves_early_is_no_failure_to_explain():
    code = LIVE.format(tests=os.path.dirname(__file__)).replace('"--force"', '"--json"')
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait(timeout=60) == 1


class TestTheRealSimulator:
    """The commands as a shell runs them."""

    def test_a_run_that_is_stopped_goes_on_to_the_same_digest(self, tmp_path):
        def start(*more):
            return subprocess.Popen(
                [sys.executable, "-m", "ecosim.cli", "run", "small.toml", "run.steps=20000",
                 "record.every=1000", "--json", *more],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip

        process = start("--out", "parts", "--time-limit", "0.01")
        assert json.loads(process.communicate(timeout=120)[0])["step"] < 20_000
        assert process.returncode == 3
        digests = set()
        for out in ("parts", "whole"):
            process = start("--out", out)
            digests.add(json.loads(process.communicate(timeout=300)[0])["result_digest"])
            assert process.returncode == 0
        assert len(digests) == 1
