"""Where the claims are, and since which commit each is what it is."""

from __future__ import annotations

import difflib
import itertools
import os
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario import shipped
from ecosim.studies.claim import Claim, read, validate

UNCOMMITTED, NO_CHECKOUT = "uncommitted", "no checkout"


def folder() -> Path:
    """Return the folder of the shipped claims."""
    return shipped.folder() / "claims"


def claims(only: Sequence[str] = (), where: Path | None = None) -> list[Claim]:
    """Return claims in the order of their files.

    Args:
        only: statements (`7`, `T5`) or names of claims; none: all.
        where: a folder of claims; by default the shipped one.

    Raises:
        ScenarioError: a file that is not valid, or a word that names no claim.

    """
    paths = sorted((where or folder()).glob("*.toml"))
    if not paths:
        problem = Problem("", str(where or folder()), "holds no claims (*.toml)")
        raise ScenarioError([problem], "claims")
    found = [read(path) for path in paths]
    known = {claim.statement for claim in found} | {claim.name for claim in found}
    problems = [
        Problem("--only", word, "names no claim", _hint(word, known))
        for word in only
        if word not in known
    ]
    if problems:
        raise ScenarioError(problems, "claims")
    return [claim for claim in found if not only or {claim.statement, claim.name} & set(only)]


def _hint(word: str, known: set[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return (
        f"did you mean {close[0]}?"
        if close
        else f"statements and names: {', '.join(sorted(known))}"
    )


def registered(claim: Claim, where: Path | None = None) -> str:
    """Return the commit since which the claim is tried and expected as it is, or why there is none.

    A later change of what the digest leaves out (history, what the claim waits for, a comment) does
    not count. `uncommitted` says that the file differs from the last commit, or is in none; `no
    checkout` that there is no git to ask: then the claim's digest alone names what was expected.
    """
    path = (where or folder()) / f"{claim.name}.toml"
    last = commit_of(path)
    if last in (UNCOMMITTED, NO_CHECKOUT):
        return last
    try:
        commits = _git(path, "log", "--format=%h", "--abbrev=10", "--", path.name).split()
        same = itertools.takewhile(lambda commit: _digest(path, commit) == claim.digest, commits)
        # A shallow checkout may lack the text: then the last commit is all that is known.
        return [last, *same][-1]
    except (OSError, subprocess.SubprocessError):
        return last


def commit_of(path: Path) -> str:
    """Return the commit that last touched a file, `uncommitted` or `no checkout`."""
    try:
        if _git(path, "status", "--porcelain", "--ignored", "--", path.name):
            return UNCOMMITTED
        return _git(path, "log", "-1", "--format=%h", "--abbrev=10", "--", path.name) or NO_CHECKOUT
    except (OSError, subprocess.SubprocessError):
        return NO_CHECKOUT


def _digest(path: Path, commit: str) -> str:
    """Return the digest of a claim's file as of a commit; none where it was no claim."""
    try:
        raw = tomllib.loads(_git(path, "show", f"{commit}:./{path.name}"))
        return validate({"name": path.stem, **raw}).digest
    except (ScenarioError, tomllib.TOMLDecodeError, subprocess.CalledProcessError):
        return ""


def _git(path: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(path.parent), *arguments],
        capture_output=True, text=True, check=True, timeout=10,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )  # fmt: skip
    return done.stdout.strip()
