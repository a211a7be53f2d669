"""Lives of agents or firms, from the table of events of a run, and their survival.

An events table has one row an event and the columns `step` (int), `kind` ('birth', 'entry',
'death', 'exit' or 'merger'), `id` and `parent` (unsigned, 0 = none), `lineage`, `niche` (main
niche), `breadth` (effective number of niches), `stock` (capital or energy) and `age`. Its order
does not matter. A merger ends a life as an exit does; its `parent` is the acquirer. A founders
table has `id`, `niche`, `breadth` and `stock` of those present at step 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from ecosim.errors import EcosimError

STARTS = ("birth", "entry")
ENDS = ("death", "exit", "merger")
TRAITS = ["niche", "breadth", "stock"]


def lifetimes(events: pd.DataFrame, founders: pd.DataFrame, end_step: int) -> pd.DataFrame:
    """Return one row a life up to a step; later events are not looked at.

    Args:
        events: Events table (see the module).
        founders: Founders table (see the module).
        end_step: Last step observed, >= 0.

    Returns:
        `id`, `parent` (uint64), `origin` ('founder', 'birth', 'entry'), `born` (step), `last`
        (step of the end, or `end_step` for the living), `alive`, and `niche`, `breadth`,
        `stock` at the start of the life; sorted by `born`, then `id`.

    Raises:
        EcosimError: A missing column, an unknown kind, a negative step, an id that starts or
            ends twice, or ends without or before its start.
    """
    _require(events, ["step", "kind", "id", "parent", *TRAITS], "events")
    _require(founders, ["id", *TRAITS], "founders")
    if end_step < 0:
        raise EcosimError(f"end_step must be 0 or later; got {end_step}")
    unknown = events.loc[~events["kind"].isin([*STARTS, *ENDS]), "kind"]
    if len(unknown):
        raise EcosimError(f"kind must be one of {[*STARTS, *ENDS]}; got {unknown.iloc[0]!r}")
    if (events["step"] < 0).any():
        raise EcosimError(f"steps count from 0; got {events['step'].min()}")
    seen = events[events["step"] <= end_step]
    lives = _starts(seen[seen["kind"].isin(STARTS)], founders)
    ends = pd.Series(
        seen.loc[seen["kind"].isin(ENDS), "step"].to_numpy(np.int64),
        index=seen.loc[seen["kind"].isin(ENDS), "id"].to_numpy(np.uint64),
    )
    _refuse("an id may end once", ends.index[ends.index.duplicated()])
    _refuse("an id that ends must have started", ends.index.difference(pd.Index(lives["id"])))
    last = ends.reindex(lives["id"].to_numpy())
    lives["alive"] = last.isna().to_numpy()
    lives["last"] = last.fillna(end_step).to_numpy(np.int64)
    _refuse("an id may not end before it starts", lives.loc[lives["last"] < lives["born"], "id"])
    order = ["id", "parent", "origin", "born", "last", "alive", *TRAITS]
    return lives[order].sort_values(["born", "id"], ignore_index=True)


def _starts(starts: pd.DataFrame, founders: pd.DataFrame) -> pd.DataFrame:
    # Ids use all 64 bits: pandas turns a mix of int64 and uint64 into float64 and would lose some.
    def ids(frame: pd.DataFrame, column: str) -> pd.Series:
        return frame[column].astype(np.uint64)

    born = starts.assign(
        id=ids(starts, "id"), parent=ids(starts, "parent"), born=starts["step"].astype(np.int64)
    ).rename(columns={"kind": "origin"})
    first = founders.assign(
        id=ids(founders, "id"), parent=np.uint64(0), born=np.int64(0), origin="founder"
    )
    columns = ["id", "parent", "origin", "born", *TRAITS]
    parts = [part[columns].astype({"origin": object}) for part in (first, born) if len(part)]
    lives = pd.concat(parts, ignore_index=True) if parts else first[columns].copy()
    _refuse("an id may start once", lives.loc[lives["id"].duplicated(), "id"])
    return lives


def _require(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise EcosimError(
            f"the {name} table needs the columns {list(columns)}; {missing} missing from "
            f"{list(table.columns)}"
        )


def _refuse(rule: str, ids: pd.Index | pd.Series) -> None:
    if len(ids):
        raise EcosimError(f"{rule}; got id {ids.to_numpy()[0]} ({len(ids)} in all)")


def event_history(
    events: pd.DataFrame, founders: pd.DataFrame, end_step: int, *, every: int | None = None
) -> pd.DataFrame:
    """Return lives as spells at risk, for rates of failure by age, size or breadth.

    Founders count as age 0 at step 0: leave them out (`origin`) where their age matters.

    Args:
        events: Events table (see the module).
        founders: Founders table (see the module).
        end_step: Step at which the living are censored.
        every: Cut each life into episodes of this many steps of age, >= 1; None: one spell a life.

    Returns:
        `firm` (id), `start`, `stop` (steps; at risk in (start, stop]), `age_start`, `age_stop`
        (steps since the life began), `event` (True: it ended at `stop`; False: cut or censored
        there), `breadth`, `niche`, `size_at_entry` (traits when the life began), `origin`,
        `parent`; by firm in order of birth, then by age. Who starts and ends in one step has one
        spell of length 0.

    Raises:
        EcosimError: `every` below 1, or as for `lifetimes`.
    """
    if every is not None and every < 1:
        raise EcosimError(f"every must be 1 step or more, or None; got {every}")
    lives = lifetimes(events, founders, end_step)
    duration = (lives["last"] - lives["born"]).to_numpy()
    length = every if every is not None else max(int(duration.max(initial=0)), 1)
    number = np.maximum(-(-duration // length), 1)
    life = np.repeat(np.arange(len(lives)), number)
    episode = np.arange(len(life)) - np.repeat(np.cumsum(number) - number, number)
    age_stop = np.minimum(duration[life], (episode + 1) * length)
    row = lives.iloc[life].reset_index(drop=True)
    return pd.DataFrame(
        {
            "firm": row["id"],
            "start": row["born"] + episode * length,
            "stop": row["born"] + age_stop,
            "age_start": episode * length,
            "age_stop": age_stop,
            "event": ~row["alive"] & (episode == number[life] - 1),
            "breadth": row["breadth"],
            "niche": row["niche"],
            "size_at_entry": row["stock"],
            "origin": row["origin"],
            "parent": row["parent"],
        }
    )


def kaplan_meier(
    history: pd.DataFrame, by: str | Sequence[str] | None = None, *, confidence: float = 0.95
) -> pd.DataFrame:
    """Estimate the share that survives to each age (Kaplan & Meier 1958, JASA 53:457).

    Args:
        history: Spells as `event_history` returns them; a firm's episodes are joined again.
        by: Columns to estimate separately for; constant within a firm.
        confidence: Level of the interval (log-log transform of Greenwood's variance).

    Returns:
        The columns `by`, then `time` (age in steps, every age at which a life ended or was
        censored), `survival` (share beyond that age), `lower`, `upper` (NaN where survival is 1
        or 0: the variance is 0 there), `at_risk` (just before), `events` (ends at that age).

    Raises:
        EcosimError: No spells, or a firm with two values of `by`.
    """
    keys = [by] if isinstance(by, str) else list(by or [])
    _require(history, ["firm", "start", "stop", "event", *keys], "history")
    if history.empty:
        raise EcosimError("survival needs at least one spell; got an empty history")
    groups = history.groupby([*keys, "firm"], dropna=False, sort=True, observed=True)
    lives = groups.agg(start=("start", "min"), stop=("stop", "max"), event=("event", "any"))
    lives = lives.reset_index()
    _refuse(f"{keys} must be constant within a firm", lives.loc[lives["firm"].duplicated(), "firm"])
    if not keys:
        return _curve(lives, confidence)
    curves = []
    for values, group in lives.groupby(keys, dropna=False, sort=True, observed=True):
        curve = _curve(group, confidence)
        labels = {key: [value] * len(curve) for key, value in zip(keys, values, strict=True)}
        curves.append(pd.concat([pd.DataFrame(labels), curve], axis=1))
    return pd.concat(curves, ignore_index=True)


def _curve(lives: pd.DataFrame, confidence: float) -> pd.DataFrame:
    duration = (lives["stop"] - lives["start"]).to_numpy(np.float64)
    ended = lives["event"].to_numpy(bool)
    sample = stats.CensoredData(uncensored=duration[ended], right=duration[~ended])
    survival = stats.ecdf(sample).sf
    with warnings.catch_warnings():
        # SciPy warns where the interval has no value; the docstring says where that is.
        warnings.filterwarnings("ignore", "The confidence interval is undefined", RuntimeWarning)
        interval = survival.confidence_interval(confidence, method="log-log")
    times = survival.quantiles
    return pd.DataFrame(
        {
            "time": times,
            "survival": survival.probabilities,
            "lower": interval.low.probabilities,
            "upper": interval.high.probabilities,
            "at_risk": len(duration) - np.searchsorted(np.sort(duration), times, side="left"),
            "events": np.bincount(np.searchsorted(times, duration[ended]), minlength=len(times)),
        }
    )
