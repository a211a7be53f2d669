"""Conditions that the numbers of a case must meet together, in words, beside each one's domain.

What refuses the numbers is each case's own `refuses`; here is what it holds them to.
"""

from __future__ import annotations

_LOST = "a type lasts 1,000 times a run: large N and s, c near 1/2"
_WITHIN = "1/(2+s) < c < (1+s)/(2+s), and " + _LOST
_INSIDE = (
    "x* = r/(1+r), r = kappa^(s/(s-1)), lies two standard deviations of mutation inside [0, 1]"
)
_BASIN = "x0 at least .08 from the repeller r/(1+r), r = kappa^(s/(s-1))"
_CROWD = (
    "r, N and T admit a breadth of 2 or more, of which T has three divisors within a factor of 2, "
    "and T is large enough that random niches scatter by 25 % at most"
)
_MULTIPLE = "ratio <= .95 or ratio >= 1.05"
_DRIFT = "N |log fitness ratio| >= 20"
_MACARTHUR = (
    "c11, c12, c21, c22, m, s1, s2 and rate admit an equilibrium of both consumers that attracts "
    "within 200,000 units of time, at rates that do not differ too much to integrate; renewing: "
    "sum_k c_ik s_k <= 500"
)
_MONOD = "R* = m h/(mu - m) of h1, mu1 and h2, mu2 differ so that the loser declines in 200,000"
_POSFAI = "the supply, from radius, strategies and offset, lies {} the cone of strategies by 5 %"
_PAIR = "0.001 <= variance_a/variance_K <= 0.9"
_CONTINUUM = "0.02 <= variance_a/variance_K <= 0.5"
_PRODUCTIVITY = "N >= 24 K"
_RANGE = "range < 2 min(K1, K2)"
_WIDTH = "L divides W, and T |ln eps| <= 600"
_PURE = "r <= n/(n-1)"
_SIZES = (
    "sigma and delta bring 50 firms into the tail, the grain of steps takes at most a tenth of its "
    "exponent, and mu, sigma, delta keep sizes in the range of float64"
)
_TURN = "t1 t2 < 0, the rate turns between 50 and 3,000 firms, and changes by e^.5 to e^6 till then"
_POWER = "t1 and t2 make the rate largest between 50 and 3,000 firms"
_COVERED = "m <= n, and p is not 0.9 itself"
_WEB = "interactions {} are 0 or at least 1e-6, and no row and no column of them is empty"
_FITTED = "n > d + 3, and T n d <= 2e5"
_MARGIN = _FITTED + ", and the margin keeps rho from 0 to 1"
_RANK = "r < min(d, T), n >= d, sqrt(T/r) >= 3 sigma (sqrt d + sqrt T)/sqrt n, and T n d <= 4e5"
_TAIL = _RANK + ", and sqrt(tail/(min(d, T) - r)) <= sqrt(T/r)/4, where tail follows from margin"
_GIVEN_TAIL = _RANK + ", and sqrt(tail/(min(d, T) - r)) <= sqrt(T/r)/4"
_SECOND = _TAIL + ", and margin above the terms of second order"
_SCALING = "T divides N, N/T > d + 3, and N d <= 5e5"
_WORK = "T^2 d n steps <= 3e8"
_ROUTED = "n >= 8 d, and " + _WORK
_SCARCE = "2 d <= n <= 4 d, and 5 T^2 d n steps <= 3e8"
_ENUMERATED = "Y^X <= 131072, and m <= X"
_STRUCTURED = "X >= 4, Y >= 3, 3 <= m < X, and Y^X <= 131072"
_SETS = "Y^X <= 16"

