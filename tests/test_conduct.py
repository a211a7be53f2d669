"""Conduct of firms against plain references: effort, price, quality, free entry."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_invariance import finished, permuted, same

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.errors import RunError, ScenarioError
from ecosim.model.conduct import effort, price, quality
from ecosim.model.population import taken, written
from ecosim.model.step import _compete
from ecosim.model.structure import enlarged, kinds_of
from ecosim.scenario import override, read, validate
from ecosim.scenario.oligopoly import FIRMS
from ecosim.simulate import Simulation, simulate
from ecosim.theory import contests, entry
from ecosim.worlds.registry import WORLDS

CLOSED = {"entry": {"kind": "free", "rate": 0.0}}  # nobody loses where nothing is paid
number = st.floats(0.1, 3.0)


def market(*, supply=1.0, size=1, steps=3, niches=None, **tables):
    return validate({
        "world": "market",
        "niches": {"count": 1, "productivity": supply} | (niches or {}),
        "population": {"size": size},
        "run": {
            "steps": steps, "precision": "float64", "until": "settled", "settled_steps": 10**6,
        },
        **tables,
    })  # fmt: skip


def contest(n, r=1.0, closed=True, fixed=0.0, **conduct):
    rest = CLOSED if closed else {"entry": {"kind": "free"}}
    return market(
        size=n,
        tradeoff={"exponent": 1.0},
        competition={"exponent": r},
        market=rest | {"costs": {"scale": 0.0, "fixed": fixed},
                       "conduct": {"kind": "effort"} | conduct},
    )  # fmt: skip


def circle(n, *, t=1.0, c=0.5, length=1.0, **changes):
    conduct = {"kind": "price", "transport": t, "cost": c, "sites": "random"}
    return market(
        size=n,
        niches={"length": length},
        competition={"kind": "circular"},
        market=CLOSED | {"conduct": conduct},
        **changes,
    )


def last(scenario, metric, seed=0):
    return simulate(scenario, seed=seed).metrics[metric].iloc[-1]


# Effort


@settings(max_examples=15, deadline=None)
@given(
    impact=st.lists(st.tuples(number, number), min_size=2, max_size=5),
    exponent=st.floats(0.3, 2.5),
    cost=st.floats(0.2, 3.0),
    unclaimed=st.floats(0.0, 2.0),
)
def test_an_effort_is_the_best_of_a_fine_grid(impact, exponent, cost, unclaimed):
    impact, supply = np.array(impact), np.array([1.0, 0.4])
    efforts = np.linspace(0.05, 0.3, len(impact))
    rivals = (impact[1:] * efforts[1:, None] ** exponent).sum(axis=0) + unclaimed
    with prepared():
        found = float(effort.reply(
            jnp.asarray(impact), jnp.asarray(efforts), jnp.asarray(0), supply=jnp.asarray(supply),
            unclaimed=unclaimed, exponent=exponent, cost=cost,
        ))  # fmt: skip

    def payoff(e):
        mine = impact[0] * np.asarray(e)[..., None] ** exponent
        return (supply * mine / (mine + rivals)).sum(axis=-1) - cost * np.asarray(e)

    tried = np.concatenate([[0.0], np.geomspace(1e-6, 1.4, 20001) / cost])
    assert payoff(found) >= payoff(tried).max() - 1e-8


@pytest.mark.parametrize("rule", ["sequence", "damped"])
def test_both_rules_come_to_one_equilibrium(rule):
    scenario = contest(6, r=0.9, rule=rule) if rule == "sequence" else contest(
        6, r=0.9, rule=rule, damping=0.2
    )  # fmt: skip
    recording = simulate(scenario)
    own = recording.population["conduct"].to_numpy()
    assert own == pytest.approx(contests.tullock_effort(6, 0.9), rel=1e-9)
    assert recording.metrics["profit_mean"].iloc[-1] == pytest.approx(
        contests.tullock_payoff(6, 0.9), rel=1e-9
    )


def test_undamped_simultaneous_replies_do_not_settle():
    wild = contest(6, rule="damped", damping=1.0, rounds=200)
    wild = override(wild, {"run.steps": 1})
    assert last(wild, "conduct_mean") != pytest.approx(contests.tullock_effort(6, 1.0), rel=0.01)


def test_a_steep_contest_has_two_active_firms():
    recording = simulate(contest(3, r=1.8))
    assert sorted(recording.population["conduct"]) == pytest.approx([0, 0.45, 0.45], rel=1e-9)


def test_effort_is_paid_from_capital():
    scenario = override(contest(4, cost=1.0), {
        "market.entry": {"rate": 0.0}, "market.costs.upkeep": 0.05, "run.steps": 1,
    })  # fmt: skip
    recording = simulate(scenario)
    before, after = recording.founders["stock"], recording.population["stock"]
    spent = contests.tullock_effort(4, 1.0)
    assert after.to_numpy() == pytest.approx((before * 0.95 + 0.25 - spent).to_numpy(), rel=1e-9)


# Prices


def plain_prices(site, *, t, c, length):
    """Nash prices by a linear solution, and units sold, in the order given."""
    order = np.argsort(site)
    after = np.diff(np.append(site[order], site[order][0] + length))
    before = np.roll(after, 1)
    n = len(site)
    matrix = np.eye(n)
    for i in range(n):
        matrix[i, i - 1] -= 0.25
        matrix[i, (i + 1) % n] -= 0.25
    found = np.linalg.solve(matrix, t * (before + after) / 4 + c / 2)
    prices = np.empty(n)
    prices[order] = found
    return prices, (prices - c) / (t * length)


@pytest.mark.parametrize("n", [2, 3, 9])
def test_prices_solve_the_first_order_conditions(n):
    t, c, length = 2.0, 0.3, 3.0
    recording = simulate(circle(n, t=t, c=c, length=length))
    table = recording.population
    prices, units = plain_prices(table["site"].to_numpy(), t=t, c=c, length=length)
    assert table["conduct"].to_numpy() == pytest.approx(prices, rel=1e-9)
    assert units.sum() == pytest.approx(1.0)
    end = recording.metrics.iloc[-1]
    assert end["profit_mean"] == pytest.approx(((prices - c) * units).mean(), rel=1e-9)
    assert end["emitted"] == pytest.approx((prices * units).sum(), rel=1e-9)
    assert end["conduct_mean"] == pytest.approx(entry.salop_price(n, t, c, length))


@settings(max_examples=20, deadline=None)
@given(
    sites=st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.6, 0.99]) | st.floats(0, 0.999), max_size=6),
    dead=st.integers(0, 3),
)
@example(sites=[0.25, 0.25, 0.25], dead=1)
@example(sites=[0.6], dead=0)
def test_gaps_go_once_round_the_circle(sites, dead):
    site = np.array(sites + [0.5] * dead)
    ids = np.arange(1, len(site) + 1, dtype=np.uint64)
    alive = np.arange(len(site)) < len(sites)
    with prepared():
        if len(site) == 0:
            return
        around = price.ring(
            jnp.asarray(site), jnp.asarray(ids), jnp.asarray(alive), jnp.asarray(1.0)
        )
    after, before = np.asarray(around.after)[alive], np.asarray(around.before)[alive]
    if len(sites):
        assert after.sum() == pytest.approx(1.0)
        assert before.sum() == pytest.approx(1.0)
        # My right neighbour's left neighbour is myself.
        right, left = np.asarray(around.right), np.asarray(around.left)
        slots = np.flatnonzero(alive)
        assert (left[right[slots]] == slots).all()
        assert before[right[slots]] == pytest.approx(after)


def plain_entry(rng, t, f):
    """Sequential entry with exit of losers, written once more, in plain NumPy."""
    site, failed = np.array([rng.random()]), 0
    while failed < 150:
        tried = np.append(site, rng.random())
        prices, units = plain_prices(tried, t=t, c=0.0, length=1.0)
        if prices[-1] * units[-1] < f:
            failed += 1
            continue
        site, failed = tried, 0
        while True:
            prices, units = plain_prices(site, t=t, c=0.0, length=1.0)
            if (prices * units).min() >= f:
                break
            site = np.delete(site, np.argmin(prices * units))
    return len(site)


def free_circle(fixed=0.02):
    return override(read("free-entry-circle"), {
        "market.costs.fixed": fixed, "run.precision": "float64", "record.events": False,
        "run.settled_steps": 150,
    })  # fmt: skip


def test_free_entry_is_the_plain_protocol():
    plain = [plain_entry(np.random.default_rng(seed), 1.0, 0.02) for seed in range(150)]
    found = [last(free_circle(), "population", seed) for seed in range(40)]
    error = np.hypot(np.std(plain) / 150**0.5, np.std(found) / 40**0.5)
    assert abs(np.mean(plain) - np.mean(found)) < 4 * error
    low, high = entry.salop_band(1.0, 0.02)
    assert low - 0.5 < min(found) <= max(found) <= high


def test_at_rest_nobody_loses_and_nobody_fits():
    recording = simulate(free_circle(), seed=5)
    site = recording.population["site"].to_numpy()
    prices, units = plain_prices(site, t=1.0, c=0.5, length=1.0)
    assert ((prices - 0.5) * units).min() >= 0.02 * (1 - 1e-9)
    fits = 0
    for candidate in np.linspace(0, 1, 997, endpoint=False):
        prices, units = plain_prices(np.append(site, candidate), t=1.0, c=0.5, length=1.0)
        fits += (prices[-1] - 0.5) * units[-1] >= 0.02
    assert fits <= 30  # but for stretches that 200 candidates may have missed


def test_without_exit_more_stay():
    stay = override(free_circle(), {"market.exit.enabled": False})
    kept, left = (
        np.mean([last(s, "population", seed) for seed in range(20)])
        for s in (stay, free_circle())
    )  # fmt: skip
    assert kept > left + 0.5


# Quality


@settings(max_examples=30, deadline=None)
@given(u=st.lists(st.floats(1.0, 20.0), min_size=1, max_size=6), dead=st.integers(0, 2))
def test_shares_are_those_of_the_active(u, dead):
    alive = np.arange(len(u) + dead) < len(u)
    with prepared():
        found = np.asarray(quality.shares(jnp.asarray(u + [3.0] * dead), jnp.asarray(alive)))
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    ranked = np.sort(u)[::-1]
    count = max(
        k for k in range(1, len(u) + 1) if ranked[k - 1] * (1 / ranked[:k]).sum() > k - 1
    )
    total = (1 / ranked[:count]).sum()
    plain = np.maximum(1 - (count - 1) / (np.array(u) * total), 0)
    assert found[: len(u)] == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("spread", [0, 1, 3, 30, 3000, 10**9])
def test_active_are_the_best_k_for_the_largest_k_that_pays(spread):
    """Whole numbers 1/u with ties and the dead among them, against the definition, exactly."""
    rng, firms, active = np.random.default_rng(spread), 150, set()
    field = jax.jit(quality.field)
    for cut in range(1, 40):
        inverse = (1 + rng.integers(0, spread + 1, firms) // cut) << 20
        alive = rng.random(firms) < rng.choice([0.02, 0.1, 0.9])
        with prepared():
            found = field(jnp.asarray(2.0**50 / inverse), jnp.asarray(alive))
        own = sorted(int(v) for v in inverse[alive])  # Python's whole numbers: none too large
        pays = [k for k in range(1, len(own) + 1) if sum(own[:k]) > (k - 1) * own[k - 1]]
        count = max(pays, default=0)
        assert int(found.number) == count and int(found.total) == sum(own[:count])
        chosen = inverse[np.asarray(found.active)]
        assert sorted(chosen.tolist()) == own[:count] and not (found.active & ~alive).any()
        active.add((count, len(own)))
    assert len(active) > 5


@settings(max_examples=10, deadline=None)
@given(
    u=st.lists(st.floats(1.0, 8.0), min_size=2, max_size=5),
    revenue=st.floats(2.0, 1e4),
    g=st.floats(1.0, 9.0),
)
def test_a_quality_is_the_best_of_a_fine_grid(u, revenue, g):
    alive = jnp.ones(len(u), bool)
    with prepared():
        found = float(quality.reply(
            jnp.asarray(u), jnp.asarray(0), alive, revenue=jnp.asarray(revenue),
            cost_exponent=jnp.asarray(g),
        ))  # fmt: skip
    rest = np.array(u[1:])

    def payoff(mine):
        every = np.append(mine, rest)
        order = np.argsort(-every)
        inverse = 1 / every[order]
        rank = np.arange(len(every))
        count = int(np.cumprod(np.cumsum(inverse) > rank * inverse).sum())
        share = max(1 - (count - 1) / (mine * inverse[:count].sum()), 0)
        return revenue * share**2 - mine**g

    tried = np.geomspace(1.0, max(revenue ** (1 / g), 1.0), 2001)
    assert payoff(found) >= max(map(payoff, tried)) - 1e-6 * revenue


@pytest.mark.parametrize(
    ("g", "firms"),
    # 4.5: exactly four; 4.6: four, though a fourth could not live beside three that stood still.
    [(2.0, 2), (4.0, 3), (8.0, 5), (4.5, 4), (4.6, 4)],
)
def test_quality_and_number_of_firms(g, firms):
    conduct = {"kind": "quality", "cost_exponent": g}
    for revenue in (100.0, 1e6):
        scenario = market(
            supply=revenue, steps=30, competition={"kind": "cournot"},
            market={"entry": {"kind": "free"}, "conduct": conduct},
        )  # fmt: skip
        end = simulate(scenario).metrics.iloc[-1]
        assert end["population"] == firms == entry.whole(entry.sutton_firms(g, revenue))
        wanted = entry.sutton_quality(firms, g, revenue)
        assert end["conduct_mean"] == pytest.approx(wanted, rel=1e-9)
        assert end["profit_mean"] == pytest.approx(
            revenue / firms**2 - wanted**g, rel=1e-6, abs=1e-9 * revenue
        )


@pytest.mark.parametrize("times", [0.5, 1.0, 40.0, 1e6])
def test_a_firm_that_is_only_foreseen_may_outdo_all_that_are_there(times):
    """Its claims are in no tally; what is paid and what is left must still be the supply."""
    scenario = override(contest(3, closed=False), {"run.precision": "float32"})
    with prepared():
        kinds, numbers, state = engine.begin(scenario, 1)
        twin = taken(state.population, jnp.zeros(1, int))
        twin = twin._replace(id=twin.id + 100, claims=twin.claims * times)
        crowd = written(state.population, jnp.asarray([3]), twin)
        supply = jnp.full((1, 1), 7.0, jnp.float32)
        _, exchange = _compete(WORLDS["market"].world, kinds, numbers, state.tally, supply, crowd)
        paid = float(exchange.gain.sum() + exchange.unclaimed.sum())
    assert paid == pytest.approx(7.0, rel=1e-5)


# What a result must not depend on, and how runs go


def every_conduct():
    return {
        "effort": override(contest(3, closed=False, fixed=0.01), {"run.precision": "float32"}),
        "price": override(free_circle(0.005), {"run.precision": "float32"}),
        "quality": market(
            supply=50.0, competition={"kind": "cournot"}, size=3,
            market={"entry": {"kind": "free"}, "conduct": {"kind": "quality", "rule": "damped"}},
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["effort", "price", "quality"])
def test_neither_slots_nor_capacity_matter(name):
    scenario = override(every_conduct()[name], {"run.steps": 14})
    plain, moved, padded = (Simulation(scenario, 3) for _ in range(3))
    permuted(moved, 1)
    moved.advance(6)
    permuted(moved, 2)
    with prepared():
        padded.state = engine.enlarged(padded.kinds, padded.state, 192)
    first = finished(plain)
    same(first, finished(moved))
    same(first, finished(padded))


def test_arrays_grow_when_more_enter_than_fit():
    scenario = market(
        supply=70.0**2, steps=80, competition={"kind": "cournot"},
        market={"costs": {"fixed": 1.0}, "entry": {"kind": "free"}},
    )  # fmt: skip
    run = Simulation(scenario)
    assert run.state.population.alive.shape[0] == 64
    run.advance(80)
    assert run.finished().metrics["population"].iloc[-1] == 70
    limited = override(scenario, {"population.limit": 7})
    end = simulate(limited).metrics.iloc[-1]
    assert end["population"] == 7
    assert end["births_refused"] == 1


def test_more_firms_than_can_divide_a_market_are_refused_with_the_reason(monkeypatch):
    kinds = kinds_of(market(supply=1.0, competition={"kind": "cournot"}))
    assert enlarged(kinds, FIRMS - 64, births=1, step=3) == FIRMS
    with pytest.raises(RunError, match=f"step 3.*at most {FIRMS} firms"):
        enlarged(kinds, FIRMS, births=1, step=3)
    monkeypatch.setattr("ecosim.model.division.parts", lambda: 3)  # as on three devices
    assert enlarged(kinds, FIRMS - 64, births=1, step=3) % (3 * 64) == 0


def test_losers_leave_worst_first_and_one_at_a_time():
    scenario = override(circle(6), {
        "market.costs.fixed": 0.04, "run.steps": 12,
        "record.events": True,
    })  # fmt: skip
    recording = simulate(scenario, seed=2)
    assert (recording.metrics["exits"] <= 1).all()
    founders = recording.founders
    prices, units = plain_prices(founders["site"].to_numpy(), t=1.0, c=0.5, length=1.0)
    worst = founders["id"].iloc[np.argmin((prices - 0.5) * units)]
    assert recording.events is not None
    assert recording.events["id"].iloc[0] == worst
    assert recording.metrics["profit_mean"].iloc[-1] > 0


def test_a_run_ends_when_nobody_comes():
    scenario = override(contest(2, closed=False, fixed=0.04), {
        "run.steps": 100, "run.settled_steps": 7,
    })  # fmt: skip
    recording = simulate(scenario)
    assert recording.complete
    assert recording.steps == 3 + 7  # three enter, one a step, and then nobody
    assert len(recording.population) == 5


def test_mesa_runs_the_same_market():
    from ecosim import MarketModel

    scenario = free_circle()
    model = MarketModel(scenario, rng=4)
    for _ in range(12):
        model.step()
    headless = simulate(override(scenario, {"run.steps": 12}), seed=4)
    own = model.recording().metrics
    assert own["conduct_mean"].tolist()[1:] == headless.metrics["conduct_mean"].tolist()[1:]
    assert len(model.agents) == len(headless.population)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"market.conduct.kind": "price"}, "market.conduct.kind", "circular"),
        ({"market.conduct.kind": "quality"}, "market.conduct.kind", "cournot"),
        ({"competition.kind": "circular"}, "competition.kind", "price"),
        ({"competition.kind": "cournot", "niches.count": 2}, "niches.count", "one market"),
        ({"competition.kind": "cournot", "population.size": FIRMS}, "population.size", "fewer"),
        ({"market.entry.kind": "free"}, "market.entry.kind", "foresees"),
        ({"market.conduct.start": 2.0}, "market.conduct.start", "has an effect only"),
        ({"market.conduct.transport": 2.0}, "market.conduct.transport", "'price'"),
        (
            {"market.conduct.kind": "effort", "market.conduct.damping": 0.1},
            "market.conduct.damping",
            "damped",
        ),
        (
            {"market.conduct.kind": "effort", "market.conduct.cost": 0.0},
            "market.conduct.cost",
            "> 0",
        ),
        ({"competition.kind": "cournot", "competition.exponent": 2.0}, "competition.exponent", ""),
        (
            {"competition.kind": "cournot", "market.entry.kind": "free", "market.entry.rate": 2.0},
            "market.entry.rate",
            "at most one",
        ),
        (
            {"competition.kind": "cournot", "market.entry.kind": "free", "market.exit.patience": 9},
            "market.exit.patience",
            "without free entry",
        ),
    ],
)
def test_words_of_an_oligopoly_that_do_not_fit_are_refused(changes, key, words):
    plain = validate({"world": "market", "niches": {"count": 1}})
    with pytest.raises(ScenarioError) as caught:
        override(plain, changes)
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert key in found, found
    assert words in found[key]


def test_an_ecology_has_no_oligopoly():
    with pytest.raises(ScenarioError, match="competition of firms"):
        validate({"world": "ecology", "niches": {"count": 1}, "competition": {"kind": "cournot"}})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: contests.tullock_effort(1, 1.0), "two firms"),
        (lambda: contests.tullock_effort(3, 1.6), "n/\\(n-1\\)"),
        (lambda: contests.tullock_firms(1.1, 1.0, 0.1), "at most 1"),
        (lambda: contests.tullock_firms(1.0, 1.0, 0.3), "< 2"),
        (lambda: contests.tullock_active(3, 1.4), "3/2"),
        (lambda: entry.salop_price(1, 1.0), "n >= 2"),
        (lambda: entry.salop_firms(0.0, 1.0), "transport"),
        (lambda: entry.cournot_firms(1.0, 2.0), "no firm"),
        (lambda: entry.sutton_limit(-1.0), "cost_exponent"),
    ],
)
def test_closed_forms_refuse_what_lies_outside_their_domain(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_closed_forms_at_the_printed_values():
    assert [round(entry.sutton_limit(g), 2) for g in (2, 4, 8)] == [2.62, 3.73, 5.83]
    assert [entry.whole(entry.sutton_firms(g, 1e4)) for g in (2, 4, 8)] == [2, 3, 5]
    assert entry.sutton_firms(8, 9.0) == 3.0  # a market too small for quality
    assert contests.tullock_firms(1.0, 1.0, 0.01) == pytest.approx(10)
    assert entry.salop_band(1.0, 0.01) == pytest.approx((6.3397, 10), abs=1e-4)
