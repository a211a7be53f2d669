"""Densities in continuous time, explicit resources and competition kernels."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ecosim import engine
from ecosim.compilation import prepared
from ecosim.errors import RunError, ScenarioError
from ecosim.model.integration import stepped, unit_of_time
from ecosim.model.population import padded, taken
from ecosim.scenario import validate
from ecosim.simulate import Simulation, simulate

C = np.array([[1.0, 0.5, 0.2], [0.3, 1.1, 0.4], [0.2, 0.2, 0.9], [0.6, 0.6, 0.1]])
SUPPLY = np.array([6.0, 4.0, 5.0])


def consumers(**changes):
    groups = [
        {"name": str(i), "allocation": list(c / c.sum()), "budget": c.sum(), "stock": 0.3 + 0.1 * i}
        for i, c in enumerate(C)
    ]
    return validate(
        {
            "world": "ecology",
            "niches": {"count": 3, "supply": list(SUPPLY), "productivity": SUPPLY.sum()},
            "population": {"size": 4, "stock_variation": 0.0, "groups": groups},
            "tradeoff": {"exponent": 1.0},
            "competition": {"kind": "resources", "resources": {"rate": 0.7}},
            "selection": {"kind": "growth", "upkeep": 0.8},
            "run": {"steps": 12, "precision": "float64"},
        }
    ).replace(**changes)


def strains(count=5, **changes):
    groups = [
        {"name": str(i), "position": x, "stock": 1.0 + i}
        for i, x in enumerate(np.linspace(-1, 1.3, count))
    ]
    kernel = {"width": 0.6, "capacity": 40.0, "capacity_width": 1.1, "centre": 0.2}
    return validate(
        {
            "world": "ecology",
            "niches": {"space": "axis", "count": 2},
            "population": {"size": count, "stock_variation": 0.0, "groups": groups},
            "competition": {"kind": "lotka-volterra", "kernel": kernel},
            "selection": {"kind": "growth", "growth_rate": 0.8, "extinction": 0.0},
            "run": {"steps": 12, "precision": "float64"},
        }
    ).replace(**changes)


def solved(rate, start, time):
    return solve_ivp(rate, (0, time), start, method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]


SUPPLIES = {
    "external": lambda r: SUPPLY - 0.7 * r,
    "renewing": lambda r: 0.7 * r * (1 - r / SUPPLY),
    "chemostat": lambda r: 0.7 * (SUPPLY - r),
}


@pytest.mark.parametrize("uptake", ["linear", "monod"])
@pytest.mark.parametrize("supply", list(SUPPLIES))
def test_consumers_follow_their_differential_equations(supply, uptake):
    half = np.array([0.5, 1.0, 2.0, 0.8])
    table = {"rate": 0.7, "supply": supply, "uptake": uptake, "start": 2.0}
    table |= {"half_saturation": list(half)} if uptake == "monod" else {}
    run = simulate(consumers(competition__resources=table))

    def rate(_, y):
        n, r = y[:4], y[4:]
        available = r / (half[:, None] + r) if uptake == "monod" else np.tile(r, (4, 1))
        taken = C * available
        return np.concatenate([n * (taken.sum(1) - 0.8), SUPPLIES[supply](r) - n @ taken])

    expected = solved(rate, [0.3, 0.4, 0.5, 0.6, 2.0, 2.0, 2.0], 12)
    last = run.metrics.iloc[-1]
    found = [last[f"group_abundance_{i}"] for i in range(4)]
    found += [last[f"resource_{k}"] for k in range(3)]
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_strains_follow_lotka_and_volterra():
    run = simulate(strains())
    x = np.linspace(-1, 1.3, 5)
    alpha = np.exp(-((x[:, None] - x) ** 2) / (2 * 0.6**2))
    room = 40 * np.exp(-((x - 0.2) ** 2) / (2 * 1.1**2))
    expected = solved(lambda _, n: 0.8 * n * (1 - alpha @ n / room), 1.0 + np.arange(5), 12)
    np.testing.assert_allclose(run.population["stock"], expected, rtol=1e-8)
    np.testing.assert_allclose(run.population["position"], x)


def test_half_precision_of_a_run_differs_by_rounding_only():
    for scenario in (consumers(), strains()):
        low = simulate(scenario.replace(run__precision="float32")).metrics["abundance"]
        np.testing.assert_allclose(low, simulate(scenario).metrics["abundance"], rtol=3e-6)


def test_a_step_of_integration_has_an_error_of_order_six():
    def rate(y):
        return jnp.stack([y[1], -y[0]])

    errors = []
    spans = np.array([0.4, 0.2, 0.1])
    for span in spans:
        with prepared():
            start = jnp.array([1.0, 0.5])
            later, _, _ = stepped(rate, start, rate(start), jnp.asarray(span))
        c, s = np.cos(span), np.sin(span)
        errors.append(np.abs(np.array(later) - [c + 0.5 * s, 0.5 * c - s]).max())
    slope = np.polyfit(np.log(spans), np.log(errors), 1)[0]
    assert 5.7 < slope < 6.5, errors


def test_a_smaller_tolerance_gives_a_smaller_error():
    errors = []
    for tolerance in (1e-5, 1e-7, 1e-9):
        with prepared():
            end, failed = unit_of_time(
                lambda y: jnp.cos(20 * y) * 3 + 4, jnp.zeros(1), tolerance=jnp.asarray(tolerance),
                error=lambda e, y: jnp.max(jnp.abs(e)),
            )  # fmt: skip
        exact = solve_ivp(lambda t, y: np.cos(20 * y) * 3 + 4, (0, 1), [0.0], rtol=1e-12,
                          atol=1e-13).y[0, -1]  # fmt: skip
        assert not failed
        errors.append(abs(float(end[0]) - exact))
    assert errors[0] > 10 * errors[1] > 100 * errors[2], errors
    assert errors[2] < 1e-7


@pytest.mark.parametrize("build", [consumers, strains])
def test_neither_slots_nor_capacity_change_a_density(build):
    with prepared():
        in_any_slots(build)


def in_any_slots(build):
    kinds, parameters, state = engine.begin(build(), 3)
    names = engine.named(engine.shapes(kinds, parameters, state))
    capacity = state.population.alive.shape[0]
    order = np.random.default_rng(0).permutation(capacity)
    mixed = state._replace(population=taken(state.population, order))
    larger = state._replace(population=padded(state.population, capacity + 64))
    until = engine.Schedule(np.int64(9), np.int64(3), np.int64(9))
    results = []
    for start in (state, mixed, larger):
        end, table = engine.advance(kinds, parameters, jax.tree.map(jnp.array, start), until)
        alive = np.asarray(end.population.alive)
        by_id = np.argsort(np.asarray(end.population.id)[alive])
        results.append(np.asarray(end.population.stock)[alive][by_id])
        assert int(table.used) == 3 and "abundance" in names
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_a_strain_at_the_threshold_dies_and_is_counted():
    scenario = consumers(selection__extinction=0.05, run__steps=400, record__events=True)
    run = simulate(scenario)
    dead = set(range(4)) - set(run.population["group"])
    assert dead and run.metrics["deaths"].sum() == len(dead) == len(run.events)
    assert (run.population["stock"] > 0.05).all()


def test_rates_too_fast_to_integrate_are_named():
    with pytest.raises(RunError, match="step 1: .*cannot be integrated"):
        simulate(strains(selection__growth_rate=1e7))


def test_a_run_goes_on_from_its_checkpoint():
    whole = simulate(consumers())
    half = Simulation(consumers())
    half.advance(5)
    half = Simulation.restored(half.save())
    half.advance(12)
    assert half.finished().metrics.equals(whole.metrics)


@pytest.mark.parametrize("uptake", [{}, {"uptake": "monod", "half_saturation": 0.5}])
@pytest.mark.parametrize("supply", list(SUPPLIES))
def test_individuals_deplete_resources_while_their_number_is_constant(supply, uptake):
    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": 2, "productivity": 30.0},
            "population": {"size": 40},
            "competition": {
                "kind": "resources",
                "resources": {"supply": supply, "rate": 0.5, **uptake},
            },
            "run": {"steps": 1, "precision": "float64"},
        }
    )
    run = Simulation(scenario)
    claims = 40 * 0.5**2  # of all, on each niche
    before = np.asarray(run.state.resources)[0]
    given = {
        "external": lambda r: 15 - 0.5 * r,
        "renewing": lambda r: 0.5 * r * (1 - r / 15),
        "chemostat": lambda r: 0.5 * (15 - r),
    }[supply]
    after = solved(
        lambda _, r: given(r) - claims * (r / (0.5 + r) if uptake else r), before, 1.0
    )
    run.advance(1)
    np.testing.assert_allclose(np.asarray(run.state.resources)[0], after, rtol=1e-7)
    flows = run.state.flows
    stored = float(np.sum(np.asarray(run.state.resources)) - before.sum())
    lost = float(flows["emitted"] - flows["received"]) - stored
    assert lost >= -1e-9 and float(flows["received"]) > 0


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"competition": {"kind": "contest", "kernel": {}}}, "competition.kernel", "only with"),
        ({"selection": {"kind": "growth"}}, "competition.kind", "explicit resources"),
        ({"competition": {"kind": "lotka-volterra"}}, "selection.kind", "continuous time"),
        (
            {"competition": {"kind": "resources", "resources": {"uptake": "monod"}}},
            "competition.resources.half_saturation", "monod",
        ),
        (
            {"competition": {"kind": "resources", "resources": {
                "uptake": "monod", "half_saturation": [1.0, 2.0]}}},
            "competition.resources.half_saturation", "one number",
        ),
        ({"competition": {"kind": "resources", "unclaimed": 1.0}}, "competition.unclaimed", "only"),
        (
            {"niches": {"space": "axis"},
             "population": {"groups": [{"name": "a", "allocation": [0.125] * 8}]}},
            "population.groups.0.position", "required",
        ),
        ({"population": {"groups": [{"name": "a"}]}}, "population.groups.0.allocation", "required"),
        ({"world": "market", "competition": {"kind": "resources"}}, "competition.kind", "firms"),
        ({"selection": {"growth_rate": 2.0}}, "selection.growth_rate", "only with"),
        (
            {"selection": {"kind": "growth"}, "competition": {"kind": "resources"},
             "mutation": {"rate": 0.5}}, "mutation.rate", "only with",
        ),
        (
            {"selection": {"kind": "growth"}, "competition": {"kind": "resources"},
             "patches": {"count": 2}}, "patches.count", "one patch",
        ),
    ],
)  # fmt: skip
def test_what_nothing_computes_is_refused(changes, key, words):
    with pytest.raises(ScenarioError) as caught:
        validate({"world": "ecology"} | changes)
    found = {problem.key: str(problem) for problem in caught.value.problems}
    assert words in found[key], found


def test_slots_do_not_matter_to_individuals_on_resources():
    scenario = validate(
        {
            "world": "ecology",
            "niches": {"count": 3, "supply": [1.0, 2.0, 4.0]},
            "patches": {"count": 2},
            "population": {"size": 90, "start": "random"},
            "competition": {"kind": "resources", "resources": {"supply": "renewing"}},
            "selection": {"division": 1.2},
            "run": {"steps": 12},
        }
    )
    plain, mixed = Simulation(scenario), Simulation(scenario)
    order = np.random.default_rng(1).permutation(plain.state.population.alive.shape[0])
    with prepared():
        moved = taken(mixed.state.population, order)
        mixed.state = mixed.state._replace(population=moved)
    for run in (plain, mixed):
        run.advance(12)
    one, other = plain.finished(), mixed.finished()
    assert one.metrics.equals(other.metrics) and one.population.equals(other.population)
    assert one.metrics["births"].sum() > 0
