import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from ecosim.analysis.concentration import (
    complementary_frequencies,
    concentration_ratio,
    describe_sizes,
    fit_lognormal,
    fit_power_law,
    generalist_concentration,
    gini,
    herfindahl,
)
from ecosim.errors import EcosimError

sizes_strategy = st.lists(
    st.one_of(st.just(0.0), st.floats(1e-3, 1e6)), min_size=1, max_size=40
).filter(any)


def test_closed_forms():
    assert herfindahl([1, 1, 1, 1]) == pytest.approx(0.25)
    assert herfindahl([3, 1]) == pytest.approx(0.625)
    assert concentration_ratio([4, 3, 2, 1], 2) == pytest.approx(0.7)
    assert concentration_ratio([4, 3, 2, 1]) == 1
    assert gini([1, 2, 3, 4, 5]) == pytest.approx(4 / 15)  # (n^2 - 1)/(6 n mean) of 1..n
    assert gini([0, 0, 0, 7]) == pytest.approx(1 - 1 / 4)
    assert gini([2, 2, 2]) == 0


def test_a_total_of_0_has_no_shares():
    for measure in (herfindahl, concentration_ratio, gini):
        assert np.isnan(measure([0.0, 0.0])) and np.isnan(measure([]))


@settings(deadline=None)
@given(sizes_strategy, st.floats(1e-3, 1e3), st.integers(1, 5), st.randoms())
def test_ranges_order_and_unit(sizes, unit, largest, random):
    number = len(sizes)
    assert 1 / number - 1e-9 <= herfindahl(sizes) <= 1 + 1e-9
    assert -1e-9 <= gini(sizes) <= 1 - 1 / number + 1e-9
    share = concentration_ratio(sizes, largest)
    assert min(largest / number, 1) - 1e-9 <= share <= 1
    shuffled = [size * unit for size in sizes]
    random.shuffle(shuffled)
    assert herfindahl(shuffled) == pytest.approx(herfindahl(sizes))
    assert gini(shuffled) == pytest.approx(gini(sizes), abs=1e-9)
    assert concentration_ratio(shuffled, largest) == pytest.approx(share)


@settings(deadline=None)
@given(sizes_strategy)
def test_gini_is_half_the_relative_mean_difference(sizes):
    values = np.array(sizes)
    difference = np.abs(values[:, None] - values).mean()
    assert gini(values) == pytest.approx(difference / (2 * values.mean()), abs=1e-9)


@settings(deadline=None)
@given(sizes_strategy, st.data())
def test_a_merger_concentrates(sizes, data):
    assume(len(sizes) > 1)
    first = data.draw(st.integers(0, len(sizes) - 2))
    merged = sizes[:first] + [sizes[first] + sizes[first + 1]] + sizes[first + 2 :]
    assert herfindahl(merged) >= herfindahl(sizes) - 1e-12
    assert concentration_ratio(merged) >= concentration_ratio(sizes) - 1e-12


def test_generalist_concentration():
    sizes, breadth = [50, 8, 6, 4, 2, 1], [1, 3, 3, 3, 3, 2]
    # Generalists hold 8, 6, 4, 2: the breadth must exceed the threshold.
    assert generalist_concentration(sizes, breadth, 2) == 1
    assert generalist_concentration(sizes, breadth, 2, largest=2) == pytest.approx(14 / 20)
    assert generalist_concentration(sizes, breadth, 1.9) == pytest.approx(20 / 21)
    assert np.isnan(generalist_concentration(sizes, breadth, 5))
    with pytest.raises(EcosimError, match="one breadth per size"):
        generalist_concentration(sizes, [1, 2], 2)


def test_complementary_frequencies():
    table = complementary_frequencies([5, 1, 1, 2])
    assert table["size"].tolist() == [1, 2, 5]
    assert table["frequency"].tolist() == [1, 0.5, 0.25]
    assert complementary_frequencies([]).empty


# Power law ----------------------------------------------------------------------------------


def pareto(number: int, exponent: float, xmin: float) -> np.ndarray:
    """The mid-quantiles of a Pareto law: a sample without chance."""
    rank = (np.arange(number) + 0.5) / number
    return xmin * (1 - rank) ** (-1 / exponent)


def test_power_law_by_hand():
    fit = fit_power_law([0.5, 2, 4, 8], xmin=2)
    logs = np.log([1, 2, 4])
    assert fit.number == 3 and fit.exponent == pytest.approx(3 / logs.sum())
    assert fit.standard_error == pytest.approx(fit.exponent / np.sqrt(3))
    z = fit.exponent
    density = [z / 2 * (size / 2) ** -(z + 1) for size in (2, 4, 8)]
    assert fit.log_likelihood == pytest.approx(np.log(density).sum())


@pytest.mark.parametrize("exponent", [0.7, 1.1111, 2.5])
def test_power_law_is_recovered_and_its_likelihood_is_scipys(exponent):
    sizes = pareto(20_000, exponent, 3.0)
    fit = fit_power_law(np.append(sizes, [0.1, 2.9]), xmin=3.0)
    assert fit.number == 20_000
    assert fit.exponent == pytest.approx(exponent, rel=1e-3)
    scipys = stats.pareto.logpdf(sizes, fit.exponent, scale=3.0).sum()
    assert fit.log_likelihood == pytest.approx(scipys)
    for other in (0.99, 1.01):
        worse = stats.pareto.logpdf(sizes, fit.exponent * other, scale=3.0).sum()
        assert worse < fit.log_likelihood


