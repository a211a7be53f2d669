import itertools
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import entr, rel_entr

from ecosim.errors import WebError
from ecosim.webs import drop_empty, indices, measure_web, read_web, structure

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"
# name: H2' continuous, H2' integer, NODF (THEORY.md, section Metrics)
PUBLISHED = {
    "Safariland": (0.857964, 0.853731, 24.5478),
    "mosquin1967": (0.546369, 0.497519, 32.0673),
    "vazarr": (0.622790, 0.608918, 29.5362),
}
HALF_DIGIT = 5.1e-7  # references are printed to 6 decimals


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"the reference data {name} is not beside this checkout (../shared/data)")
    return path


def filled(values: np.ndarray) -> np.ndarray:
    """The web without empty rows and columns."""
    web = values[values.sum(axis=1) > 0].astype(float)
    return web[:, web.sum(axis=0) > 0]


def webs(largest: int = 6, most: int = 9):
    shapes = st.tuples(st.integers(1, largest), st.integers(1, largest))
    arrays = hnp.arrays(np.int64, shapes, elements=st.integers(0, most))
    return arrays.map(filled).filter(lambda web: web.size > 0)


def tables(rows: tuple[int, ...], columns: tuple[int, ...]):
    """Every table of whole numbers with these margins."""
    if len(columns) == 1:
        yield [rows]
        return
    for column in itertools.product(*(range(min(r, columns[0]) + 1) for r in rows)):
        if sum(column) == columns[0]:
            left = tuple(r - c for r, c in zip(rows, column, strict=True))
            for rest in tables(left, columns[1:]):
                yield [column, *rest]


# Published values ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_webs(name):
    measured = measure_web(data(f"web_{name}.csv"))
    h2, integer, nodf = PUBLISHED[name]
    assert measured["h2"] == pytest.approx(h2, abs=1e-6)
    assert measured["h2_integer"] == pytest.approx(integer, abs=1e-3)
    assert measured["nodf"] == pytest.approx(nodf, abs=5.1e-5)  # printed to 4 decimals
    assert measured["undefined"] == {}
    assert measured["dropped"] == {"niches": [], "species": []}


def test_safariland_nestedness_by_rows_and_columns():
    measured = measure_web(data("web_Safariland.csv"))
    assert measured["nodf_columns"] == pytest.approx(25.1187, abs=5.1e-5)
    assert measured["nodf_rows"] == pytest.approx(18.9815, abs=5.1e-5)
    # 1, 2, ... shared links of unlike degrees: the sum is a ratio of small integers.
    assert measured["nodf_rows"] == pytest.approx(100 * 6.8333333333333 / 36, rel=1e-9)


@pytest.mark.parametrize(
    ("ours", "golden", "tolerance"),
    [
        ("d", "dprime", HALF_DIGIT),
        ("d", "dprime_D2011", 1e-3),
        ("breadth", "exp_H", HALF_DIGIT),
        ("levins_b", "levins_B", HALF_DIGIT),
        ("levins_ba", "levins_BA", HALF_DIGIT),
        ("hurlbert_b", "hurlbert_Bprime_1_over_sum_p2_over_q", HALF_DIGIT),
        ("ps", "PS", HALF_DIGIT),
        ("degree", "degree_D2011", 0),
    ],
)
def test_golden_species(ours, golden, tolerance):
    reference = pd.read_csv(data("golden_safariland_species.csv")).set_index("pollinator")
    table = pd.DataFrame(measure_web(data("web_Safariland.csv"))["per_species"])
    table = table.set_index("species")
    assert list(table.index) == list(reference.index) and len(table) == 27
    assert np.abs(table[ours] - reference[golden]).max() <= tolerance


# Bounds by enumeration ----------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(webs(largest=3, most=4))
def test_d_minimum_is_exact_above_its_start_and_never_below_the_minimum(web):
    rows, columns = web.sum(axis=1), web.sum(axis=0)
    q = rows / rows.sum()
    for low, column in zip(indices.d_minimum(web), columns, strict=True):
        ranges = [range(int(min(r, column)) + 1) for r in rows]
        possible = np.array([u for u in itertools.product(*ranges) if sum(u) == column])
        d = rel_entr(possible / column, q).sum(axis=1)
        from_start = np.all(possible >= np.floor(column * rows / rows.sum() + 1e-9), axis=1)
        assert low >= d.min() - 1e-12
        assert low == pytest.approx(d[from_start].min(), abs=1e-12)
        assert d.max() <= np.log(rows.sum() / column) + 1e-12  # dmax bounds every possible use


