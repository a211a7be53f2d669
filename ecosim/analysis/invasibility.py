"""Pairwise invasibility: the matrix, its singular strategies and its plot (Geritz et al. 1998)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

type Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # of a rate of the order of 1


class Singular(NamedTuple):
    """A trait at which selection has no direction (Geritz et al. 1998, Evol Ecol 12:35)."""

    trait: float
    slope: float  # of the selection gradient: below 0, evolution leads there
    curvature: float  # of a mutant's rate among residents of this trait: below 0, none invades
    # (0: as far as the distance between traits can tell)

    @property
    def kind(self) -> str:
        """Return what evolution does there."""
        if self.slope >= 0:
            return "repeller"
        if self.curvature == 0:
            return "convergence stable, neutral"
        return "evolutionarily stable" if self.curvature < 0 else "branching point"


@dataclass(frozen=True)
class Invasibility:
    """Growth rates when rare of mutants among residents of the same T traits.

    `rate[i, j]` is that of mutant j among residents i, `[T, T]`; the diagonal is 0.
    """

    traits: Floats
    rate: Floats
    label: str = "trait"

    def undetermined(self) -> list[float]:
        """Return the inner traits whose neighbours do not tell the direction of selection.

        A rate there is undefined, as that of a resident that does not last.
        """
        return [float(t) for t in self.traits[1:-1][~np.isfinite(self._differences()[0])]]

    def singular(self) -> list[Singular]:
        """Return the singular strategies inside the range, in the order of traits.

        The selection gradient is the central difference of a mutant's rate at the resident's
        trait; between two traits at which it changes its sign it is taken as linear. Errors are of
        the order of the squared distance between traits.
        """
        inner = self.traits[1:-1]
        gradient, curvature = self._differences()
        found = []
        for i in range(inner.size):
            if gradient[i] == 0:
                low, high = max(i - 1, 0), min(i + 1, inner.size - 1)
                part = 0.0
            elif i + 1 < inner.size and gradient[i] * gradient[i + 1] < 0:
                low, high = i, i + 1
                part = gradient[i] / (gradient[i] - gradient[i + 1])
            else:
                continue
            slope = (gradient[high] - gradient[low]) / (inner[high] - inner[low])
            step = self.traits[i + 2] - self.traits[i + 1]
            bent = curvature[i] + (part and part * (curvature[i + 1] - curvature[i]))
            # Off the singular strategy by up to a step, the logarithm of a rate that is flat there
            # is bent by the squared gradient.
            flat = abs(bent) <= (slope * step) ** 2 or abs(bent) <= _ROUNDING / step**2
            trait = float(inner[i] + part * step)
            found.append(Singular(trait, float(slope), 0.0 if flat else float(bent)))
        return found

    def _differences(self) -> tuple[Floats, Floats]:
        """Return first and second derivatives of a mutant's rate at each inner resident."""
        at = np.arange(1, self.traits.size - 1)
        low, here, high = (self.rate[at, at + d] for d in (-1, 0, 1))
        left, right = np.diff(self.traits)[:-1], np.diff(self.traits)[1:]
        with np.errstate(invalid="ignore"):
            down, up = (here - low) / left, (high - here) / right
            gradient = (right * down + left * up) / (left + right)
            return gradient, 2 * (up - down) / (left + right)

    def to_dict(self) -> dict[str, Any]:
        """Return traits, rates and singular strategies as plain lists and numbers."""
        return {
            "trait": self.label,
            "traits": self.traits.tolist(),
            "rate": self.rate.tolist(),
            "singular": [{**s._asdict(), "kind": s.kind} for s in self.singular()],
            "undetermined": self.undetermined(),
        }

    def figure(self) -> Figure:
        """Draw the plot: dark where the mutant grows, with the singular strategies."""
        from matplotlib.colors import ListedColormap

        from ecosim.analysis.figure import Picture

        picture = Picture(figsize=(5.2, 5.0), layout="constrained")
        axes = picture.subplots()
        sign = np.sign(np.nan_to_num(self.rate, posinf=1.0, neginf=-1.0)).T
        colours = ListedColormap(["white", "0.75", "0.35"])
        axes.pcolormesh(
            self.traits, self.traits, sign, cmap=colours, vmin=-1, vmax=1, shading="nearest"
        )
        for point in self.singular():
            axes.plot(point.trait, point.trait, "o", color="tab:orange", label=point.kind)
        if self.singular():
            axes.legend(loc="upper right")
        axes.set_xlabel(f"resident: {self.label}")
        axes.set_ylabel(f"mutant: {self.label}")
        axes.set_title("Dark: the mutant grows", fontsize=10)
        axes.set_aspect("equal")
        return picture
