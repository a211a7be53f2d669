"""Leaderboards: an agent x benchmark table measured, against plain NumPy."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from ecosim.cli import main
from ecosim.errors import WebError
from ecosim.webs.leaderboard import measure_leaderboard, read_scores, rescaled


def written(tmp_path, text):
    path = tmp_path / "scores.csv"
    path.write_text(text)
    return path


def table(values):
    names = [f"b{k}" for k in range(len(values[0]))]
    return pd.DataFrame(values, index=[f"a{i}" for i in range(len(values))], columns=names)


def test_one_order_everywhere_is_a_general_factor():
    found = measure_leaderboard(table([[1.0, 10.0, -5.0], [2.0, 20.0, 0.0], [3.0, 30.0, 5.0]]))
    assert found["rank_correlation"] == pytest.approx(1)
    assert found["first_component"] == pytest.approx(1)
    assert [agent["led"] for agent in found["per_agent"]] == [0, 0, 1]
    assert found["per_agent"][2]["breadth"] == pytest.approx(3)
    assert found["per_agent"][0]["breadth"] is None  # the worst on all uses none


def test_one_benchmark_each_is_full_specialisation():
    found = measure_leaderboard(table(np.eye(4).tolist()))
    assert found["h2"] == pytest.approx(1)
    for agent in found["per_agent"]:
        assert agent["breadth"] == pytest.approx(1)
        assert agent["d"] == pytest.approx(1)
        assert agent["led"] == pytest.approx(1 / 4)
    assert found["rank_correlation"] < 0


def test_against_plain_numpy():
    random = np.random.default_rng(3)
    scores = random.normal(size=(9, 5)) * [1, 10, 100, 0.1, 3]
    found = measure_leaderboard(table(scores.tolist()))
    unit = (scores - scores.min(0)) / (scores.max(0) - scores.min(0))
    standard = (unit - unit.mean(0)) / unit.std(0)
    singular = np.linalg.svd(standard, compute_uv=False) ** 2
    assert found["first_component"] == pytest.approx(singular[0] / singular.sum())
    ranks = np.corrcoef(scores.argsort(0).argsort(0).T)
    assert found["rank_correlation"] == pytest.approx(ranks[np.triu_indices(5, 1)].mean())
    for agent, row in zip(found["per_agent"], unit, strict=True):
        p = row[row > 0] / row.sum()
        assert agent["breadth"] == pytest.approx(np.exp(-(p * np.log(p)).sum()))
        assert agent["mean"] == pytest.approx(row.mean())


@given(st.integers(0, 2**32), st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_units_do_not_matter(seed, factor, shift):
    scores = np.random.default_rng(seed).integers(0, 100, (6, 3)).astype(float)
    scores[0], scores[1] = 0, 100  # no benchmark on which all score alike
    plain = measure_leaderboard(table(scores.tolist()))
    scaled = measure_leaderboard(table((scores * factor + shift * factor).tolist()))
    for name in ("rank_correlation", "first_component", "h2"):
        assert scaled[name] == pytest.approx(plain[name], abs=1e-6)


def test_missing_scores_are_not_zeros(tmp_path):
    path = written(tmp_path, "agent,x,y,z\na,1,,3\nb,2,5,NA\nc,3,6,1\nd,4,9,2\ne,2,8,2\n")
    found = measure_leaderboard(path)
    assert found["incomplete"] == ["a", "b"]
    assert [agent["measured"] for agent in found["per_agent"]] == [2, 2, 3, 3, 3]
    assert found["per_agent"][0]["d"] is None
    assert found["per_agent"][0]["mean"] == pytest.approx(0.5)  # 0 on x, 1 on z
    assert read_scores(path).isna().sum().sum() == 2


def test_less_is_better_where_it_is_said():
    scores = table([[1.0, 9.0], [2.0, 1.0], [3.0, 5.0]])
    assert rescaled(scores, ["b1"])["b1"].tolist() == [0.0, 1.0, 0.5]
    found = measure_leaderboard(scores, lower=["b0"])
    assert found["per_agent"][0]["led"] == 1
    with pytest.raises(WebError, match="no benchmark 'b7'; the table has: b0, b1"):
        measure_leaderboard(scores, lower=["b7"])


def test_a_flat_benchmark_is_left_out_and_ties_share():
    found = measure_leaderboard(table([[1.0, 7.0], [1.0, 7.0], [0.0, 7.0]]))
    assert found["flat"] == ["b1"]
    assert [agent["led"] for agent in found["per_agent"]] == [0.5, 0.5, 0]
    assert set(found["undefined"]) == {"h2", "rank_correlation", "first_component"}
    with pytest.raises(WebError, match="tells two agents apart"):
        measure_leaderboard(table([[1.0], [1.0]]))


@pytest.mark.parametrize(
    ("text", "word"),
    [("", "two agents"), ("agent,x\na,1\n", "got 1 and 1"), ("agent,x\na,1\na,2\n", "differ"),
     ("agent,x\na,1\nb,two\n", "'b' on 'x': 'two'"), ("agent,x\na,1\nb,inf\n", "finite"),
     ("agent,x\na,1\nb,1_000\n", "1_000"), ("agent,x,y\na,1\nb,1,2\n", "line 2 has 2 cells")],
)  # fmt: skip
def test_errors_teach(tmp_path, text, word):
    with pytest.raises(WebError, match=word):
        read_scores(written(tmp_path, text))


def test_on_the_command_line(tmp_path):
    path = written(tmp_path, "agent,x,y\na,1,-3\nb,2,-4\nc,3,-1\n")
    done = CliRunner().invoke(main, ["metrics", str(path), "--leaderboard", "--json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["agents"] == 3
    assert CliRunner().invoke(main, ["metrics", str(path), "--leaderboard"]).exit_code == 0
    done = CliRunner().invoke(main, ["metrics", str(path)])
    assert done.exit_code == 2
    assert "--leaderboard" in done.stderr
    assert CliRunner().invoke(main, ["metrics", str(path), "--lower", "x"]).exit_code == 2
