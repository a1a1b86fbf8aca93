"""Files of training samples: what is read of each, and each trap named and counted, never another sample instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ecva_bench as eb
from ecva_bench.errors import DataError, TrainingError, UsageError
from ecva_bench.training.conversations import Turn
from ecva_bench.training.formats import SkippedSample, read_training_set
from ecva_bench.training.frames import check_bad


def llava(id_: str, file: dict[str, Any], question: str = "<video>\nWhat happens?", answer: str = "It burns.") -> Any:
    said = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"id": id_, **file, "conversations": said}


SAMPLES = [
    llava("clip", {"video": "day/1.mp4"}),
    llava("picture", {"image": "a.jpg"}, "What is it?\n<image>", "A fire."),
    llava("words", {}, "Hello", "Good day."),
]
TRAPS = {
    "a picture given as a video": llava("1", {"video": "images/a.jpg"}),
    "a video given as a picture": llava("2", {"image": "day/1.mp4"}, "<image>"),
    "two placeholders": llava("3", {"video": "day/1.mp4"}, "<video> <video> What?"),
    "no answer": llava("4", {"video": "day/1.mp4"}, answer=" "),
    "missing file": llava("5", {"video": "2.mp4"}),
    "empty file": llava("6", {"video": "nothing.mp4"}),
    "several pictures or videos": llava("7", {"image": ["a.jpg", "b.jpg"]}),
    "no placeholder for its file": llava("8", {"video": "day/1.mp4"}, "What?"),
    "a turn that is none": {"id": "9", "video": "day/1.mp4", "conversations": [{"from": "human"}]},
    "not a sample": ["a"],
    "a placeholder and no file": llava("10", {"video": " "}, "<video> What?"),
    "unreachable file": llava("11", {"video": "a" * 5000 + ".mp4"}),
    "a placeholder in no question that is answered": llava("12", {"image": "a.jpg"}, "What?", "See <image>."),
}


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "day").mkdir(parents=True)
    for name, content in (("day/1.mp4", b"x"), ("a.jpg", b"x"), ("nothing.mp4", b"")):
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_samples_of_llavas_trainers_are_read_as_they_lie(tmp_path: Path, media: Path, form: str) -> None:
    file = tmp_path / f"chat.{form}"
    lines = "\n".join(map(json.dumps, SAMPLES))
    file.write_text(lines if form == "jsonl" else json.dumps(SAMPLES))
    found = read_training_set(str(file), media)
    assert [(one.id, one.kind, one.path) for one in found.conversations] == [
        ("clip", "video", media / "day/1.mp4"),
        ("picture", "picture", media / "a.jpg"),
        ("words", "words", None),
    ]
    assert found.conversations[1].turns == (Turn("user", "What is it?\n<image>"), Turn("assistant", "A fire."))
    assert found.skipped == ()


def test_each_trap_is_skipped_by_name_and_the_others_are_kept(tmp_path: Path, media: Path) -> None:
    file = tmp_path / "chat.json"
    file.write_text(json.dumps([*SAMPLES, *TRAPS.values()]))
    found = read_training_set(str(file), media)
    assert [one.id for one in found.conversations] == ["clip", "picture", "words"]
    assert [one.reason for one in found.skipped] == [*TRAPS]
    assert found.given == len(SAMPLES) + len(TRAPS)


def test_no_name_leads_out_of_the_folder(tmp_path: Path, media: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    names = ["../secret.jpg", str(tmp_path / "secret.jpg"), "day/../../secret.jpg"]
    file = tmp_path / "chat.json"
    file.write_text(json.dumps([llava(name, {"image": name}, "<image>") for name in names]))
    assert read_training_set(str(file), media).conversations == ()


def test_videoinstruct_is_read_with_the_video_found_by_its_id(tmp_path: Path, media: Path) -> None:
    file = tmp_path / "instruct.json"
    bad = [{"video_id": "1", "q": 3, "a": "x"}, {"video_id": "", "q": "Why?", "a": "x"}]
    file.write_text(json.dumps([{"video_id": "1", "q": "Why?", "a": "It rains."}, *bad]))
    found = read_training_set(str(file), media)
    (one,) = found.conversations
    assert (one.path, one.turns) == (
        media / "day/1.mp4",
        (Turn("user", "<video>\nWhy?"), Turn("assistant", "It rains.")),
    )
    assert [skipped.reason for skipped in found.skipped] == ["not a sample", "a placeholder and no file"]


def test_references_of_a_data_set_are_answers_that_score_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scorers, which know nothing of training, are the truth."""
    monkeypatch.chdir(tmp_path)
    known = {one.id: one.turns[1].text for one in read_training_set("mini", None).conversations}

    def answers(video: eb.Video, question: eb.Question) -> str:
        return known[f"{video.path.stem}/{question.task}"]

    scored = eb.score(eb.run(answers, tasks=("classification", "timestamp"), limit=3))
    means = {row["metric"]: row["mean"] for row in scored.rows()}
    assert [means[name] for name in ("accuracy", "iou")] == [1, 1]