@settings(deadline=None, max_examples=40)
@given(webs(largest=3, most=3))
def test_entropies_bound_every_table_with_the_same_margins(web):
    rows, columns = web.sum(axis=1), web.sum(axis=0)
    found = [
        float(entr(np.array(table) / web.sum()).sum())
        for table in tables(tuple(map(int, rows)), tuple(map(int, columns)))
    ]
    assert indices.h2_minimum(rows, columns) >= min(found) - 1e-12
    assert indices.h2_minimum(rows, columns) <= max(found) + 1e-12
    even = indices.even_table(web)
    assert even.min() >= 0
    assert np.array_equal(even.sum(axis=0), columns) and np.array_equal(even.sum(axis=1), rows)
    assert float(entr(even / web.sum()).sum()) <= max(found) + 1e-12
    assert max(found) <= entr(rows / web.sum()).sum() + entr(columns / web.sum()).sum() + 1e-12


def test_greedy_rules_find_the_optimum_where_it_is_known():
    # Equal margins: the diagonal has the least entropy, the flat table the most.
    assert indices.h2_minimum([3, 3, 3], [3, 3, 3]) == pytest.approx(np.log(3))
    assert np.array_equal(indices.even_table(np.diag([3.0, 3, 3])), np.ones((3, 3)))
    # Whole expectations: p = q is reached.
    assert indices.d_minimum(np.diag([2.0, 2])) == pytest.approx([0, 0], abs=1e-15)


def test_a_species_better_than_the_greedy_minimum_scores_0():
    # From floor((1, .5 x 4)) the rule cannot take from the rich niche what the poor ones want.
    best = 0.0
    for web in itertools.islice(_small_webs(), 3000):
        rows, total = web.sum(axis=1), web.sum()
        d = rel_entr(web / web.sum(axis=0), (rows / total)[:, None]).sum(axis=0)
        gap = indices.d_minimum(web) - d
        best = max(best, gap.max())
        assert np.all(indices.d_prime(web)[gap > 0] == 0)
    assert best > 1e-3  # the case does occur


def _small_webs():
    random = np.random.default_rng(7)
    while True:
        web = random.integers(0, 2, (6, 4)).astype(float)
        web[0] = random.integers(1, 12, 4)
        if (web.sum(axis=1) > 0).all():
            yield web


# Closed forms and properties ----------------------------------------------------------------


def test_perfect_specialists_and_perfect_generalists():
    specialists = measure_web(pd.DataFrame(np.diag([5, 5, 5, 5])))
    assert specialists["h2"] == 1 and specialists["h2_integer"] == 1
    assert [s["d"] for s in specialists["per_species"]] == [1] * 4
    assert [s["levins_ba"] for s in specialists["per_species"]] == [0] * 4
    assert specialists["modularity"] == pytest.approx(0.75)  # 1 - 1/4
    assert specialists["nodf"] == 0 and specialists["connectance"] == 0.25
    generalists = measure_web(pd.DataFrame(np.full((4, 3), 2)))
    assert generalists["h2"] == pytest.approx(0, abs=1e-12)
    for species in generalists["per_species"]:
        assert species["d"] == pytest.approx(0, abs=1e-12)
        assert species["breadth"] == pytest.approx(4) and species["levins_ba"] == pytest.approx(1)
        assert species["hurlbert_b"] == pytest.approx(1) and species["ps"] == pytest.approx(1)
    assert generalists["modularity"] == pytest.approx(0, abs=1e-12)


