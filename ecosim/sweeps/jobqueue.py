"""Workers as jobs of a cluster's queue: Slurm, PBS, LSF or SGE, through dask-jobqueue."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario.numbers import CONFIG, Natural, Text, Whole
from ecosim.scenario.problems import problems_of
from ecosim.sweeps.cluster import Cluster, Told, dashboard, settings
from ecosim.sweeps.environment import worker_environment
from ecosim.sweeps.submission import Submissions, job_class

if TYPE_CHECKING:
    from distributed import Client

SYSTEMS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}
_MARGIN = 60  # seconds before the walltime at which a worker ends by itself
_GPU = {"slurm": "--gres=gpu:{}", "pbs": "-l ngpus={}", "lsf": "-gpu num={}", "sge": "-l gpu={}"}


@dataclass(frozen=True, config=CONFIG)
class Jobs:
    """What each job of the queue asks for; every job is one worker, so with one GPU at most.

    `prologue` are lines of the job script before the worker begins (module load ...); `extra` are
    further directives as the queue system writes them, one a string.
    """

    queue: Text = ""
    account: Text = ""
    walltime: Text = "01:00:00"
    memory: Text = "4GB"
    cores: Whole = 1
    gpus: Natural = 0
    interface: Text = ""
    prologue: tuple[Text, ...] = ()
    extra: tuple[Text, ...] = ()
    python: Text = ""


def read(path: str | os.PathLike[str] | None, system: str) -> Jobs:
    """Return what jobs ask for: the table of a system in a TOML file, or the defaults.

    Raises:
        ScenarioError: the file cannot be read, or keys of it are wrong.

    """
    if path is None:
        return Jobs()
    try:
        tables = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError([Problem("", str(path), f"cannot be read: {error}")]) from None
    if system not in tables:
        there = ", ".join(f"[{name}]" for name in tables) or "no table"
        rule = f"has no table of the queue that was asked for; it has {there}"
        fix = f"write [{system}] above what its jobs ask for, or leave --cluster-config out"
        raise ScenarioError([Problem(f"[{system}]", "", rule, fix)], str(path))
    raw = tables[system]
    for key in ("prologue", "extra"):
        if isinstance(raw, dict) and isinstance(raw.get(key), list):
            raw[key] = tuple(raw[key])
    try:
        jobs: Jobs = TypeAdapter(Jobs).validate_python(raw)
    except ValidationError as error:
        raise ScenarioError(problems_of(error), f"{path} [{system}]") from None
    seconds(jobs.walltime)
    if jobs.gpus > 1:
        rule = "every job is one worker, which uses one GPU; ask for more --workers instead"
        raise ScenarioError([Problem("gpus", str(jobs.gpus), rule)], f"{path} [{system}]")
    return jobs


def seconds(walltime: str) -> int:
    """Return the seconds of a walltime: [D-]HH:MM:SS, HH:MM or minutes.

    Raises:
        ScenarioError: it is written otherwise.

    """
    days, _, clock = walltime.rpartition("-")
    try:
        parts = [int(part) for part in clock.split(":")]
        day = int(days) if days else 0
    except ValueError:
        parts = []
    if not 1 <= len(parts) <= 3:
        raise ScenarioError([Problem("walltime", walltime, "is written HH:MM:SS or D-HH:MM:SS")])
    if len(parts) == 1:
        parts = [0, parts[0]]
    hours, minutes, rest = (*parts, 0)[:3]
    return ((day * 24 + hours) * 60 + minutes) * 60 + rest


def queued(system: str, jobs: Jobs, workers: int, tell: Told = lambda text: None) -> Cluster:
    """Return an engine of so many jobs in a cluster's queue; a job that ends is replaced.

    Where the queue takes no job at all, computing ends with its words.
    """
    submissions = Submissions()

    @contextlib.contextmanager
    def started(folder: Path) -> Iterator[Client]:
        from distributed import Client

        make = _cluster_class(system)
        chosen = options(system, jobs, folder)
        chosen = {**chosen, "job_cls": job_class(make.job_cls, submissions)}
        with settings(), make(**chosen) as cluster:
            try:
                # A job that was cancelled or reached its walltime is asked for again.
                cluster.adapt(minimum_jobs=workers, maximum_jobs=workers, interval="2s")
                with Client(cluster) as client:
                    yield client
            finally:
                submissions.closing = True

    def trouble() -> str | None:
        words = submissions.trouble()
        if words is None:
            return None
        fix = f"correct [{system}] of --cluster-config (queue, account, walltime, memory, extra)"
        return f"--{system}: the queue refuses the jobs of the workers: {words}; {fix}"

    return Cluster(started, workers, tell, trouble=trouble)


def _cluster_class(system: str) -> Any:
    """Return the class of dask-jobqueue; a ScenarioError where it, or the queue, is not here."""
    try:
        import dask_jobqueue
    except ImportError:
        fix = "pip install dask-jobqueue"
        problem = Problem(f"--{system}", "", "needs the package dask-jobqueue", fix)
        raise ScenarioError([problem], "sweep") from None
    found = getattr(dask_jobqueue, SYSTEMS[system])
    command = shlex.split(found.job_cls.submit_command)[0]
    if shutil.which(command) is None:
        rule = f"hands jobs in with {command}, which is not on this machine's PATH"
        fix = "begin the sweep where jobs are handed in, on a login node"
        raise ScenarioError([Problem(f"--{system}", "", rule, fix)], "sweep")
    return found


def options(system: str, jobs: Jobs, folder: Path) -> Mapping[str, Any]:
    """Return the arguments of the cluster's class of dask-jobqueue."""
    exports = [
        f"export {name}={shlex.quote(value)}" for name, value in worker_environment().items()
    ]
    extra = list(jobs.extra)
    if jobs.gpus:
        extra.append(_GPU[system].format(jobs.gpus))
    lifetime = max(seconds(jobs.walltime) - _MARGIN, 30)
    chosen: dict[str, Any] = {
        "cores": jobs.cores,
        "processes": 1,
        "memory": jobs.memory,
        "walltime": jobs.walltime,
        "job_extra_directives": extra,
        "job_script_prologue": [*exports, *jobs.prologue],
        # A worker takes one batch at a time, and ends in time to hand its work back.
        "worker_extra_args": ["--nthreads", "1", "--lifetime", f"{lifetime}s"],
        "log_directory": str(folder / "logs"),
        "python": jobs.python or sys.executable,
        "scheduler_options": dashboard("127.0.0.1"),
    }
    for name, value in (("queue", jobs.queue), ("account", jobs.account),
                        ("interface", jobs.interface)):  # fmt: skip
        if value:
            chosen[name] = value
    if system == "sge":
        chosen.pop("account", None)
    return chosen
