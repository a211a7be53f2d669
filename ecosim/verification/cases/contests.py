"""Contests of firms: effort, payoff and free entry. Deterministic, in float64."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecosim.theory import contests, entry
from ecosim.verification.case import Case, Curve, Parameter, Values

CLOSED = {"exit": {"enabled": False}, "entry": {"kind": "free", "rate": 0.0}}
MOST = 100  # firms: the replies of more take longer than a case may


def last(raw: dict[str, Any], metric: str, seeds: Sequence[int] = (0,)) -> list[float]:
    """Return a metric at the end of a run in float64, one for each seed."""
    from ecosim.scenario import validate
    from ecosim.simulate import simulate

    raw = {"world": "market"} | raw
    raw["run"] = {"precision": "float64"} | raw["run"]
    raw["record"] = {"every": raw["run"]["steps"]}  # the last step is always recorded
    scenario = validate(raw)
    return [float(simulate(scenario, seed=seed).metrics[metric].iloc[-1]) for seed in seeds]


def niche(supply: float) -> dict[str, Any]:
    """Return the one niche that firms compete for."""
    return {"count": 1, "productivity": supply}


def settling(most: float, quiet: int = 3) -> dict[str, Any]:
    """Return how long a run with free entry goes on: until nobody came for so many steps."""
    return {"until": "settled", "settled_steps": quiet, "steps": int(10 * most + 50 + 20 * quiet)}


def _contest(values: Values, metric: str) -> list[float]:
    """Simulate all firms from one low effort, so that none ever has a reason to give up.

    Damped replies: near the symmetric equilibrium a common change of effort comes back as
    -a/(1 - a), a = r (1 - 2/n), of itself, so that this damping halves what is left in each round.
    """
    n, r = values["n"], values["r"]
    conduct = {
        "kind": "effort",
        "rule": "damped",
        "damping": (1 - r * (1 - 2 / n)) / 2,
        "start": 1e-5 * values["V"],
    }
    raw = {
        "niches": niche(values["V"]),
        "tradeoff": {"exponent": 1.0},
        "population": {"size": n},
        "competition": {"exponent": r},
        "market": CLOSED | {"costs": {"scale": 0.0}, "conduct": conduct},
        "run": {"steps": 2},
    }
    return last(raw, metric)


def _beyond_pure(values: Values) -> str | None:
    n, r = values["n"], values["r"]
    if r * (n - 1) > n:
        return f"r <= n/(n-1) = {n / (n - 1):g}: beyond it not all firms are active"
    return None


_N = Parameter("n", 5, "firms", least=2, most=MOST, whole=True)
_R = Parameter("r", 1.0, "contest exponent", least=0.01, most=2)
_V = Parameter("V", 1.0, "prize", least=1e-6, most=1e6)
_TULLOCK = "Tullock 1980, Efficient rent-seeking, in Toward a Theory of the Rent-Seeking Society"

EFFORT = Case(
    name="tullock-effort",
    labels=("M2",),
    family="market",
    title="Effort in a contest",
    source=_TULLOCK,
    parameters=(_N, _R, _V),
    expected=lambda v: contests.tullock_effort(v["n"], v["r"], v["V"]),
    observe=lambda v, seeds: _contest(v, "conduct_mean"),
    rounding=1e-6,
    seeds=1,
    refuses=_beyond_pure,
    note="Simultaneous undamped best replies cycle for n >= 4; firms move in sequence, or damped.",
    curve=Curve("n", (2, 3, 5, 8, 12, 20), "effort of a firm"),
)

PAYOFF = Case(
    name="tullock-payoff",
    labels=("M2",),
    family="market",
    title="Payoff of a contest",
    source=_TULLOCK,
    parameters=(_N, _R, _V),
    expected=lambda v: contests.tullock_payoff(v["n"], v["r"], v["V"]),
    observe=lambda v, seeds: _contest(v, "profit_mean"),
    # The payoff is what effort leaves of V/n, so its rounding is relative to the prize: it
    # vanishes at r = n/(n-1).
    bias=lambda v: 1e-9 * float(v["V"]),
    rounding=1e-6,
    seeds=1,
    refuses=_beyond_pure,
)


def _two_stay(values: Values, seeds: Sequence[int]) -> list[float]:
    raw = {
        "niches": niche(values["V"]),
        "tradeoff": {"exponent": 1.0},
        "population": {"size": values["n"]},
        "competition": {"exponent": values["r"]},
        "market": CLOSED | {"costs": {"scale": 0.0}, "conduct": {"kind": "effort"}},
        "run": {"steps": 2},
    }
    return last(raw, "active_firms")


ASYMMETRIC = Case(
    name="tullock-asymmetric",
    labels=("M2",),
    family="market",
    title="A contest too steep for all: two firms stay active",
    source="Perez-Castrillo & Verdier 1992, Public Choice 73:335-350",
    parameters=(
        Parameter("n", 3, "firms", least=3, most=MOST, whole=True),
        Parameter("r", 1.8, "contest exponent", above=1.5, below=2),
        _V,
    ),
    expected=lambda v: float(contests.tullock_active(v["n"], v["r"])),
    observe=_two_stay,
    seeds=1,
    note="For 1 < r <= 3/2 several numbers of active firms are equilibria; which one is reached "
    "depends on who moves first.",
)


def _entered(values: Values, seeds: Sequence[int]) -> list[float]:
    number = contests.tullock_firms(values["r"], values["V"], values["f"])
    raw = {
        "niches": niche(values["V"]),
        "tradeoff": {"exponent": 1.0},
        "population": {"size": 1},
        "competition": {"exponent": values["r"]},
        "market": {
            "costs": {"scale": 0.0, "fixed": values["f"]},
            "entry": {"kind": "free"},
            "conduct": {"kind": "effort", "start": values["V"]},
        },
        "run": settling(number),
    }
    return last(raw, "population")


def _contest_domain(values: Values) -> str | None:
    try:
        number = contests.tullock_firms(values["r"], values["V"], values["f"])
    except ValueError as error:
        return str(error)
    return f"n* <= {MOST} (here {number:g}): choose a larger f" if number > MOST else None


ENTRY = Case(
    name="tullock-entry",
    labels=("M2",),
    family="market",
    title="Free entry to a contest",
    source=_TULLOCK,
    parameters=(
        Parameter("r", 0.8, "contest exponent", least=0.01, most=1),
        _V,
        Parameter("f", 0.02, "cost of being in", above=0),
    ),
    expected=lambda v: float(entry.whole(contests.tullock_firms(v["r"], v["V"], v["f"]))),
    observe=_entered,
    seeds=1,
    refuses=_contest_domain,
)


CASES = (EFFORT, PAYOFF, ASYMMETRIC, ENTRY)
