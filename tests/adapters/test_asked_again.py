"""A question that is asked again: every model that draws its answers draws anew, and can draw the same again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecva_bench.adapters.openai_endpoint.requests import BY_ANSWER
from ecva_bench.answering import Question, create_adapter
from ecva_bench.errors import UsageError
from ecva_bench.journal.results import read_results, read_spent
from ecva_bench.judging import batches
from ecva_bench.video import Video
from tests.adapters import tiny_hf as tiny
from tests.batch_server import BatchMeter
from tests.cli.conftest import Command, ecva_bench
from tests.clips import write_clip

from .model_server import ModelServer

__all__ = ["ecva_bench"]
AGAIN = [Question("Why?", repeat=number) for number in range(3)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret-0123456789")
    monkeypatch.setattr(batches, "FIRST_WAIT_S", 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in (1, 2):
        write_clip(folder / f"{number}.mp4", frames=40 + number)
    return folder


@pytest.fixture
def videos(folder: Path) -> Iterator[list[Video]]:
    with Video(folder / "1.mp4") as one, Video(folder / "2.mp4") as other:
        yield [one, other]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(tmp_path_factory.mktemp("checkpoints") / "qwen2_vl", "qwen2_vl")


def test_an_endpoint_is_asked_each_time_with_another_seed(videos: list[Video]) -> None:
    with ModelServer() as server:
        at = {"base_url": server.url, "frames": "2"}
        adapter, greedy = (create_adapter("openai:m", at | more) for more in ({"temperature": "0.7"}, {}))
        for video in videos:
            adapter.answer_many(video, AGAIN)
        greedy.answer_many(videos[0], AGAIN)
        adapter.close()
        greedy.close()
        sent = [(request.body["temperature"], request.body["seed"]) for request in server.requests]
    drawn, plain = sent[:6], sent[6:]
    assert {temperature for temperature, _ in drawn} == {0.7}
    assert len({seed for _, seed in drawn}) == 6  # else the videos' answers would share their chance numbers
    assert plain[0] == (0, 0)  # as ever: the answer's key is what it was
    assert len(set(plain)) == 3
    assert adapter.describe()["generation"] == {"temperature": 0.7, "seed": BY_ANSWER, "max_completion_tokens": 1024}
    assert greedy.describe()["generation"] == {"temperature": 0, "seed": 0, "max_completion_tokens": 1024}


def test_batches_and_budgets_count_each_time_a_question_is_asked(tmp_path: Path, ecva_bench: Command) -> None:
    out = tmp_path / "r.jsonl"
    with BatchMeter("gpt-4o") as server:
        options = ("--model-arg", "frames=2", "--model-arg", f"base-url={server.url}", "--model-arg", "temperature=1")
        asked = ("run", "--model", "openai:gpt-4o", "--task", "cause", "--limit", 2, "--samples", 3, "--batch")
        code, shown, told = ecva_bench(*asked, *options, "--out", out)
        assert code == 0, shown + told
        assert len(server.billed_half) + len(server.usages) == 6
    assert "at temperature 0" not in told
    assert len(read_results(out).answers) == 6
    assert read_spent(out)["asked"] == 6
    code, shown, told = ecva_bench("plan", *asked[1:-1], "--out", tmp_path / "none.jsonl")
    assert code == 0, told
    assert "at temperature 0, the samples differ only where the model takes no temperature" in shown
    assert "calls: 6;" in shown


def test_a_model_of_transformers_draws_anew_each_time_and_the_same_again(checkpoint: Path, videos: list[Video]) -> None:
    own = {"frames": "2", "max_new_tokens": "6", "device": "cpu", "max_pixels": "2048"}
    adapter, greedy = (create_adapter(f"hf:{checkpoint}", own | more) for more in ({"temperature": "5"}, {}))
    drawn = [adapter.answer_many(video, AGAIN) for video in videos]
    assert len({str(text) for texts in drawn for text in texts}) == 6
    assert adapter.answer_many(videos[0], [AGAIN[2], "Why?"]) == [drawn[0][2], drawn[0][0]]
    assert not adapter.deterministic
    assert not adapter.answers_jointly
    assert adapter.describe()["generation"] == {"policy": "sampling", "temperature": 5.0, "max_new_tokens": 6}
    assert greedy.deterministic
    assert greedy.answers_jointly
    assert greedy.describe()["generation"] == {"policy": "greedy", "max_new_tokens": 6}
    assert len(set(map(str, greedy.answer_many(videos[0], AGAIN)))) == 1
    with pytest.raises(UsageError, match="temperature"):
        create_adapter(f"hf:{checkpoint}", {"temperature": "-1"})


def test_vllm_is_given_temperature_and_seed_of_each(
    checkpoint: Path, videos: list[Video], monkeypatch: pytest.MonkeyPatch
) -> None:
    from .standin_vllm import install

    made = install(monkeypatch)
    own = {"frames": "2", "max_new_tokens": "2", "max_pixels": "2048", "temperature": "0.5"}
    adapter = create_adapter(f"vllm:{checkpoint}", own)
    for video in videos:
        adapter.answer_many(video, AGAIN)
    (llm,) = made
    assert {one.temperature for one in llm.sampling} == {0.5}
    assert len({one.seed for one in llm.sampling}) == 6
    assert {one.max_tokens for one in llm.sampling} == {2}
    assert adapter.describe()["generation"] == {"temperature": 0.5, "max_tokens": 2}
