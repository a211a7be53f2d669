"""Annotated numbers and lists: the rules that one field of a scenario can break alone."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Lt
from pydantic import AllowInfNan, BeforeValidator, ConfigDict, Strict

CONFIG = ConfigDict(extra="forbid", validate_default=False)

type Real = Annotated[float, Strict(), AllowInfNan(False)]
type Positive = Annotated[float, Strict(), AllowInfNan(False), Gt(0)]
type NonNegative = Annotated[float, Strict(), AllowInfNan(False), Ge(0)]
type Share = Annotated[float, Strict(), AllowInfNan(False), Ge(0), Le(1)]
type PositiveShare = Annotated[float, Strict(), AllowInfNan(False), Gt(0), Le(1)]
type ProperShare = Annotated[float, Strict(), AllowInfNan(False), Ge(0), Lt(1)]
type PartialShare = Annotated[float, Strict(), AllowInfNan(False), Gt(0), Lt(1)]
type SignedShare = Annotated[float, Strict(), AllowInfNan(False), Ge(-1), Le(1)]
type Exponent = Annotated[float, Strict(), AllowInfNan(False), Gt(0), Le(64)]
type Flag = Annotated[bool, Strict()]
type Text = Annotated[str, Strict()]


def _counted(value: Any) -> Any:
    """Turn a whole number written as 1e6 or 3.0 into the integer that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _exact(value: Any) -> Any:
    """Refuse a decimal that may stand for several whole numbers."""
    if isinstance(value, float) and abs(value) >= 2**53:
        raise ValueError("is too large to be written as a decimal")
    return _counted(value)


Counted = BeforeValidator(_counted)
type Natural = Annotated[int, Strict(), Ge(0), Le(2**31 - 2), Counted]
type Whole = Annotated[int, Strict(), Ge(1), Le(2**31 - 2), Counted]
type Seed = Annotated[int, Strict(), Ge(0), Le(2**63 - 1), BeforeValidator(_exact)]


def _freeze(value: Any) -> Any:
    """Turn lists, as TOML gives them, into tuples, so that a scenario is hashable."""
    return tuple(_freeze(item) for item in value) if isinstance(value, list | tuple) else value


Frozen = BeforeValidator(_freeze)
type Weights = Annotated[tuple[NonNegative, ...], Frozen]
type WeightRows = Annotated[tuple[Weights, ...], Frozen]
type Edge = tuple[Natural, Natural] | tuple[Natural, Natural, Real]
type Edges = Annotated[tuple[Edge, ...], Frozen]
