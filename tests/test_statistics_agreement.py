"""Agreement coefficients against published worked examples, and against their definitions written out pair by pair."""

from __future__ import annotations

from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.statistics.agreement import ac1, icc, kappa, krippendorff_alpha, raw_agreement

# Krippendorff 2011, section C: four observers, twelve units, missing values. Gwet 2014 rates the same units.
KRIPPENDORFF = [
    [1, 1, None, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [None, 5, 5, 5],
    [None, None, 1, 1],
    [None, 3, None, None],
]
# Shrout and Fleiss 1979, table 2: six targets, four judges.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Gwet 2002: two raters agree on 118 of 125 items, and kappa is negative.
GWET = [[1, 1]] * 118 + [[1, 0]] * 5 + [[0, 1]] * 2
# Cohen's kappa of the usual grant example: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
GRANTS = [[1, 1]] * 20 + [[1, 0]] * 5 + [[0, 1]] * 10 + [[0, 0]] * 15

tables = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.lists(st.none() | st.integers(0, 3), min_size=raters, max_size=raters), min_size=1, max_size=8
    )
)


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_of_krippendorffs_example(level, published):
    assert krippendorff_alpha(KRIPPENDORFF, level=level) == pytest.approx(published, abs=5e-4)


def test_ac1_and_raw_agreement_of_gwets_examples():
    assert raw_agreement(KRIPPENDORFF) == pytest.approx(0.81818, abs=5e-6)
    assert ac1(KRIPPENDORFF, categories=5) == pytest.approx(0.77544, abs=5e-6)
    assert raw_agreement(GWET) == pytest.approx(0.944)
    assert ac1(GWET, categories=2) == pytest.approx(0.94, abs=5e-3)
    assert kappa(GWET) == pytest.approx(-0.02, abs=5e-3)


def test_kappa_of_the_grant_example():
    assert kappa(GRANTS) == pytest.approx(0.4)


def test_icc_of_shrout_and_fleiss():
    single, average = icc(SHROUT_FLEISS)
    assert single == pytest.approx(0.29, abs=5e-3)
    assert average == pytest.approx(0.62, abs=5e-3)


def test_icc_of_two_items_and_two_raters_by_hand():
    """Item means 1.5 and 4, rater means 2 and 3.5; the mean squares are 6.25, 2.25 and 0.25."""
    assert icc([[1, 2], [3, 5]]) == (pytest.approx(6 / 8.5), pytest.approx(6 / 7.25))


@pytest.mark.parametrize("size", [1e-3, 1e12])
def test_icc_does_not_depend_on_the_unit(size):
    assert icc([[rating * size for rating in row] for row in SHROUT_FLEISS]) == pytest.approx(icc(SHROUT_FLEISS))
    assert [icc([[rating * size] * 3] * 7) for rating in (0.1, 1 / 3, 0.7, 1.1)] == [None] * 4


def test_icc_leaves_out_items_with_a_missing_rating():
    assert icc([*SHROUT_FLEISS, [1, None, 1, 1]]) == icc(SHROUT_FLEISS)


def pairable(table):
    """The ratings of the items that have at least two."""
    return [[r for r in row if r is not None] for row in table if sum(r is not None for r in row) >= 2]


def distance_by_definition(a, b, level, everything):
    if level == "nominal":
        return float(a != b)
    if level == "interval":
        return (a - b) ** 2
    low, high = min(a, b), max(a, b)
    between = sum(low <= other <= high for other in everything)
    return (between - (everything.count(a) + everything.count(b)) / 2) ** 2 if a != b else 0.0


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@given(table=tables)
def test_alpha_by_definition(table, level):
    rows = pairable(table)
    everything = [rating for row in rows for rating in row]
    found = krippendorff_alpha(table, level=level)
    if len(set(everything)) < 2:
        assert found is None
        return

    def distance(a, b):
        return distance_by_definition(a, b, level, everything)

    observed = sum(sum(distance(a, b) for a, b in permutations(row, 2)) / (len(row) - 1) for row in rows)
    expected = sum(distance(a, b) for a, b in permutations(everything, 2)) / (len(everything) - 1)
    assert found == pytest.approx(1 - observed / expected)


@given(table=tables)
def test_raw_agreement_by_definition(table):
    shares = []
    for row in pairable(table):
        pairs = list(combinations(row, 2))
        shares.append(sum(a == b for a, b in pairs) / len(pairs))
    assert raw_agreement(table) == (pytest.approx(sum(shares) / len(shares)) if shares else None)


@given(table=tables)
def test_kappa_of_several_raters_is_the_mean_over_their_pairs(table):
    found = []
    for i, j in combinations(range(len(table[0])), 2):
        both = [(row[i], row[j]) for row in table if row[i] is not None and row[j] is not None]
        categories = {rating for pair in both for rating in pair}
        if len(categories) < 2:
            continue
        agreed = sum(a == b for a, b in both) / len(both)
        chance = sum(sum(a == c for a, _ in both) * sum(b == c for _, b in both) / len(both) ** 2 for c in categories)
        found.append((agreed - chance) / (1 - chance))
    assert kappa(table) == (pytest.approx(sum(found) / len(found)) if found else None)


@given(table=tables)
def test_ac1_is_1_at_full_agreement_and_never_more(table):
    found = ac1(table, categories=4)
    if found is None:
        assert not pairable(table)
    else:
        assert -1 <= found <= 1
        assert (found == 1) == all(len(set(row)) == 1 for row in pairable(table))


@given(rows=st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 1)), min_size=3, max_size=10))
def test_icc_is_1_for_identical_raters_and_falls_with_a_constant_bias(rows):
    values = [value for value, _ in rows]
    same = icc([[value] * 3 for value in values])
    if len(set(values)) == 1:
        assert same is None
        return
    assert same == pytest.approx((1, 1))
    single, average = icc([[value, value + 2, value + 4] for value in values])
    assert single < average < 1


@pytest.mark.parametrize("table", [[], [[]], [[1]], [[1, None]], [[None, None]], [[1, None], [None, 2]]])
def test_nothing_to_compare_has_no_coefficient(table):
    assert raw_agreement(table) is None
    assert kappa(table) is None
    assert ac1(table, categories=2) is None
    assert icc(table) is None
    assert krippendorff_alpha(table, level="nominal") is None


def test_one_category_alone_agrees_but_shows_nothing():
    always = [[1, 1, 1]] * 5
    assert raw_agreement(always) == 1
    assert ac1(always, categories=2) == 1
    assert kappa(always) is None
    assert icc(always) is None
    assert krippendorff_alpha(always, level="ordinal") is None
