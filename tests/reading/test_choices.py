"""Which option an answer chooses: shapes of answers as models give them, each with the right reading, made by hand."""

from __future__ import annotations

import pytest

from ecva_bench.reading.choices import read_choice

OPTIONS = (
    "A car brakes too late",
    "The man in black starts a fight",
    "Nothing abnormal happens",
    "A fire breaks out in the kitchen",
)

READ = {
    "A": ("A", "(A)", "A.", "A)", "[A]", "a", "(a)", "a.", "A. A car brakes too late", "A: A car brakes too late."),
    "B": (
        "B",
        "b",
        "(B)",
        "B.",
        "B)",
        "**B**",
        "**B.** The man in black starts a fight",
        "B\n",
        "Answer: B",
        "answer: b",
        "ANSWER IS B",
        "The answer is B: The man in black starts a fight",
        "The correct answer is (B).",
        "The correct answer is option B, because a man hits another one.",
        "The best option is B. A car is only seen in the background.",
        "Option B",
        "I would choose B.",
        "I'd go with B",
        "B is correct.",
        "(B) is the right answer, as a fight starts.",
        "Based on the video, the answer is B.",
        "\\boxed{B}",
        "$\\boxed{\\text{B}}$",
        "The car is a distraction. \\boxed{B}",
        "<answer>B</answer>",
        "<think>It may be A, or D.</think>B",
        "<think>It may be A.</think>\n<answer>(B)</answer>",
        '{"answer": "B"}',
        '```json\n{"answer": "B", "reason": "A man hits another."}\n```',
        '{"choice": "B. The man in black starts a fight"}',
        '["B"]',
        "The man in black starts a fight",
        "the man in black starts a fight.",
        "The man in black starts a fight (B)",
        "In this video, the man in black starts a fight.",
        "Not A. The answer is B.",
        "A is wrong, since no car is seen. B is correct.",
        "Options A, C and D are incorrect. The answer is B.",
        "A. A car brakes too late\nB. The man in black starts a fight\nC. Nothing abnormal happens\nAnswer: B",
        "I think A. Wait, actually the answer is B.",
        "The answer could be A. Final answer: B",
        "答案是B",
        "选B。",
        "正确答案：B",
        "答案：Ｂ",
        "B</s>",
        "- B",
        "Option 2",
        "The second option.",
        "B, because the man hits somebody.",
        "The answer is B because nothing else fits, and a car is not there.",
        "My answer is B rather than A.",
        "Answer:\n\nB",
        "The video shows a fight. Therefore, B.",
        "Correct option: B",
        "B - The man in black starts a fight",
        "It is B",
        "The answer is **B**.",
        "Between the options, I believe that B fits what is shown.",
    ),
    "C": ("C. Nothing abnormal happens", "Nothing abnormal happens.", "A car passes, but nothing else. Answer: C"),
    "D": ("D", "The answer is: D", "A fire breaks out in the kitchen", "A man runs. So the answer is D."),
}

OTHERWISE = {
    "unread": (
        "",
        "I'm sorry, but I can't answer that.",
        "I cannot tell from the video.",
        "A man walks down a street.",
        "a man walks down a street",
        "None of the above.",
        "The video shows a T-shirt and a U.S. flag at 3 p.m.",
        "The answer is a bit unclear.",
        "<think>It must be B.",
        "It is not A.",
        "I, as an AI, do not watch videos.",
    ),
    "ambiguous": (
        "A or B",
        "B and D",
        "The answer is A or B.",
        "Answer: A, C",
        "(A) or (B)",
        "A. A car brakes too late\nB. The man in black starts a fight\nC. Nothing abnormal happens",
        "B: Nothing abnormal happens",
        "The answer is B. A fire breaks out in the kitchen",
        "Both B and C are possible.",
    ),
    "out of range": ("E", "The answer is E.", "(F)"),
}


@pytest.mark.parametrize(("letter", "text"), [(letter, text) for letter, texts in READ.items() for text in texts])
def test_an_answer_names_an_option(letter: str, text: str) -> None:
    reading = read_choice(text, OPTIONS)
    assert (reading.status, [label.major for label in reading.labels]) == ("read", ["ABCD".index(letter) + 1]), reading


@pytest.mark.parametrize(("status", "text"), [(status, text) for status, texts in OTHERWISE.items() for text in texts])
def test_what_names_none_or_several_is_not_read(status: str, text: str) -> None:
    reading = read_choice(text, OPTIONS)
    assert (reading.status, reading.labels) == (status, ())


def test_the_shapes_are_many() -> None:
    assert sum(map(len, [*READ.values(), *OTHERWISE.values()])) >= 60


@pytest.mark.parametrize(
    ("text", "options", "option"),
    [
        ("No", ("Yes", "No"), 2),
        ("Yes, there is no doubt.", ("Yes", "No"), 1),
        ("B. No", ("Yes", "No"), 2),
        ("A car crash", ("A car", "A car crash"), 2),
        ("2", ("1", "2", "3"), 2),
        ("The answer is 3.", ("1", "2", "3"), 3),
        ("I", tuple(f"option {n}" for n in "abcdefghij"), 9),
        ("The answer is (I).", tuple(f"thing {n}" for n in "abcdefghij"), 9),
        ("Z", tuple(f"thing {n}" for n in range(26)), 26),
        ("B. The same", ("The same", "The same"), 2),
    ],
)
def test_the_options_decide_what_a_text_means(text: str, options: tuple[str, ...], option: int) -> None:
    assert [label.major for label in read_choice(text, options).labels] == [option]


def test_places_are_those_of_the_answer() -> None:
    text = "<think>A?</think> The answer is **D**."
    (place,) = read_choice(text, OPTIONS).places
    assert text[slice(*place)] == "D"
