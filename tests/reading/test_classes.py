"""The class a careful reader takes from an answer, each judged by hand; and what holds of every text."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.reading.classes.reader import first_number, read_class
from ecva_bench.taxonomy import load_taxonomy
from tests.cases import case

OFFERED = load_taxonomy("cuva").classes
NAMES = {entry.code: entry.name for entry in OFFERED}


def read(text):
    reading = read_class(text, OFFERED)
    return reading.labels[0].major if reading.status == "read" else None


def status(text):
    return read_class(text, OFFERED).status


def test_the_cases_are_read_as_by_hand():
    folder = case("class_answers")
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    answers = {
        row["id"]: row["answer"]
        for path in sorted(folder.glob("answers*.json"))
        for row in json.loads(path.read_text(encoding="utf-8"))
    }
    assert {name: read(text) for name, text in answers.items()} == {name: expected[name] for name in answers}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # what the prompt asks for
        ("[5]", 5),
        ("[ 10 ] ", 10),
        ("［11］", 11),
        # after a word that says so
        ("The correct class is 3, Water Incidents.", 3),
        ("Category number: 7", 7),
        ("I would go with option 4.", 4),
        ('{"video_seconds": 9, "predicted_class": {"id": 6, "name": "Robbery"}}', 6),
        ("| frames | category |\n|---|---|\n| 8 | 2 |", 2),
        # by name, spelling forgiven
        ("This is a clear case of vandalism.", 4),
        ("Answer: Trafic Acidents", 5),
        ("Jaywalking", 8),
        ("视频里发生了火灾。", 9),
        # in the conclusion
        ("At 3 seconds 2 men meet; at 9 they hit each other. Therefore the answer is [1].", 1),
        ("It looks like [7] at first. But he uses a knife, so it is [6].", 6),
        ("Answer: 5. Wait, no one is hit. Answer: 10", 10),
        # numbers of other kinds
        ("The 3 men run for 10 seconds.", None),
        ("At 0:05 the light turns red; speed 9 km/h; severity 4.", None),
        ("The number of cars is 5.", None),
        # what a named class is done to, alternatives, classes of something else
        ("Vandalism of a vehicle", 4),
        ("Vandalism of a bank", 4),
        ("Theft of a motor", 7),
        ("Theft of a motor bike on the street", 7),
        ("The theft of a boat.", 7),
        ("Robbery of a boat", 6),
        ("Theft of pets", 7),
        ("Theft of fireworks", 7),
        ("The anomaly is the theft of a boat", 7),
        ("This is a theft of paper", 7),
        ("A case of vandalism of a building", 4),
        ("Theft of a motorcycle", 7),
        ("It's either class 5 or class 8.", None),
        ("It's class 5 or class 8.", None),
        ("It belongs to either class 6 or class 7.", None),
        ("The class could be 5 or possibly 8.", None),
        ("Could be fighting, possibly robbery.", None),
        ("属于第5类或第8类", None),
        ("属于5类或8类", None),
        ("分类结果:第5类和第8类", None),
        ("Class: 5? 8?", None),
        ("severity class: 3", None),
        ("damage class 4", None),
        ("The risk class is 4; the anomaly class is 7.", 7),
        ("The weight class is 3, boxing fight. Fighting.", 1),
        ('{"class": 5, "name": "Fire"}', None),
        ("It is a fire-related traffic accident.", 5),
        ("Theft, also known as robbery", None),
        ("-7", None),
        ("[Reasoning] The car burns. [Answer] 9", 9),
        ("Class (1–11): 4", 4),
        ("Predicted class index (1-11): 4", 4),
        ("Answer (a number from 1 to 11): 4", 4),
        ("Class nr 10", 10),
        ("I choose ④", 4),
        ("<b>7</b>", 7),
        ("7.0", 7),
        ("Rather than Traffic Violations, I'd say Traffic Accidents.", 5),
        ("不是第5类,是第8类", 8),
        ("我认为是盗窃(7)而不是抢劫(6)。", 7),
        ("probably theft, possibly robbery", None),
        # no class, several classes
        ("", None),
        ("9" * 5000, None),
        ("There is no fighting and no robbery here.", None),
        ("Both [1] and [4] fit.", None),
        ("5. Robbery", None),
    ],
)
def test_forms_of_answers(text, expected):
    assert read(text) == expected


def test_what_is_not_read_says_why():
    assert status("[12]") == "out of range"
    assert status("[0]") == "out of range"
    assert status("Either 5 or 10.") == "ambiguous"
    assert status("A man walks his dog.") == "unread"
    assert read_class("Either a robbery or a theft.", OFFERED).others == ("robbery", "theft")


def test_a_reading_says_from_which_characters_by_which_rule_and_what_else_was_named():
    text = "It is not **[1]**; so the class is ５, not Theft."
    reading = read_class(text, OFFERED)
    assert [label.code for label in reading.labels] == ["5"]
    assert [text[start:end] for start, end in reading.places] == ["５"]
    assert reading.rule == "class"
    assert set(reading.others) == {"1", "Theft"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[5-1]", "5-1"),
        ("[5-2,3]", "5-2"),
        ("Traffic Accidents: Motor", "5-1"),
        ("Class: 9\nSub-class: Forest", "9-2"),
        ("[7] Theft (vehicle)", "7-2"),
        ("A bank robbery.", "6-2"),
        ("[5]", "5"),
        ("[5-9]", None),
    ],
)
def test_sub_classes_are_read_where_the_answer_has_them(text, code):
    reading = read_class(text, OFFERED)
    assert [label.code for label in reading.labels] == ([code] if code else [])


FORMS = (
    "[{n}]",
    "{n}",
    "{n}. {name}",
    "**{n}. {name}**",
    "{name}",
    "Answer: {n}",
    "The class is {n} ({name}).",
    '{{"class": {n}, "seconds": 12}}',
    "\\boxed{{{n}}}",
    "In 12 seconds 3 cars pass. So it is [{n}].",
    "属于第{n}类",
    "<answer>[{n}]</answer>",
)


@given(st.sampled_from(FORMS), st.sampled_from(sorted(NAMES)))
def test_every_class_is_read_back_from_every_form(form, number):
    assert read(form.format(n=number, name=NAMES[number])) == number


@given(st.text(st.characters(exclude_categories=("N",), exclude_characters="[]"), max_size=80))
def test_text_without_numbers_gives_only_classes_it_names(text):
    reading = read_class(text, OFFERED)
    assert all(text[start:end].strip() for start, end in reading.places)
    assert not reading.labels or reading.places


PIECES = st.sampled_from(
    [
        *(word for entry in OFFERED for name in (entry.name, *entry.also, *entry.subclasses) for word in name.split()),
        *(
            "5",
            "12",
            "5-1",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            '"',
            ":",
            ",",
            ".",
            "|",
            "-",
            "?",
            "class",
            "answer",
            "is",
            "not",
        ),
        *("or", "so", "of", "第", "类", "五", "\\boxed{", "<answer>", "</answer>", "wait", "except", "sub-class"),
    ]
)
GAPS = st.sampled_from(["", " ", "  ", "\n", "\t", "\n\n", "_", "-", " - ", "\u3000", "\u00a0"])


@given(st.lists(st.tuples(PIECES, GAPS), max_size=12))
def test_whatever_words_stand_together_they_are_read_or_not(pieces):
    text = "".join(piece + gap for piece, gap in pieces)
    for start, end in read_class(text, OFFERED).places:
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("name", ["Traffic\naccidents", "traffic \t accident", "TrafficAccidents", "traffic_accidents"])
def test_a_name_may_be_broken_over_lines(name):
    assert read(name) == 5


@given(st.text())
def test_places_lie_inside_the_text(text):
    for start, end in read_class(text, OFFERED).places:
        assert 0 <= start < end <= len(text)


def test_of_an_endless_answer_both_ends_are_read():
    assert read("Class: 5\n" + "so it goes " * 20_000) == 5
    assert read("so it goes " * 20_000 + "\nClass: 5") == 5


@pytest.mark.parametrize("unit", ["[5] ", "class: ", "is 5 or ", "fire. ", "<answer>", "\\boxed{", "| class | 5 |"])
def test_a_long_text_is_read_in_cpu_time_that_a_square_would_exceed(unit, cpu_limit):
    with cpu_limit(20):
        assert read("Class: 5\n" + unit * (30_000 // len(unit)) + "\nFinal answer: [5]") == 5


@given(st.text())
def test_the_published_reading_gives_a_number_that_is_in_the_text_or_none(text):
    found = first_number(text)
    runs = [int(run) for run in re.findall("[0-9]+", text) if len(run) <= 4]
    assert (found in runs) if runs else found is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[5]", 5), ("7 or [x] [ 10 ] ", 10), ("[2-2,5]", 2), ("Class 3", 3), ("Fire", None), ("", None)],
)
def test_the_published_reading_takes_the_first_number_in_brackets_else_the_first(text, expected):
    assert first_number(text) == expected
