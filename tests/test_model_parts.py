"""Each part of the model alone, against closed forms, exact arithmetic and brute force."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import jax
import jax.numpy as jnp
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax.extend.random import threefry2x32_p
from scipy import stats

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.model import (
    competition,
    environment,
    exact,
    graphs,
    inheritance,
    maxima,
    niches,
    patches,
    population,
    powers,
    randomness,
    slots,
    tally,
    tradeoff,
)
from ecosim.model import founders as founders_module
from ecosim.model.events import empty
from ecosim.model.randomness import Stream
from ecosim.model.scope import _ranks, random_scope
from ecosim.model.selection import founding
from ecosim.model.start import start_of
from ecosim.model.surroundings import Surroundings
from ecosim.scenario import validate
from ecosim.simulate import Simulation
from ecosim.worlds.registry import WORLDS

UNIT = st.floats(0, 1, allow_subnormal=False)
REAL = st.floats(-3, 3, allow_subnormal=False)
ALPHA = 1e-4  # the chance that a correct sampler fails a test; draws are fixed


@pytest.fixture(autouse=True)
def wide_types():
    with prepared():
        yield


def key(seed: int = 1) -> jax.Array:
    return randomness.run_key(seed)


def ids(count: int, start: int = 1) -> jax.Array:
    return jnp.arange(start, start + count, dtype=jnp.uint64)


# --- Exact sums ----------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1e30, allow_subnormal=False), min_size=1, max_size=40))
def test_a_total_is_exact_to_the_last_bit_that_fits(values):
    kept = np.zeros(64)
    kept[: len(values)] = values
    alive = np.arange(64) < len(values)
    whole = sum(map(Fraction, values))
    total = Fraction(float(exact.total(jnp.asarray(kept), jnp.asarray(alive))))
    assert abs(total - whole) <= whole * Fraction(2) ** -52


@given(st.permutations(range(32)), st.integers(0, 2**32))
def test_a_total_has_no_order_and_no_padding(order, seed):
    values = np.random.default_rng(seed).lognormal(0, 6, 32)
    alive = jnp.ones(32, bool)
    one = exact.total(jnp.asarray(values), alive)
    other = exact.total(jnp.asarray(values[list(order)]), alive)
    padded = exact.total(
        jnp.asarray(np.append(values, np.full(32, 7e99))), jnp.arange(64) < 32
    )  # fmt: skip
    assert one == other == padded


@given(
    st.integers(-900, 900),
    st.floats(1, 2, exclude_max=True),
    st.integers(1, 2**40),
    st.sampled_from(["float32", "float64"]),
)
def test_a_quantum_is_a_power_of_two_that_cannot_overflow(power, fraction, count, dtype):
    bound = math.ldexp(fraction, power)
    unit = float(exact.quantum(jnp.asarray(bound), jnp.asarray(count), dtype))
    assert math.frexp(unit)[0] == 0.5
    each = Fraction(bound) / Fraction(unit)
    assert each * count <= 2**61
    assert dtype == "float64" or each <= 2**51
    if unit > 2.0**-1022:
        assert each * count > 2**58 or (dtype == "float32" and each > 2**50)


_NUMBERS = st.one_of(
    st.floats(-(2.0**51), 2.0**51, width=32),
    st.integers(-(2**23), 2**23).map(lambda number: number / 2),  # halves go to the even one
    st.sampled_from([2.0**51, -(2.0**51), 0.5, -0.5, 1.5, -1.5]),
)


@given(st.lists(_NUMBERS, min_size=1, max_size=40), st.integers(-140, 60))
def test_rounded_is_the_nearest_whole_number_of_units(numbers, power):
    """In float32 they are read off the bits of a sum, in float64 they are converted."""
    unit = 2.0**power
    values = np.array(numbers) * unit
    small = np.abs(values) < 2.0**-126  # not normal in float32
    values[small | (np.abs(values) > 1e38)] = 0
    for dtype in ("float32", "float64"):
        found = exact.rounded(jnp.asarray(values, dtype), jnp.asarray(unit))
        assert found.dtype == jnp.int64
        assert found.tolist() == [round(Fraction(value) / Fraction(unit)) for value in values]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_claims_are_counted_in_float32_too(dtype):
    """A unit below the range of float32 must not turn claims into infinity."""
    values = jnp.asarray(np.full((64, 2), 1e-25), dtype)
    totals = exact.column_totals(values, jnp.ones(64, bool), jnp.max(values, axis=0))
    np.testing.assert_allclose(totals, 64e-25, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("columns", [1, 3, 8, 64, 65, 100])
def test_sums_across_do_not_tell_the_number_of_rows(dtype, columns):
    rng = np.random.default_rng(columns)
    rows, price = rng.random((64, columns)), rng.random((1, columns))
    paid = jax.jit(lambda x, p: exact.across(x * p))
    results = set()
    for capacity in (64, 128, 1024, 2048, 16384):
        padded = np.zeros((capacity, columns))
        padded[:64] = rows
        found = paid(jnp.asarray(padded, dtype), jnp.asarray(price, dtype))
        results.add(np.asarray(found[:64]).tobytes())
    np.testing.assert_allclose(found[:64], (rows * price).sum(axis=1), rtol=1e-5)
    assert len(results) == 1


# --- Slots and draws by weight -------------------------------------------------------------------


@given(st.lists(st.booleans(), min_size=256, max_size=256))
def test_marked_slots_are_found_by_rank(mask):
    found = slots.marked(jnp.asarray(mask)).nth(jnp.arange(300))
    expected = np.full(300, 256)
    true = np.flatnonzero(mask)
    expected[: len(true)] = true
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("share", [0.0, 0.01, 0.9, 1.0])
@pytest.mark.parametrize("size", [64 * 200, 64 * 200 - 7])  # in whole words, and not
def test_many_marked_slots_are_found_by_rank(size, share):
    mask = np.random.default_rng(5).random(size) < share
    ranks = np.arange(mask.size + 3)
    found = jax.jit(lambda mask, ranks: slots.marked(mask).nth(ranks))(
        jnp.asarray(mask), jnp.asarray(ranks)
    )
    here = np.flatnonzero(mask)
    assert found[: here.size].tolist() == here.tolist()
    assert (np.asarray(found)[here.size :] == mask.size).all()


@pytest.mark.parametrize("niches_", [1, 3, 16, 70, 130])
def test_what_an_agent_is_paid_does_not_tell_the_capacity(niches_):
    claims = np.random.default_rng(6).random((niches_, 64 * 40), np.float32)
    price = np.random.default_rng(7).random((niches_, 1), np.float32)
    alive = np.random.default_rng(8).random(64 * 40) < 0.7
    claims[:, ~alive] = np.nan  # rows of the dead hold anything
    paid = jax.jit(lambda c, p, a: exact.weighted(c, lambda k: p[k, 0], a))
    whole = np.asarray(paid(claims, price, alive))
    assert not whole[~alive].any()
    expected = price[:, 0].astype(float) @ claims[:, alive]
    np.testing.assert_allclose(whole[alive], expected, rtol=1e-5)
    for size in (64, 128, 64 * 13):
        assert np.array_equal(paid(claims[:, :size], price, alive[:size]), whole[:size])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [64, 8192])
def test_the_largest_is_found_with_whether_all_are_sound(dtype, count):
    values = np.random.default_rng(9).random(count).astype(dtype)
    alive = values < 0.9
    values[5], alive[5] = -0.0, True  # a zero with a sign is as sound as one without
    with prepared():
        everybody = np.ones(count, bool)
        found = jax.jit(lambda values, alive: maxima.largest_sound(exact.those(alive, values)))
        assert [x.item() for x in found(values, alive)] == [values[alive].max(), True]
        assert [x.item() for x in found(np.zeros(count, dtype) * -1, everybody)] == [0, True]
        for spoilt in (np.nan, -np.nan, np.inf, -np.inf, -1e-30):
            wrong = np.where(np.arange(count) == count // 3, np.asarray(spoilt, dtype), values)
            there = np.where(np.arange(count) == count // 3, True, alive)
            assert not found(wrong, there)[1] and not found(wrong, everybody)[1]
            assert found(wrong, there & (wrong == values))[1]  # of the dead it does not matter


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_those_of_a_mask_keep_every_bit_and_the_others_are_zero(dtype):
    values = np.array([1, 3, -2, 5], dtype)
    if dtype != "int32":
        values[1], values[3] = np.nan, -0.0
    with prepared():
        kept = np.asarray(exact.those(jnp.asarray([True, False, True, True]), jnp.asarray(values)))
    assert kept.dtype == dtype and kept[1] == 0
    assert kept[[0, 2, 3]].tobytes() == values[[0, 2, 3]].tobytes()


def test_many_values_are_counted_and_added_as_few_are():
    values = np.random.default_rng(8).random(8192, np.float32)
    alive = values > 0.3
    with prepared():
        assert int(exact.count(jnp.asarray(alive))) == alive.sum()
        assert float(maxima.largest(jnp.asarray(values))) == values.max()
        parted = sum(values[alive].astype(float))
        assert float(exact.total(jnp.asarray(values), jnp.asarray(alive))) == pytest.approx(
            parted, rel=1e-13
        )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [64, 4096, 8192])
def test_largest_and_sums_along_agents_are_those_of_numpy(count, dtype):
    rng = np.random.default_rng(9)
    values = np.where(rng.random((3, count)) < 0.5, 0, rng.lognormal(0, 20, (3, count)))
    values = values.astype(dtype)
    values[1] = 0
    whole = rng.integers(-(10**9), 10**9, (3, count))
    with prepared():
        found = maxima.largest_along(jnp.asarray(values))
        assert found.dtype == dtype and np.array_equal(found, values.max(axis=1))
        assert float(maxima.largest(jnp.asarray(values[0]))) == values[0].max()
        assert np.array_equal(exact.summed(jnp.asarray(whole), axis=1), whole.sum(axis=1))
        assert np.array_equal(exact.summed(jnp.asarray(whole.T)), whole.sum(axis=1))


@pytest.mark.parametrize("count", [64, 4096, 4160, 12544, 4100, 600_000])
@pytest.mark.parametrize("kind", ["spread", "ties", "together", "few"])
def test_the_largest_are_found_without_sorting_all(count, kind):
    rng = np.random.default_rng(10)
    values = rng.lognormal(0, 3, count)
    if kind == "ties":
        values = np.floor(values)
    elif kind == "together":  # in one group of slots, and side by side
        values[:: count // 64] += 1e6
        values[:5] += 1e7
    elif kind == "few":
        values[2:] = 0
        values[3::2] = -0.0
    with prepared():
        found = maxima.top(jnp.asarray(values), 4)
    assert found.tolist() == sorted(values, reverse=True)[:4]


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -1.0])
def test_powers_are_powers(exponent):
    values = np.append(np.random.default_rng(11).lognormal(0, 3, 100), [0.0, 1.0, np.inf])
    with prepared(), np.errstate(divide="ignore"):
        found = jax.jit(powers.power)(values, exponent)
        np.testing.assert_allclose(found, values**exponent, rtol=1e-14)
        if exponent in (1, 2):
            assert np.array_equal(found, values**exponent)


@pytest.mark.parametrize("start", ["random", "even", "specialists"])
def test_founders_in_parts_are_the_founders(start, monkeypatch):
    scenario = validate({
        "world": "ecology",
        "niches": {"count": 3},
        "population": {"size": 300, "start": start, "stock_variation": 0.3},
        "run": {"steps": 1},
    })  # fmt: skip
    whole = Simulation(scenario)
    for size in (64, 128, 300):  # the last part overlaps, divides evenly not, is all
        monkeypatch.setattr(founders_module, "_AT_ONCE", size)
        jax.clear_caches()
        parts = Simulation(scenario)
        same = jax.tree.map(np.array_equal, parts.state.population, whole.state.population)
        assert all(jax.tree.leaves(same))
    jax.clear_caches()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("count", [1, 2, 5, 8, 32, 33])
def test_projections_by_pairs_and_by_sorting_are_the_nearest_points(count, dtype):
    points = np.random.default_rng(count).normal(size=(200, count))
    points[::5] = np.round(points[::5])  # with ties
    with prepared():
        found = np.asarray(niches.to_simplex(jnp.asarray(points, dtype)))
    assert found.dtype == dtype
    assert np.allclose(found.sum(axis=1), 1) and (found >= 0).all()
    # What is nearest takes the same off every share that is left, and no less off the others.
    taken = points - found
    most = taken.max(axis=1, where=found > 0, initial=-np.inf, keepdims=True)
    near = 1e-5 if dtype == "float32" else 1e-12
    assert np.allclose(np.where(found > 0, taken, most), most, atol=near)
    assert (taken <= most + near).all()


def test_the_cipher_written_out_is_the_primitive():
    drawn = np.random.default_rng(9).integers(0, 2**32, (4, 50))
    words = [jnp.asarray(word, jnp.uint32) for word in drawn]
    for one, other in zip(
        randomness._unrolled(*words), threefry2x32_p.bind(*words), strict=True
    ):
        assert np.array_equal(one, other)


def test_draws_follow_weights_and_order():
    weights = jnp.asarray([0.0, 3.0, 1.0, 0.0, 2.0, 100.0] + [0.0] * 58)
    alive = jnp.asarray([True] * 5 + [False] * 59)  # the heaviest is dead
    order = slots.by_id(jnp.arange(64, 0, -1, dtype=jnp.uint64), alive)
    assert order[:5].tolist() == [4, 3, 2, 1, 0]
    units = randomness.fine_uniform(key(), jnp.asarray(0), Stream.PARENT, ids(60_000))
    drawn = np.bincount(slots.draw_by_weight(order, weights, alive, units), minlength=64)
    assert drawn[[0, 3, 5]].tolist() == [0, 0, 0]
    assert stats.chisquare(drawn[[1, 2, 4]], 60_000 * np.array([3, 1, 2]) / 6).pvalue > ALPHA
    # Laid end to end in the order of ids: 4 has the first third, then 2, then 1.
    edges = slots.draw_by_weight(order, weights, alive, jnp.asarray([1e-12, 0.34, 0.49, 0.51, 1.0]))
    assert edges.tolist() == [4, 2, 2, 1, 1]


def test_without_weights_the_living_are_drawn_evenly():
    alive = jnp.asarray([True, False] * 32)
    order = slots.by_id(ids(64), alive)
    units = randomness.fine_uniform(key(), jnp.asarray(0), Stream.PARENT, ids(32_000))
    drawn = np.bincount(slots.draw_by_weight(order, jnp.zeros(64), alive, units), minlength=64)
    assert drawn[1::2].sum() == 0
    assert stats.chisquare(drawn[::2]).pvalue > ALPHA


# --- Random numbers ------------------------------------------------------------------------------


def test_the_cipher_gives_the_published_words():
    """Known answers of Threefry-2x32, 20 rounds (Salmon et al. 2011, Random123 kat_vectors)."""
    vectors = [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((2**32 - 1,) * 2, (2**32 - 1,) * 2, (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ]
    for secret, counter, words in vectors:
        one = tuple(jnp.asarray(x, jnp.uint32) for x in secret)
        found = randomness._cipher(one, *(jnp.asarray(x, jnp.uint32) for x in counter))
        assert tuple(map(int, found)) == words


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers(dtype):
    drawn = randomness.uniform(key(), jnp.asarray(3), Stream.DEATH, ids(200_000), dtype=dtype)
    drawn = np.asarray(drawn, float)
    assert 0 < drawn.min() and drawn.max() < 1
    assert stats.kstest(drawn, "uniform").pvalue > ALPHA
    extremes = randomness.open_unit(jnp.asarray([0, 2**32 - 1], jnp.uint32), dtype)
    assert 0 < float(extremes[0]) and float(extremes[1]) < 1


def test_fine_uniform_numbers():
    drawn = np.asarray(randomness.fine_uniform(key(), jnp.asarray(3), Stream.PARENT, ids(10**5)))
    assert stats.kstest(drawn, "uniform").pvalue > ALPHA
    assert np.unique(drawn).size == drawn.size


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers(dtype):
    drawn = randomness.normals(
        key(), jnp.asarray(3), Stream.STEP, ids(40_000), count=5, dtype=dtype
    )  # fmt: skip
    drawn = np.asarray(drawn, float)
    assert drawn.shape == (40_000, 5)
    assert stats.kstest(drawn.ravel(), "norm").pvalue > ALPHA
    correlation = np.corrcoef(drawn, rowvar=False)[np.triu_indices(5, 1)]
    assert np.abs(correlation).max() < 5 / math.sqrt(40_000)


def test_one_hash_is_not_written_into_another():
    """Draws of many numbers each (thousands of niches) took minutes to compile: 44."""
    with prepared():
        ids = jnp.arange(16, dtype=jnp.uint64)
        draw = jax.jit(
            lambda key: randomness.normals(
                key, jnp.int64(3), Stream.START, ids, count=8192, dtype="float32"
            )
        )
        text = draw.lower(randomness.run_key(1)).as_text()
    # 22 of the hash of the purpose, which is done before the 22 of the hash of ids are begun; none
    # where cosines and sines of them are taken.
    hashes = [part.count("xor") for part in text.split("optimization_barrier")]
    assert hashes == [22, 22, 0]


def test_no_two_purposes_steps_lanes_agents_or_runs_share_a_draw():
    seen: set[tuple[int, int]] = set()
    count, streams = 0, Stream.__members__.values()  # twins included
    for seed, step, stream, lane in itertools.product((1, 2), (0, 1, 256), streams, (0, 1, 2)):
        words = randomness.words(key(seed), jnp.asarray(step), stream, ids(50), lane)
        seen |= set(zip(*(np.asarray(w).tolist() for w in words), strict=True))
        count += 50
    assert len(seen) == count


def test_children_have_ids_of_their_own():
    parents, steps, numbers = np.meshgrid(np.arange(60), np.arange(40), np.arange(40))
    made = randomness.child_id(
        jnp.asarray(parents.ravel(), jnp.uint64), jnp.asarray(steps.ravel()),
        jnp.asarray(numbers.ravel()),
    )  # fmt: skip
    assert np.unique(made).size == made.size
    assert (np.asarray(made) > 10**6).all()  # none takes a founder's


def test_generations_have_ids_of_their_own_in_ascending_order():
    ranks = jnp.arange(500)
    steps = (0, 1, 7, 2**31)
    made = np.concatenate([randomness.generation_id(jnp.asarray(s), ranks) for s in steps])
    assert np.unique(made).size == made.size and (made > 2**32 - 1).all()
    assert all((np.diff(ids) > 0).all() for ids in made.reshape(-1, 500).view(np.int64))


@pytest.mark.parametrize("mean", [0.0, 0.3, 4.0, 60.0])
def test_foundings_are_poisson(mean):
    drawn = jax.lax.map(
        lambda step: randomness.poisson(key(), step, jnp.asarray(mean)), jnp.arange(4000)
    )
    drawn = np.asarray(drawn)
    assert (drawn >= 0).all()
    assert abs(drawn.mean() - mean) <= 4 * math.sqrt(mean / 4000)
    assert abs(drawn.var() - mean) <= 5 * math.sqrt((mean + 2 * mean**2) / 4000)


@pytest.mark.parametrize("columns", [1, 2, 16, 64, 65])
def test_ranks_are_those_of_two_stable_sorts(columns):
    values = np.random.default_rng(11).integers(0, 20, (50, columns)).astype("float32")
    found = _ranks(jnp.asarray(values))
    wanted = np.argsort(np.argsort(values, axis=1, kind="stable"), axis=1, kind="stable")
    assert np.array_equal(found, wanted)


def test_random_scope_enters_any_number_of_niches_alike():
    shares = np.asarray(random_scope(ids(20_000), jnp.asarray(0), key(), jnp.ones(5)))
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-12)
    entered = (shares > 0).sum(axis=1)
    assert stats.chisquare(np.bincount(entered, minlength=6)[1:]).pvalue > ALPHA
    assert stats.chisquare((shares > 0).sum(axis=0)).pvalue > ALPHA
    # Uniform on the simplex of m niches: a share is Beta(1, m - 1).
    for m in (2, 4):
        some = shares[entered == m]
        first = some[some > 0].reshape(-1, m)[:, 0]
        assert stats.kstest(first, stats.beta(1, m - 1).cdf).pvalue > ALPHA


def test_random_scope_follows_weights_and_leaves_empty_niches_last():
    weights = jnp.asarray([4.0, 2.0, 0.0, 1.0])
    shares = np.asarray(random_scope(ids(30_000), jnp.asarray(0), key(), weights))
    single = shares[(shares > 0).sum(axis=1) == 1]
    chosen = np.bincount(single.argmax(axis=1), minlength=4)
    assert chosen[2] == 0
    expected = single.shape[0] * np.array([4, 2, 1]) / 7
    assert stats.chisquare(chosen[[0, 1, 3]], expected).pvalue > ALPHA
    assert ((shares[:, 2] > 0) <= ((shares > 0).sum(axis=1) == 4)).all()


# --- Niches --------------------------------------------------------------------------------------


@given(st.lists(REAL, min_size=1, max_size=5))
def test_projection_is_the_nearest_point_of_the_simplex(point):
    x = np.asarray(niches.to_simplex(jnp.asarray([point])))[0]
    assert x.min() >= 0
    assert math.isclose(x.sum(), 1, abs_tol=1e-12)
    again = np.asarray(niches.to_simplex(jnp.asarray([x])))[0]
    np.testing.assert_allclose(again, x, atol=1e-12)
    # Nearest: no vertex lies on the side of the point (the variational inequality).
    for vertex in np.eye(len(point)):
        assert (np.asarray(point) - x) @ (vertex - x) <= 1e-10


def test_projection_of_two_niches_clips():
    points = np.array([[0.4 + d, 0.6 - d] for d in (-1.0, -0.4, 0.0, 0.3, 2.0)])
    found = np.asarray(niches.to_simplex(jnp.asarray(points)))
    np.testing.assert_allclose(found[:, 0], np.clip(points[:, 0], 0, 1), atol=1e-15)


def test_a_step_on_the_simplex_has_the_stated_size():
    start = jnp.full((20_000, 4), 0.25)
    noise = randomness.normals(key(), jnp.asarray(0), Stream.STEP, ids(20_000), count=4,
                               dtype="float64")  # fmt: skip
    moved = np.asarray(niches.step_on_simplex(start, noise, jnp.asarray(0.01)))
    np.testing.assert_allclose(moved.std(axis=0), 0.01, rtol=0.03)
    np.testing.assert_allclose(moved.mean(axis=0), 0.25, atol=5 * 0.01 / math.sqrt(20_000))
    np.testing.assert_allclose(moved.sum(axis=1), 1, rtol=1e-12)
    one = niches.step_on_simplex(jnp.ones((3, 1)), jnp.ones((3, 1)), jnp.asarray(0.5))
    assert one.tolist() == [[1.0]] * 3


@given(st.floats(-1, 2), st.floats(0.05, 3))
def test_utilisation_is_gaussian(position, width):
    places = np.linspace(0, 1, 7)
    curve = np.exp(-((places - position) ** 2) / (2 * width**2))
    found = niches.utilisation(jnp.asarray([[position, math.log(width)]]), jnp.asarray(places))
    if curve.sum() > 1e-280:  # below, it is the curve here that has lost its digits
        np.testing.assert_allclose(np.asarray(found)[0], curve / curve.sum(), rtol=1e-9)


# --- Trade-offs ----------------------------------------------------------------------------------


def numbers(**changes) -> tradeoff.Parameters:
    raw = {"exponent": 2.0, "half_saturation": 1.0, "threshold": 0.0, "breadth_cost": 0.0,
           "floor": 0.0, "noise": 0.0}  # fmt: skip
    values = {name: jnp.asarray(value) for name, value in (raw | changes).items()}
    return tradeoff.Parameters(**{"transfer": None} | values)


def competence(kind: str, parameters, budget: float, x) -> np.ndarray:
    x = jnp.asarray([x])
    return np.asarray(tradeoff.competence(
        kind, parameters, jnp.asarray([budget]), allocation=x, width=tradeoff.breadth(x)
    ))[0]  # fmt: skip


@given(st.integers(1, 8))
def test_breadth_of_an_even_allocation_is_its_number_of_niches(count):
    x = np.zeros(8)
    x[:count] = 1 / count
    assert math.isclose(float(tradeoff.breadth(jnp.asarray([x]))[0]), count, rel_tol=1e-12)


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=6))
def test_breadth_is_the_exponential_of_entropy(weights):
    x = np.array(weights) / sum(weights)
    expected = math.exp(stats.entropy(x))
    assert math.isclose(float(tradeoff.breadth(jnp.asarray([x]))[0]), expected, rel_tol=1e-12)


def test_trade_offs_by_hand():
    x, budget = [0.5, 0.3, 0.2, 0.0], 2.0
    np.testing.assert_allclose(competence("power", numbers(), budget, x), [1, 0.36, 0.16, 0])
    half = numbers(half_saturation=0.6)
    found = competence("saturating", half, budget, x)
    np.testing.assert_allclose(found, [1 / 1.36, 0.5, 0.16 / 0.52, 0])
    found = competence("threshold", numbers(threshold=0.3), budget, x)
    np.testing.assert_allclose(found, [1, 0.36, 0, 0])
    dear = competence("power", numbers(breadth_cost=0.5, exponent=1.0), 1.0, [0.5, 0.5])
    np.testing.assert_allclose(dear, 0.5 * math.exp(-0.5) * np.ones(2))


def test_relatedness_lends_and_interferes():
    ring = graphs.adjacency(graphs.build("cycle", 4))
    lent = competence("power", numbers(transfer=0.5 * ring, exponent=1.0), 1.0, [1.0, 0, 0, 0])
    np.testing.assert_allclose(lent, [1, 0.5, 0, 0.5])
    hurt = competence("power", numbers(transfer=-0.5 * ring, exponent=1.0), 1.0, [0.6, 0.4, 0, 0])
    np.testing.assert_allclose(hurt, [0.4, 0.1, 0, 0], atol=1e-15)


# --- Competition ---------------------------------------------------------------------------------


def crowd(supply, *, kind: str, s: float, size: int = 200, r: float = 1.0, rival: float = 0.0):
    """A function from the shares of a rare agent to its gain among residents at x = supply."""
    count = len(supply)
    scenario = validate({
        "world": "ecology",
        "niches": {"count": count, "supply": list(supply), "productivity": 1.0},
        "population": {"size": size, "allocation": list(supply), "stock": 1.0},
        "competition": {"kind": kind, "exponent": r, "unclaimed": rival},
        "tradeoff": {"exponent": s},
        "run": {"precision": "float64"},
    })  # fmt: skip
    kinds, parameters, state = engine.begin(scenario, 0)

    def gain(x) -> float:
        row = jnp.asarray(x, jnp.float64)
        changed = state.population.allocation.at[0].set(row)
        people = population.with_allocation(kinds, parameters.agents, state.population, changed)
        counted = tally.counted(kinds, people)
        found = competition.exchange(
            kinds, parameters.competition, people, tally=counted, size=None,
            supply=parameters.environment.supply,
        )  # fmt: skip
        whole = float(jnp.sum(found.gain) + jnp.sum(found.unclaimed))
        assert math.isclose(whole, 1.0, rel_tol=1e-12)
        return float(found.gain[0])

    return gain


@pytest.mark.parametrize("s", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("first", [0.7, 0.35])
def test_soft_selection_is_singular_at_the_supply(first, s):
    """T1: gradient 0 at x = kappa, curvature of the sign of s (s - 1)."""
    gain, h = crowd([first, 1 - first], kind="contest", s=s, size=20_000), 1e-3
    at, below, above = (gain([first + d, 1 - first - d]) for d in (0, -h, h))
    gradient, curvature = (above - below) / (2 * h * at), (above + below - 2 * at) / (h * h * at)
    assert abs(gradient) < 1e-3
    exact_curvature = s * (s - 1) * (1 / first + 1 / (1 - first))
    # A rare agent is one in 20,000, not none, and the difference has an error of order h^2.
    assert abs(curvature - exact_curvature) < 2e-3 * max(1, abs(exact_curvature))


@pytest.mark.parametrize(("s", "first"), [(0.5, 0.7), (0.25, 0.6)])
def test_hard_selection_is_singular_at_its_optimum(s, first):
    """T2: x_k proportional to kappa_k^(1/(1-s)) maximises the payoff for s < 1."""
    gain = crowd([first, 1 - first], kind="additive", s=s, size=20_000)
    weight = np.array([first, 1 - first]) ** (1 / (1 - s))
    best = weight / weight.sum()
    top = gain(best)
    for step in (-0.02, 0.02):
        assert gain([best[0] + step, best[1] - step]) < top


def test_a_rival_that_nobody_embodies_takes_its_share():
    supply = [0.5, 0.5]
    gain = crowd(supply, kind="contest", s=1.0, size=4, rival=2.0)
    # Four agents with claims of 1/2 each against a rival mass of 2: they get half.
    assert math.isclose(gain(supply), 0.125, rel_tol=1e-12)
    assert math.isclose(
        crowd(supply, kind="additive", s=1.0, size=4, rival=2.0)(supply), 0.125, rel_tol=1e-12
    )


@given(st.floats(1e-6, 1e6), st.floats(0.5, 4))
def test_a_common_factor_on_budgets_changes_nothing(factor, s):
    """T3 in a crowd: only relative budgets count where nothing is left unclaimed."""
    base = {"world": "ecology", "niches": {"count": 3}, "run": {"seed": 4},
            "population": {"size": 40, "variation": 0.2}, "tradeoff": {"exponent": s}}  # fmt: skip
    richer = base | {"population": base["population"] | {"budget": factor}}
    gains = []
    for raw in (base, richer):
        run = Simulation(validate(raw))
        run.advance(1)
        gains.append(np.sort(run.finished().population["stock"]))
    np.testing.assert_allclose(gains[0], gains[1], rtol=2e-5)


# --- Environment ---------------------------------------------------------------------------------


def supplies(steps: int, **tables) -> tuple[np.ndarray, np.ndarray]:
    """Supply of niche and step, `[T, K]`, divided by its constant part; positions `[T, K]`."""
    scenario = validate({
        "world": "ecology", "niches": {"count": 4, "space": "axis"},
        "environment": tables, "run": {"precision": "float64"},
    })  # fmt: skip
    numbers = jax.tree.map(jnp.asarray, environment.parameters(scenario))

    def move(state, clock):
        state, supply = environment.advance(numbers, state, clock, key())
        return state, (supply[0] / numbers.supply[0], state.positions)

    _, (supply, positions) = jax.lax.scan(move, environment.begin(numbers), jnp.arange(steps))
    return np.asarray(supply), np.asarray(positions)


def test_a_constant_environment_is_constant():
    assert (supplies(5)[0] == 1).all()


def test_seasons_have_mean_one_and_their_phases():
    table = {"amplitude": 0.6, "period": 20.0}
    found, _ = supplies(200, seasonal=table)
    t, k = np.arange(200)[:, None], np.arange(4)[None, :]
    np.testing.assert_allclose(found, 1 + 0.6 * np.sin(2 * np.pi * (t / 20 + k / 4)), atol=1e-12)
    np.testing.assert_allclose(found.mean(axis=0), 1, atol=1e-12)
    together, _ = supplies(200, seasonal=table | {"staggered": False})
    np.testing.assert_allclose(together, together[:, :1] * np.ones(4), atol=1e-12)


def test_spells_have_their_length_and_frequency():
    table = {"spell": 5, "amplitude": 0.5, "probability": 0.3}
    found, _ = supplies(20_000, switching=table)
    assert set(np.unique(found)) == {0.5, 1.5}
    spells = found.reshape(-1, 5, 4)
    assert (spells == spells[:, :1]).all()
    first = spells[:, 0, 0] == 1.5
    assert (spells[first, 0] == [1.5, 1.5, 0.5, 0.5]).all()
    assert (spells[~first, 0] == [0.5, 0.5, 1.5, 1.5]).all()
    assert abs(first.mean() - 0.3) < 4 * math.sqrt(0.21 / 4000)
    del table["probability"]
    turns, _ = supplies(40, switching=table | {"order": "alternating"})
    assert (turns[::5, 0] == [1.5, 0.5] * 4).all()


def test_shocks_reach_their_stationary_deficit():
    """d' = d (1 - r), then 1 - (1 - d')(1 - v) with probability p."""
    p, v, r = 0.05, 0.6, 0.2
    found, _ = supplies(60_000, shocks={"probability": p, "severity": v, "recovery": r})
    expected = p * v / (1 - (1 - r) * (1 - p * v))
    assert abs((1 - found[200:]).mean() - expected) < 0.01
    calm, _ = supplies(50, shocks={"probability": 0.0})
    assert (calm == 1).all()


def test_niches_open_one_after_another():
    found, _ = supplies(40, opening={"initial": 2, "interval": 10})
    assert found.sum(axis=1).tolist() == [2.0] * 10 + [3.0] * 10 + [4.0] * 20
    assert (found[0] == [1, 1, 0, 0]).all()


def test_positions_drift():
    _, steady = supplies(11, drift={"velocity": 0.5})
    np.testing.assert_allclose(steady[-1] - steady[0], 5.0)
    np.testing.assert_allclose(steady[0] - 0.5, [0.125, 0.375, 0.625, 0.875])
    _, walk = supplies(20_000, drift={"noise": 0.1})
    steps = np.diff(walk, axis=0)
    assert stats.kstest(steps.ravel() / 0.1, "norm").pvalue > ALPHA


def test_supply_sums_to_the_productivity():
    scenario = validate({
        "world": "ecology", "niches": {"count": 2, "supply": [1.0, 3.0], "productivity": 8.0},
        "patches": {"count": 2},
    })  # fmt: skip
    assert environment.supply_matrix(scenario).tolist() == [[1, 3], [1, 3]]


# --- Patches and graphs --------------------------------------------------------------------------


def destinations(graph, count: int, home: int, dispersal: float = 1.0) -> np.ndarray:
    scenario = validate({
        "world": "ecology",
        "patches": {"count": count, "graph": graph, "dispersal": dispersal},
    })  # fmt: skip
    numbers = jax.tree.map(jnp.asarray, patches.parameters(scenario))
    start = jnp.full(30_000, home, jnp.int32)
    went = patches.dispersed(numbers, start, ids(30_000), step=jnp.asarray(2), key=key())
    return np.bincount(went, minlength=count)


def test_newborns_go_to_neighbours_alike():
    assert destinations("star", 4, 2).tolist() == [30_000, 0, 0, 0]
    centre = destinations("star", 4, 0)
    assert centre[0] == 0 and stats.chisquare(centre[1:]).pvalue > ALPHA
    ring = destinations("cycle", 5, 0)
    assert ring[[0, 2, 3]].sum() == 0 and stats.chisquare(ring[[1, 4]]).pvalue > ALPHA
    assert destinations([[0, 1]], 3, 2).tolist() == [0, 0, 30_000]  # isolated
    weighted = destinations([[0, 1, 1.0], [0, 2, 3.0]], 3, 0)
    assert stats.chisquare(weighted[1:], [7_500, 22_500]).pvalue > ALPHA
    assert destinations("complete", 3, 1, dispersal=0.0).tolist() == [0, 30_000, 0]
    some = destinations("path", 3, 0, dispersal=0.25)
    assert abs(some[1] / 30_000 - 0.25) < 4 * math.sqrt(0.1875 / 30_000) and some[2] == 0


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 9])
def test_named_graphs(count):
    for name in ("cycle", "path", "complete", "star", "grid"):
        graph = graphs.build(name, count)
        assert sorted(graph) == list(range(count))
        assert nx.is_connected(graph)
        matrix = graphs.adjacency(graph)
        assert (matrix == matrix.T).all() and (np.diag(matrix) == 0).all()
    assert graphs.build("complete", count).number_of_edges() == count * (count - 1) // 2


def test_a_grid_has_four_neighbours_inside():
    assert graphs.build("grid", 9).degree(4) == 4


# --- The market ----------------------------------------------------------------------------------


def test_capital_flows_to_what_performs_and_none_is_lost():
    def stocks(flow):
        scenario = validate({
            "world": "market", "population": {"size": 40, "variation": 0.3},
            "market": {"investment": {"flow": flow},
                       "exit": {"standard": 0.0}, "entry": {"rate": 0.0}},
        })  # fmt: skip
        run = Simulation(scenario)
        before = run.finished().population.set_index("id")["stock"]
        run.advance(1)
        after = run.finished()
        return before, after.population.set_index("id")["stock"], after.metrics.iloc[-1]

    before, with_flow, table = stocks(0.4)
    moved = with_flow - stocks(0.0)[1]
    assert math.isclose(moved.sum(), 0, abs_tol=1e-4)
    assert moved.abs().max() > 1e-3
    assert math.isclose(table["performance_mean"], table["received"] / before.sum(), rel_tol=1e-5)


@pytest.mark.parametrize("patches_", [1, 3])
@pytest.mark.parametrize("giant", [1.0, 1e3, 1e9, 1e18])
def test_a_market_pays_all_that_it_demands_whatever_its_largest_firm(giant, patches_):
    """Totals' units follow from the largest firm, wherever it is: a poor niche's must be finer."""
    scenario = validate({
        "world": "market", "niches": {"count": 3}, "patches": {"count": patches_},
        "population": {"size": 300, "start": "specialists"},
    })  # fmt: skip
    kinds, parameters, state = engine.begin(scenario, 0)
    people = state.population
    size = np.random.default_rng(3).lognormal(0, 1, people.alive.shape).astype(np.float32)
    here = np.asarray((people.niche == 0) & (people.patch == 0) & people.alive)
    size[np.flatnonzero(here)[0]] = giant  # in niche 0 of patch 0 only
    size[~np.asarray(people.alive)] = np.nan  # rows of the dead hold anything
    found = competition.exchange(
        kinds, parameters.competition, people, tally=state.tally, size=jnp.asarray(size),
        supply=parameters.environment.supply,
    )  # fmt: skip
    niche, patch = np.asarray(people.niche), np.asarray(people.patch)
    supply = np.asarray(parameters.environment.supply, float)
    for place, k in itertools.product(range(patches_), range(3)):
        firms = np.asarray(people.alive) & (niche == k) & (patch == place)
        gain = np.asarray(found.gain, float)[firms]
        # A specialist's claim is 1: what it is paid goes with its size.
        expected = supply[place, k] * size[firms].astype(float) / size[firms].astype(float).sum()
        np.testing.assert_allclose(gain, expected, rtol=3e-7)


def test_sums_of_equal_firms_beside_a_giant_are_not_rounded_all_one_way():
    """Equal addends are rounded alike, so that their errors add up instead of cancelling."""
    scenario = validate({
        "world": "market", "niches": {"count": 2},
        "population": {"size": 200_000, "start": "specialists"},
    })  # fmt: skip
    kinds, parameters, state = engine.begin(scenario, 0)
    for small, giant in ((1 / 3, 2.0**22), (1.7, 2.0**24), (1.7, 2.0**25)):
        size = jnp.full(state.population.alive.shape, small, jnp.float32).at[0].set(giant)
        found = competition.exchange(
            kinds, parameters.competition, state.population, tally=state.tally, size=size,
            supply=parameters.environment.supply,
        )  # fmt: skip
        there = np.asarray((state.population.niche == 1) & state.population.alive)
        paid = np.asarray(found.gain, float)[there].sum()
        assert math.isclose(paid, float(parameters.environment.supply[0, 1]), rel_tol=1.5e-7)


def test_what_generalists_hold_is_told_beside_specialists_that_hold_all():
    scenario = validate({
        "world": "market", "niches": {"count": 4},
        "population": {"size": 500, "start": "random"}, "tradeoff": {"exponent": 2.0},
    })  # fmt: skip
    kinds, parameters, state = engine.begin(scenario, 0)
    people = state.population
    focused = np.asarray(people.depth >= 0.9)
    stock = np.random.default_rng(2).lognormal(0, 1, focused.shape).astype(np.float32)
    stock = np.where(focused, stock, stock * np.float32(1e-14))
    world = WORLDS["market"].world
    told = world.measure(kinds, parameters.selection, people._replace(stock=jnp.asarray(stock)))
    alive = np.asarray(people.alive)
    share = stock.astype(float) / stock[alive].astype(float).sum()
    theirs = np.sort(share[alive & ~focused])
    assert theirs.sum() < 1e-12
    for name, expected in {
        "generalist_capital_share": theirs.sum(),
        "generalist_c4": theirs[-4:].sum() / theirs.sum(),
        "generalist_hhi": (theirs**2).sum() / theirs.sum() ** 2,
        "hhi": (share[alive] ** 2).sum(),
    }.items():
        assert math.isclose(float(told[name]), expected, rel_tol=1e-10), name


def test_the_founding_rate_depends_on_density_and_unmet_demand():
    scenario = validate({
        "world": "market", "competition": {"unclaimed": 1.0},
        "market": {"entry": {"rate": 3.0, "density": 0.02, "density_squared": -0.001,
                             "unmet_demand": 2.0}},
    })  # fmt: skip
    numbers = jax.tree.map(jnp.asarray, founding.parameters(scenario))
    emitted = jnp.asarray([[3.0, 1.0]])
    trade = competition.Exchange(jnp.zeros(64), emitted, emitted, jnp.asarray([[1.0, 0.0]]))

    def drawn(step):
        around = Surroundings(step, key(), trade, jnp.zeros(2), None, None)
        return founding.foundings(numbers, jnp.asarray(30), around)

    found = np.asarray(jax.lax.map(drawn, jnp.arange(4000)))
    mean = 3 * math.exp(0.02 * 30 - 0.001 * 900) * (1 + 2 * 0.25)
    assert abs(found.mean() - mean) < 4 * math.sqrt(mean / 4000)


# --- The start -----------------------------------------------------------------------------------


def test_groups_get_their_shares_and_at_least_one_each():
    groups = [{"name": str(i), "allocation": [1.0], "share": share, "budget": 1.0 + i}
              for i, share in enumerate([1000.0, 1.0, 500.0])]  # fmt: skip
    scenario = validate({
        "world": "ecology", "niches": {"count": 1}, "population": {"size": 31, "groups": groups},
    })  # fmt: skip
    kind, start = start_of(scenario)
    assert kind == "table"
    assert np.bincount(start.group).tolist() == [20, 1, 10]
    assert sorted(set(zip(start.group.tolist(), start.budget.tolist(), strict=True))) == [
        (0, 1.0), (1, 2.0), (2, 3.0),
    ]  # fmt: skip


def test_the_starting_stock_varies_as_stated():
    run = Simulation(validate({
        "world": "ecology",
        "population": {"size": 4000, "stock": 1.5, "stock_variation": 0.5},
    }))  # fmt: skip
    stock = run.finished().population["stock"] / 1.5
    assert stats.kstest(stock, stats.uniform(0.5, 1.0).cdf).pvalue > ALPHA


def test_an_event_log_begins_empty():
    log = empty(8, "float32")
    assert int(log.used) == 0 and log.id.shape == (8,)
    assert inheritance.parameters(validate({"world": "ecology"})).rate == np.float32(0.1)
