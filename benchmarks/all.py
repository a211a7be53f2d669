"""All benchmarks in one command: `python benchmarks/all.py [NAME ...]` (or `make bench`).

Each benchmark is a process started from here, one after the other; within it the ways take turns.
What they print is kept in docs/speed.json, and docs/speed.md with its picture is written from it.
Names take some of them only; the other sections of the page stay. A benchmark that fails ends the
command with what it said, after the page was written with what was measured.
`--tiny` tries everything out at sizes that mean nothing, and writes only where `--out` says.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import page

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
# Those whose arguments are their own: how many learners, and how many rounds.
_OWN = {"training": ["1000"], "sweep": ["--rounds", "3"], "start": [], "many_niches": []}


def words(name: str, given: argparse.Namespace) -> list[str]:
    """Return the command of a benchmark."""
    found = [sys.executable, str(HERE / f"{name}.py"), *_OWN.get(name, [])]
    if given.tiny:
        found += ["--tiny"]
    if given.rounds and name not in ("training", "sweep", "many_niches"):
        found += ["--rounds", str(given.rounds)]
    return found + (["--large"] if given.large and name == "step" else [])


def main() -> None:
    """Run benchmarks and write the page."""
    names = [section.name for section in page.SECTIONS]
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(names)}")
    arguments.add_argument("--tiny", action="store_true", help="try out; the numbers mean nothing")
    arguments.add_argument("--rounds", type=int, help="in place of each benchmark's own")
    arguments.add_argument("--large", action="store_true", help="ten million agents too")
    arguments.add_argument("--out", type=Path, help="folder of the page, by default docs")
    given = arguments.parse_args()
    if unknown := sorted(set(given.names) - set(names)):
        arguments.error(f"no benchmark {unknown[0]} (there are: {', '.join(names)})")
    folder = given.out or (None if given.tiny else DOCS)
    chosen = [s for s in page.SECTIONS if not given.names or s.name in given.names]
    results = page.kept(folder) if folder else {}
    failed = []
    for section in chosen:
        if given.tiny and not section.tiny:
            print(f"{section.name}: left out, it has no tiny size", file=sys.stderr)
            continue
        began = time.perf_counter()
        done = subprocess.run(words(section.name, given), stdout=subprocess.PIPE, text=True)
        print(f"{section.name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
        print(done.stdout, end="", flush=True)
        if done.returncode:
            failed.append(section.name)
            continue
        results[section.name] = page.parsed(done.stdout)
        if folder:
            page.write(results, folder)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
