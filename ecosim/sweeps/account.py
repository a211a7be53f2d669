"""The page of a calibration: report.html, which needs nothing beside it, and its pictures."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecosim.experiments.folders import write_atomically
from ecosim.sweeps.page import png

if TYPE_CHECKING:
    from ecosim.sweeps.calibration import Question
    from ecosim.sweeps.checks import Check
    from ecosim.sweeps.posterior import Calibration
    from ecosim.sweeps.recovery import Recovery

_POSTERIOR = (
    "Posterior of each fitted number (bars; dashed: its prior; orange: mean and central 95 %), and "
    "particles in pairs, larger with more weight; r: correlation on the scale of the priors."
)
_PREDICTED = "Data, and what the fitted scenario predicts of them with new seeds."
_RECOVERED = (
    "Known numbers, and what the same kind of fit finds from data simulated with them: posterior "
    "means and central 95 %."
)


def write_account(
    question: Question, found: Calibration, recovery: Recovery | None, folder: Path
) -> Path:
    """Draw a calibration and write its report.html; return the page's path.

    The pictures are in the page, and beside it in `pictures/` as PNG: `posterior`, `predictive`
    and, where known numbers were recovered, `recovery`.
    """
    from ecosim.analysis.report import environment

    pictures = list(_pictures(question, found, recovery))
    for picture in pictures:
        path = folder / "pictures" / f"{picture['file']}.png"
        path.parent.mkdir(exist_ok=True)
        write_atomically(path, base64.b64decode(picture["png"]))
    page = environment().get_template("calibration.html.j2").render(
        name=folder.name, scenario=question.base.scenario, pictures=pictures,
        found=found, failing=found.failing, last=found.generations[-1],
        simulated=sum(int(one["simulated"]) for one in found.generations),
        posterior=posterior_rows(found), checks=check_rows(found.summaries),
        statistics=check_rows(found.predictive), recovery=recovery,
        recovered=recovery_rows(recovery) if recovery else [],
    )  # fmt: skip
    target = folder / "report.html"
    write_atomically(target, page.encode())
    return target


def posterior_rows(found: Calibration) -> list[list[str]]:
    """Return key, mean, sd, both ends of the central 95 % and narrowing, as text."""
    names = ("mean", "sd", "low", "high")
    return [
        [key, *(f"{told[name]:.4g}" for name in names), f"{told['narrowed']:.0%}"]
        for key, told in found.posterior.items()
    ]


def check_rows(found: dict[str, Check]) -> list[list[str]]:
    """Return name, data, mean and 90 % of the draws, p and a remark, as text."""
    return [
        [name, *(f"{number:.4g}" for number in (one.observed, one.mean, one.low, one.high)),
         f"{one.p:.2g}", "outside" if one.outside else ""]
        for name, one in found.items() if not one.empty
    ]  # fmt: skip


def recovery_rows(found: Recovery) -> list[list[str]]:
    """Return key, coverage of 50 % and of 95 %, error and narrowing, as text."""
    return [
        [key, f"{told['covered_50']:.0%}", f"{told['covered_95']:.0%}", f"{told['error']:.2f}",
         f"{told['narrowed']:.0%}"]
        for key, told in found.keys.items()
    ]  # fmt: skip


def _pictures(
    question: Question, found: Calibration, recovery: Recovery | None
) -> Iterator[dict[str, Any]]:
    from ecosim.sweeps import portraits

    drawn = [
        ("posterior", "Posterior", _POSTERIOR, portraits.posterior(found, question.priors)),
    ]
    if found.draws:
        figure = portraits.predictive(found, question.target)
        drawn.append(("predictive", "Posterior predictive check", _PREDICTED, figure))
    if recovery is not None and recovery.sets:
        figure = portraits.recovered(recovery, question.priors)
        drawn.append(("recovery", "Recovery of known numbers", _RECOVERED, figure))
    for file, title, text, figure in drawn:
        yield {"file": file, "title": title, "text": text, "png": png(figure)}
