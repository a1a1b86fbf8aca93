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
    "A": (
        "A",
        "(A)",
        "A.",
        "A)",
        "[A]",
        "a",
        "(a)",
        "a.",
        "A. A car brakes too late",
        "A: A car brakes too late.",
        "Based on the video, I'd say the answer is A. A car brakes too late",
        "The answer is A, a car brakes too late.",
        "The answer is A because of the car",
        "A\n",
        "Answer: A",
        "answer: a",
        "A car brakes too late",
        "a car brakes too late",
        "The answer is a car brakes too late",
        "I'd choose A",
        "Choose A.",
        "A) A car brakes too late",
    ),
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
        "B: a fight",
        "The answer is: B",
        "I think the answer is B",
        "Option B: The man in black starts a fight is correct.",
        "The correct answer is **B. The man in black starts a fight**.",
        "Answer: **B**",
        "Answer - B",
        "Answer is option (B)",
        "B is the correct choice.",
        "**Answer:** B",
        "### Answer\nB",
        "Final Answer: \\(\\boxed{B}\\)",
        '{"answer":"B","confidence":0.9}',
        "{'answer': 'B'}",
        "Answer:B",
        "ans: B",
        "The option that best describes the video is B.",
        "The best answer from the given choices is B.",
        "Looking at the frames, a man in black attacks another man. The car does nothing. Thus the correct option is B",
        "The answer is not A but B",
        "Neither A nor C; B.",
        "A is incorrect because there is no car; C is incorrect; D is incorrect. B is correct.",
        "(A) is not correct. (B) matches the video.",
        "The answer is B, not A.",
        "Not sure, but B",
        "I believe it's B",
        "I'd pick option b",
        "So, the final answer is: B.\n\nExplanation: A is wrong since cars are absent.",
        "B\n\nExplanation: the man in black starts a fight. Option A is incorrect because no car; option "
        "C is wrong; D has no fire.",
        "B\nThe other options (A, C, D) do not match.",
        "Let's think. A: car? no. B: man starts a fight? yes. C: no. D: no. Answer: B",
        "选项B",
        "我选择B",
        "B选项正确",
        "正确答案是 B：黑衣男子",
        "应选（B）",
        "<|begin_of_box|>B<|end_of_box|>",
        "The answer is ( B )",
        "[B]",
        '"B"',
        "'B'",
        "`B`",
        "B,",
        "B;",
        "B: ",
        "Ｂ",
        "Assistant: B",
        "It shows the U.S. flag. The answer is B",
        "Second option",
        "option two",
        "Option #2",
        "2) The man in black starts a fight",
        "As an AI, I can't view videos. However, the answer could be B.",
        "Reason: ... therefore the answer should be: (B) The man in black starts a fight.",
        "Correct Answer: (b)",
        "The answer is\n\nB.",
        "B. The man",
        "**B) The man in black starts a fight**",
        "Question: what? A. A car brakes too late B. The man in black starts a fight C. Nothing "
        "abnormal happens D. A fire breaks out in the kitchen Answer: B",
        "The video most likely shows option B rather than option D.",
        "C is tempting, but B is right.",
        "Is it A? No. B? Yes. So B.",
    ),
    "C": (
        "C. Nothing abnormal happens",
        "Nothing abnormal happens.",
        "A car passes, but nothing else. Answer: C",
        "The answer is C: Nothing abnormal happens",
        "C Nothing abnormal happens",
    ),
    "D": (
        "D",
        "The answer is: D",
        "A fire breaks out in the kitchen",
        "A man runs. So the answer is D.",
    ),
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
        "A car brakes",
        "A man in black is fighting",
        "There is a fight in the video.",
        "None",
        "None of the options",
        "Unable to answer",
        "AB",
        "ABCD",
        "Vitamin C is sold here",
        "Plan B failed",
        "Class A amplifier",
        "2",
        "2.",
        "I'm sorry, I cannot assist with that.",
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
        "Both A and B",
        "A, B",
        "A/B",
        "A and B",
        "A & C",
        "Either B or C",
        "答案是 A 或 B",
        "The man in black starts a fight, while nothing abnormal happens elsewhere",
        "Answer: B. Nothing abnormal happens",
        "A (The man in black starts a fight)",
    ),
    "out of range": (
        "E",
        "The answer is E.",
        "(F)",
        "E. None of the above",
        "The correct answer is E",
    ),
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


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("Option A: not visible.\nOption B: visible.\nOption C: not visible.\nTherefore, the correct answer is B.", 2),
        ("Let's analyze each option:\nA. a red car - none.\nB. a green bus - seen.\nThe correct answer is B.", 2),
        ("Looking at choice A, there's no car. Looking at choice B, the bus is there. Answer: B", 2),
        ("Step 1: Look at option D, a dog. Step 2: option B fits better.\n\nAnswer: B", 2),
        ("At first I thought the answer was A, but the answer is B.", 2),
        ("Vehicle B hits vehicle A. The answer is D.", 4),
        ("A: incorrect\nB: correct\nC: incorrect\nD: incorrect", 2),
        ("A: false B: true", 2),
        ("A) Incorrect.\nB) Correct.\nC) Incorrect.", 2),
        ("A - No\nB - Yes\nC - No\nD - No", 2),
        ("Not A. B.", 2),
        ("The answer is A. The answer is B.", None),
        ("4", None),
    ],
)
def test_a_stated_answer_wins_over_options_gone_through(text: str, option: int | None) -> None:
    labels = read_choice(text, ("a red car", "a green bus", "a blue van", "a white dog")).labels
    assert [label.major for label in labels] == ([] if option is None else [option])


