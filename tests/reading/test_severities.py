"""Severities in the styles of models, judged by hand; no text makes the reader slow, or read what is not said."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.reading.curves import severity_text
from ecva_bench.reading.severities import read_severities, read_severity

TWO = [(0.0, 5.0, 7.0), (5.0, 10.0, 3.0)]


def read(text: str, duration: float | None = 12.0) -> list[tuple[float, float, float]]:
    found = read_severities(text, unit="seconds", duration=duration)
    return [(*span, severity) for span, severity in zip(found.spans, found.severities, strict=True)]


@pytest.mark.parametrize(
    "text",
    [
        "0 5 7\n5 10 3",
        "0 5 7/10\n5 10 30 %",
        "[0, 5, 7], [5, 10, 3]",
        "[[0, 5, 7],\n [5, 10, 3]]",
        '[{"start": 0, "end": 5, "severity": 7}, {"start": 5, "end": 10, "severity": 3}]',
        '```json\n{"segments": [\n {"start": "0:00",\n  "end": "0:05",\n  "severity": "7/10"},\n'
        ' {"time": "0:05 - 0:10", "score": 3}]}\n```',
        '{"0-5": 7, "5-10": 3}',
        "0-5: 7\n5-10: 3",
        "0:00 - 0:05: 7/10\n0:05-0:10: 30 %",
        "0-5: 7, 5-10: 3",
        "0s-5s: 7/10; 5s-10s: 3/10",
        "- **0–5 s**: 7\n- **5–10 s**: 3",
        "1. 0:00-0:05 – Severity: 7\n2. 0:05-0:10 – Severity: 3",
        "Segment 1 (0-5 s): 7\nSegment 2 (5-10 s): severity 3 out of 10",
        "From 0 to 5 seconds the severity is 7. From 5 to 10 seconds the severity is 3.",
        "On a scale of 0 to 10:\n0-5: 7\n5-10: 3",
        "| Start | End | Severity |\n|---|---|---|\n| 0 | 5 | 7 |\n| 5 | 10 | 3 |",
        "| # | Time (s) | Severity | Why |\n|---|---|---|---|\n| 1 | 0-5 | 7 | fire |\n| 2 | 5-10 | 3 | smoke |",
        "start,end,severity\n0,5,7\n5,10,3",
        "<think>0 5 1</think>\n0 5 7\n5 10 3",
        "0 to 5 7\n5 to 10 3",
        "0 to 5, 7\n5 to 10, 3",
        "0-5 7\n5-10 3",
        "0-5:7\n5-10:3",
        "00:00-00:05 7\n00:05-00:10 3",
        "0 5 7 a car brakes, then hits a man\n5 10 3 (it stops)",
        "Segment 1: 0-5 s, severity 7\nSegment 2: 5-10 s, severity 3",
        "0-5 s: a crash (7)\n5-10 s: nothing unusual (3)",
        "0-5 seconds: 7/10 - a man runs\n5-10 seconds: 3/10 - calm",
        "0-5 s: a fight, severity 7\n5-10 s: people walk as usual, severity 3",
        '[{"start": 0, "end": 5, "severity": 7}, {"start": 5, "end": 10, "severity": 3, "label": "normal"}]',
        "From 0 to 5 seconds, a car crashes: 7/10. From 5 to 10 seconds, traffic is normal: 3/10.",
    ],
)
def test_segments_are_read_in_every_style(text: str) -> None:
    assert read(text) == TWO


def test_an_answer_that_calls_every_part_normal_is_read() -> None:
    assert read("0-5 s: 0/10 normal\n5-10 s: 0/10 no anomaly") == [(0, 5, 0), (5, 10, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "0 5 7-8\n5 10 3",
        "[0, 5, 7-8], [5, 10, 3]",
        "0-5: 7–8\n5-10: 3",
        "0-5: 7 to 8, 5-10: 3",
        "0:00-0:05: 7-8/10\n0:05-0:10: 3/10",
        "| Start | End | Severity |\n|---|---|---|\n| 0 | 5 | 7-8 |\n| 5 | 10 | 3 |",
        '[{"start": 0, "end": 5, "severity": "7-8"}, {"start": 5, "end": 10, "severity": 3}]',
        "From 0 to 5 seconds the severity is between 7 and 8. From 5 to 10 seconds the severity is 3.",
    ],
)
def test_a_range_of_severities_is_its_middle(text: str) -> None:
    assert read(text) == [(0.0, 5.0, 7.5), (5.0, 10.0, 3.0)]


@pytest.mark.parametrize(
    "text",
    [
        "0 - 5 - 8",
        "0-5 8/10",
        "0 to 5: 8",
        "0s - 5s - 8/10",
        "0:00 to 0:05 - 8",
        "An anomaly between 0 and 5: severity 8",
    ],
)
def test_times_are_no_range_of_severities(text: str) -> None:
    assert read(text) == [(0.0, 5.0, 8.0)]


def test_the_scale_is_never_guessed() -> None:
    assert read("[0, 5, 0.7]\n[5, 10, 1]") == [(0, 5, 0.7), (5, 10, 1)]
    found = read_severities("0-5: 4/5", unit="seconds", duration=12.0)
    assert (found.status, found.spans, found.unparsed) == ("out of range", (), ((0.0, 5.0),))


def test_a_span_that_looks_like_the_scale_is_a_span() -> None:
    assert read("0-10: 7") == [(0, 10, 7)]


def test_unparsed_segments_are_gaps_and_more_than_half_of_them_no_answer() -> None:
    found = read_severities("0 5 7\n5 10 ?\n10 12 11\n12 15 2", unit=None, duration=15.0)
    assert (found.status, found.spans) == ("read", ((0, 5), (12, 15)))
    assert found.unparsed == ((5, 10), (10, 12))
    found = read_severities("0 5 7\n5 10 ?\n10 12 ?", unit=None, duration=12.0)
    assert (found.status, found.spans, len(found.unparsed)) == ("unread", (), 2)


def test_a_bare_number_in_an_unknown_unit_is_no_time_but_canonical_lines_are_in_seconds() -> None:
    assert read_severities("0-5: 7", unit=None).status == "no unit"
    assert read_severities("0:00-0:05: 7", unit=None).spans == ((0.0, 5.0),)
    assert read_severities("0 5 7", unit=None).spans == ((0.0, 5.0),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The severity is high throughout.",
        "5 0 7",
        "A car brakes at 3 s.",
        "7",
        "I cannot tell.",
        "[0, 5]",
        "{",
        "0 5",
    ],
)
def test_what_names_no_segment_is_unread(text: str) -> None:
    assert read_severities(text, unit="seconds", duration=12.0).status in ("unread", "out of range")


@pytest.mark.parametrize(
    ("reply", "severity"),
    [
        ("7", 7),
        ("7/10", 7),
        ("7 out of 10", 7),
        ("70 %", 7),
        ("100%", 10),
        ("0", 0),
        ("10.", 10),
        ("**Severity: 7/10**", 7),
        ("Rating (0-10): 4", 4),
        ("On a scale of 0 to 10, I would rate it 7.", 7),
        ("0 (nothing unusual)", 0),
        ("In this 5-second part the severity is 3.", 3),
        ("I'd say 6.5", 6.5),
        ('{"severity": 3}', 3),
        ("\\boxed{8}", 8),
        ("<think>3 or 4</think> 5", 5),
        ("Two of the 3 cars collide: 8/10", 8),
        ("1", 1),
        ("", None),
        ("high", None),
        ("11", None),
        ("-1", None),
        ("4/5", None),
        ("110 %", None),
        ("7-8", 7.5),
        ("7 – 8", 7.5),
        ("7 to 8", 7.5),
        ("7 or 8", 7.5),
        ("between 7 and 8", 7.5),
        ("Severity: 7-8, as a car burns.", 7.5),
        ("The severity is between 7 and 8 out of 10.", 7.5),
        ("7–8/10", 7.5),
        ("7/10 to 8/10", 7.5),
        ("70-80 %", 7.5),
        ("6.5 to 7", 6.75),
        ("On a scale of 0 to 10: 3 to 5", 4),
        ("From 0 to 5 seconds: 3-4", 3.5),
        ("8-12", None),
        ("3-4/5", None),
        ("Between 2 and 4 people fall: 6/10", 6),
        ("(0 = nothing, 10 = worst): 7", 7),
        ("With 0 being normal and 10 being the worst, 4", 4),
        ("There is an anomaly between 3 and 7. Severity 8", 8),
    ],
)
def test_a_reply_names_one_severity(reply: str, severity: float | None) -> None:
    assert read_severity(reply) == severity


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 90), st.one_of(st.none(), st.integers(0, 10))), max_size=12)
)
def test_what_is_written_is_read(rows: list[tuple[int, int, int | None]]) -> None:
    segments = [(start / 4, (start + length) / 4, severity) for start, length, severity in rows]
    found = read_severities(severity_text(segments), unit=None)
    named = [(start, end, float(severity)) for start, end, severity in segments if severity is not None]
    unparsed = [(start, end) for start, end, severity in segments if severity is None]
    if named and len(unparsed) <= len(named):
        assert [(*span, s) for span, s in zip(found.spans, found.severities, strict=True)] == named
        assert list(found.unparsed) == unparsed
    else:
        assert found.status != "read"


@pytest.mark.parametrize(
    "part",
    [
        "0 5 7\n",
        "[0, 5]: ",
        "{",
        "severity ",
        "1 ",
        "0-5: 7, ",
        "| 0 | 5 | 7 |\n",
        "7/",
        "x",
        "7-",
        "7 - ",
        "7 to ",
        "severity between 7 and ",
    ],
)
def test_no_text_makes_the_reader_slow(part: str) -> None:
    started = time.process_time()
    read_severities(part * (8_000 // len(part)), unit="seconds", duration=60.0)
    read_severity(part * (8_000 // len(part)))
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize(
    ("reply", "severity"),
    [
        ("Between 0:03 and 0:05 a car burns: 6", 6),
        ("After 3 seconds two cars collide. 8", 8),
        ("From 0 to 3.5 seconds nothing happens, so 1", 1),
        ("At 0:03 a man falls.", None),
    ],
)
def test_a_time_in_a_reply_about_one_segment_is_no_severity(reply: str, severity: float | None) -> None:
    assert read_severity(reply) == severity
