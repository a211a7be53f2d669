"""A finite budget over niches: soft and hard selection, breadth, thresholds, multiples (T1-T7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecosim.theory import budget, closed, grain
from ecosim.verification.case import Case, Curve, Parameter, Values
from ecosim.verification.cases.observing import gains, late_mean, recordings, wright_fisher

VARIANCE_RATE = 0.1 * 0.02**2  # mutation rate x step^2
LEVENE = "Levene 1953, Am Nat 87:331; Christiansen 1975, Am Nat 109:11"
KAPPA = Parameter("kappa", 0.7, "supply of niche 1; niche 2 has the rest", least=0.1, most=0.9)
SIZE = Parameter("N", 1000, "agents", least=500, most=20_000, whole=True)
STEPS = Parameter("T", 3000, "generations", least=3000, most=100_000, whole=True)


def _supply(v: Values) -> list[float]:
    return [v["kappa"], 1 - v["kappa"]]


def _soft(v: Values) -> dict[str, Any]:
    return wright_fisher(supply=_supply(v), size=v["N"], exponent=v["s"], steps=v["T"])


def _observed_generalist(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "allocation_0", v["T"] // 2)


def _generalist_bias(v: Values) -> float:
    """Twice the Gaussian shift: skewness and finite N are of its order; plus V/N, drift's share."""
    shift = abs(budget.soft_mutation_shift(v["kappa"], v["s"], VARIANCE_RATE))
    return 2 * shift + budget.soft_variance(v["kappa"], v["s"], VARIANCE_RATE) / v["N"]


