import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecosim.analysis.survival import event_history, kaplan_meier, lifetimes
from ecosim.errors import EcosimError

BIG = 2**64 - 3  # an id that float64 cannot hold


def events_table(*rows):
    """Rows (step, kind, id) with traits that follow from the id, for lives without parents."""
    frame = pd.DataFrame(rows, columns=["step", "kind", "id"])
    number = frame["id"].to_numpy(dtype=np.uint64)
    frame["id"] = number
    frame["parent"] = np.uint64(0)
    frame["lineage"] = 0
    frame["niche"] = (number % 2).astype(int)
    frame["breadth"] = 1.0 + (number % 5)
    frame["stock"] = 2.0 + (number % 7)
    frame["age"] = 0
    return frame


def founders_table(*ids):
    return pd.DataFrame({"id": np.array(ids, np.uint64), "niche": 0, "breadth": 1.5, "stock": 10.0})


EVENTS = events_table(
    (3, "entry", 11), (5, "exit", 1), (4, "birth", BIG), (9, "death", BIG), (9, "birth", 13),
    (10, "death", 13), (12, "death", 2),
)  # fmt: skip
FOUNDERS = founders_table(1, 2)


def test_lives_are_put_together():
    lives = lifetimes(EVENTS, FOUNDERS, 10).set_index("id")
    assert lives.index.dtype == np.uint64 and BIG in lives.index
    assert list(lives.index) == [1, 2, 11, BIG, 13]
    assert list(lives["born"]) == [0, 0, 3, 4, 9]
    assert list(lives["last"]) == [5, 10, 10, 9, 10]
    assert list(lives["alive"]) == [False, True, True, False, False]
    assert list(lives["origin"]) == ["founder", "founder", "entry", "birth", "birth"]
    assert lives.loc[11, "stock"] == 2 + 11 % 7 and lives.loc[1, "stock"] == 10


def test_history_is_censored_at_the_end():
    history = event_history(EVENTS, FOUNDERS, 10).set_index("firm")
    assert list(history["start"]) == [0, 0, 3, 4, 9]
    assert list(history["stop"]) == [5, 10, 10, 9, 10]
    assert list(history["event"]) == [True, False, False, True, True]
    assert history.loc[11, "size_at_entry"] == 2 + 11 % 7
    assert history.loc[11, "breadth"] == 1 + 11 % 5 and history.loc[11, "niche"] == 1
    later = event_history(EVENTS, FOUNDERS, 20).set_index("firm")
    assert later.loc[2, "event"] and later.loc[2, "stop"] == 12
    earlier = event_history(EVENTS, FOUNDERS, 4).set_index("firm")
    assert list(earlier.index) == [1, 2, 11, BIG] and not earlier["event"].any()


def test_episodes_of_one_life():
    history = event_history(events_table((10, "exit", 1)), founders_table(1, 2), 10, every=4)
    first = history[history["firm"] == 1]
    assert first[["age_start", "age_stop"]].to_numpy().tolist() == [[0, 4], [4, 8], [8, 10]]
    assert list(first["event"]) == [False, False, True]
    assert not history.loc[history["firm"] == 2, "event"].any()
    exact = event_history(events_table((8, "exit", 1)), founders_table(1), 10, every=4)
    assert list(exact["event"]) == [False, True]  # no empty episode after a life of 2 x 4 steps
    at_once = events_table((3, "birth", 5), (3, "death", 5))
    assert len(event_history(at_once, founders_table(), 9, every=4)) == 1


lives_strategy = st.lists(
    st.tuples(st.integers(0, 20), st.none() | st.integers(0, 20)), min_size=1, max_size=25
)


def events_of(lives):
    rows = [(start, "entry", i + 1) for i, (start, _) in enumerate(lives)]
    rows += [
        (start + length, "exit", i + 1)
        for i, (start, length) in enumerate(lives)
        if length is not None
    ]
    return events_table(*rows)


@settings(deadline=None, max_examples=80)
@given(lives_strategy, st.integers(1, 9), st.integers(20, 45), st.randoms())
def test_episodes_keep_exposure_and_events(lives, every, end_step, random):
    events = events_of(lives)
    whole = event_history(events, founders_table(), end_step)
    cut = event_history(events, founders_table(), end_step, every=every)
    assert (cut["stop"] - cut["start"]).sum() == (whole["stop"] - whole["start"]).sum()
    assert cut["event"].sum() == whole["event"].sum()
    assert (cut["age_stop"] - cut["age_start"]).max() <= every
    assert (cut["age_start"] % every == 0).all()
    expected = sum(n is not None and start + n <= end_step for start, n in lives)
    assert whole["event"].sum() == expected
    exposure = sum(min(end_step - s, end_step if n is None else n) for s, n in lives)
    assert (whole["stop"] - whole["start"]).sum() == exposure
    pd.testing.assert_frame_equal(kaplan_meier(cut), kaplan_meier(whole))
    order = list(range(len(events)))
    random.shuffle(order)
    shuffled = event_history(events.iloc[order], founders_table(), end_step)
    pd.testing.assert_frame_equal(shuffled, whole)


@settings(deadline=None, max_examples=60)
@given(lives_strategy)
def test_kaplan_meier_is_the_product_of_conditional_survivals(lives):
    curve = kaplan_meier(event_history(events_of(lives), founders_table(), 30))
    product = 1.0
    for row in curve.itertuples():
        lasted = [30 - s if n is None or s + n > 30 else n for s, n in lives]
        ended = [n is not None and s + n <= 30 for s, n in lives]
        at_risk = sum(age >= row.time for age in lasted)
        events = sum(e for e, age in zip(ended, lasted, strict=True) if age == row.time)
        product *= 1 - events / at_risk
        assert (row.at_risk, row.events) == (at_risk, events)
        assert row.survival == pytest.approx(product, abs=1e-12)
        if 0 < product < 1 - 1e-12:
            assert 0 <= row.lower <= row.survival <= row.upper <= 1
    assert curve["survival"].is_monotonic_decreasing


