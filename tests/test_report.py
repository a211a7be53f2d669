import base64
import re
import shutil
import subprocess
from html.parser import HTMLParser

import fake_simulation
import matplotlib.image
import numpy as np
import pytest
from click.testing import CliRunner

from ecosim.analysis.figure import draw
from ecosim.analysis.panels import thin
from ecosim.analysis.report import changes, number
from ecosim.cli import main
from ecosim.experiments.pictures import illustrate
from ecosim.experiments.store import execute
from ecosim.scenario import read, validate

NASTY = "<script>alert('x')</script> & \"quotes\""


def scenario(world="ecology", **changes):
    return validate(
        {
            "world": world,
            "name": "told",
            "about": {"title": "A title", "question": NASTY, "citation": "Levene 1953"},
            "run": {"steps": 100},
            "population": {"size": 50},
            "expectation": [
                {"metric": "breadth_mean", "direction": "below", "value": 1.5},
                {"metric": "coverage", "direction": "below", "value": 0.1},
            ],
            **changes,
        }
    )


@pytest.fixture
def run(monkeypatch, tmp_path):
    fake_simulation.install(monkeypatch)
    return execute(scenario(), out=tmp_path)[0]


class Page(HTMLParser):
    """Checks that elements close in order and collects what a page would load."""

    VOID = {"meta", "link", "img", "br"}

    def __init__(self):
        super().__init__()
        self.open, self.loads, self.scripts, self.alts, self.headings = [], [], 0, [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.loads += [given[key] for key in ("src", "href") if key in given]
        self.scripts += tag == "script"
        if tag == "img":
            self.alts.append(given["alt"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def page_of(text):
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


def test_the_report_stands_alone_and_is_well_formed(run):
    text = (run.path / "report.html").read_text()
    page = page_of(text)
    assert all(load.startswith("data:") for load in page.loads), page.loads
    assert page.scripts == 0
    assert "http:" not in text.replace("http://www.w3.org", "") and "@import" not in text
    assert page.headings[0] == 1 and set(page.headings) == {1, 2}
    assert "breadth_mean from" in page.alts[0]


def test_the_report_says_what_was_asked_and_found(run):
    text = (run.path / "report.html").read_text()
    assert "&lt;script&gt;" in text and NASTY not in text
    for part in ("A title", "Levene 1953", "Mean breadth", "tradeoff", "result digest", "python"):
        assert part in text
    assert text.count('class="met"') == 1 and text.count('class="missed"') == 1
    picture = re.search(r'data:image/png;base64,([^"]+)"', text)[1]
    assert base64.b64decode(picture) == (run.path / "figure.png").read_bytes()


def test_the_figure_is_readable_at_the_width_of_a_readme(run):
    pixels = matplotlib.image.imread(run.path / "figure.png")
    height, width = pixels.shape[:2]
    assert width >= 1400 and height >= 1000
    assert len(np.unique(pixels.reshape(-1, pixels.shape[2]), axis=0)) > 50


def test_the_same_run_gives_the_same_picture(run):
    before = (run.path / "figure.png").read_bytes()
    illustrate(run)
    assert (run.path / "figure.png").read_bytes() == before


def test_each_panel_has_a_title_and_labelled_axes(run):
    figure = draw(run)
    titles = [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")]
    assert [title[0] for title in titles] == ["a", "b", "c", "d"]
    assert all(ax.get_ylabel() for ax in figure.axes)
    assert {ax.get_xlabel() for ax in figure.axes} == {"", "Time (steps)"}


def test_the_market_shows_concentration(monkeypatch, tmp_path):
    fake_simulation.install(monkeypatch)
    made = execute(scenario("market", expectation=[]), out=tmp_path)[0]
    legends = [ax.get_legend() for ax in draw(made).axes if ax.get_legend()]
    words = [text.get_text() for legend in legends for text in legend.get_texts()]
    assert {"HHI", "C4", "entries", "exits"} <= set(words)
    assert "states none" in (made.path / "report.html").read_text()


@pytest.mark.parametrize(
    "changes",
    [
        {"run": {"steps": 0}},
        {"niches": {"count": 1}},
        {"niches": {"count": 200}},
        {"run": {"steps": 5000}, "record": {"every": 7}},
    ],
    ids=["one-record", "one-niche", "many-niches", "uneven-records"],
)
def test_the_figure_takes_extreme_runs(monkeypatch, tmp_path, changes):
    fake_simulation.install(monkeypatch)
    made = execute(scenario(**{"expectation": []} | changes), out=tmp_path)[0]
    assert (made.path / "figure.png").stat().st_size > 10_000


def test_of_nobody_no_shares_are_drawn(tmp_path):
    given = read("reference-workload").replace(population__size=1, run__steps=40, niches__count=3)
    made = execute(given, out=tmp_path)[0]
    assert made.final["population"] == 0
    labels = ["Niche", "Niche", "Breadth (niches)"]
    maps = [ax for ax in draw(made).axes if ax.get_ylabel() in labels]
    meshes = [ax.collections[0] for ax in maps]
    assert [ax.get_ylabel() for ax in maps] == labels
    for mesh in meshes:
        low, high = mesh.norm.vmin, mesh.norm.vmax
        assert low == 0 < high <= 1
    living = int((made.metrics["population"] > 0).sum())
    drawn = np.ma.masked_invalid(meshes[2].get_array())
    assert 0 < living < len(made.metrics)
    assert np.unique(np.nonzero(~np.ma.getmaskarray(drawn))[1]).tolist() == list(range(living))


def test_the_figure_takes_a_run_with_the_least_columns(run):
    class Least:
        scenario = run.scenario
        metrics = run.metrics[["step", "population", "breadth_mean", "coverage"]]
        breadth = run.breadth

    draw(Least()).canvas.draw()


def test_the_real_simulator_is_drawn_and_told(tmp_path):
    given = scenario(run={"steps": 30}, record={"every": 3})
    made = execute(given, out=tmp_path)[0]
    page_of((made.path / "report.html").read_text())
    page_of(made._repr_html_())
    assert made.final["step"] == 30


def test_thinning_keeps_the_mean():
    step, values = thin(np.arange(1000.0), np.arange(2000.0).reshape(1000, 2), 8)
    assert len(step) == 8
    np.testing.assert_allclose(values.mean(axis=0), [999.0, 1000.0])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (float("nan"), "–"), (0.0, "0"), (12345.0, "12,345"), (1.23456, "1.235"),
     (1.5e-7, "1.50e-07")],
)  # fmt: skip
def test_numbers_for_people(value, text):
    assert number(value) == text


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the path")
def test_a_browser_shows_the_report(run, tmp_path):
    shot = tmp_path / "shot.png"
    subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
         f"--user-data-dir={tmp_path / 'profile'}", "--window-size=900,1400",
         f"--screenshot={shot}", (run.path / "report.html").as_uri()],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    pixels = matplotlib.image.imread(shot)[..., :3]
    assert pixels.shape[:2] == (1400, 900)
    # The figure is there: its colours are, and no text of the page has them.
    assert len(np.unique((pixels.reshape(-1, 3) * 15).astype(int), axis=0)) > 100


DENSITIES = {
    "niches": {"count": 2, "supply": [2.0, 1.0], "productivity": 300.0},
    "population": {"size": 2, "stock": 5.0, "groups": [
        {"name": "specialist", "allocation": [0.9, 0.1]},
        {"name": "generalist", "allocation": [0.5, 0.5], "budget": 1.6}]},
    "tradeoff": {"exponent": 1.0}, "selection": {"kind": "ricker"}, "habitats": {},
    "run": {"steps": 12}, "expectation": [],
}  # fmt: skip


def test_a_run_of_densities_tells_and_draws_abundance(tmp_path):
    """Not the number of its types, which stays what it is."""
    run = execute(scenario(**DENSITIES), out=tmp_path)[0]
    first = [name for name, *_ in changes(run)][:3]
    assert first == ["abundance", "group_abundance_0", "group_abundance_1"]
    page = (run.path / "report.html").read_text()
    assert "individuals of specialist" in page and "abundance in individuals" in page
    assert "abundance from" in page  # the figure in words
    axes = {ax.get_ylabel(): ax for ax in draw(run).axes}
    upper = axes["Abundance\n(individuals)"]
    assert {line.get_label() for line in upper.lines} == {"all", "specialist", "generalist"}
    drawn = next(line for line in upper.lines if line.get_label() == "all").get_ydata()
    assert drawn[-1] == pytest.approx(run.metrics["abundance"].iloc[-1])
    assert list(axes["Types"].lines[0].get_ydata()) == [2] * len(run.metrics)
    told = CliRunner().invoke(main, ["show", str(run.path)], prog_name="ecosim").stdout
    assert re.search(r"group_abundance_1 +[\d.]+ +individuals of generalist", told)


def test_a_run_of_agents_tells_their_number_and_unit(run):
    assert [name for name, *_ in changes(run)][0] == "population"
    assert "Agents" in {ax.get_ylabel() for ax in draw(run).axes}
