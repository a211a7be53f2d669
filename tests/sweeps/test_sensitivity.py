"""Sensitivity: the estimators against a function whose indices are known, and a real sweep."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ecosim.cli import main
from ecosim.errors import StoreError
from ecosim.sweeps.definition import definition, validate
from ecosim.sweeps.execution import Here, carry_out
from ecosim.sweeps.folder import SweepFolder
from ecosim.sweeps.results import SweepResults
from ecosim.sweeps.sampling import design, sampled
from ecosim.sweeps.sensitivity import sensitivity

pytest.importorskip("SALib", reason="sensitivity needs SALib")

OVER = {"tradeoff.exponent": "0.0:1.0", "mutation.rate": "0.0:1.0", "mutation.step": "0.0:1.0"}
A, B = 7.0, 0.1


def ishigami(units):
    """Return the Ishigami function of positions in the unit cube."""
    x = (2 * np.asarray(units) - 1) * np.pi
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def analytic():
    """Return first-order and total indices (Ishigami and Homma 1990)."""
    first = [0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, 0.0]
    third = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    total = sum(first) + third
    return np.array(first) / total, np.array([first[0] + third, first[1], third]) / total


class Fake:
    """The results of a sweep whose metric is a function of the values."""

    path = "made-up"

    def __init__(self, method, samples, function=ishigami, lost=(), error=0.0, **more):
        sample = {"method": method, "samples": samples, "over": OVER}
        base = {"scenario": "soft-selection", "replicates": 2, "sample": sample}
        sweep = validate(base | more)
        self.definition = definition(sweep)
        rows, units = sampled(sweep), design(sweep)
        self.settings = {f"p{i}": row for i, row in enumerate(rows)}
        self.outcome = pd.Series(function(units), index=list(self.settings))
        self.outcome.iloc[list(lost)] = np.nan
        self.error = error

    def summary(self, metric, window):
        return pd.DataFrame({metric: self.outcome, f"{metric}_se": self.error})


def test_sobol_indices_of_the_ishigami_function():
    found = sensitivity(Fake("saltelli", 2048), "y")
    first, total = analytic()
    assert np.allclose(found.table["first"], first, atol=0.02)
    assert np.allclose(found.table["total"], total, atol=0.02)
    assert (np.abs(found.table["first"] - first) < 1.5 * found.table["first_ci"] + 1e-3).all()
    assert found.used == 2048 and found.excluded == 0 and found.noise == 0


def test_points_that_failed_cost_their_blocks_and_that_is_said():
    found = sensitivity(Fake("saltelli", 1024, lost=[0, 1, 7, 500]), "y")
    first, _ = analytic()
    assert found.excluded == 3 and found.used == 1021
    assert np.allclose(found.table["first"], first, atol=0.05)
    assert any("left out" in note for note in found.notes())
    with pytest.raises(StoreError, match="blocks of 5 points are whole"):
        sensitivity(Fake("saltelli", 8, lost=range(0, 30, 5)), "y")


def test_points_of_other_designs_in_the_folder_are_no_noise():
    fake = Fake("saltelli", 64, error=0.5)
    fake.settings["other"] = {"tradeoff.exponent": 9.0}
    fake.outcome["other"] = 1e6
    spread = np.var(fake.outcome[:-1])
    assert sensitivity(fake, "y").noise == pytest.approx(0.25 / spread)


def test_morris_effects_of_a_linear_function_are_its_slopes():
    found = sensitivity(Fake("morris", 20, function=lambda u: 3 * u[:, 0] - 2 * u[:, 1]), "y")
    assert np.allclose(found.table["mu_star"], [3, 2, 0])
    assert np.allclose(found.table["mu"], [3, -2, 0]) and np.allclose(found.table["sigma"], 0)


def test_morris_sees_that_an_effect_is_not_linear():
    found = sensitivity(Fake("morris", 50), "y").table
    assert found.loc["mutation.rate", "sigma"] > 1 and found.loc["mutation.step", "sigma"] > 1


@pytest.mark.parametrize(
    ("fake", "text"),
    [
        (lambda: Fake("sobol", 16), "neither saltelli nor morris"),
        (lambda: Fake("saltelli", 16, grid={"niches.count": [2, 3]}), "varies more"),
        (lambda: Fake("saltelli", 16, function=lambda u: np.ones(len(u))), "at every point"),
    ],
)
def test_what_has_no_indices_says_why(fake, text):
    with pytest.raises(StoreError, match=text):
        sensitivity(fake(), "y")


def test_a_real_sweep_tells_what_matters(tmp_path):
    """Whole numbers meet: 24 rows are fewer points, and each row finds its own."""
    sweep = validate({
        "scenario": "soft-selection", "replicates": 2,
        "set": {"population.size": 30, "record.every": 9},
        "sample": {"method": "saltelli", "samples": 8,
                   "over": {"run.steps": "1:4", "mutation.rate": "0.01:0.02"}},
    })  # fmt: skip
    carry_out(sweep, SweepFolder(tmp_path), Here())
    found = SweepResults(tmp_path).sensitivity("births").table
    # Wright and Fisher replace all in each step: nothing but their number can matter.
    assert found.loc["run.steps", "total"] == pytest.approx(1, abs=0.5)
    assert found.loc["mutation.rate", "total"] == 0
    words = ["sweep", "sensitivity", str(tmp_path), "--metric", "births"]
    told = CliRunner().invoke(main, [*words, "--json"], prog_name="ecosim")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["indices"]["mutation.rate"]["total"] == 0
    table = CliRunner().invoke(main, words, prog_name="ecosim")
    assert "run.steps" in table.stdout and "8 blocks" in table.stdout
    wrong = CliRunner().invoke(main, [*words[:-1], "birhts"], prog_name="ecosim")
    assert wrong.exit_code == 2 and "did you mean births" in wrong.stderr