_OF: tuple[tuple[str, str], ...] = (
    ("soft-selection-breadth", "s <= .8 or s >= 1.5"),
    ("hard-selection-generalist grain-fine", _INSIDE),
    ("hard-selection-richest hard-selection-poorer", _BASIN),
    ("threshold-breadth", "B/theta^(1/s) is not whole, and theta and B^s are below 1e6"),
    ("crowd-breadth crowd-rivals", _CROWD),
    ("budget-multiple-above budget-multiple-below", _MULTIPLE),
    ("mutation-variance", "4 step sqrt(t) < 0.5"),
    ("levene-soft levene-chain levene-patches-soft levene-patches-chain", _WITHIN),
    ("levene-outside", "c outside [1/(2+s), (1+s)/(2+s)], where the rare type shrinks by 2 % a "
                       "generation or more, and N |log growth rate| >= 20"),
    ("levene-hard levene-patches-hard", _DRIFT),
    ("macarthur-external macarthur-external-stock macarthur-renewing macarthur-renewing-stock",
     _MACARTHUR),
    ("monod-lowest-r monod-first-wins monod-second-wins", _MONOD),
    ("competitive-exclusion", "consumers > resources"),
    ("posfai-coexistence", _POSFAI.format("inside")),
    ("posfai-exclusion", _POSFAI.format("outside")),
    ("dimorphism dimorphism-density", _PAIR),
    ("continuum-density continuum-variance", _CONTINUUM),
    ("neutral-fixation", "m < N"),
    ("heterozygosity", "t <= 3 N"),
    ("productivity-diversity productivity-low productivity-high", _PRODUCTIVITY),
    ("habitat-invasion habitat-invasion-tied habitat-coexistence", _RANGE),
    ("habitat-individuals", "100 <= b (K1 + K2) <= 5000, and K1 and K2 >= 30"),
    ("niche-width-fine niche-width-coarse", _WIDTH),
    ("niche-width-alternating", "2 L divides W, and T |ln eps| <= 600"),
    ("tullock-effort tullock-payoff", _PURE),
    ("tullock-entry", "r, V and f admit 2 to 100 firms"),
    ("salop-entry", "5 <= sqrt(t L M/f) <= 100"),
    ("sutton-exogenous", "sqrt(S/F) <= 100, and one firm at least covers F"),
    ("gibrat-exponent gibrat-exponent-many gibrat-exit-share gibrat-arithmetic "
     "gibrat-lower-exponent gibrat-lower", _SIZES),
    ("kelly-drift", "x and y differ by .02 or more"),
    ("density-founding density-founding-squared density-founding-peak density-mortality "
     "density-mortality-squared", _TURN),
    ("power-form power-form-peak", _POWER),
    ("metrics-coverage metrics-coverage-none", _COVERED),
    ("metrics-d", _WEB.format("a1 .. c2")),
    ("metrics-h2", _WEB.format("a1 .. b2")),
    ("dedicated-risk pooled-risk transfer-ratio transfer-boundary", _FITTED),
    ("negative-transfer positive-transfer", _MARGIN),
    ("low-rank-wins low-rank-loses", _SECOND),
    ("joint-risk low-rank-gain", _GIVEN_TAIL),
    ("dedicated-risk-orthogonal", _RANK),
    ("scaling-ratio scaling-ratio-large scaling-difference scaling-difference-large", _SCALING),
    ("routing-recovers routing-capacity routing-needs-noise experts-informed", _ROUTED),
    ("routing-scarce", _SCARCE),
    ("routing-fails experts-uninformed", _WORK),
    ("nfl-multisets nfl-occurrences nfl-best nfl-closed-set", _ENUMERATED),
    ("nfl-random-set", "16 <= Y^X <= 131072, and m <= X"),
    ("nfl-fitted nfl-conservation-means", _STRUCTURED),
    ("nfl-conservation", "a and b differ, Y^X <= 16384, and m <= X"),
    ("nfl-closed-fraction nfl-sharpened", _SETS),
    ("budget-split", "T divides B"),
    ("specialist-duel", "b T <= 64"),
    ("nfl-world-fixation", "a and b differ, and n < N"),
    ("nfl-world-searched", "a and b differ, and N is even"),
    ("nfl-world-drift", "a and b differ, and t <= 3 N"),
    ("structured-world-fixation", "m >= 6, c >= 1 and n <= .8 N"),
)  # fmt: skip
CONDITIONS = {name: text for names, text in _OF for name in names.split()}
