"""Severities asked part by part: every part shown alone, one decode, replies put together, and nothing lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ecva_bench as eb
from ecva_bench.answering import Adapter, ModelOutput, Question
from ecva_bench.answering.severity import parts_of, spans_of
from ecva_bench.errors import AnswerPending, SpecMismatch, UsageError
from ecva_bench.reading.severities import read_severities
from ecva_bench.records import Annotation, Moment
from ecva_bench.records.answers import Answer
from ecva_bench.taxonomy import load_taxonomy
from ecva_bench.video import Video
from ecva_bench.video.source import Source
from tests.clips import write_clip
from tests.video.make import write

SECONDS = 4.0  # of a clip, 40 frames


@pytest.fixture
def clips(tmp_path: Path) -> eb.Dataset:
    """Two clips of four seconds, with an event from 2.0 to 2.8 s."""
    for name in ("a", "b"):
        write_clip(tmp_path / "clips" / f"{name}.mp4")
    moments = (Moment(start=2.0, end=2.8),)
    return eb.Dataset(
        name="two",
        source="test",
        sha256="0" * 64,
        taxonomy=load_taxonomy("cuva"),
        annotations=tuple(Annotation(video=name, media=f"{name}.mp4", moments=moments) for name in ("a", "b")),
        videos=tmp_path / "clips",
    )


class Bright(Adapter):
    """Says how bright the brightest place of what it is shown is, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[float, float, int]] = []
        self.asked: list[str] = []

    def frame_indices(self, video: Video) -> Sequence[int]:
        return range(0, video.n_frames, 2)

    def describe(self) -> dict[str, Any]:
        return {"rule": "brightest"}

    def answer(self, video: Video, question: Question) -> str:
        frames = video.frames_at(self.frame_indices(video))
        self.shown.append((float(frames.timestamps[0]), float(frames.timestamps[-1]), len(frames)))
        self.asked.append(str(question))
        return f"Severity: {10 if frames.pixels.max() > 200 else 1}/10"

    def first_token_probabilities(self, video: Video, question: Question, words: Sequence[str]) -> list[float]:
        frames = video.frames_at(self.frame_indices(video))
        likely = [0.0] * len(words)
        likely[9 if frames.pixels.max() > 200 else 0] = 0.6
        likely[5] = 0.2
        return likely


def answers(outcome: eb.RunOutcome) -> list[Answer]:
    return [record for record in outcome.records if isinstance(record, Answer)]


def run(model: Any, clips: eb.Dataset, out: Path, **more: Any) -> eb.RunOutcome:
    return eb.run(model, data=clips, tasks="severity", out=out / "run.jsonl", **more)


def test_every_part_is_shown_alone_and_the_replies_are_one_answer(clips: eb.Dataset, tmp_path: Path) -> None:
    model = Bright()
    found = answers(run(model, clips, tmp_path))
    assert [one.id for one in found] == ["a/severity", "b/severity"]
    assert [(start, end) for start, end, _ in model.shown[:3]] == [(0.0, 0.4), (0.5, 0.9), (1.0, 1.4)]
    assert len(model.shown) == 16
    assert found[0].answer.splitlines() == [
        *("0 0.5 1", "0.5 1 1", "1 1.5 1", "1.5 2 1", "2 2.5 10", "2.5 3 10", "3 3.5 1", "3.5 4 1")
    ]
    assert found[0].steps is not None
    assert found[0].steps["segments"][4] == {"start": 2.0, "end": 2.5, "reply": "Severity: 10/10"}
    assert found[0].frames is not None
    assert found[0].frames.n == 24
    area = next(row for row in eb.score(tmp_path / "run.jsonl").rows() if row["metric"] == "frame_auc")
    assert area["mean"] == pytest.approx(1 - 1 / 32)  # of 16 normal cells, one is in a part that is half abnormal


