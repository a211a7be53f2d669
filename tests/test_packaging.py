"""What is shipped: the pins, the wheel, and the command as installed outside the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
HASHES = re.compile(r"( --hash=sha256:[0-9a-f]{64})+")
JSON_KEYS = {"run", "scenario", "seed", "steps", "result_digest", "final", "expectation"}


def requirement_lines(path: Path) -> list[str]:
    """The lines of a requirement file, continued lines joined and comments left out."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", "", text)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def pins(name: str) -> dict[str, Version]:
    """The version that a requirement file pins for each distribution."""
    found = {}
    for line in requirement_lines(ROOT / "requirements" / name):
        requirement = Requirement(line.split(" --hash=")[0])
        (pin,) = requirement.specifier
        assert pin.operator == "==", line[:60]
        found[canonicalize_name(requirement.name)] = Version(pin.version)
    return found


def test_the_files_to_install_from_exist():
    assert {"run.txt", "dev.txt"} <= {path.name for path in LOCKED}


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_every_requirement_is_pinned_and_hashed(path):
    lines = requirement_lines(path)
    assert lines
    for line in lines:
        requirement, _, _ = line.partition(" --hash=")
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==\S+( ; .+)?$", requirement), line[:80]
        assert HASHES.fullmatch(line.removeprefix(requirement)), line[:80]


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.name)
def test_no_requirement_file_names_a_place(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert "://" not in line and "http" not in line.lower(), line
        assert "index" not in line.lower() and "--find-links" not in line, line
        assert not re.search(r"(^|\s)(/|[A-Za-z]:\\)\w", line), f"an absolute path: {line}"


def test_what_is_pinned_is_what_the_project_asks_for():
    pinned = pins("run.txt")
    wanted = PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]
    for requirement in map(Requirement, wanted):
        assert pinned[canonicalize_name(requirement.name)] in requirement.specifier, requirement


def test_development_runs_on_the_versions_that_users_run_on():
    development = pins("dev.txt")
    for name, version in pins("run.txt").items():
        assert development[name] == version, name
    for requirement in map(Requirement, PROJECT["dependency-groups"]["dev"]):
        assert development[canonicalize_name(requirement.name)] in requirement.specifier


def test_the_interpreter_is_one_that_the_project_allows():
    version = (ROOT / ".python-version").read_text(encoding="utf-8").strip()
    assert re.fullmatch(r"3\.12(\.\d+)?", version)
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(version)


def test_the_one_command_of_ci_is_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_results_of_runs_are_ignored_but_their_description_is_not():
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert lines.index("/runs/*") < lines.index("!/runs/README.md")
    assert (ROOT / "runs" / "README.md").is_file()


@dataclass(frozen=True)
class Installed:
    """An environment outside the checkout that holds the wheel."""

    bin: Path
    site: Path
    cwd: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment in a folder that has nothing to do with the checkout."""
        unwanted = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
        environment = {key: value for key, value in os.environ.items() if key not in unwanted}
        return subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )


def run_tool(*arguments: str) -> None:
    """Run a module of the running interpreter; its output is the message when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The source distribution and the wheel, which is built from the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    run_tool("build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    return folder


@pytest.fixture(scope="module")
def wheel(built) -> Path:
    (found,) = built.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    folder = tmp_path_factory.mktemp("elsewhere")
    assert not folder.is_relative_to(ROOT)
    venv.create(folder / "venv", with_pip=False)
    scheme = sysconfig.get_preferred_scheme("prefix")
    base = {"base": str(folder / "venv"), "platbase": str(folder / "venv")}
    paths = {name: Path(sysconfig.get_path(name, scheme, base)) for name in ("purelib", "scripts")}
    python = str(paths["scripts"] / "python")
    run_tool(
        *("pip", "--python", python, "--disable-pip-version-check"),
        *("install", "--no-deps", "--no-index", str(wheel)),
    )
    # Only now what ecosim needs, from the running environment: pip has to find no ecosim in it. A
    # folder named in a .pth file has its own .pth files ignored, so an editable install of this
    # checkout does not come along; and it comes after the folder that holds the wheel.
    needed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (paths["purelib"] / "needed.pth").write_text("\n".join(sorted(needed)), encoding="utf-8")
    cwd = folder / "cwd"
    cwd.mkdir()
    return Installed(bin=paths["scripts"], site=paths["purelib"], cwd=cwd)


def shipped() -> dict[str, bytes]:
    """The scenarios, sweeps and calibrations of the checkout by their place in the folder."""
    folder = ROOT / "scenarios"
    paths = folder.rglob("*.toml")
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    assert found
    return found


@pytest.mark.install
@pytest.mark.slow
def test_the_wheel_holds_every_shipped_scenario(wheel):
    folder = "ecosim/_scenarios/"
    with zipfile.ZipFile(wheel) as archive:
        held = {
            name.removeprefix(folder): archive.read(name)
            for name in archive.namelist()
            if name.startswith(folder) and name.endswith(".toml")
        }
    assert held == shipped()


@pytest.mark.install
@pytest.mark.slow
def test_the_wheel_holds_every_module_the_type_marker_and_the_licence(wheel):
    version = PROJECT["project"]["version"]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(f"ecosim-{version}.dist-info/METADATA").decode()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ecosim").rglob("*.py")}
    assert modules <= names
    assert "ecosim/py.typed" in names
    assert f"ecosim-{version}.dist-info/licenses/LICENSE" in names
    assert "License-Expression: Apache-2.0\n" in metadata
    assert {name.split("/")[0] for name in names} == {"ecosim", f"ecosim-{version}.dist-info"}


@pytest.mark.install
@pytest.mark.slow
def test_the_source_distribution_holds_the_scenarios_and_no_results(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {f"scenarios/{name}" for name in shipped()} <= names
    assert [name for name in names if name.startswith("runs/")] == ["runs/README.md"]


@pytest.mark.install
@pytest.mark.slow
def test_the_installed_package_is_the_one_of_the_wheel(installed):
    done = installed.run("python", "-c", "import ecosim; print(ecosim.__file__)")
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed.site)


@pytest.mark.install
@pytest.mark.slow
def test_the_installed_command_lists_the_shipped_scenarios(installed):
    done = installed.run("ecosim", "scenarios")
    assert done.returncode == 0, done.stderr
    for name in (name for name in shipped() if "/" not in name):
        assert Path(name).stem in done.stdout


@pytest.mark.install
@pytest.mark.slow
def test_the_installed_command_runs_a_shipped_scenario(installed, tmp_path):
    done = installed.run(
        *("ecosim", "run", "adaptive-radiation", "run.steps=5"),
        *("--seed", "1", "--out", str(tmp_path), "--json"),
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert set(result) >= JSON_KEYS
    assert result["scenario"] == "adaptive-radiation"
    assert (result["seed"], result["steps"]) == (1, 5)
    (manifest,) = tmp_path.rglob("manifest.json")
    assert json.loads(manifest.read_text(encoding="utf-8"))
    assert not list(installed.cwd.iterdir()), "a run with --out writes there and nowhere else"