def _observed_specialists(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "specialists_0", v["T"] * 2 // 3)


def _specialists_bias(v: Values) -> float:
    """Return how many mutation holds beyond .9, and how many win in the other's niche.

    A niche's offspring number kappa exactly; of each niche E z^s are won by the other's
    specialists, whose share z lies there, in proportion to the frequencies.
    """
    _, beyond, raised = budget.corner_spread(v["s"], VARIANCE_RATE)
    return max(v["kappa"], 1 - v["kappa"]) * beyond + abs(2 * v["kappa"] - 1) * raised


def _breadth_expected(v: Values) -> float:
    return closed.breadth(_supply(v)) if v["s"] < 1 else 1.0


def _breadth_bias(v: Values) -> float:
    """Return how far mutation holds mean breadth from it.

    s < 1: shift and variance of x, through the first two derivatives of exp(H). s > 1: breadth
    at a distance z from the corner is 1 + z (1 - ln z) to first order, which is concave.
    """
    if v["s"] > 1:
        z = budget.corner_spread(v["s"], VARIANCE_RATE)[0]
        return float(z * (1 - np.log(z)))
    kappa, h = v["kappa"], 1e-4
    at = [closed.breadth([kappa + d, 1 - kappa - d]) for d in (-h, 0, h)]
    first, second = (at[2] - at[0]) / (2 * h), (at[2] - 2 * at[1] + at[0]) / h**2
    variance = budget.soft_variance(kappa, v["s"], VARIANCE_RATE)
    return float(abs(first) * _generalist_bias(v) + abs(second) * variance)


def _observed_breadth(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_soft(v), seeds, "breadth_mean", v["T"] * 2 // 3)


def _no_man_s_land(v: Values) -> str | None:
    if 0.8 < v["s"] < 1.5:
        return "s must be at most .8 or at least 1.5: near s = 1 evolution is too slow for any T"
    return None


def _invasion(v: Values, offsets: Sequence[float]) -> np.ndarray:
    """Return growth of rare mutants at x = kappa + offset in a resident population at kappa.

    A mutant's budget is so small that its claims weigh 1e-9 of a resident's; its gain is divided
    by that again. Gains are those of one step of the simulator.
    """
    tiny = 10 ** (-9 / v["s"])
    groups = [{"name": "resident", "allocation": _supply(v), "share": 1e3}] + [
        {
            "name": f"mutant {i}",
            "allocation": [v["kappa"] + d, 1 - v["kappa"] - d],
            "share": 1e-9,
            "budget": tiny,
        }
        for i, d in enumerate(offsets)
    ]
    raw = {
        "niches": {"count": 2, "supply": _supply(v)},
        "population": {"size": 100 + len(offsets), "groups": groups},
        "tradeoff": {"exponent": v["s"]},
    }
    found: list[np.ndarray] = []

    def read(table: Any) -> float:
        gain = table.groupby("group")["stock"].mean().to_numpy()
        found.append(gain[1:] / (gain[0] * tiny ** v["s"]))
        return 0.0

    gains(raw, 1, [0], read)
    return found[0]


def _observed_gradient(v: Values, seeds: Sequence[int]) -> float:
    h = 0.01 * min(_supply(v))
    w = _invasion(v, [-2 * h, -h, h, 2 * h])
    return float((w[0] - 8 * w[1] + 8 * w[2] - w[3]) / (12 * h))


def _observed_curvature(v: Values, seeds: Sequence[int]) -> float:
    h = 0.01 * min(_supply(v))
    w = _invasion(v, [-2 * h, -h, 0.0, h, 2 * h])
    return float((-w[0] + 16 * w[1] - 30 * w[2] + 16 * w[3] - w[4]) / (12 * h * h))


def _hard(v: Values) -> dict[str, Any]:
    return _soft(v) | {"competition": {"kind": "additive"}}


def _observed_hard(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_hard(v), seeds, "allocation_0", v["T"] // 2)


def _hard_bias(v: Values) -> float:
    """Twice the shift by mutation: terms beyond the second order are of its order."""
    return 2 * abs(budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[0])


def _hard_refuses(v: Values) -> str | None:
    x = budget.hard_repeller(v["kappa"], v["s"])
    spread = budget.hard_mutation_balance(v["kappa"], v["s"], VARIANCE_RATE)[1] ** 0.5
    if min(x, 1 - x) < 2 * spread:
        return (
            f"x* = {x:.3f} must lie two standard deviations ({2 * spread:.3f}) inside [0, 1], "
            "or the edge cuts mutants off"
        )
    return None


def _basin(v: Values) -> dict[str, Any]:
    raw = _hard(v)
    raw["population"] = {"size": v["N"], "allocation": [v["x0"], 1 - v["x0"]]}
    return raw


def _observed_basin(v: Values, seeds: Sequence[int]) -> Any:
    return late_mean(_basin(v), seeds, "specialists_0", v["T"] * 2 // 3)


def _basin_refuses(v: Values) -> str | None:
    repeller = budget.hard_repeller(v["kappa"], v["s"])
    if abs(v["x0"] - repeller) < 0.08:
        return f"x0 must lie at least .08 from the repeller x = {repeller:.4f}"
    return None


def _invader_table(v: Values, tradeoff: dict[str, Any], competition: dict[str, Any]) -> Any:
    """Return gains of T agents alone in a patch each, of breadth 1..T, in that order."""
    count = v["T"]
    groups = [
        {"name": f"breadth {k}", "allocation": [1 / k] * k + [0.0] * (count - k)}
        for k in range(1, count + 1)
    ]
    raw = {
        "world": "ecology",
        "niches": {"count": count, "productivity": float(count * count)},
        "patches": {"count": count, "dispersal": 0.0},
        "population": {
            "size": count,
            "groups": groups,
            "stock_variation": 0.0,
            "budget": v.get("B", 1.0),
        },
        "tradeoff": tradeoff,
        "competition": competition,
        "selection": {"upkeep": 1e-9, "division": 1e9, "mortality": 0.0},
        "run": {"steps": 1, "precision": "float64"},
    }
    table = next(recordings(raw, [0])).population.sort_values("group")
    return table["stock"].to_numpy() - 1.0


def _observed_invader(v: Values, seeds: Sequence[int]) -> float:
    root = v["r"] ** 0.5
    gain = _invader_table(v, {"exponent": root}, {"exponent": root, "unclaimed": v["R"]})
    return float(np.argmax(gain) + 1)


def _observed_threshold(v: Values, seeds: Sequence[int]) -> float:
    tradeoff = {"kind": "threshold", "exponent": v["s"], "threshold": v["theta"]}
    gain = _invader_table(v, tradeoff, {"kind": "independent"})
    return float(np.max(np.flatnonzero(gain > 1e-6), initial=-1) + 1)


def _threshold_refuses(v: Values) -> str | None:
    edge = v["B"] / v["theta"] ** (1 / v["s"])
    if abs(edge - round(edge)) < 1e-6 * edge:
        return f"B/theta^(1/s) = {edge:g} must not be whole: rounding would decide the last niche"
    if not 0.0 < v["theta"] < 1e6 or v["B"] ** v["s"] > 1e6:
        return "theta and B^s must be below 1e6"
    return None


def _observed_dilution(v: Values, seeds: Sequence[int]) -> float:
    gain = _invader_table(v, {"exponent": v["s"]}, {"kind": "independent"})
    return float(gain[-1] / v["T"])


def _crowd(v: Values, factor: float, seed: int) -> np.ndarray:
    raw = {
        "niches": {"count": v["K"]},
        "population": {"size": v["N"], "start": "random", "budget": factor},
        "tradeoff": {"exponent": v["s"]},
    }
    found: list[np.ndarray] = []

    def read(table: Any) -> float:
        found.append(table["stock"].to_numpy())
        return 0.0

    gains(raw, 5, [seed], read)
    return found[0]


def _observed_scaling(v: Values, seeds: Sequence[int]) -> float:
    one, many = _crowd(v, 1.0, seeds[0]), _crowd(v, v["B"], seeds[0])
    return float(np.max(np.abs(many / one - 1)))


def _against_specialists(v: Values, size: int, half: bool) -> dict[str, Any]:
    count = v["K"]
    each = (0.5 if half else 1.0) / count
    groups = [
        {
            "name": "generalist",
            "allocation": [1 / count] * count,
            "share": 0.5 if half else 1e-9,
            "budget": v["B"],
        }
    ] + [
        {"name": f"specialist {k}", "allocation": np.eye(count)[k].tolist(), "share": each}
        for k in range(count)
    ]
    return {
        "niches": {"count": count},
        "population": {"size": size, "groups": groups},
        "tradeoff": {"exponent": v["s"]},
    }


def _observed_multiple(v: Values, seeds: Sequence[int]) -> float:
    def read(table: Any) -> float:
        gain = table.groupby("group")["stock"].mean()
        return float(gain[0] / gain[1:].mean())

    return float(gains(_against_specialists(v, 8 * v["K"] + 1, False), 1, [0], read)[0])


def _contest_values(v: Values) -> dict[str, Any]:
    return {**v, "B": v["ratio"] * budget.budget_threshold(v["s"], v["K"])}


def _contest_steps(v: Values) -> int:
    """From half to fixation the odds must change by N: ln(N)/s |ln ratio| generations, thrice."""
    size = _contest_size(v)
    return int(np.ceil(3 * np.log(size) / (v["s"] * abs(np.log(v["ratio"])))))


def _contest_size(v: Values) -> int:
    """Enough that no specialist is lost by chance while generalists are half of all.

    Each niche has Poisson(N/2K) specialists a generation.
    """
    advantage = v["s"] * abs(np.log(v["ratio"]))
    return int(max(64 * v["K"], 40 / advantage, 500))


def _observed_contest(v: Values, seeds: Sequence[int]) -> Any:
    raw = _against_specialists(_contest_values(v), _contest_size(v), True) | {
        "world": "ecology",
        "selection": {"kind": "wright-fisher"},
        "mutation": {"rate": 0.0},
        "run": {"steps": _contest_steps(v)},
        "record": {"every": _contest_steps(v)},
    }
    return late_mean(raw, seeds, "group_share_0")


def _contest_refuses(v: Values) -> str | None:
    if 0.95 < v["ratio"] < 1.05:
        return "ratio must be at most .95 or at least 1.05, or chance decides"
    return None


def _passes(v: Values, seeds: Sequence[int], breadths: Sequence[int]) -> np.ndarray:
    """Return standards passed a step, `[seeds, breadths]`, by 1000 agents of each over 25 steps."""
    count, steps, each = v["T"], 25, 1000
    groups = [
        {"name": f"breadth {k}", "allocation": [1 / k] * k + [0.0] * (count - k)} for k in breadths
    ]
    raw = {
        "niches": {"count": count, "productivity": float(count)},
        "population": {"size": each * len(groups), "groups": groups, "budget": v["B"]},
        "tradeoff": {
            "kind": "standard",
            "exponent": 1.0,
            "threshold": v["theta"],
            "noise": v["sigma"],
        },
        "competition": {"kind": "independent"},
    }
    found = []

    def read(table: Any) -> float:
        found.append(table.groupby("group")["stock"].mean().to_numpy() / steps)
        return 0.0

    gains(raw, steps, seeds, read)
    return np.array(found)


def _observed_standard(v: Values, seeds: Sequence[int]) -> Any:
    found = _passes(v, seeds, (1, v["T"]))
    return found[:, 0] - found[:, 1]


def _expected_standard(v: Values) -> float:
    one, everywhere = (
        grain.standard_passes(v["B"], k, v["theta"], v["sigma"]) for k in (1, v["T"])
    )
    return one - everywhere


def _observed_covered(v: Values, seeds: Sequence[int]) -> Any:
    raw = {
        "world": "ecology",
        "niches": {"count": v["K"]},
        "population": {"size": v["n"], "start": "random-specialists"},
        "run": {"steps": 0},
    }
    many = [5 * seed + i for seed in seeds for i in range(5)]
    return late_mean(raw, many, "coverage", -1)


def _observed_needed(v: Values, seeds: Sequence[int]) -> Any:
    """Collect specialists in order of id until all niches are covered, again and again."""
    size = int(60 * budget.specialists_needed(v["K"]))
    raw = {
        "world": "ecology",
        "niches": {"count": v["K"]},
        "population": {"size": size, "start": "random-specialists"},
        "run": {"steps": 0},
    }
    counts = []
    for recording in recordings(raw, seeds):
        seen: set[int] = set()
        began, found = 0, 0
        for place, niche in enumerate(recording.founders["niche"].to_numpy()):
            seen.add(int(niche))
            # A fixed number of collections: to take all that end in time would favour short ones.
            if len(seen) == v["K"] and found < 20:
                counts.append(place + 1 - began)
                began, found, seen = place + 1, found + 1, set()
    return np.array(counts, float)


_SOFT_S = Parameter("s", 0.5, "returns exponent", least=0.5, most=0.8)
_BREADTH_T = Parameter("T", 20, "niches", least=10, most=100, whole=True)
_ANY_S = Parameter("s", 2.0, "returns exponent", above=0.1, most=6)
_CONTEST_S = Parameter("s", 2.0, "returns exponent", least=1, most=4)
_NICHES = Parameter("K", 16, "niches", least=2, most=64, whole=True)
_DECISIVE = "closed form, from T1: W = (B_g/B_s)^s K^(1-s)"


def _invader(name: str, rivals: float) -> Case:
    return Case(
        name=name,
        labels=("T3",),
        family="core",
        title=f"best breadth of a rare invader, rivals' mass {rivals:g} by default",
        source="closed form: maximum of k b^r/(b^r + R), b = 1/k",
        parameters=(
            Parameter("R", rivals, "rivals' mass in each niche", above=0, most=1e6),
            Parameter("r", 2.0, "returns times contest exponent", above=1, most=6),
            _BREADTH_T,
        ),
        expected=lambda v: float(budget.invader_breadth(v["R"], v["r"], v["T"])),
        observe=_observed_invader,
        seeds=1,
        curve=Curve("R", (0.003, 0.01, 0.03, 0.1, 0.3, 1.0), "best breadth of an invader", log=True)
        if rivals == 0.01
        else None,
    )


def _basin_case(name: str, x0: float) -> Case:
    return Case(
        name=name,
        labels=("T2",),
        family="core",
        title=f"hard selection, s > 1, from x0 = {x0:g}: share of specialists of niche 1",
        source="closed form: repeller x_k proportional to kappa_k^(1/(1-s))",
        parameters=(
            Parameter("kappa", 0.6, "supply of niche 1", least=0.3, most=0.7),
            Parameter("s", 2.0, "returns exponent", least=1.5, most=3),
            Parameter("x0", x0, "allocation to niche 1 at the start", least=0.1, most=0.9),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 2000, "generations", least=2000, most=100_000, whole=True),
        ),
        expected=lambda v: float(v["x0"] > budget.hard_repeller(v["kappa"], v["s"])),
        observe=_observed_basin,
        bias=lambda v: 2 * budget.corner_spread(v["s"], VARIANCE_RATE)[1] + 1e-3,
        refuses=_basin_refuses,
        note="bias: twice the share that mutation holds beyond .9",
    )


def _contest(name: str, ratio: float) -> Case:
    return Case(
        name=name,
        labels=("T5",),
        family="core",
        title=f"generalists at {ratio:g} of the budget threshold: their share in the end",
        source=_DECISIVE,
        parameters=(
            Parameter("ratio", ratio, "budget over K^((s-1)/s)", least=0.5, most=2),
            _CONTEST_S,
            Parameter("K", 16, "niches", least=2, most=32, whole=True),
        ),
        expected=lambda v: float(v["ratio"] > 1),
        observe=_observed_contest,
        refuses=_contest_refuses,
    )


def _standard(name: str, factor: float) -> Case:
    sigma = factor * grain.standard_noise(1, 4, 0.6)
    return Case(
        name=name,
        labels=("T6",),
        family="core",
        title=f"standards passed, specialist minus generalist, at {factor:g} sigma* by default",
        source="closed form: k Phi((B/k - theta)/sigma); statement 7",
        parameters=(
            Parameter("sigma", sigma, "noise", above=0, most=100),
            Parameter("theta", 0.6, "standard", above=0, most=100),
            Parameter("B", 1.0, "budget", above=0, most=100),
            Parameter("T", 4, "niches", least=2, most=64, whole=True),
        ),
        expected=_expected_standard,
        observe=_observed_standard,
        bias=lambda v: 1e-5,
        note="bias: draws have 23 bits; the specialist is better below sigma* = .42727, "
        "the generalist above, at B=1, theta=.6, T=4",
        curve=Curve(
            "sigma", (0.2, 0.3, 0.38, 0.427, 0.47, 0.6, 0.8), "passes, specialist - generalist"
        )
        if factor < 1
        else None,
    )


CASES = (
    Case(
        name="soft-selection-generalist",
        labels=("T1",),
        family="core",
        title="soft selection, s < 1: mean allocation to niche 1",
        source=LEVENE,
        parameters=(KAPPA, _SOFT_S, SIZE, STEPS),
        expected=lambda v: v["kappa"],
        observe=_observed_generalist,
        bias=_generalist_bias,
        seeds=8,
        note="bias: twice the shift by mutation (1-s) V (1-2 kappa)/(kappa (1-kappa))",
    ),
    Case(
        name="soft-selection-specialists",
        labels=("T1",),
        family="core",
        title="soft selection, s > 1: share of specialists of niche 1",
        source=LEVENE + "; Fretwell & Lucas 1969",
        parameters=(
            KAPPA,
            Parameter("s", 2.0, "returns exponent", least=1.5, most=3),
            SIZE,
            STEPS,
        ),
        expected=lambda v: v["kappa"],
        observe=_observed_specialists,
        bias=_specialists_bias,
        seeds=8,
        note="bias: mutants beyond .9 and what specialists win in the other niche (Airy function)",
    ),
    Case(
        name="soft-selection-breadth",
        labels=("T1",),
        family="core",
        title="soft selection: mean breadth on both sides of s = 1",
        source=LEVENE,
        parameters=(
            KAPPA,
            Parameter("s", 0.5, "returns exponent", least=0.5, most=3),
            Parameter("N", 500, "agents", least=500, most=20_000, whole=True),
            STEPS,
        ),
        expected=_breadth_expected,
        observe=_observed_breadth,
        bias=_breadth_bias,
        refuses=_no_man_s_land,
        seeds=8,
        note="bias: spread by mutation; at s > 1 its bound z (1 - ln z), E z = 1.02 l",
        curve=Curve("s", (0.5, 0.6, 0.7, 0.8, 1.5, 2.0, 3.0), "mean breadth", seeds=4),
    ),
    Case(
        name="soft-selection-gradient",
        labels=("T1",),
        family="core",
        title="soft selection: gradient of a rare mutant's growth at x = kappa",
        source="closed form: w(y) = sum kappa_k (y_k/x_k)^s has its singular point at x = kappa",
        parameters=(KAPPA, _ANY_S),
        expected=lambda v: 0.0,
        observe=_observed_gradient,
        bias=lambda v: 1e-6 * v["s"] / min(_supply(v)),
        seeds=1,
        note="bias: 1e-6 of the gradient s/kappa that one niche alone would have",
    ),
    Case(
        name="soft-selection-curvature",
        labels=("T1",),
        family="core",
        title="soft selection: curvature of a rare mutant's growth at x = kappa",
        source="closed form: s (s-1)/(kappa (1-kappa))",
        parameters=(KAPPA, _ANY_S),
        expected=lambda v: budget.soft_curvature(v["kappa"], v["s"]),
        observe=_observed_curvature,
        bias=lambda v: 1e-6 * v["s"] / min(_supply(v)) ** 2,
        rounding=1e-6,
        seeds=1,
    ),
    Case(
        name="hard-selection-generalist",
        labels=("T2",),
        family="core",
        title="hard selection, s < 1: mean allocation to niche 1",
        source="closed form: x_k proportional to kappa_k^(1/(1-s))",
        parameters=(
            Parameter("kappa", 0.6, "supply of niche 1", least=0.3, most=0.7),
            Parameter("s", 0.5, "returns exponent", least=0.1, most=0.5),
            Parameter("N", 1000, "agents", least=500, most=20_000, whole=True),
            Parameter("T", 2000, "generations", least=2000, most=100_000, whole=True),
        ),
        expected=lambda v: budget.hard_repeller(v["kappa"], v["s"]),
        observe=_observed_hard,
        bias=_hard_bias,
        refuses=_hard_refuses,
        seeds=8,
        note="bias: twice the shift by mutation, -V w'''/2w''",
    ),
    _basin_case("hard-selection-richest", 0.5),
    _basin_case("hard-selection-poorer", 0.3),
    _invader("invader-breadth", 0.01),
    _invader("invader-breadth-middle", 0.1),
    _invader("invader-breadth-crowded", 1.0),
    Case(
        name="budget-scaling",
        labels=("T3",),
        family="core",
        title="largest relative change of any agent's gain when all budgets are multiplied by B",
        source="statement 12: exact where nothing is left unclaimed",
        parameters=(
            Parameter("B", 7.0, "factor", above=1e-3, most=1e3),
            Parameter("s", 1.5, "returns exponent", above=0.1, most=4),
            Parameter("K", 12, "niches", least=1, most=64, whole=True),
            Parameter("N", 300, "agents", least=2, most=20_000, whole=True),
        ),
        expected=lambda v: 0.0,
        observe=_observed_scaling,
        bias=lambda v: 1e-11,
        seeds=1,
    ),
    Case(
        name="threshold-breadth",
        labels=("T4",),
        family="core",
        title="most niches that a budget can serve above a threshold of performance",
        source="closed form: floor(B/theta^(1/s))",
        parameters=(
            Parameter("theta", 0.02, "threshold", above=1e-9, most=1e6),
            Parameter("s", 2.0, "returns exponent", least=0.2, most=6),
            Parameter("B", 1.0, "budget", above=1e-3, most=1e3),
            _BREADTH_T,
        ),
        expected=lambda v: float(budget.threshold_breadth(v["B"], v["theta"], v["s"], v["T"])),
        observe=_observed_threshold,
        refuses=_threshold_refuses,
        seeds=1,
    ),
    Case(
        name="dilution",
        labels=("T4",),
        family="core",
        title="competence in each of T niches of a budget spread over all",
        source="closed form: (B/T)^s",
        parameters=(
            Parameter("s", 1.0, "returns exponent", least=0.2, most=3),
            Parameter("B", 1.0, "budget", least=0.1, most=10),
            _BREADTH_T,
        ),
        expected=lambda v: budget.diluted_competence(v["B"], v["s"], v["T"]),
        observe=_observed_dilution,
        bias=lambda v: 1e-9,
        rounding=1e-6,
        seeds=1,
        note="bias: an upkeep of 1e-9, which no organism goes without",
    ),
    Case(
        name="budget-multiple",
        labels=("T5",),
        family="core",
        title="fitness of a generalist of budget B relative to specialists of budget 1",
        source=_DECISIVE,
        parameters=(
            Parameter("B", 4.2, "the generalist's budget", least=0.01, most=100),
            _CONTEST_S,
            _NICHES,
        ),
        expected=lambda v: budget.generalist_fitness(v["B"], v["s"], v["K"]),
        observe=_observed_multiple,
        rounding=1e-6,
        seeds=1,
        curve=Curve("B", (2.0, 3.0, 3.8, 4.0, 4.2, 5.0, 6.0), "generalist's relative fitness"),
    ),
    _contest("budget-multiple-above", 1.05),
    _contest("budget-multiple-below", 0.95),
    _standard("noisy-standard-below", 0.9),
    _standard("noisy-standard-above", 1.1),
    Case(
        name="coverage",
        labels=("T7",),
        family="core",
        title="share of K niches that n random specialists cover",
        source="closed form: 1 - (1 - 1/K)^n",
        parameters=(
            Parameter("n", 32, "specialists", least=2, most=5000, whole=True),
            _NICHES,
        ),
        expected=lambda v: budget.coverage(v["n"], v["K"]),
        observe=_observed_covered,
        bias=lambda v: 1e-9,
    ),
    Case(
        name="coverage-complete",
        labels=("T7",),
        family="core",
        title="random specialists needed until all K niches are covered",
        source="coupon collector: K H_K",
        parameters=(_NICHES,),
        expected=lambda v: budget.specialists_needed(v["K"]),
        observe=_observed_needed,
    ),
)
