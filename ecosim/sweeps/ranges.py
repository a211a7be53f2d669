"""Values and ranges as they are written: 0.5:2:16, 1,2,4, low:high:log."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ecosim.errors import Problem, ScenarioError
from ecosim.scenario.files import value_of
from ecosim.scenario.keys import number_of, unknown

type Values = list[Any]

MOST_VALUES = 10**6  # of one range: what is more is a slip, and would fill the memory


class Range(NamedTuple):
    """An interval to draw from; whole numbers where the scenario's key takes only these."""

    low: float
    high: float
    log: bool
    whole: bool

    def at(self, unit: float) -> float | int:
        """Return the number at a position between 0 and 1."""
        if self.whole:
            # Each whole number from low to high has an equal part of the unit interval.
            low, high = int(self.low), int(self.high)
            if self.log:
                number = math.exp(math.log(low) + unit * (math.log(high + 1) - math.log(low)))
                return min(int(number), high)
            return min(low + int(unit * (high - low + 1)), high)
        if self.log:
            return math.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        return self.low + unit * (self.high - self.low)


def parse_values(key: str, given: Any) -> Values:
    """Return the values of a list, of `a,b,c`, or of `start:stop:number` (both ends included).

    `start:stop:number:log` spaces them by equal ratios. What a range gives is of the kind that the
    key takes: rounded, each once, where it takes whole numbers only; real where it takes these.

    Raises:
        ScenarioError: neither of these, an empty list, or a range of more than a million values.

    """
    if isinstance(given, list | tuple):
        values = list(given)
    elif isinstance(given, str):
        values = [value for text in _split(given) for value in _piece(key, text)]
    else:
        values = [given]
    if not values:
        raise ScenarioError([Problem(key, str(given), "needs one value or more")], "sweep")
    return values


def _split(text: str) -> list[str]:
    """Split at commas outside brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _piece(key: str, text: str) -> Values:
    """Return the values of `start:stop:number`, or the one value that a text without colons is."""
    return _spaced(key, text) if ":" in text and text[0] not in "[{\"'" else [value_of(text)]


def _spaced(key: str, given: str) -> Values:
    parts = given.split(":")
    log = len(parts) == 4 and parts[3] == "log"
    try:
        start, stop, number = float(parts[0]), float(parts[1]), int(parts[2])
        if len(parts) not in (3, 4) or (len(parts) == 4 and not log) or number < 1:
            raise ValueError
        if not (math.isfinite(start) and math.isfinite(stop)) or (log and min(start, stop) <= 0):
            raise ValueError
    except (ValueError, IndexError):
        rule = "is written start:stop:number, as in 0.5:2:16, or start:stop:number:log"
        raise ScenarioError([Problem(key, given, rule)], "sweep") from None
    if number > MOST_VALUES:
        rule = f"a range gives {MOST_VALUES:,} values at most"
        raise ScenarioError([Problem(key, given, rule, "give a smaller number")], "sweep")
    kind = number_of(key)
    if kind is int and not (start.is_integer() and stop.is_integer()):
        _refuse_parts(key, given)
    values = np.geomspace(start, stop, number) if log else np.linspace(start, stop, number)
    if kind is int:
        return list(dict.fromkeys(int(value) for value in np.rint(values)))
    # Rounded, so that a value does not tell by how many others it was reached.
    rounded = [float(f"{value:.12g}") for value in values]
    if kind is float:
        return list(rounded)
    whole = all("." not in part and "e" not in part.lower() for part in parts[:2])
    if whole and all(value == int(value) for value in rounded):
        return [int(value) for value in rounded]
    return rounded


def parse_range(key: str, given: Any) -> Range:
    """Return the range that `low:high`, `low:high:log` or a list of two numbers means.

    The numbers drawn are whole where the scenario's key takes whole numbers only, and real
    otherwise, however the ends are written.

    Raises:
        ScenarioError: anything else, low not below high, or a key that takes no numbers.

    """
    parts = given.split(":") if isinstance(given, str) else given
    log = isinstance(parts, list) and len(parts) == 3 and parts[2] == "log"
    try:
        if len(parts) != 2 and not log:
            raise ValueError
        low, high = (float(part) for part in parts[:2])
        if not low < high or not math.isfinite(low + high) or (log and low <= 0):
            raise ValueError
    except (ValueError, TypeError):
        rule = "is a range low:high, or low:high:log above 0, with low < high"
        raise ScenarioError([Problem(key, str(given), rule)], "sweep") from None
    kind = number_of(key)
    if kind is None and unknown(key) is None:
        rule = "takes no numbers, and is not drawn from a range"
        raise ScenarioError([Problem(key, str(given), rule, "list its values in a grid")], "sweep")
    if kind is int and not (low.is_integer() and high.is_integer()):
        _refuse_parts(key, given)
    return Range(low, high, log, kind is int)


def _refuse_parts(key: str, given: Any) -> NoReturn:
    rule = "takes whole numbers: both ends of its range are whole"
    raise ScenarioError([Problem(key, str(given), rule)], "sweep")