def test_frames_of_all_parts_are_decoded_in_one_pass(
    clips: eb.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decodes: list[int] = []
    decode = Source._decode
    monkeypatch.setattr(Source, "_decode", lambda self, ranks: decodes.append(len(ranks)) or decode(self, ranks))
    run(Bright(), clips, tmp_path)
    assert decodes == [24, 24]


@pytest.mark.parametrize("view", ["anomaly", "still", "shuffled", "blank"])
def test_views_are_asked_part_by_part_too(clips: eb.Dataset, tmp_path: Path, view: Any) -> None:
    model = Bright()
    found = [one for one in answers(run(model, clips, tmp_path, edited=[view], all_tasks=True)) if one.view == view]
    values = [float(line.split()[2]) for line in found[0].answer.splitlines()]
    if view == "anomaly":  # what is cut is joined to the part before it
        assert (set(values), found[0].answer.splitlines()[3]) == ({1.0}, "1.5 2.5 1")
        assert all(end <= 1.9 or start >= 2.8 for start, end, _ in model.shown[8:15])
    elif view == "shuffled":
        assert {1.0, 10.0} == set(values)
    else:
        assert len(set(values)) == 1


def test_once_is_one_question_that_names_the_parts(clips: eb.Dataset, tmp_path: Path) -> None:
    model = Bright()
    found = answers(run(model, clips, tmp_path, severity_from="once"))
    assert len(model.asked) == len(found) == 2
    assert ": 0 to 0.5, 0.5 to 1, 1 to 1.5," in model.asked[0]
    assert "{spans}" not in model.asked[0]


def test_likelihood_is_the_mean_digit_with_its_mass(clips: eb.Dataset, tmp_path: Path) -> None:
    found = answers(run(Bright(), clips, tmp_path, severity_from="likelihood"))[0]
    assert found.steps is not None
    assert found.steps["segments"][0]["mass"] == 0.8
    expected = [10 * (0.2 * 5 + 0.6 * digit) / 0.8 / 9 for digit in (0, 9)]
    values = [float(line.split()[2]) for line in found.answer.splitlines()]
    assert values[0] == pytest.approx(expected[0], abs=1e-6)
    assert values[4] == pytest.approx(expected[1], abs=1e-6)


class Unsure(Bright):
    """Means to say something else."""

    def first_token_probabilities(self, video: Video, question: Question, words: Sequence[str]) -> list[float]:
        return [0.03] * len(words)


class NoProbabilities(Unsure):
    """Gives no probabilities."""

    def first_token_probabilities(self, video: Video, question: Question, words: Sequence[str]) -> list[float]:
        return [float("nan")] * len(words)


@pytest.mark.parametrize(("model", "what"), [(Unsure, "Unsure begins"), (NoProbabilities, "NoProbabilities gave no")])
def test_digits_without_mass_are_an_error_that_names_the_model(
    clips: eb.Dataset, tmp_path: Path, model: type[Bright], what: str
) -> None:
    outcome = run(model(), clips, tmp_path, severity_from="likelihood")
    failures = outcome.results.failures
    assert len(failures) == 2
    assert failures[0].message.startswith(what)


def test_a_model_without_probabilities_is_refused_before_anything_is_asked(clips: eb.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gives no probabilities"):
        run(lambda video, question: "1", clips, tmp_path, severity_from="likelihood")
    assert not (tmp_path / "run.jsonl").exists()


def test_the_way_is_part_of_the_key_and_one_file_has_one(clips: eb.Dataset, tmp_path: Path) -> None:
    (tmp_path / "words").mkdir()
    for name in ("severity", "severity-once", "severity-likelihood"):
        (tmp_path / "words" / f"{name}.md").write_text("How severe is it, from 0 to 9?\n")
    keys = set()
    for way in ("segments", "once", "likelihood"):
        folder = tmp_path / way
        folder.mkdir()
        outcome = run(Bright(), clips, folder, severity_from=way, prompts=tmp_path / "words")
        keys |= {one.key for one in answers(outcome)}
    assert len(keys) == 6
    with pytest.raises(SpecMismatch, match="segments there, once here"):
        run(Bright(), clips, tmp_path / "segments", severity_from="once", prompts=tmp_path / "words")


class Replying(Bright):
    """Gives one reply after another, whatever it is shown."""

    def __init__(self, *replies: str | Exception) -> None:
        super().__init__()
        self.replies = list(replies)

    def answer(self, video: Video, question: Question) -> str:
        reply = self.replies[len(self.asked) % len(self.replies)]
        self.asked.append(str(question))
        if isinstance(reply, Exception):
            raise reply
        return reply


def test_replies_that_are_nonsense_are_gaps_and_counted_and_too_many_of_them_no_answer(
    clips: eb.Dataset, tmp_path: Path
) -> None:
    outcome = run(Replying("3", "It is quite bad.", "<think>9</think>4"), clips, tmp_path)
    text = answers(outcome)[0].answer
    assert text.splitlines()[:3] == ["0 0.5 3", "0.5 1 ?", "1 1.5 4"]
    assert len(read_severities(text, unit=None).unparsed) == 3
    other = tmp_path / "other"
    other.mkdir()
    outcome = run(Replying("11", "no idea", "7"), clips, other)
    assert read_severities(answers(outcome)[0].answer, unit=None).status == "unread"
    values = {row["metric"]: row["mean"] for row in eb.score(outcome).rows()}
    assert (values["parsed"], values["frame_auc"]) == (0, 0)


def test_a_part_that_fails_fails_its_video_alone_and_is_asked_again(clips: eb.Dataset, tmp_path: Path) -> None:
    model = Replying(*["5"] * 11, RuntimeError("the engine is gone"), *["5"] * 4)
    outcome = run(model, clips, tmp_path)
    assert ([one.video for one in answers(outcome)], [one.video for one in outcome.results.failures]) == (["a"], ["b"])
    again = Replying("6")
    assert [one.video for one in answers(run(again, clips, tmp_path))] == ["a", "b"]
    assert len(again.asked) == 8


def test_a_reply_that_was_cut_off_is_told(clips: eb.Dataset, tmp_path: Path) -> None:
    long = ModelOutput("Let me think about", finish="length")
    assert answers(run(Replying("1", long), clips, tmp_path))[0].finish == "length"
    other = tmp_path / "other"
    other.mkdir()
    assert answers(run(Replying(ModelOutput("1, and so", finish="length")), clips, other))[0].finish == "stop"


def test_all_parts_wait_for_a_batch_together(clips: eb.Dataset, tmp_path: Path) -> None:
    class Waiting(Replying):
        waiting = True

        def answer(self, video: Video, question: Question) -> str:
            if self.waiting:
                self.asked.append("")
                raise AnswerPending("it waits")
            return "2"

        def collect(self) -> bool:
            was, self.waiting = self.waiting, False
            return was

    model = Waiting("2")
    assert len(answers(run(model, clips, tmp_path))) == 2
    assert len(model.asked) == 16


def test_a_baseline_answers_about_the_whole_video(clips: eb.Dataset, tmp_path: Path) -> None:
    for way in ("segments", "once", "likelihood"):
        found = answers(run("oracle", clips, tmp_path, severity_from=way, name=way, reuse=()))
        assert found[0].answer == "2 2.8 10"
        (tmp_path / "run.jsonl").unlink()


def test_a_model_may_draw_a_curve_of_its_own(clips: eb.Dataset, tmp_path: Path) -> None:
    def detector(video: Video, question: Question) -> str:
        return "0 1.9 0.5\n1.9 3 9.25\n3 4 0.5"

    found = answers(run(detector, clips, tmp_path, severity_from="once"))
    assert found[0].answer == "0 1.9 0.5\n1.9 3 9.25\n3 4 0.5"


def test_severity_is_asked_where_it_is_named_alone(tmp_path: Path) -> None:
    outcome = eb.run("constant", limit=1, out=tmp_path / "run.jsonl")
    assert {one.task for one in answers(outcome)} == {"description", "cause", "effect", "classification", "timestamp"}


def test_parts_are_five_seconds_long_within_bounds() -> None:
    frames = np.arange(0, 1000, 0.1)
    assert [len(spans_of(duration, frames)) for duration in (4, 39, 41, 60, 80, 900)] == [8, 8, 9, 12, 16, 16]
    assert spans_of(60.0, frames)[1] == (5.0, 10.0)


@pytest.mark.parametrize(
    ("timestamps", "spans"),
    [
        ([0.0], [(0.0, 8.0)]),
        ([0.0, 1.0, 6.5], [(0.0, 1.0), (1.0, 6.0), (6.0, 8.0)]),
        ([3.5, 4.0], [(0.0, 4.0), (4.0, 8.0)]),
    ],
)
def test_a_part_without_a_frame_is_joined_to_the_one_before(
    timestamps: list[float], spans: list[tuple[float, float]]
) -> None:
    assert spans_of(8.0, timestamps) == spans


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_a_video_of_few_frames_has_few_parts_and_loses_none(tmp_path: Path, frames: int) -> None:
    path = write_clip(tmp_path / "short.mp4", frames=frames)
    with Video(path) as video:
        parts = parts_of(video, video.duration)
        assert sum(part.shown.n_frames for part in parts) == frames
        assert (parts[0].start, parts[-1].end) == (0.0, video.duration)


def test_a_variable_rate_loses_no_frame(tmp_path: Path) -> None:
    seconds = [0.0, 0.1, 0.2, 3.0, 3.1, 9.0]
    path = write(tmp_path / "variable.mkv", ticks=[round(100 * one) for one in seconds])
    with Video(path) as video:
        parts = parts_of(video, video.duration)
        shown = [float(t) for part in parts for t in part.shown.timestamps]
        assert shown == pytest.approx(list(video.timestamps))
        assert all(part.shown.n_frames for part in parts)
