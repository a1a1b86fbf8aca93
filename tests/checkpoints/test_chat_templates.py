"""A chat template is a program of a stranger: it ends in bounded time and room, and else is a typed error."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from ecva_bench.checkpoints import chat_templates
from ecva_bench.checkpoints.chat_templates import fill_template
from ecva_bench.errors import CheckpointError, JudgeError
from ecva_bench.judging.templates import opened

HARMLESS = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|bot|>{% endif %}"
)
MESSAGES = [{"role": "user", "content": "Why does it burn?"}]
LOOP = "{% for i in range(99999) %}"
ENDLESS = {
    "loops in loops": LOOP * 3 + "{% set x = i %}" + "{% endfor %}" * 3,
    "an empty loop in loops": LOOP * 3 + "{% endfor %}" * 3,
    "calls": "{% macro f() %}" + LOOP * 2 + "{% endfor %}" * 2 + "{% endmacro %}{{ f() }}",
    "filters": LOOP * 2 + "{% if messages | tojson | length > 99999 %}{% endif %}" + "{% endfor %}" * 2,
}
TOO_LONG = {  # by some hundred million characters, which a machine bears should nothing stop them
    "a long text, again and again": f"{LOOP}{{{{ messages[0].content }}}}{{% endfor %}}",
    "a text that doubles": "{% set ns = namespace(x='a') %}{% for i in range(26) %}"
    "{% set ns.x = ns.x + ns.x %}{{ ns.x }}{% endfor %}",
    "a text that doubles, held": "{% set x = 'aaaaaaaa' * 999999 %}{% set y = x ~ x ~ x %}{{ y | length }}",
}


def tokenizer(template: str) -> Any:
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel({"a": 0}, "a")), chat_template=template)


def test_a_template_is_filled_as_transformers_does() -> None:
    owner = tokenizer(HARMLESS)
    expected = owner.apply_chat_template(MESSAGES, tokenize=False, add_generation_prompt=True)
    assert fill_template(owner, MESSAGES) == expected == "<|user|>Why does it burn?<|bot|>"
    assert sys.gettrace() is None


@pytest.mark.parametrize("template", ENDLESS.values(), ids=ENDLESS)
def test_a_template_that_never_ends_is_an_error_in_time(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_templates, "SECONDS", 0.2)
    begun = time.thread_time()
    with pytest.raises(CheckpointError, match=r"its chat template takes more than 0.2 seconds: take another"):
        fill_template(tokenizer(template), MESSAGES)
    assert time.thread_time() - begun < 2


@pytest.mark.parametrize("template", TOO_LONG.values(), ids=TOO_LONG)
def test_a_template_that_writes_without_end_is_an_error(template: str) -> None:
    messages = [{"role": "user", "content": "x" * 1_000}]
    with pytest.raises(CheckpointError, match=r"its chat template writes more than 16,777,216 characters"):
        fill_template(tokenizer(template), messages)


def test_an_error_of_a_template_stays_its_own() -> None:
    with pytest.raises(Exception, match="no such role"):
        fill_template(tokenizer("{{ raise_exception('no such role') }}"), MESSAGES)
    with pytest.raises(Exception, match="unsafe"):  # the sandbox of transformers
        fill_template(tokenizer("{{ ''.__class__.__mro__ }}"), MESSAGES)


def test_a_judge_with_such_a_template_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_templates, "SECONDS", 0.1)
    with pytest.raises(JudgeError, match=r"cannot be used \(its chat template takes more than 0.1 seconds.*my judge"):
        opened(tokenizer(ENDLESS["loops in loops"]), "Judge it.", "an answer", "my judge")
