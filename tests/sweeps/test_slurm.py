"""A sweep through a real Slurm, one of whose jobs is cancelled midway."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from ecosim.sweeps.folder import SweepFolder

pytestmark = pytest.mark.slurm
WAIT = 400  # seconds after which a test that waits has failed


def reason():
    """Return why there is no Slurm to use, or nothing."""
    if os.environ.get("ECOSIM_CI_SLURM") == "0":
        return "ECOSIM_CI_SLURM=0"
    if shutil.which("sbatch") is None or shutil.which("scancel") is None:
        return "no Slurm is installed; as root on Debian, `.ci/slurm.sh start` installs one"
    try:
        told = subprocess.run(["sinfo", "-h", "-o", "%T"], capture_output=True, text=True,
                              timeout=20)  # fmt: skip
    except subprocess.TimeoutExpired:
        return "Slurm does not answer"
    states = set(told.stdout.split())
    if not states & {"idle", "mixed", "allocated"}:
        return "no node of Slurm is up; `.ci/slurm.sh start` starts one"
    return ""


@pytest.fixture(autouse=True)
def slurm():
    # Asked when a test begins: other test runs must not wait for Slurm while they collect.
    why = reason()
    if why:
        pytest.skip(why)


def jobs_of(folder):
    """Return the numbers of the running jobs that log into a sweep's folder."""
    listed = subprocess.run(["squeue", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True)
    found = []
    for job in listed.stdout.split():
        told = subprocess.run(["scontrol", "show", "job", job], capture_output=True, text=True)
        if str(folder) in told.stdout:
            found.append(job)
    return found


def until(condition, client):
    end = time.monotonic() + WAIT
    while not (found := condition()):
        assert client.poll() is None, "the sweep ended before the test interfered"
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
    return found


def test_a_cancelled_job_costs_nothing_but_time(tmp_path):
    folder = SweepFolder(tmp_path / "sweep")
    config = tmp_path / "cluster.toml"
    config.write_text('[slurm]\nmemory = "1500MB"\nwalltime = "00:30:00"\n')
    words = ["sweep", "soft-selection", "--grid", "tradeoff.exponent=0.5:2:6", "--replicates", "8",
             "--batch", "2", "--set", "run.steps=6", "--set", "population.size=40", "--slurm",
             "--workers", "2", "--cluster-config", str(config), "--out", str(folder.path),
             "--json"]  # fmt: skip
    client = subprocess.Popen([sys.executable, "-m", "ecosim.cli", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=tmp_path)  # fmt: skip
    try:
        until(lambda: len(folder.batch_files()) >= 2, client)
        job = until(lambda: jobs_of(folder.path), client)[0]
        done = len(folder.done())
        subprocess.run(["scancel", "--signal=KILL", "--full", job], check=True)
        subprocess.run(["scancel", job], check=True)
        out, err = client.communicate(timeout=WAIT)
    finally:
        client.kill()
        client.communicate()
    assert done < 48, "the job was cancelled too late to tell anything"
    assert client.returncode == 0, err
    counts = json.loads(out)
    assert (counts["done"], counts["missing"], counts["failed"]) == (48, 0, 0)
    assert len(folder.done()) == 48
    assert "48 of 48 runs are missing" in err and "INFO" not in err
    end = time.monotonic() + 60
    while jobs_of(folder.path):  # the workers' jobs end with the client
        assert time.monotonic() < end
        time.sleep(0.5)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cluster.toml", "sweep"]