TICKED = {
    2: (
        "✓ B",
        "☑ B",
        "✔️ B",
        "[x] B",
        "- [X] B",
        "[✓] B",
        "(x) B",
        "✅ **B**",
        "✅ Option B",
        "✅ Correct answer: B",
        "B ✅",
        "The answer is ✅ B",
        "❌ A\n✅ B",
        "A ❌\nB ✅",
        "A ×\nB ✓",
        "× A\n✓ B",
        "A ✘ B ✔ C ✘",
        "1. ❌ A\n2. ✅ B",
        "☐ A ☒ B ☐ C",
        "| A | ❌ |\n| B | ✅ |",
        "- [ ] A\n- [x] B\n- [ ] C",
        "( ) A\n(x) B\n( ) C",
        "B) a green bus [x]",
        "A [ ]\nB [x]\nC [ ]",
        "A. a red car ( )\nB. a green bus (x)",
        "☐ A\n☑ B",
        "❌ A. a red car\n✅ B. a green bus",
        "A. a red car ❌\nB. a green bus ✅\nC. a blue van ❌",
        "❌ a red car\n✅ a green bus",
        "[x] green bus",
        "- [ ] a red car\n- [x] a green bus",
        "a red car ❌, a green bus ✅",
        "✅ The answer is B. ❌ A is wrong.",
        "Option A ❌ no car.\nOption B ✅ bus seen.",
        "The room is 3 × 4 m. Answer: B",
        "B ✅ (A is a distraction)",
    ),
    1: ("✅ A", "☑ A\n☐ B", "[x] A", "✅ A. a red car\n❌ B. a green bus", "A ✔, B ✘"),
    3: ("❌ B\n✅ C", "❌ A ❌ B ✅ C ❌ D", "- [ ] A. a red car\n- [ ] B. a green bus\n- [x] C. a blue van"),
    None: (
        "❌ A",
        "❌ A\n❌ B",
        "☐ A\n☐ B",
        "A [ ]\nB [ ]",
        "✗ A",
        "❎ A",
        "☒ A",
        "The answer is B ❌",
        "❌ A ✅",
        "- [x] A\n- [x] C",
        "✅ A\n✅ B",
        "✅ A ✅ B",
        "✅ A ❌ B ✅ C",
        "The correct answer is ✅ B, not ❌ A",
        "- A\n- C",
        "[X]",
    ),
}
SPELT = {
    2: (
        "Green bus",
        "green bus.",
        "the green bus",
        "GREEN BUS",
        "green bus!",
        "Green  bus",
        "green-bus",
        "'Green bus'",
        "**Green bus**",
        "It's the green bus.",
        "The answer is green bus",
        "Answer: the green bus",
        "My final answer is the green bus.",
        '{"answer": "green bus"}',
        "\\boxed{green bus}",
    ),
    None: (
        "green buses",
        "bus",
        "green",
        "not green bus",
        "not a green bus",
        "The answer is not green bus",
        "green bus or red car",
        "red car, green bus",
        "a dog",
        "green bus?",
        "no green bus",
    ),
}


@pytest.mark.parametrize(
    ("text", "option"),
    [(text, option) for shapes in (TICKED, SPELT) for option, texts in shapes.items() for text in texts],
)
def test_a_ticked_option_is_chosen_and_one_that_is_spelt_otherwise(text: str, option: int | None) -> None:
    labels = read_choice(text, ("a red car", "a green bus.", "a blue van", "a white dog")).labels
    assert [label.major for label in labels] == ([] if option is None else [option])


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("5", ("-5", "10")),
        ("man", ("A man", "The man")),
        ("us", ("U.S.", "UK")),
        ("he cant stop", ("He can't stop", "No")),
        ("red  car!", ("red-car", "the red car")),
        ("❌", ("✅", "❌")),
    ],
)
def test_an_option_is_not_read_from_what_may_be_another_text(text: str, options: tuple[str, ...]) -> None:
    assert read_choice(text, options).labels == ()


def test_places_are_those_of_the_answer() -> None:
    text = "<think>A?</think> The answer is **D**."
    (place,) = read_choice(text, OPTIONS).places
    assert text[slice(*place)] == "D"
