"""A-Guardian is its authors' program: instructions, questions, important frames, and what ends an answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ecva_bench.adapters.a_guardian.adapter import AGuardian
from ecva_bench.adapters.a_guardian.importance import added, exchanged, frame_spans
from ecva_bench.adapters.parts.prompts import Template, Text
from ecva_bench.adapters.video_chatgpt.adapter import VideoChatGPT
from ecva_bench.answering import ModelOutput
from ecva_bench.errors import AdapterError, DataError, UsageError
from ecva_bench.files.by_video import read_moments
from ecva_bench.records import Moment
from ecva_bench.tasks import PROMPT_SETS, TASKS, prompt_for
from ecva_bench.video import Video, samplers
from tests.adapters.tiny import a_guardian
from tests.adapters.tiny.answers import FIVE, five_answers, mini_clip
from tests.video.make import write

ITS_TASKS = {"description": "Des", "cause": "Cau", "effect": "Res", "classification": "Cls", "timestamp": "Time"}


@pytest.fixture
def prompts(shared_golden: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_golden / "a_guardian" / "prompts.json").read_text())
    return found


def rendered(template: Template, question: str) -> str:
    return "".join(p.text if isinstance(p, Text) else "<video>" for p in template.pieces(question))


def test_its_questions_are_the_originals_to_the_letter(prompts: dict[str, Any]) -> None:
    for task, name in ITS_TASKS.items():
        assert prompt_for(TASKS[task], "cuva").text == prompts["task_prompts"][name]


def test_its_prompts_are_the_originals_to_the_letter(prompts: dict[str, Any]) -> None:
    adapter = AGuardian()
    for task, name in ITS_TASKS.items():
        question = prompt_for(TASKS[task], "cuva").text
        template = adapter.words(question)
        expected = prompts["rendered"][f"{name}|{prompts['chat_map'][name]}"]
        assert rendered(template, question) == expected["prompt"]
        stop = adapter.stops.get(template.id, ("</s>",))  # an id of its own, which ends every answer
        assert stop == (expected["stop"],)


def test_the_other_conversations_are_the_originals_to_the_letter(prompts: dict[str, Any]) -> None:
    seen = set()
    for key, expected in prompts["rendered"].items():
        name, _, conversation = key.partition("|")
        if conversation in AGuardian.conversations:
            template = AGuardian(conversation=conversation).words("")
            assert rendered(template, prompts["task_prompts"][name]) == expected["prompt"]
            seen.add(key)
    assert len(seen) == 3 + 6  # what has no instructions of its own by default, and all by the other


def test_instructions_go_by_the_task_in_every_prompt_set() -> None:
    adapter = AGuardian()
    for prompt_set in PROMPT_SETS:
        ids = [adapter.words(prompt_for(task, prompt_set).text).id for task in FIVE]
        assert [name.rpartition("-")[2] for name in ids] == ["description", "cause", "effect", "other", "other"]
    assert adapter.words("Is anybody hurt?").id == "models/a-guardian-other"


def cases(shared_golden: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_golden / "a_guardian" / "frame_selection.json").read_text())
    assert len(found) == 10
    return found


def test_important_frames_are_those_the_original_takes(shared_golden: Path, tmp_path: Path) -> None:
    for case in cases(shared_golden):
        entries = [{"video_name": 7, "answer": moment} for moment in case["moments_sec"]]
        (tmp_path / "voting.json").write_text(json.dumps([None, entries[:1], entries[1:]]))
        adapter = AGuardian(mod=str(case["mod"]), moments=str(tmp_path / "voting.json"))
        adapter.policy = replace(adapter.policy, seed=case["random_seed"])
        video = SimpleNamespace(
            n_frames=case["total_frames"], frame_rate=case["fps"], removed=(), path=Path("/videos/00007.mp4")
        )
        found, expected = adapter.frame_indices(video), case["indices"]  # type: ignore[arg-type]
        if len(expected) > 100:
            even = VideoChatGPT().frame_indices(video).tolist()  # type: ignore[arg-type]
            assert added(even, frame_spans(case["moments_sec"], case["fps"]), case["fps"]) == expected
            expected = np.array(expected)[samplers.linspace(len(expected), 100)].tolist()
        assert found.tolist() == expected


def test_frames_are_exchanged_only_outside_the_spans_and_stay_as_many() -> None:
    even = list(range(0, 1000, 10))
    for seed in range(20):
        found = exchanged(even, [(100, 200), (200, 300), (990, 1200)], seed)
        assert len(found) == len(even)
        assert {i for i in even if 100 <= i <= 300 or i >= 990} <= set(found)
        assert set(found) - set(even) == {117, 133, 167, 183, 217, 233, 267, 283, 1026, 1059, 1095, 1131, 1164}
    assert exchanged(even, [], 0) == even
    assert exchanged([5, 5], [(0, 10)], 0) == [5, 5]


def test_moments_are_whole_seconds_and_frame_rates_each_once() -> None:
    assert frame_spans([(5.9, 9.2), (1, 2), (5, 9)], 29.97) == [(145, 261), (29, 58)]
    assert frame_spans([(1, 2)], 29.9999) == [(30, 60)]  # a frame rate of 30, as sums have it


def test_important_frames_lie_in_the_video_and_are_of_the_whole_video_alone(tmp_path: Path) -> None:
    (tmp_path / "voting.json").write_text('[[{"video_name": "a", "answer": [0, 60]}]]')
    video = Video(write(tmp_path / "a.mp4", count=37))
    adapter = AGuardian(mod="1", moments=str(tmp_path / "voting.json"))
    even = AGuardian().frame_indices(video).tolist()
    assert adapter.frame_indices(video).tolist() == even  # all frames lie in the span: there is nothing to give up
    assert adapter.frame_indices(Video(write(tmp_path / "b.mp4", count=37))).tolist() == even
    two = AGuardian(mod="2", moments=str(tmp_path / "voting.json")).frame_indices(video)
    assert len(two) == 100
    assert two.max() == 36
    with pytest.raises(AdapterError, match="whole videos alone"):
        adapter.frame_indices(video.without([Moment(start=0, end=0.5)]))


@pytest.mark.parametrize("content", ["{", '[["a"]]', '[[{"video_name": 1}]]', '[[{"video_name": 1, "answer": [1]}]]'])
def test_a_file_of_another_form_is_an_error(content: str, tmp_path: Path) -> None:
    (tmp_path / "voting.json").write_text(content)
    with pytest.raises(DataError, match=r"moments cannot be read .*voting\.json"):
        read_moments(tmp_path / "voting.json")


@pytest.mark.parametrize("entry", ['{"video_name": 2, "answer": null}', '{"video_name": null, "answer": [1, 2]}', "5"])
def test_an_entry_that_cannot_be_read_is_named(entry: str, tmp_path: Path) -> None:
    (tmp_path / "voting.json").write_text(f'[[{{"video_name": 1, "answer": [1, 2]}}], null, [{entry}]]')
    with pytest.raises(DataError, match=r"moments cannot be read \(entry 2, "):
        read_moments(tmp_path / "voting.json")


def moments_of(path: Path, *names: object) -> Any:
    """A file that has for its first video the moment [0, 1], for its second [1, 2], …"""
    path.write_text(json.dumps([[{"video_name": name, "answer": [n, n + 1]}] for n, name in enumerate(names)]))
    return read_moments(path)


@pytest.mark.parametrize(
    ("names", "videos"),
    [
        ((1, 2), ("/x/00001.mp4", "/x/2.avi")),
        ((1.0, "000002.mp4"), ("/x/1.mp4", "/x/2.mp4")),
        (("day/1.mp4", "night/1.mp4"), ("/x/day/1.mp4", "/x/night/1.mp4")),
        (("cam.1", "cam.2"), ("/x/cam.1.mp4", "/x/cam.2.mp4")),
        (("cam.1.mp4", "cam.2.mp4"), ("/x/cam.1.mp4", "/x/cam.2.mp4")),
        (("cam.mp4", "cam.avi"), ("/x/cam.mp4", "/x/cam.avi")),
    ],
)
def test_moments_are_those_of_the_whole_name(
    names: tuple[object, ...], videos: tuple[str, ...], tmp_path: Path
) -> None:
    moments = moments_of(tmp_path / "voting.json", *names)
    for _ in range(2):
        assert [moments.of(Path(video)) for video in videos] == [[(n, n + 1)] for n in range(len(videos))]
    assert moments.of(Path("/x/3.mp4")) == []


def test_moments_that_may_be_those_of_two_videos_are_refused(tmp_path: Path) -> None:
    moments = moments_of(tmp_path / "voting.json", 1)
    assert moments.of(Path("/x/day/1.mp4")) == [(0, 1)]
    with pytest.raises(DataError, match=r"of '00001' may be said of /x/day/1\.mp4 or of /x/night/1\.mp4: .*voting"):
        moments.of(Path("/x/night/1.mp4"))
    adapter = AGuardian(mod="1", moments=str(tmp_path / "voting.json"))
    media = ["day/1.mp4", "2.mp4", "day/1.mp4"]
    adapter.check_videos(media)
    with pytest.raises(DataError, match=r"of '00001' may be said of day/1\.mp4 or of night/1\.mp4"):
        adapter.check_videos([*media, "night/1.mp4"])
    moments = moments_of(tmp_path / "voting.json", "1.mp4", "day/1.mp4")
    with pytest.raises(DataError, match=r"says of 'day/1' or of '1' may be said of /x/day/1\.mp4"):
        moments.of(Path("/x/day/1.mp4"))
    with pytest.raises(DataError, match=r"'cam\.mp4' and 'cam\.avi', both meant by 'cam'"):
        moments_of(tmp_path / "voting.json", "cam.mp4", "cam.avi", "cam")


@pytest.mark.parametrize("options", [{"mod": "1"}, {"moments": "voting.json"}])
def test_moments_and_modes_belong_together(options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="mod 1 and 2 need moments"):
        AGuardian(**options)


def test_answers_end_where_their_conversation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = AGuardian()
    monkeypatch.setattr(adapter, "look", lambda video: SimpleNamespace(identity="", features=None))
    monkeypatch.setattr(AGuardian, "networks", SimpleNamespace(tokenizer=None))
    monkeypatch.setattr(adapter, "prompt", lambda question, seen: [])
    monkeypatch.setattr(
        "ecva_bench.adapters.parts.language.generation.generate",
        lambda networks, sequences, *_, **__: [
            ModelOutput(f"yes ### {len(sequences)}", finish="length") for _ in sequences
        ],
    )
    questions = [prompt_for(TASKS[task], "cuva").text for task in ("timestamp", "cause", "effect", "classification")]
    answers = adapter.answer_many(None, questions)  # type: ignore[arg-type]
    assert answers == ["yes", "yes ### 2", "yes ### 2", "yes"]
    assert all(isinstance(answer, ModelOutput) and answer.finish == "length" for answer in answers)


def test_the_five_tasks_are_answered_and_what_determines_answers_is_described(tmp_path: Path) -> None:
    options = a_guardian.build(tmp_path / "model")
    video = mini_clip(tmp_path)
    adapter = AGuardian(**options)
    its_own = five_answers(adapter, video, "cuva")
    assert its_own != VideoChatGPT(**options).answer_many(video, [prompt_for(t, "cuva").text for t in FIVE])
    described = adapter.describe()
    assert set(described["instructions"]) == {"description", "cause", "effect"}
    assert described["template"]["id"] == "models/a-guardian-other.v1"
    assert described["stops"] == {"models/a-guardian-other": ["###"]}
    assert described["moments"] == {"mod": 0, "sha256": ""}
    assert json.dumps(described)
