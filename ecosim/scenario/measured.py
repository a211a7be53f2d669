"""What is measured in the worlds of search algorithms and of learners, and the rules about it."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic.dataclasses import dataclass

from ecosim.errors import Problem
from ecosim.scenario.numbers import (
    CONFIG,
    Frozen,
    NonNegative,
    PartialShare,
    Positive,
    Share,
    Text,
    Whole,
)

if TYPE_CHECKING:
    from ecosim.scenario.schema import Scenario


@dataclass(frozen=True, config=CONFIG)
class Search:
    """Agents search: effort is a number of evaluations, each niche a class of problems.

    `algorithms` are the methods that agents may be of, `problems` one class for each niche.
    """

    algorithms: Annotated[tuple[Text, ...], Frozen]
    problems: Annotated[tuple[Text, ...], Frozen]


ALGORITHMS = (
    "random-search", "sweep", "bit-climber", "steepest-climber", "tabu", "opposition",
    "annealing", "one-plus-one-es", "evolution-strategy", "differential-evolution", "nelder-mead",
    "pattern-search", "univariate-marginals", "kernel-surrogate",
)  # fmt: skip
PROBLEMS = (
    "smooth", "rugged", "deceptive", "separable", "noisy", "needle", "uniform", "uniform-mean",
)  # fmt: skip
LEARNERS = ("dedicated", "pooled", "low-rank", "perceptron", "mixture", "routed")
BY_GRADIENT = ("perceptron", "mixture")
OF_EXPERTS = ("mixture", "routed")  # a router picks an expert for each input
MOST_BOUGHT = 4096
POINTS = 1024  # that a search can try
INSTANCES = 512  # of each class of problems, of which an agent meets one a step


@dataclass(frozen=True, config=CONFIG)
class Training:
    """Agents learn: effort buys a resource, each niche is a task. `learners` are the methods.

    Task t is y = w_t.x plus `noise` (a standard deviation), |w_t| = 1, w_t.w_u = `relatedness`;
    inputs have `dimension` numbers, N(c_t, I), where all |c_t - mean| are `separation` (0: x does
    not tell its task). Competence is the explained share of the signal on held-out inputs,
    between 0 and 1. `dedicated`: ridge regression for each task on its own examples; `pooled`: one
    for all; `low-rank`: the dedicated ones cut to `rank`; `perceptron`: one network of `hidden`
    units; `mixture`: linear experts, one a task, top-1 routed. These two are not told which task
    an input is of, in training neither; they train by `steps` of Adam at `rate`. In training an
    expert of a mixture takes `capacity` times an even share of the examples and drops what is
    routed to it beyond (absent: no limit), and `balance` weighs its loss for even use. `routed`: a
    portfolio, the dedicated ones behind a linear router that is fitted to tell tasks apart; the
    share `router` of what is bought goes to the router. Effort on a task buys as many units,
    rounded down or up at random so that a budget is spent whole, of `resource`: `data`, new
    examples of the task each step; or there are `examples` of each task, and it buys `compute`,
    steps of gradient descent at `rate` (linear learners descend from 0 in place of ridge
    regression); or `parameters`, numbers of the model (the first inputs of a linear one, hidden
    units, ranks). A model shared by the tasks has the sum of what was bought.
    """

    learners: Annotated[tuple[Text, ...], Frozen]
    resource: Literal["data", "compute", "parameters"] = "data"
    examples: Whole = 64
    dimension: Whole = 12
    relatedness: Share = 0.0
    noise: Positive = 0.5
    separation: NonNegative = 0.0
    rank: Whole = 1
    hidden: Whole = 8
    steps: Whole = 200
    rate: Positive = 0.02
    capacity: Positive | None = None
    balance: NonNegative = 0.01
    router: PartialShare = 0.25


TABLES = {"optimisation": "search", "learning": "training"}


def methods_of(s: Scenario) -> tuple[str, ...]:
    """Return the names of the methods that agents may be of; empty where nothing is measured."""
    if s.search is not None:
        return s.search.algorithms
    return s.training.learners if s.training is not None else ()


def rules(s: Scenario) -> Iterator[Problem]:
    """Find tables that do not go with the world, and words that nothing reads."""
    present = [name for name in TABLES.values() if getattr(s, name) is not None]
    needed = TABLES.get(s.world)
    if needed is not None and present != [needed]:
        yield Problem(
            "world", s.world, f"measures competence as the table [{needed}] says, and no other",
            f"add the table [{needed}]",
        )  # fmt: skip
    elif len(present) > 1:
        yield Problem("training", "present", "an agent searches or learns, not both")
    if (s.tradeoff.kind == "measured") != bool(present):
        yield Problem(
            "tradeoff.kind", s.tradeoff.kind,
            "'measured' goes with a table [search] or [training], and only with it",
        )  # fmt: skip
    for key in ("threshold", "floor"):
        least = getattr(s.tradeoff, key) or 0
        if present and least > 1:
            yield Problem(
                f"tradeoff.{key}", f"{least:g}",
                "measured competence is at most 1, the best there is", "at most 1",
            )  # fmt: skip
    methods = methods_of(s)
    if len(set(methods)) != len(methods) or (present and not methods):
        key = "search.algorithms" if s.search is not None else "training.learners"
        yield Problem(key, str(list(methods)), "at least one method, none twice")
    if s.search is not None:
        for key, names, have in (("algorithms", s.search.algorithms, ALGORITHMS),
                                 ("problems", s.search.problems, PROBLEMS)):  # fmt: skip
            for name in dict.fromkeys(names):
                if name not in have:
                    yield _unknown(f"search.{key}", name, have)
    if s.search is not None and len(s.search.problems) != s.niches.count:
        yield Problem(
            "search.problems", f"{len(s.search.problems)} classes",
            f"needs one class for each of the {s.niches.count} niches (niches.count)",
        )  # fmt: skip
    for group in s.population.groups:
        if group.method is not None and group.method not in methods:
            yield Problem(
                f"population.groups.{group.name}.method", group.method,
                f"is one of {list(methods)}" if methods else "nothing is measured here",
            )  # fmt: skip
    if s.mutation.switch > 0 and len(methods) < 2:
        yield Problem("mutation.switch", f"{s.mutation.switch:g}", "needs two methods or more")
    if s.tradeoff.kind in ("standard", "measured") and not _judged(s):
        yield Problem(
            "tradeoff.kind", s.tradeoff.kind,
            "competence that is found anew in each step competes by competition.kind = 'contest', "
            "'additive' or 'independent', and not under selection.kind = 'ricker'",
            "choose one of these, or another tradeoff.kind",
        )  # fmt: skip
    yield from _training(s)


def most_bought(s: Scenario) -> int:
    """Return the most units of effort that an agent of the scenario can spend in a step."""
    factors = [group.budget for group in s.population.groups] or [1.0]
    return max(1, math.ceil(s.population.budget * max(factors) - 1e-3))


def evaluations(s: Scenario) -> int:
    """Return M: the most evaluations that an agent can spend on one niche, at most all points."""
    return min(most_bought(s), POINTS)


def searched(s: Scenario) -> int:
    """Return how many numbers the searches of a run leave: what each found after 0 .. M."""
    if s.search is None:
        return 0
    return len(s.search.algorithms) * len(s.search.problems) * INSTANCES * (evaluations(s) + 1)


def _training(s: Scenario) -> Iterator[Problem]:
    """Find what learners cannot do, and words that none of them reads."""
    training = s.training
    if training is None:
        return
    for name in training.learners:
        if name not in LEARNERS:
            yield _unknown("training.learners", name, LEARNERS)
    if training.dimension <= s.niches.count:
        yield Problem(
            "training.dimension", str(training.dimension),
            f"must exceed niches.count = {s.niches.count}, so that tasks can be unrelated",
        )  # fmt: skip
    yield from _bought(s, training)
    if (
        training.resource != "parameters"
        and "low-rank" in training.learners
        and training.rank >= s.niches.count
    ):
        yield Problem(
            "training.rank", str(training.rank),
            f"must be below niches.count = {s.niches.count}: a full rank shares nothing",
        )  # fmt: skip
    by_gradient = any(name in BY_GRADIENT for name in training.learners)
    read = {
        "rank": "low-rank" in training.learners and training.resource != "parameters",
        "hidden": "perceptron" in training.learners and training.resource != "parameters",
        "steps": by_gradient and training.resource != "compute",
        "rate": by_gradient or training.resource == "compute",
        "examples": training.resource != "data",
        "capacity": "mixture" in training.learners,
        "balance": "mixture" in training.learners,
        "router": "routed" in training.learners,
    }
    for name, used in read.items():
        if not used and getattr(training, name) != getattr(Training, name):
            yield Problem(
                f"training.{name}", str(getattr(training, name)),
                "no learner of this scenario reads it", "leave it out",
            )  # fmt: skip


def _bought(s: Scenario, training: Training) -> Iterator[Problem]:
    """Find what a learner's budget cannot buy."""
    most, tasks, d = most_bought(s), s.niches.count, training.dimension
    if most > MOST_BOUGHT:
        yield Problem(
            "population.budget", str(most),
            f"buys at most {MOST_BOUGHT} units of {training.resource} a step",
            "lower budget, noise and dimension",
        )  # fmt: skip
    if training.resource == "data":
        return
    if tasks * training.examples > MOST_BOUGHT:
        yield Problem(
            "training.examples", str(training.examples),
            f"{tasks} tasks have at most {MOST_BOUGHT} examples together",
            f"at most {MOST_BOUGHT // tasks}",
        )  # fmt: skip
    if training.resource == "compute":
        steepest = (1 + training.separation**2) * (1 + math.sqrt(d / training.examples)) ** 2
        if training.rate * steepest >= 2:
            yield Problem(
                "training.rate", f"{training.rate:g}",
                "gradient descent diverges: rate (1 + separation^2) (1 + sqrt(d/examples))^2 must "
                "be below 2", f"below {2 / steepest:.3g}",
            )  # fmt: skip
        return
    smallest = {"perceptron": d + 3, "low-rank": d + tasks, "routed": 2 * tasks}
    for name in training.learners:
        if name == "mixture":
            yield Problem(
                "training.learners", name,
                "has an expert for each task, whatever its budget: it buys data or compute",
            )  # fmt: skip
        elif smallest.get(name, 1) > most:
            yield Problem(
                "population.budget", str(most),
                f"the smallest {name} has {smallest[name]} parameters",
            )  # fmt: skip


def _unknown(key: str, name: str, have: Sequence[str]) -> Problem:
    close = difflib.get_close_matches(name, have, n=1)
    fix = f"did you mean {close[0]}?" if close else ""
    return Problem(key, name, f"is one of {', '.join(have)}", fix)


def _judged(s: Scenario) -> bool:
    """Say whether competition asks in each step what agents can do, not once in a life."""
    habitats = s.world != "market" and s.selection.kind == "ricker"
    return s.competition.kind in ("contest", "additive", "independent") and not habitats
