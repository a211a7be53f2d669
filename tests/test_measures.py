"""The naive measures of theory against the web's own, over many webs."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecosim.errors import ScenarioError
from ecosim.theory import measures
from ecosim.verification.cases.measures import CASES

SIMULATED = ("recorded", "coverage", "herfindahl", "c4")
QUICK = [case for case in CASES if not any(word in case.name for word in SIMULATED)]


@pytest.mark.parametrize("case", QUICK, ids=lambda case: case.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_naive_and_own_measures_agree_at_any_values(case, data):
    given = {}
    for p in case.parameters:
        low = p.least if p.least is not None else p.above + 0.01
        high = p.most if p.most is not None else p.below - 0.01
        number = st.integers(int(low), int(min(high, 25))) if p.whole else st.floats(low, high)
        given[p.name] = data.draw(number, label=p.name)
    try:
        values = case.values(given)
    except ScenarioError:
        assume(False)
    (seen,) = np.ravel(case.observe(values, (0,)))
    assert seen == pytest.approx(case.expected(values), rel=1e-6, abs=1e-9)


def test_a_specialist_has_d_prime_one_and_a_proportional_one_zero():
    assert measures.d_prime([[4, 0], [0, 9]], 0) == pytest.approx(1)
    assert measures.d_prime([[4, 8], [2, 4]], 0) == pytest.approx(0)


def test_the_ends_of_two_by_two_tables_hold_the_least_entropy():
    """Against a scan of all tables with the same margins."""
    for a, b, c, d in itertools.product((1, 3, 8), repeat=4):
        total, low = a + b + c + d, np.inf
        for cell in np.linspace(max(0, a + b - b - d), min(a + b, a + c), 201):
            table = [cell, a + b - cell, a + c - cell, d - a + cell]
            low = min(low, measures.entropy([max(x, 0) / total for x in table]))
        high = measures.entropy([(a + b) / total, (c + d) / total])
        high += measures.entropy([(a + c) / total, (b + d) / total])
        h2 = measures.entropy([x / total for x in (a, b, c, d)])
        assert measures.h2_prime([[a, b], [c, d]]) == pytest.approx((high - h2) / (high - low))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("metrics-levins", {"n": 1}, "2 <= n"),
        ("metrics-levins", {"p": 1.0}, "p < 1"),
        ("metrics-h2", {"a1": 0.0, "a2": 0.0}, "empty"),
        ("metrics-coverage", {"m": 9}, "exceed"),
    ],
)
def test_values_outside_the_domain_are_refused(name, given, words):
    (case,) = [case for case in CASES if case.name == name]
    with pytest.raises(ScenarioError, match=words):
        case.values(given)
