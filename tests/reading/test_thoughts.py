"""A thought and what is said behind it are told apart, whatever the marks; a text without a thought is left alone."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.reading.classes.reader import read_class
from ecva_bench.reading.spans.reader import read_spans
from ecva_bench.reading.text import final_answer, plain
from ecva_bench.reading.thoughts import final_answer_range, is_mark, opened_by, template_options, without_thought
from ecva_bench.taxonomy import load_taxonomy
from tests.cases import case

MARKS = json.loads((files("ecva_bench.reading") / "thoughts.json").read_text(encoding="utf-8"))
THOUGHT = "Between [5] and [6]: 3 to 9 s?"
# One answer of each form, as its models write it. What is said is always `[7]`, what is thought `THOUGHT`.
FORMS = {
    "think": f"<think>\n{THOUGHT}\n</think>\n\n[7]",
    "in any case": f"<Think>{THOUGHT}</THINK>[7]",
    "with attributes": f'<think time="3 s" depth="2">{THOUGHT}</think>[7]',
    "hunyuan 3": f"<think:opensource>{THOUGHT}</think:opensource>[7]",
    "thinking": f"<thinking>{THOUGHT}</thinking>\n[7]",
    "exaone deep": f"<thought>\n{THOUGHT}\n</thought>\n\n[7]",
    "reka": f"<reasoning>{THOUGHT}</reasoning> [7]",
    "reason": f"<reason>{THOUGHT}</reason>[7]",
    "keye": f"<analysis>{THOUGHT}</analysis>[7]",
    "reflection": f"<thinking></thinking><reflection>{THOUGHT}</reflection><output>[7]</output>",
    "scratchpad": f"<scratchpad>{THOUGHT}</scratchpad>[7]",
    "rationale": f"<rationale>{THOUGHT}</rationale>[7]",
    "cot": f"<CoT>{THOUGHT}</CoT>\n[7]",
    "internal thoughts": f"<internal_thoughts>{THOUGHT}</internal_thoughts>[7]",
    "inner monologue": f"<inner_monologue>{THOUGHT}</inner_monologue>[7]",
    "barred": f"<|thinking|>{THOUGHT}<|/thinking|>[7]",
    "barred think": f"<|think|>{THOUGHT}<|/think|>[7]",
    "seed": f"<seed:think>{THOUGHT}</seed:think>[7]",
    "minimax": f"<mm:think>{THOUGHT}</mm:think>[7]",
    "longcat": f"<longcat_think>{THOUGHT}</longcat_think>[7]",
    "kimi": f"◁think▷{THOUGHT}◁/think▷[7]",
    "kimi k3": f"<|open|>think<|sep|>{THOUGHT}<|close|>think<|sep|><|open|>response<|sep|>[7]<|close|>response<|sep|>",
    "magistral": f"[THINK]{THOUGHT}[/THINK][7]</s>",
    "harmony": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
    "<|channel|>final<|message|>[7]<|return|>",
    "harmony, its beginning in the prompt": f"{THOUGHT}<|end|><|start|>assistant<|channel|>final<|message|>[7]",
    "harmony, as JSON": f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant"
    "<|channel|>final <|constrain|>JSON<|message|>[7]",
    "harmony, without a header": f"<|channel|>analysis<|message|>{THOUGHT}<|end|>[7]",
    "harmony, tokens lost": f"analysis{THOUGHT}assistantfinal[7]",
    "gemma 4": f"<|channel>thought\n{THOUGHT}<channel|>[7]<turn|>",
    "medgemma": f"<unused94>thought\n{THOUGHT}<unused95>[7]",
    "gemini": f"<ctrl94>thought\n{THOUGHT}\n<ctrl95>[7]",
    "command a": f"<|START_THINKING|>{THOUGHT}<|END_THINKING|><|START_RESPONSE|>[7]<|END_RESPONSE|>",
    "apertus": f"<|inner_prefix|>{THOUGHT}<|inner_suffix|>[7]",
    "pangu": f"[unused16]{THOUGHT}[unused17][7]",
    "solar 2": f"<|think:start|>{THOUGHT}<|think:end|>[7]",
    "solar": f"<|think|>{THOUGHT}<|end|><|begin|>assistant<|content|>[7]",
    "inkling": f"<|content_thinking|>{THOUGHT}<|end_message|><|message_model|><|content_text|>[7]<|end_message|>",
    "sky-t1": f"<|begin_of_thought|>\n\n{THOUGHT}\n\n<|end_of_thought|>\n\n"
    "<|begin_of_solution|>\n\n[7]\n\n<|end_of_solution|>",
    "s1": f"<|im_start|>think\n{THOUGHT}\n<|im_start|>answer\n[7]",
    "hyperclova": f"/think\n{THOUGHT}<|im_end|>\n<|im_start|>assistant\n[7]",
    "granite": f"Here is my thought process: {THOUGHT} Here is my response: [7]",
    "granite, quantized": f"Here's my thought process:\n{THOUGHT}\n\nHere's my response:\n[7]",
    "ollama run": f"Thinking...\n{THOUGHT}\n...done thinking.\n\n[7]",
    "hunyuan a13b": f"<think>\n{THOUGHT}\n</think>\n<answer>\n[7]\n</answer>",
    "glm 4.1v": f"<think>{THOUGHT}</think><answer><|begin_of_box|>[7]<|end_of_box|></answer>",
    "ernie": f"{THOUGHT}\n</think>\n\n<response>\n[7]\n</response>\n",
    "llava-cot": f"<REASONING>{THOUGHT}</REASONING>\n\n<CONCLUSION> [7] </CONCLUSION>",
    "an answer that was cut off": f"<think>{THOUGHT}</think>\n<answer>\n[7]",
    "several": f"<think>One.</think>Perhaps [5].\n<think>{THOUGHT}</think>[7]",
}

words = st.text().filter(lambda text: not any(sign in text for sign in ("<", "[", "◁", "assistantfinal", "`", "{")))


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_marks_of_every_family_are_known(text: str) -> None:
    spoken, thought = without_thought(text)
    assert spoken == "[7]"
    assert thought == THOUGHT or (text in (FORMS["several"], FORMS["reflection"]) and THOUGHT in thought)
    start, end = final_answer_range(text)
    assert text[start:end] == spoken
    assert final_answer(text) == "[7]"
    assert plain(text) == " " * start + "[7]" + " " * (len(text) - end)


@pytest.mark.parametrize("one", [one for one in MARKS["thoughts"] if "tag" not in one], ids=lambda one: one["models"])
def test_each_family_of_the_data_has_such_an_answer(one: dict[str, str]) -> None:
    closes = one.get("close") or one["own_close"]
    assert any(re.search(one["open"], text) and re.search(closes, text) for text in FORMS.values())
    assert one["source"]


@pytest.mark.parametrize("name", sorted({one["tag"] for one in MARKS["thoughts"] if "tag" in one}))
def test_each_tag_of_the_data_has_such_an_answer(name: str) -> None:
    assert any(f"<{name}>" in text and f"</{name}>" in text for text in map(str.lower, FORMS.values()))


@pytest.mark.parametrize(
    ("text", "spoken", "thought"),
    [
        ("<think>\nA car, or two?\n</think>\n\nA car burns.", "A car burns.", "A car, or two?"),
        ("A car, or two?</think>A car burns.", "A car burns.", "A car, or two?"),
        ("<think></think>\n<answer> A car burns. </answer>", "A car burns.", ""),
        ("</think>A car burns.", "A car burns.", ""),
        ("<think/>A car burns.", "A car burns.", ""),
        ("I would write </think>, so.</think>A car burns.", "A car burns.", "I would write </think>, so."),
        ("<think>I end with `</think>`. 5?</think>A car burns.", "A car burns.", "I end with `</think>`. 5?"),
        ('<think>"Go", she says "go"</think>"Go" is what she says.', '"Go" is what she says.', '"Go", she says "go"'),
        ("<think>a</think><answer>one</answer><answer>two</answer>", "<answer>one</answer><answer>two</answer>", "a"),
        ("<answer>A car burns.</answer>", "<answer>A car burns.</answer>", ""),
        ("<think>a</think>The <answer>7</answer>.", "The <answer>7</answer>.", "a"),
        ("<think>a</think>The box: <|begin_of_box|>7<|end_of_box|>", "The box: <|begin_of_box|>7<|end_of_box|>", "a"),
        ("I think <think> of a car.", "I think <think> of a car.", ""),
        ("The sign says `</think>`.", "The sign says `</think>`.", ""),
        ("<think>a</think>The sign says “</think>”.", "The sign says “</think>”.", "a"),
        ('{"rationale": "</think> is no word", "verdicts": [1]}',) * 2 + ("",),
        ('```json\n{"rationale": "<think>"}\n```',) * 2 + ("",),
        ('<think>{"a": 1}</think>{"rationale": "he wrote </think>"}', '{"rationale": "he wrote </think>"}', '{"a": 1}'),
        ("[7]\n<reasoning>Or [5]? No.</reasoning>", "[7]", "Or [5]? No."),
        ("<think>a</think>[7]<think>done</think>\n", "[7]", "a</think><think>done"),
        ("It is [5]? No.</think>", "", "It is [5]? No."),
        ("<think>It is [5].</think>", "", "It is [5]."),
        ("Two cars crash.<|end|>", "Two cars crash.<|end|>", ""),
        ("analysis of the video: a car burns", "analysis of the video: a car burns", ""),
        ("Here is my thought process: it may be 5. So [7].", "Here is my thought process: it may be 5. So [7].", ""),
        ("Here is my response: [7]", "Here is my response: [7]", ""),
        ("a < b and b > a [7]", "a < b and b > a [7]", ""),
        ("", "", ""),
    ],
)
def test_what_is_said_and_what_is_thought(text: str, spoken: str, thought: str) -> None:
    assert without_thought(text) == (spoken, thought)


@pytest.mark.parametrize(
    "beginning",
    [
        "<think>",
        "  <Thinking>",
        "<s><think>",
        "<seed:think>",
        "◁think▷",
        "[THINK]",
        "<|channel|>analysis<|message|>",
        "<|start|>assistant<|channel|>analysis<|message|>",
        "analysis",
        "<|channel>thought\n",
        "<|START_THINKING|>",
        "<|begin_of_thought|>",
    ],
)
def test_a_thought_that_is_not_over_says_nothing_but_what_stands_before_it(beginning: str) -> None:
    assert final_answer(f"{beginning}It is [5] or [6]") == ""
    assert final_answer(f"<think>Is it [4]?</think>It is [7].\n<think>Or [5]?{beginning}") == "It is [7]."
    assert final_answer("Let me see.\n<think>It is [5] or") == "Let me see."


def test_a_thought_that_harmony_ends_without_an_answer_says_nothing() -> None:
    assert final_answer("<|channel|>analysis<|message|>It is [5].<|end|>") == ""
    assert (
        final_answer(
            "<|channel|>analysis<|message|>It is [5].<|end|><|start|>assistant<|channel|>commentary<|message|>"
        )
        == ""
    )


@given(words)
def test_a_text_without_a_thought_is_left_as_it_is(text: str) -> None:
    assert without_thought(text) == (text, "")
    assert final_answer_range(text) == (0, len(text))


@given(words, words)
def test_both_parts_are_found_again(thought: str, spoken: str) -> None:
    assert without_thought(f"<think>{thought}</think>{spoken}") == (spoken.strip(), thought.strip())
    assert without_thought(f"<think>{thought}</think><answer>{spoken}</answer>") == (spoken.strip(), thought.strip())
    assert without_thought(f"◁think▷{thought}◁/think▷{spoken}") == (spoken.strip(), thought.strip())


@given(st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "<|end|>", "`", '"', "{", "<answer>", "a", "\n"])))
def test_what_is_said_is_a_part_of_the_text(parts: list[str]) -> None:
    text = "".join(parts)
    start, end = final_answer_range(text)
    assert 0 <= start <= end <= len(text)
    assert without_thought(text)[0] == text[start:end]
    assert final_answer_range(text[start:end]) == (0, end - start) or "<" in text[start:end] or "[" in text[start:end]


@pytest.mark.parametrize(
    "piece",
    [
        "<think>",
        "a<think>b",
        "</think> ",
        "`</think>`",
        "<|end|>   ",
        "<think a ",
        "<answer>",
        "</s>",
        "\n\t <think>",
        "{",
    ],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    def seconds(times: int) -> float:
        text = f"</think>{piece * times}"
        began = process_time()
        final_answer_range(text)
        return process_time() - began

    assert min(seconds(20_000) for _ in range(3)) < 150 * min(seconds(1_000) for _ in range(3))


def test_a_prompt_opens_a_thought_where_it_ends_with_the_mark() -> None:
    assert opened_by("<|im_start|>assistant\n<think>\n") == "<think>"
    assert opened_by("<|im_start|>assistant\n<think>\n\n</think>\n\n") == ""
    assert opened_by("What does <think> mean?\n") == ""
    assert opened_by("<|start|>assistant<|channel|>analysis<|message|>").endswith("analysis<|message|>")
    assert opened_by("[/INST][THINK]") == "[THINK]"
    assert opened_by("<seed:bos>assistant\n<seed:think>\n") == "<seed:think>"


def test_tokens_of_marks_are_told_from_others() -> None:
    kept = ["[THINK]", "[/THINK]", "<|channel|>", "<|message|>", "<|channel>", "<channel|>", "◁think▷", "<seed:think>"]
    assert all(map(is_mark, kept))
    assert not any(map(is_mark, ["</s>", "<s>", "<|im_end|>", "<|im_start|>", "<pad>", "<|image_pad|>", "[INST]"]))


def test_a_template_is_told_only_what_it_knows() -> None:
    switched = "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
    assert template_options(switched, "") == template_options("{{ x }}", "") == {}
    assert template_options(switched, "no") == {"enable_thinking": False}
    assert template_options({"default": switched}, "yes") == {"enable_thinking": True}
    with pytest.raises(
        UsageError, match="the chat template has no switch enable_thinking: thinking=no: leave thinking out"
    ):
        template_options("{{ x }}", "no")


def test_answers_under_other_marks_are_read_behind_the_thought() -> None:
    answers = json.loads((case("thought_marks") / "answers_a.json").read_text(encoding="utf-8"))
    expected = json.loads((case("thought_marks") / "expected.json").read_text(encoding="utf-8"))
    assert {one["id"] for one in answers} == set(expected)
    for one in answers:
        spoken = final_answer(one["answer"])
        offered = load_taxonomy("cuva").classes
        if "class" in one:
            read = read_class(spoken, offered).labels[0].major
        else:
            read = [list(span) for span in read_spans(spoken, unit="seconds").spans]
        assert read == expected[one["id"]]
