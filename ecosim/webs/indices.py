"""Formulas of interaction webs: niche breadth, overlap and specialisation.

Every function takes `counts`, a matrix of shape (niches, species) of non-negative interaction
counts (or rates) in which no row and no column is empty; `ecosim.webs` makes one from
any table. A quantity that has no value is NaN here; the reasons are worded in
`ecosim.webs`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import entr, rel_entr, xlogy

type Floats = NDArray[np.float64]

# Two extremes closer than this, in nats, differ by rounding only: the index between them has no
# value.
RESOLUTION = 1e-12
# Products of two margins stay exact in 64-bit integers below this total.
LARGEST_COUNT = 2**31


def are_counts(counts: Floats) -> bool:
    """Return whether the web holds whole numbers small enough for the integer rules."""
    return bool(np.all(counts == np.floor(counts)) and counts.sum() < LARGEST_COUNT)


def use(counts: Floats) -> Floats:
    """Return p (niches, species): each species' use of the niches; columns sum to 1."""
    return counts / counts.sum(axis=0)


def niche_breadth(counts: Floats, availability: ArrayLike | None = None) -> dict[str, Floats]:
    """Measure how widely each species spreads over the niches.

    Args:
        counts: Interactions, shape (niches, species).
        availability: How much of each niche is on offer, shape (niches,), positive, in any
            unit; by default each niche's share of all interactions of this web.

    Returns:
        Arrays of shape (species,): `levins_b` = 1/sum p^2 and `levins_ba` = (B-1)/(n-1) (Levins
        1968; Hurlbert 1978, Ecology 59:67), NaN where n = 1; `hurlbert_b` = 1/sum(p^2/q)
        (Hurlbert 1978); `ps` = 1 - sum|p-q|/2 (Feinsinger et al. 1981, Ecology 62:27);
        `breadth` = exp(-sum p ln p), an effective number of niches; `degree`, niches used.

    Raises:
        ValueError: The availability has another shape or a value that is not positive.
    """
    p = use(counts)
    q = _shares(counts.sum(axis=1) if availability is None else availability, len(counts))
    levins_b = 1.0 / np.sum(p**2, axis=0)
    niches = len(counts)
    spare = (levins_b - 1.0) / (niches - 1) if niches > 1 else np.full_like(levins_b, np.nan)
    return {
        "degree": np.count_nonzero(counts, axis=0).astype(np.float64),
        "breadth": np.exp(entr(p).sum(axis=0)),
        "levins_b": levins_b,
        "levins_ba": spare,
        "hurlbert_b": 1.0 / np.sum(p**2 / q[:, None], axis=0),
        "ps": 1.0 - 0.5 * np.abs(p - q[:, None]).sum(axis=0),
    }


def _shares(availability: ArrayLike, niches: int) -> Floats:
    q = np.asarray(availability, dtype=np.float64)
    if q.shape != (niches,) or not np.all(np.isfinite(q) & (q > 0)):
        raise ValueError(
            f"availability must hold one positive number per niche ({niches}); got {q}; "
            "leave out niches that are not on offer"
        )
    return q / q.sum()


def schoener(counts: Floats) -> Floats:
    """Return Schoener's overlap 1 - sum|p1-p2|/2, shape (species, species) (Schoener 1970)."""
    p = use(counts).T
    return 1.0 - 0.5 * np.asarray(cdist(p, p, "cityblock"))


def pianka(counts: Floats) -> Floats:
    """Return Pianka's overlap sum p1 p2/sqrt(sum p1^2 sum p2^2), (species, species) (1973)."""
    p = use(counts)
    unit = p / np.sqrt(np.sum(p**2, axis=0))
    return unit.T @ unit


def mean_overlap(overlap: Floats) -> float:
    """Return the mean over all pairs of different species; NaN for fewer than two species."""
    pairs = overlap[np.triu_indices(len(overlap), k=1)]
    return float(pairs.mean()) if pairs.size else float("nan")


def d_prime(counts: Floats) -> Floats:
    """Measure how far each species' use departs from what the niches' totals offer.

    d' = (d - dmin)/(dmax - dmin) with d = sum p ln(p/q), dmax = ln(total/species total) and
    dmin from `d_minimum` (Bluethgen et al. 2006, BMC Ecology 6:9): 0 = uses niches as offered, 1 =
    alone in its niches.

    Args:
        counts: Interactions, shape (niches, species).

    Returns:
        Shape (species,), in [0, 1]; NaN where there is one niche only or dmax = dmin.
    """
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    d = rel_entr(use(counts), (rows / rows.sum())[:, None]).sum(axis=0)
    # dmin is a heuristic: a species that does better than it is itself the smallest d known.
    low = np.minimum(d_minimum(counts), d)
    width = np.log(rows.sum() / columns) - low
    defined = (width > RESOLUTION) & (len(counts) > 1)
    return np.clip((d - low) / np.where(defined, width, np.nan), 0.0, 1.0)


