"""Measures of niche use and of webs, written out naively (Metrics).

p: use of n resources, q: their availability, each summing to 1. Sources: Levins 1968; Hurlbert
1978; Feinsinger et al. 1981; Schoener 1970; Pianka 1973; Bluethgen et al. 2006; Almeida-Neto et
al. 2008. Webs are lists of rows (resources) of counts by species.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

type Shares = Sequence[float]
type Web = Sequence[Sequence[float]]


def one_favoured(favoured: float, count: int) -> list[float]:
    """Return shares of which the first is given and the others are alike."""
    if count < 2 or not 0 < favoured < 1:
        raise ValueError("needs two resources or more and a share in (0, 1)")
    return [favoured] + [(1 - favoured) / (count - 1)] * (count - 1)


def levins(p: Shares) -> float:
    """Return B = 1/sum p^2."""
    return 1 / sum(x * x for x in p)


def levins_standardised(p: Shares) -> float:
    """Return B_A = (B - 1)/(n - 1)."""
    if len(p) < 2:
        raise ValueError("B_A is undefined for one resource")
    return (levins(p) - 1) / (len(p) - 1)


def hurlbert(p: Shares, q: Shares) -> float:
    """Return B' = 1/sum(p^2/q)."""
    return 1 / sum(x * x / y for x, y in zip(p, q, strict=True))


def proportional_similarity(p: Shares, q: Shares) -> float:
    """Return PS = 1 - sum|p - q|/2; of two species' use, Schoener's overlap."""
    return 1 - sum(abs(x - y) for x, y in zip(p, q, strict=True)) / 2


def entropy(p: Shares) -> float:
    """Return -sum p ln p, in nats."""
    return -sum(x * math.log(x) for x in p if x > 0)


def effective_number(p: Shares) -> float:
    """Return exp(-sum p ln p)."""
    return math.exp(entropy(p))


def pianka(p: Shares, q: Shares) -> float:
    """Return sum p q/sqrt(sum p^2 sum q^2)."""
    both = sum(x * y for x, y in zip(p, q, strict=True))
    return both / math.sqrt(sum(x * x for x in p) * sum(y * y for y in q))


def _divergence(use: Shares, total: float, q: Shares) -> float:
    return sum(x / total * math.log(x / total / y) for x, y in zip(use, q, strict=True) if x > 0)


def d_prime(web: Web, species: int) -> float:
    """Return d' = (d - dmin)/(dmax - dmin) of one species of a small web of counts.

    dmin is the least d over all ways of adding to floor(total x q) what is missing, no resource
    beyond its own total: every way is tried.

    Raises:
        ValueError: dmax = dmin.

    """
    rows = [sum(row) for row in web]
    whole, use = sum(rows), [row[species] for row in web]
    total, q = sum(use), [row / whole for row in rows]
    start = [math.floor(total * row / whole) for row in rows]
    missing = round(total - sum(start))
    least = min(
        _divergence([a + b for a, b in zip(start, more, strict=True)], total, q)
        for more in itertools.product(range(missing + 1), repeat=len(rows))
        if sum(more) == missing
        and all(a + b <= row for a, b, row in zip(start, more, rows, strict=True))
    )
    most = math.log(whole / total)
    own = _divergence(use, total, q)
    least = min(least, own)
    if most - least < 1e-9:
        raise ValueError("d' is undefined where dmax = dmin")
    return min(max((own - least) / (most - least), 0.0), 1.0)


def h2_prime(web: Web) -> float:
    """Return H2' = (Hmax - H2)/(Hmax - Hmin) of a web of two resources and two species.

    Hmax from the product of the margins. Tables with the margins form an interval on which the
    entropy is concave, so that Hmin lies at one of its ends: both are tried.

    Raises:
        ValueError: another shape, an empty margin, or Hmax = Hmin.

    """
    (a, b), (c, d) = web
    total = a + b + c + d
    rows, columns = [a + b, c + d], [a + c, b + d]
    if min(*rows, *columns) <= 0:
        raise ValueError("a web needs no empty row or column")
    ends = []
    for cell in (min(rows[0], columns[0]), max(0.0, rows[0] - columns[1])):
        table = [cell, rows[0] - cell, columns[0] - cell, rows[1] - columns[0] + cell]
        ends.append(entropy([max(x, 0.0) / total for x in table]))
    most = entropy([x / total for x in rows]) + entropy([x / total for x in columns])
    if most - min(ends) < 1e-9:
        raise ValueError("H2' is undefined where Hmax = Hmin")
    return (most - entropy([x / total for x in (a, b, c, d)])) / (most - min(ends))


def nodf(web: Web) -> float:
    """Return NODF, pair by pair: 0 where degrees tie, else the percentage of shared cells."""
    score, pairs = 0.0, 0
    for table in (list(web), [list(column) for column in zip(*web, strict=True)]):
        for one, two in itertools.combinations(table, 2):
            first, second = (sum(x > 0 for x in row) for row in (one, two))
            shared = sum(x > 0 and y > 0 for x, y in zip(one, two, strict=True))
            score += 100 * shared / min(first, second) if first != second else 0.0
            pairs += 1
    if not pairs:
        raise ValueError("NODF is undefined where there is no pair")
    return score / pairs


def mean_overlap(overlap: float, first: int, second: int) -> float:
    """Return the mean over all pairs of two groups that overlap by this and within by 1."""
    number = first + second
    within = first * (first - 1) / 2 + second * (second - 1) / 2
    return (within + first * second * overlap) / (number * (number - 1) / 2)


def coverage(specialised: int, count: int, share: float) -> float:
    """Return the share of niches with an agent that puts 0.9 or more of itself there."""
    return specialised / count if share >= 0.9 else 0.0


def herfindahl(largest: float, count: int) -> float:
    """Return the sum of squared shares of one firm of a share and alike others."""
    return sum(x * x for x in one_favoured(largest, count))


def concentration(largest: float, count: int, number: int = 4) -> float:
    """Return the share of the `number` largest of one firm of a share and alike others."""
    return sum(sorted(one_favoured(largest, count))[::-1][:number])


def gini(largest: float, count: int) -> float:
    """Return half the relative mean difference of the same firms, over all ordered pairs."""
    x = one_favoured(largest, count)
    return sum(abs(a - b) for a in x for b in x) / (2 * count * sum(x))