def history_of(durations, ended, **columns):
    return pd.DataFrame(
        {"firm": np.arange(len(durations)) + 1, "start": 0, "stop": durations, "event": ended}
        | columns
    )


def test_kaplan_meier_by_hand():
    # Six lives: ends at 1, 3, 5, 5, censored at 2 and 4. S = 5/6, then x 3/4, then x 0/2.
    curve = kaplan_meier(history_of([1, 2, 3, 4, 5, 5], [True, False, True, False, True, True]))
    assert list(curve["time"]) == [1, 2, 3, 4, 5]
    assert list(curve["at_risk"]) == [6, 5, 4, 3, 2]
    assert list(curve["events"]) == [1, 0, 1, 0, 2]
    assert list(curve["survival"]) == pytest.approx([5 / 6, 5 / 6, 5 / 8, 5 / 8, 0])
    # Log-log interval at 3, by hand: Greenwood's sum is 1/(6 x 5) + 1/(4 x 3).
    survival, sum_ = 5 / 8, 1 / 30 + 1 / 12
    reach = 1.959963984540054 * np.sqrt(sum_) / abs(np.log(survival))
    at_3 = curve.set_index("time").loc[3]
    assert at_3["lower"] == pytest.approx(survival ** np.exp(reach))
    assert at_3["upper"] == pytest.approx(survival ** np.exp(-reach))
    assert curve["lower"].isna().tolist() == [False] * 4 + [True]  # survival 0: no variance


def test_kaplan_meier_where_nobody_or_everybody_ends():
    curve = kaplan_meier(history_of([3, 4], [False, False]))
    assert list(curve["survival"]) == [1, 1] and curve["lower"].isna().all()
    assert list(kaplan_meier(history_of([2], [True]))["survival"]) == [0]


def test_kaplan_meier_by_group():
    history = history_of([1, 2, 3, 4], [True] * 4, niche=["a", "a", "b", "b"], wide=[0, 1, 0, 1])
    curve = kaplan_meier(history, by="niche")
    assert list(curve.columns[:2]) == ["niche", "time"]
    assert list(curve["niche"]) == ["a", "a", "b", "b"]
    assert list(curve["survival"]) == [0.5, 0, 0.5, 0]
    assert len(kaplan_meier(history, by=["niche", "wide"])) == 4
    moved = pd.concat([history, history.assign(niche="c")])
    with pytest.raises(EcosimError, match="constant within a firm"):
        kaplan_meier(moved, by="niche")


def test_kaplan_meier_meets_the_exponential_closed_form():
    # Quantiles of the exponential law itself: the estimate misses exp(-rate t) by 1/2n.
    number, rate = 500, 0.3
    rank = (np.arange(number) + 0.5) / number
    durations = -np.log1p(-rank) / rate
    curve = kaplan_meier(history_of(durations, [True] * number))
    miss = curve["survival"] - np.exp(-rate * curve["time"])
    assert np.abs(miss).max() == pytest.approx(0.5 / number, rel=1e-6)


def test_kaplan_meier_is_not_biased_by_random_censoring():
    # 40 fixed seeds, half of the lives censored: the mean at t = 3 is within 3 standard errors.
    # Counting the censored as ended would give exp(-.6 x 3) = .165, 0.24 below the target.
    found = []
    for seed in range(40):
        random = np.random.default_rng(seed)
        life, watched = random.exponential(1 / 0.3, (2, 400))
        curve = kaplan_meier(history_of(np.minimum(life, watched), life <= watched))
        found.append(curve.loc[curve["time"] <= 3, "survival"].iloc[-1])
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert error < 0.01
    assert abs(np.mean(found) - np.exp(-0.9)) < 3 * error


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "birht", 5)], "kind must be one of .* got 'birht'"),
        ([(1, "birth", 1)], "an id may start once; got id 1"),
        ([(1, "birth", 5), (2, "entry", 5)], "an id may start once; got id 5"),
        ([(1, "exit", 1), (2, "death", 1)], "an id may end once; got id 1"),
        ([(1, "death", 9)], "must have started; got id 9"),
        ([(4, "birth", 9), (2, "death", 9)], "before it starts; got id 9"),
        ([(-1, "birth", 9)], "steps count from 0; got -1"),
    ],
)
def test_impossible_events_are_refused(rows, message):
    with pytest.raises(EcosimError, match=message):
        event_history(events_table(*rows), FOUNDERS, 10)


def test_impossible_arguments_are_refused():
    with pytest.raises(EcosimError, match="every must be 1 step or more.*got 0"):
        event_history(EVENTS, FOUNDERS, 10, every=0)
    with pytest.raises(EcosimError, match="end_step must be 0 or later; got -1"):
        event_history(EVENTS, FOUNDERS, -1)
    with pytest.raises(EcosimError, match="events table needs the columns"):
        event_history(EVENTS.drop(columns="breadth"), FOUNDERS, 10)
    with pytest.raises(EcosimError, match="empty history"):
        kaplan_meier(event_history(EVENTS.iloc[:0], founders_table(), 10))


def test_a_run_without_events_is_all_censored():
    history = event_history(EVENTS.iloc[:0], FOUNDERS, 10)
    assert list(history["stop"]) == [10, 10] and not history["event"].any()
