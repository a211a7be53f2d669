"""Write docs/verification/: a page a family of cases, from simulations: `make verification`.

`--full` takes the long cases too; `--only NAME` (repeatable) renews single cases. Results are kept
in docs/verification/results.json, so that a page can be written again without its simulations.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from ecosim.experiments.manifest import plain
from ecosim.machine import cores
from ecosim.verification.case import FAMILIES, Case
from ecosim.verification.figures import draw, points
from ecosim.verification.registry import cases, named
from ecosim.verification.runner import Job, check_all

HERE = Path(__file__).parent / "verification"
KEPT = HERE / "results.json"
ABOUT = {
    "core": "A finite budget on K niches: soft and hard selection, breadth, thresholds, budgets.",
    "ecology": "Consumers and resources, similarity, grain, branching, drift, habitat choice.",
    "market": "Niche width, contests, entry, resource partitioning, density, sizes, selection.",
    "optimisation": "Search algorithms that really search: No Free Lunch, by enumeration.",
    "learning": "Learners that are really trained: transfer, sharing, routing and scale.",
    "metrics": "The measures of breadth, overlap and specialisation themselves.",
}
HEAD = ("case", "label", "expected", "observed", "tolerance", "detects", "verdict")


def page(family: str, results: dict[str, Any]) -> str:
    """Return the Markdown page of a family."""
    own = [case for case in cases() if case.family == family]
    lines = [
        f"# Verification: {family}",
        "",
        ABOUT[family],
        "",
        "Made by `make verification` from `ecosim verify`. *Expected* is a closed form or a",
        "published number; *observed* is the mean of simulations and its standard error;",
        "*detects* is the smallest displacement of a simulation that would fail the case nine",
        "times in ten. Parameters are open: `ecosim verify --list`.",
        "",
        "| " + " | ".join(HEAD) + " |",
        "|" + "---|" * len(HEAD),
    ]
    lines += [_row(case, results.get(case.name)) for case in own]
    lines += [""]
    for case in own:
        lines += _section(case)
    return "\n".join(lines)


def _row(case: Case, result: dict[str, Any] | None) -> str:
    cells = [f"[{case.name}](#{case.name})", ", ".join(case.labels)]
    if result is None:
        cells += ["", "", "", "", "not run here (`--full`)"]
    else:
        sign = {"equal": "", "above": "> ", "below": "< "}[case.relation]
        cells += [
            sign + _number(result["expected"]),
            f"{_number(result['observed'])} ± {_number(result['stderr'], 2)}",
            _number(result["tolerance"], 2),
            _number(result["detects"], 2),
            _verdict(case, result),
        ]
    return "| " + " | ".join(cells) + " |"


def _verdict(case: Case, result: dict[str, Any]) -> str:
    if not result["passed"]:
        return "**failed**"
    apart = abs(result["observed"] - result["expected"])
    far = max(3 * result["stderr"], 0.5 * result["tolerance"])
    if case.relation == "equal" and apart > far:
        return "passed, but apart: see [disagreements](disagreements.md)"
    return "passed"


def _number(value: float | None, digits: int = 5) -> str:
    return "undefined" if value is None or math.isnan(value) else f"{value:.{digits}g}"


def _section(case: Case) -> list[str]:
    lines = [f"## {case.name}", "", f"**{case.title}.** {case.source}", ""]
    if case.parameters:
        told = (f"`{p.name}` = {p.default:g} ({p.meaning}; {p.domain})" for p in case.parameters)
        lines += ["Parameters: " + ", ".join(told) + ".", ""]
    if case.note:
        lines += [case.note, ""]
    if (HERE / f"{case.name}.png").exists():
        lines += [f"![{case.title}]({case.name}.png)", ""]
    return lines


def main() -> None:
    """Simulate what is asked for and write all pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--pages", action="store_true", help="write pages from kept results only")
    asked = parser.parse_args()
    HERE.mkdir(exist_ok=True)
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    default = [case for case in cases() if asked.full or not case.full]
    chosen = [named(name) for name in asked.only] or default
    if not asked.pages:
        curves = [job for case in chosen for job in points(case, {})]
        jobs = [Job(case.name) for case in chosen] + curves
        results = check_all(jobs, processes=cores(), told=_tell)
        for result in results[: len(chosen)]:
            told = plain(result.as_dict())
            kept[result.case] = {key: told[key] for key in told if key not in ("seconds", "note")}
        for case in chosen:
            own = [result for result in results[len(chosen) :] if result.case == case.name]
            if own:
                draw(case, own, HERE / f"{case.name}.png")
    known = {case.name for case in cases()}
    kept = {name: kept[name] for name in sorted(kept) if name in known}
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    for family in FAMILIES:
        (HERE / f"{family}.md").write_text(page(family, kept), encoding="utf-8")


def _tell(result: Any) -> None:
    word = "passed" if result.passed else "FAILED"
    line = f"{word} {result.case} {result.seconds:.1f} s {result.error}"
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
