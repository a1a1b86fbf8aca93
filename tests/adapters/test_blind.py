"""`blind:` is a language model that is asked about videos and shown none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import ecva_bench as eb
from ecva_bench.adapters.parts.media.frames import UNSEEN
from ecva_bench.answering import Baseline, create_adapter
from ecva_bench.errors import CheckpointError, UsageError
from ecva_bench.tasks import TASKS, prompt_for
from ecva_bench.video import Video

from .model_server import ModelServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="a language model needs the extra `models`")
    from tests.judging.tiny import save_tiny_model

    return save_tiny_model(tmp_path_factory.mktemp("text") / "tiny-text")


def test_it_sees_nothing_and_answers_as_the_model_itself_does(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setattr(Video, "frames_at", None)
    out = tmp_path / "blind.jsonl"
    outcome = eb.run(f"blind:{folder}", tasks="cause", limit=2, model_args={"max_new_tokens": 8}, out=out)
    first, second = outcome.records
    assert first.video != second.video
    assert first.answer == second.answer
    assert first.frames is None
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForCausalLM.from_pretrained(folder)
    asked = [{"role": "user", "content": f"{UNSEEN}\n\n{prompt_for(TASKS['cause']).text}"}]
    ids = tokenizer(tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)).input_ids
    said: list[int] = []
    with torch.inference_mode():
        while len(said) < 8 and tokenizer.eos_token_id not in said:
            said.append(int(model(torch.tensor([ids + said])).logits[0, -1].argmax()))
    assert first.answer == tokenizer.decode(said, skip_special_tokens=True).strip()
    assert first.finish == ("stop" if tokenizer.eos_token_id in said else "length")


def test_it_is_a_baseline_and_says_whose_words_they_are(folder: Path) -> None:
    adapter = create_adapter(f"blind:{folder}", {"max_new_tokens": "8"})
    assert isinstance(adapter, Baseline)
    described = adapter.describe()
    assert described["checkpoint"].startswith("tiny-text@")
    assert (described["frames"], described["introduction"]) == ("none", UNSEEN)


def test_a_model_without_a_chat_template_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="a language model needs the extra `models`")
    from tests.judging.tiny import save_tiny_model

    adapter = create_adapter(f"blind:{save_tiny_model(tmp_path, chat=False)}")
    with pytest.raises(CheckpointError, match="no chat template"):
        adapter.load()


@pytest.mark.parametrize(("more", "asked"), [({}, 2), ({"temperature": 0.7}, 6)])
def test_behind_an_endpoint_it_is_a_baseline_that_is_shown_nothing_and_pays_each_question_once(
    more: dict[str, float], asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Video, "frames_at", None)
    with ModelServer() as server:
        outcome = eb.run(
            "blind:openai:tiny-text",
            tasks=["cause", "effect"],
            limit=3,
            model_args={"base_url": server.url, "retries": 0, **more},
            out=tmp_path / "r.jsonl",
        )
        contents = [request.body["messages"][0]["content"] for request in server.requests]
        assert {request.body["model"] for request in server.requests} == {"tiny-text"}
    assert len(contents) == asked
    assert {tuple(part["type"] for part in content) for content in contents} == {("text", "text")}
    assert {content[0]["text"] for content in contents} == {UNSEEN}
    said = {(one.task, one.answer) for one in outcome.records}
    assert (len(outcome.records), len(said)) == (6, 2)
    assert all(one.frames is None for one in outcome.records)
    board = str(eb.leaderboard(eb.score(outcome), task="cause", published=False))
    (row,) = [line for line in board.splitlines() if "blind:openai:tiny-text" in line]
    assert "baseline" in row


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("blind:openai:", {}, "which model"),
        ("blind:openai:x", {"frames": "4", "detail": "low"}, "no detail and no frames"),
    ],
)
def test_what_a_blind_model_behind_an_endpoint_cannot_be_is_refused(
    name: str, options: dict[str, str], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        create_adapter(name, options)
