"""Whole units of a divided budget: nothing is lost, nothing is favoured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from ecosim.model.spending import units

SHARES = arrays.arrays(np.float32, (5, 7), elements=st.floats(0, 1, width=32))


def spent(effort, draw):
    return np.asarray(units(np.asarray(effort, np.float32), np.asarray(draw, np.float32)))


@given(SHARES, st.integers(1, 200), st.floats(1e-6, 1 - 1e-6))
def test_a_whole_budget_is_spent_whole_and_each_part_is_rounded(shares, budget, draw):
    shares = shares + np.float32(1e-3)
    effort = budget * shares / shares.sum(1, keepdims=True)
    bought = spent(effort, np.full(5, draw))
    assert (bought.sum(1) == budget).all()
    # Within the thousandth that sums may be off.
    assert (np.abs(bought - effort) < 1 + 3e-3).all()


def test_each_part_is_bought_on_average_as_paid_for():
    effort = np.array([[0.2, 3.5, 0.0, 2.3, 6.0]], np.float32)
    marks = (np.arange(4000) + 0.5) / 4000
    bought = spent(np.repeat(effort, 4000, axis=0), marks)
    assert bought.mean(0) == pytest.approx(effort[0], abs=1e-3)
    assert (bought[:, 2] == 0).all() and (bought[:, 4] == 6).all()


def test_whole_efforts_are_what_they_are():
    effort = np.array([[16.0, 0.0, 1.0], [1 / 3 * 30, 1 / 3 * 30, 1 / 3 * 30]], np.float32)
    for draw in (1e-6, 0.5, 1 - 1e-6):
        assert (spent(effort, [draw, draw]) == np.round(effort)).all()
