"""The spans a careful reader takes from an answer, each judged by hand; and what holds of every text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.reading.spans.reader import read_spans
from tests.cases import case

from .answers import of_case, verdict
from .span_forms import FORMS

WHOLE = st.integers(0, 3000)
PAIRS = st.tuples(WHOLE, WHOLE).map(lambda pair: (min(pair), max(pair)))
SEVERAL = st.lists(PAIRS, min_size=1, max_size=4, unique=True)


def clock(seconds: int) -> str:
    return f"{seconds // 60:02d}:{seconds % 60:02d}"


def long_clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def in_minutes(seconds: int) -> str:
    return f"{seconds // 60} min {seconds % 60} s"


# Every way to write one pair of whole seconds.
ONE = {
    "brackets": lambda a, b: f"[{a}, {b}]",
    "decimals": lambda a, b: f"[{a}.0, {b}.0]",
    "from to": lambda a, b: f"from {a} to {b} seconds",
    "between": lambda a, b: f"between {a} s and {b} s",
    "dash": lambda a, b: f"{a}s–{b}s",
    "arrow": lambda a, b: f"{a} → {b}",
    "clocks": lambda a, b: f"{clock(a)} - {clock(b)}",
    "hours": lambda a, b: f"from {long_clock(a)} until {long_clock(b)}",
    "srt": lambda a, b: f"{long_clock(a)},000 --> {long_clock(b)},000",
    "minutes": lambda a, b: f"{in_minutes(a)} to {in_minutes(b)}",
    "named": lambda a, b: f"It starts at {a} s and ends at {b} s.",
    "lines": lambda a, b: f"**Start:** {clock(a)}\n**End:** {clock(b)}",
    "keys": lambda a, b: f'{{"start": {a}, "end": {b}}}',
    "keys, end first": lambda a, b: f'{{"end_time": "{clock(b)}", "start_time": "{clock(a)}"}}',
    "length": lambda a, b: f"It starts at {a} s and lasts {b - a} s.",
    "table": lambda a, b: f"| Start (s) | End (s) |\n|---|---|\n| {a} | {b} |",
    "ordinals": lambda a, b: f"from the {a}th to the {b}th second",
    "Chinese": lambda a, b: f"从第{a}秒到第{b}秒",
    "full width": lambda a, b: f"【{a}，{b}】".translate({ord(str(n)): 0xFF10 + n for n in range(10)}),
    "answer": lambda a, b: f"First 1-2 s of something. <answer>{a} to {b}</answer>",
}


@pytest.mark.parametrize(("text", "spans"), [one for table in FORMS.values() for one in table.items()])
def test_forms_of_answers(text, spans):
    assert read_spans(text, unit="seconds", duration=30).spans == tuple(map(pytest.approx, spans))


def test_the_cases_are_read_as_by_hand():
    for answer in of_case(case("span_answers"), "spans"):
        reading = read_spans(answer.text, unit=answer.unit, duration=answer.duration)
        assert verdict(answer.value, reading.spans) == "right", (answer.id, answer.text, reading)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("frames 120 to 240", [(4, 8)]),
        ("From frame 120 to frame 240.", [(4, 8)]),
        ('{"start_frame": 120, "end_frame": 240}', [(4, 8)]),
        ("Frames: [120, 240]", [(4, 8)]),
        ("starts at frame 120 and ends at frame 240", [(4, 8)]),
        ("第120帧到第240帧", [(4, 8)]),
        ("12 s to 20 s (frames 360-600)", [(12, 20)]),
    ],
)
def test_frames_are_times_where_the_rate_is_known(text, spans):
    assert list(read_spans(text, unit="seconds", frame_rate=30).spans) == spans
    unknown = read_spans(text, unit="seconds")
    assert "12 s" in text or (not unknown.spans and "frame" in unknown.rule)


@pytest.mark.parametrize(
    ("text", "unit", "spans"),
    [
        ("[0.0, 0.12]", "seconds", [(0.0, 0.12)]),
        ("[0.0, 0.12]", "minutes", [(0.0, 7.2)]),
        ("[0.0, 0.12]", "mm.ss", [(0, 12)]),
        ("[0, 1.05]", "mm.ss", [(0, 65)]),
        ("[0045, 0112]", "mmss", [(45, 72)]),
        ("[00:45, 00:52]", "minutes", [(45, 52)]),
        ("from 3 to 12 seconds", "mmss", [(3, 12)]),
        ("1.12 minutes to 2 minutes", "mm.ss", [(67.2, 120)]),
        ("1-2 min", None, [(60, 120)]),
        ("from 12 to 15 and from 20 to 25 seconds", None, [(12, 15), (20, 25)]),
        ("[0, 0:12]", None, [(0, 12)]),
        ('{"start_seconds": 12, "end_seconds": 20}', None, [(12, 20)]),
        ('{"start_ms": 12000, "end_ms": 20000}', None, [(12, 20)]),
        ("Times (in seconds): [12, 20]", None, [(12, 20)]),
        ("[12, 20], 0:24-0:28", None, [(24, 28)]),
        ("[0070, 0112]", "mmss", []),
        ("[0.0, 0.42.0]", "mm.ss", []),
    ],
)
def test_bare_numbers_are_in_the_unit_given(text, unit, spans):
    assert read_spans(text, unit=unit).spans == tuple(map(pytest.approx, spans))


@pytest.mark.parametrize(
    ("text", "status", "rule"),
    [
        ("[3, 12]", "no unit", "no unit"),
        ("start: 3, end: 12", "no unit", "no unit"),
        ("from 3 s to the end", "unread", "open end without a duration"),
        ("Either 3-5 s or 8-12 s.", "ambiguous", "or"),
        ("[12 s, 3 s]", "unread", "ends before it starts"),
        ("none", "unread", ""),
    ],
)
def test_what_is_not_read_says_why(text, status, rule):
    reading = read_spans(text, unit=None)
    assert (reading.status, reading.rule, reading.spans) == (status, rule, ())


def test_a_reading_says_where_it_was_read_and_what_it_left():
    text = "Normal: 0-12 s.\n异常：**１２秒 到 ２０秒**, at 25 s he leaves; [9, 4]; again 0:12-0:20"
    reading = read_spans(text, unit="seconds", duration=30)
    assert reading.spans == ((12, 20),)
    assert [text[start:end] for start, end in reading.places] == ["１２秒 到 ２０秒"]
    assert reading.others == ("0-12 s", "9, 4")
    assert reading.rule == "joined"
    assert read_spans("It happens at 12 s.", unit=None).others == ("12 s",)
    assert read_spans("a [1, 2] b. Answer: [3, 4]", unit="seconds").rule == "conclusion, listed"


@given(PAIRS, st.sampled_from(sorted(ONE)))
def test_a_pair_is_read_back_however_it_is_written(pair, way):
    text = ONE[way](*pair)
    assert read_spans(text, unit="seconds", duration=4000).spans == (pair,), text


@given(SEVERAL, st.sampled_from(["brackets", "clocks", "keys", "named", "Chinese"]), st.sampled_from(["\n", "; "]))
def test_several_are_read_in_their_order_each_once(pairs, way, mark):
    text = mark.join(ONE[way](*pair) for pair in [*pairs, pairs[0]])
    assert read_spans(text, unit="seconds", duration=4000).spans == tuple(pairs), text


@given(
    PAIRS,
    st.sampled_from(["brackets", "clocks", "from to", "keys"]),
    st.sampled_from(
        ["3 cars and 2 people.", "[x, y]", "[20, 12]", "0:75 - 0:80.", "Class 5, severity 3.", "At 7 s a man enters."]
    ),
)
def test_junk_beside_a_pair_changes_nothing(pair, way, junk):
    said = ONE[way](*pair)
    for text in (f"{junk}\n{said}", f"{said}\n{junk}"):
        assert read_spans(text, unit="seconds", duration=4000).spans == (pair,), text


WORDS = ["a", "man", "runs", "from", "the", "start", "to", "end", "until", "video", "then", "stops", "first", "last"]


@given(st.lists(st.sampled_from(WORDS)))
def test_words_without_a_number_or_an_edge_of_the_video_name_nothing(words):
    assert not read_spans(" ".join(words), unit="seconds").spans


@given(st.text(alphabet="0123456789:.,-[](){}\"' \nsto秒到fromandthe", max_size=60))
def test_of_any_text_the_spans_are_in_order_and_their_places_hold_them(text):
    reading = read_spans(text, unit="seconds", duration=30)
    assert len(reading.spans) == len(reading.places) == len(set(reading.spans))
    assert list(reading.places) == sorted(reading.places)
    for (start, end), (first, last) in zip(reading.spans, reading.places, strict=True):
        assert 0 <= start <= end
        assert 0 <= first < last <= len(text)
        assert start in (0, 30) or any(character.isdecimal() for character in text[first:last])


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        " ",
        "1 ",
        "1:",
        "[1, ",
        '{"start": ',
        "from ",
        "\n",
        "twenty ",
        "the end ",
        "not 1-2; ",
        "1-2 s wait, ",
        "| a, 1\n",
    ],
)
def test_the_time_grows_no_faster_than_the_text(piece, cpu_limit):
    """Doubling the text must double the time, not square it: what takes half a second here would take minutes then."""
    text = "5" + " " * 12_500 + piece * (37_500 // len(piece))
    with cpu_limit(4):
        reading = read_spans(text + " [1, 2]", unit="seconds", duration=30)
    assert reading.spans == (() if piece == '{"start": ' else ((1, 2),))  # a key that never gets its value


def test_many_spans_take_no_long_time(cpu_limit):
    text = "\n".join(
        f'throughout the video {n} s; [{n}, {n + 1}] {{"start": {n}, "end": {n + 1}}}' for n in range(3000)
    )
    with cpu_limit(60):
        assert len(read_spans(text, unit="seconds", duration=30).spans) == 3000
