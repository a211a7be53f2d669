"""Who wins in a cell: a mean share of replicates held against one half, by Student's t.

A cell is decided at LEVEL, two-sided: of the cells whose true share is exactly one half, one in
twenty is called decided. Where all replicates are the same (fixation leaves shares of 0 or 1) t
says nothing, and the sign test does: n of n on one side by chance is 2^-n, so that it takes six. A
cell with a replicate that has no value (a market that is empty) is undecided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

type Floats = NDArray[np.float64]
type Flags = NDArray[np.bool_]

LEVEL = 0.05


@dataclass(frozen=True)
class Cells:
    """What replicates say of cells.

    Attributes:
        above: the mean share is above one half `[...]`; False where there is none.
        wrong: chance that the true mean lies on the other side, one-sided `[...]`; nan: no value.

    """

    above: Flags
    wrong: Floats

    @property
    def decided(self) -> Flags:
        """Cells in which one side has more than one half at LEVEL, two-sided `[...]`."""
        return np.asarray(self.wrong <= LEVEL / 2)

    @property
    def empty(self) -> Flags:
        """Cells without a value `[...]`."""
        return np.isnan(self.wrong)


def cells(share: Floats) -> Cells:
    """Return what the replicates of shares `[..., replicates]` say; at least two of each."""
    count = share.shape[-1]
    mean, stderr = spread(share)
    distance = np.abs(mean - 0.5)
    with np.errstate(divide="ignore", invalid="ignore"):
        wrong = np.asarray(stats.t.sf(distance / stderr, count - 1))
    # All replicates alike: the sign test; all at one half exactly: either side.
    same = np.ptp(share, axis=-1) == 0
    wrong = np.where(same, np.where(distance > 0, 0.5**count, 0.5), wrong)
    return Cells(np.asarray(mean > 0.5), np.where(np.isnan(mean), np.nan, wrong))


def spread(share: Floats) -> tuple[Floats, Floats]:
    """Return mean and standard error over replicates `[...]` of shares `[..., replicates]`."""
    error = share.std(axis=-1, ddof=1) / np.sqrt(share.shape[-1])
    return np.asarray(share.mean(axis=-1)), np.asarray(error)


def drawn(share: Floats, draws: int, random: np.random.Generator) -> Floats:
    """Return means `[draws, ...]` as far from those observed as Student's t has them."""
    mean, stderr = spread(share)
    return np.asarray(mean + stderr * random.standard_t(share.shape[-1] - 1, (draws, *mean.shape)))
