"""What the manual tells administrators to copy does what it says, as far as that shows here."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecosim.cli import main
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.jobqueue import Jobs, options, read

ROOT = Path(__file__).resolve().parents[2]
MANUAL = (ROOT / "docs" / "clusters.md").read_text()
RECIPE = (ROOT / "containers" / "ecosim.def").read_text()


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", MANUAL, re.DOTALL)
    return found


def command_on_path(folder):
    """Put an `ecosim` of this tree on a path of its own."""
    folder.mkdir()
    script = folder / "ecosim"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ecosim.cli "$@"\n')
    script.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def test_every_option_in_the_manual_exists():
    told = set(re.findall(r"--[a-z][a-z-]+", re.sub(r"```.*?```", "", MANUAL, flags=re.DOTALL)))
    others = {"--scheduler-file", "--nthreads", "--bind", "--nv"}  # of dask and of apptainer
    texts = [
        CliRunner().invoke(main, words, prog_name="ecosim").stdout
        for words in (["sweep", "run", "-h"], ["sweep", "plan", "-h"], ["clean", "-h"])
    ]
    known = {word for text in texts for word in re.findall(r"--[a-z][a-z-]+", text)}
    assert told - others <= known


def test_the_example_configuration_is_valid(tmp_path):
    path = tmp_path / "cluster.toml"
    path.write_text(block("toml"))
    jobs = read(path, "slurm")
    assert set(tomllib.loads(block("toml"))["slurm"]) <= set(Jobs.__dataclass_fields__)
    given = options("slurm", jobs, tmp_path)
    assert (given["queue"], given["interface"]) == ("short", "ib0")


@pytest.mark.slow
def test_the_job_array_makes_the_whole_sweep(tmp_path):
    script = tmp_path / "array.sh"
    script.write_text(block("bash"))
    (tmp_path / "sweep.toml").write_text(
        'scenario = "soft-selection"\nreplicates = 20\n'
        '[set]\n"run.steps" = 4\n"population.size" = 40\n'
    )
    env = os.environ | {"PATH": command_on_path(tmp_path / "bin")}
    for task in ("1", "20"):
        env["SLURM_ARRAY_TASK_ID"] = task
        done = subprocess.run(["bash", "-eu", str(script)], cwd=tmp_path, env=env, text=True,
                              capture_output=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "1 of 1 runs" in done.stdout
    assert len(SweepFolder(tmp_path / "results").done()) == 2


@pytest.mark.slow
def test_the_line_of_the_snakemake_rule_runs_a_part(tmp_path):
    (line,) = re.findall(r'shell: "(.*)"', block("python"))
    (tmp_path / "sweep.toml").write_text(
        'scenario = "soft-selection"\nreplicates = 20\n'
        '[set]\n"run.steps" = 4\n"population.size" = 40\n'
    )
    env = os.environ | {"PATH": command_on_path(tmp_path / "bin")}
    words = line.replace("{wildcards.part}", "7") + " --json"
    done = subprocess.run(["bash", "-euc", words], cwd=tmp_path, env=env, capture_output=True)
    assert json.loads(done.stdout)["done"] == 1, done.stderr


def section(name):
    (found,) = re.findall(rf"^%{name}\n(.*?)(?=^%|\Z)", RECIPE, re.DOTALL | re.MULTILINE)
    return found.strip("\n")


def test_the_container_copies_what_is_there_and_what_the_build_needs():
    pairs = [line.split() for line in section("files").splitlines()]
    assert all((ROOT / source).exists() for source, _ in pairs)
    copied = {source for source, _ in pairs}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needed = {project["project"]["readme"], *project["project"]["license-files"],
              *project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
              *project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]}  # fmt: skip
    assert needed | {"pyproject.toml", "requirements"} <= copied


@pytest.mark.parametrize("name", ["post", "environment", "runscript", "test"])
def test_the_scripts_of_the_container_are_shell(name):
    shell = shutil.which("dash") or shutil.which("sh")
    checked = subprocess.run([shell, "-n"], input=section(name), text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_what_the_container_runs_exists():
    assert (ROOT / re.search(r"-r (\S+)", section("post"))[1]).is_file()
    for line in section("test").splitlines():
        words = line.split()[1:]
        assert CliRunner().invoke(main, words, prog_name="ecosim").exit_code == 0, words
    told = subprocess.run(
        ["sh", "-c", f'{section("environment")}\necho "$ECOSIM_CACHE"'], text=True,
        capture_output=True, env={"PATH": os.environ["PATH"], "TMPDIR": "/scratch"},
    )  # fmt: skip
    assert told.stdout.strip() == "/scratch/ecosim-cache"
