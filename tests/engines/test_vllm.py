"""`vllm:` run by vLLM itself, against `hf:` with the same checkpoint: the same frames, prompts and tokens."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ecva_bench.answering import Question, create_adapter
from ecva_bench.records import Moment
from ecva_bench.video import Video
from tests.clips import write_clip

pytestmark = pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed: make engines")

FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "llava_onevision", "internvl")
CHAT = "internvl_chat"  # InternVL as its authors have it, with code beside the weights: shown frames as images
WHEN = Question("When?", task="timestamp", unit="seconds")  # with each frame's second, where the template tells none
QUESTIONS = ("Why?", "What does the accident lead to, and when does it end?", WHEN)
PICTURES = ("<video>", "<image>", "<IMG_CONTEXT>", "<|video_pad|>", "<|image_pad|>")
BOUNDED = {"qwen2_vl", "qwen2_5_vl", "qwen3_vl"}  # frames are as large as max_pixels lets them be


def options(family: str) -> dict[str, str]:
    bound = {"max_pixels": "2048"} if family in BOUNDED else {}
    return {"frames": "4", "max_new_tokens": "16", "dtype": "float32", **bound}


@dataclass
class Pair:
    """One checkpoint behind both adapters; `made` is what vLLM returned of all that it was asked."""

    family: str
    folder: Path
    engine: Any
    reference: Any
    made: list[Any] = field(default_factory=list)


def keep_what_is_made(llm: Any, made: list[Any]) -> None:
    generate = llm.generate

    def kept(*given: Any, **settings: Any) -> list[Any]:
        outputs: list[Any] = generate(*given, **settings)
        made.extend(outputs)
        return outputs

    llm.generate = kept


@pytest.fixture(scope="module", params=[*FAMILIES, CHAT])
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    from . import internvl_chat, tiny

    family = request.param
    theirs = "internvl" if family == CHAT else family
    folder = tiny.write(tmp_path_factory.mktemp("checkpoints") / theirs, theirs)
    as_images = {"input": "images"} if family == CHAT else {}
    reference = create_adapter(f"hf:{folder}", {**options(family), **as_images, "device": "cpu"})
    trust = {"trust_remote_code": "yes"} if family == CHAT else {}
    folder = internvl_chat.rewritten(folder, folder.with_name(CHAT)) if family == CHAT else folder
    engine = create_adapter(f"vllm:{folder}", {**options(family), **trust})
    found = Pair(family, folder, engine, reference)
    engine.load()
    keep_what_is_made(engine.engine, found.made)
    yield found
    found.made.clear()
    del engine.engine, found.engine, engine
    gc.collect()
    from vllm.distributed import cleanup_dist_env_and_memory

    cleanup_dist_env_and_memory()


@pytest.fixture
def video(tmp_path: Path) -> Iterator[Video]:
    with Video(write_clip(tmp_path / "1.mp4", frames=41)) as video:
        yield video


def placeholders(pair: Pair, ids: list[int]) -> list[int]:
    """Ids with one for all that stand for pictures, which both replace: which it is does not matter."""
    tokenizer = pair.reference.model.processor.tokenizer
    stand_for = tokenizer.convert_tokens_to_ids(list(PICTURES))
    return [-1 if number in stand_for else number for number in ids]


def prompts(pair: Pair, video: Video) -> list[list[int]]:
    """The ids that transformers reads for the questions."""
    shown = pair.reference._look(video)
    pair.reference.model._turn_to(shown)
    read = [pair.reference.model.inputs(shown, question)["input_ids"][0] for question in QUESTIONS]
    return [placeholders(pair, ids.tolist()) for ids in read]


def test_it_reads_and_writes_the_tokens_that_transformers_does(pair: Pair, video: Video) -> None:
    for shown in (video, video.without([Moment(start=1.0, end=2.0)])):
        pair.made.clear()
        answers = pair.engine.answer_many(shown, QUESTIONS)
        assert list(pair.engine.frame_indices(shown)) == list(pair.reference.frame_indices(shown))
        assert [placeholders(pair, list(each.prompt_token_ids)) for each in pair.made] == prompts(pair, shown)
        expected = pair.reference.answer_many(shown, QUESTIONS)
        assert answers == expected
        assert [each.finish for each in answers] == [each.finish for each in expected]


def test_questions_together_are_answered_as_one_by_one(pair: Pair, video: Video) -> None:
    assert pair.engine.answer_many(video, QUESTIONS) == [pair.engine.answer(video, each) for each in QUESTIONS]


def test_first_words_are_as_probable(pair: Pair, video: Video) -> None:
    words = ["a", "b", "Yes"]
    found = pair.engine.first_token_probabilities(video, QUESTIONS[0], words)
    expected = pair.reference.first_token_probabilities(video, QUESTIONS[0], words)
    for here, there in zip(found, expected, strict=True):  # of what ranks low vLLM says nothing
        assert here == pytest.approx(there, abs=1e-4) or (here == 0 and there < 0.05)