def test_nestedness_of_a_triangle_is_100_and_ties_score_0():
    assert structure.nodf(np.tril(np.ones((5, 5)))) == (100, 100, 100)
    assert structure.nodf(np.ones((3, 4))) == (0, 0, 0)
    web = np.array([[1.0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
    # rows: (3, 2) share 1 of 2, (3, 1) share 1 of 1, (2, 1) share 0; columns of degrees 1 2 2 1:
    # (1st, 2nd) and (1st, 3rd) 1 of 1 each, (4th, 2nd) 1 of 1, (4th, 3rd) 0; equal degrees 0.
    assert structure.nodf(web).rows == pytest.approx(100 * 1.5 / 3)
    assert structure.nodf(web).columns == pytest.approx(100 * 3 / 6)
    assert structure.nodf(web).total == pytest.approx(100 * 4.5 / 9)


def test_modules_of_planted_blocks():
    web = np.kron(np.eye(3), np.full((4, 5), 7.0)) + 0.01
    found = structure.modules(web)
    truth = np.repeat(np.arange(3), 4)
    assert len(set(found.niches)) == 3
    assert len(set(zip(truth, found.niches, strict=True))) == 3
    share = web / web.sum()
    same = found.niches[:, None] == found.species
    barber = share - np.outer(share.sum(axis=1), share.sum(axis=0))
    assert found.q == pytest.approx(float(barber[same].sum()), abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_modularity_of_tiny_webs_is_the_best_of_all_partitions(seed):
    web = filled(np.random.default_rng(seed).integers(0, 5, (3, 4)))
    share = web / web.sum()
    barber = share - np.outer(share.sum(axis=1), share.sum(axis=0))
    # For given modules of the niches each species takes its best one.
    best = max(
        (np.eye(3)[list(labels)].T @ barber).max(axis=0).sum()
        for labels in itertools.product(range(3), repeat=len(web))
    )
    q = structure.modules(web).q
    assert 0 <= q <= best + 1e-12
    assert q == pytest.approx(best, abs=0.02)


def test_random_starts_find_what_greedy_merging_misses():
    # Greedy communities alone lead to Q = .4396 here; a larger Q can only be a better answer.
    assert structure.modules(read_web(data("web_vazarr.csv")).to_numpy()).q >= 0.4423


@pytest.mark.parametrize("seed", range(8))
def test_no_single_move_between_modules_raises_q(seed):
    web = filled(np.random.default_rng(seed).poisson(0.8, (12, 15)))
    found = structure.modules(web)
    share = web / web.sum()
    barber = share - np.outer(share.sum(axis=1), share.sum(axis=0))
    for excess, own, others in (
        (barber, found.niches, found.species),
        (barber.T, found.species, found.niches),
    ):
        gain = excess @ np.eye(max(found.niches.max(), found.species.max()) + 1)[others]
        assert np.all(gain.max(axis=1) <= gain[np.arange(len(own)), own] + 1e-9)


def test_overlap_closed_forms():
    web = np.array([[1.0, 0, 3], [1, 2, 1]])  # p: (.5, .5), (0, 1), (.75, .25)
    schoener, pianka = indices.schoener(web), indices.pianka(web)
    assert schoener[0] == pytest.approx([1, 0.5, 0.75])
    assert pianka[0] == pytest.approx([1, np.sqrt(0.5), 0.5 / np.sqrt(0.5 * 0.625)])
    assert indices.mean_overlap(schoener) == pytest.approx((0.5 + 0.75 + 0.25) / 3)
    assert np.isnan(indices.mean_overlap(np.ones((1, 1))))


def test_breadth_against_an_availability():
    web = np.array([[1.0], [1.0]])
    breadth = indices.niche_breadth(web, availability=[3, 1])
    assert breadth["hurlbert_b"] == pytest.approx([1 / (0.25 / 0.75 + 0.25 / 0.25)])
    assert breadth["ps"] == pytest.approx([0.75])
    with pytest.raises(ValueError, match="one positive number per niche"):
        indices.niche_breadth(web, availability=[1, 0])


@settings(deadline=None, max_examples=150)
@given(webs())
def test_ranges_and_json(web):
    measured = measure_web(pd.DataFrame(web))
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured
    niches = measured["niches"]
    for name, top in {"h2": 1, "h2_integer": 1, "nodf": 100, "nodf_rows": 100}.items():
        value = measured[name]
        assert (value is None) == (name in measured["undefined"])
        assert value is None or 0 <= value <= top
    assert 0 <= measured["modularity"] < 1
    for species in measured["per_species"]:
        named = {"per_species.d", f"per_species.d[{species['species']}]"}
        assert (species["d"] is None) == bool(named & set(measured["undefined"]))
        assert species["d"] is None or 0 <= species["d"] <= 1
        assert 1 - 1e-9 <= species["levins_b"] <= species["breadth"] + 1e-9 <= niches + 2e-9
        assert 0 < species["hurlbert_b"] <= 1 + 1e-9 and 0 < species["ps"] <= 1 + 1e-9


@settings(deadline=None, max_examples=60)
@given(webs(), st.randoms())
def test_order_of_niches_and_species_does_not_matter(web, random):
    rows, columns = list(range(len(web))), list(range(web.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = web[np.ix_(rows, columns)]
    assert indices.d_prime(moved) == pytest.approx(indices.d_prime(web)[columns], nan_ok=True)
    h2, h2_moved = indices.h2_prime(web), indices.h2_prime(moved)
    assert structure.nodf(moved) == pytest.approx(structure.nodf(web), nan_ok=True)
    for ours, theirs in zip(
        indices.niche_breadth(moved).values(), indices.niche_breadth(web).values(), strict=True
    ):
        assert ours == pytest.approx(theirs[columns], nan_ok=True)
    assert np.isnan(h2) == np.isnan(h2_moved)


@settings(deadline=None, max_examples=60)
@given(webs(), st.floats(0.01, 100))
def test_continuous_indices_do_not_depend_on_the_unit(web, unit):
    assert indices.h2_prime(web * unit) == pytest.approx(
        indices.h2_prime(web), rel=1e-6, abs=1e-9, nan_ok=True
    )
    assert indices.schoener(web * unit) == pytest.approx(indices.schoener(web))


# Undefined, empty, rates --------------------------------------------------------------------


def test_undefined_quantities_are_none_and_say_why():
    one_niche = measure_web(pd.DataFrame([[3, 4, 5]]))
    assert one_niche["h2"] is None and one_niche["nodf_rows"] is None
    assert {s["d"] for s in one_niche["per_species"]} == {None}
    assert {s["levins_ba"] for s in one_niche["per_species"]} == {None}
    assert set(one_niche["undefined"]) == {
        "h2", "h2_integer", "nodf_rows", "per_species.d", "per_species.levins_ba",
    }  # fmt: skip
    one_species = measure_web(pd.DataFrame({"only": [3, 4]}))
    assert one_species["per_species"][0]["d"] is None
    assert "dmax = dmin" in one_species["undefined"]["per_species.d[only]"]
    single = measure_web(pd.DataFrame([[2]]))
    assert single["nodf"] is None and "no pair" in single["undefined"]["nodf"]


def test_rates_have_no_integer_variant_and_a_minimum_of_0():
    web = pd.DataFrame([[0.5, 0.2], [0.1, 0.7]])
    measured = measure_web(web)
    assert measured["h2_integer"] is None and "whole numbers" in measured["undefined"]["h2_integer"]
    counts = web.to_numpy()
    d = rel_entr(counts / counts.sum(0), (counts.sum(1) / 1.5)[:, None]).sum(0)
    assert [s["d"] for s in measured["per_species"]] == pytest.approx(
        list(d / np.log(1.5 / counts.sum(0)))
    )
    with pytest.raises(ValueError, match="use the continuous one"):
        indices.h2_prime(counts, integer=True)


def test_empty_rows_and_columns_are_dropped_and_named():
    frame = pd.DataFrame(
        [[0, 0, 0], [1, 0, 2], [3, 0, 1]], index=["r0", "r1", "r2"], columns=["a", "b", "c"]
    )
    measured = measure_web(frame)
    kept, _ = drop_empty(frame)
    assert measured["dropped"] == {"niches": ["r0"], "species": ["b"]}
    assert {**measured, "dropped": 0} == {**measure_web(kept), "dropped": 0}
    assert measured["niches"] == 2 and measured["species"] == 2


# Files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["empty"]),
        ("\n\n", ["empty"]),
        ("plant,a,b\n", ["at least one niche", "got 0 and 2"]),
        ("plant\nx\n", ["got 1 and 0"]),
        ("plant;a;b\nx;1;2\n", ["separated by commas"]),
        ("plant,a,b\nx,1,2\ny,1\n", ["line 3 has 2 cells", "3"]),
        ("plant,a,b\nx,1,2,3\n", ["line 2 has 4 cells"]),
        ("plant,a,b\nx,1,two\n", ["row 1 ('x'), column 2 ('b'): 'two' is not a number"]),
        ("plant,a,b\nx,1,\n", ["column 2 ('b'): '' is empty"]),
        ("plant,a,b\nx,1,2\ny,-3,2\n", ["row 2 ('y'), column 1 ('a'): '-3' is negative"]),
        ("plant,a,b\nx,1,nan\n", ["'nan' is not a number"]),
        ("plant,a,b\nx,inf,1\n", ["'inf' is infinite"]),
        ("plant,a,b\nx,1_0,1\n", ["'1_0' is not a number"]),
        ("plant,a,b\nx,0,0\ny,0,0\n", ["no interactions"]),
        ("plant,a,a\nx,1,2\n", ["species names must differ", "'a'"]),
        ("plant,a,b\nx,1,2\nx,1,2\n", ["niche names must differ", "'x'"]),
        ("plant,a,\nx,1,2\n", ["species 2 has no name"]),
        ("plant,a\nx,1e-300\n", ["between 1e-100 and 1e100"]),
        ('plant,a\n"x,1\n', ["not UTF-8 CSV text"]),
    ],
)
def test_files_that_are_no_webs(tmp_path, text, expected):
    path = tmp_path / "web.csv"
    path.write_text(text)
    with pytest.raises(WebError) as caught:
        measure_web(path)
    assert str(path) in str(caught.value)
    for part in expected:
        assert part in str(caught.value)


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(WebError, match="no such file"):
        read_web(tmp_path / "absent.csv")
    with pytest.raises(WebError, match="cannot be read"):
        read_web(tmp_path)
    (tmp_path / "latin.csv").write_bytes("plant,é\nx,1\n".encode("latin-1"))
    with pytest.raises(WebError, match="UTF-8"):
        read_web(tmp_path / "latin.csv")


def test_only_the_first_bad_cells_are_listed(tmp_path):
    path = tmp_path / "web.csv"
    path.write_text("plant,a,b,c\n" + "".join(f"n{i},-1,-2,-3\n" for i in range(50)))
    with pytest.raises(WebError) as caught:
        read_web(path)
    assert str(caught.value).count("is negative") == 5 and "and more" in str(caught.value)


def test_a_file_as_spreadsheets_write_it(tmp_path):
    path = tmp_path / "web.csv"
    path.write_bytes('\ufeff"","a, b",c\r\n"x",1.0, 2\r\n\r\n"y",0,3e0\r\n'.encode())
    frame = read_web(path)
    assert frame.index.name == "niche" and list(frame.columns) == ["a, b", "c"]
    assert list(frame.index) == ["x", "y"]
    assert frame.to_numpy().tolist() == [[1, 2], [0, 3]]


def test_frames_are_checked_too():
    with pytest.raises(WebError, match=r"row 2 \('1'\), column 1 \('a'\): nan is not a number"):
        measure_web(pd.DataFrame({"a": [1, np.nan]}))
    with pytest.raises(WebError, match="at least one niche"):
        measure_web(pd.DataFrame())
    original = pd.DataFrame({"a": [1, 2], "b": [0, 4]})
    before = original.copy()
    measure_web(original)
    pd.testing.assert_frame_equal(original, before)


def test_a_large_web_is_measured_in_seconds():
    random = np.random.default_rng(0)
    web = random.poisson(3, (100, 500)).astype(float) + np.eye(100, 500)
    start = time.perf_counter()
    d = indices.d_prime(web)
    assert time.perf_counter() - start < 2
    assert np.all((d >= 0) & (d < 0.2))