def test_a_choice_is_answered_by_letter_and_option(tmp_path: Path) -> None:
    """One row as SUTD-TrafficQA has it, a list under a header; what the answer is, its own index says."""
    keys = "record_id vid_id vid_filename perspective q_body q_type option0 option1 option2 option3 answer"
    header = keys.split()
    row = [7, 1, "b_1.mp4", 0, "What caused it?", "C", "Fog", "Ice", "", "", 1]
    file = tmp_path / "R2_train.jsonl"
    file.write_text(f"{json.dumps(header)}\n{json.dumps(row)}\n")
    (tmp_path / "b_1.mp4").write_bytes(b"x")
    (one,) = read_training_set(f"sutd-trafficqa:{file}", tmp_path).conversations
    letter = one.turns[1].text.partition(". ")[0]
    assert one.turns[1].text == f"{letter}. Ice"
    assert f"{letter}. Ice" in one.turns[0].text


@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_file_may_begin_with_a_mark_or_with_a_sample_that_is_none(
    tmp_path: Path, media: Path, form: str, begin: str
) -> None:
    file = tmp_path / f"chat.{form}"
    entries = [{"id": "0"}, *SAMPLES]
    file.write_text(begin + ("\n".join(map(json.dumps, entries)) if form == "jsonl" else json.dumps(entries)))
    found = read_training_set(str(file), media)
    assert ([one.reason for one in found.skipped], len(found.conversations)) == (["not a sample"], 3)


def test_a_list_may_be_called_lines_and_a_broken_line_is_named(tmp_path: Path, media: Path) -> None:
    file = tmp_path / "chat.jsonl"
    file.write_text(json.dumps(SAMPLES))
    assert len(read_training_set(str(file), media).conversations) == 3
    file.write_text(f"{json.dumps(SAMPLES[0])}\n\n{{broken")
    with pytest.raises(DataError, match="line 3: Expecting"):
        read_training_set(str(file), media)


@pytest.mark.parametrize("content", ["{", '[{"a": 1}]'])
def test_what_is_no_file_of_samples_is_refused(tmp_path: Path, media: Path, content: str) -> None:
    file = tmp_path / "bad.json"
    file.write_text(content)
    with pytest.raises(DataError, match=r"bad\.json"):
        read_training_set(str(file), media)


def test_a_folder_of_media_must_be_named(tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    file.write_text(json.dumps(SAMPLES))
    with pytest.raises(UsageError, match="--media"):
        read_training_set(str(file), None)


def test_too_many_bad_samples_end_it_and_few_do_not() -> None:
    skipped = [SkippedSample("1", "a.mp4", "missing file"), SkippedSample("2", "b.mp4", "no answer")]
    check_bad(skipped, 2000, 0.001)
    with pytest.raises(TrainingError, match=r"2 of 1,999 samples cannot be used \(1 missing file, 1 no answer\)"):
        check_bad(skipped, 1999, 0.001)
