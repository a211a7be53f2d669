"""Errors planted in the simulator, each of which must make a named case of verification fail.

docs/verification/planted-errors.md lists them. The same cases pass where nothing is planted (each
is also a test in tests/verification), so that it is the error that fails them.
"""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from ecosim.errors import RunError
from ecosim.model import (
    competition,
    environment,
    gillespie,
    kernel,
    niches,
    tradeoff,
)
from ecosim.model.selection import capital, exit, moran, wright_fisher
from ecosim.verification.registry import named
from ecosim.verification.runner import check

PAGE = Path(__file__).parent.parent / "docs" / "verification" / "planted-errors.md"


def exponent_off(patch):
    """The trade-off's exponent is 0.2 too large."""
    real = tradeoff.competence

    def wrong(kind, parameters, budget, **given):
        return real(kind, parameters._replace(exponent=parameters.exponent + 0.2), budget, **given)

    patch.setattr(tradeoff, "competence", wrong)


def sign_of_kernel(patch):
    """Competition grows with the distance of two types instead of falling."""
    patch.setattr(
        kernel, "overlap", lambda p, distance: 1 / jnp.exp(-0.5 * (distance / p.width) ** 2)
    )


def lost_half(patch):
    """The Gaussian kernel lacks its factor 1/2."""
    patch.setattr(kernel, "overlap", lambda p, distance: jnp.exp(-((distance / p.width) ** 2)))


def self_left_out(patch):
    """Off by one in the death rule: an individual does not compete with itself."""
    real = gillespie._event

    def wrong(kinds, p, crowd, draw):
        own = jnp.int64(gillespie._ONE)
        after = real(kinds, p, crowd._replace(load=crowd.load - own), draw)
        return after._replace(load=after.load + own)

    patch.setattr(gillespie, "_event", wrong)


def first_spared(patch):
    """Off by one in the death rule: the first in the order of ids is never the victim."""
    real = moran.draw_by_weight

    def wrong(order, weights, alive, units):
        drawn = real(order, weights, alive, units)
        spares = jnp.all(weights == 1) & (drawn == order[0])  # victims are drawn evenly
        return jnp.where(spares, order[1], drawn)

    patch.setattr(moran, "draw_by_weight", wrong)


def slot_bias(patch):
    """Agents early in the order are drawn more often than their fitness says."""
    real = wright_fisher.draw_by_weight

    def wrong(order, weights, alive, units):
        return real(order, weights, alive, units**1.5)

    patch.setattr(wright_fisher, "draw_by_weight", wrong)


def selection_off(patch):
    """Parents are drawn evenly, whatever they received."""
    real = wright_fisher.draw_by_weight

    def wrong(order, weights, alive, units):
        return real(order, jnp.ones_like(weights), alive, units)

    patch.setattr(wright_fisher, "draw_by_weight", wrong)


def mutation_twice(patch):
    """A newborn mutates twice."""
    real = niches.step_on_simplex

    def wrong(allocation, noise, size):
        return real(real(allocation, noise, size), noise[:, ::-1] * jnp.array([1.0, -1.0]), size)

    patch.setattr(niches, "step_on_simplex", wrong)


def supply_twice(patch):
    """What the niches emit is counted twice."""
    real = environment.supply_matrix
    patch.setattr(environment, "supply_matrix", lambda scenario: 2 * real(scenario))


def gain_twice(patch):
    """What an agent receives is counted twice."""
    real = competition._paid
    patch.setattr(competition, "_paid", lambda *given: 2 * real(*given))


def noise_one_sided(patch):
    """Firms only ever gain by chance: the noise of growth has lost its sign."""
    real = capital.randomness.normals

    def wrong(key, step, stream, ids, **given):
        return jnp.abs(real(key, step, stream, ids, **given))

    patch.setattr(capital.randomness, "normals", wrong)


def half_hazard(patch):
    """The hazard of exit has lost half of its rate."""
    real = exit.probability
    patch.setattr(
        exit, "probability", lambda p, count: real(p._replace(hazard=p.hazard / 2), count)
    )


# What is planted, and the case that must fail of it.
PLANTED = {
    "exponent-off": (exponent_off, "dilution"),
    "kernel-sign": (sign_of_kernel, "limiting-similarity"),
    "lost-half": (lost_half, "limiting-similarity"),
    "self-left-out": (self_left_out, "birth-death-control"),
    "first-spared": (first_spared, "neutral-fixation"),
    "slot-bias": (slot_bias, "heterozygosity"),
    "selection-off": (selection_off, "levene-soft"),
    "mutation-twice": (mutation_twice, "mutation-variance"),
    "supply-twice": (supply_twice, "macarthur-external"),
    "gain-twice": (gain_twice, "budget-multiple"),
    "noise-one-sided": (noise_one_sided, "gibrat-exponent"),
    "half-hazard": (half_hazard, "gibrat-exponent"),
}


@pytest.fixture
def fresh_programs():
    """Compile anew, with the error and again without it: programs are kept by their kinds."""
    jax.clear_caches()
    yield
    jax.clear_caches()


@pytest.mark.verification
@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_error_fails_its_case(name, monkeypatch, fresh_programs):
    plant, case = PLANTED[name]
    plant(monkeypatch)
    try:
        result = check(named(case))
    except RunError:
        return  # an invariant caught it before the comparison could
    assert not result.passed, f"{name}: {case} observed {result.observed} +- {result.stderr}"


def test_the_page_lists_what_is_planted():
    listed = re.findall(r"^\| `([a-z-]+)` \|.*\| `([a-z-]+)` \|$", PAGE.read_text(), re.MULTILINE)
    assert listed == [(name, case) for name, (_, case) in PLANTED.items()]
