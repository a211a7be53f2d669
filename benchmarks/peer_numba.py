"""The reference workload fused by Numba: one parallel pass over the living, then the births."""

from __future__ import annotations

import numba
import numpy as np
from peer_models import Columns, Metrics, Workload, breadth_of, children_of


@numba.njit(parallel=True, fastmath=True, cache=False)
def _pass(claims, stock, alive, breadth, depth, price, upkeep, mortality, division, fate):  # type: ignore[no-untyped-def]
    """Pay everybody and mark who dies (1) and who divides (2); return sums over the living."""
    received = total = broad = deep = 0.0
    number = dead = special = 0
    for i in numba.prange(stock.shape[0]):
        fate[i] = 0
        if alive[i]:
            gain = np.float32(0)
            for k in range(price.shape[0]):
                gain += claims[i, k] * price[k]
            received += gain
            stock[i] += gain - upkeep
            if stock[i] <= 0 or np.random.random() < mortality:
                fate[i] = 1
                dead += 1
            else:
                number += 1
                total += stock[i]
                broad += breadth[i]
                deep += depth[i]
                special += depth[i] >= 0.9
                if stock[i] >= division:
                    fate[i] = 2
    return received, total, broad, deep, special, number, dead


class Fused(Columns):
    """Columns as by hand, running totals of claims, and everything else in one compiled pass."""

    def __init__(self, w: Workload) -> None:
        """Lay out a workload."""
        super().__init__(w)
        self.totals = self.claims.sum(0, dtype=np.float64)
        self.use = self.allocation.sum(0, dtype=np.float64)
        self.fate = np.zeros(len(self.stock), np.uint8)

    def step(self) -> Metrics:
        """Do one step and return its metrics."""
        w = self.w
        price = (w.supply / np.maximum(self.totals, 1e-30)).astype(np.float32)
        received, total, broad, deep, special, number, dead = _pass(
            self.claims, self.stock, self.alive, self.breadth, self.depth, price,
            np.float32(w.upkeep), w.mortality, np.float32(w.division), self.fate,
        )  # fmt: skip
        dies, parents = np.flatnonzero(self.fate == 1), np.flatnonzero(self.fate == 2)
        self.totals -= self.claims[dies].sum(0, dtype=np.float64)
        self.use -= self.allocation[dies].sum(0, dtype=np.float64)
        self.alive[dies] = False
        slots = np.flatnonzero(~self.alive)[: len(parents)]
        parents = parents[: len(slots)]
        self.stock[parents] /= 2
        child = children_of(self.allocation[parents], w, self.rng)
        claims = child**w.exponent
        self.totals += claims.sum(0, dtype=np.float64)
        self.use += child.sum(0, dtype=np.float64)
        self.allocation[slots], self.claims[slots] = child, claims
        self.stock[slots], self.alive[slots] = self.stock[parents], True
        self.breadth[slots], self.depth[slots] = breadth_of(child), child.max(1)
        number += len(slots)
        return {
            "population": number, "births": len(slots), "deaths": dead, "received": received,
            "stock_mean": total / number, "depth_mean": (deep + self.depth[slots].sum()) / number,
            "breadth_mean": (broad + self.breadth[slots].sum()) / number,
            "specialists": special + int((self.depth[slots] >= 0.9).sum()),
            "allocation_0": self.use[0] / number,
        }  # fmt: skip
