"""The answers of the corpus are what they are said to be, and this harness reads them as a careful reader does."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.reading import OFFERED, OURS, READERS
from ecva_bench.reading.classes.reader import read_class

from .answers import CORPUS, FILES, own, verdict

UNITS = {"seconds", "minutes", "mmss", "mm.ss"}
ROWS = {
    kind: [
        row
        for file in (f"{name}.json", f"unseen_{name}.json")
        for row in json.loads((CORPUS / file).read_text("utf-8"))
    ]
    for kind, name in FILES.items()
}
KEYS = {"class": {"sub", "why"}, "spans": {"duration", "unit", "frame_rate", "why"}}


@pytest.mark.parametrize("kind", FILES)
def test_every_entry_has_its_fields_and_no_others(kind: str) -> None:
    for row in ROWS[kind]:
        must = {"id", "style", "answer", kind}
        assert must <= set(row) <= must | KEYS[kind], row
        assert all(isinstance(row[key], str) for key in ("id", "style", "answer")), row
        assert row.get("why", "why"), row


def test_classes_and_subclasses_exist() -> None:
    for row in ROWS["class"]:
        assert row["class"] in {None, *range(1, 12)}, row
        if "sub" in row:
            assert 1 <= row["sub"] <= len(OFFERED[row["class"] - 1].subclasses), row


def test_spans_lie_in_their_video() -> None:
    for row in ROWS["spans"]:
        assert row.get("unit", "seconds") in UNITS, row
        for start, end in row["spans"]:
            assert 0 <= start < end <= row.get("duration", end), row


def test_the_corpus_is_large_and_of_many_styles() -> None:
    rows = [row for kind in FILES for row in ROWS[kind]]
    assert len(rows) >= 300
    assert len({row["id"] for row in rows}) == len(rows)
    for kind in FILES:
        assert len({row["style"] for row in ROWS[kind]}) >= 12
        assert len({(row["answer"], row.get("unit")) for row in ROWS[kind]}) == len(ROWS[kind])
    assert {row["class"] for row in ROWS["class"]} == {None, *range(1, 12)}


@pytest.mark.parametrize(
    ("meant", "read", "said"),
    [
        (5, 5, "right"),
        (5, 6, "other"),
        (5, None, "unread"),
        (None, None, "right"),
        (None, 0, "other"),
        (((1.0, 2.0),), ((1.04, 2.0),), "right"),
        (((1.0, 2.0),), ((1.06, 2.0),), "other"),
        (((1.0, 2.0),), ((1.0, 2.0), (1.0, 2.0)), "right"),
        (((1.0, 2.0),), ((1.0, 2.0), (3.0, 4.0)), "other"),
        (((1.0, 2.0),), (), "unread"),
        ((), (), "right"),
        ((), ((1.0, 2.0),), "other"),
    ],
)
def test_what_is_read_is_right_or_another_value_or_nothing(meant: object, read: object, said: str) -> None:
    assert verdict(meant, read) == said


@pytest.mark.parametrize("unseen", [False, True])
@pytest.mark.parametrize("kind", FILES)
def test_answers_are_read_as_a_careful_reader_reads_them(kind: str, unseen: bool) -> None:
    corpus = own(kind, unseen=unseen)
    count = Counter(verdict(answer.value, READERS[kind][OURS](answer)) for answer in corpus)
    assert count["right"] >= 0.95 * len(corpus), count
    assert count["other"] <= 0.01 * len(corpus), count


def test_a_subclass_is_read_where_the_answer_goes_so_deep() -> None:
    deep = [answer for unseen in (False, True) for answer in own("class", unseen=unseen) if answer.sub]
    right = sum(
        any(label.sub == answer.sub for label in read_class(answer.text, OFFERED).labels[:1]) for answer in deep
    )
    assert right >= 0.95 * len(deep)
