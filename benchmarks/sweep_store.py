"""Bytes on disk and seconds to read of a large sweep's results, made up through the real writer.

    python benchmarks/sweep_store.py [--runs 10000] [--steps 1000] [--metrics 30] [--noise]

One batch of 64 real runs is computed and written again and again under new names, which no
compression sees through: each file stands for itself. With --noise all digits of all metrics are
random in place of it: the worst there can be. Wanted at the default size: below 2 GB, and below
2 s for one metric over all runs.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.points import Point
from ecosim.sweeps.tables import RUNS, write_table

PER_FILE = 64  # runs of a file, as sweeps write them
REPLICATES = 20

_READ = """
import sys, time
import ecosim
import ecosim.sweeps.results, pyarrow.dataset  # loaded before the clock starts
began, worked = time.perf_counter(), time.process_time()
sweep = ecosim.load_sweep(sys.argv[1])
{code}
spent, worked = time.perf_counter() - began, time.process_time() - worked
lines = open("/proc/self/status").read().splitlines()  # getrusage tells the parent's peak too
peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
print(f"{{spent:.2f}} s, {{worked:.2f}} s of processor, {{len(table):,}} rows, "
      f"peak of the process {{peak:,.0f}} MiB")
"""
_READS = {
    "one metric, all records": 'table = sweep.metric("breadth_mean")',
    "one metric, values left out": 'table = sweep.metric("breadth_mean", values=False)',
    "one metric, one point": 'table = sweep.metric("breadth_mean", points=[sweep.points.index[0]])',
    "one metric, at the end": 'table = sweep.final("breadth_mean")',
    "one metric, mean of the last tenth": 'table = sweep.final("breadth_mean", window=0.1)',
    "three metrics, summary": 'table = sweep.summary("breadth_mean", "coverage", "population")',
}


def real_columns(steps: int, metrics: int) -> list[dict[str, np.ndarray]]:
    """Return what 64 real runs of a thousand agents recorded."""
    from ecosim.batch import run_batch
    from ecosim.scenario import read

    scenario = read("adaptive-radiation").replace(
        population__size=1000, run__steps=steps - 1, record__every=1
    )
    found = run_batch([scenario] * PER_FILE, list(range(PER_FILE)))
    columns = []
    for run in found:
        assert isinstance(run, dict), run
        names = ["step", *[name for name in run if name != "step"][:metrics]]
        columns.append({name: run[name] for name in names})
    return columns


def random_columns(steps: int, metrics: int) -> list[dict[str, np.ndarray]]:
    """Return metrics whose every digit is random."""
    names = ["breadth_mean", "coverage", "population", *(f"m{i}" for i in range(metrics - 3))]
    rng = np.random.default_rng(1)
    return [
        {"step": np.arange(steps)} | {name: rng.random(steps) for name in names}
        for _ in range(PER_FILE)
    ]


def make_up(folder: SweepFolder, runs: int, columns: list[dict[str, np.ndarray]]) -> None:
    """Write a sweep of so many runs."""
    folder.make()
    folder.write_manifest({"name": "made-up", "scenario": "adaptive-radiation"})
    points = [
        Point(hashlib.sha256(str(i).encode()).hexdigest()[:16],
              {"tradeoff.exponent": 0.5 + i / 1000, "mutation.rate": i % 7 / 10})
        for i in range(-(-runs // REPLICATES))
    ]  # fmt: skip
    folder.write_points(points)
    rng = np.random.default_rng(0)
    rows = len(columns[0]["step"])
    joined = {name: np.concatenate([c[name] for c in columns]) for name in columns[0]}
    ids = []
    for first in range(0, runs, PER_FILE):
        numbers = range(first, min(first + PER_FILE, runs))
        seeds = rng.integers(0, 2**63, len(numbers))
        names = [points[n // REPLICATES].digest for n in numbers]
        cut = len(numbers) * rows
        table = pa.table({
            "point": pa.array(np.repeat(names, rows), pa.string()),
            "replicate": pa.array(np.repeat([n % REPLICATES for n in numbers], rows), pa.int32()),
            "seed": pa.array(np.repeat(seeds, rows), pa.int64()),
            **{name: pa.array(values[:cut]) for name, values in joined.items()},
        })  # fmt: skip
        of_file = [f"{name}-{seed}" for name, seed in zip(names, seeds, strict=True)]
        ids += of_file
        table = table.replace_schema_metadata({RUNS: json.dumps(of_file).encode()})
        write_table(folder.path / "batches" / f"{first:016x}.parquet", table)
    folder.write_asked(dict.fromkeys(ids, 1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--metrics", type=int, default=30)
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--keep", type=Path, help="write here and keep it")
    parser.add_argument("--compact", action="store_true", help="read again after compaction")
    given = parser.parse_args()
    make = random_columns if given.noise else real_columns
    columns = make(given.steps, given.metrics)
    there = len(columns[0]) - 1
    root = given.keep or Path(tempfile.mkdtemp(prefix="ecosim-store-"))
    try:
        folder = SweepFolder(root / "sweep")
        began = time.perf_counter()
        make_up(folder, given.runs, columns)
        print(f"{given.runs:,} runs x {given.steps:,} records x {there} metrics")
        print(f"written in {time.perf_counter() - began:.1f} s")
        report(folder)
        if given.compact:
            from ecosim.sweeps.compaction import compact

            began = time.perf_counter()
            before, after = compact(folder)
            print(f"\n{before} files made {after} in {time.perf_counter() - began:.1f} s")
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            print(f"peak of this process {peak:.2f} GiB")
            report(folder)
    finally:
        if given.keep is None:
            shutil.rmtree(root)


def report(folder: SweepFolder) -> None:
    """Print the size of a sweep and how long parts of it take to read, each in a new process."""
    size = sum(path.stat().st_size for path in folder.batch_files())
    print(f"{len(folder.batch_files())} files, {size / 1e9:.3f} GB")
    code = (
        "import sys, time; from ecosim.sweeps.status import status; b = time.perf_counter(); "
        "s = status(sys.argv[1]); print(f'{time.perf_counter() - b:.2f} s, {s.done:,} done')"
    )
    reads = {name: _READ.format(code=code) for name, code in _READS.items()}
    for name, text in ({"status": code} | reads).items():
        done = subprocess.run(
            [sys.executable, "-c", text, str(folder.path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        print(f"{name:36s} {done.stdout.strip()}")


if __name__ == "__main__":
    main()