def d_minimum(counts: Floats) -> Floats:
    """Return the smallest d that each species could have, shape (species,), in nats.

    Counts: start from floor(species total x q) and add one interaction at a time where d stays
    least, no niche beyond its own total. The parts of d are convex, so this is the exact minimum
    among tables that keep the start, and never less than the minimum over all tables. Rates can be
    divided at will: p = q is reached and the minimum is 0.
    """
    if not are_counts(counts):
        return np.zeros(counts.shape[1])
    whole = counts.astype(np.int64)
    rows, columns = whole.sum(axis=1), whole.sum(axis=0)
    table = np.outer(rows, columns) // rows.sum()
    q = rows / rows.sum()
    # No niche passes its own total r: one more there costs (r+1) ln((r+1)/r) > 1, and a niche with
    # room (r-1) ln(r/(r-1)) < 1 or less, both plus ln(total).
    for _ in range(int((columns - table.sum(axis=0)).max())):
        step = xlogy(table + 1, table + 1) - xlogy(table, table) - np.log(q)[:, None]
        open_columns = np.flatnonzero(table.sum(axis=0) < columns)
        table[step.argmin(axis=0)[open_columns], open_columns] += 1
    return np.asarray(rel_entr(table / columns, q[:, None]).sum(axis=0))


def h2_prime(counts: Floats, *, integer: bool = False) -> float:
    """Measure the specialisation of the whole web, between 0 and 1.

    H2' = (Hmax - H2)/(Hmax - Hmin), H2 = -sum p_ij ln p_ij over all cells (Bluethgen et al.
    2006). Hmax comes from the product of the margins, Hmin from `h2_minimum`. The integer variant
    takes Hmax from a table of whole numbers, built by a rule of thumb: read 3 decimals of it.

    Args:
        counts: Interactions, shape (niches, species).
        integer: Use the integer variant; the web must hold counts.

    Returns:
        H2', or NaN where Hmax = Hmin.

    Raises:
        ValueError: The integer variant was asked of a web that does not hold counts.
    """
    total = counts.sum()
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    h2 = float(entr(counts / total).sum())
    # Both extremes of H2 may come from heuristics: a web beyond one of them takes its place.
    low = min(h2_minimum(rows, columns), h2)
    if integer:
        high = max(float(entr(even_table(counts) / total).sum()), h2)
    else:
        high = float(entr(rows / total).sum() + entr(columns / total).sum())
    if high - low <= RESOLUTION * max(1.0, high):
        return float("nan")
    return min(max((high - h2) / (high - low), 0.0), 1.0)


def h2_minimum(rows: ArrayLike, columns: ArrayLike) -> float:
    """Return a low entropy, in nats, of a table with these margins.

    The largest remaining row margin and the largest remaining column margin share a cell, again
    and again. The result belongs to a real table, so it is never below the true minimum.
    """
    left, right = np.array(rows, dtype=np.float64), np.array(columns, dtype=np.float64)
    total, entropy = left.sum(), 0.0
    while left.max() > 0 and right.max() > 0:
        row, column = left.argmax(), right.argmax()
        cell = min(left[row], right[column])
        entropy += float(entr(cell / total))
        left[row] -= cell
        right[column] -= cell
    return entropy


def even_table(counts: Floats) -> NDArray[np.int64]:
    """Spread whole interactions as evenly as the margins allow, shape (niches, species).

    Start from floor(row x column / total), then give one interaction at a time to the open cell
    with the fewest, among these to the one furthest below its expectation; the first on a tie.
    """
    if not are_counts(counts):
        raise ValueError(
            f"the integer variant needs whole numbers with a total below {LARGEST_COUNT}; "
            "use the continuous one"
        )
    whole = counts.astype(np.int64)
    rows, columns = whole.sum(axis=1), whole.sum(axis=0)
    product = np.outer(rows, columns)
    table = product // rows.sum()
    missing = product - table * rows.sum()  # expectation minus table, in units of 1/total: exact
    left, right = rows - table.sum(axis=1), columns - table.sum(axis=0)
    while left.any():
        is_open = (left[:, None] > 0) & (right > 0)
        cells = np.flatnonzero(is_open & (table == table[is_open].min()))
        # Within a level the order never changes, so one sorted pass is the one-at-a-time rule.
        for cell in cells[np.argsort(-missing.flat[cells], kind="stable")]:
            row, column = divmod(int(cell), len(columns))
            if left[row] and right[column]:
                table[row, column] += 1
                missing[row, column] -= rows.sum()
                left[row] -= 1
                right[column] -= 1
    return np.asarray(table)
