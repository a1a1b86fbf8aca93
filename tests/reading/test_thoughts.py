"""A thought and what is said behind it are told apart, and a text without a thought is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecva_bench.errors import UsageError
from ecva_bench.reading.thoughts import opened_by, template_options, without_thought

words = st.text().filter(lambda text: not any(mark in text for mark in ("<think>", "</think>", "answer>")))


@pytest.mark.parametrize(
    ("text", "said", "thought"),
    [
        ("<think>\nA car, or two?\n</think>\n\nA car burns.", "A car burns.", "A car, or two?"),
        ("A car, or two?</think>A car burns.", "A car burns.", "A car, or two?"),
        ("<think></think>\n<answer> A car burns. </answer>", "A car burns.", ""),
        ("</think>A car burns.", "A car burns.", ""),
        ("I would write </think>, so.</think>A car burns.", "A car burns.", "I would write </think>, so."),
        ("<think>A car,", "", "A car,"),
        ("<think>a</think><answer>one</answer><answer>two</answer>", "<answer>one</answer><answer>two</answer>", "a"),
        ("<answer>A car burns.</answer>", "<answer>A car burns.</answer>", ""),
        ("I think <think> of a car.", "I think <think> of a car.", ""),
        ("", "", ""),
    ],
)
def test_what_is_said_and_what_is_thought(text: str, said: str, thought: str) -> None:
    assert without_thought(text) == (said, thought)


@given(words)
def test_a_text_without_a_thought_is_left_as_it_is(text: str) -> None:
    assert without_thought(text) == (text, "")


@given(words, words)
def test_both_parts_are_found_again(thought: str, said: str) -> None:
    assert without_thought(f"<think>{thought}</think>{said}") == (said.strip(), thought.strip())
    assert without_thought(f"<think>{thought}</think><answer>{said}</answer>") == (said.strip(), thought.strip())


def test_a_prompt_opens_a_thought_where_it_ends_with_the_mark() -> None:
    assert opened_by("<|im_start|>assistant\n<think>\n") == "<think>"
    assert opened_by("<|im_start|>assistant\n<think>\n\n</think>\n\n") == ""
    assert opened_by("What does <think> mean?\n") == ""


def test_a_template_is_told_only_what_it_knows() -> None:
    switched = "{% if enable_thinking is defined and not enable_thinking %}<think></think>{% endif %}"
    assert template_options(switched, "") == template_options("{{ x }}", "") == {}
    assert template_options(switched, "no") == {"enable_thinking": False}
    assert template_options({"default": switched}, "yes") == {"enable_thinking": True}
    with pytest.raises(UsageError, match="the chat template knows no enable_thinking: thinking=no: leave thinking out"):
        template_options("{{ x }}", "no")
