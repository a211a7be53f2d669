"""The mixture of experts: what routing leaves unchanged, room of an expert, information."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from ecosim.training import mixture, networks

KEY = jax.random.key(0)


def some(experts=3, inputs=5, batch=40):
    model = mixture.mixture(KEY, inputs, experts)
    model = model._replace(router=10 * model.router)  # decided
    return model, jax.random.normal(jax.random.key(1), (batch, inputs))


def test_routing_is_the_plain_rule():
    model, x = some()
    result = mixture.routed(model, x)
    for i, row in enumerate(np.asarray(x)):
        logits = row @ np.asarray(model.router)
        chance = np.exp(logits) / np.exp(logits).sum()
        best = int(np.argmax(chance))
        answer = chance[best] * (row @ np.asarray(model.experts)[:, best])
        assert result.outputs[i] == pytest.approx(answer, rel=1e-4, abs=1e-5)
        assert result.chosen[i].argmax() == best


@pytest.mark.parametrize("factor", [None, 1.0])
def test_experts_can_change_places(factor):
    model, x = some()
    order = jnp.array([2, 0, 1])
    other = mixture.Mixture(model.router[:, order], model.experts[:, order])
    one, two = (mixture.routed(m, x, factor=factor) for m in (model, other))
    assert np.allclose(one.outputs, two.outputs, atol=1e-6)
    assert (one.chosen[:, order] == two.chosen).all()
    assert float(mixture.balance(one)) == pytest.approx(float(mixture.balance(two)), rel=1e-5)
    y = jnp.ones(len(x))
    losses = [mixture.loss(m, x, y, key=KEY, noise=0.0, factor=factor) for m in (model, other)]
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-5)


@pytest.mark.parametrize("factor", [0.25, 0.5, 1.0, 1.25, 3.0])
def test_an_expert_takes_the_first_that_come_and_drops_the_rest(factor):
    model, x = some()
    result = mixture.routed(model, x, factor=factor)
    room = int(np.ceil(factor * 40 / 3))
    assert mixture.capacity(40, 3, factor) == room
    taken = [0, 0, 0]
    for i, expert in enumerate(np.asarray(result.chosen).argmax(axis=1)):
        taken[expert] += 1
        assert bool(result.kept[i]) == (taken[expert] <= room)
        assert result.kept[i] or result.outputs[i] == 0
    if factor == 3.0:
        assert result.kept.all()
    if factor == 0.25:
        assert int(result.kept.sum()) == sum(min(room, number) for number in taken) < 40


@pytest.mark.parametrize("factor", [1.0, 1.25])
def test_what_is_not_there_takes_no_room(factor):
    model, x = some()
    present = jnp.arange(40) < 25
    whole = mixture.routed(model, x, factor=factor, present=present)
    part = mixture.routed(model, x[:25], factor=factor)
    assert (whole.kept[:25] == part.kept).all() and not part.kept.all()
    weights = jnp.where(present, 1 / 25, 0)
    losses = [
        mixture.loss(model, x[:n], jnp.ones(n), key=KEY, noise=0.0, factor=factor, weights=w)
        for n, w in ((40, weights), (25, None))
    ]
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-5)
    free = mixture.loss(model, x, jnp.ones(40), key=KEY, noise=0.0, weights=weights)
    assert float(free) != pytest.approx(float(losses[0]), rel=1e-3)


def test_even_use_has_the_least_load_balance_loss():
    chosen = jnp.tile(jnp.eye(4), (3, 1))
    even = mixture.Routed(jnp.zeros(12), chosen, jnp.ones(12, bool), jnp.full((12, 4), 0.25))
    assert float(mixture.balance(even)) == pytest.approx(1)
    one = jnp.zeros((12, 4)).at[:, 0].set(1.0)
    assert float(mixture.balance(even._replace(chosen=one, probabilities=one))) == pytest.approx(4)


def test_inputs_of_no_weight_do_not_count():
    model, x = some()
    y, kept = jnp.sin(jnp.arange(40.0)), 25
    weights = jnp.where(jnp.arange(40) < kept, 1 / kept, 0)
    part = mixture.loss(model, x[:kept], y[:kept], key=KEY, noise=0.0)
    whole = mixture.loss(model, x, y, key=KEY, noise=0.0, weights=weights)
    assert float(part) == pytest.approx(float(whole), rel=1e-5)


def test_information_of_expert_and_task():
    task = jnp.repeat(jnp.eye(3), 8, axis=0)
    assert float(mixture.specialisation(task[:, jnp.array([1, 2, 0])], task)) == pytest.approx(1)
    alike = jnp.zeros((24, 3)).at[:, 1].set(1.0)
    assert float(mixture.specialisation(alike, task)) == pytest.approx(0, abs=1e-6)
    turns = jnp.tile(jnp.eye(2), (12, 1))  # 4 of each task to each expert
    assert float(mixture.specialisation(turns, task)) == pytest.approx(0, abs=1e-6)


def test_a_mixture_learns_what_its_router_can_tell_apart():
    """Two tasks of opposite sign, far apart: one expert for both can only answer 0."""
    side = jnp.where(jnp.arange(200) < 100, 1.0, -1.0)
    x = jax.random.normal(jax.random.key(2), (200, 3)) + 4 * side[:, None] * jnp.eye(3)[0]
    y = side * x[:, 1]

    def loss(model, step):
        return mixture.loss(model, x, y, key=step)

    start = mixture.mixture(KEY, 3, 2)
    model = networks.trained(loss, start, jax.random.key(3), steps=1500)
    error = float(jnp.mean((mixture.routed(model, x).outputs - y) ** 2))
    assert error < 0.1 < float(jnp.mean(y**2))