def test_standard_error_covers():
    z, xmin = 1.5, 2.0
    fits = [
        fit_power_law(xmin * (1 + np.random.default_rng(seed).pareto(z, 400)), xmin)
        for seed in range(200)
    ]
    found = np.array([fit.exponent for fit in fits])
    assert found.mean() == pytest.approx(z * 400 / 399, abs=3 * found.std() / np.sqrt(200))
    assert found.std() == pytest.approx(fits[0].standard_error, rel=0.2)


# Lognormal ----------------------------------------------------------------------------------


def test_lognormal_of_all_sizes_is_the_moments_of_the_logs():
    sizes = np.exp(np.random.default_rng(1).normal(0.7, 1.3, 5000))
    fit = fit_lognormal(sizes)
    assert fit.mu == pytest.approx(np.log(sizes).mean())
    assert fit.sigma == pytest.approx(np.log(sizes).std())
    expected = stats.norm.logpdf(np.log(sizes), fit.mu, fit.sigma).sum() - np.log(sizes).sum()
    assert fit.log_likelihood == pytest.approx(expected)


@pytest.mark.parametrize("xmin", [0.1, 1.0, 3.0])
def test_a_cut_lognormal_is_recovered(xmin):
    mu, sigma, number = 0.5, 0.8, 40_000
    low = stats.norm.cdf((np.log(xmin) - mu) / sigma)
    rank = low + (1 - low) * (np.arange(number) + 0.5) / number
    sizes = np.exp(stats.norm.ppf(rank, mu, sigma))
    fit = fit_lognormal(np.append(sizes, 0.01), xmin)
    assert fit.number == number
    assert fit.mu == pytest.approx(mu, abs=0.03) and fit.sigma == pytest.approx(sigma, abs=0.01)

    def log_likelihood(mu, sigma):
        above = stats.norm.logsf((np.log(xmin) - mu) / sigma)
        return (stats.norm.logpdf(np.log(sizes), mu, sigma) - np.log(sizes) - above).sum()

    assert fit.log_likelihood == pytest.approx(log_likelihood(fit.mu, fit.sigma))
    for step in ((0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02)):
        assert log_likelihood(fit.mu + step[0], fit.sigma + step[1]) < fit.log_likelihood
    # The density of the fit is a density: it integrates to 1 above the cut.
    above = stats.norm.logsf((np.log(xmin) - fit.mu) / fit.sigma)
    mass = integrate.quad(
        lambda y: np.exp(stats.norm.logpdf(y, fit.mu, fit.sigma) - above), np.log(xmin), 12
    )[0]
    assert mass == pytest.approx(1)


def test_a_tail_far_above_the_cut_is_not_cut():
    sizes = np.exp(np.random.default_rng(2).normal(10, 0.1, 1000))
    cut, whole = fit_lognormal(sizes, 1.0), fit_lognormal(sizes)
    assert (cut.mu, cut.sigma) == pytest.approx((whole.mu, whole.sigma))
    assert cut.log_likelihood == pytest.approx(whole.log_likelihood)


def test_a_heavier_than_lognormal_tail_gives_the_power_law_limit():
    logs = np.array([0.01] * 50 + [5.0] * 3)  # mean square > 2 x squared mean
    fit = fit_lognormal(np.exp(logs), 1.0)
    assert fit.mu == -np.inf and fit.sigma == np.inf
    assert fit.log_likelihood == fit_power_law(np.exp(logs), 1.0).log_likelihood


@settings(deadline=None, max_examples=150)
@given(st.lists(st.floats(1.0, 1e4), min_size=2, max_size=30))
def test_the_lognormal_holds_the_power_law_as_its_limit(sizes):
    lognormal, power = fit_lognormal(sizes, 1.0), fit_power_law(sizes, 1.0)
    assume(not np.isnan(lognormal.log_likelihood))
    slack = 1e-6 * (1 + abs(power.log_likelihood))
    assert lognormal.log_likelihood >= power.log_likelihood - slack


def test_the_right_law_wins_on_long_samples():
    random = np.random.default_rng(5)
    heavy = 1 + random.pareto(1.2, 20_000)
    thin = np.exp(random.normal(0, 1, 40_000))
    for sizes, margin in ((heavy, (-0.01, 10)), (thin[thin > 1], (200, np.inf))):
        gain = fit_lognormal(sizes, 1.0).log_likelihood - fit_power_law(sizes, 1.0).log_likelihood
        assert margin[0] <= gain <= margin[1]


# Report and errors --------------------------------------------------------------------------


def test_report_is_json_and_says_none():
    report = describe_sizes([1.0, 2, 4, 8, 0], xmin=1.0)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert report["number"] == 5 and report["power_law"]["number"] == 4
    assert report["c4"] == 1 and report["lognormal_all"]["xmin"] == 0
    equal = describe_sizes([3.0, 3, 3], xmin=3.0)
    assert equal["power_law"]["exponent"] is None and equal["lognormal"]["sigma"] is None
    empty = describe_sizes([], xmin=1.0)
    assert empty["gini"] is None and empty["power_law"]["number"] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: herfindahl([1, -1]), "finite numbers >= 0"),
        (lambda: gini([[1, 2]]), "one row"),
        (lambda: gini([np.nan]), "finite"),
        (lambda: concentration_ratio([1], 0), "at least one agent; got 0"),
        (lambda: fit_power_law([1, 2], 0), "xmin must be a positive size; got 0"),
        (lambda: fit_lognormal([1, 2], -1), "xmin must be a positive size; got -1"),
    ],
)
def test_impossible_input_is_refused(call, message):
    with pytest.raises(EcosimError, match=message):
        call()
