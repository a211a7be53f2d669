"""What firms of an oligopoly choose: effort, price or quality."""

from __future__ import annotations

from typing import Literal

from pydantic.dataclasses import dataclass

from ecosim.scenario.numbers import CONFIG, NonNegative, Positive, PositiveShare, Whole


@dataclass(frozen=True, config=CONFIG)
class Conduct:
    """In each step firms answer one another's choices until none moves, then they compete.

    `effort` (competition.kind = 'contest'; Tullock 1980): a firm multiplies its budget by an
    effort that costs `cost` a unit. `price` (competition.kind = 'circular'; Salop 1979): firms at
    fixed `sites` on a circle sell at a price to the nearest consumers, who bear `transport` a unit
    of distance; a unit of output costs `cost`. `quality` (competition.kind = 'cournot';
    Sutton 1991): quality u >= 1 costs u^`cost_exponent` a step.

    `rule`: firms reply one after another, the youngest first (`sequence`), or all at once by the
    share `damping` of the way (`damped`): undamped simultaneous replies to effort cycle for four
    firms or more. At most `rounds` rounds of replies a step. Replies begin at the last step's
    efforts, a newcomer's at `start`; qualities are chosen anew, beginning from what would be best
    if all chose alike.
    """

    kind: Literal["none", "effort", "price", "quality"] = "none"
    rule: Literal["sequence", "damped"] = "sequence"
    damping: PositiveShare = 0.5
    rounds: Whole = 1000
    start: Positive = 1.0
    cost: NonNegative = 1.0
    cost_exponent: Positive = 2.0
    transport: Positive = 1.0
    sites: Literal["even", "random"] = "even"
